"""Measures that depend on words: hold (inferred from a wait phrase), dead air, response latency, counted pace,
interruption. They live in the stream that waits for the recogniser, so they are the same however late it is.

Definitions are those of the design's section 4; the names and units stand in ``rulebook.MEASURES``.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from monitor.core.derive import Context, Deriver
from monitor.core.fold import fold
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel, Evidence, Match, Phase, PhaseChanged, Quality

HOLD_AFTER_SECONDS = 5.0
"""After a wait phrase, so much silence of the agent is a hold."""

WAIT_LASTS_SECONDS = 10.0
"""A wait phrase explains the silence that begins within this time after it."""

ANSWERABLE_SECONDS = 0.8
"""A customer's turn shorter than this asks for no answer."""

SHORTEST_DEAD_AIR_SECONDS = 1.0
"""Shorter silences are pauses between turns."""

NON_TALK_SECONDS = 3.0


class Holds(Deriver):
    """Hold: signalled; or inferred from a wait phrase and silence, or from music on the line.

    ``away`` is true from a wait phrase on and during a hold: silence is then explained.
    """

    def __init__(self, context: Context, wait: frozenset[str]) -> None:
        super().__init__(context)
        self._wait = frozenset(f"say:{name}" for name in wait)
        self._asked: int | None = None
        self._agent_silent_since: int | None = None
        self._held: Occurrence | None = None
        self._signalled = False
        self._over = False

    @property
    def held(self) -> bool:
        return self._held is not None

    @property
    def away(self) -> bool:
        return self.held or self._asked is not None

    def see(self, seen: Occurrence) -> None:
        if seen.name == "signal:hold":
            self._signalled = True
            self._hold(seen.start, Quality.EXACT)
        elif seen.name == "signal:resume":
            self._resume(seen.start)
        elif seen.name == Happening.ENDED:
            self._over = True
            self._resume(seen.start)
        elif seen.name in self._wait and seen.by in (Channel.AGENT, Channel.MIXED):
            self._asked = seen.end
        elif seen.name == Happening.MUSIC:
            if not self._signalled and self._agent_silent_since is not None:
                self._hold(max(seen.start, self._agent_silent_since), Quality.INFERRED)
        elif seen.by in (Channel.AGENT, Channel.MIXED):
            self._agent(seen)

    def _agent(self, seen: Occurrence) -> None:
        if seen.name == Happening.SPEECH_START:
            self._agent_silent_since = None
            if self._held and not self._signalled:
                self._resume(seen.start)
            else:
                self._forget(seen.start)
        elif seen.name == Happening.SPEECH_END:
            self._agent_silent_since = seen.end
            self._forget(seen.end)
            if self._asked is not None and not self._signalled:
                since = seen.end
                at = since + self.c.samples(HOLD_AFTER_SECONDS)
                self.c.stream.wake(at, "hold", lambda _: self._silent(since))

    def _forget(self, silent_from: int) -> None:
        if self._asked is not None and silent_from > self._asked + self.c.samples(WAIT_LASTS_SECONDS):
            self._asked = None

    def _silent(self, since: int) -> None:
        if self._agent_silent_since == since and self._asked is not None:
            self._hold(since, Quality.INFERRED)

    def _hold(self, at: int, quality: Quality) -> None:
        if self._held or self._over:
            return
        now = self.c.stream.position
        inferred = quality is Quality.INFERRED
        self.c.say(PhaseChanged(Phase.HELD, at, now, inferred))
        self.c.emit(Occurrence(Happening.HOLD_START, None, at, at, now, quality=quality))
        self._held = self.clock_start("hold", None, at)

    def _resume(self, at: int) -> None:
        self._asked = None
        if self._held is None:
            return
        started, self._held = self._held, None
        quality = Quality.EXACT if self._signalled else Quality.INFERRED
        self.clock_stop(started, at, quality=quality)
        now = self.c.stream.position
        if not self._over:
            self.c.say(PhaseChanged(Phase.TALKING, at, now, not self._signalled))
        seconds = self.c.seconds(at - started.start)
        self.c.emit(Occurrence(Happening.HOLD_END, None, started.start, at, now, seconds, quality))


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
                if seen.name in self._farewell and seen.by in (Channel.AGENT, Channel.MIXED):
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


@dataclass(slots=True)
class _Span:
    """A stretch of turn time: ``axis`` is where it begins on the speaker's own axis, pauses up to 1 s included."""

    start: int
    end: int
    axis: int


class Pace(Deriver):
    """Counted pace: characters over the time of the speaker's turns.

    Live over the last 10 s of turn time (needing 4 s and 12 characters), once a second of turn time; per turn;
    and over the call. Han characters count one, digits and Latin letters as they are spoken.
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

    def close(self, end: int) -> None:
        seconds = self.c.seconds(self._axis)
        if seconds >= self.LEAST_SECONDS and self._total >= self.LEAST_CHARACTERS:
            self.measured("call_pace", self._channel, 0, end, self._total / seconds * 60)


class Interruptions(Deriver):
    """A barge-in becomes an interruption when the agent said at least four characters and not only listening words.

    Without a recogniser the audio alone decides, and the quality says so.
    """

    LEAST_CHARACTERS = 4

    def __init__(self, context: Context, listening: frozenset[str], *, words: bool) -> None:
        super().__init__(context)
        words_of_listeners = sorted((re.escape(fold(w)) for w in listening), key=len, reverse=True)
        self._only_listening = re.compile(f"(?:{'|'.join(words_of_listeners)})*")
        self._has_words = words
        self._waiting: list[Occurrence] = []
        self._heard: deque[Occurrence] = deque(maxlen=4)

    def see(self, seen: Occurrence) -> None:
        if seen.name == Happening.BARGE_IN:
            self._waiting.append(seen)
        elif seen.by is not None and seen.name == Happening.WORDS:
            self._heard.append(seen)
        elif seen.name != Happening.SPEECH_END:
            return
        for barge in list(self._waiting):
            ended = seen.name == Happening.SPEECH_END and seen.by is barge.by
            if not self._has_words or ended or self._said(barge):
                self._waiting.remove(barge)
                self._decide(barge)

    def _said(self, barge: Occurrence) -> str:
        text = ""
        for heard in self._heard:
            if heard.by is barge.by:
                text += "".join(fold(w.text) for w in heard.words if w.end > barge.start)
        return text if len(text) >= self.LEAST_CHARACTERS else ""

    def _decide(self, barge: Occurrence) -> None:
        text = self._said(barge)
        quality = Quality.EXACT if self._has_words else Quality.INFERRED
        if self._has_words and not any(h.by is barge.by and h.end > barge.start for h in self._heard):
            quality = Quality.UNKNOWN  # what was said was never recognised
        elif self._has_words and (not text or self._only_listening.fullmatch(text)):
            return
        now = self.c.stream.position
        proof = (Evidence(barge.by, text[:20], barge.start, barge.end, Match.EXACT),) if text and barge.by else ()
        self.c.emit(
            Occurrence(
                Happening.INTERRUPTION, barge.by, barge.start, barge.end, now, barge.value, quality, evidence=proof
            )
        )

    def close(self, end: int) -> None:
        for barge in self._waiting:
            self._decide(barge)
        self._waiting.clear()
