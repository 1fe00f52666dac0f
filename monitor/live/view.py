"""What a screen shows of a call and of an alert: JSON-ready data built from events, in audio time.

Positions become seconds here, at the edge. A ``View`` is fed the events of one call in their order; it knows no
clock and no socket, so that a live call and a journal read back give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.core.types import (
    Alert,
    AlertState,
    Channel,
    Due,
    DueState,
    Event,
    Heard,
    Lag,
    Measured,
    Phase,
    PhaseChanged,
    Severity,
    SpeechEnded,
    SpeechStarted,
    Verdict,
    Word,
)
from monitor.live.setup import CallSetupRequest
from monitor.wire import join_words

LINES = 6
"""Lines of text that the wall shows of a call."""

OPEN_LINES = 24
"""Lines remembered to be completed; older ones are settled in any call that is not far behind."""

INTERRUPTED = "interrupted"
"""The phase of a call whose client dropped; the other phases are the core's."""

Describe = Callable[[str], dict[str, Any]]
"""Rule ("pack/id") to ``{"title": {zh, en}, "advice": {zh, en}, "clause": str | None}``."""


@dataclass(slots=True)
class _Line:
    """The words of one speech segment: settled ones, and the tail that may still change."""

    channel: Channel
    segment: int
    start: int
    end: int
    settled: list[Word] = field(default_factory=list)
    tail: tuple[Word, ...] = ()
    closed: bool = False

    def take(self, heard: Heard) -> None:
        """Settled words stay; the first of the new ones says where the replaced part begins."""
        self.end = max(self.end, heard.end)
        if not heard.settled:
            after = self.settled[-1].end if self.settled else 0
            self.tail, self.closed = tuple(w for w in heard.words if w.start >= after), False
            return
        if heard.words:
            first = heard.words[0].start
            self.settled = [w for w in self.settled if w.start < first] + list(heard.words)
        self.tail, self.closed = (), True

    @property
    def text(self) -> str:
        return join_words([*self.settled, *self.tail])


