"""Form `never`: something that must not happen."""

from __future__ import annotations

from monitor.core.desk import Desk
from monitor.core.forms.machine import Machine
from monitor.core.rulebook import (
    MEASURES,
    Happening,
    Never,
    Occurrence,
    Rule,
)
from monitor.core.stream import Stream
from monitor.core.types import AlertState, Outcome, Quality, Review

_BETWEEN_TWO = {Happening.OVERLAP, Happening.BARGE_IN, Happening.INTERRUPTION}


class NeverMachine(Machine):
    """Every occurrence of the thing breaks the rule."""

    def __init__(self, rule: Rule, form: Never, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.what = form.what
        self.names = frozenset(form.what.names)
        if self.windows:
            self.names |= self.windows.names
        self._unknown = False
        self._raised: list[tuple[int, Occurrence]] = []
        self._hangup_known = Happening.HANGUP not in form.what.names

    def see(self, seen: Occurrence) -> None:
        self._hangup_known |= seen.name == Happening.HANGUP
        if seen.quality is Quality.UNKNOWN and seen.name in MEASURES and MEASURES[seen.name].words:
            self._unknown = True  # its value would have told
        for one in self.let_in(seen, self.what):
            self._take(one)

    def _take(self, seen: Occurrence) -> None:
        if not self.what.matches(seen):
            return
        for item in [r for r in self._raised if r[1].end <= seen.start]:
            self._drop(item)
        confirmed = [r for r in self._raised if r[1].start < seen.end]
        self._raised = [r for r in self._raised if r not in confirmed]
        self.judge(seen, seen.start, words=bool(self.what.phrases))
        for number, cause in confirmed:
            self._clear(number, cause)

    def early(self, seen: Occurrence) -> None:
        doubtful = seen.score < self.rule.sure or self.rule.excuses or self.desk.mixed
        if doubtful or not self.what.matches(seen) or not self.desk.allowed(self.rule, seen.start):
            return
        if self.windows and not self.windows.number(seen.start):
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
        if number in self.told:
            return  # it was confirmed, or something else was under its number
        review = self.review(cause)
        self.desk.alert(self.rule, number, cause, cause.start, state=AlertState.CLEARED, review=review)

    def doubts(self, cause: Occurrence, words: bool) -> str:
        if self.desk.mixed and self.what.by is not None:
            return "mixed_channel"
        if cause.quality is Quality.UNKNOWN:
            return "not_measured"
        if cause.score < self.rule.sure:
            return "low_confidence"
        # What was heard was heard: lost audio elsewhere, or unknown words, do not unsay it.
        return self.desk.doubtful(cause.start, cause.end, cause.by, words=False) if cause.end > cause.start else ""

    def close(self, end: int) -> None:
        for item in list(self._raised):
            self._drop(item)
        if self.occasion or self.never_open(end):
            return
        reason = self.doubtful_at_all(end, self.what.by, words=bool(self.what.phrases))
        if not reason and self.desk.mixed and _BETWEEN_TWO & set(self.what.names):
            reason = "mixed_channel"
        if not reason and (self._unknown or not self._hangup_known):
            reason = "not_measured"  # nobody told who hung up
        if reason:
            self.conclude(end, Outcome.CANNOT_TELL, reason)
            return
        review = self.review(Occurrence(self.what.names[0], self.what.by, 0, end, end))
        # That the fast ear alone heard whole stretches is no reason to doubt every rule that was kept.
        self.conclude(end, Outcome.MET, review=None if review is Review.FAST_EAR_ONLY else review)
