"""Turns of one party, and what happens between two: overlap, barge-in, the level from turn to turn."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.derive import Context, Deriver
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel, Overlap, TurnEnded

TURN_PAUSE_SECONDS = 1.0
"""A turn is speech with inner pauses up to this."""

HAD_SPOKEN_SECONDS = 0.5
OVERLAP_SECONDS = 0.8
YIELD_SECONDS = 1.0
"""An interruption: the other had spoken so long, both then spoke at once for so long, and within so much more the
other fell silent."""


@dataclass(slots=True)
class _Party:
    speaking_since: int | None = None
    last_end: int = 0
    turn_start: int | None = None
    spoken: int = 0
    clock: Occurrence | None = None


class Turns(Deriver):
    """Joins speech of each party into turns."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._parties: dict[Channel, _Party] = {}

    def see(self, seen: Occurrence) -> None:
        if seen.by is None:
            return
        if seen.name == Happening.SPEECH_START:
            party = self._parties.setdefault(seen.by, _Party())
            party.speaking_since = seen.start
            if party.turn_start is None:
                party.turn_start = seen.start
                party.clock = self.clock_start("turn", seen.by, seen.start)
        elif seen.name == Happening.SPEECH_END:
            party = self._parties[seen.by]
            party.speaking_since = None
            party.last_end = seen.end
            party.spoken += seen.end - seen.start
            by = seen.by
            at = seen.end + self.c.samples(TURN_PAUSE_SECONDS)
            self.c.stream.wake(at, "turns", lambda _, end=seen.end: self._pause(by, end))  # type: ignore[misc]

    def _pause(self, by: Channel, end: int) -> None:
        party = self._parties[by]
        if party.speaking_since is None and party.last_end == end:
            self._finish(by, party)

    def _finish(self, by: Channel, party: _Party) -> None:
        start, end, clock = party.turn_start, party.last_end, party.clock
        if start is None or clock is None:
            return
        now = self.c.stream.position
        self.c.say(TurnEnded(by, start, end, party.spoken, now))
        party.turn_start = None
        party.spoken = 0
        value = self.c.seconds(end - start)
        self.c.emit(Occurrence("stop:turn", by, start, end, now, value))
        self.c.emit(Occurrence(Happening.TURN_END, by, start, end, now, value))

    def close(self, end: int) -> None:
        for by, party in self._parties.items():
            self._finish(by, party)


class Overlaps(Deriver):
    """Finds where both speak, and the overlaps that look like one cutting the other off.

    Needs both parties on channels of their own; on a mixed channel it says nothing.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._since: dict[Channel, int] = {}
        self._open: tuple[Channel, int, int] | None = None  # who came second, when, since when the other spoke

    def see(self, seen: Occurrence) -> None:
        if seen.by is None or self.c.mixed:
            return
        if seen.name == Happening.SPEECH_START:
            for start in self._since.values():
                self._open = (seen.by, max(seen.start, start), start)
            self._since[seen.by] = seen.start
        elif seen.name == Happening.SPEECH_END:
            self._since.pop(seen.by, None)
            if self._open:
                self._close(seen)

    def _close(self, ended: Occurrence) -> None:
        assert self._open is not None
        by, start, other_since = self._open
        self._open = None
        if ended.end <= start:
            return  # the end was known only after the other had begun: they did not overlap
        length = ended.end - start
        s = self.c.samples
        went_on = by in self._since
        yielded = went_on and length <= s(OVERLAP_SECONDS + YIELD_SECONDS)
        self.c.say(Overlap(by, start, ended.end, other_since, yielded, self.c.stream.position))
        self.measured("overlap", by, start, ended.end, self.c.seconds(length))
        now = self.c.stream.position
        seconds = self.c.seconds(length)
        self.c.emit(Occurrence(Happening.OVERLAP, by, start, ended.end, now, seconds))
        if yielded and length >= s(OVERLAP_SECONDS) and start - other_since >= s(HAD_SPOKEN_SECONDS):
            self.c.emit(Occurrence(Happening.BARGE_IN, by, start, ended.end, now, seconds))


class TurnLevels(Deriver):
    """The level of each turn (mean of its per-second levels, dBFS) and its change against the turn before."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._values: dict[Channel, list[float]] = {}
        self._before: dict[Channel, float] = {}

    def see(self, seen: Occurrence) -> None:
        if seen.by is None:
            return
        if seen.name == "level":
            self._values.setdefault(seen.by, []).append(seen.value)
        elif seen.name == Happening.TURN_END:
            values = self._values.pop(seen.by, [])
            if not values:
                return
            mean = sum(values) / len(values)
            self.measured("turn_level", seen.by, seen.start, seen.end, mean)
            before = self._before.get(seen.by)
            if before is not None:
                self.measured("level_change", seen.by, seen.start, seen.end, mean - before)
            self._before[seen.by] = mean
