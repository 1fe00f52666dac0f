"""A server is killed again and again during live calls; afterwards every alert is there once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from monitor.compose import Calls as ComposedCalls
from monitor.config import Config
from monitor.core.types import Chunk, Samples, Signal, SignalKind
from monitor.live.client import Feed, stream
from monitor.live.journal import read, verify
from monitor.store.store import Store
from tests.live.fakes import alerts_of, all_events, cut, request_for, voice

KILLS = 20
SPEED = 6.0
"""Audio seconds a second: each life of the server hears some, and the last one has not too much to rebuild."""

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def start_server(port: int, folder: Path, kind: str) -> asyncio.subprocess.Process:
    """A server that takes connections."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/live/kill_server.py"),
        str(port),
        str(folder),
        kind,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert server.stdout is not None
    line = await asyncio.wait_for(server.stdout.readline(), 30)
    assert line.startswith(b"ready"), "the server did not start"
    return server


class Source:
    """A call that goes on until it is told to end: the same audio again and again, with or without a signal at each
    tenth second."""

    def __init__(self, pattern: Samples, *, signals: bool = True) -> None:
        self._pattern = pattern[: len(pattern) // 800 * 800]
        self._signals = signals
        self.length = 0
        self.over = False

    async def items(self) -> AsyncIterator[Chunk | Signal]:
        while not self.over:
            at = self.length % len(self._pattern)
            yield Chunk(self.length, self._pattern[at : at + 800])
            self.length += 800
            if self._signals and self.length % 80000 == 0:
                yield Signal(SignalKind.HOLD, self.length)

    def samples(self) -> Samples:
        """Everything that was sent."""
        return np.resize(self._pattern, (self.length, 2))


async def killed_often(folder: Path, sources: list[Source], kind: str, kills: int) -> list[dict[str, Any]]:
    """Calls streamed over ``kills`` kills; the answers to their stops."""
    port = free_port()
    server = await start_server(port, folder, kind)
    chance = random.Random(7)
    url = f"ws://127.0.0.1:{port}/ws/ingest"
    heard: dict[str, asyncio.Event] = {}

    def teller(call: str) -> Any:
        heard[call] = asyncio.Event()
        return lambda message: heard[call].set() if message["type"] == "started" else None

    tasks = [
        asyncio.create_task(
            stream(Feed(url, f"c{n}", 8000, 2, speed=SPEED, patience=60, tell=teller(f"c{n}")), source.items())
        )
        for n, source in enumerate(sources)
    ]
    try:
        for _ in range(kills):
            for event in heard.values():
                await asyncio.wait_for(event.wait(), 30)
                event.clear()
            await asyncio.sleep(chance.uniform(0.0, 0.4))  # the moment of the kill is the point of this test
            assert not any(task.done() for task in tasks)
            server.kill()
            await server.wait()
            server = await start_server(port, folder, kind)
        for source in sources:
            source.over = True
        return await asyncio.wait_for(asyncio.gather(*tasks), 60)
    finally:
        server.terminate()
        await server.wait()


@pytest.mark.timeout(180)
def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    sources = [Source(voice(30, seed=1)), Source(voice(30, seed=2))]
    done = asyncio.run(killed_often(tmp_path, sources, "fake", KILLS))
    assert [message["type"] for message in done] == ["done", "done"]
    store = Store(f"sqlite:///{tmp_path / 'monitor.sqlite'}")
    for n, source in enumerate(sources):
        wanted = sorted(alerts_of(all_events(request_for(f"c{n}", recognise=True), source.samples())))
        assert len(wanted) > 50
        found = sorted((a["rule"], a["occasion"], a["at"]) for a in store.alerts(f"c{n}", 10_000))
        assert found == [(rule, occasion, at / 8000) for rule, occasion, at, _ in wanted]
        journal = tmp_path / "calls" / f"c{n}.jsonl"
        assert verify(journal).ok
        lines = list(read(journal))
        assert sorted(alerts_of(line.event() for line in lines if line.t == "event")) == wanted
        report = store.report(f"c{n}")
        assert report is not None
        assert {v["outcome"] for v in report["verdicts"] if v["rule"] == "test/words"} == {"met"}
        assert sum(line.t == "note" and line.data["name"] == "lost" for line in lines) == 0
        signals = Counter(json.dumps(line.data) for line in lines if line.data.get("kind") == "signal")
        assert set(signals.values()) == {2}, "each signal once as input and once as event"
        assert len(signals) == source.length // 80000
    store.close()


@pytest.mark.timeout(180)
def test_kills_of_the_real_core_lose_and_double_nothing(tmp_path: Path) -> None:
    """The same with a rendered call and the shipped rules, which take longer to rebuild: fewer kills."""
    samples, rate = soundfile.read(ROOT / "demo" / "2-fast-loud.flac", dtype="int16", always_2d=True)
    assert rate == 8000
    source = Source(samples, signals=False)
    asyncio.run(killed_often(tmp_path, [source], "core", 5))
    request = request_for("c0", packs=tuple(Config().packs))
    call = ComposedCalls(Config()).make(request)
    events = [event for chunk in cut(source.samples(), 8000) for event in call.feed(chunk)] + call.finish()
    last = {(rule, occasion): at / 8000 for rule, occasion, at, _ in alerts_of(events)}  # the last state counts
    wanted = sorted((rule, occasion, at) for (rule, occasion), at in last.items())
    assert len(wanted) > 2
    store = Store(f"sqlite:///{tmp_path / 'monitor.sqlite'}")
    assert sorted((a["rule"], a["occasion"], a["at"]) for a in store.alerts("c0", 10_000)) == wanted
    lines = list(read(tmp_path / "calls" / "c0.jsonl"))
    told = Counter(line.event() for line in lines if line.t == "event" and line.data["kind"] != "lag")
    assert told == Counter(event for event in events if event.kind != "lag")
    assert not any(line.data["name"] == "diverged" for line in lines if line.t == "note")
    store.close()
