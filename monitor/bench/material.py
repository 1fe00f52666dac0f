"""What the benches listen to: the demo calls, whole, cut short, or pieced together anew with their truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monitor.asr.pair import Engines
from monitor.audit.replay import pieces, play
from monitor.compose import packs_and_book
from monitor.config import Config, load_config
from monitor.core.call import Call
from monitor.core.types import STEREO, Event, Samples, Signal
from monitor.paths import data_root
from monitor.render.truth import Said, said_of
from monitor.sources.errors import SourceError
from monitor.sources.recording import Recording

PACKS = ("gas-hotline",)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A call to be fed: int16 ``samples`` of shape (n, 2), agent first, or (n, 1) when mixed."""

    name: str
    rate: int
    samples: Samples
    signals: tuple[Signal, ...] = ()
    said: tuple[Said, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def part(self, start: float, end: float) -> Material:
        """The audio from ``start`` to ``end`` (seconds) with what was signalled and wholly said in it."""
        first, last = round(start * self.rate), round(end * self.rate)
        return Material(
            self.name,
            self.rate,
            self.samples[first:last],
            tuple(replace(s, at=s.at - first) for s in self.signals if first <= s.at < last),
            tuple(s.moved(-start) for s in self.said if start <= s.start and s.end <= end),
        )


def joined(name: str, parts: Sequence[Material]) -> Material:
    """Calls of one rate after one another as one call."""
    signals: list[Signal] = []
    said: list[Said] = []
    at = 0
    for part in parts:
        signals += [replace(s, at=s.at + at) for s in part.signals]
        said += [s.moved(at / part.rate) for s in part.said]
        at += len(part.samples)
    return Material(name, parts[0].rate, np.concatenate([p.samples for p in parts]), tuple(signals), tuple(said))


def demo_call(stem: str) -> Material:
    """A demo call by its name. Raises ``SourceError``."""
    return read(data_root() / "demo" / f"{stem}.flac")


def demo_calls(quick: bool = False) -> list[Material]:
    """All demo calls; ``quick`` takes fifteen seconds of two. Raises ``SourceError`` when there are none."""
    files = sorted((data_root() / "demo").glob("*.flac"))
    if not files:
        raise SourceError("the demo calls are missing: use a complete checkout or package")
    return [read(file).part(0.0, 15.0) for file in files[:2]] if quick else [read(file) for file in files]


def read(file: Path) -> Material:
    """A recording with its signals and, where there is one, its truth file."""
    recording = Recording(file)
    info = recording.probe()
    signals = tuple(recording.signals())
    samples = np.concatenate([chunk.samples for chunk in recording.chunks()])
    truth = file.with_suffix(".truth.json")
    said = json.loads(truth.read_text(encoding="utf-8"))["utterances"] if truth.is_file() else []
    return Material(file.stem, info.rate, samples, signals, said_of(said))


def new_call(material: Material, *, recognise: bool = False, config: Config | None = None) -> Call:
    """The core's call as a server makes it: the site's settings, the gas hotline's rules."""
    packs, book = packs_and_book(PACKS)
    setup = (config or load_config()).setup(
        material.rate, STEREO, packs, signalled=bool(material.signals), recognise=recognise, book=book
    )
    return Call(setup)


def feed_all(call: Call, material: Material, chunk: float, engines: Engines | None = None) -> list[Event]:
    """The whole call in chunks of ``chunk`` seconds; without ``engines`` nothing is recognised."""
    return play(call, material.signals, pieces(material.samples, round(chunk * material.rate)), engines, material.name)
