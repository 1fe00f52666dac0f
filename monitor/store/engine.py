"""Opening the database: what SQLite needs to be safe under many readers and one writer, and errors with a
remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select, update
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from monitor.store.schema import UPGRADES, VERSION, meta, metadata

WAIT = 10.0
"""Seconds a connection waits for another writer before it gives up."""


class StoreError(Exception):
    """The database could not do what was asked; the message names it and the remedy."""


class NotFound(StoreError):
    """There is no such call or alert."""


def open_engine(url: str) -> Engine:
    """The engine of a database whose tables exist at this program's version. Raises ``StoreError``.

    Use ``engine.execution_options(write=True)`` for transactions that write: on SQLite they take the write
    lock when they begin, since a lock taken half way can fail at once instead of waiting.
    """
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        if is_sqlite and parsed.database in (None, "", ":memory:"):
            raise StoreError(f"{url}: threads cannot share a database in memory; name a file: sqlite:///PATH")
        if is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        encode = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
        options: dict[str, Any] = {"connect_args": {"timeout": WAIT}} if is_sqlite else {}
        engine = create_engine(parsed, json_serializer=encode, pool_size=10, max_overflow=40, **options)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(f"{url}: not a database we can open ({error}); write sqlite:///PATH") from error
    except OSError as error:
        raise StoreError(f"{url}: could not make the folder of the database ({error.strerror})") from error
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with errors_of(engine):
            _make_tables(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


@contextmanager
def errors_of(engine: Engine) -> Iterator[None]:
    """Turns the driver's errors into ``StoreError``."""
    try:
        yield
    except DBAPIError as error:
        where = engine.url.database or engine.url.render_as_string()
        cause = str(error.orig)
        raise StoreError(f"{where}: the database refused ({cause}); {_remedy(cause)}") from error


def _remedy(cause: str) -> str:
    known = {
        "full": "free some disk space; what was stored before is unharmed",
        "readonly": "give this user the right to write the file and its folder",
        "unable to open": "check that the folder exists and may be written",
        "not a database": "move the file aside or name another one",
        "malformed": "move the file aside; journals and recordings still hold every call",
        "locked": "another program is holding the database; close it",
        "FOREIGN KEY": "save the call before what belongs to it",
    }
    return next((remedy for key, remedy in known.items() if key in cause), "see the cause in brackets")


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by its own rules
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers never wait for the writer
    cursor.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing; power loss may cost the last commit
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA cache_size=-16000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _make_tables(engine: Engine) -> None:
    with engine.execution_options(write=True).begin() as connection:
        metadata.create_all(connection)
        found = connection.scalar(select(meta.c.value).where(meta.c.key == "version"))
        if found is None:
            connection.execute(insert(meta).values(key="version", value=str(VERSION)))
        elif int(found) != VERSION:
            _upgrade(connection, int(found), f"{engine.url.database}")


def _upgrade(connection: Connection, found: int, name: str) -> None:
    """Bring older tables to this version, all or nothing."""
    if found not in UPGRADES:
        raise StoreError(
            f"{name}: the tables are version {found}, this program writes {VERSION}; "
            "use the matching program or another database"
        )
    for version in range(found, VERSION):
        for statement in UPGRADES[version]:
            connection.exec_driver_sql(statement)
    connection.execute(update(meta).where(meta.c.key == "version").values(value=str(VERSION)))
