"""The alerts that stand at the end of a call, and how two lists of them differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core.types import Alert, AlertState, Event

SAME_SECONDS = 0.3
MOVED_SECONDS = 15.0
"""Alerts of one rule that lie further apart are two findings, not one that moved."""


@dataclass(frozen=True, slots=True)
class Came:
    """An alert that stands at the end of the call; ``at`` in seconds, ``by`` the channel that it is held against."""

    rule: str
    by: str
    at: float
    severity: str
    message: str

    def __str__(self) -> str:
        return f"{self.at:.2f} s by {self.by}: {self.message}"


def standing(events: Iterable[Event], rate: int) -> list[Came]:
    """The alerts that stand, in order of time: the last state of each, unless it was cleared."""
    last = {(event.rule, event.occasion): event for event in events if isinstance(event, Alert)}
    found = [
        Came(
            rule=alert.rule,
            by=alert.channel.value if alert.channel else "nobody",
            at=alert.at / rate,
            severity=alert.severity.value,
            message=alert.message["zh"],
        )
        for alert in last.values()
        if alert.state is not AlertState.CLEARED
    ]
    return sorted(found, key=lambda came: (came.at, came.rule))


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of alerts: ``same`` counts those that came again, ``moved`` are pairs of then and now."""

    same: int
    moved: tuple[tuple[Came, Came], ...]
    gone: tuple[Came, ...]
    new: tuple[Came, ...]


def changes(then: Iterable[Came], now: Iterable[Came]) -> Changes:
    """How the alerts of ``now`` differ from those of ``then``: nearest ones of one rule and party belong together."""
    gone, new = list(then), list(now)
    pairs = sorted(
        ((abs(a.at - b.at), n, m) for n, a in enumerate(gone) for m, b in enumerate(new) if _alike(a, b)),
    )
    found: list[tuple[int, int]] = []
    for apart, n, m in pairs:
        if apart <= MOVED_SECONDS and not any(n == a or m == b for a, b in found):
            found.append((n, m))
    couples = [(gone[n], new[m]) for n, m in sorted(found)]
    moved = tuple((a, b) for a, b in couples if abs(a.at - b.at) > SAME_SECONDS or a.severity != b.severity)
    return Changes(
        same=len(couples) - len(moved),
        moved=moved,
        gone=tuple(a for n, a in enumerate(gone) if n not in {n for n, _ in found}),
        new=tuple(b for m, b in enumerate(new) if m not in {m for _, m in found}),
    )


def _alike(one: Came, other: Came) -> bool:
    return (one.rule, one.by) == (other.rule, other.by)
