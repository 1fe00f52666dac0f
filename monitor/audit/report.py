"""The report of a call (schema 1): what an auditor reads and other programs take in.

Made from the events alone, so a report of a live call, of its replayed recording and of its journal are the same.
All positions are seconds of call audio. ``review`` of an alert or verdict is null, or the code that says why a person
should listen again (``monitor.core.types.Review``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitor.core.masker import masked
from monitor.core.phrases import is_faint
from monitor.core.rulebook import MEASURES
from monitor.core.types import (
    Alert,
    AlertState,
    Channel,
    Event,
    Gap,
    Heard,
    Measured,
    Phase,
    PhaseChanged,
    PhraseHit,
    Quality,
    Review,
    SpeechEnded,
    TurnEnded,
    Verdict,
)
from monitor.wire import join_words

SCHEMA = 1

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the events do not say about a call. ``samples`` is its length, ``model`` None without recognition."""

    id: str
    source: str
    rate: int
    samples: int
    channels: tuple[Channel, ...]
    packs: tuple[str, ...]
    model: str | None
    version: str


def build_report(facts: CallFacts, events: Iterable[Event], *, mask: bool = True) -> Json:
    """The report as JSON-ready data; ``mask`` hides personal numbers in words and findings."""
    book = _Book(facts.rate)
    for event in masked(events, facts.rate) if mask else events:
        book.take(event)
    return {
        "schema": SCHEMA,
        "call": {
            "id": facts.id,
            "source": facts.source,
            "seconds": book.seconds(facts.samples),
            "rate": facts.rate,
            "channels": [c.value for c in facts.channels],
            "packs": list(facts.packs),
            "model": facts.model,
            "version": facts.version,
        },
        "alerts": book.alerts(),
        "verdicts": book.verdicts,
        "metrics": book.metrics(),
        "turns": book.turns(),
        "transcript": book.transcript(),
        "phases": sorted(book.phases, key=lambda p: float(p["at"])),
        "gaps": book.gaps,
    }


