"""Form `tally`: how often something happens."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from monitor.core.desk import Desk
from monitor.core.forms.machine import Machine
from monitor.core.rulebook import (
    Happening,
    Occurrence,
    Pattern,
    Per,
    Rule,
    Tally,
)
from monitor.core.stream import Stream
from monitor.core.types import Channel, Outcome, Quality


class TallyMachine(Machine):
    """Counts in a call, per minute of the party's speech, or inside each window."""

    def __init__(self, rule: Rule, form: Tally, desk: Desk, stream: Stream) -> None:
        super().__init__(rule, desk, stream)
        self.form = form
        self.names = frozenset(form.what.names) | {Happening.SPEECH_START, Happening.SPEECH_END}
        if form.window:
            self.names |= frozenset(form.window.names)
        if self.windows:
            self.names |= self.windows.names
        self._found: list[Occurrence] = []
        self._speech = 0
        self._spans: list[tuple[int, int]] = []  # of speech, where only some of it counts
        self._speaking: dict[Channel | None, int] = {}
        self._doubtful = 0
        self._said = False

    def see(self, seen: Occurrence) -> None:
        if self.form.what.by is None or seen.by in (self.form.what.by, Channel.MIXED):
            self._listen(seen)
        for one in self.let_in(seen, self.form.what):
            if self.form.what.matches(one):
                self._take(one)
        if self.form.window and self.form.window.matches(seen):
            if self.windows is None or self.windows.number(seen.start):
                self._window(self.form.window, seen)

    def _take(self, seen: Occurrence) -> None:
        if seen.score < self.rule.sure:
            self._doubtful += 1
        else:
            self._found.append(seen)
            self._too_often(seen)

    def _listen(self, seen: Occurrence) -> None:
        if seen.name == Happening.SPEECH_START:
            self._speaking[seen.by] = seen.start
        elif seen.name == Happening.SPEECH_END:
            since = self._speaking.pop(seen.by, seen.start)
            self._speech += seen.end - since
            if self.windows:
                self._spans.append((since, seen.end))

    def _minutes(self, now: int) -> float:
        if self.windows:
            spans = [*self._spans, *((since, now) for since in self._speaking.values())]
            return sum(self.windows.inside(low, high) for low, high in spans) / self.desk.rate / 60
        going_on = sum(max(0, now - since) for since in self._speaking.values())
        return (self._speech + going_on) / self.desk.rate / 60

    def _count(self, now: int) -> float:
        n = float(len(self._found))
        minutes = self._minutes(now)
        return n / minutes if self.form.per is Per.MINUTE and minutes else n

    def _ready(self, now: int) -> bool:
        return self.form.per is Per.CALL or self._minutes(now) >= self.form.minutes_needed

    def _too_often(self, last: Occurrence) -> None:
        if self._said or self.form.most is None or self.form.window:
            return
        count = self._count(last.end)
        if not self._ready(last.end) or count <= self.form.most:
            return
        self._said = True
        evidence = tuple(e for o in self._found[-5:] for e in o.evidence)
        cause = replace(last, value=count, evidence=evidence)
        spare = self._spare(count - self.form.most, last.end)
        self.judge(cause, last.start, words=False, facts={"limit": f"{self.form.most:g}"}, spare=spare)

    def _spare(self, off: float, now: int) -> int:
        """Occurrences more or less that leave a count, which is ``off`` its limit, on the wrong side of it."""
        by_minute = self.form.per is Per.MINUTE and self._minutes(now)
        return ceil(round(off * (by_minute or 1), 6)) - 1

    def _window(self, pattern: Pattern, window: Occurrence) -> None:
        need = self.form.least or 0.0
        if self.form.every:
            need = (window.end - window.start) / self.desk.rate // self.form.every
        found = [o for o in self._found if window.start <= o.start <= window.end]
        most = self.form.most
        if len(found) >= need and (most is None or len(found) <= most):
            self.desk.verdict(self.rule, self.next_occasion(), Outcome.MET, window.end)
            return
        limit = need if len(found) < need or most is None else most
        cause = replace(window, by=self.form.what.by, value=float(len(found)))
        if self.desk.mixed and pattern.by is not None:
            cause = replace(cause, quality=Quality.UNKNOWN)  # whose window it was is not known
        facts, spare = {"limit": f"{limit:g}"}, ceil(abs(len(found) - limit)) - 1
        self.judge(cause, window.end, words=bool(self.form.what.phrases), facts=facts, spare=spare)

    def close(self, end: int) -> None:
        words, by = bool(self.form.what.phrases), self.form.what.by
        if self.form.window:
            if not self.occasion and not self.never_open(end):
                self.conclude(end, Outcome.NOT_APPLICABLE)
            return
        if self._said:
            return
        if self.desk.mixed and by is not None:
            self.conclude(end, Outcome.CANNOT_TELL, "mixed_channel")
        elif self.never_open(end):
            return
        elif not self._ready(end):
            self.conclude(end, Outcome.NOT_APPLICABLE, "too_short")
        elif self.form.least is not None and self._count(end) < self.form.least:
            score = 0.0 if self._doubtful else 1.0  # what may have been said might have been enough
            low, high = self._reach(end)
            cause = Occurrence("tally", by, low, high, end, value=self._count(end), score=score)
            spare = self._spare(self.form.least - cause.value, end)
            self.judge(cause, end, words=words, facts={"limit": f"{self.form.least:g}"}, spare=spare)
        else:
            reason = self.doubtful_at_all(end, by, words=words)
            self.conclude(end, Outcome.CANNOT_TELL if reason else Outcome.MET, reason)

    def _reach(self, end: int) -> tuple[int, int]:
        """From where to where it was counted."""
        spans = self.windows.spans(end) if self.windows else []
        return (spans[0][0], spans[-1][1]) if spans else (0, end)
