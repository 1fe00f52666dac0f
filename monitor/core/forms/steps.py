"""Form `steps`: an ordered list of expectations with their gaps."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.desk import Desk
from monitor.core.forms.machine import SLACK_SECONDS, Machine
from monitor.core.rulebook import (
    MEASURES,
    Happening,
    Occurrence,
    Rule,
    Step,
    Steps,
)
from monitor.core.stream import Stream
from monitor.core.types import DueState, Outcome, Review


class StepsMachine(Machine):
    """After A the steps follow one another; the first that is missing, or comes too early, breaks the rule."""

    def __init__(self, rule: Rule, form: Steps, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        patterns = [form.when, *(p for s in form.steps for p in s.what)] + ([form.until] if form.until else [])
        self.names = frozenset({Happening.ENDED}).union(*(p.names for p in patterns))
        self._cause: Occurrence | None = None
        self._index = 0
        self._since = 0
        self._opened = False
        self._doubt = ""
        self._heard_to = 0  # where we stopped waiting for a phrase that may have begun in time

    def see(self, seen: Occurrence) -> None:
        if self._cause and self.form.until and self.form.until.matches(seen) and not seen.faint:
            self._finish(Outcome.NOT_APPLICABLE, seen.start, "interrupted")
        elif self._cause:
            index = self._index
            self._advance(seen)
            # What is known only when it is over may come after the step that follows it.
            if self._index != index and (seen.name == Happening.NUMBER or seen.name in MEASURES):
                self._catch_up()
        if self._cause and seen.name == Happening.ENDED:
            self._call_ended(seen.start)
        if self._cause is None and not (self._opened and self.form.once):
            self.on_occasion(self.form.when, seen, self._begin)

    def _begin(self, cause: Occurrence, _certain: int) -> None:
        at = cause.end  # steps are counted from the occasion, not from when it was certain
        if self._cause or (self._opened and self.form.once):
            return
        self._opened = True
        self._cause = cause
        self._index = 0
        self._since = at
        self._doubt, self._heard_to = "", 0
        self.next_occasion()
        self._arm()
        self._catch_up()

    def _catch_up(self) -> None:
        """Steps that were taken while we waited to be sure of what comes before count; each occurrence is one step."""
        if self._cause is None:
            return
        earliest = self._since - self.desk.samples(SLACK_SECONDS)
        patterns = [p for s in self.form.steps[self._index :] for p in s.what]
        past = {id(o): o for p in patterns for o in self.desk.seen(p, earliest, self.stream.position)}
        for seen in sorted(past.values(), key=lambda o: (o.start, o.end)):
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
        later = self.still_coming(step.what, deadline, lambda _: self._expire(token, deadline))
        if later is not None:
            self._heard_to = later
            return
        if step.optional:
            self._next(deadline)
        else:
            self._missing(step, deadline)

    def _advance(self, seen: Occurrence) -> None:
        for index in range(self._index, len(self.form.steps)):
            step = self.form.steps[index]
            if self._cause and any(p.answers((self._cause,), seen) for p in step.what):
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
        if seen.score < self.rule.sure:
            self._doubt = "low_confidence"
            return
        if seen.start < self._since + s(step.after) - s(SLACK_SECONDS):
            self._missing(step, seen.start, "early")
            return
        self._index = index
        self._next(seen.end)

    def _next(self, since: int) -> None:
        self._index += 1
        self._since = since
        self._doubt, self._heard_to = "", 0
        if self._index == len(self.form.steps):
            self._finish(Outcome.MET, since)
        else:
            self._arm()

    def _missing(self, step: Step, at: int, how: str = "missing") -> None:
        cause = self._cause
        assert cause is not None
        party = next((p.by for p in step.what if p.by), None)
        words = any(p.phrases or Happening.NUMBER in p.names for p in step.what)
        if self.excused(cause.start, at):
            self._finish(Outcome.NOT_APPLICABLE, at, "excused")
            return
        reason = self._doubt or self.desk.doubtful(self._since, max(at, self._heard_to), party, words=words)
        reason = reason or self.perhaps_excused(cause.start, at)
        if reason:
            self._finish(Outcome.CANNOT_TELL, at, reason)
            return
        start, number = self._since, self.occasion
        found = replace(cause, by=party, start=start, end=max(at, start))
        review = self.review(replace(found, start=cause.start))  # the steps that were taken count as well
        self._finish(Outcome.BROKEN, at, f"{how}:{step.name}", review)
        self.tell(number, found, at, {"step": step.name}, review)

    def _finish(self, outcome: Outcome, at: int, reason: str = "", review: Review | None = None) -> None:
        self._cause = None
        self.desk.verdict(self.rule, self.occasion, outcome, at, reason, review)
        self.desk.due(self.rule, self.occasion, at, None, DueState.DONE)

    def _call_ended(self, end: int) -> None:
        left = [s for s in self.form.steps[self._index :] if not s.optional]
        if not left:
            self._finish(Outcome.MET, end)
        elif left[0].within is None or self._since + self.desk.samples(left[0].within) <= end:
            self._missing(left[0], end)
        else:
            self._finish(Outcome.NOT_APPLICABLE, end, "call_ended")

    def close(self, end: int) -> None:
        if self._cause:
            self._call_ended(end)
        if not self.occasion:
            self.conclude(end, Outcome.CANNOT_TELL if self.unsure else Outcome.NOT_APPLICABLE, self.unsure)
