"""What a server tells of its ears: status, metrics, and the screens when the careful one cannot follow."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.client import connect

from monitor.asr.ears import Ears
from monitor.asr.scripted import Scripted
from monitor.core.types import AsrRequest, Channel, Hypothesis
from tests.server.serving import Served, parts_in, serving


@dataclass
class Held:
    """An engine that hears nothing until it is let go."""

    name: str = "slow"
    rate: int = 16000
    batch: int = 1
    began: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def load(self) -> None:
        pass

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        self.began.set()
        assert self.let_go.wait(20)
        return [Hypothesis(request.id, ()) for request in requests]


class Load:
    """Two ears behind a server, one of them busy, and the time as a test tells it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slow = Held()
        self.ears = Ears(Scripted({}, name="quick"), self.slow, clock=lambda: self.now, watch=False)
        self.answered = threading.Event()

    def fall_behind(self) -> None:
        request = AsrRequest(1, Channel.AGENT, 1, 0, 8000, True, 8000, np.zeros(8000, np.int16))
        self.ears.submit("c1", request, lambda _: self.answered.set())
        assert self.slow.began.wait(20)
        self.pass_to(6.0)
        assert self.answered.wait(20)  # the fast ear may have taken a moment

    def pass_to(self, now: float) -> None:
        self.now = now
        self.ears.look()

    def catch_up(self) -> None:
        self.slow.let_go.set()
        assert self.ears.wait_idle(20)
        self.pass_to(60.0)


@pytest.fixture
def load() -> Iterator[Load]:
    load = Load()
    yield load
    load.slow.let_go.set()
    load.ears.close(20)


@pytest.fixture
def served(load: Load, tmp_path: Path) -> Iterator[Served]:
    with serving(parts_in(tmp_path, recogniser=load.ears)) as running:
        yield running


def test_status_and_metrics(served: Served, load: Load) -> None:
    told = served.get("/api/status").json()["recogniser"]
    assert (told["name"], told["lag"], told["fast_only"], told["times_behind"]) == ("quick + slow", 0.0, False, 0)
    assert (told["fast"]["name"], told["careful"]["name"]) == ("quick", "slow")
    assert "monitor_recogniser_fast_only 0.0" in served.get("/metrics").text
    load.fall_behind()
    told = served.get("/api/status").json()["recogniser"]
    assert (told["fast_only"], told["fast_alone"], told["times_behind"]) == (True, 1, 1)
    page = served.get("/metrics").text
    assert "monitor_recogniser_fast_only 1.0" in page
    assert "monitor_finals_fast_alone 1.0" in page
    load.catch_up()
    assert served.get("/api/status").json()["recogniser"]["fast_only"] is False


def test_screens_are_told_at_once(served: Served, load: Load) -> None:
    with connect(f"{served.ws}/ws/live") as screen:
        screen.send("{}")
        assert json.loads(screen.recv(timeout=5))["fast_only"] is False
        load.fall_behind()
        tick = json.loads(screen.recv(timeout=5))
        assert (tick["type"], tick["fast_only"]) == ("tick", True)
        with connect(f"{served.ws}/ws/live") as late:
            late.send("{}")
            assert json.loads(late.recv(timeout=5))["fast_only"] is True
        load.catch_up()
        assert json.loads(screen.recv(timeout=5))["fast_only"] is False


def test_a_server_that_comes_up_while_the_careful_ear_is_behind(load: Load, tmp_path: Path) -> None:
    load.fall_behind()
    with serving(parts_in(tmp_path, recogniser=load.ears)) as served, connect(f"{served.ws}/ws/live") as screen:
        screen.send("{}")
        states = [json.loads(screen.recv(timeout=5))["fast_only"]]
        if not states[-1]:  # the first tick had not come yet
            states.append(json.loads(screen.recv(timeout=5))["fast_only"])
        assert states[-1] is True
