"""Sounds for tests of the listening stages: a voice made of formants and glides, music, noise. All at 8000 a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.core.types import Samples

RATE = 8000
Wave = npt.NDArray[np.float64]

RECORDED = Path(__file__).parents[3] / "shared" / "audio"
"""Recordings of people, where there are any beside the repository."""

_VOWELS = ((750, 1200, 2500), (350, 2100, 2800), (400, 800, 2400), (500, 1800, 2500), (320, 750, 2300))
_TONES = ((4, 4), (0, 5), (-3, -5), (5, -6), (1, -1))  # semitones at begin and end


def quiet(seconds: float) -> Wave:
    return np.zeros(round(seconds * RATE))


def syllable(kind: int, seconds: float, pitch: float = 180.0) -> Wave:
    """A soft hiss and a voiced part whose pitch and resonances glide."""
    count = round(seconds * RATE)
    time = np.linspace(0, 1, count)
    begin, end = _TONES[kind % 5]
    frequency = pitch * 2 ** ((begin + (end - begin) * time) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    first, second = np.array(_VOWELS[kind % 5]), np.array(_VOWELS[(kind * 3 + 1) % 5])
    wave = np.zeros(count)
    for harmonic in range(1, int(3600 / pitch)):
        partial = frequency * harmonic
        gain = np.zeros(count)
        for f1, f2, width in zip(first, second, (90, 130, 200), strict=True):
            gain += 1 / (1 + ((partial - (f1 + (f2 - f1) * time)) / width) ** 2)
        wave += gain * np.sin(harmonic * phase) * (partial < 3800)
    shape = np.minimum(1, np.minimum(time / 0.25, (1 - time) / 0.3)) ** 0.7
    hiss = np.random.default_rng(kind).normal(0, 0.25, count) * (time < 0.15)
    return np.asarray((wave * shape + hiss) * 2500, np.float64)


def say(seconds: float, pace: float = 240.0, pitch: float = 180.0, seed: int = 1) -> Wave:
    """A phrase of syllables at ``pace`` a minute; it fills ``seconds`` to the last whole syllable."""
    rng = np.random.default_rng(seed)
    each = 60 / pace
    parts = [
        syllable(int(rng.integers(100)), each, pitch * rng.uniform(0.92, 1.08))
        for _ in range(int(seconds / each + 1e-6))
    ]
    return np.concatenate(parts)


def note(pitch: float, seconds: float, fade: float = 0.6) -> Wave:
    """A plucked note with steady partials; ``pitch`` in semitones above 220 Hz."""
    time = np.arange(round(seconds * RATE)) / RATE
    frequency = 220 * 2 ** (pitch / 12)
    wave = sum(np.sin(2 * np.pi * frequency * h * time) / h**1.4 for h in range(1, 8) if frequency * h < 3800)
    return np.asarray(wave * np.exp(-time / fade) * np.minimum(1, time / 0.008) * 4000, np.float64)


def music(seconds: float, seed: int = 1) -> Wave:
    """Chords and a tune over them."""
    rng = np.random.default_rng(seed)
    out = quiet(seconds + 4)
    for beat in np.arange(0, seconds, 0.45):
        at = round(beat * RATE)
        if round(beat / 0.45) % 4 == 0:
            for step in (-5, -1, 2):
                part = note(step + float(rng.choice([0, 5, 7])), 2.0, 1.5)
                out[at : at + len(part)] += part / 2
        part = note(float(rng.choice([0, 2, 4, 7, 9, 12, 14])), float(rng.choice([0.4, 0.8])), 0.8)
        out[at : at + len(part)] += part
    return out[: round(seconds * RATE)]


def noise(seconds: float, level: float, seed: int = 1, pink: bool = False) -> Wave:
    """``level`` is the standard deviation."""
    wave = np.random.default_rng(seed).normal(0, 1, round(seconds * RATE))
    if pink:
        spectrum = np.fft.rfft(wave)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 30))
        wave = np.fft.irfft(spectrum, len(wave))
        wave /= wave.std()
    return np.asarray(wave * level, np.float64)


def sine(frequency: float, seconds: float, level: float = -15.0) -> Wave:
    """``level`` in dB below a full sine."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(32767 * 10 ** (level / 20) * np.sin(2 * np.pi * frequency * time + 0.4), np.float64)


def pcm(*parts: Wave) -> Samples:
    """The parts one after another."""
    return np.clip(np.round(np.concatenate(parts)), -32768, 32767).astype(np.int16)


def framed(audio: Samples, rate: int = RATE) -> Samples:
    """Whole frames of 20 ms."""
    size = rate // 50
    return audio[: len(audio) // size * size].reshape(-1, size)
