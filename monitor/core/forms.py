"""The five forms of a rule, each a small machine that sees occurrences in stream order and gives verdicts.

A machine never asks for the time: deadlines are timers of the stream, which fire only when everything up to them
has been heard. Whatever could not be heard makes a verdict *cannot tell*, never *broken*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from monitor.core.desk import Desk
from monitor.core.rulebook import (
    MEASURES,
    Expect,
    Happening,
    Keep,
    Limits,
    Never,
    Occurrence,
    Pattern,
    Per,
    Rule,
    Shape,
    Step,
    Steps,
    Tally,
)
from monitor.core.stream import Stream
from monitor.core.types import AlertState, Channel, DueState, Outcome, Quality

SLACK_SECONDS = 0.3
"""Times of words are known to about this; a sequence is not broken by less."""

PHRASE_SECONDS = 8.0
"""A phrase that began by its deadline is waited for this long, while its speaker goes on."""


class Machine:
    """What all forms share. ``names`` are the occurrences it wants to see."""

    def __init__(self, rule: Rule, desk: Desk, stream: Stream) -> None:
        self.rule = rule
        self.desk = desk
        self.stream = stream
        self.occasion = 0
        self.broken = False
        self.unsure = ""
        self._held_back: list[Callable[[], None]] = []

    names: frozenset[str] = frozenset()

    def see(self, seen: Occurrence) -> None:
        """Take an occurrence in stream order."""

    def early(self, seen: Occurrence) -> None:
        """Take an occurrence that is not settled yet; only screens profit."""

    def close(self, end: int) -> None:
        """The call is over at ``end`` and everything has been seen."""

    def next_occasion(self) -> int:
        self.occasion += 1
        return self.occasion

    def excused(self, start: int, end: int) -> bool:
        """Whether one of the rule's excuses applies to something that lasted from ``start`` to ``end``."""
        s = self.desk.samples
        return any(self.desk.seen(e.pattern, start - s(e.before), end + s(e.after)) for e in self.rule.excuses)

    def judge(self, cause: Occurrence, at: int, *, words: bool, facts: dict[str, str] | None = None) -> None:
        """Accuse at once, or as soon as every excuse that may still come has had its time."""
        after = max((e.after for e in self.rule.excuses), default=0.0)
        if not after:
            self._accuse(cause, at, words, facts)
            return

        def accuse() -> None:
            if accuse in self._held_back:
                self._held_back.remove(accuse)
                self._accuse(cause, at, words, facts)

        self._held_back.append(accuse)
        self.stream.wake(cause.end + self.desk.samples(after), self.rule.id, lambda _: accuse())

    def flush(self) -> None:
        """The call is over: no excuse can come any more."""
        for accuse in list(self._held_back):
            accuse()

    def _accuse(self, cause: Occurrence, at: int, words: bool, facts: dict[str, str] | None) -> None:
        occasion = self.next_occasion()
        if self.excused(cause.start, cause.end):
            self.desk.verdict(self.rule, occasion, Outcome.NOT_APPLICABLE, at, "excused")
            return
        reason = self.doubts(cause, words)
        if reason:
            self.unsure = reason
            self.desk.verdict(self.rule, occasion, Outcome.CANNOT_TELL, at, reason)
            return
        self.broken = True
        self.desk.verdict(self.rule, occasion, Outcome.BROKEN, at)
        if self.desk.allowed(self.rule, at):
            self.desk.count(self.rule, at)
            self.desk.alert(self.rule, occasion, cause, at, facts=facts)

    def doubts(self, cause: Occurrence, words: bool) -> str:
        """Why the finding cannot be held against anybody; empty when it can."""
        if cause.quality is Quality.UNKNOWN:
            return "not_measured"
        if cause.score < self.rule.sure:
            return "low_confidence"
        return self.desk.doubtful(cause.start, cause.end, cause.by, words=words)

    def conclude(self, end: int, outcome: Outcome, reason: str = "") -> None:
        """The one verdict about the whole call, when no occasion had its own."""
        self.desk.verdict(self.rule, 0, outcome, end, reason)


# ---------------------------------------------------------------- never


