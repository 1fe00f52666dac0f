"""The stretches of a call in which a rule looks at all (`during`)."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.desk import Desk
from monitor.core.rulebook import MEASURES, During, Happening, Occurrence
from monitor.core.types import Channel

SLACK_SECONDS = 0.3
"""Times of words are known to about this; a sequence is not broken by less."""

_SLIDING = frozenset({"pace", "pace_acoustic"})
"""Measures over so many seconds past; half of them must lie in the window."""

_AT_THEIR_END = frozenset({Happening.SPEECH_END, Happening.TURN_END, Happening.HOLD_END, Happening.MUSIC_END})


@dataclass(slots=True)
class _Stretch:
    start: int
    end: int | None
    """None while only ``until`` will end it."""


class Windows:
    """Opens with ``after``, closes with ``until`` or when its seconds are over. A thing belongs to the window in which
    it begins. A second ``after`` while a window is open makes it last longer."""

    def __init__(self, during: During, desk: Desk, sure: float) -> None:
        self.during = during
        self.names = frozenset(during.after.names) | frozenset(during.until.names if during.until else ())
        self.unsure = ""
        """Why an ``after`` opened nothing: who spoke, or whether it was said at all, was not certain."""
        self._desk = desk
        self._sure = sure
        self._slack = desk.samples(SLACK_SECONDS)
        self._stretches: list[_Stretch] = []

    @property
    def opened(self) -> bool:
        """Whether there was a window in this call."""
        return bool(self._stretches)

    def of(self, seen: Occurrence) -> int:
        """Which window an occurrence belongs to, counted from 1; 0 for none."""
        return self.number(place(seen))

    def number(self, position: int) -> int:
        """Which window ``position`` lies in, counted from 1; 0 outside all of them."""
        for index in range(len(self._stretches) - 1, -1, -1):
            stretch = self._stretches[index]
            if stretch.start - self._slack <= position and (stretch.end is None or position <= stretch.end):
                return index + 1
        return 0

    def spans(self, end: int) -> list[tuple[int, int]]:
        """All windows up to now, the open one until ``end``."""
        return [(s.start, end if s.end is None else min(s.end, end)) for s in self._stretches if s.start <= end]

    def inside(self, start: int, end: int) -> int:
        """How many samples of ``start``..``end`` lie in windows."""
        return sum(max(0, min(high, end) - max(low, start)) for low, high in self.spans(end))

    def doubtful(self, end: int, channel: Channel | None, *, words: bool) -> str:
        """Why what happened in the windows cannot be judged; empty when it can."""
        found = (self._desk.doubtful(low, high, channel, words=words) for low, high in self.spans(end))
        return next((reason for reason in found if reason), "")

    def see(self, seen: Occurrence) -> int | None:
        """Take an occurrence. Where it opens a window (or makes one last longer), the first position for which that
        makes a difference: what began there may have been seen already."""
        until, after = self.during.until, self.during.after
        if until is not None and until.matches(seen) and not seen.faint:
            self._close(_moment(seen))
        if not after.matches(seen):
            return None
        if seen.score < self._sure or (self._desk.mixed and after.by is not None):
            self.unsure = "mixed_channel" if self._desk.mixed else "low_confidence"
            return None
        return self._open(seen.end)

    def _open(self, start: int) -> int | None:
        seconds = self.during.seconds
        end = None if seconds is None else start + self._desk.samples(seconds)
        last = self._stretches[-1] if self._stretches else None
        if last is None or (last.end is not None and last.end < start):
            self._stretches.append(_Stretch(start, end))
            return start - self._slack if last is None or last.end is None else max(start - self._slack, last.end + 1)
        if last.end is None or (end is not None and end <= last.end):
            return None
        before, last.end = last.end, end
        return before + 1

    def _close(self, at: int) -> None:
        last = self._stretches[-1] if self._stretches else None
        if last and at >= last.start and (last.end is None or at < last.end):
            last.end = at


def place(seen: Occurrence) -> int:
    """Where something belongs: where it begins; a sliding measure in its middle."""
    return (seen.start + seen.end) // 2 if seen.name in _SLIDING else seen.start


def _moment(seen: Occurrence) -> int:
    """When something that lasts takes place: what is known by its end, at its end."""
    ends = seen.name in _AT_THEIR_END or seen.name.startswith("stop:") or seen.name in MEASURES
    return seen.end if ends else seen.start
