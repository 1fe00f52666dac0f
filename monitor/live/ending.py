"""How a call ended, and what was promised in it: what the store keeps beside the report, told by the events alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo

from monitor.core.fold import digits, fold
from monitor.core.phrases import is_faint
from monitor.core.rulebook import LEAST_DIGITS, Role
from monitor.core.types import Channel, Event, Heard, Measured, Phase, PhaseChanged, PhraseHit
from monitor.live.deadline import read_deadline
from monitor.live.setup import CallSetupRequest
from monitor.store.history import Ending, Promise
from monitor.store.views import parse_time, utc_text

FAREWELL_SECONDS = 60.0
"""A farewell counts when it was said in so much time before the end."""

RolesOf = Callable[[tuple[str, ...]], Mapping[str, Role]]
"""The roles of the phrases of packs, given by id or file."""


def no_roles(packs: tuple[str, ...]) -> Mapping[str, Role]:
    """Packs whose phrases have no roles."""
    del packs
    return {}


def read_ending(
    request: CallSetupRequest,
    events: Iterable[Event],
    position: int,
    roles: Mapping[str, Role],
    zone: tzinfo | None = None,
) -> Ending:
    """How the call ended; ``position`` is its length in samples, ``zone`` the local one where none is given."""
    started = parse_time(request.started)
    answered, rings, over, hung_up, heard = False, None, position, None, False
    farewells: list[int] = []
    promised: list[PhraseHit] = []
    for event in events:
        match event:
            case PhaseChanged(phase=Phase.TALKING):
                answered = True
            case PhaseChanged(phase=Phase.ENDED):
                over, hung_up = event.at, event.by
            case Measured(name="rings"):
                rings = round(event.value)
            case Heard(settled=True):
                heard = heard or bool(event.words)
            case PhraseHit() if is_faint(event):
                pass  # it may have been said, no more
            case PhraseHit(settled=True) if roles.get(event.phrase) is Role.FAREWELL:
                farewells.append(event.end)
            case PhraseHit(settled=True) if roles.get(event.phrase) is Role.PROMISE:
                if event.channel is not Channel.CUSTOMER:
                    promised.append(event)
    farewell = any(at >= over - FAREWELL_SECONDS * request.rate for at in farewells) if heard else None
    return Ending(
        ended=utc_text(started + timedelta(seconds=over / request.rate)),
        answered=answered,
        rings=rings,
        hung_up=None if hung_up is None else str(hung_up),
        farewell=farewell,
        broke_off=_broke_off(answered, farewell, hung_up),
        promises=tuple(_promises(promised, started, request.rate, zone)),
    )


def _broke_off(answered: bool, farewell: bool | None, hung_up: Channel | None) -> bool | None:
    if not answered or hung_up is Channel.CUSTOMER:
        return False
    return None if farewell is None else not farewell


def _promises(hits: list[PhraseHit], started: datetime, rate: int, zone: tzinfo | None) -> Iterable[Promise]:
    """The promises of a call; the same time said again is the same promise."""
    told: set[str] = set()
    for hit in sorted(hits, key=lambda hit: (hit.start, hit.end)):
        made = started + timedelta(seconds=hit.end / rate)
        deadline = read_deadline(hit.text, made.astimezone(zone))
        said = deadline.said if deadline else _harmless(hit.slots[0] if hit.slots else "")
        if said in told:
            continue
        told.add(said)
        due = utc_text(deadline.due) if deadline else None
        yield Promise(hit.start, hit.end, hit.phrase, said, utc_text(made), due)


def _harmless(slot: str) -> str:
    """What stood in place of the time; nothing where it may be a number that somebody dictated."""
    folded = fold(slot)
    return "" if len(digits(folded)) >= LEAST_DIGITS else folded
