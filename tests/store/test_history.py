"""Which tags a call gets from the calls before it, how endings are kept, and tables of the second version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.store.history import Ending, Promise
from monitor.store.store import Store
from monitor.store.views import CallRow, utc_text

NOW = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/monitor.sqlite") as store:
        yield store


def call(
    store: Store,
    ago: timedelta,
    direction: str = "inbound",
    customer: str | None = "c",
    broke_off: bool | None = False,
    promised: bool = False,
) -> str:
    begun = NOW - ago
    name = f"{direction}-{begun:%d-%H%M%S}-{customer}"
    store.save_call(
        CallRow(name, begun.isoformat(), 8000, ("agent", "customer"), None, direction, ("p",), customer=customer)
    )
    made = utc_text(begun + timedelta(seconds=30))
    promises = (Promise(0, 240_000, "p/promise", "明天", made, None),) if promised else ()
    ended = utc_text(begun + timedelta(minutes=1))
    store.save_ending(name, Ending(ended, True, 2, None, not broke_off, broke_off, promises))
    return name


def test_repeat_is_a_second_call_of_the_same_day(store: Store) -> None:
    call(store, timedelta(hours=20))
    assert store.find_tags("c", "inbound", NOW) == ()
    call(store, timedelta(hours=2), "outbound")
    call(store, timedelta(hours=2), customer="other")
    assert store.find_tags("c", "inbound", NOW) == ()
    call(store, timedelta(hours=3))
    assert store.find_tags("c", "inbound", NOW) == ("repeat",)
    assert store.find_tags("c", "outbound", NOW) == ()


def test_callback_after_the_last_call_broke_off(store: Store) -> None:
    call(store, timedelta(hours=5), broke_off=True)
    assert store.find_tags("c", "outbound", NOW) == ("callback",)
    assert store.find_tags("other", "outbound", NOW) == ()
    call(store, timedelta(hours=4))
    assert store.find_tags("c", "outbound", NOW) == ()


def test_a_break_long_ago_is_forgotten(store: Store) -> None:
    call(store, timedelta(hours=25), broke_off=True)
    assert store.find_tags("c", "outbound", NOW) == ()


def test_callback_while_a_promise_is_open(store: Store) -> None:
    call(store, timedelta(days=2), promised=True)
    call(store, timedelta(days=1))
    assert store.find_tags("c", "outbound", NOW) == ("callback",)
    call(store, timedelta(hours=1), "outbound")
    assert store.find_tags("c", "outbound", NOW) == ()


def test_an_ending_is_replaced_and_goes_with_its_call(store: Store) -> None:
    name = call(store, timedelta(hours=1), promised=True)
    day = timedelta(days=1)
    assert [promise.said for promise in store.past_promises(NOW - day, NOW)] == ["明天"]
    store.save_ending(name, Ending(utc_text(NOW), False))
    assert store.past_promises(NOW - day, NOW) == []
    assert [past.answered for past in store.past_calls(NOW - day, NOW)] == [False]
    store.delete_call(name)
    assert store.past_calls(NOW - day, NOW) == []


def test_tables_of_the_second_version_are_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite"
    with Store(url) as store:
        store.save_call(CallRow("old", NOW.isoformat(), 8000, ("mixed",)))
    with sqlite3.connect(tmp_path / "old.sqlite") as old:
        old.executescript(
            "DROP INDEX calls_by_customer; ALTER TABLE calls DROP COLUMN customer; DROP TABLE endings;"
            "DROP TABLE promises; UPDATE meta SET value = '2'"
        )
    old.close()
    for _ in range(2):
        with Store(url) as store:
            row = store.row("old")
            assert row is not None and row.customer is None
            store.save_ending("old", Ending(utc_text(NOW), True))
    with sqlite3.connect(tmp_path / "old.sqlite") as new:
        assert new.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == ("3",)
        assert new.execute("SELECT count(*) FROM sqlite_master WHERE name = 'calls_by_customer'").fetchone() == (1,)
    new.close()
