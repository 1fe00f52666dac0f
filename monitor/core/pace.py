"""Counted pace: characters over the time of a party's turns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from monitor.core.derive import Context, Deriver
from monitor.core.fold import fold
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel


@dataclass(slots=True)
class _Span:
    """A stretch of turn time: ``axis`` is where it begins on the speaker's own axis, pauses up to 1 s included."""

    start: int
    end: int
    axis: int


class Pace(Deriver):
    """Counted pace: characters over the time of the speaker's turns.

    Live over the last 10 s of turn time (needing 4 s and 12 characters), once a second of turn time; per turn,
    and its change against the turns before; and over the call. Han characters count one, digits and Latin letters as
    they are spoken.
    """

    WINDOW = 10.0
    LEAST_SECONDS = 4.0
    LEAST_CHARACTERS = 12
    LEAST_IN_TURN = 6

    def __init__(self, context: Context, channel: Channel, pause: float) -> None:
        super().__init__(context)
        self._channel = channel
        self._pause = context.samples(pause)
        self._spans: deque[_Span] = deque()
        self._axis = 0
        self._next = context.samples(self.LEAST_SECONDS)
        self._characters: deque[int] = deque()  # places on the axis
        self._in_turn = 0
        self._unheard = 0  # samples of the turn's speech whose words are not known
        self._total = 0
        self._before = (0, 0)  # characters and turn time of the turns before this one

    def see(self, seen: Occurrence) -> None:
        if seen.by is not self._channel:
            return
        if seen.name == Happening.WORDS:
            self._unheard -= seen.end - seen.start
            self._extend(seen)
            self._live()
        elif seen.name == Happening.SPEECH_END:
            self._unheard += seen.end - seen.start
        elif seen.name == Happening.TURN_END:
            self._turn(seen)

    def _extend(self, heard: Occurrence) -> None:
        last = self._spans[-1] if self._spans else None
        if last and heard.start - last.end <= self._pause:
            axis = last.axis + heard.start - last.start
        else:
            axis = self._axis
        self._spans.append(_Span(heard.start, heard.end, axis))
        self._axis = axis + heard.end - heard.start
        for word in heard.words:
            # The recogniser may put a word a little outside the speech that it belongs to.
            at = min(max((word.start + word.end) // 2, heard.start), heard.end - 1)
            count = len(fold(word.text))
            self._characters.extend([axis + at - heard.start] * count)
            self._in_turn += count
            self._total += count

    def _live(self) -> None:
        window = self.c.samples(self.WINDOW)
        while self._next <= self._axis:
            low = max(0, self._next - window)
            while self._characters and self._characters[0] < low:
                self._characters.popleft()
            count = sum(1 for a in self._characters if a < self._next)
            length = self._next - low
            if count >= self.LEAST_CHARACTERS:
                value = count / self.c.seconds(length) * 60
                self.measured("pace", self._channel, self._position(low), self._position(self._next), value)
            self._next += self.c.rate
        horizon = self._axis - 2 * window
        while len(self._spans) > 1 and self._spans[1].axis < horizon:
            self._spans.popleft()

    def _position(self, axis: int) -> int:
        """The place in the call of a place on the axis of turn time."""
        span = next(s for s in reversed(self._spans) if s.axis <= axis)
        return span.start + axis - span.axis

    def _turn(self, seen: Occurrence) -> None:
        count, self._in_turn = self._in_turn, 0
        unheard, self._unheard = self._unheard, 0
        if count >= self.LEAST_IN_TURN and seen.end > seen.start and unheard <= 0:
            value = count / self.c.seconds(seen.end - seen.start) * 60
            self.measured("turn_pace", self._channel, seen.start, seen.end, value)
            self._change(seen, count)
        self._before = (self._total, self._axis)

    def _change(self, seen: Occurrence, count: int) -> None:
        """How much faster the turn was than the turns before it: 0.1 is a tenth faster, -0.1 a tenth slower."""
        characters, time = self._before
        length = self._axis - time
        if characters >= self.LEAST_CHARACTERS and time >= self.c.samples(self.LEAST_SECONDS) and length > 0:
            value = (count * time) / (length * characters) - 1
            self.measured("pace_change", self._channel, seen.start, seen.end, value)

    def close(self, end: int) -> None:
        seconds = self.c.seconds(self._axis)
        if seconds >= self.LEAST_SECONDS and self._total >= self.LEAST_CHARACTERS:
            self.measured("call_pace", self._channel, 0, end, self._total / seconds * 60)
