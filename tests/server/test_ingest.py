"""A client feeds a real server over a real socket."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from monitor.live.client import Feed, stream
from monitor.live.journal import verify
from tests.live.fakes import FakeRecogniser, alerts_of, all_events, cut, journal_of, request_for, voice
from tests.server.serving import Served, parts_in, serving

COUNT = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(parts_in(tmp_path_factory.mktemp("data"))) as running:
        yield running


@pytest.fixture
def call() -> str:
    """A call id of this test's own."""
    return f"c{next(COUNT)}"


@contextmanager
def begin(served: Served, call: str, /, **fields: Any) -> Iterator[ClientConnection]:
    """A connection whose start message was sent."""
    with connect(f"{served.ws}/ws/ingest", compression=None) as socket:
        socket.send(json.dumps({"type": "start", "call": call, "rate": 8000, "channels": 2} | fields))
        yield socket


def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of that kind."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=5))
        if message["type"] == kind:
            return message


def stored(served: Served, call: str) -> list[tuple[str, int, float]]:
    alerts = served.get(f"/api/alerts?call={call}").json()["alerts"]
    return sorted((a["rule"], a["occasion"], a["at"]) for a in alerts)


def expected(samples: Any, call: str) -> list[tuple[str, int, float]]:
    return sorted((r, o, at / 8000) for r, o, at, _ in alerts_of(all_events(request_for(call), samples)))


def test_a_call_is_heard_stored_and_reported(served: Served, call: str) -> None:
    samples = voice(6)
    with begin(served, call) as socket:
        assert hear(socket, "started") == {"type": "started", "call": call, "heard": 0}
        for chunk in cut(samples, 333):
            socket.send(chunk.samples.tobytes())
        socket.send('{"type":"stop"}')
        done = hear(socket, "done")
    assert stored(served, call) == expected(samples, call)
    report = served.get(done["report"]).json()
    assert report["call"] == {"id": call, "seconds": 6.0}
    assert {v["outcome"] for v in report["verdicts"] if v["rule"] == "test/words"} == {"met"}
    assert verify(journal_of(served.server.parts.data_dir, call)).ok
    served.settled()
    assert served.get(f"/api/calls/{call}/recording").content[:4] == b"fLaC"
    assert served.get(f"/api/calls/{call}").json()["summary"]["phase"] == "ended"


def test_a_dropped_client_resumes_at_what_was_heard(served: Served, call: str) -> None:
    samples = voice(6)
    with begin(served, call) as socket:
        hear(socket, "started")
        socket.send(samples[:20001].tobytes())
        socket.send('{"type":"at","frames":20001}')
    with begin(served, call) as socket:
        heard = hear(socket, "started")["heard"]
        assert heard == 20001
        # It sends some of it again, as a client that is not sure would.
        socket.send('{"type":"at","frames":16000}')
        socket.send(samples[16000:].tobytes())
        socket.send('{"type":"stop"}')
        hear(socket, "done")
    assert stored(served, call) == expected(samples, call)


def test_a_client_that_stays_away_leaves_an_interrupted_call(served: Served, call: str) -> None:
    with begin(served, call) as socket:
        hear(socket, "started")
        socket.send(voice(2).tobytes())
        socket.send('{"type":"signal","signal":"hold","at":1.0}')
        socket.send("{}")
        hear(socket, "error")
    view = served.get(f"/api/calls/{call}").json()
    assert view["phase"] == "interrupted"
    wait_for_report(served, call)
    assert served.get(f"/api/calls/{call}").json()["phase"] == "ended"


def wait_for_report(served: Served, call: str) -> dict[str, Any]:
    """The report, which comes without anyone asking; polls because no client is left to be told."""

    async def poll() -> None:
        while served.server.parts.store.report(call) is None:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(poll(), 10))
    report: dict[str, Any] = served.get(f"/api/calls/{call}/report").json()
    return report


def test_lost_audio_is_a_gap_and_stays_one(served: Served, call: str) -> None:
    samples = voice(4)
    with begin(served, call) as socket:
        socket.send(samples[:8000].tobytes())
        socket.send('{"type":"at","frames":12000}')
        socket.send(samples[12000:].tobytes())
        socket.send('{"type":"stop"}')
        hear(socket, "done")
    lines = [json.loads(line) for line in journal_of(served.server.parts.data_dir, call).read_text().splitlines()]
    gaps = [line["data"] for line in lines if line["data"].get("kind") == "gap"]
    assert [(g["start"], g["end"]) for g in gaps] == [(8000, 12000)]
    assert served.get(f"/api/calls/{call}/report").json()["call"]["seconds"] == 4.0


