"""Form `expect`: after A comes B, within a time or before the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from monitor.core.desk import Desk
from monitor.core.forms.machine import SLACK_SECONDS, Machine, of_turn
from monitor.core.rulebook import (
    Expect,
    Happening,
    Occurrence,
    Pattern,
    Rule,
)
from monitor.core.stream import Stream
from monitor.core.types import DueState, Outcome, Review


@dataclass(slots=True)
class _Waiting:
    number: int
    cause: Occurrence
    at: int
    deadline: int | None
    heard: bool = False
    doubt: str = ""
    causes: list[Occurrence] = field(default_factory=list)
    """The cause, and what else of its kind came while we waited: a repetition may be one of any of them."""
    heard_to: int = 0
    """Where we stopped waiting for a phrase that may have begun in time."""


class ExpectMachine(Machine):
    """After A comes B; each A is an occasion. A second A while B is still due belongs to the first."""

    def __init__(self, rule: Rule, form: Expect, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        self.names = frozenset(form.when.names).union({Happening.ENDED}, *(p.names for p in form.then))
        self.party = next((p.by for p in form.then if p.by), None)
        self.words = any(p.phrases or Happening.NUMBER in p.names for p in form.then)
        self.repeats = any(p.same for p in form.then)
        self._waiting: _Waiting | None = None
        self._opened = False

    def see(self, seen: Occurrence) -> None:
        w = self._waiting
        if w and self._answers(w, seen):
            self._answer(w, seen)
        elif w and self.repeats and self._misheard(seen):
            w.doubt = "low_confidence"
        elif w and w.deadline is not None and seen.name == Happening.ENDED and seen.start < w.deadline:
            self._settle(Outcome.NOT_APPLICABLE, seen.start, "call_ended")
        if not (self._opened and self.form.once) or (self._waiting and self.repeats):
            self.on_occasion(self.form.when, seen, self._open)

    def _answers(self, w: _Waiting, seen: Occurrence) -> bool:
        """Whether this is what is due, begun in time."""
        if w.deadline is not None and seen.start > w.deadline:
            return False
        return any(self._earliest(p, w) <= seen.start and p.answers(w.causes, seen) for p in self.form.then)

    def _earliest(self, pattern: Pattern, w: _Waiting) -> int:
        """From where on it counts. A number may be repeated piece by piece, while it is still being said."""
        return (min(w.cause.start, w.at) if pattern.same else w.at) - self.desk.samples(SLACK_SECONDS)

    def _misheard(self, seen: Occurrence) -> bool:
        """Whether this may have been the repetition, had the recogniser been sure of it."""
        return seen.score < self.rule.sure and any(p.same and p.matches(seen) for p in self.form.then)

    def _answer(self, w: _Waiting, seen: Occurrence) -> None:
        if seen.score < self.rule.sure:
            w.doubt = "low_confidence"
        else:
            self._settle(Outcome.MET, seen.start)

    def _open(self, cause: Occurrence, at: int) -> None:
        if self._waiting:
            self._waiting.causes.append(cause)
        if self._waiting or (self._opened and self.form.once):
            return
        self._opened = True
        s = self.desk.samples
        within = self.form.within
        deadline = None if within is None else at + s(within)
        waiting = self._waiting = _Waiting(self.next_occasion(), cause, at, deadline, causes=[cause])
        # What was said before, or while it was not yet certain that this is an occasion.
        for seen in sorted(self._past(waiting), key=lambda o: (o.start, o.end)):
            if self._waiting is waiting and (deadline is None or seen.start <= deadline):
                self._answer(waiting, seen)
        if self._waiting is not waiting:
            return
        if self.form.before is not None and within is None:
            self._fail(cause.start, cause.start - s(self.form.before))
            return
        self.desk.due(self.rule, self.occasion, at, deadline, DueState.PENDING)
        if deadline is not None:
            self.stream.wake(deadline, self.rule.id, lambda _: self._expire(waiting))

    def _past(self, w: _Waiting) -> list[Occurrence]:
        found: list[Occurrence] = []
        for pattern in self.form.then:
            earliest = self._earliest(pattern, w)
            if self.form.before is not None:
                earliest = w.cause.start - self.desk.samples(self.form.before)
            seen = self.desk.seen(pattern, earliest, self.stream.position)
            found += [o for o in seen if pattern.answers(w.causes, o)]
        return found

    def _expire(self, waiting: _Waiting) -> None:
        if waiting is not self._waiting or waiting.deadline is None:
            return
        later = self.still_coming(self.form.then, waiting.deadline, lambda _: self._expire(waiting))
        if later is not None:
            waiting.heard_to = later
            return
        self._fail(waiting.deadline, waiting.at)

    def _fail(self, at: int, start: int) -> None:
        w = self._waiting
        assert w is not None
        if self.excused(min(start, w.at), at):
            self._settle(Outcome.NOT_APPLICABLE, at, "excused")
            return
        until = max(start, at, w.heard_to)
        reason = w.doubt or self.desk.doubtful(min(start, at), until, self.party, words=self.words)
        reason = reason or self._incomparable(w) or self._unmeasured(w) or self.perhaps_excused(min(start, w.at), at)
        if not reason and Happening.ENDED in self.form.when.names and not self.desk.spoken:
            reason = "nothing_heard"  # a call without a single voice says more about the line than about the agent
        if reason:
            self._settle(Outcome.CANNOT_TELL, at, reason)
            return
        cause = replace(w.cause, by=self.party, start=min(start, at), end=max(start, at))
        number, review = w.number, self.review(cause)
        self._settle(Outcome.BROKEN, at, review=review)
        self.tell(number, cause, at, review=review)

    def _incomparable(self, w: _Waiting) -> str:
        """Why it is not known what should have been repeated."""
        if not self.repeats:
            return ""
        return self.desk.doubtful(w.cause.start, w.cause.end, w.cause.by, words=True)

    def _unmeasured(self, w: _Waiting) -> str:
        """Whether the party spoke in time, but never long enough for the measure that is due."""
        last = self.stream.position if w.deadline is None else w.deadline
        for pattern in self.form.then:
            if not of_turn(pattern):
                continue
            low = self._earliest(pattern, w)
            spoke = self.desk.seen(Pattern((Happening.SPEECH_START,), pattern.by), low, last)
            if spoke and not self.desk.seen(Pattern(pattern.names, pattern.by), low, last):
                return "not_measured"
        return ""

    def _settle(self, outcome: Outcome, at: int, reason: str = "", review: Review | None = None) -> None:
        w = self._waiting
        assert w is not None
        self._waiting = None
        self.desk.verdict(self.rule, w.number, outcome, at, reason, review)
        self.desk.due(self.rule, w.number, w.at, w.deadline, DueState.DONE)

    def early(self, seen: Occurrence) -> None:
        w = self._waiting
        if w and not w.heard and self._answers(w, seen):
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
