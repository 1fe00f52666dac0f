"""Audio of requests made ready for a model: rate, level, and where a long stretch may be cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import soxr

from monitor.core.types import Samples

Floats = npt.NDArray[np.float32]

Levels = npt.NDArray[np.float64]
"""dBFS of each 20 ms frame."""

QUIET_PEAK = 0.1
"""Peaks below this share of full scale (-20 dBFS) are brought up to it."""

MOST_GAIN = 30.0
"""Never amplify by more than this factor, so that line noise stays noise."""

FRAME_SECONDS = 0.02

_HISS: Floats = np.random.default_rng(0).standard_normal(1 << 17).astype(np.float32)


def prepare(samples: Samples, rate: int, wanted: int) -> Floats:
    """int16 (n,) at ``rate`` as float32 in -1..1 at ``wanted`` samples a second."""
    audio: Floats = samples.astype(np.float32) / np.float32(32768.0)
    return audio if rate == wanted else soxr.resample(audio, rate, wanted, quality="HQ")


def levelled(audio: Floats, peak_dbfs: float | None, hiss_dbfs: float | None) -> Floats:
    """``audio`` with its peak at ``peak_dbfs`` and steady hiss added at ``hiss_dbfs``, as the model likes it.

    Without a wanted peak only faint audio is amplified. Digital silence between words is what a model never
    met in training; the hiss is the same each time, so that equal audio gives equal words.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > 0.0:
        goal = _amplitude(peak_dbfs) if peak_dbfs is not None else max(peak, QUIET_PEAK)
        audio = audio * np.float32(min(goal / peak, MOST_GAIN))
    if hiss_dbfs is not None:
        audio = audio + hiss(0, len(audio), hiss_dbfs)
    return audio


def hiss(start: int, count: int, dbfs: float) -> Floats:
    """Samples ``start``..``start + count`` of the steady hiss: the same however it is cut into pieces."""
    noise: Floats = np.take(_HISS, np.arange(start, start + count), mode="wrap") * np.float32(_amplitude(dbfs))
    return noise


def _amplitude(dbfs: float) -> float:
    return float(10.0 ** (dbfs / 20.0))


def loudness(samples: Samples, rate: int) -> Levels:
    """Level of each 20 ms frame in dBFS, shape (frames,); an incomplete last frame counts as one."""
    length = max(1, round(rate * FRAME_SECONDS))
    frames = -(-len(samples) // length)
    padded = np.zeros(frames * length, dtype=np.float64)
    padded[: len(samples)] = samples
    power = (padded.reshape(frames, length) ** 2).mean(axis=1) / 32768.0**2
    level: Levels = 10.0 * np.log10(np.maximum(power, 1e-10))
    return level


def split(samples: Samples, rate: int, max_seconds: float) -> list[tuple[int, int]]:
    """Cuts (n,) samples into stretches of at most ``max_seconds``, each cut at the quietest 0.2 s in reach.

    A cut is looked for in the second half of the longest possible stretch, and leaves at least a second over.
    """
    longest = int(max_seconds * rate)
    if len(samples) <= longest:
        return [(0, len(samples))]
    frame = max(1, round(rate * FRAME_SECONDS))
    level = loudness(samples, rate)
    smooth = np.convolve(level, np.full(11, 1.0 / 11.0), mode="same")
    cuts = [0]
    while len(samples) - cuts[-1] > longest:
        first = (cuts[-1] + longest // 2) // frame
        last = min(cuts[-1] + longest, len(samples) - rate) // frame
        quietest = first + int(np.argmin(smooth[first : max(last, first + 1)]))
        cuts.append(quietest * frame)
    return list(pairwise([*cuts, len(samples)]))
