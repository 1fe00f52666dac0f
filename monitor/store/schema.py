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

VERSION = 3
"""Raised with every change that an older program could not live with."""

UPGRADES = {
    1: (
        "ALTER TABLE alerts ADD COLUMN review VARCHAR(40)",
        "ALTER TABLE verdicts ADD COLUMN review VARCHAR(40)",
    ),
    2: (
        "ALTER TABLE calls ADD COLUMN customer VARCHAR(64)",
        "CREATE INDEX calls_by_customer ON calls (customer, started)",
    ),
}
"""What makes the tables of a version those of the next; tables that are new are made anyway."""

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
    Column("customer", String(64)),  # a digest (monitor.store.customers), never the number itself
    Index("calls_by_start", "started", "id"),
    Index("calls_by_agent", "agent", "started"),
    Index("calls_by_phase", "phase"),
    Index("calls_by_customer", "customer", "started"),
)

endings = Table(
    "endings",
    metadata,
    _call_id(primary_key=True),
    Column("ended", String(27), nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("rings", Integer),  # None where nobody counted
    Column("hung_up", String(20)),  # the party that hung up, None when nobody told
    Column("farewell", Boolean),  # whether one was said towards the end; None when no words were heard
    Column("broke_off", Boolean),  # no farewell, and not hung up by the customer; None when it is not known
    Index("endings_by_time", "ended"),
)

promises = Table(
    "promises",
    metadata,
    _call_id(primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("end", BigInteger, nullable=False),
    Column("phrase", String(200), nullable=False),
    Column("said", String(100), nullable=False),  # the words for the time, empty where none could be read
    Column("made", String(27), nullable=False),  # wall time of end
    Column("due", String(27)),  # None where no time could be read
    Index("promises_by_time", "made"),
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
