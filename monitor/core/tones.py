"""Sounds of the line: bursts of ring-back tone, the digits of a telephone's keys, and whatever else is no voice.

The first two are pure tones, so windows of 20 ms every 10 ms are compared with a few sines. The sines are integer
tables: sums of products are exact, whatever the number of windows, and so is every decision.

Frequencies: ring-back 450 Hz in China (GB/T 3380), 440 to 480 Hz elsewhere; keys by ITU-T Q.23, accepted as in Q.24.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.core.types import Channel, Samples, ToneHeard, ToneKind

_RATE: Final = 8000
_WINDOW: Final = 160
_HOP: Final = 80
_ROWS: Final = (697, 770, 852, 941)
_COLUMNS: Final = (1209, 1336, 1477, 1633)
_KEYS: Final = ("123A", "456B", "789C", "*0#D")
_RING: Final = 460
_SCALE: Final = 2047


def _table() -> npt.NDArray[np.float64]:
    n = np.arange(_WINDOW)
    columns = []
    for frequency in (*_ROWS, *_COLUMNS, _RING):
        phase = 2 * np.pi * frequency * n / _RATE
        columns += [np.round(_SCALE * np.cos(phase)), np.round(-_SCALE * np.sin(phase))]
    return np.stack(columns, axis=1)


_TABLE: Final = _table()
_HALVES: Final = np.ascontiguousarray(np.concatenate((_TABLE[:_HOP], _TABLE[_HOP:]), axis=1))
"""Both halves of a window side by side: each half frame is multiplied once and serves two windows."""
_NOTES: Final = 3
_RING_SHARE: Final = 0.45
_KEY_SHARE: Final = 0.5
_TO_SHARE: Final = 2.0 / _WINDOW / _SCALE**2  # |sum|^2 times this, over the energy, is the share of one sine


@dataclass(frozen=True, slots=True)
class ToneSettings:
    """Seconds, unless said otherwise."""

    ring_min: float = 0.3
    """A shorter burst of ring-back tone is no ring."""
    ring_sure: float = 0.8
    """A burst of this length is a ring when it ends; a shorter one (busy tone is 0.35) when ``ring_gap`` follows."""
    ring_max: float = 3.5
    """A longer one is a dialling tone."""
    ring_gap: float = 1.0
    key_pure: float = 0.03
    """The sines of a key, with nearly nothing beside them, must be seen for so long; ITU-T Q.24 demands that keys of
    40 ms are understood."""
    key_min: float = 0.07
    """A key that is out of tune, or in noise, must be seen for so long."""
    gate: float = 1000.0
    """Mean square of the quietest tone."""


class Tones:
    """Finds ring-back bursts and keys in one channel at 8000 samples a second."""

    def __init__(self, channel: Channel, rate: int, settings: ToneSettings | None = None) -> None:
        self._settings = settings or ToneSettings()
        self._channel = channel
        self._scale = rate // _RATE
        self._tail = np.zeros(_HOP, np.int16)
        self._least = _WINDOW * self._settings.gate
        self._ring = _Ring(self._settings)
        self._key = _Key(self._settings)

    def feed(self, index: int, frames: Samples, loud: npt.NDArray[np.bool_]) -> tuple[list[ToneHeard], list[bool]]:
        """Takes the frames from number ``index`` on, int16 (n, 160); only ``loud`` ones are looked at.

        Returns the tones that ended and, for each frame, whether a tone was sounding.
        """
        count = len(frames)
        flat = np.concatenate((self._tail, frames.reshape(-1)))
        self._tail = flat[-_HOP:]
        busy = self._ring.busy or self._key.busy
        if not (busy or loud.any()):
            self._ring.before = 0.0
            return [], [False] * count
        wide = flat.astype(np.float64)
        cut = wide.reshape(-1, _HOP)
        halves = np.einsum("ij,ij->i", cut, cut)
        energy = halves[:-1] + halves[1:]
        hops = cut @ _HALVES
        width = _TABLE.shape[1]
        sums = hops[:-1, :width] + hops[1:, width:]
        squares = sums * sums
        share = (squares[:, 0::2] + squares[:, 1::2]) * (_TO_SHARE / np.maximum(energy, self._least))[:, None]
        if not busy and share.max() < _KEY_SHARE / 2:
            self._ring.before = float(energy[-1])
            return [], [False] * count
        if not busy:
            pairs = share[:, :4].max(axis=1) + share[:, 4:8].max(axis=1)
            if not (share[:, 8].max() > _RING_SHARE or pairs.max() >= _KEY_SHARE):
                self._ring.before = float(energy[-1])
                return [], [False] * count
        return self._walk(index, share, sums, energy)

    def skip(self) -> None:
        """Audio was lost: what sounded is over."""
        self._tail = np.zeros(_HOP, np.int16)
        self._ring = _Ring(self._settings)
        self._key = _Key(self._settings)

    def _walk(
        self,
        index: int,
        share: npt.NDArray[np.float64],
        sums: npt.NDArray[np.float64],
        energy: npt.NDArray[np.float64],
    ) -> tuple[list[ToneHeard], list[bool]]:
        events: list[ToneHeard] = []
        tonal: list[bool] = []
        shares, energies = share.tolist(), energy.tolist()
        turns = sums[:, 16:18].tolist()
        first = index * 2 - 1  # windows are counted in hops; this one begins half a frame before the first frame
        for i, row in enumerate(shares):
            hop = first + i
            real, imag = turns[i]
            ring = self._ring.step(hop, row[8], real, imag, energies[i])
            if ring is not None:
                events.append(self._event(ToneKind.RINGBACK, *ring, hop))
            key = self._key.step(hop, row)
            if key is not None:
                events.append(self._event(ToneKind.DTMF, key[0], key[1], hop, key[2]))
            if i % 2:
                tonal.append(self._ring.sounding or self._key.sounding)
        return events, tonal

    def _event(self, kind: ToneKind, start: int, end: int, hop: int, digit: str | None = None) -> ToneHeard:
        hop_len = _HOP * self._scale
        known = -(-(hop + 2) // 2) * 2 * hop_len  # at the end of the frame that holds the window's end
        return ToneHeard(self._channel, kind, max(0, start) * hop_len, end * hop_len, known, digit)


class _Ring:
    """Follows one sine near 450 Hz from window to window; its phase tells its frequency to a fraction of 1 Hz."""

    _TURN: Final = 2 * math.pi * _RING * _HOP / _RATE

    def __init__(self, settings: ToneSettings) -> None:
        self._least = round(settings.ring_min * 100)
        self._sure = round(settings.ring_sure * 100)
        self._most = round(settings.ring_max * 100)
        self._gap = round(settings.ring_gap * 100)
        self._start = -1  # hop at which the present burst began
        self._end = -1  # hop after its last window
        self._phase = 0.0
        self._frequency = 0.0
        self._own = 0.0
        self._energy = 0.0
        self.before = 0.0  # energy of the last window
        self._closed = True
        self.busy = False
        """Something is being followed."""
        self.sounding = False
        """The tone has lasted long enough to be no voice."""

    def step(self, hop: int, share: float, real: float, imag: float, energy: float) -> tuple[int, int] | None:
        """The next window. Returns (start, end) in hops when a ring is certain."""
        steady = share > _RING_SHARE and self._follows(real, imag, hop)
        before, self.before = self.before, energy
        if steady:
            if not self.busy or self._closed:  # a short burst soon followed by another does not count
                self._start, self._closed, self.busy = hop, False, True
                self._energy = max(energy, before)
            self._end = hop + 2
            self._energy = max(self._energy, energy)
            self.sounding = hop + 2 - self._start >= 20
            return None
        if not self.busy:
            return None
        return self._quiet(hop, energy)

    def _follows(self, real: float, imag: float, hop: int) -> bool:
        phase = math.atan2(imag, real)
        turned = (phase - self._phase - self._TURN + math.pi) % (2 * math.pi) - math.pi
        self._phase = phase
        frequency = _RING + turned * _RATE / _HOP / (2 * math.pi)
        close = abs(frequency - self._frequency) < 5.0
        self._frequency = frequency
        if not self.busy or self._closed or hop - self._start < 5:
            self._own = frequency
        return close and 435 <= frequency <= 485 and abs(frequency - self._own) < 7.0  # a voice would glide

    def _quiet(self, hop: int, energy: float) -> tuple[int, int] | None:
        since = hop - self._end
        length = self._end - self._start
        if since < 3:
            return None
        self.sounding = False
        if energy > self._energy * 0.1 and since < 10:
            self._forget()  # it went over into something else: a note, a voice
            return None
        if not self._least <= length <= self._most:
            self._forget()
            return None
        if since >= (10 if length >= self._sure else self._gap):
            start, end = self._start, self._end
            self._forget()
            return start - 1, end
        self._closed = True
        return None

    def _forget(self) -> None:
        self.busy = self.sounding = False
        self._closed = True


class _Key:
    """Follows the two sines of a key."""

    def __init__(self, settings: ToneSettings) -> None:
        self._pure = round(settings.key_pure * 100) - 1
        self._least = round(settings.key_min * 100)
        self._digit = ""
        self._start = 0
        self._end = 0
        self._strong = 0
        self.busy = False
        self.sounding = False

    def step(self, hop: int, share: list[float]) -> tuple[int, int, str] | None:
        """The next window. Returns (start, end, digit) when a key was let go."""
        digit, strong = _digit(share)
        done = None
        if not digit or digit != self._digit:
            done = (self._start, self._end, self._digit) if self.sounding else None
            self._digit, self._start, self._strong = digit, hop, 0
            self.busy, self.sounding = bool(digit), False
        self._end = hop + 2
        self._strong += strong
        if digit:
            self.sounding = self._strong >= self._pure or self._end - self._start >= self._least
        return done


def _digit(share: list[float]) -> tuple[str, bool]:
    """The key whose two sines make up most of the window, or nothing; and whether there is nearly nothing else."""
    rows, columns = share[:4], share[4:8]
    row, column = max(rows), max(columns)
    if row + column < _KEY_SHARE or row < 0.05 or column < 0.05:
        return "", False
    if sorted(rows)[2] > row * 0.2 or sorted(columns)[2] > column * 0.2:
        return "", False
    return _KEYS[rows.index(row)][columns.index(column)], row + column > 0.75


class Foreign:
    """Keeps account of sound that is nobody's voice. Positions are frame numbers."""

    def __init__(self, least: int, pause: int, memory: int) -> None:
        self._least = least  # it is told when it lasts so long
        self._pause = pause  # it is over when it stopped for so long
        self._memory = memory  # and lies long ago after that
        self._start = -1
        self._last = -(10**9)
        self._heard = 0
        self._bursts = 0
        self._told = False

    def lately(self, frame: int) -> bool:
        """Music long enough to be told, or several notes, were heard not long ago."""
        return (self._heard >= self._least or self._bursts >= _NOTES) and frame - self._last < self._memory

    @property
    def pending(self) -> bool:
        """Something sounds, or sounded a moment ago."""
        return self._start >= 0

    def burst(self, start: int, last: int) -> None:
        """A sound from ``start`` to ``last`` was no voice."""
        if self._start < 0:
            self._start = start
            if start - self._last >= self._memory:
                self._heard = self._bursts = 0
            self._bursts += 1
        self._heard += max(0, last - max(start, self._last))
        self._last = max(last, self._last)

    def step(self, frame: int, foreign: bool, speech: bool) -> tuple[int, int, bool] | None:
        """The next frame. Returns (start, end, ongoing) when there is something to tell."""
        if foreign:
            self.burst(frame, frame)
            self._heard += 1
        if self._start < 0:
            return None
        if speech or frame - self._last > self._pause:
            return self.stop()
        long = self._last - self._start >= self._least
        if long and not self._told and self._heard >= self._least // 2:
            self._told = True
            return self._start, frame + 1, True
        return None

    def stop(self) -> tuple[int, int, bool] | None:
        """It is over."""
        told = (self._start, self._last + 1, False) if self._told else None
        self._start, self._told = -1, False
        return told
