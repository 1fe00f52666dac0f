"""Form `tally`: how often something happens."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.desk import Desk
from monitor.core.forms.machine import Machine
from monitor.core.rulebook import (
    Happening,
    Occurrence,
    Per,
    Rule,
    Tally,
)
from monitor.core.stream import Stream
from monitor.core.types import Channel, Outcome


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