class _Book:
    """Collects events of a call under the headings of the report."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._alerts: dict[tuple[str, int], Alert] = {}
        self.verdicts: list[Json] = []
        self.phases: list[Json] = []
        self.gaps: list[Json] = []
        self._turns: list[TurnEnded] = []
        self._paces: dict[tuple[Channel | None, int], float] = {}
        self._measured: dict[str, list[Measured]] = {}
        self._heard: list[Heard] = []
        self._speech: dict[Channel, int] = {}
        self._phrases: dict[tuple[str, Channel], int] = {}

    def seconds(self, samples: int) -> float:
        return round(samples / self._rate, 3)

    def take(self, event: Event) -> None:
        match event:
            case Alert():
                self._alerts[event.rule, event.occasion] = event
            case Verdict():
                at = self.seconds(event.at)
                verdict = {"rule": event.rule, "occasion": event.occasion, "outcome": event.outcome.value}
                self.verdicts.append({**verdict, "at": at, "reason": event.reason, "review": _code(event.review)})
            case Measured():
                self._measured.setdefault(event.name, []).append(event)
                if event.name == "turn_pace":
                    self._paces[event.channel, event.start] = event.value
            case TurnEnded():
                self._turns.append(event)
            case SpeechEnded():
                self._speech[event.channel] = self._speech.get(event.channel, 0) + event.at - event.start
            case Heard() if event.settled:
                self._heard.append(event)
            case PhraseHit() if not is_faint(event):
                key = (event.phrase, event.channel)
                self._phrases[key] = self._phrases.get(key, 0) + 1
            case PhaseChanged():
                self._phase(event)
            case Gap():
                span = {"start": self.seconds(event.start), "end": self.seconds(event.end)}
                self.gaps.append({**span, "reason": event.reason})

    def _phase(self, event: PhaseChanged) -> None:
        by = event.by.value if event.phase is Phase.ENDED and event.by else None
        at = self.seconds(event.at)
        self.phases.append({"phase": event.phase.value, "at": at, "inferred": event.inferred, "by": by})

    def alerts(self) -> list[Json]:
        """Alerts as they ended; one that was never confirmed counts as cleared."""
        found = sorted(self._alerts.values(), key=lambda a: (a.at, a.rule, a.occasion))
        return [self._alert(a) for a in found]

    def _alert(self, a: Alert) -> Json:
        confirmed = a.state is AlertState.CONFIRMED
        return {
            "rule": a.rule,
            "occasion": a.occasion,
            "severity": a.severity.value,
            "state": (AlertState.CONFIRMED if confirmed else AlertState.CLEARED).value,
            "channel": a.channel.value if a.channel else None,
            "start": self.seconds(a.start),
            "end": self.seconds(a.end),
            "at": self.seconds(a.at),
            "raised_at": self.seconds(a.raised_at),
            "message": a.message,
            "review": _code(a.review),
            "evidence": [
                {
                    "channel": e.channel.value,
                    "text": e.text,
                    "start": self.seconds(e.start),
                    "end": self.seconds(e.end),
                    "match": e.match.value,
                }
                for e in a.evidence
            ],
        }

    def metrics(self) -> Json:
        """Every measure of the design: its values, a summary for each party, and how far it can be trusted."""
        out: Json = {name: self._metric(name, self._measured.get(name, [])) for name in MEASURES if name != "turn"}
        talk = [{"channel": c.value, "seconds": self.seconds(n)} for c, n in sorted(self._speech.items())]
        out["talk"] = {"unit": "s", "quality": Quality.EXACT.value, "summary": talk}
        said = [
            {"phrase": phrase, "channel": channel.value, "count": count}
            for (phrase, channel), count in sorted(self._phrases.items())
        ]
        out["phrases"] = {"unit": "count", "quality": Quality.EXACT.value, "summary": said}
        return out

    def _metric(self, name: str, values: list[Measured]) -> Json:
        known = [m for m in values if m.quality is not Quality.UNKNOWN]
        inferred = any(m.quality is Quality.INFERRED for m in known)
        quality = Quality.UNKNOWN if not known else Quality.INFERRED if inferred else Quality.EXACT
        parties = sorted({m.channel for m in known}, key=str)
        return {
            "unit": MEASURES[name].unit,
            "quality": quality.value,
            "summary": [self._summary(c, [m for m in known if m.channel is c]) for c in parties],
            "values": [
                {
                    "channel": m.channel.value if m.channel else None,
                    "start": self.seconds(m.start),
                    "end": self.seconds(m.end),
                    "value": round(m.value, 3),
                    "quality": m.quality.value,
                }
                for m in sorted(known, key=lambda m: (m.start, m.end, str(m.channel)))
            ],
        }

    def _summary(self, channel: Channel | None, values: list[Measured]) -> Json:
        numbers = [m.value for m in values]
        return {
            "channel": channel.value if channel else None,
            "count": len(numbers),
            "mean": round(sum(numbers) / len(numbers), 3),
            "min": round(min(numbers), 3),
            "max": round(max(numbers), 3),
        }

    def turns(self) -> list[Json]:
        """Turns in order, with the counted pace where there were words enough."""
        found = sorted(self._turns, key=lambda t: (t.start, t.channel))
        return [
            {
                "channel": t.channel.value,
                "start": self.seconds(t.start),
                "end": self.seconds(t.end),
                "pace": round(pace, 1) if (pace := self._paces.get((t.channel, t.start))) is not None else None,
            }
            for t in found
        ]

    def transcript(self) -> list[Json]:
        """Settled segments with words, in order."""
        found = sorted((h for h in self._heard if h.words), key=lambda h: (h.start, h.channel))
        return [
            {
                "channel": h.channel.value,
                "start": self.seconds(h.start),
                "end": self.seconds(h.end),
                "text": join_words(h.words),
                "words": [
                    {"text": w.text, "start": self.seconds(w.start), "end": self.seconds(w.end)} for w in h.words
                ],
            }
            for h in found
        ]


def _code(review: Review | None) -> str | None:
    return None if review is None else review.value
