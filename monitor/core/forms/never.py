"""Form `never`: something that must not happen."""

from __future__ import annotations

from monitor.core.desk import Desk
from monitor.core.forms.machine import Machine
from monitor.core.rulebook import (
    Happening,
    Never,
    Occurrence,
    Rule,
)
from monitor.core.stream import Stream
from monitor.core.types import AlertState, Outcome, Quality


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
