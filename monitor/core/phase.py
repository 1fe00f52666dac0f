"""Where a call stands: ringing, talking, over. From signals where there are any, else from what is heard."""

from __future__ import annotations

from math import floor

from monitor.core.derive import Context, Deriver
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel, Phase, PhaseChanged, Quality

RING_SECONDS = 5.0
"""A Chinese ring: 1 s of tone, 4 s of silence (YD/T 1103)."""

ANSWERED_SILENTLY_SECONDS = 6.0
"""With no signal, no tone and no voice for so long, the call was connected from its beginning; a ring-back tone
would have been heard by then."""


class Phases(Deriver):
    """Ringing, answered, ended; with the clocks that hang on them: answer and greeting latency, duration.

    When telephony sends no signals, a ring-back tone means ringing and the first voice after it the answer (the
    greeting latency is then unknown); without a tone the call is taken as answered at its beginning.
    """

    def __init__(self, context: Context, *, signalled: bool) -> None:
        super().__init__(context)
        self._signalled = signalled
        self.answered: int | None = None
        self.ended: int | None = None
        self._ringing: int | None = None
        self._rings = 0
        self._rung_until = 0
        self._answering: Occurrence | None = None
        self._greeting: Occurrence | None = None
        self._duration: Occurrence | None = None
        if not signalled:
            context.stream.wake(context.samples(ANSWERED_SILENTLY_SECONDS), "phase", lambda _: self._silent())

    def see(self, seen: Occurrence) -> None:
        match seen.name:
            case "signal:ringing":
                self._signalled = True
                self._ring(seen.start, inferred=False)
            case "signal:answered":
                self._signalled = True
                self._answer(seen.start, seen.start, inferred=False)
            case "signal:hangup":
                self._end(seen.start, seen.by)
            case Happening.RING:
                if seen.start >= self._rung_until:  # heard on both channels, it still rang once
                    self._rings += 1
                self._rung_until = max(self._rung_until, seen.end)
                if not self._signalled and self.answered is None and self._ringing is None:
                    self._ring(seen.start, inferred=True)
            case Happening.SPEECH_START:
                self._speech(seen)

    def _speech(self, seen: Occurrence) -> None:
        if self.answered is None and not self._signalled:
            at = seen.start if self._ringing is not None else 0
            self._answer(at, seen.start, inferred=True)
        if self._greeting and seen.by in (Channel.AGENT, Channel.MIXED):
            started, self._greeting = self._greeting, None
            known = not self.c.mixed
            inferred = Quality.INFERRED if not self._signalled else Quality.EXACT
            self.clock_stop(started, seen.start, quality=inferred if known else Quality.UNKNOWN)

    def _silent(self) -> None:
        if self.answered is None and not self._signalled and self._ringing is None and self.ended is None:
            self._answer(0, self.c.stream.position, inferred=True)

    def _ring(self, at: int, *, inferred: bool) -> None:
        if self._ringing is not None or self.answered is not None:
            return
        self._ringing = at
        self._change(Phase.RINGING, at, inferred=inferred)
        now = self.c.stream.position
        self.c.emit(Occurrence(Happening.RINGING, None, at, at, now))
        self._answering = self.clock_start("answer_latency", None, at)

    def _answer(self, at: int, known: int, *, inferred: bool) -> None:
        if self.answered is not None or self.ended is not None:
            return
        self.answered = at
        quality = Quality.INFERRED if inferred else Quality.EXACT
        self._change(Phase.TALKING, at, inferred=inferred)
        if self._answering and self._ringing is not None:
            started, self._answering = self._answering, None
            self.clock_stop(started, at, quality=quality)
            rings = self._rings or floor(self.c.seconds(at - self._ringing) / RING_SECONDS) + 1
            exact = quality if self._rings else Quality.INFERRED
            self.measured("rings", None, self._ringing, at, float(rings), exact)
        answered = Occurrence(Happening.ANSWERED, None, at, at, self.c.stream.position, quality=quality)
        self.c.emit(answered)
        self._duration = self.clock_start("duration", None, at)
        if not (inferred and self._ringing is not None):
            by = Channel.MIXED if self.c.mixed else Channel.AGENT
            self._greeting = self.clock_start("greeting_latency", by, at)

    def _end(self, at: int, by: Channel | None) -> None:
        if self.ended is not None:
            return
        self.ended = at
        now = self.c.stream.position
        if self._duration:
            self.clock_stop(self._duration, at)
        for clock in (self._greeting, self._answering):
            if clock:
                self.clock_stop(clock, at, quality=Quality.UNKNOWN)
        self._greeting = self._answering = None
        self.c.say(PhaseChanged(Phase.ENDED, at, now, by=by))
        if by is not None:
            self.c.emit(Occurrence(Happening.HANGUP, by, at, at, now))
        self.c.emit(Occurrence(Happening.ENDED, by, at, at, now))

    def _change(self, phase: Phase, at: int, *, inferred: bool) -> None:
        self.c.say(PhaseChanged(phase, at, self.c.stream.position, inferred))

    def close(self, end: int) -> None:
        self._end(end, None)
