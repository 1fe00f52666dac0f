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
from monitor.core.types import Outcome, Quality, Review

STEP_SECONDS = 2.0
"""The most that one value of a series adds to the time outside its range."""


@dataclass(slots=True)
class _Watch:
    """How one limit stands: since when the measure is outside, for how long, and whether that has been said."""

    limit: Limits
    since: Occurrence | None = None
    until: int = 0
    outside: int = 0
    said: bool = False


class KeepMachine(Machine):
    """A measure stays within limits. Clocks are judged while they run, series value by value."""

    def __init__(self, rule: Rule, form: Keep, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        self.measure = MEASURES[form.measure]
        clock = self.measure.shape is Shape.CLOCK
        kinds = (f"start:{form.measure}", f"stop:{form.measure}") if clock else (form.measure,)
        self.names = frozenset(kinds) | (self.windows.names if self.windows else frozenset())
        self._pattern = Pattern(kinds, form.by)
        self._watches = [_Watch(limit) for limit in form.limits]
        self._running: Occurrence | None = None
        self._episode = 0
        self._doubt = ""
        self._loud: bool | None = None
        """Whether the frequency limit lets this episode be told; None before there was something to tell."""
        self._measured = 0
        self._unknown = False
        self._window = 0
        self._mixed = desk.mixed and self.measure.two_channels

    def see(self, seen: Occurrence) -> None:
        if self._mixed:
            return
        for one in self.let_in(seen, self._pattern):
            if self._pattern.matches(one):
                self._take(one)

    def _take(self, seen: Occurrence) -> None:
        if seen.name.startswith("start:"):
            self._start(seen)
        elif seen.name.startswith("stop:"):
            self._stop(seen)
        else:
            self._value(seen)

    def _start(self, seen: Occurrence) -> None:
        self._running = seen
        for watch in self._watches:
            watch.said = False
            if watch.limit.most is not None:
                at = seen.start + self.desk.samples(watch.limit.most + watch.limit.tolerance)
                self.stream.wake(at, self.rule.id, lambda at, w=watch: self._crossed(seen, w, at))  # type: ignore[misc]

    def _crossed(self, started: Occurrence, watch: _Watch, at: int) -> None:
        if self._running is not started or (self.windows and not self.windows.number(started.start)):
            return
        value = (at - started.start) / self.desk.rate
        self._say(watch, replace(started, end=at, value=value), at)

    def _stop(self, seen: Occurrence) -> None:
        started, self._running = self._running, None
        if started is not None and seen.quality is not Quality.UNKNOWN:
            self._measured += 1
            for watch in self._watches:
                low, high = _outside(watch.limit, seen.value, watch.limit.tolerance)
                # A clock that was started in hindsight may stop before its alarm could ring.
                if (low or high) and not watch.said:
                    limit = (watch.limit.most or 0.0) + watch.limit.tolerance
                    self._say(watch, seen, seen.start + self.desk.samples(limit) if high else seen.end)
        self._over(seen.end)

    def _value(self, seen: Occurrence) -> None:
        if self.windows:
            self._enter(self.windows.of(seen), seen.start)
        if seen.quality is Quality.UNKNOWN:
            self._unknown |= self.measure.words  # the words that it hangs on were not heard
            return
        self._measured += 1
        for watch in self._watches:
            self._follow(watch, seen)

    def _enter(self, window: int, at: int) -> None:
        """What was outside the range in one window has nothing to do with the next."""
        if window == self._window:
            return
        self._window = window
        for watch in self._watches:
            watch.since, watch.said = None, False
        self._over(at)

    def _follow(self, watch: _Watch, seen: Occurrence) -> None:
        limit = watch.limit
        # Hysteresis: once outside, the value must come back into the range itself, not only near it.
        slack = 0.0 if watch.since else limit.tolerance
        if not any(_outside(limit, seen.value, slack)):
            watch.since = None
            watch.said = False
            if not any(w.since for w in self._watches):
                self._over(seen.end)
            return
        lost = watch.since and self.desk.doubtful(watch.since.start, seen.end, self.form.by, words=False)
        if watch.since is None or lost:
            watch.since, watch.outside = seen, 0
        else:
            # Values come about once a second of speech; a longer time between two is a pause and does not count.
            watch.outside += min(seen.end - watch.until, self.desk.samples(STEP_SECONDS))
        watch.until = seen.end
        if not watch.said and watch.outside >= self.desk.samples(limit.sustained):
            self._say(watch, replace(seen, start=watch.since.start), seen.end)

    def _say(self, watch: _Watch, cause: Occurrence, at: int) -> None:
        watch.said = True
        rule_itself = watch is self._watches[-1] or watch.limit.severity is self._watches[-1].limit.severity
        if self.excused(cause.start, cause.end):
            return
        if not self._episode:
            self._episode = self.next_occasion()
        reason = self.desk.doubtful(cause.start, cause.end, self.form.by, words=False)
        reason = reason or self.perhaps_excused(cause.start, cause.end)
        if reason:
            self._doubt = reason
            if rule_itself:
                self._verdict(Outcome.CANNOT_TELL, at, reason)
            return
        review = self.review(cause)
        if rule_itself:
            self._verdict(Outcome.BROKEN, at, review=review)
        if self._loud is None:
            self._loud = self.desk.allowed(self.rule, at)
            if self._loud:
                self.desk.count(self.rule, at)
        if self._loud:
            self._alert(watch.limit, cause, at, review)

    def _alert(self, limit: Limits, cause: Occurrence, at: int, review: Review | None) -> None:
        high = limit.most is not None and (limit.least is None or cause.value > limit.most)
        facts = {"limit": f"{limit.most if high else limit.least:g}"}
        self.desk.alert(self.rule, self._episode, cause, at, severity=limit.severity, facts=facts, review=review)

    _last_verdict = 0

    def _verdict(self, outcome: Outcome, at: int, reason: str = "", review: Review | None = None) -> None:
        if self._last_verdict < self._episode:
            self._last_verdict = self._episode
            self.desk.verdict(self.rule, self._episode, outcome, at, reason, review)

    def _over(self, at: int) -> None:
        """The measure is back where it belongs; an episode that only warned was no breach."""
        if self._episode:
            if self._doubt:
                self._verdict(Outcome.CANNOT_TELL, at, self._doubt)
            else:
                self._verdict(Outcome.MET, at, "warned")
        self._episode, self._doubt, self._loud = 0, "", None

    def close(self, end: int) -> None:
        self._over(end)
        if self._last_verdict:
            return
        if self._mixed:
            self.conclude(end, Outcome.CANNOT_TELL, "mixed_channel")
        elif self.never_open(end):
            return
        elif self._measured:
            self.conclude(end, Outcome.MET)
        else:
            reason = self.doubtful_at_all(end, self.form.by, words=self.measure.words)
            if not reason and self._unknown:
                reason = "not_measured"
            self.conclude(end, Outcome.CANNOT_TELL if reason else Outcome.NOT_APPLICABLE, reason)


def _outside(limit: Limits, value: float, slack: float) -> tuple[bool, bool]:
    """Whether the value is below, and whether it is above the limit, which is ``slack`` wider."""
    slack += 1e-9  # a clock that stops right at its limit keeps it
    low = limit.least is not None and value < limit.least - slack
    high = limit.most is not None and value > limit.most + slack
    return low, high
