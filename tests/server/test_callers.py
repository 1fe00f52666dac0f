"""A server that knows its callers again: tags from the store, and nobody's number anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from monitor.live.recover import read_story
from monitor.live.setup import CallSetupRequest
from monitor.store.history import Ending
from monitor.store.views import utc_text
from tests.live.fakes import journal_of, voice
from tests.server.serving import Served, parts_in, serving

NUMBER = "13800138000"
SAMPLES = voice(1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    def figures(start: datetime | None, end: datetime | None, pack: str | None) -> dict[str, Any]:
        if pack == "none":
            raise ValueError("there is no pack 'none'")
        return {"from": start and start.isoformat(), "to": end and end.isoformat(), "packs": [pack]}

    with serving(parts_in(tmp_path, figures=figures)) as running:
        yield running


def play(served: Served, call: str, **fields: Any) -> CallSetupRequest:
    """A whole call; the request as its journal has it."""
    with connect(f"{served.ws}/ws/ingest", compression=None) as socket:
        socket.send(json.dumps({"type": "start", "call": call, "rate": 8000, "channels": 2} | fields))
        socket.send(SAMPLES.tobytes())
        socket.send('{"type":"stop"}')
        while (answer := json.loads(socket.recv(timeout=5)))["type"] != "done":
            assert answer["type"] != "error", answer
    return read_story(journal_of(served.server.parts.data_dir, call)).request


def test_a_customer_is_known_again(served: Served) -> None:
    assert play(served, "first", customer=NUMBER).tags == ()
    assert play(served, "again", customer="+86 138 0013 8000").tags == ("repeat",)
    assert play(served, "other", customer="13800138001").tags == ()
    assert play(served, "unknown").tags == ()
    assert play(served, "told", customer=NUMBER, tags=[]).tags == ()
    assert play(served, "vip", customer=NUMBER, tags=["vip"]).tags == ("vip",)


def test_a_call_back_is_known(served: Served) -> None:
    request = play(served, "first", customer=NUMBER)
    now = utc_text(datetime.now(UTC) - timedelta(seconds=1))
    served.server.parts.store.save_ending("first", Ending(now, True, None, None, False, True))
    assert request.customer is not None
    assert play(served, "back", customer=NUMBER, direction="outbound").tags == ("callback",)


def test_endings_are_kept(served: Served) -> None:
    play(served, "one", customer=NUMBER)
    now = datetime.now(UTC)
    [past] = served.server.parts.store.past_calls(now - timedelta(minutes=5), now + timedelta(minutes=5), True)
    assert (past.id, past.direction, past.packs, past.answered) == ("one", "inbound", ("test",), False)


def test_the_number_is_nowhere(served: Served) -> None:
    play(served, "one", customer=NUMBER)
    served.settled()
    for path in ("/api/calls", "/api/calls/one", "/api/calls/one/journal", "/api/calls/one/report"):
        assert NUMBER not in served.get(path).text
    with connect(f"{served.ws}/ws/ingest") as socket:
        socket.send(json.dumps({"type": "start", "call": "x", "rate": 8000, "channels": 2, "customer": NUMBER * 20}))
        error = json.loads(socket.recv(timeout=5))
    assert "customer" in error["message"] and NUMBER not in error["message"]
    folder = served.server.parts.data_dir
    assert not [path for path in folder.rglob("*") if path.is_file() and NUMBER.encode() in path.read_bytes()]


def test_figures_of_a_time(served: Served) -> None:
    answer = served.get("/api/figures", params={"from": "2026-03-01T00:00:00+08:00", "pack": "p"}).json()
    assert answer == {"from": "2026-03-01T00:00:00+08:00", "to": None, "packs": ["p"]}
    assert served.get("/api/figures", params={"pack": "none"}).status_code == 422
    refused = served.get("/api/figures", params={"to": "yesterday"})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("to: ")
