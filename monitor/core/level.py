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
        self._last: deque[float] = deque([-1.0] * _SHORT_TERM, maxlen=_SHORT_TERM)  # -1 where not voiced
        self._next = 0
        self._quiet = _SHORT_TERM  # frames since the last voiced one
        self._clear()

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
        index = start // self._frame_len
        if index > self._next:
            out += self._pass(index)
        if not voiced.any():
            return out + self._pass(index + len(frames))
        rows = np.flatnonzero(voiced)
        heard = frames[rows]
        wide = heard.astype(np.float64)
        power = ((wide * wide).sum(axis=1) / self._frame_len).tolist()
        spectrum = np.fft.rfft(wide * self._window)
        weighted = ((spectrum.real**2 + spectrum.imag**2) * self._weights).sum(axis=1).tolist()
        clipped = ((heard >= CLIPPED) | (heard <= -CLIPPED)).sum(axis=1).tolist()
        for row, level, loud, full in zip((index + rows).tolist(), power, weighted, clipped, strict=True):
            out += self._pass(row)
            self._weighted += loud
            self._clipped += full
            self._count += 1
            self._quiet = 0
            out += self._step(level)
        return out + self._pass(index + len(frames))

    def flush(self, end: int) -> list[Measured]:
        """The audio is over at ``end``: the second that has begun is told."""
        out = self._pass(end // self._frame_len)
        return out + self._tell(end)

    def _clear(self) -> None:
        self._values: list[float] = []
        self._weighted = 0.0
        self._clipped = 0
        self._count = 0

    def _pass(self, index: int) -> list[Measured]:
        """Frames up to number ``index`` are not voiced."""
        out: list[Measured] = []
        while self._next < index and (self._quiet < _SHORT_TERM or self._count):
            self._quiet += 1
            out += self._step(-1.0)
        self._next = max(self._next, index)
        return out

    def _step(self, level: float) -> list[Measured]:
        self._last.append(level)
        self._next += 1
        if self._next % _EVERY == 0:
            powers = [p for p in self._last if p >= 0]
            if len(powers) >= _SHORT_TERM // 2:
                self._values.append(sum(powers) / len(powers))
        if self._next % FRAMES_A_SECOND == 0:
            return self._tell(self._next * self._frame_len)
        return []

    def _tell(self, end: int) -> list[Measured]:
        """The second that ends at ``end`` is over."""
        out: list[Measured] = []
        if self._values and self._count:
            start = (end - 1) // self._rate * self._rate
            level = to_db(sorted(self._values)[len(self._values) // 2])
            values = {"level": level}
            if (baseline := self.baseline) is not None:
                values["level_relative"] = level - baseline
            values["clipping"] = self._clipped / (self._count * self._frame_len)
            values["loudness"] = -0.691 + to_db(self._weighted / self._count)
            self._remember(level)
            for name, value in values.items():
                quality = Quality.INFERRED if self._channel is Channel.MIXED else Quality.EXACT
                out.append(Measured(name, self._channel, start, end, value, end, quality))
        self._clear()
        return out

    def _remember(self, level: float) -> None:
        if len(self._history) == _BASELINE_MOST:
            del self._sorted[bisect_left(self._sorted, self._history[0])]
        self._history.append(level)
        insort(self._sorted, level)
