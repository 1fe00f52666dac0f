"""Dead air and response latency: silences that somebody has to answer for."""

from __future__ import annotations

from monitor.core.derive import Context, Deriver
from monitor.core.hold import Holds
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel, Quality

ANSWERABLE_SECONDS = 0.8
"""A customer's turn shorter than this asks for no answer."""

SHORTEST_DEAD_AIR_SECONDS = 1.0
"""Shorter silences are pauses between turns."""

NON_TALK_SECONDS = 3.0


class Silences(Deriver):
    """Dead air and response latency: who is silent, since when, and whether there is a reason.

    Dead air begins when the longer-lasting side stops; it is counted once the customer has spoken, outside holds,
    not after a farewell. Response latency runs from the end of a customer's turn to the agent's next word.
    """

    def __init__(self, context: Context, holds: Holds, farewell: frozenset[str]) -> None:
        super().__init__(context)
        self._holds = holds
        self._farewell = frozenset(f"say:{name}" for name in farewell)
        self._speaking: set[Channel] = set()
        self._last_end = 0
        self._customer_spoke = False
        self._said_farewell = False
        self._over = False
        self._agent_start = -1
        self._dead: Occurrence | None = None
        self._response: Occurrence | None = None
        self._non_talk = 0.0

    def see(self, seen: Occurrence) -> None:
        match seen.name:
            case Happening.SPEECH_START:
                self._start(seen)
            case Happening.SPEECH_END:
                self._end(seen)
            case Happening.TURN_END:
                self._turn(seen)
            case Happening.HOLD_START | Happening.ENDED:
                self._over = self._over or seen.name == Happening.ENDED
                self._call_off(seen.start)
            case Happening.HOLD_END:
                if seen.value > NON_TALK_SECONDS:
                    self._non_talk += seen.value
                self._last_end = max(self._last_end, seen.end)
                self._maybe_dead()
            case _:
                if seen.name in self._farewell and not seen.faint and seen.by in (Channel.AGENT, Channel.MIXED):
                    self._said_farewell = True

    def _start(self, seen: Occurrence) -> None:
        assert seen.by is not None
        self._speaking.add(seen.by)
        self._customer_spoke |= seen.by in (Channel.CUSTOMER, Channel.MIXED)
        if self._dead:
            started, self._dead = self._dead, None
            long = seen.start - started.start >= self.c.samples(SHORTEST_DEAD_AIR_SECONDS)
            self.clock_stop(started, seen.start, quality=Quality.EXACT if long else Quality.UNKNOWN)
            seconds = self.c.seconds(seen.start - started.start)
            self._non_talk += seconds if seconds > NON_TALK_SECONDS else 0.0
        if seen.by is Channel.AGENT:
            self._agent_start = seen.start
            self._said_farewell = False
        if self._response:
            quality = Quality.EXACT if seen.by is Channel.AGENT else Quality.UNKNOWN
            started, self._response = self._response, None
            self.clock_stop(started, max(seen.start, started.start), quality=quality)

    def _end(self, seen: Occurrence) -> None:
        assert seen.by is not None
        self._speaking.discard(seen.by)
        self._last_end = max(self._last_end, seen.end)
        self._maybe_dead()

    def _maybe_dead(self) -> None:
        explained = self._holds.away or self._said_farewell or self._over
        if not self._speaking and self._customer_spoke and not explained and not self._dead:
            self._dead = self.clock_start("dead_air", None, self._last_end)

    def _turn(self, seen: Occurrence) -> None:
        if seen.by is not Channel.CUSTOMER or seen.value < ANSWERABLE_SECONDS or self._response:
            return
        if self._holds.away or self._said_farewell or self._over or Channel.CUSTOMER in self._speaking:
            return
        if Channel.AGENT in self._speaking and self._agent_start < seen.end:
            return  # the agent was already talking: nothing was waited for
        started = self.clock_start("response_latency", Channel.AGENT, seen.end)
        if self._agent_start >= seen.end:
            self.clock_stop(started, self._agent_start)
        else:
            self._response = started

    def _call_off(self, at: int) -> None:
        for clock in (self._dead, self._response):
            if clock:
                self.clock_stop(clock, max(at, clock.start), quality=Quality.UNKNOWN)
        self._dead = self._response = None

    def close(self, end: int) -> None:
        self.measured("non_talk", None, 0, end, self._non_talk)
