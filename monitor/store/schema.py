"""The tables. Plain SQL types only, so that SQLite and PostgreSQL hold the same.

Positions are integer samples at the call's rate, as everywhere; the views turn them into seconds. Wall
times are UTC in ISO 8601 with six decimals and a ``Z``, of one length, so that they sort as text in any
database.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 2
"""Raised with every change that an older program could not live with."""

UPGRADES = {
    1: (
        "ALTER TABLE alerts ADD COLUMN review VARCHAR(40)",
        "ALTER TABLE verdicts ADD COLUMN review VARCHAR(40)",
    ),
}
"""What makes the tables of a version those of the next."""

metadata = MetaData()

meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))


def _call_id(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "call",
        String(200),
        ForeignKey("calls.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


calls = Table(
    "calls",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("started", String(27), nullable=False),  # wall time of position 0
    Column("agent", String(200)),  # None when the source did not say
    Column("direction", String(20), nullable=False),
    Column("packs", JSON, nullable=False),  # list of pack ids
    Column("source", String(1000), nullable=False),
    Column("rate", Integer, nullable=False),
    Column("channels", JSON, nullable=False),  # list of channel names
    Column("phase", String(20), nullable=False),
    Column("position", BigInteger, nullable=False),  # samples heard so far
    Column("model", String(1000), nullable=False),
    Column("version", String(100), nullable=False),
    Column("journal", String(1000)),  # paths as the runner gave them
    Column("recording", String(1000)),
    Column("journal_head", String(64)),  # hash of the journal's last line once it is closed
    Index("calls_by_start", "started", "id"),
    Index("calls_by_agent", "agent", "started"),
    Index("calls_by_phase", "phase"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(450), primary_key=True),  # call~rule~occasion
    _call_id(),
    Column("rule", String(200), nullable=False),
    Column("occasion", Integer, nullable=False),
    Column("severity", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("channel", String(20)),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("raised", String(27), nullable=False),  # wall time of raised_at, for lists over many calls
    Column("review", String(40)),  # a code of monitor.core.types.Review
    Column("message", JSON, nullable=False),
    Column("title", JSON, nullable=False),
    Column("advice", JSON, nullable=False),
    Column("clause", String(200)),
    Column("evidence", JSON, nullable=False),
    Index("alerts_by_call", "call", "raised_at"),
    Index("alerts_by_time", "raised", "id"),
    Index("alerts_by_rule", "rule", "raised"),
)

verdicts = Table(
    "verdicts",
    metadata,
    _call_id(primary_key=True),
    Column("rule", String(200), primary_key=True),
    Column("occasion", Integer, primary_key=True),
    Column("outcome", String(20), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("review", String(40)),
)

lines = Table(
    "lines",
    metadata,
    _call_id(primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("words", JSON, nullable=False),  # [[text, start, end, confidence], ...] in samples
)

reviews = Table(
    "reviews",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("alert", String(450), ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(20), nullable=False),  # acknowledge, comment or judge
    Column("by", String(200), nullable=False),
    Column("at", String(27), nullable=False),
    Column("text", Text),
    Column("right", Boolean),
    Index("reviews_by_alert", "alert", "n"),
)

reports = Table(
    "reports",
    metadata,
    _call_id(primary_key=True),
    Column("schema", Integer, nullable=False),
    Column("data", JSON, nullable=False),
)
