"""Requests and recordings for the tests of recognition. Nothing here may reach for the network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import av
import numpy as np
import pytest

from monitor.asr.whisper import Whisper
from monitor.core.types import AsrRequest, Channel, Samples

DATA = Path(__file__).parent.parent / "data" / "asr"
RATE = 8000

Spoken = tuple[Samples, list[tuple[str, float, float]]]
Asking = Callable[..., AsrRequest]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty user cache, a hub that is switched off, and a proof that no address was ever looked up."""
    asked: list[object] = []

    def refuse(host: object, *_args: object, **_options: object) -> NoReturn:
        asked.append(host)
        raise OSError("tests have no network")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    yield
    assert asked == []


@pytest.fixture(scope="session")
def whisper() -> Whisper:
    """The shipped model, loaded once."""
    engine = Whisper("zh-careful")
    engine.load()
    return engine


@pytest.fixture
def asking() -> Asking:
    """Makes requests: ``asking(3, samples)`` or, where nobody listens, ``asking(3)``."""

    def make(
        number: int,
        samples: Samples | None = None,
        *,
        start: int = 0,
        final: bool = True,
        segment: int = 0,
        channel: Channel = Channel.AGENT,
        rate: int = RATE,
    ) -> AsrRequest:
        heard = np.zeros(RATE, dtype=np.int16) if samples is None else samples
        return AsrRequest(number, channel, segment, start, start + len(heard), final, rate, heard)

    return make


def _recording(stem: str) -> Spoken:
    with av.open(str(DATA / f"{stem}.flac")) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    truth = json.loads((DATA / f"{stem}.json").read_text(encoding="utf-8"))
    samples = np.concatenate(parts, axis=1)[0].astype(np.int16)
    return samples, [(char, start, end) for char, start, end in truth["characters"]]


@pytest.fixture(scope="session")
def greeting() -> Spoken:
    """您好，很高兴为您服务，请问有什么可以帮您？ at 8 kHz, rendered, with the seconds of each character."""
    return _recording("greeting")


@pytest.fixture(scope="session")
def hold() -> Spoken:
    """请您稍等，我帮您查询一下。 at 8 kHz."""
    return _recording("hold")
