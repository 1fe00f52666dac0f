"""How loud a party speaks: measured on voiced frames only, told once a second.

- ``level``: dBFS, the median of the short-term levels (400 ms, every 100 ms) of that second. 0 dBFS is a square wave at
  full scale; a full sine has -3.
- ``level_relative``: dB above the party's own baseline, the running median of the levels of the last two minutes of
  speech, or a baseline known from earlier calls. Microphones and lines differ by far more than voices do.
- ``clipping``: the share of samples at full scale, 0 to 1.
- ``loudness``: LUFS: power after the K-weighting of ITU-R BS.1770-4, over voiced frames instead of its gates. The
  weighting is applied to the power spectrum of each frame, which for a power over many frames is the same as
  filtering, and keeps no state that could depend on how the audio was cut.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.core.types import FRAMES_A_SECOND, Channel, Measured, Quality, Samples

FULL_SCALE: Final = 32768.0
Floats = npt.NDArray[np.float64]

CLIPPED: Final = 32000
"""A-law and mu-law decode to less than the full int16 range, so full scale begins a little lower."""

_SHORT_TERM: Final = 20  # frames: 400 ms
_EVERY: Final = 5  # frames: 100 ms
_BASELINE_LEAST: Final = 5  # seconds of speech before a baseline exists
_BASELINE_MOST: Final = 120

# the two filters of BS.1770-4, tables 1 and 2 (48 kHz): numerator, denominator
_SHELF: Final = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS: Final = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def k_weight(frequency: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The power gain of the K-weighting at ``frequency`` in Hz."""
    z = np.exp(-2j * np.pi * frequency / 48000)
    gain = np.ones_like(z)
    for above, below in (_SHELF, _HIGH_PASS):
        gain = gain * (above[0] + above[1] * z + above[2] * z * z) / (below[0] + below[1] * z + below[2] * z * z)
    return np.asarray(np.abs(gain) ** 2, np.float64)


def to_db(power: float) -> float:
    """Mean square of int16 samples in dBFS."""
    return 10 * math.log10(max(power, 1e-3) / FULL_SCALE**2)


class Levels:
    """Listens to one channel. ``baseline`` in dBFS is what earlier calls of this agent on this device had."""

    def __init__(self, channel: Channel, rate: int, baseline: float | None = None) -> None:
        self._channel = channel
        self._rate = rate
        self._frame_len = rate // FRAMES_A_SECOND
        self._known_baseline = baseline
        self._window = np.hanning(self._frame_len + 2)[1:-1]
        weights = k_weight(np.fft.rfftfreq(self._frame_len, 1 / rate)) * 2
        weights[[0, -1]] /= 2  # all bins but the first and last stand for two
        self._weights = weights / (self._frame_len * float((self._window**2).sum()))
        self._history: deque[float] = deque(maxlen=_BASELINE_MOST)
        self._sorted: list[float] = []
        self._heard: list[tuple[npt.NDArray[np.intp], Samples]] = []  # voiced frames of this second and their numbers
        self._recent: list[float] = []  # power of the last frames of the second before, -1 where not voiced
        self._next = 0

    @property
    def baseline(self) -> float | None:
        """What levels are compared with, in dBFS; none until enough was heard."""
        if self._known_baseline is not None:
            return self._known_baseline
        if len(self._sorted) < _BASELINE_LEAST:
            return None
        return self._sorted[len(self._sorted) // 2]

    def feed(self, start: int, frames: Samples, voiced: npt.NDArray[np.bool_]) -> list[Measured]:
        """Takes int16 frames (n, frame length) from position ``start`` on and which of them are voiced."""
        out: list[Measured] = []
        index, done = start // self._frame_len, 0
        if index > self._next:
            out += self._pass(index)
        while done < len(frames):
            part = slice(done, done + FRAMES_A_SECOND - self._next % FRAMES_A_SECOND)
            if voiced[part].any():
                rows = np.flatnonzero(voiced[part])
                self._heard.append((rows + self._next % FRAMES_A_SECOND, frames[part][rows]))
            done += len(voiced[part])
            out += self._pass(index + done)
        return out

    def flush(self, end: int) -> list[Measured]:
        """The audio is over at ``end``: the second that has begun is told."""
        out = self._pass(end // self._frame_len)
        return out + self._tell(end)

    def _pass(self, index: int) -> list[Measured]:
        """Frames up to number ``index`` have been taken in; whole seconds are told."""
        out: list[Measured] = []
        while (border := (self._next // FRAMES_A_SECOND + 1) * FRAMES_A_SECOND) <= index:
            out += self._tell(border * self._frame_len)
            self._next = border
            if not self._recent:
                self._next = index // FRAMES_A_SECOND * FRAMES_A_SECOND
        self._next = index
        return out

    def _short_terms(self, rows: npt.NDArray[np.intp], power: Floats) -> list[float]:
        """The levels of the windows of 400 ms that end in this second and are voiced for a good part."""
        line = np.full(_SHORT_TERM + FRAMES_A_SECOND, -1.0)
        if self._recent:
            line[:_SHORT_TERM] = self._recent
        line[_SHORT_TERM + rows] = power
        self._recent = line[-_SHORT_TERM:].tolist() if len(rows) and rows[-1] >= FRAMES_A_SECOND - _SHORT_TERM else []
        found = []
        for end in range(_SHORT_TERM + _EVERY, len(line) + 1, _EVERY):
            powers = [p for p in line[end - _SHORT_TERM : end].tolist() if p >= 0]
            if len(powers) >= _SHORT_TERM // 2:
                found.append(sum(powers) / len(powers))
        return found

    def _tell(self, end: int) -> list[Measured]:
        """The second that ends at ``end`` is over."""
        if not self._heard:
            self._recent = []
            return []
        rows = np.concatenate([rows for rows, _ in self._heard])
        heard = np.concatenate([frames for _, frames in self._heard])
        self._heard = []
        wide = heard.astype(np.float64)
        values = self._short_terms(rows, (wide * wide).sum(axis=1) / self._frame_len)
        if not values:
            return []
        level = to_db(sorted(values)[len(values) // 2])
        found = {"level": level}
        if (baseline := self.baseline) is not None:
            found["level_relative"] = level - baseline
        found["clipping"] = float(((heard >= CLIPPED) | (heard <= -CLIPPED)).mean())
        spectrum = np.fft.rfft(wide * self._window)
        power = (spectrum.real * spectrum.real + spectrum.imag * spectrum.imag) * self._weights
        found["loudness"] = -0.691 + to_db(float(power.sum()) / len(heard))
        self._remember(level)
        start = (end - 1) // self._rate * self._rate
        quality = Quality.INFERRED if self._channel is Channel.MIXED else Quality.EXACT
        return [Measured(name, self._channel, start, end, value, end, quality) for name, value in found.items()]

    def _remember(self, level: float) -> None:
        if len(self._history) == _BASELINE_MOST:
            del self._sorted[bisect_left(self._sorted, self._history[0])]
        self._history.append(level)
        insort(self._sorted, level)