@pytest.mark.parametrize(
    ("message", "code", "word"),
    [
        (b"\0" * 7, "odd_bytes", "4 bytes"),
        ("hello", "bad_json", "binary"),
        ('{"type":"start","call":"c2","rate":8000,"channels":2}', "already_started", "another"),
        ('{"type":"sing"}', "bad_message", "sing"),
        ('{"type":"signal","signal":"digit"}', "bad_message", "digit"),
        ('{"type":"signal","signal":"hold","at":-1}', "bad_message", "at"),
        ('{"type":"at","frames":9999999999}', "bad_position", "hours"),
        (b"\0" * (4 * 1024 * 1024 + 4), "too_large", "4194304"),
    ],
)
def test_what_cannot_be_is_told_and_costs_no_other_call(
    served: Served, call: str, message: str | bytes, code: str, word: str
) -> None:
    samples = voice(2)
    with begin(served, "good-" + call) as good, begin(served, call) as bad:
        hear(bad, "started")
        bad.send(samples.tobytes())
        bad.send(message)
        error = hear(bad, "error")
        assert error["code"] == code
        assert word in error["message"]
        with begin(served, call) as again:  # nothing heard before the error is lost
            assert hear(again, "started")["heard"] == len(samples)
            again.send('{"type":"stop"}')
            hear(again, "done")
        good.send(samples.tobytes())
        good.send('{"type":"stop"}')
        hear(good, "done")
    assert stored(served, call) == expected(samples, call)
    assert stored(served, "good-" + call) == expected(samples, "good-" + call)


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"rate": 5000}, "bad_rate", "8000 to 48000"),
        ({"rate": 96000}, "bad_rate", "8000 to 48000"),
        ({"rate": "8000"}, "bad_rate", "rate"),
        ({"channels": 3}, "bad_channels", "2"),
        ({"channels": 1, "mixed": False}, "bad_channels", "mixed"),
        ({"call": "../etc/passwd"}, "bad_call_id", "letters"),
        ({"call": ""}, "bad_call_id", "letters"),
        ({"packs": ["nosuch"]}, "unknown_pack", "nosuch"),
        ({"packs": "test"}, "bad_packs", "list"),
        ({"colour": "red"}, "bad_message", "colour"),
    ],
)
def test_a_start_that_cannot_be_is_refused(
    served: Served, call: str, fields: dict[str, Any], code: str, word: str
) -> None:
    with begin(served, call, **fields) as socket:
        error = hear(socket, "error")
    assert error["code"] == code
    assert word in error["message"]
    assert call not in served.server.calls.live


@pytest.mark.parametrize("first", ['{"type":"stop"}', b"\0\0\0\0", None])
def test_a_call_begins_with_a_start(served: Served, first: str | bytes | None) -> None:
    with connect(f"{served.ws}/ws/ingest") as socket:
        if first is not None:
            socket.send(first)
        assert hear(socket, "error")["code"] == "no_start"


def test_a_call_has_one_client_at_a_time_and_one_life(served: Served, call: str) -> None:
    with begin(served, call) as first:
        hear(first, "started")
        with begin(served, call) as second:
            assert hear(second, "error")["code"] == "call_live"
        first.send('{"type":"stop"}')
        hear(first, "done")
    with begin(served, call) as later:
        assert hear(later, "error")["code"] == "call_over"


def test_a_resuming_client_must_keep_its_nature(served: Served, call: str) -> None:
    with begin(served, call) as socket:
        hear(socket, "started")
        socket.send(b"\0" * 16000)
    with begin(served, call, rate=16000) as socket:
        error = hear(socket, "error")
    assert error["code"] == "changed"
    assert "8000" in error["message"]


def test_a_quiet_client_is_told_and_may_resume(tmp_path: Path, call: str) -> None:
    parts = parts_in(tmp_path)
    parts.settings = replace(parts.settings, idle_timeout=0.1)
    with serving(parts) as served, begin(served, call) as socket:
        hear(socket, "started")
        assert hear(socket, "error")["code"] == "idle"


def test_a_wrong_rate_is_noticed(served: Served, call: str) -> None:
    """Two stretches of 0.2 s, after the first, at about eight times the declared speed."""

    async def feed() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        items = cut(np.zeros((8000 * 6, 2), np.int16), 1600)
        where = Feed(f"{served.ws}/ws/ingest", call, 8000, 2, {"speed": 1.0}, speed=8.0, tell=told.append)
        await stream(where, items)
        return told

    told = asyncio.run(feed())
    notes = [m for m in told if m["type"] == "note"]
    assert [n["code"] for n in notes] == ["rate_contradicted"]
    assert served.get(f"/api/calls/{call}").json()["notes"][0]["code"] == "rate_contradicted"


def test_words_come_back_and_are_waited_for(tmp_path: Path, call: str) -> None:
    ear = FakeRecogniser(eager=False)
    samples = voice(3)
    with serving(parts_in(tmp_path, recogniser=ear)) as served, begin(served, call) as socket:
        hear(socket, "started")
        socket.send(samples.tobytes())
        socket.send('{"type":"stop"}')
        while not served.server.calls.live[call].ending:
            served.on_loop(lambda: None)
        ear.release()
        hear(socket, "done")
        report = served.get(f"/api/calls/{call}/report").json()
        lines = served.get(f"/api/calls/{call}/transcript").json()["lines"]
    assert {v["outcome"] for v in report["verdicts"] if v["rule"] == "test/words"} == {"met"}
    assert [line["text"] for line in lines] == [f"第{n}句" for n in range(len(ear.asked))]


def test_an_ear_that_never_answers_costs_a_verdict_not_the_call(tmp_path: Path, call: str) -> None:
    ear = FakeRecogniser(eager=False)
    with serving(parts_in(tmp_path, recogniser=ear)) as served, begin(served, call) as socket:
        socket.send(voice(3).tobytes())
        socket.send('{"type":"stop"}')
        hear(socket, "done")
        report = served.get(f"/api/calls/{call}/report").json()
    assert {v["outcome"] for v in report["verdicts"] if v["rule"] == "test/words"} == {"cannot_tell"}


@pytest.mark.parametrize("rate", [11025, 44100, 48000])
def test_other_rates_are_resampled_over_a_break(served: Served, call: str, rate: int) -> None:
    samples = voice(4, rate=rate)
    middle = len(samples) // 2 + 7
    with begin(served, call, rate=rate) as socket:
        socket.send(samples[:middle].tobytes())
        socket.send("break")
        hear(socket, "error")
    with begin(served, call, rate=rate) as socket:
        assert hear(socket, "started")["heard"] == middle
        socket.send(samples[middle:].tobytes())
        socket.send('{"type":"stop"}')
        hear(socket, "done")
    assert served.get(f"/api/calls/{call}/report").json()["call"]["seconds"] == pytest.approx(4.0, abs=1e-4)
    assert stored(served, call)
