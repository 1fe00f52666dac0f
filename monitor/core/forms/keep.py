"""Form `keep`: a measure stays in a range."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.core.desk import Desk
from monitor.core.forms.machine import Machine
from monitor.core.rulebook import (
    MEASURES,
    Keep,
    Limits,
    Occurrence,
    Pattern,
    Rule,
    Shape,
)
from monitor.core.stream import Stream
from monitor.core.types import Outcome, Quality


@dataclass(slots=True)
class _Watch:
    """How one limit stands: since when the measure is outside, and whether that has been said."""

    limit: Limits
    since: Occurrence | None = None
    said: bool = False


class KeepMachine(Machine):
    """A measure stays within limits. Clocks are judged while they run, series value by value."""

    def __init__(self, rule: Rule, form: Keep, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        self.measure = MEASURES[form.measure]
        clock = self.measure.shape is Shape.CLOCK
        kinds = (f"start:{form.measure}", f"stop:{form.measure}") if clock else (form.measure,)
        self.names = frozenset(kinds)
        self._pattern = Pattern(kinds, form.by)
        self._watches = [_Watch(limit) for limit in form.limits]
        self._running: Occurrence | None = None
        self._episode = 0
        self._measured = 0

    def see(self, seen: Occurrence) -> None:
        if not self._pattern.matches(seen):
            return
        if seen.name.startswith("start:"):
            self._start(seen)
        elif seen.name.startswith("stop:"):
            self._stop(seen)
        else:
            self._value(seen)

    def _start(self, seen: Occurrence) -> None:
        self._running = seen
        self._episode = 0
        for watch in self._watches:
            watch.said = False
            if watch.limit.most is not None:
                at = seen.start + self.desk.samples(watch.limit.most + watch.limit.tolerance)
                self.stream.wake(at, self.rule.id, lambda at, w=watch: self._crossed(seen, w, at))  # type: ignore[misc]

    def _crossed(self, started: Occurrence, watch: _Watch, at: int) -> None:
        if self._running is not started:
            return
        value = (at - started.start) / self.desk.rate
        self._say(watch, replace(started, end=at, value=value), at)

    def _stop(self, seen: Occurrence) -> None:
        started, self._running = self._running, None
        if started is None or seen.quality is Quality.UNKNOWN:
            return
        self._measured += 1
        for watch in self._watches:
            if watch.limit.least is not None and seen.value < watch.limit.least - watch.limit.tolerance:
                self._say(watch, seen, seen.end)

    def _value(self, seen: Occurrence) -> None:
        if seen.quality is Quality.UNKNOWN:
            return
        self._measured += 1
        for watch in self._watches:
            self._follow(watch, seen)

    def _follow(self, watch: _Watch, seen: Occurrence) -> None:
        limit = watch.limit
        # Hysteresis: once outside, the value must come back into the range itself, not only near it.
        slack = 0.0 if watch.since else limit.tolerance
        low = limit.least is not None and seen.value < limit.least - slack
        high = limit.most is not None and seen.value > limit.most + slack
        if not (low or high):
            watch.since = None
            watch.said = False
            if not any(w.since for w in self._watches):
                self._episode = 0
            return
        lost = watch.since and self.desk.doubtful(watch.since.start, seen.end, self.form.by, words=False)
        if watch.since is None or lost:
            watch.since = seen
        if not watch.said and seen.end - watch.since.end >= self.desk.samples(limit.sustained):
            self._say(watch, replace(seen, start=watch.since.start), seen.end)

    def _say(self, watch: _Watch, cause: Occurrence, at: int) -> None:
        watch.said = True
        rule_itself = watch is self._watches[-1] or watch.limit.severity is self._watches[-1].limit.severity
        if self.excused(cause.start, cause.end):
            return
        reason = self.desk.doubtful(cause.start, cause.end, self.form.by, words=False)
        first = not self._episode
        if first:
            self._episode = self.next_occasion()
        if reason:
            self.unsure = reason
            if rule_itself and not self._given(self._episode):
                self._verdict(Outcome.CANNOT_TELL, at, reason)
            return
        if rule_itself and not self._given(self._episode):
            self.broken = True
            self._verdict(Outcome.BROKEN, at)
        if first and not self.desk.allowed(self.rule, at):
            return
        if first:
            self.desk.count(self.rule, at)
        bound = watch.limit.most if watch.limit.most is not None and cause.value > watch.limit.most else None
        bound = bound if bound is not None else watch.limit.least
        bound = bound if bound is not None else watch.limit.most
        facts = {"limit": "" if bound is None else f"{bound:g}"}
        self.desk.alert(self.rule, self._episode, cause, at, severity=watch.limit.severity, facts=facts)

    _last_verdict = 0

    def _given(self, occasion: int) -> bool:
        return self._last_verdict >= occasion

    def _verdict(self, outcome: Outcome, at: int, reason: str = "") -> None:
        self._last_verdict = self._episode
        self.desk.verdict(self.rule, self._episode, outcome, at, reason)

    def close(self, end: int) -> None:
        if self._last_verdict:
            return
        if self.measure.two_channels and self.desk.mixed:
            self.conclude(end, Outcome.CANNOT_TELL, "mixed_channel")
        elif self.unsure:
            self.conclude(end, Outcome.CANNOT_TELL, self.unsure)
        else:
            self.conclude(end, Outcome.MET if self._measured else Outcome.NOT_APPLICABLE)
