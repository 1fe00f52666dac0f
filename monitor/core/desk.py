"""The desk of the rule engine: what rules share, and where their findings are written.

It keeps what is doubtful (lost audio, words that were never recognised), what was lately seen (rules look back),
who is in the middle of a turn, and it turns findings into events: verdicts once, alerts as often as is useful.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from monitor.core.needs import MEMORY_SECONDS as MEMORY_SECONDS
from monitor.core.needs import Span
from monitor.core.review import Splits
from monitor.core.rulebook import Happening, Occurrence, Pattern, Quiet, Rule
from monitor.core.stream import Stream
from monitor.core.types import (
    Alert,
    AlertState,
    Channel,
    Due,
    DueState,
    Event,
    Evidence,
    Outcome,
    Review,
    Severity,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """From ``start`` to ``end`` something could not be heard: ``words`` only, or anything at all."""

    start: int
    end: int
    channel: Channel | None
    words: bool
    reason: str


class Desk:
    """Shared state of all rules of a call.

    ``now`` is how far the audio had got when words or signals last came (set by the engine).
    """

    def __init__(self, rate: int, mixed: bool, stream: Stream) -> None:
        self.rate = rate
        self._stream = stream
        self.mixed = mixed
        self.now = 0
        self.events: list[Event] = []
        self.turn_since: dict[Channel, int | None] = {}
        self.spoken: set[Channel] = set()
        self.number_since: dict[Channel, int] = {}
        """Since when a party has been saying digits, as long as the number is not over."""
        self.splits = Splits(rate)
        self._doubts: list[Doubt] = []
        self._memory: dict[str, deque[Occurrence]] = defaultdict(deque)
        self._remembered: frozenset[str] = frozenset()
        self._verdicts: set[tuple[str, int]] = set()
        self._alerts: dict[str, int] = {}
        self._last_alert: dict[str, int] = {}

    def samples(self, seconds: float) -> int:
        """Seconds as a count of samples."""
        return round(seconds * self.rate)

    # -- what is known and what is not

    def doubt(self, start: int, end: int, channel: Channel | None, *, words: bool, reason: str) -> None:
        """Note that a stretch could not be heard; one that goes on where the last one ended is one with it."""
        for place in range(len(self._doubts) - 1, max(len(self._doubts) - 3, -1), -1):
            last = self._doubts[place]
            same = last.channel is channel and last.words is words and last.reason == reason
            if same and last.start <= start <= last.end:
                if end > last.end:
                    self._doubts[place] = Doubt(last.start, end, channel, words, reason)
                return
        self._doubts.append(Doubt(start, end, channel, words, reason))

    def doubtful(self, start: int, end: int, channel: Channel | None, *, words: bool) -> str:
        """Why ``start``..``end`` cannot be judged; empty when it can. ``words``: recognised words are needed."""
        found = [
            d
            for d in self._doubts
            if (words or not d.words)
            and (channel is None or d.channel in (None, channel, Channel.MIXED))
            and d.start < end
            and d.end > start
        ]
        # The earliest, whatever the order in which they became known.
        return min(found, key=lambda d: (d.start, d.end, d.reason)).reason if found else ""

    def review(self, spans: tuple[Span, ...], cause: Occurrence, spare: int = 0) -> Review | None:
        """Why a finding should be reviewed: its ``cause`` with its proofs turns on what one ear alone heard."""
        start = min([cause.start, *(e.start for e in cause.evidence)])
        return self.splits.review(spans, start, cause.end, self._stream.position, spare)

    def remember(self, names: frozenset[str]) -> None:
        """Say which occurrences rules will look back for."""
        self._remembered |= names

    def note(self, seen: Occurrence) -> None:
        """Take an occurrence into the memory, in stream order."""
        if seen.name not in self._remembered:
            return
        kept = self._memory[seen.name]
        kept.append(seen)
        horizon = seen.known - self.samples(MEMORY_SECONDS)
        while kept[0].known < horizon:
            kept.popleft()

    def seen(self, pattern: Pattern, start: int, end: int) -> list[Occurrence]:
        """Occurrences that match and begin within ``start``..``end``, both inclusive."""
        return [
            o
            for name in pattern.names
            for o in self._memory.get(name, ())
            if start <= o.start <= end and pattern.matches(o)
        ]

    def in_turn(self, party: Channel | None, position: int) -> bool:
        """Whether the party (anybody for None) is in a turn that began by ``position``."""
        who = [party, Channel.MIXED] if party else list(self.turn_since)
        return any((since := self.turn_since.get(c)) is not None and since <= position for c in who if c)

    def in_number(self, party: Channel | None, position: int) -> bool:
        """Whether the party (anybody for None) is saying a number that it began by ``position``."""
        who = [party, Channel.MIXED] if party else list(self.number_since)
        return any((since := self.number_since.get(c)) is not None and since <= position for c in who if c)

    def kept_quiet(self, quiet: Quiet, since: int, until: int) -> bool:
        """Whether the party said nothing from ``since`` to ``until`` (or ever, when the pattern asks for it)."""
        if self.in_turn(quiet.by, until) or (quiet.so_far and quiet.by in self.spoken):
            return False
        if self.seen(Pattern((Happening.SPEECH_START,), quiet.by), since, until):
            return False
        begun_before = self.seen(Pattern((Happening.SPEECH_END,), quiet.by), 0, since)
        return not any(o.end > since for o in begun_before)

    # -- findings

    def due(self, rule: Rule, occasion: int, at: int, deadline: int | None, state: DueState) -> None:
        self.events.append(Due(rule.id, occasion, at, deadline, state))

    def verdict(
        self,
        rule: Rule,
        occasion: int,
        outcome: Outcome,
        at: int,
        reason: str = "",
        review: Review | None = None,
    ) -> None:
        """Give the verdict of an occasion; a second one for the same occasion is a defect of the engine."""
        key = (rule.id, occasion)
        if key in self._verdicts:
            raise AssertionError(f"two verdicts for {rule.id} on occasion {occasion}")
        self._verdicts.add(key)
        self.events.append(Verdict(rule.id, occasion, outcome, at, reason, review))

    def allowed(self, rule: Rule, at: int) -> bool:
        """Whether the rule's frequency limit leaves room for another alert at ``at``."""
        if self._alerts.get(rule.id, 0) >= rule.frequency.per_call:
            return False
        last = self._last_alert.get(rule.id)
        return last is None or at - last >= self.samples(rule.frequency.every)

    def count(self, rule: Rule, at: int) -> None:
        """Book an alert against the rule's frequency limit."""
        self._alerts[rule.id] = self._alerts.get(rule.id, 0) + 1
        self._last_alert[rule.id] = at

    def alert(
        self,
        rule: Rule,
        occasion: int,
        cause: Occurrence,
        at: int,
        *,
        state: AlertState = AlertState.CONFIRMED,
        severity: Severity | None = None,
        facts: dict[str, str] | None = None,
        review: Review | None = None,
    ) -> None:
        """Write an alert; ``facts`` fill the braces of the rule's message."""
        words = {"value": _number(cause.value), "text": _quote(cause.evidence), **(facts or {})}
        self.events.append(
            Alert(
                rule=rule.id,
                occasion=occasion,
                severity=severity or rule.severity,
                state=state,
                channel=cause.by,
                start=cause.start,
                end=cause.end,
                at=at,
                raised_at=max(self.now, self._stream.position, at),
                message={lang: _fill(text, words) for lang, text in rule.message.items()},
                evidence=cause.evidence,
                review=review,
            )
        )

    def say(self, event: Event) -> None:
        """Publish what a measure found."""
        self.events.append(event)

    def take(self) -> list[Event]:
        """Hand over what was written since the last call."""
        out, self.events = self.events, []
        return out


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"


def _quote(evidence: tuple[Evidence, ...]) -> str:
    return " … ".join(e.text for e in evidence)


def _fill(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text
