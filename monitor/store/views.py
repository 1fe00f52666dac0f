"""What the store takes and gives, and how rows become it. Seconds here; samples stay in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from sqlalchemy import RowMapping

Texts = dict[str, str]
"""The same text by language: ``{"zh": ..., "en": ...}``."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as the runner knows it. ``started`` is the ISO wall time of position 0, with its offset;
    ``position`` counts the samples heard so far; ``phase`` is ringing, talking, held, interrupted or
    ended. ``customer`` is a digest (``monitor.store.customers``)."""

    id: str
    started: str
    rate: int
    channels: tuple[str, ...]
    agent: str | None = None
    direction: str = "inbound"
    packs: tuple[str, ...] = ()
    source: str = ""
    phase: str = "talking"
    position: int = 0
    model: str = ""
    version: str = ""
    journal: str | None = None
    recording: str | None = None
    journal_head: str | None = None
    customer: str | None = None


class Counts(TypedDict):
    """Alerts of a call that were not cleared."""

    critical: int
    warning: int
    note: int


class Outcomes(TypedDict):
    met: int
    broken: int
    cannot_tell: int


class CallSummary(TypedDict):
    id: str
    agent: str | None
    direction: str
    packs: list[str]
    source: str
    started: str
    seconds: float
    phase: str
    counts: Counts
    outcome: Outcomes


class Ack(TypedDict):
    by: str
    at: str


class EvidenceView(TypedDict):
    channel: str
    text: str
    start: float
    end: float
    match: str


class AlertView(TypedDict):
    """An alert as screens show it; positions in seconds, ``ack``, ``comment`` and ``right`` from its last
    reviews."""

    id: str
    call: str
    rule: str
    occasion: int
    severity: str
    state: str
    channel: str | None
    start: float
    end: float
    at: float
    raised_at: float
    review: str | None
    message: Texts
    title: Texts
    advice: Texts
    clause: str | None
    evidence: list[EvidenceView]
    ack: Ack | None
    comment: str | None
    right: bool | None


class Review(TypedDict):
    """One thing that a person said about an alert."""

    kind: str
    by: str
    at: str
    text: str | None
    right: bool | None


class VerdictView(TypedDict):
    rule: str
    occasion: int
    outcome: str
    at: float
    reason: str
    review: str | None


class WordView(TypedDict):
    text: str
    start: float
    end: float
    confidence: float


class LineView(TypedDict):
    channel: str
    segment: int
    start: float
    end: float
    text: str
    words: list[WordView]


def utc_text(moment: datetime) -> str:
    """UTC in the one form that the tables hold; raises ``ValueError`` for a time without its offset."""
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment.isoformat()} has no offset; write it like 2026-01-31T08:00:00+08:00")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """An ISO time with its offset; raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text} has no offset; write it like 2026-01-31T08:00:00+08:00")
    return moment


def call_row(row: RowMapping) -> CallRow:
    """A row of ``calls`` as it was saved."""
    return CallRow(**{**row, "packs": tuple(row["packs"]), "channels": tuple(row["channels"])})


def call_summary(row: RowMapping, counts: Mapping[str, int], outcome: Mapping[str, int]) -> CallSummary:
    """A row of ``calls`` with its counted alerts and verdicts."""
    return {
        "id": row["id"],
        "agent": row["agent"],
        "direction": row["direction"],
        "packs": list(row["packs"]),
        "source": row["source"],
        "started": row["started"],
        "seconds": row["position"] / row["rate"],
        "phase": row["phase"],
        "counts": {name: counts.get(name, 0) for name in ("critical", "warning", "note")},  # type: ignore[typeddict-item]
        "outcome": {name: outcome.get(name, 0) for name in ("met", "broken", "cannot_tell")},  # type: ignore[typeddict-item]
    }


def alert_view(row: RowMapping, reviews: Iterable[Review]) -> AlertView:
    """A row of ``alerts`` joined with ``rate``, and its reviews in the order they were given."""
    rate: int = row["rate"]
    ack: Ack | None = None
    comment: str | None = None
    right: bool | None = None
    for review in reviews:
        if review["kind"] == "acknowledge":
            ack = {"by": review["by"], "at": review["at"]}
        elif review["kind"] == "comment":
            comment = review["text"]
        else:
            right = review["right"]
    return {
        "id": row["id"],
        "call": row["call"],
        "rule": row["rule"],
        "occasion": row["occasion"],
        "severity": row["severity"],
        "state": row["state"],
        "channel": row["channel"],
        "start": row["start"] / rate,
        "end": row["end"] / rate,
        "at": row["at"] / rate,
        "raised_at": row["raised_at"] / rate,
        "review": row["review"],
        "message": row["message"],
        "title": row["title"],
        "advice": row["advice"],
        "clause": row["clause"],
        "evidence": [_evidence(found, rate) for found in row["evidence"]],
        "ack": ack,
        "comment": comment,
        "right": right,
    }


def _evidence(found: dict[str, Any], rate: int) -> EvidenceView:
    return {
        "channel": found["channel"],
        "text": found["text"],
        "start": found["start"] / rate,
        "end": found["end"] / rate,
        "match": found["match"],
    }


def review_view(row: RowMapping) -> Review:
    """A row of ``reviews``."""
    return {"kind": row["kind"], "by": row["by"], "at": row["at"], "text": row["text"], "right": row["right"]}


def line_view(row: RowMapping, rate: int) -> LineView:
    """A row of ``lines`` of a call at ``rate``."""
    words: list[list[Any]] = row["words"]
    return {
        "channel": row["channel"],
        "segment": row["segment"],
        "start": row["start"] / rate,
        "end": row["end"] / rate,
        "text": row["text"],
        "words": [
            {"text": text, "start": start / rate, "end": end / rate, "confidence": confidence}
            for text, start, end, confidence in words
        ],
    }