class NeverMachine(Machine):
    """Every occurrence of the thing breaks the rule."""

    def __init__(self, rule: Rule, form: Never, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.what = form.what
        self.names = frozenset(form.what.names)
        self._raised: list[tuple[int, Occurrence]] = []

    def see(self, seen: Occurrence) -> None:
        if not self.what.matches(seen):
            return
        for item in [r for r in self._raised if r[1].end <= seen.start]:
            self._drop(item)
        confirmed = [r for r in self._raised if r[1].start < seen.end]
        self._raised = [r for r in self._raised if r not in confirmed]
        before = self.occasion
        self.judge(seen, seen.start, words=bool(self.what.phrases))
        for number, cause in confirmed:
            if number != before + 1 or self.occasion == before or not self.broken:
                self._clear(number, cause)

    def early(self, seen: Occurrence) -> None:
        doubtful = seen.score < self.rule.sure or self.rule.excuses or self.desk.mixed
        if doubtful or not self.what.matches(seen) or not self.desk.allowed(self.rule, seen.start):
            return
        if any(r.start < seen.end and r.end > seen.start for _, r in self._raised):
            return
        number = self.occasion + len(self._raised) + 1
        self._raised.append((number, seen))
        self.desk.alert(self.rule, number, seen, seen.start, state=AlertState.RAISED)
        self.stream.wake(seen.end + self.desk.samples(1.0), self.rule.id, lambda _: self._drop((number, seen)))

    def _drop(self, item: tuple[int, Occurrence]) -> None:
        if item in self._raised:
            self._raised.remove(item)
            self._clear(*item)

    def _clear(self, number: int, cause: Occurrence) -> None:
        self.desk.alert(self.rule, number, cause, cause.start, state=AlertState.CLEARED)

    def doubts(self, cause: Occurrence, words: bool) -> str:
        if self.desk.mixed and self.what.by is not None:
            return "mixed_channel"
        if cause.quality is Quality.UNKNOWN:
            return "not_measured"
        # What was heard was heard: a gap elsewhere does not unsay it.
        return "low_confidence" if cause.score < self.rule.sure else ""

    def close(self, end: int) -> None:
        if self.occasion:
            return
        reason = self.desk.doubtful(0, end, self.what.by, words=bool(self.what.phrases))
        if (
            not reason
            and self.desk.mixed
            and set(self.what.names)
            & {
                Happening.OVERLAP,
                Happening.INTERRUPTION,
            }
        ):
            reason = "mixed_channel"
        self.conclude(end, Outcome.CANNOT_TELL if reason else Outcome.MET, reason)


# ---------------------------------------------------------------- expect


@dataclass(slots=True)
class _Waiting:
    number: int
    cause: Occurrence
    at: int
    deadline: int | None
    heard: bool = False


class ExpectMachine(Machine):
    """After A comes B; each A is an occasion. A second A while B is still due belongs to the first."""

    def __init__(self, rule: Rule, form: Expect, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        self.names = frozenset(form.when.names).union(*(p.names for p in form.then))
        self.party = next((p.by for p in form.then if p.by), None)
        self.words = any(p.phrases for p in form.then)
        self._waiting: _Waiting | None = None
        self._opened = False

    def see(self, seen: Occurrence) -> None:
        if self._waiting and any(p.matches(seen) for p in self.form.then):
            w = self._waiting
            in_time = w.deadline is None or seen.start <= w.deadline
            if in_time and seen.start >= w.at - self.desk.samples(SLACK_SECONDS):
                self._settle(Outcome.MET, seen.start)
        if self.form.when.matches(seen) and not (self._opened and self.form.once):
            quiet = self.form.when.quiet
            if quiet is None:
                self._open(seen, seen.end)
            else:
                self.stream.wake(
                    seen.end + self.desk.samples(quiet.seconds), self.rule.id, lambda at: self._if_quiet(seen, at)
                )

    def _if_quiet(self, cause: Occurrence, at: int) -> None:
        quiet = self.form.when.quiet
        assert quiet is not None
        spoke = Pattern((Happening.SPEECH_START,), quiet.by)
        if self.desk.in_turn(quiet.by, at) or self.desk.seen(spoke, cause.end, at):
            return
        self._open(cause, at)

    def _open(self, cause: Occurrence, at: int) -> None:
        if self._waiting or (self._opened and self.form.once):
            return
        if cause.score < self.rule.sure or (self.desk.mixed and self.form.when.by is not None):
            # Who spoke, or whether it was said at all, is not certain enough to demand an answer.
            self.unsure = "mixed_channel" if self.desk.mixed else "low_confidence"
            return
        self._opened = True
        s = self.desk.samples
        within = self.form.within
        deadline = None if within is None else at + s(within)
        self._waiting = _Waiting(self.next_occasion(), cause, at, deadline)
        if self.form.before is not None:
            earliest = cause.start - s(self.form.before)
            found = [o for p in self.form.then for o in self.desk.seen(p, earliest, cause.start + s(0.5))]
            if found:
                self._settle(Outcome.MET, found[-1].start)
                return
            if within is None:
                self._fail(cause.start, earliest)
                return
        self.desk.due(self.rule, self.occasion, at, deadline, DueState.PENDING)
        if deadline is not None:
            waiting = self._waiting
            self.stream.wake(deadline, self.rule.id, lambda _: self._expire(waiting))

    def _expire(self, waiting: _Waiting, postponed: bool = False) -> None:
        if waiting is not self._waiting or waiting.deadline is None:
            return
        last = waiting.deadline + self.desk.samples(PHRASE_SECONDS)
        if self.words and self.desk.in_turn(self.party, waiting.deadline) and self.stream.position < last:
            self.stream.wake(
                self.stream.position + self.desk.samples(0.2), self.rule.id, lambda _: self._expire(waiting, True)
            )
            return
        self._fail(waiting.deadline, waiting.at)

    def _fail(self, at: int, start: int) -> None:
        w = self._waiting
        assert w is not None
        if self.excused(min(start, w.at), at):
            self._settle(Outcome.NOT_APPLICABLE, at, "excused")
            return
        reason = self.desk.doubtful(min(start, at), max(start, at), self.party, words=self.words)
        if reason:
            self._settle(Outcome.CANNOT_TELL, at, reason)
            return
        cause = replace(w.cause, by=self.party, start=min(start, at), end=max(start, at))
        number = w.number
        self._settle(Outcome.BROKEN, at)
        if self.desk.allowed(self.rule, at):
            self.desk.count(self.rule, at)
            self.desk.alert(self.rule, number, cause, at)

    def _settle(self, outcome: Outcome, at: int, reason: str = "") -> None:
        w = self._waiting
        assert w is not None
        self._waiting = None
        self.desk.verdict(self.rule, w.number, outcome, at, reason)
        self.desk.due(self.rule, w.number, w.at, w.deadline, DueState.DONE)

    def early(self, seen: Occurrence) -> None:
        w = self._waiting
        if w is None or w.heard or not any(p.matches(seen) for p in self.form.then):
            return
        if seen.start >= w.at - self.desk.samples(SLACK_SECONDS) and (w.deadline is None or seen.start <= w.deadline):
            w.heard = True
            self.desk.due(self.rule, w.number, w.at, w.deadline, DueState.HEARD)

    def close(self, end: int) -> None:
        w = self._waiting
        if w is not None:
            if w.deadline is None or w.deadline <= end:
                self._fail(end if w.deadline is None else w.deadline, w.at)
            else:
                self._settle(Outcome.NOT_APPLICABLE, end, "call_ended")
        if not self.occasion:
            self.conclude(end, Outcome.CANNOT_TELL if self.unsure else Outcome.NOT_APPLICABLE, self.unsure)


# ---------------------------------------------------------------- steps


class StepsMachine(Machine):
    """After A the steps follow one another; the first that is missing, or comes too early, breaks the rule."""

    def __init__(self, rule: Rule, form: Steps, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        patterns = [form.when, *(p for s in form.steps for p in s.what)] + ([form.until] if form.until else [])
        self.names = frozenset().union(*(p.names for p in patterns))
        self._cause: Occurrence | None = None
        self._index = 0
        self._since = 0
        self._opened = False

    def see(self, seen: Occurrence) -> None:
        if self._cause and self.form.until and self.form.until.matches(seen):
            self._finish(Outcome.NOT_APPLICABLE, seen.start, "interrupted")
        elif self._cause:
            self._advance(seen)
        if self._cause is None and self.form.when.matches(seen) and not (self._opened and self.form.once):
            quiet = self.form.when.quiet
            if quiet is None:
                self._begin(seen, seen.end)
            else:
                at = seen.end + self.desk.samples(quiet.seconds)
                self.stream.wake(at, self.rule.id, lambda at: self._if_quiet(seen, at))

    def _if_quiet(self, cause: Occurrence, at: int) -> None:
        quiet = self.form.when.quiet
        assert quiet is not None
        spoke = Pattern((Happening.SPEECH_START,), quiet.by)
        if self._cause is None and not self.desk.in_turn(quiet.by, at):
            if not self.desk.seen(spoke, cause.end, at):
                self._begin(cause, cause.end)

    def _begin(self, cause: Occurrence, at: int) -> None:
        if (self._opened and self.form.once) or (self.desk.mixed and self.form.when.by is not None):
            return
        self._opened = True
        self._cause = cause
        self._index = 0
        self._since = at
        self.next_occasion()
        # Steps that were taken while we waited to be sure of the occasion count.
        past = [
            o
            for s in self.form.steps
            for p in s.what
            for o in self.desk.seen(p, at - self.desk.samples(SLACK_SECONDS), self.stream.position)
        ]
        self._arm()
        for seen in sorted(past, key=lambda o: (o.start, o.end)):
            if self._cause:
                self._advance(seen)

    def _arm(self) -> None:
        step = self.form.steps[self._index]
        deadline = None if step.within is None else self._since + self.desk.samples(step.within)
        self.desk.due(self.rule, self.occasion, self._since, deadline, DueState.PENDING)
        if deadline is not None:
            token = (self.occasion, self._index)
            self.stream.wake(deadline, self.rule.id, lambda _: self._expire(token, deadline))

    def _expire(self, token: tuple[int, int], deadline: int) -> None:
        if self._cause is None or token != (self.occasion, self._index):
            return
        step = self.form.steps[self._index]
        party = next((p.by for p in step.what if p.by), None)
        last = deadline + self.desk.samples(PHRASE_SECONDS)
        spoken = any(p.phrases for p in step.what)
        if spoken and self.desk.in_turn(party, deadline) and self.stream.position < last:
            again = self.stream.position + self.desk.samples(0.2)
            self.stream.wake(again, self.rule.id, lambda _: self._expire(token, deadline))
            return
        if step.optional:
            self._next(deadline)
        else:
            self._missing(step, deadline)

    def _advance(self, seen: Occurrence) -> None:
        for index in range(self._index, len(self.form.steps)):
            step = self.form.steps[index]
            if any(p.matches(seen) for p in step.what):
                self._take(index, step, seen)
                return
            if not step.optional:
                return

    def _take(self, index: int, step: Step, seen: Occurrence) -> None:
        s = self.desk.samples
        if seen.start < self._since - s(SLACK_SECONDS):
            return
        if step.within is not None and seen.start > self._since + s(step.within):
            return  # too late: the deadline's own timer says so
        if seen.start < self._since + s(step.after) - s(SLACK_SECONDS):
            self._missing(step, seen.start, "early")
            return
        self._index = index
        self._next(seen.end)

    def _next(self, since: int) -> None:
        self._index += 1
        self._since = since
        if self._index == len(self.form.steps):
            self._finish(Outcome.MET, since)
        else:
            self._arm()

    def _missing(self, step: Step, at: int, how: str = "missing") -> None:
        cause = self._cause
        assert cause is not None
        party = next((p.by for p in step.what if p.by), None)
        words = any(p.phrases for p in step.what)
        if self.excused(cause.start, at):
            self._finish(Outcome.NOT_APPLICABLE, at, "excused")
            return
        reason = self.desk.doubtful(self._since, at, party, words=words)
        if reason:
            self._finish(Outcome.CANNOT_TELL, at, reason)
            return
        start, number = self._since, self.occasion
        self._finish(Outcome.BROKEN, at, f"{how}:{step.name}")
        if self.desk.allowed(self.rule, at):
            self.desk.count(self.rule, at)
            found = replace(cause, by=party, start=start, end=max(at, start))
            self.desk.alert(self.rule, number, found, at, facts={"step": step.name})

    def _finish(self, outcome: Outcome, at: int, reason: str = "") -> None:
        self._cause = None
        self.desk.verdict(self.rule, self.occasion, outcome, at, reason)
        self.desk.due(self.rule, self.occasion, at, None, DueState.DONE)

    def close(self, end: int) -> None:
        if self._cause:
            left = [s for s in self.form.steps[self._index :] if not s.optional]
            if not left:
                self._finish(Outcome.MET, end)
            elif left[0].within is None or self._since + self.desk.samples(left[0].within) <= end:
                self._missing(left[0], end)
            else:
                self._finish(Outcome.NOT_APPLICABLE, end, "call_ended")
        if not self.occasion:
            self.conclude(end, Outcome.NOT_APPLICABLE)


# ---------------------------------------------------------------- keep


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


# ---------------------------------------------------------------- tally


class TallyMachine(Machine):
    """Counts in a call, per minute of the party's speech, or inside each window."""

    def __init__(self, rule: Rule, form: Tally, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        self.names = frozenset(form.what.names) | {Happening.SPEECH_END}
        if form.window:
            self.names |= frozenset(form.window.names)
        self._found: list[Occurrence] = []
        self._speech = 0
        self._said = False

    def see(self, seen: Occurrence) -> None:
        if seen.name == Happening.SPEECH_END and seen.by in (self.form.what.by, Channel.MIXED):
            self._speech += seen.end - seen.start
        if self.form.window:
            if self.form.window.matches(seen):
                self._window(seen)
        elif self.form.what.matches(seen) and seen.score >= self.rule.sure:
            self._found.append(seen)
            self._too_often()

    def _minutes(self) -> float:
        return self._speech / self.desk.rate / 60

    def _count(self) -> float:
        n = float(len(self._found))
        return n / self._minutes() if self.form.per is Per.MINUTE and self._speech else n

    def _ready(self) -> bool:
        return self.form.per is Per.CALL or self._minutes() >= self.form.minutes_needed

    def _too_often(self) -> None:
        if self._said or self.form.most is None or not self._ready() or self._count() <= self.form.most:
            return
        self._said = True
        last = self._found[-1]
        evidence = tuple(e for o in self._found[-5:] for e in o.evidence)
        cause = replace(last, value=self._count(), evidence=evidence)
        self.judge(cause, last.start, words=False, facts={"limit": f"{self.form.most:g}"})

    def _window(self, window: Occurrence) -> None:
        need = self.form.least or 0.0
        if self.form.every:
            need = (window.end - window.start) / self.desk.rate // self.form.every
        found = self.desk.seen(self.form.what, window.start, window.end)
        if len(found) >= need:
            self.desk.verdict(self.rule, self.next_occasion(), Outcome.MET, window.end)
            return
        cause = replace(window, by=self.form.what.by, value=float(len(found)))
        self.judge(cause, window.end, words=bool(self.form.what.phrases), facts={"limit": f"{need:g}"})

    def close(self, end: int) -> None:
        if self.form.window:
            if not self.occasion:
                self.conclude(end, Outcome.NOT_APPLICABLE)
            return
        if self._said:
            return
        if self.desk.mixed and self.form.what.by is not None:
            self.conclude(end, Outcome.CANNOT_TELL, "mixed_channel")
        elif not self._ready():
            self.conclude(end, Outcome.NOT_APPLICABLE, "too_short")
        elif self.form.least is not None and self._count() < self.form.least:
            by = self.form.what.by
            cause = Occurrence("tally", by, 0, end, end, value=self._count())
            words = bool(self.form.what.phrases)
            self.judge(cause, end, words=words, facts={"limit": f"{self.form.least:g}"})
        else:
            reason = self.desk.doubtful(0, end, self.form.what.by, words=bool(self.form.what.phrases))
            self.conclude(end, Outcome.CANNOT_TELL if reason else Outcome.MET, reason)
