"""Events of calls as rows of the tables; no database here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor.core.types import Alert, AlertState, Event, Heard, Verdict, Word
from monitor.store.views import utc_text
from monitor.wire import join_words

Describe = Callable[[str], Mapping[str, Any]]
"""Rule ("pack/id") to its ``title``, ``advice`` (both by language) and ``clause`` ("manual/id" or None)."""

Row = dict[str, Any]
LineKey = tuple[str, str, int]
"""Call, channel, segment."""


@dataclass(frozen=True, slots=True)
class CallClock:
    """What turns positions of a call into wall time: its first instant and its rate."""

    started: datetime
    rate: int

    def wall(self, position: int) -> str:
        """The wall time of a position, as the tables hold it."""
        return utc_text(self.started + timedelta(seconds=position / self.rate))


@dataclass(slots=True)
class Rows:
    """Rows by natural key, so that a key comes once however often the events speak of it."""

    alerts: dict[str, Row] = field(default_factory=dict)
    verdicts: dict[tuple[str, str, int], Row] = field(default_factory=dict)
    lines: dict[LineKey, Row] = field(default_factory=dict)

    def add(self, call: str, clock: CallClock, events: Sequence[Event], describe: Describe | None) -> None:
        """Take what the store keeps of a call's events, in their order."""
        for event in events:
            if isinstance(event, Alert):
                row = alert_row(call, clock, event, describe)
                known = self.alerts.get(row["id"])
                if known is None or not falls_back(known["state"], row["state"]):
                    self.alerts[row["id"]] = row
            elif isinstance(event, Verdict):
                self.verdicts[(call, event.rule, event.occasion)] = verdict_row(call, event)
            elif isinstance(event, Heard) and event.settled:
                row = line_row(call, event)
                key = (call, row["channel"], event.segment)
                self.lines[key] = merged(self.lines[key], row) if key in self.lines else row


def falls_back(known: str, new: str) -> bool:
    """Whether an alert already decided would be only raised again, which a replay does for a moment."""
    return new == AlertState.RAISED and known != AlertState.RAISED


def alert_id(call: str, rule: str, occasion: int) -> str:
    """The natural key of an alert as one string."""
    return f"{call}~{rule}~{occasion}"


def alert_row(call: str, clock: CallClock, alert: Alert, describe: Describe | None) -> Row:
    """A row of ``alerts``; without ``describe`` the title is the message and there is no advice."""
    told = describe(alert.rule) if describe else {}
    return {
        "id": alert_id(call, alert.rule, alert.occasion),
        "call": call,
        "rule": alert.rule,
        "occasion": alert.occasion,
        "severity": str(alert.severity),
        "state": str(alert.state),
        "channel": None if alert.channel is None else str(alert.channel),
        "start": alert.start,
        "end": alert.end,
        "at": alert.at,
        "raised_at": alert.raised_at,
        "raised": clock.wall(alert.raised_at),
        "review": None if alert.review is None else str(alert.review),
        "message": dict(alert.message),
        "title": dict(told.get("title") or alert.message),
        "advice": dict(told.get("advice") or {}),
        "clause": told.get("clause"),
        "evidence": [
            {
                "channel": str(found.channel),
                "text": found.text,
                "start": found.start,
                "end": found.end,
                "match": str(found.match),
            }
            for found in alert.evidence
        ],
    }


def verdict_row(call: str, verdict: Verdict) -> Row:
    """A row of ``verdicts``."""
    return {
        "call": call,
        "rule": verdict.rule,
        "occasion": verdict.occasion,
        "outcome": str(verdict.outcome),
        "at": verdict.at,
        "reason": verdict.reason,
        "review": None if verdict.review is None else str(verdict.review),
    }


def line_row(call: str, heard: Heard) -> Row:
    """A row of ``lines`` from settled words."""
    return {
        "call": call,
        "channel": str(heard.channel),
        "segment": heard.segment,
        "start": heard.start,
        "end": heard.end,
        "text": join_words(heard.words),
        "words": [[word.text, word.start, word.end, word.confidence] for word in heard.words],
    }


def merged(known: Row, new: Row) -> Row:
    """Two rows of one segment as one: words before the first new one stay, the others are replaced.

    Right whether a segment's words come all at once, grow, or come in pieces; and the same when they come
    again.
    """
    if not new["words"]:
        return {**known, "end": max(known["end"], new["end"])}
    first = new["words"][0][1]
    kept = [word for word in known["words"] if word[1] < first]
    if not kept:
        return new
    words = [*kept, *new["words"]]
    return {
        **new,
        "start": min(known["start"], new["start"]),
        "end": max(known["end"], new["end"]),
        "text": join_words([Word(*entry) for entry in words]),
        "words": words,
    }
