"""Sounds of the line and the room, synthesised: ring-back, keys, tones, hum, noise. Peaks or RMS as stated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.render.line import Signal

RING_HZ = 450.0
RING_ON, RING_OFF = 1.0, 4.0
"""Ring-back in China: one second of tone, four of silence."""

BUSY_ON = 0.35
"""Busy tone: as long off as on."""

KEYS = {
    "1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "A": (697, 1633),
    "4": (770, 1209), "5": (770, 1336), "6": (770, 1477), "B": (770, 1633),
    "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "C": (852, 1633),
    "*": (941, 1209), "0": (941, 1336), "#": (941, 1477), "D": (941, 1633),
}  # fmt: skip
"""The two frequencies of each key, Hz."""


def _time(seconds: float, rate: int) -> Signal:
    return np.arange(round(seconds * rate)) / rate


def _faded(signal: Signal, rate: int, seconds: float = 0.005) -> Signal:
    """Soft edges, so that a sound that begins or ends does not click."""
    count = min(round(seconds * rate), signal.size // 2)
    if count:
        ramp = np.sin(np.linspace(0.0, np.pi / 2, count)) ** 2
        signal = signal.copy()
        signal[:count] *= ramp
        signal[-count:] *= ramp[::-1]
    return signal


def at_rms(signal: Signal, dbfs: float) -> Signal:
    """Scale to an RMS of ``dbfs`` over the whole signal."""
    rms = float(np.sqrt(np.mean(np.square(signal)))) if signal.size else 0.0
    return signal * (10 ** (dbfs / 20) / rms) if rms else signal


def tone(frequencies: tuple[float, ...], seconds: float, rate: int) -> Signal:
    """Sines of equal strength, together at most ±1, with soft edges."""
    time = _time(seconds, rate)
    return _faded(sum((np.sin(2 * np.pi * hz * time) for hz in frequencies), np.zeros(time.size)), rate) / len(
        frequencies
    )


def ring(bursts: int, rate: int, dbfs: float = -18.0) -> Signal:
    """Ring-back of so many bursts; ends with the last burst. ``dbfs`` is the RMS within a burst."""
    burst = at_rms(tone((RING_HZ,), RING_ON, rate), dbfs)
    pause = np.zeros(round(RING_OFF * rate))
    return np.concatenate([burst, *([pause, burst] * (bursts - 1))])


def busy(seconds: float, rate: int, dbfs: float = -18.0) -> Signal:
    """The tone after the other side has hung up."""
    beat = at_rms(tone((RING_HZ,), BUSY_ON, rate), dbfs)
    pair = np.concatenate((beat, np.zeros(beat.size)))
    return np.tile(pair, int(seconds / (2 * BUSY_ON)) + 1)[: round(seconds * rate)]


def key(digit: str, seconds: float, rate: int, dbfs: float = -14.0) -> Signal:
    """One DTMF key. Raises ValueError for what is on no keypad."""
    if digit not in KEYS:
        raise ValueError(f"{digit!r} is no telephone key; keys are {''.join(KEYS)}")
    return at_rms(tone(KEYS[digit], seconds, rate), dbfs)


def dial_tone(seconds: float, rate: int, dbfs: float = -18.0) -> Signal:
    """450 Hz without a break."""
    return at_rms(tone((RING_HZ,), seconds, rate), dbfs)


def _shaped(seconds: float, rate: int, rng: np.random.Generator, slope: float) -> Signal:
    """Noise whose power falls with the frequency to the power ``slope``."""
    count = max(round(seconds * rate), 2)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / rate)
    hz[0] = hz[1]
    spectrum *= np.maximum(hz, 20.0) ** (-slope / 2)
    return np.asarray(np.fft.irfft(spectrum, count)[: round(seconds * rate)], dtype=np.float64)


def _hum(seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """Mains hum: 50 Hz and its harmonics; the phases are drawn, the strengths fall."""
    time = _time(seconds, rate)
    parts = (np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 6.28)) / k for k in (1, 2, 3, 5, 7, 9))
    return sum(parts, np.zeros(time.size))


def _office(seconds: float, rate: int, rng: np.random.Generator) -> Signal:
    """A room without voices: air conditioning, a slow swell, and key clicks now and then."""
    time = _time(seconds, rate)
    air = at_rms(_shaped(seconds, rate, rng, 1.5), 0.0)
    air *= 1 + 0.3 * np.sin(2 * np.pi * 0.11 * time + rng.uniform(0, 6.28))
    clicks = np.zeros(time.size)
    length = round(0.012 * rate)
    decay = np.exp(-np.arange(length) / (0.003 * rate))
    for at in rng.integers(0, max(time.size - length, 1), round(seconds * 1.5)):
        clicks[at : at + length] += (rng.standard_normal(length) * decay * rng.uniform(0.5, 2.5))[: time.size - at]
    return air + clicks


Noise = Callable[[float, int, np.random.Generator], Signal]

NOISES: dict[str, Noise] = {
    "white": lambda seconds, rate, rng: rng.standard_normal(round(seconds * rate)),
    "pink": lambda seconds, rate, rng: _shaped(seconds, rate, rng, 1.0),
    "brown": lambda seconds, rate, rng: _shaped(seconds, rate, rng, 2.0),
    "hum": _hum,
    "office": _office,
    "dial": lambda seconds, rate, rng: dial_tone(seconds, rate),
}
"""Kinds of background sound by name."""


def noise(kind: str, seconds: float, rate: int, dbfs: float, rng: np.random.Generator) -> Signal:
    """A stretch of background sound at an RMS of ``dbfs``. Raises KeyError for an unknown kind."""
    return _faded(at_rms(NOISES[kind](seconds, rate, rng), dbfs), rate, 0.02)
