"""Calls that come in live, through a real server with the shipped model, are judged as their recordings are."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

from monitor.live.client import Feed, stream
from monitor.sources.recording import Recording
from tests.e2e.programs import CALLS, MODEL, MODELS, Serving, monitor, serving

pytestmark = pytest.mark.timeout(300)  # calls in real time, and processes of their own on a busy machine

Json = dict[str, Any]

LIVE = {"short": 1.0, "talk-over": 1.0, "keys": 1.0, "wide": 1.0, "unsignalled-hold": 2.0}
"""Calls and their speed: seconds of audio a second. The longest lasts 22 s."""

BROKEN = "talk-over"
FED = "wide"
"""Sent by ``monitor replay --server``."""

BREAK_AT = (4.33, 9.871)
"""Seconds of the call after which its connection is lost: in the middle of speech, in the middle of a chunk."""


@dataclass(frozen=True, slots=True)
class Ended:
    """All calls are over: reports by call, and the folder with journals and recordings."""

    reports: dict[str, Json]
    folder: Path
    resumed_at: list[int]


def messages(stem: str) -> tuple[Recording, list[Any]]:
    recording = Recording(CALLS / f"{stem}.flac")
    return recording, [*recording.signals(), *recording.chunks(0.1)]


async def play(server: Serving, stem: str, speed: float) -> None:
    """A call as the product's own client streams it."""
    recording, items = messages(stem)
    info = recording.probe()
    start = {"agent": "王芳", "source": f"{stem}.flac", "signalled": bool(recording.signals())}
    feed = Feed(server.ingest, f"live-{stem}", info.rate, len(info.channels), start, speed=speed)
    done = await stream(feed, items)
    assert done["type"] == "done"


