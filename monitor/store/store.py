"""Calls, alerts, verdicts, transcripts, reviews and reports, kept so that storing the same twice changes
nothing.

Every row has a natural key and is upserted by it, so events may be replayed after a kill. One thread should
write (``save_batches`` puts many calls' events into one transaction); any thread may read or review.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Insert, Table, delete, func, insert, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from monitor.core.types import AlertState, Event
from monitor.store import history
from monitor.store.batch import CallClock, Describe, LineKey, Rows, merged
from monitor.store.engine import NotFound, StoreError, errors_of, open_engine
from monitor.store.schema import alerts, calls, lines, reports, reviews, verdicts
from monitor.store.views import (
    AlertView,
    CallRow,
    CallSummary,
    LineView,
    Review,
    VerdictView,
    alert_view,
    call_row,
    call_summary,
    line_view,
    parse_time,
    review_view,
    utc_text,
)

__all__ = ["NotFound", "Store", "StoreError"]

KEYS_A_QUERY = 500
CLOCKS_KEPT = 10_000


def _now() -> datetime:
    return datetime.now(UTC)


class _Upserts:
    """The statements that insert a row or replace it by its key; built once, since that takes
    milliseconds."""

    def __init__(self, dialect_insert: Any) -> None:
        self._insert = dialect_insert
        self.calls = self._upsert(calls)
        self.verdicts = self._upsert(verdicts)
        self.lines = self._upsert(lines)
        self.reports = self._upsert(reports)
        raised = AlertState.RAISED.value
        new_state = self._insert(alerts).excluded.state
        self.alerts = self._upsert(alerts, or_(alerts.c.state == raised, new_state != raised))  # see falls_back

    def _upsert(self, table: Table, where: ColumnElement[bool] | None = None) -> Insert:
        statement = self._insert(table)
        changes = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        upsert: Insert = statement.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=changes, where=where
        )
        return upsert


class Store:
    """One database. Every method raises ``StoreError`` when the database cannot do it; a write is whole or
    nothing."""

    def __init__(self, url: str, now: Callable[[], datetime] = _now) -> None:
        """Open ``sqlite:///PATH`` (made when missing) or a PostgreSQL URL. ``now`` dates the reviews."""
        self._engine = open_engine(url)
        self._writing = self._engine.execution_options(write=True)
        self._put = _Upserts(postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert)
        self._clocks: dict[str, CallClock] = {}
        self._now = now

    def close(self) -> None:
        """Give the connections back; the store is not to be used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ calls and their events

    def save_call(self, row: CallRow) -> None:
        """Insert the call or bring its row up to date; ``ValueError`` when ``started`` has no offset."""
        started = parse_time(row.started)
        data = asdict(row) | {"started": utc_text(started)}
        data |= {"packs": list(row.packs), "channels": [str(channel) for channel in row.channels]}
        with self._write() as connection:
            connection.execute(self._put.calls, [data])
        self._clocks[row.id] = CallClock(started, row.rate)

    def save_batch(self, call: str, events: Sequence[Event], describe: Describe | None = None) -> None:
        """Keep the alerts, verdicts and settled words among ``events`` of one saved call."""
        self.save_batches([(call, events)], describe)

    def save_batches(self, batches: Iterable[tuple[str, Sequence[Event]]], describe: Describe | None = None) -> None:
        """Keep events of many calls in one transaction. ``NotFound`` when a call was not saved before: then
        nothing of the whole group is kept."""
        rows = Rows()
        with self._write() as connection:
            for call, events in batches:
                rows.add(call, self._clock(connection, call), events, describe)
            self._merge_lines(connection, rows)
            for statement, found in (
                (self._put.alerts, rows.alerts),
                (self._put.verdicts, rows.verdicts),
                (self._put.lines, rows.lines),
            ):
                if found:
                    connection.execute(statement, list(found.values()))

    def save_ending(self, call: str, ending: history.Ending) -> None:
        """Keep how a saved call ended and what was promised in it; a later ending replaces it."""
        with self._write() as connection:
            history.save_ending(connection, call, ending)

    def find_tags(self, customer: str, direction: str, now: datetime) -> tuple[str, ...]:
        """The tags of a call with ``customer`` (a digest) that begins at the local time ``now``."""
        with self._read() as connection:
            return history.find_tags(connection, customer, direction, now)

    def past_calls(self, start: datetime, end: datetime, customers: bool = False) -> list[history.PastCall]:
        """Calls that are over and began from ``start`` to before ``end``; ``customers``: only those of known ones."""
        with self._read() as connection:
            return history.past_calls(connection, utc_text(start), utc_text(end), customers)

    def past_promises(self, start: datetime, end: datetime) -> list[history.PastPromise]:
        """What was promised in calls that began from ``start`` to before ``end``."""
        with self._read() as connection:
            return history.past_promises(connection, utc_text(start), utc_text(end))

    def delete_call(self, call: str) -> None:
        """Remove a call and everything that belongs to it; nothing happens when it is not there."""
        with self._write() as connection:
            connection.execute(delete(calls).where(calls.c.id == call))
        self._clocks.pop(call, None)

    def calls(
        self,
        limit: int = 50,
        before: str | None = None,
        *,
        agent: str | None = None,
        phase: str | None = None,
    ) -> list[CallSummary]:
        """The newest calls first, optionally only those that began ``before`` an ISO time with its offset."""
        query = select(calls).order_by(calls.c.started.desc(), calls.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(calls.c.started < utc_text(parse_time(before)))
        if agent is not None:
            query = query.where(calls.c.agent == agent)
        if phase is not None:
            query = query.where(calls.c.phase == phase)
        with self._read() as connection:
            return _summaries(connection, connection.execute(query).mappings().all())

    def call(self, call: str) -> CallSummary | None:
        """The summary of one call, None when it is unknown."""
        with self._read() as connection:
            found = _summaries(connection, connection.execute(select(calls).where(calls.c.id == call)).mappings().all())
        return found[0] if found else None

    def row(self, call: str) -> CallRow | None:
        """The row of one call as it was saved, None when it is unknown."""
        with self._read() as connection:
            found = connection.execute(select(calls).where(calls.c.id == call)).mappings().first()
        return None if found is None else call_row(found)

    def unfinished(self) -> list[CallRow]:
        """Calls that did not end: those that live, and after a restart those that were interrupted; oldest
        first."""
        query = select(calls).where(calls.c.phase != "ended").order_by(calls.c.started)
        with self._read() as connection:
            return [call_row(row) for row in connection.execute(query).mappings()]

    def verdicts(self, call: str) -> list[VerdictView]:
        """The verdicts of a call in the order of their causes; seconds."""
        query = (
            select(verdicts, calls.c.rate)
            .join(calls, calls.c.id == verdicts.c.call)
            .where(verdicts.c.call == call)
            .order_by(verdicts.c.at, verdicts.c.rule, verdicts.c.occasion)
        )
        with self._read() as connection:
            return [
                {
                    "rule": row["rule"],
                    "occasion": row["occasion"],
                    "outcome": row["outcome"],
                    "at": row["at"] / row["rate"],
                    "reason": row["reason"],
                    "review": row["review"],
                }
                for row in connection.execute(query).mappings()
            ]

    def transcript(self, call: str) -> list[LineView]:
        """The settled lines of a call in the order in which they were begun; seconds."""
        query = (
            select(lines, calls.c.rate)
            .join(calls, calls.c.id == lines.c.call)
            .where(lines.c.call == call)
            .order_by(lines.c.start, lines.c.channel, lines.c.segment)
        )
        with self._read() as connection:
            return [line_view(row, row["rate"]) for row in connection.execute(query).mappings()]

    def save_report(self, call: str, report: dict[str, Any]) -> None:
        """Keep the report of a saved call; a later one replaces it."""
        row = {"call": call, "schema": int(report["schema"]), "data": report}
        with self._write() as connection:
            connection.execute(self._put.reports, [row])

    def report(self, call: str) -> dict[str, Any] | None:
        """The report of a call, None while there is none."""
        with self._read() as connection:
            found: dict[str, Any] | None = connection.scalar(select(reports.c.data).where(reports.c.call == call))
        return found

    # ------------------------------------------------------------ alerts and what people say of them

    def alerts(
        self, call: str | None = None, limit: int = 200, before: str | None = None, *, rule: str | None = None
    ) -> list[AlertView]:
        """Alerts, the newest first by the wall time at which they were raised; ``before`` an ISO time with
        offset."""
        wanted: list[ColumnElement[bool]] = []
        if call is not None:
            wanted.append(alerts.c.call == call)
        if rule is not None:
            wanted.append(alerts.c.rule == rule)
        if before is not None:
            wanted.append(alerts.c.raised < utc_text(parse_time(before)))
        with self._read() as connection:
            return _alert_views(connection, wanted, limit)

    def alert(self, alert: str) -> AlertView | None:
        """One alert by its id, None when it is unknown."""
        with self._read() as connection:
            found = _alert_views(connection, [alerts.c.id == alert], 1)
        return found[0] if found else None

    def acknowledge(self, alert: str, by: str) -> AlertView:
        """Note that ``by`` has seen the alert; ``NotFound`` when there is none."""
        return self._review(alert, kind="acknowledge", by=by)

    def comment(self, alert: str, text: str, by: str) -> AlertView:
        """Note what ``by`` says of the alert; the view carries the last comment, ``reviews`` all."""
        return self._review(alert, kind="comment", by=by, text=text)

    def judge(self, alert: str, right: bool, by: str) -> AlertView:
        """Note whether ``by`` finds the alert right."""
        return self._review(alert, kind="judge", by=by, right=right)

    def reviews(self, alert: str) -> list[Review]:
        """Everything said of an alert, the oldest first."""
        with self._read() as connection:
            return _reviews(connection, [alert]).get(alert, [])

    def totals(self) -> dict[str, int]:
        """How many calls and alerts there are."""
        with self._read() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in (calls, alerts)
            }

    # ------------------------------------------------------------ inside

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with errors_of(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with errors_of(self._engine), self._writing.begin() as connection:
            yield connection

    def _clock(self, connection: Connection, call: str) -> CallClock:
        if (clock := self._clocks.get(call)) is not None:
            return clock
        found = connection.execute(select(calls.c.started, calls.c.rate).where(calls.c.id == call)).first()
        if found is None:
            raise NotFound(f"the call {call} is not in the store; save the call before its events")
        if len(self._clocks) >= CLOCKS_KEPT:
            self._clocks.clear()
        return self._clocks.setdefault(call, CallClock(parse_time(found.started), found.rate))

    def _merge_lines(self, connection: Connection, rows: Rows) -> None:
        """Put earlier pieces of the same segments in front of what ``rows`` brings."""
        keys: list[LineKey] = list(rows.lines)
        for at in range(0, len(keys), KEYS_A_QUERY):
            columns = tuple_(lines.c.call, lines.c.channel, lines.c.segment)
            query = select(lines).where(columns.in_(keys[at : at + KEYS_A_QUERY]))
            for known in connection.execute(query).mappings():
                key = (known["call"], known["channel"], known["segment"])
                rows.lines[key] = merged(dict(known), rows.lines[key])

    def _review(self, alert: str, **said: Any) -> AlertView:
        with self._write() as connection:
            if connection.scalar(select(alerts.c.id).where(alerts.c.id == alert)) is None:
                raise NotFound(f"there is no alert {alert}")
            connection.execute(insert(reviews).values(alert=alert, at=utc_text(self._now()), **said))
            return _alert_views(connection, [alerts.c.id == alert], 1)[0]


def _summaries(connection: Connection, rows: Sequence[Any]) -> list[CallSummary]:
    """Calls with their counts, by one query for the alerts and one for the verdicts of all."""
    ids = [row["id"] for row in rows]
    counts: dict[str, dict[str, int]] = {}
    outcomes: dict[str, dict[str, int]] = {}
    by_severity = (
        select(alerts.c.call, alerts.c.severity, func.count())
        .where(alerts.c.call.in_(ids), alerts.c.state != AlertState.CLEARED.value)
        .group_by(alerts.c.call, alerts.c.severity)
    )
    by_outcome = (
        select(verdicts.c.call, verdicts.c.outcome, func.count())
        .where(verdicts.c.call.in_(ids))
        .group_by(verdicts.c.call, verdicts.c.outcome)
    )
    for found, query in ((counts, by_severity), (outcomes, by_outcome)):
        for call, name, count in connection.execute(query):
            found.setdefault(call, {})[name] = count
    return [call_summary(row, counts.get(row["id"], {}), outcomes.get(row["id"], {})) for row in rows]


def _alert_views(connection: Connection, wanted: Sequence[ColumnElement[bool]], limit: int) -> list[AlertView]:
    query = (
        select(alerts, calls.c.rate)
        .join(calls, calls.c.id == alerts.c.call)
        .where(*wanted)
        .order_by(alerts.c.raised.desc(), alerts.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    said = _reviews(connection, [row["id"] for row in rows])
    return [alert_view(row, said.get(row["id"], ())) for row in rows]


def _reviews(connection: Connection, ids: Sequence[str]) -> dict[str, list[Review]]:
    found: dict[str, list[Review]] = {}
    query = select(reviews).where(reviews.c.alert.in_(ids)).order_by(reviews.c.n)
    for row in connection.execute(query).mappings():
        found.setdefault(row["alert"], []).append(review_view(row))
    return found