class View:
    """The state of one call as ``CallView`` data."""

    def __init__(self, info: CallSetupRequest, describe: Describe) -> None:
        self.info = info
        self.position = 0
        self.interrupted = False
        self.ended = False
        self.notes: list[dict[str, Any]] = []
        self._describe = describe
        self._phase = Phase.TALKING
        self._hold_since: int | None = None
        self._speaking: dict[Channel, bool] = dict.fromkeys(info.channels, False)
        self._silent_since: int | None = None
        self._level: dict[Channel, float] = {}
        self._pace: float | None = None
        self._pace_acoustic: float | None = None
        self._lag: dict[Channel, int] = {}
        self._due: dict[tuple[str, int], Due] = {}
        self._alerts: dict[tuple[str, int], tuple[Severity, AlertState]] = {}
        self._lines: dict[tuple[Channel, int], _Line] = {}
        self.outcome = {"met": 0, "broken": 0, "cannot_tell": 0}

    # ------------------------------------------------------------ in

    def advance(self, position: int) -> None:
        """The audio has reached ``position``."""
        self.position = max(self.position, position)

    def apply(self, events: Sequence[Event]) -> None:
        """Take the events of the call in their order."""
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Measured():
                self._measured(event)
            case SpeechStarted():
                self._speaking[event.channel] = True
                self._silent_since = None
            case SpeechEnded():
                self._speaking[event.channel] = False
                if not any(self._speaking.values()):
                    self._silent_since = event.at
            case PhaseChanged() if self._phase is not Phase.ENDED:  # an inferred hold may be told after the end
                self._phase = event.phase
                self._hold_since = event.at if event.phase is Phase.HELD else None
            case Heard():
                self._heard(event)
            case Lag():
                self._lag[event.channel] = max(0, event.at - event.heard_until)
            case Due():
                if event.state is DueState.DONE:
                    self._due.pop((event.rule, event.occasion), None)
                else:
                    self._due[event.rule, event.occasion] = event
            case Alert():
                self._alerts[event.rule, event.occasion] = (event.severity, event.state)
            case Verdict():
                if event.outcome.value in self.outcome:
                    self.outcome[event.outcome.value] += 1
            case _:
                pass

    def _measured(self, event: Measured) -> None:
        if event.name == "level" and event.channel is not None:
            self._level[event.channel] = event.value
        elif event.channel is not Channel.CUSTOMER:
            if event.name == "pace":
                self._pace = event.value
            elif event.name == "pace_acoustic":
                self._pace_acoustic = event.value

    def _heard(self, event: Heard) -> None:
        key = (event.channel, event.segment)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(event.channel, event.segment, event.start, event.end)
            if len(self._lines) > OPEN_LINES:
                del self._lines[min(self._lines, key=lambda k: self._lines[k].start)]
        line.take(event)

    # ------------------------------------------------------------ out

    @property
    def phase(self) -> str:
        """The phase that a screen shows."""
        if self.ended:
            return Phase.ENDED.value
        return INTERRUPTED if self.interrupted else self._phase.value

    def counts(self) -> dict[str, int]:
        """Alerts that stand, by severity."""
        counts = {"critical": 0, "warning": 0, "note": 0}
        for severity, state in self._alerts.values():
            if state is not AlertState.CLEARED:
                counts[severity.value] += 1
        return counts

    def lags(self) -> list[int]:
        """Samples by which the recogniser is behind, of each channel that told."""
        return list(self._lag.values())

    def seconds(self, position: int | None) -> float | None:
        """A position in seconds, to the millisecond."""
        return None if position is None else round(position / self.info.rate, 3)

    def live(self) -> dict[str, Any]:
        """The part of ``CallView`` that changes."""
        running = not self.ended and self._phase in (Phase.TALKING, Phase.HELD)
        return {
            "phase": self.phase,
            "seconds": round(self.position / self.info.rate, 1),
            "lag": round(max(self._lag.values(), default=0) / self.info.rate, 1),
            "speaking": {c.value: on and not self.ended for c, on in self._sides(self._speaking, False)},
            "level": {c.value: None if v is None else round(v, 1) for c, v in self._sides(self._level, None)},
            "pace": None if self._pace is None else round(self._pace),
            "pace_acoustic": None if self._pace_acoustic is None else round(self._pace_acoustic),
            "silence_since": self.seconds(self._silent_since) if running else None,
            "hold_since": self.seconds(self._hold_since) if running else None,
            "due": [] if self.ended else [self._due_json(due) for due in self._due.values()],
            "counts": self.counts(),
            "lines": self._lines_json(),
            "notes": self.notes,
        }

    def whole(self) -> dict[str, Any]:
        """``CallView``."""
        info = self.info
        return {
            "id": info.id,
            "agent": info.agent,
            "direction": info.direction,
            "packs": list(info.packs),
            "source": info.source,
            "started": info.started,
            "mixed": Channel.MIXED in info.channels,
            **self.live(),
        }

    def _sides(self, values: dict[Channel, Any], empty: Any) -> list[tuple[Channel, Any]]:
        """Both sides for a screen; what one mixed channel holds is shown on the agent's side."""
        if Channel.MIXED in self.info.channels:
            mixed = values.get(Channel.MIXED, empty)
            return [(Channel.AGENT, mixed), (Channel.CUSTOMER, empty)]
        return [(c, values.get(c, empty)) for c in (Channel.AGENT, Channel.CUSTOMER)]

    def _due_json(self, due: Due) -> dict[str, Any]:
        return {
            "rule": due.rule,
            "occasion": due.occasion,
            "title": self._describe(due.rule)["title"],
            "at": self.seconds(due.at),
            "deadline": self.seconds(due.deadline),
            "state": due.state.value,
        }

    def _lines_json(self) -> list[dict[str, Any]]:
        said = [line for line in self._lines.values() if line.settled or line.tail]
        return [
            {
                "channel": line.channel.value,
                "segment": line.segment,
                "start": self.seconds(line.start),
                "end": self.seconds(line.end),
                "text": line.text,
                "settled": line.closed,
            }
            for line in sorted(said, key=lambda line: line.start)[-LINES:]
        ]


def alert_id(call: str, rule: str, occasion: int) -> str:
    """The name of an alert everywhere: store, screens, links."""
    return f"{call}~{rule}~{occasion}"


def alert_view(info: CallSetupRequest, alert: Alert, describe: Describe) -> dict[str, Any]:
    """``AlertView`` of an alert that nobody has reviewed yet."""

    def seconds(position: int) -> float:
        return round(position / info.rate, 3)

    told = describe(alert.rule)
    return {
        "id": alert_id(info.id, alert.rule, alert.occasion),
        "call": info.id,
        "agent": info.agent,
        "rule": alert.rule,
        "occasion": alert.occasion,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "channel": None if alert.channel is None else alert.channel.value,
        "start": seconds(alert.start),
        "end": seconds(alert.end),
        "at": seconds(alert.at),
        "raised_at": seconds(alert.raised_at),
        "review": None if alert.review is None else alert.review.value,
        "message": alert.message,
        "title": told["title"],
        "advice": told["advice"],
        "clause": told.get("clause"),
        "evidence": [
            {
                "channel": e.channel.value,
                "text": e.text,
                "start": seconds(e.start),
                "end": seconds(e.end),
                "match": e.match.value,
            }
            for e in alert.evidence
        ],
        "ack": None,
        "comment": None,
        "right": None,
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``after`` that differ from ``before``."""
    return {key: value for key, value in after.items() if key not in before or before[key] != value}
