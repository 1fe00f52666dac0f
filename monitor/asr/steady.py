"""Sounds that cannot be speech because nothing in them moves: steady noise, hum, and the tones of a line.

The recogniser is asked only where a voice was heard, yet a tone may pass for one; a model writes 嗯 for it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.asr.audio import Levels
from monitor.core.types import Samples

LEAST_SECONDS = 0.4
"""Shorter sounds tell too little."""

FLAT_DB = 4.0
"""Levels of 20 ms frames of speech differ far more than this between their 5 % and 95 % points."""

PURE = 0.95
"""Share of a frame's power in its two strongest spectral peaks that makes it a tone or a pair of tones."""

STEADY_HZ = 6.0
"""A voice never keeps its pitch this still (median deviation) over a whole stretch."""


def lifeless(samples: Samples, rate: int, level: Levels, loud: npt.NDArray[np.bool_]) -> bool:
    """Whether int16 (n,) ``samples`` are steady noise or tones.

    ``level`` and ``loud`` are per 20 ms frame, as ``audio.loudness`` and ``timing.loud_frames`` give them.
    """
    if len(samples) < LEAST_SECONDS * rate:
        return False
    whole = level[:-1]  # the last frame may be filled up with zeros
    if float(np.percentile(whole, 95) - np.percentile(whole, 5)) < FLAT_DB:
        return True
    return _tones(samples, rate, loud)


def _tones(samples: Samples, rate: int, loud: npt.NDArray[np.bool_]) -> bool:
    """Whether nearly all loud 40 ms windows are pure, and at one and the same frequency."""
    hop, size = rate // 50, rate // 25
    starts = [n * hop for n in np.flatnonzero(loud[:-1] & loud[1:]) if n * hop + size <= len(samples)]
    if len(starts) < 5:  # a tenth of a second
        return False
    frames = np.stack([samples[start : start + size] for start in starts]).astype(np.float64)
    power = np.abs(np.fft.rfft(frames * np.hanning(size), n=4 * size, axis=1)) ** 2
    total = power.sum(axis=1) + 1e-9
    first, strongest = _take_peak(power)
    second, _ = _take_peak(power)
    pure = (first + second) / total > PURE
    frequency = strongest * rate / (4 * size)
    spread = float(np.median(np.abs(frequency - np.median(frequency))))
    return float(pure.mean()) > 0.85 and spread < STEADY_HZ  # edges of bursts are impure


def _take_peak(power: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Power and bin of each row's strongest peak, which is removed from ``power``."""
    reach = 8  # bins: the width of a Hann window's peak
    at = power.argmax(axis=1)
    near = np.abs(np.arange(power.shape[1])[None, :] - at[:, None]) <= reach
    taken = np.where(near, power, 0.0).sum(axis=1)
    power[near] = 0.0
    return taken, at