async def play_broken(server: Serving) -> list[int]:
    """The same call over a network that fails twice; returns where the server let it go on."""
    recording = Recording(CALLS / f"{BROKEN}.flac")
    info = recording.probe()
    audio = np.concatenate([chunk.samples for chunk in recording])
    start = {"type": "start", "call": f"broken-{BROKEN}", "rate": info.rate, "channels": 2, "agent": "李强"}
    start |= {"source": f"{BROKEN}.flac", "signalled": True, "speed": 4.0}
    facts = json.loads((CALLS / f"{BROKEN}.signals.json").read_text(encoding="utf-8"))
    went_on: list[int] = []
    for until in (*BREAK_AT, None):
        async with connect(server.ingest, compression=None) as socket:
            await _started(socket, start, went_on)
            for fact in facts if len(went_on) == 1 else ():
                await socket.send(json.dumps({"type": "signal", **fact}))
            end = len(audio) if until is None else round(until * info.rate)
            for at in range(went_on[-1], end, info.rate // 10):
                await socket.send(audio[at : min(at + info.rate // 10, end)].astype("<i2").tobytes())
                await asyncio.sleep(0.025)  # a client has its speed; this one is four times real time
            if until is not None:
                socket.transport.abort()
                continue
            await socket.send('{"type":"stop"}')
            async for text in socket:
                if json.loads(text)["type"] == "done":
                    return went_on
    raise AssertionError("the server never said that the call is done")


async def _started(socket: Any, start: Json, went_on: list[int]) -> None:
    await socket.send(json.dumps(start))
    answer = json.loads(await socket.recv())
    assert answer["type"] == "started", answer
    went_on.append(answer["heard"])


async def play_all(server: Serving) -> list[int]:
    streams = [asyncio.create_task(play(server, stem, speed)) for stem, speed in LIVE.items()]
    went_on = await play_broken(server)
    await asyncio.gather(*streams)
    return went_on


def wait_for(path: Path, seconds: float = 30) -> None:
    """A recording is packed a moment after its call is over."""
    until = time.monotonic() + seconds
    while not path.is_file():
        assert time.monotonic() < until, f"{path} was not written"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """All calls, at once, through one server; it is stopped again."""
    data = tmp_path_factory.mktemp("server")
    config = data / "monitor.yaml"
    config.write_text("recogniser: {patience: 60}\n", encoding="utf-8")  # however busy this machine is
    with serving(data, *MODELS, "--config", str(config)) as server:
        resumed_at = asyncio.run(play_all(server))
        fed = monitor("replay", CALLS / f"{FED}.flac", "--server", server.url, "--speed", "5")
        assert fed.returncode == 0, fed.stderr
        calls = [*(f"live-{stem}" for stem in LIVE), f"broken-{BROKEN}", FED]
        reports = {}
        for call in calls:
            answer = httpx.get(f"{server.url}/api/calls/{call}/report", timeout=20)
            assert answer.status_code == 200, answer.text
            reports[call] = answer.json()
            wait_for(data / "calls" / f"{call}.flac")
    yield Ended(reports, data / "calls", resumed_at)


@pytest.fixture(scope="module")
def replayed(ended: Ended, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """What ``monitor replay`` says of the originals and of the recordings that the server kept."""
    folder = tmp_path_factory.mktemp("kept")
    files = []
    for stem in LIVE:
        files.append(CALLS / f"{stem}.flac")
        kept = folder / f"live-{stem}.flac"
        shutil.copy(ended.folder / kept.name, kept)
        shutil.copy(CALLS / f"{stem}.signals.json", folder / f"live-{stem}.signals.json")
        files.append(kept)
    result = monitor("replay", *files, *MODELS, "--out", folder)
    assert result.returncode == 0, result.stderr
    return {file.stem: json.loads((folder / f"{file.stem}.report.json").read_text(encoding="utf-8")) for file in files}


def findings(report: Json) -> Json:
    """What must not depend on how a call came in. ``raised_at`` does where words decide: a recogniser takes time."""
    alerts = [{k: v for k, v in alert.items() if k != "raised_at"} for alert in report["alerts"]]
    verdicts = sorted(report["verdicts"], key=lambda v: (v["rule"], v["occasion"]))
    same = ("metrics", "turns", "transcript", "phases", "gaps")
    return {"alerts": alerts, "verdicts": verdicts, **{name: report[name] for name in same}}


def assert_same(one: Json, other: Json) -> None:
    """Compare part by part, so that a failure shows the part."""
    a, b = findings(one), findings(other)
    for name in a:
        assert a[name] == b[name], name


@pytest.mark.parametrize("stem", sorted(LIVE))
def test_a_live_call_is_judged_like_the_recording_that_was_kept(
    ended: Ended, replayed: dict[str, Json], stem: str
) -> None:
    assert_same(ended.reports[f"live-{stem}"], replayed[f"live-{stem}"])


@pytest.mark.parametrize("stem", sorted(LIVE))
def test_a_live_call_is_judged_like_the_file_it_came_from(ended: Ended, replayed: dict[str, Json], stem: str) -> None:
    assert_same(ended.reports[f"live-{stem}"], replayed[stem])


def test_there_was_something_to_judge(ended: Ended) -> None:
    alerts = {name: {a["rule"] for a in report["alerts"]} for name, report in ended.reports.items()}
    assert "gas-hotline/no-interrupting" in alerts["live-talk-over"]
    for name, report in ended.reports.items():
        assert report["transcript"], name
        assert report["call"]["model"] == MODEL
        assert len({(v["rule"], v["occasion"]) for v in report["verdicts"]}) == len(report["verdicts"])


def test_the_kept_recording_is_the_audio_that_was_sent(ended: Ended) -> None:
    for stem in LIVE:
        sent, kept = (Recording(file) for file in (CALLS / f"{stem}.flac", ended.folder / f"live-{stem}.flac"))
        audio = [np.concatenate([chunk.samples for chunk in recording]) for recording in (sent, kept)]
        assert np.array_equal(*audio), stem


def test_a_break_of_the_network_changes_nothing(ended: Ended) -> None:
    assert ended.resumed_at == [0, *(round(at * 8000) for at in BREAK_AT)]
    assert_same(ended.reports[f"broken-{BROKEN}"], ended.reports[f"live-{BROKEN}"])


def test_a_recording_that_replay_fed_to_the_server_is_judged_the_same(ended: Ended, replayed: dict[str, Json]) -> None:
    assert_same(ended.reports[FED], replayed[FED])


def test_the_journals_are_whole_and_say_the_same_again(ended: Ended) -> None:
    journals = sorted(ended.folder.glob("*.jsonl"))
    assert len(journals) == len(LIVE) + 2
    verified = monitor("journal", "verify", *journals)
    assert (verified.returncode, verified.stdout.count(" whole, ")) == (0, len(journals)), verified.stdout
    played = monitor("journal", "replay", *journals)
    assert (played.returncode, played.stdout.count(" 0 differ")) == (0, len(journals)), played.stdout + played.stderr
