"""Screens over real sockets: snapshot, ticks, resume, slowness."""

from __future__ import annotations

import json
import socket as sockets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.live.fakes import request_for
from tests.server.serving import QUICK, Served, parts_in, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(parts_in(tmp_path_factory.mktemp("data"), settings=replace(QUICK, viewer_queue=4))) as running:
        yield running


def message(socket: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socket.recv(timeout=5))
    return found


def until(socket: ClientConnection, call: str, field: str) -> Any:
    """The next value of a field of a call."""
    while True:
        for told in message(socket)["calls"]:
            if told["id"] == call and field in told:
                return told[field]


def test_a_screen_gets_a_snapshot_then_ticks(served: Served) -> None:
    served.on_loop(lambda: served.server.hub.open(request_for("s1")))
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send('{"type":"hello"}')
        first = message(screen)
        assert first["type"] == "snapshot"
        served.on_loop(lambda: served.server.hub.progress("s1", 16000))
        assert until(screen, "s1", "seconds") == 2.0
        screen.send("whatever a screen says later")
        served.on_loop(lambda: served.server.hub.progress("s1", 24000))
        assert until(screen, "s1", "seconds") == 3.0


def test_a_screen_resumes_where_it_was(served: Served) -> None:
    served.on_loop(lambda: served.server.hub.open(request_for("s2")))
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send("{}")
        epoch = message(screen)["epoch"]
        served.on_loop(lambda: served.server.hub.progress("s2", 8000))
        while True:
            tick = message(screen)
            if any(call.get("seconds") == 1.0 for call in tick["calls"]):
                break
    served.on_loop(lambda: served.server.hub.progress("s2", 16000))
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send(json.dumps({"type": "resume", "epoch": epoch, "seq": tick["seq"]}))
        again = message(screen)
        assert (again["type"], again["seq"]) == ("tick", tick["seq"] + 1)


@pytest.mark.parametrize("first", ["not json", "[]", '{"type":"resume","epoch":1,"seq":"x"}', b"\0\1"])
def test_any_other_first_message_gets_a_snapshot(served: Served, first: str | bytes) -> None:
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send(first)
        assert message(screen)["type"] == "snapshot"


def test_a_screen_that_leaves_is_forgotten(served: Served) -> None:
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send('{"type":"hello"}')
        message(screen)
        with connect(f"{served.ws}/ws/live"):
            pass
        before = len(served.server.hub.viewers)
    while len(served.server.hub.viewers) >= before:
        served.on_loop(lambda: None)


def test_a_slow_screen_holds_up_nobody(served: Served) -> None:
    """One screen does not read: its socket fills, the other screen still gets every tick, and when the first one
    reads again it finds a snapshot instead of all it missed."""
    served.on_loop(lambda: served.server.hub.open(request_for("s3")))
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", served.port))
    with (
        connect(f"{served.ws}/ws/live", sock=raw, max_queue=1) as slow,
        connect(f"{served.ws}/ws/live") as quick,
    ):
        for screen in (slow, quick):
            screen.send('{"type":"hello"}')
        first = message(quick)["seq"]
        big = {"code": "x" * 300_000, "message": {"zh": "", "en": ""}}
        for second in range(1, 41):
            served.on_loop(lambda: served.server.hub.views["s3"].notes.clear())
            served.on_loop(lambda: served.server.hub.note("s3", big))

            def move(second: int = second) -> None:
                served.server.hub.progress("s3", second * 8000)

            served.on_loop(move)
            assert until(quick, "s3", "seconds") == second
        served.on_loop(lambda: served.server.hub.views["s3"].notes.clear())
        seen = [message(slow)]
        while seen[-1]["seq"] < served.server.hub.seq:
            seen.append(message(slow))
        assert [found["type"] for found in seen].count("snapshot") >= 2
        assert len(seen) < served.server.hub.seq - first
