"""Rendered calls and what the monitor makes of them: truth on one side, findings on the other, both in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from monitor.asr.pair import Engines
from monitor.asr.protocol import Engine
from monitor.asr.scripted import Scripted
from monitor.audit.replay import recognise
from monitor.config import Config
from monitor.core.call import Call
from monitor.core.rulebook import Pack
from monitor.core.types import (
    MONO,
    STEREO,
    Channel,
    Chunk,
    Event,
    Measured,
    Overlap,
    PhaseChanged,
    Samples,
    Signal,
    SignalKind,
    SpeechEnded,
    ToneHeard,
    TurnEnded,
    Word,
)
from monitor.packs import load_packs
from monitor.render.dialogue import Dialogue, Item
from monitor.render.render import Rendered, render
from monitor.sources.recording import Recording

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo"
RECORDED = ROOT.parent / "shared" / "audio"
"""Recordings of people, where there are any beside the repository."""

CHUNK = 0.5

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything that came of a call; times in seconds."""

    rate: int
    truth: dict[str, Any]
    events: list[Event] = field(repr=False)

    def speech(self, channel: str) -> list[Span]:
        """Stretches in which the party spoke, in order."""
        return [self._span(e.start, e.at) for e in self.events if isinstance(e, SpeechEnded) and e.channel == channel]

    def turns(self, channel: str) -> list[Span]:
        return [self._span(e.start, e.end) for e in self.events if isinstance(e, TurnEnded) and e.channel == channel]

    def overlaps(self) -> list[tuple[str, Span]]:
        """Who came second, and when both spoke."""
        return [(e.by.value, self._span(e.start, e.end)) for e in self.events if isinstance(e, Overlap)]

    def values(self, name: str) -> list[Measured]:
        return [e for e in self.events if isinstance(e, Measured) and e.name == name and e.quality != "unknown"]

    def spans(self, name: str) -> list[Span]:
        """Where a measure was taken."""
        return [self._span(m.start, m.end) for m in self.values(name)]

    def tones(self, kind: str) -> list[ToneHeard]:
        return [e for e in self.events if isinstance(e, ToneHeard) and e.tone == kind]

    def phases(self) -> list[tuple[str, float]]:
        return [(e.phase.value, e.at / self.rate) for e in self.events if isinstance(e, PhaseChanged)]

    def said(self, channel: str | None = None) -> list[dict[str, Any]]:
        """Utterances of the truth."""
        return [u for u in self.truth["utterances"] if channel in (None, u["channel"])]

    def _span(self, start: int, end: int) -> Span:
        return start / self.rate, end / self.rate


def call(*items: Item, **settings: Any) -> Rendered:
    """Render items as a call on a quiet line."""
    return render(Dialogue(items=items, **settings))


def demo(stem: str) -> Rendered:
    """A committed demo call with its truth."""
    recording = Recording(DEMO / f"{stem}.flac")
    rate = recording.probe().rate
    samples = np.concatenate([chunk.samples for chunk in recording])
    truth = json.loads((DEMO / f"{stem}.truth.json").read_text(encoding="utf-8"))
    return Rendered(samples, rate, truth, json.loads((DEMO / f"{stem}.signals.json").read_text(encoding="utf-8")))


def scripted(truth: dict[str, Any], rate: int) -> Scripted:
    """A recogniser that hears every character where the truth has it, and reads marks not at all."""
    words: dict[Channel, list[Word]] = {channel: [] for channel in STEREO}
    for said in truth["utterances"]:
        edges = [at for _, at in said["spoken"]] + [said["end"]]
        for (char, start), end in zip(said["spoken"], edges[1:], strict=True):
            words[Channel(said["channel"])].append(Word(char, round(start * rate), round(max(end, start) * rate)))
    return Scripted(words)


def hear(
    rendered: Rendered, *, words: bool = True, packs: Sequence[str] = (), recogniser: Engine | None = None
) -> Heard:
    """The call through the monitor, with the words of a recogniser or of the truth, or with none."""
    made: tuple[Pack, ...] = load_packs(tuple(packs)) if packs else ()
    config = Config()
    signals = [signal(data, rendered.rate) for data in rendered.signals]
    setup = config.setup(rendered.rate, STEREO, made, signalled=bool(signals), recognise=words)
    engine = (recogniser or scripted(rendered.truth, rendered.rate)) if words else None
    return Heard(rendered.rate, rendered.truth, run(Call(setup), rendered.samples, signals, engine))


def hear_sound(samples: Samples, rate: int) -> Heard:
    """int16 samples of shape (n,) as the only channel of a call, without words."""
    call = Call(Config().setup(rate, MONO, ()))
    return Heard(rate, {"utterances": []}, run(call, samples.reshape(-1, 1), [], None))


def run(call: Call, samples: Samples, signals: Iterable[Signal], engine: Engine | None) -> list[Event]:
    """Feed everything in chunks; returns all events."""
    events: list[Event] = []
    engines = None if engine is None else Engines(careful=engine)
    for fact in signals:
        events += call.feed(fact)
    size = round(CHUNK * call.setup.rate)
    for at in range(0, len(samples), size):
        events += call.feed(Chunk(at, samples[at : at + size]))
        events += recognise(call, engines, "rendered")
    events += call.close_audio()
    events += recognise(call, engines, "rendered")
    return events + call.finish()


def signal(data: dict[str, Any], rate: int) -> Signal:
    """A line of a signals file."""
    by = Channel(data["by"]) if "by" in data else None
    return Signal(SignalKind(data["signal"]), round(data["at"] * rate), by, data.get("digit"))


@dataclass(frozen=True, slots=True)
class Edge:
    """How far off the start and the end of an utterance were, seconds; positive is late. None: it was not heard."""

    said: dict[str, Any]
    start: float | None
    end: float | None


def edges(heard: Heard) -> list[Edge]:
    """Each utterance of the truth against the speech that was heard around it."""
    found = []
    for said in heard.said():
        near = [s for s in heard.speech(said["channel"]) if s[0] < said["end"] and s[1] > said["start"]]
        start = near[0][0] - said["start"] if near else None
        end = near[-1][1] - said["end"] if near else None
        found.append(Edge(said, start, end))
    return found


def strays(heard: Heard) -> list[tuple[str, Span]]:
    """Speech that was heard where nobody spoke."""
    out = []
    for channel in ("agent", "customer"):
        truths = [(u["start"], u["end"]) for u in heard.said(channel)]
        for start, end in heard.speech(channel):
            if not any(start < b and end > a for a, b in truths):
                out.append((channel, (start, end)))
    return out


def distribution(values: Sequence[float], unit: float = 1000) -> str:
    """Quantiles for people; ``unit`` 1000 prints milliseconds."""
    marks = (0, 5, 50, 95, 100)
    found = np.percentile(np.asarray(values) * unit, marks)
    return f"n={len(values)}  " + "  ".join(f"p{m} {v:+.1f}" for m, v in zip(marks, found, strict=True))
