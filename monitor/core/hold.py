"""Hold: signalled, or inferred from a wait phrase and silence, or from music on the line."""

from __future__ import annotations

from monitor.core.derive import Context, Deriver
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel, Phase, PhaseChanged, Quality

HOLD_AFTER_SECONDS = 5.0
"""After a wait phrase, so much silence of the agent is a hold, unless the customer speaks at its end."""

ANSWER_SECONDS = 3.0
"""A customer who speaks for longer does not say yes to waiting: the agent listens, and what sounded like a wait phrase
was none (请您看一下)."""

WAIT_LASTS_SECONDS = 10.0
"""A wait phrase explains the silence that begins within this time after it."""


class Holds(Deriver):
    """Hold: signalled; or inferred from a wait phrase and silence, or from music on the line.

    ``away`` is true from a wait phrase on and during a hold: silence is then explained.
    """

    def __init__(self, context: Context, wait: frozenset[str]) -> None:
        super().__init__(context)
        self._wait = frozenset(f"say:{name}" for name in wait)
        self._asked: int | None = None
        self._agent_silent_since: int | None = None
        self._customer_since: int | None = None
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
            if not seen.faint:
                self._asked = seen.end
        elif seen.name == Happening.MUSIC:
            if not self._signalled and self._agent_silent_since is not None:
                self._hold(max(seen.start, self._agent_silent_since), Quality.INFERRED)
        elif seen.by in (Channel.AGENT, Channel.MIXED):
            self._agent(seen)
        elif seen.by is Channel.CUSTOMER:
            self._customer(seen)

    def _customer(self, seen: Occurrence) -> None:
        if seen.name == Happening.SPEECH_START:
            self._customer_since = seen.start
        elif seen.name == Happening.SPEECH_END:
            self._customer_since = None
            if self._asked is None or self.held:
                return
            if seen.end - max(seen.start, self._asked) > self.c.samples(ANSWER_SECONDS):
                self._asked = None
            elif self._agent_silent_since is not None:
                self._look_later(self._agent_silent_since, seen.end)

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
            self._look_later(seen.end, seen.end)

    def _forget(self, silent_from: int) -> None:
        if self._asked is not None and silent_from > self._asked + self.c.samples(WAIT_LASTS_SECONDS):
            self._asked = None

    def _look_later(self, since: int, quiet_since: int) -> None:
        """Look again when the agent has been silent for so long; at the latest a second after the customer's answer."""
        if self._asked is None or self._signalled or self.held:
            return
        at = max(since + self.c.samples(HOLD_AFTER_SECONDS), quiet_since + self.c.samples(1.0))
        self.c.stream.wake(at, "hold", lambda _: self._silent(since))

    def _silent(self, since: int) -> None:
        if self._agent_silent_since == since and self._asked is not None and self._customer_since is None:
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
