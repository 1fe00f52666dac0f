"""REST, pages, health and metrics of a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.sync.client import connect

from tests.live.fakes import voice
from tests.server.serving import Served, parts_in, serving

SAMPLES = voice(8)


def play(served: Served, call: str) -> None:
    """A whole call, until its recording is there."""
    with connect(f"{served.ws}/ws/ingest", compression=None) as socket:
        socket.send(json.dumps({"type": "start", "call": call, "rate": 8000, "channels": 2, "agent": "小王"}))
        socket.send(SAMPLES.tobytes())
        socket.send('{"type":"stop"}')
        while json.loads(socket.recv(timeout=5))["type"] != "done":
            pass
    served.settled()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("data")
    static = folder / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<p>the dashboard</p>")
    (static / "assets" / "app.js").write_text("go()")
    (folder / "secret.txt").write_text("secret")
    packs = [{"id": "test", "title": {"zh": "测试", "en": "test"}, "rules": []}]
    with serving(parts_in(folder, static=static, packs=lambda: packs)) as running:
        play(running, "r1")
        yield running


def test_calls_and_one_call(served: Served) -> None:
    listed = served.get("/api/calls").json()["calls"]
    assert [call["id"] for call in listed] == ["r1"]
    one = served.get("/api/calls/r1").json()
    assert one["phase"] == "ended"
    assert one["agent"] == "小王"
    assert one["counts"] == listed[0]["counts"]
    assert one["summary"]["seconds"] == one["seconds"] == 8.0


def test_a_call_that_left_the_wall_is_told_by_its_journal(served: Served) -> None:
    on_the_wall = served.get("/api/calls/r1").json()
    served.on_loop(lambda: served.server.hub.remove("r1"))
    later = served.get("/api/calls/r1").json()
    assert later == on_the_wall


@pytest.mark.parametrize("path", ["", "/report", "/transcript", "/recording", "/journal", "/verdicts"])
@pytest.mark.parametrize("call", ["nosuch", "..%2f..%2fetc", "%00", "r1%2f..%2fr1"])
def test_an_unknown_call_is_not_found(served: Served, call: str, path: str) -> None:
    assert served.get(f"/api/calls/{call}{path}").status_code == 404


def test_the_recording_comes_in_ranges(served: Served) -> None:
    whole = served.get("/api/calls/r1/recording")
    assert whole.headers["content-type"] == "audio/flac"
    part = served.get("/api/calls/r1/recording", headers={"Range": "bytes=4-9"})
    assert part.status_code == 206
    assert part.content == whole.content[4:10]
    assert part.headers["content-range"] == f"bytes 4-9/{len(whole.content)}"
    beyond = served.get("/api/calls/r1/recording", headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_the_journal_and_verdicts(served: Served) -> None:
    lines = served.get("/api/calls/r1/journal").text.splitlines()
    assert json.loads(lines[0])["t"] == "header"
    assert json.loads(lines[-1])["data"]["name"] == "finished"
    assert served.get("/api/calls/r1/verdicts").json()["verdicts"]


def test_people_review_alerts_and_screens_show_it(served: Served) -> None:
    alert = served.get("/api/alerts?call=r1&limit=1").json()["alerts"][0]
    where = "/api/alerts/" + quote(alert["id"], safe="")
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send('{"type":"hello"}')
        screen.recv(timeout=5)
        assert served.post(f"{where}/acknowledge", json={"by": "老张"}).json()["ack"]["by"] == "老张"
        assert served.post(f"{where}/comment", json={"by": "老张", "text": "同意"}).json()["comment"] == "同意"
        assert served.post(f"{where}/judge", json={"by": "老张", "right": False}).json()["right"] is False
        shown: dict[str, Any] = {}
        while shown.get("right") is None:
            for told in json.loads(screen.recv(timeout=5))["alerts"]:
                shown = told
    assert (shown["id"], shown["ack"]["by"], shown["comment"]) == (alert["id"], "老张", "同意")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nosuch~test/loud~0/acknowledge", {"by": "x"}, 404),
        ("r1~test/loud~0/acknowledge", {"by": ""}, 422),
        ("r1~test/loud~0/judge", {"by": "x", "right": "perhaps"}, 422),
        ("r1~test/loud~0/comment", {"by": "x", "text": "t", "colour": 1}, 422),
    ],
)
def test_a_review_that_cannot_be(served: Served, path: str, body: dict[str, Any], status: int) -> None:
    assert served.post(f"/api/alerts/{path}", json=body).status_code == status


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=9999", "limit=x", "before=yesterday", "before=2026-01-31T08:00:00"]
)
def test_a_question_that_cannot_be(served: Served, query: str) -> None:
    assert served.get(f"/api/calls?{query}").status_code == 422


def test_lists_go_back_in_time(served: Served) -> None:
    assert served.get("/api/calls?before=2020-01-01T00:00:00Z").json() == {"calls": []}
    assert served.get("/api/calls?before=2100-01-01T00:00:00+08:00").json()["calls"]
    assert served.get("/api/alerts?before=2020-01-01T00:00:00Z").json() == {"alerts": []}


def test_packs_status_health_and_metrics(served: Served) -> None:
    assert served.get("/api/packs").json()[0]["id"] == "test"
    status = served.get("/api/status").json()
    assert (status["version"], status["live_calls"], status["recogniser"]) == ("test", 0, None)
    assert status["store"]["calls"] == 1
    assert served.get("/healthz").json()["ok"] is True
    page = served.get("/metrics").text
    samples = f"{2 * len(SAMPLES):.1f}"
    assert f"monitor_ingest_samples_total {samples}" in page
    alerts = len(served.get("/api/alerts?call=r1").json()["alerts"])
    assert f'monitor_alerts_total{{severity="warning"}} {alerts}.0' in page
    assert alerts > 1
    assert 'monitor_alert_latency_seconds_bucket{le="+Inf"}' in page
    assert "monitor_alert_latency_seconds_count 0.0" not in page
    assert "monitor_live_calls 0.0" in page


def test_health_tells_when_the_store_fails(served: Served) -> None:
    served.server.writer.failing = "m.sqlite: the disk is full; free some"
    try:
        answer = served.get("/healthz")
        assert (answer.status_code, "free some" in answer.text) == (503, True)
    finally:
        served.server.writer.failing = None


@pytest.mark.parametrize("path", ["/", "/calls", "/calls/r1", "/calls/2026.01.31-7"])
def test_pages_are_drawn_by_the_dashboard(served: Served, path: str) -> None:
    answer = served.get(path)
    assert (answer.status_code, answer.text) == (200, "<p>the dashboard</p>")
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_assets_last_and_nothing_else_is_served(served: Served) -> None:
    asset = served.get("/assets/app.js")
    assert (asset.text, "immutable" in asset.headers["cache-control"]) == ("go()", True)
    for path in ("/nosuch.js", "/api/nosuch", "/ws/nosuch", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt"):
        answer = served.get(path)
        assert answer.status_code == 404 or "secret" not in answer.text, path
    assert served.get("/nosuch.js").status_code == served.get("/api/nosuch").status_code == 404


def test_the_api_is_documented(served: Served) -> None:
    described = served.get("/openapi.json").json()
    assert "/api/calls/{call}/report" in described["paths"]
    assert served.get("/docs").status_code == 200


def test_without_a_dashboard_the_page_says_how_to_build_one(tmp_path: Path) -> None:
    with serving(parts_in(tmp_path, static=tmp_path / "nothing")) as served:
        page = served.get("/calls")
        assert (page.status_code, "npm run build" in page.text) == (200, True)
        assert served.get("/assets/app.js").status_code == 404


def test_a_running_call_has_figures_but_no_report(served: Served) -> None:
    with connect(f"{served.ws}/ws/ingest", compression=None) as socket:
        socket.send('{"type":"start","call":"r2","rate":8000,"channels":2}')
        socket.recv(timeout=5)
        socket.send(SAMPLES.tobytes())
        socket.send('{"type":"at","frames":64000}')
        while json.loads(socket.recv(timeout=5))["type"] != "heard":
            pass
        assert served.get("/api/calls/r2").json()["seconds"] == 8.0
        assert served.get("/api/calls?limit=1").json()["calls"][0]["seconds"] == 8.0
        for path in ("report", "recording"):
            answer = served.get(f"/api/calls/r2/{path}")
            assert answer.status_code == 404
            assert "r2" in answer.json()["detail"]
        socket.send('{"type":"stop"}')
        while json.loads(socket.recv(timeout=5))["type"] != "done":
            pass
    assert httpx.get(f"{served.url}/api/calls/r2/report").status_code == 200
