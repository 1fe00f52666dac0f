"""``monitor figures``: the same answers as the server's, for people and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli.figures import moment
from monitor.compose import STORE_FILE, count_figures
from monitor.config import Config
from monitor.store.history import Ending
from monitor.store.store import Store
from monitor.store.views import CallRow, utc_text
from tests.cli.files import done, refused

BEGUN = datetime(2026, 3, 5, 8, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store(f"sqlite:///{tmp_path / STORE_FILE}") as store:
        for name, answered in (("a", True), ("b", False)):
            store.save_call(CallRow(name, BEGUN.isoformat(), 8000, ("mixed",), packs=("gas-hotline",)))
            store.save_ending(name, Ending(utc_text(BEGUN + timedelta(minutes=1)), answered, 2))
    return tmp_path


def test_json_is_what_the_server_answers(folder: Path) -> None:
    told = json.loads(
        done(
            "figures",
            "--data",
            str(folder),
            "--from",
            "2026-03-01T00:00+00:00",
            "--to",
            "2026-03-09T00:00+00:00",
            "--json",
        )
    )
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
    with Store(f"sqlite:///{folder / STORE_FILE}") as store:
        assert told == json.loads(json.dumps(count_figures(Config(), store, start, end, None)))
    rates = {figure["rule"]: figure for pack in told["packs"] for figure in pack["figures"]}["gas-hotline/answer-rates"]
    assert (rates["offered"], rates["answered"], rates["share"]) == (2, 1, 0.5)


def test_for_people(folder: Path) -> None:
    told = done("figures", "--data", str(folder), "--from", "2026-03-01", "--to", "2026-03-09", "--pack", "gas-hotline")
    assert "gas-hotline/answer-rates" in told
    assert "offered 2, answered 1" in told
    assert "shunchuang" not in told


def test_what_cannot_be(folder: Path) -> None:
    assert "--from" in refused("figures", "--data", str(folder), "--from", "soon")
    assert "choose one of" in refused("figures", "--data", str(folder), "--pack", "nobody")
    assert "exchange them" in refused("figures", "--data", str(folder), "--from", "2026-03-09", "--to", "2026-03-01")
    assert "no store yet" in refused("figures", "--data", str(folder / "none"))


def test_a_day_is_whole() -> None:
    start, end = moment("2026-03-05", "--from"), moment("2026-03-05", "--to", whole_day=True)
    assert start is not None and end is not None
    assert end - start == timedelta(days=1)


def test_a_customer_needs_a_server(tmp_path: Path) -> None:
    assert "--customer needs --server" in refused("replay", str(tmp_path / "a.wav"), "--customer", "10086")
