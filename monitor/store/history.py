"""What the store knows over many calls: how they ended, what was promised in them, who was called again.

Times are ISO texts in UTC as in the tables (``utc_text``), so they compare as texts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select

from monitor.store.schema import calls, endings, promises
from monitor.store.views import utc_text

REPEAT = "repeat"
CALLBACK = "callback"

BROKE_OFF_DAYS = 1
"""A call back after a break belongs to it for so long."""

PROMISE_DAYS = 30
"""A promise that nobody kept is given up after so long."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Something promised: the phrase from ``start`` to ``end`` (samples), the words for the time, the wall time of the
    promise, and by when (None where it cannot be read)."""

    start: int
    end: int
    phrase: str
    said: str
    made: str
    due: str | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended; see the table ``endings``."""

    ended: str
    answered: bool
    rings: int | None = None
    hung_up: str | None = None
    farewell: bool | None = None
    broke_off: bool | None = None
    promises: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that is over, as the figures count it."""

    id: str
    started: str
    ended: str
    direction: str
    packs: tuple[str, ...]
    customer: str | None
    answered: bool
    rings: int | None
    broke_off: bool | None

    def of_pack(self, pack: str) -> bool:
        """Whether the call was held against the pack, given there by id or by file."""
        return any(pack in (name, PurePath(name).stem) for name in self.packs)


@dataclass(frozen=True, slots=True)
class PastPromise:
    """A promise with its call."""

    call: PastCall
    said: str
    made: str
    due: str | None


def save_ending(connection: Connection, call: str, ending: Ending) -> None:
    """Keep how a saved call ended, in place of what was kept before."""
    for table in (endings, promises):
        connection.execute(delete(table).where(table.c.call == call))
    row = asdict(ending)
    found = row.pop("promises")
    connection.execute(insert(endings).values(call=call, **row))
    if found:
        connection.execute(insert(promises), [{"call": call, **promise} for promise in found])


def past_calls(connection: Connection, start: str, end: str, customers: bool = False) -> list[PastCall]:
    """Calls that are over and began from ``start`` to before ``end``, the oldest first; with ``customers`` only those
    whose customer is known."""
    query = _past().where(calls.c.started >= start, calls.c.started < end).order_by(calls.c.started, calls.c.id)
    if customers:
        query = query.where(calls.c.customer.is_not(None))
    return [_past_call(row) for row in connection.execute(query)]


def past_promises(connection: Connection, start: str, end: str) -> list[PastPromise]:
    """What was promised in calls that began from ``start`` to before ``end``, the oldest first."""
    query = (
        _past()
        .add_columns(promises.c.said, promises.c.made, promises.c.due)
        .join(promises, promises.c.call == calls.c.id)
        .where(calls.c.started >= start, calls.c.started < end)
        .order_by(promises.c.made, calls.c.id)
    )
    return [PastPromise(_past_call(row), row.said, row.made, row.due) for row in connection.execute(query)]


def _past() -> Select[Any]:
    return select(
        calls.c.id, calls.c.started, calls.c.direction, calls.c.packs, calls.c.customer,
        endings.c.ended, endings.c.answered, endings.c.rings, endings.c.broke_off,
    ).join(endings, endings.c.call == calls.c.id)  # fmt: skip


def _past_call(row: Row[Any]) -> PastCall:
    return PastCall(
        row.id,
        row.started,
        row.ended,
        row.direction,
        tuple(row.packs),
        row.customer,
        row.answered,
        row.rings,
        row.broke_off,
    )


def find_tags(connection: Connection, customer: str, direction: str, now: datetime) -> tuple[str, ...]:
    """The tags of a call that begins at the local time ``now``."""
    if direction == "inbound":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        query = select(calls.c.id).where(
            calls.c.customer == customer,
            calls.c.direction == "inbound",
            calls.c.started >= utc_text(midnight),
            calls.c.started < utc_text(now),
        )
        return (REPEAT,) if connection.execute(query.limit(1)).first() else ()
    due = _last_broke_off(connection, customer, now) or _promise_open(connection, customer, now)
    return (CALLBACK,) if due else ()


def _last_broke_off(connection: Connection, customer: str, now: datetime) -> bool:
    query = (
        select(endings.c.broke_off, endings.c.ended)
        .join(calls, calls.c.id == endings.c.call)
        .where(calls.c.customer == customer, calls.c.started < utc_text(now))
        .order_by(calls.c.started.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    return bool(last and last.broke_off and last.ended >= utc_text(now - timedelta(days=BROKE_OFF_DAYS)))


def _promise_open(connection: Connection, customer: str, now: datetime) -> bool:
    """Whether something was promised since the last outbound call to the customer, or in it."""
    query = (
        select(promises.c.made)
        .join(calls, calls.c.id == promises.c.call)
        .where(calls.c.customer == customer, promises.c.made >= utc_text(now - timedelta(days=PROMISE_DAYS)))
        .order_by(promises.c.made.desc())
        .limit(1)
    )
    made = connection.scalar(query)
    if made is None:
        return False
    kept = select(calls.c.id).where(
        calls.c.customer == customer,
        calls.c.direction == "outbound",
        calls.c.started >= made,
        calls.c.started < utc_text(now),
    )
    return connection.execute(kept.limit(1)).first() is None
