"""The real core behind a real socket says what it says of the same audio fed by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from monitor.asr.pair import Engines
from monitor.asr.scripted import Scripted
from monitor.compose import make_parts
from monitor.config import Config
from monitor.core.types import AsrRequest, Channel, Chunk, Event, Hypothesis, Samples, Signal, Word
from monitor.live.client import Feed, stream
from monitor.live.setup import CallSetupRequest
from monitor.sources.signals import read_signals
from tests.live.fakes import request_for
from tests.server.serving import serving

DEMO = Path(__file__).resolve().parents[2] / "demo"


def demo(stem: str) -> tuple[Samples, list[Signal], dict[Channel, list[Word]]]:
    """A rendered call, its signals, and the words that its truth file says were spoken."""
    samples, rate = soundfile.read(DEMO / f"{stem}.flac", dtype="int16", always_2d=True)
    assert rate == 8000
    signals = read_signals(DEMO / f"{stem}.signals.json", rate)
    words: dict[Channel, list[Word]] = {Channel.AGENT: [], Channel.CUSTOMER: []}
    for said in json.loads((DEMO / f"{stem}.truth.json").read_text())["utterances"]:
        start, end, text = round(said["start"] * rate), round(said["end"] * rate), said["text"]
        edges = np.linspace(start, end, len(text) + 1).astype(int)
        channel = Channel(said["channel"])
        words[channel] += [Word(char, int(a), int(b)) for char, a, b in zip(text, edges[:-1], edges[1:], strict=True)]
    return samples, signals, words


def in_turn(samples: Samples, signals: list[Signal], rows: int) -> list[Chunk | Signal]:
    """Audio in chunks, each signal before the audio of its moment: one that comes late takes effect late."""
    found: list[Chunk | Signal] = []
    left = sorted(signals, key=lambda signal: signal.at)
    for at in range(0, len(samples), rows):
        while left and left[0].at < at + rows:
            found.append(left.pop(0))
        found.append(Chunk(at, samples[at : at + rows]))
    return [*found, *left]


class Streaming(Scripted):
    """A scripted ear that takes nothing back."""

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        return [replace(heard, committed=True) for heard in super().recognise(requests)]


def blurred(words: dict[Channel, list[Word]]) -> dict[Channel, list[Word]]:
    """The same words as an ear that hears less well: every ninth is another."""
    return {
        channel: [replace(word, text="嗯") if n % 9 == 8 else word for n, word in enumerate(said)]
        for channel, said in words.items()
    }


def by_hand(call: Any, items: list[Chunk | Signal], engines: Engines) -> list[Event]:
    """All events of a call whose words come at once."""
    events: list[Event] = []

    def answer() -> None:
        while requests := call.requests():
            for hypothesis in engines.answer(requests):
                events.extend(call.feed(hypothesis))

    for item in items:
        events += call.feed(item)
        answer()
    events += call.close_audio()
    answer()
    return events + call.finish()


@pytest.mark.skipif(not (DEMO / "3-hold-faults.flac").exists(), reason="the demo calls are not rendered")
@pytest.mark.parametrize("stem", ["2-fast-loud", "3-hold-faults"])
@pytest.mark.parametrize("ears", ["careful", "fast", "both"])
def test_a_live_call_gets_the_report_of_its_recording(tmp_path: Path, stem: str, ears: str) -> None:
    samples, signals, words = demo(stem)
    careful, fast = Scripted(words, name="careful"), Streaming(blurred(words), name="fast")
    engines = Engines(fast if ears != "careful" else None, careful if ears != "fast" else None)
    config = Config()
    config = config.model_copy(update={"recogniser": config.recogniser.model_copy(update={"patience": 60.0})})
    parts = make_parts(config, engines=engines, token=None, data=tmp_path)
    with serving(parts) as served:
        feed = Feed(f"{served.ws}/ws/ingest", "w1", 8000, 2, {"signalled": True}, speed=0)
        done = asyncio.run(stream(feed, in_turn(samples, signals, 333)))
        live = served.get(done["report"]).json()
    request: CallSetupRequest = request_for(
        "w1", packs=parts.default_packs, recognise=True, signalled=True, hearing=parts.hearing
    )
    call = parts.make_call(request)
    events = by_hand(call, in_turn(samples, signals, 8000), engines)
    direct = json.loads(json.dumps(parts.make_report(request, events, len(samples))))
    name = {"careful": "careful", "fast": "fast", "both": "fast + careful"}[ears]
    assert live["call"]["model"] == name
    assert len(direct["alerts"]) > 1
    assert len(direct["transcript"]) > 3
    for part in ("verdicts", "metrics", "turns", "transcript"):
        assert live[part] == direct[part], part

    def told(alert: dict[str, Any]) -> dict[str, Any]:
        """``raised_at`` says how far the audio had got, which depends on when the words came."""
        return {key: value for key, value in alert.items() if key != "raised_at"}

    assert [told(alert) for alert in live["alerts"]] == [told(alert) for alert in direct["alerts"]]
