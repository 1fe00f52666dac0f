"""What a telephone line does to sound: band, level, clipping, mu-law; and where sound is in a signal."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from monitor.core.types import Samples

Signal = npt.NDArray[np.float64]
"""Float samples of shape (n,), full scale ±1."""

BAND_HZ = (300.0, 3400.0)
AUDIBLE_DB = 40.0
"""Sound counts from this far below the loudest 20 ms: what is weaker is lost under any line's noise."""

PAUSE_SECONDS = 0.15
"""Shorter silences are stop consonants, not pauses."""


@cache
def _band_filter(rate: int) -> Signal:
    """Linear-phase FIR of BAND_HZ, 20 ms long (windowed sinc), so that it shifts nothing."""
    half = rate // 100
    n = np.arange(-half, half + 1)
    low, high = (2 * hz / rate for hz in BAND_HZ)
    taps = high * np.sinc(high * n) - low * np.sinc(low * n)
    return np.asarray(taps * np.blackman(2 * half + 1), dtype=np.float64)


def telephone_band(signal: Signal, rate: int) -> Signal:
    """Keep 300 to 3400 Hz; no delay, same length."""
    return np.convolve(signal, _band_filter(rate), mode="same") if signal.size else signal


def to_dbfs(rms: float) -> float:
    """Level of an RMS amplitude, dB against full scale; -120 for silence."""
    return float(20.0 * np.log10(max(rms, 1e-6)))


def audible(signal: Signal, rate: int) -> npt.NDArray[np.bool_]:
    """Which milliseconds carry sound: bool of shape (n // (rate / 1000),), by the RMS of 5 ms around each."""
    step = rate // 1000
    count = signal.size // step
    power = np.square(signal[: count * step]).reshape(count, step).mean(axis=1)
    smooth = np.convolve(power, np.ones(5) / 5, mode="same")
    loudest = np.convolve(power, np.ones(20) / 20, mode="same").max(initial=0.0)
    return np.asarray((smooth > loudest * 10 ** (-AUDIBLE_DB / 10)) & (smooth > 0))


def extent(signal: Signal, rate: int) -> tuple[int, int]:
    """Samples at which sound begins and ends; (0, 0) in silence."""
    where = np.flatnonzero(audible(signal, rate))
    step = rate // 1000
    return (int(where[0]) * step, (int(where[-1]) + 1) * step) if where.size else (0, 0)


def pauses(signal: Signal, rate: int) -> list[tuple[int, int]]:
    """Silences inside a signal that begins and ends with sound, as (first sample, sample after the last)."""
    step = rate // 1000
    quiet = np.concatenate(([False], ~audible(signal, rate), [False])).astype(np.int8)
    edges = np.flatnonzero(np.diff(quiet)).reshape(-1, 2)
    return [(int(a) * step, int(b) * step) for a, b in edges if (b - a) * step >= PAUSE_SECONDS * rate]


def spoken_rms(signal: Signal, rate: int) -> float:
    """RMS amplitude from first to last sound, pauses left out."""
    first, last = extent(signal, rate)
    keep = np.ones(last - first, dtype=np.bool_)
    for start, end in pauses(signal[first:last], rate):
        keep[start:end] = False
    voiced = signal[first:last][keep]
    return float(np.sqrt(np.mean(np.square(voiced)))) if voiced.size else 0.0


def at_level(signal: Signal, rate: int, dbfs: float) -> Signal:
    """The signal at an RMS of ``dbfs`` over its sounding parts, clipped at full scale where that needs it."""
    rms = spoken_rms(signal, rate)
    if rms == 0.0:
        return signal
    gain = 10 ** (dbfs / 20) / rms
    for _ in range(30):  # clipping takes level away again, so more gain is needed: converges from below
        result = np.clip(signal * gain, -1.0, 1.0)
        shortfall = dbfs - to_dbfs(spoken_rms(result, rate))
        if abs(shortfall) < 0.01:
            break
        gain *= 10 ** (shortfall / 20)
    return np.clip(signal * gain, -1.0, 1.0)


def to_int16(signal: Signal) -> Samples:
    """Quantise; beyond full scale is clipped."""
    return np.clip(np.rint(signal * 32768.0), -32768, 32767).astype(np.int16)


def through_mu_law(samples: Samples) -> Samples:
    """What a G.711 mu-law line delivers: 8 bits a sample, the steps growing with the amplitude."""
    bias, most = 132, 32635
    wide = samples.astype(np.int32)
    magnitude = np.minimum(np.abs(wide), most) + bias
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (segment + 3)) & 15
    decoded = (((mantissa << 3) + bias) << segment) - bias
    return np.asarray(np.sign(wide) * decoded, dtype=np.int16)
