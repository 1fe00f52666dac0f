"""A recording through the engine, as fast as the machine can: the auditor's way in, the same path as a live call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from monitor import __version__
from monitor.asr.pair import Engines
from monitor.audit.report import CallFacts, build_report
from monitor.config import Config
from monitor.core.call import Call, book_of
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Pack
from monitor.core.types import Chunk, Event, Samples, Signal
from monitor.sources.recording import Recording, Side
from monitor.sources.signals import read_signals

_runs = count(1)
"""Recordings may share a name, and engines know calls by theirs."""

Progress = Callable[[float, float | None], None]
"""Seconds of audio done, and of how many (None when the file does not say)."""


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """What to replay a recording with. ``signals`` overrides the file beside the recording, ``true_rate``
    the rate that the file declares."""

    path: Path
    packs: tuple[Pack, ...]
    config: Config
    engines: Engines | None = None
    agent: Side = "left"
    direction: str = "inbound"
    signals: Path | None = None
    book: PhraseBook | None = None
    true_rate: int | None = None


@dataclass(slots=True)
class Replayed:
    """What came of it: events in the order in which they became known (as the core says them, nothing masked), the
    report, what the file was warned of."""

    rate: int
    events: list[Event] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def replay(job: ReplayJob, progress: Progress | None = None) -> Replayed:
    """Replay one recording. Raises ``SourceError`` for a file that cannot be used."""
    recording = Recording(job.path, job.agent, true_rate=job.true_rate)
    info = recording.probe()
    signals = read_signals(job.signals, info.rate, info.seconds) if job.signals else recording.signals()
    setup = job.config.setup(
        info.rate,
        info.channels,
        job.packs,
        direction=job.direction,
        signalled=bool(signals),
        recognise=job.engines is not None,
        book=job.book or book_of(job.packs),
    )
    call = Call(setup)
    name = f"{job.path.stem}~{next(_runs)}"
    out = Replayed(info.rate)

    def chunks() -> Iterator[Chunk]:
        for chunk in recording.chunks():
            yield chunk
            if progress:
                progress(recording.position / info.rate, info.seconds)

    out.events = play(call, signals, chunks(), job.engines, name)
    out.warnings = (*info.warnings, *recording.late_warnings)
    facts = CallFacts(
        id=job.path.stem,
        source=job.path.name,
        rate=info.rate,
        samples=call.position,
        channels=info.channels,
        packs=tuple(p.id for p in job.packs),
        model=job.engines.name if job.engines else None,
        version=__version__,
    )
    out.report = build_report(facts, out.events, mask=job.config.mask_numbers)
    return out


def play(
    call: Call, signals: Iterable[Signal], chunks: Iterable[Chunk], engines: Engines | None, name: str
) -> list[Event]:
    """The whole call, from its signals to its last verdict; without ``engines`` nothing is recognised."""
    events: list[Event] = []
    for signal in signals:
        events += call.feed(signal)
    for chunk in chunks:
        events += call.feed(chunk)
        events += recognise(call, engines, name)
    events += call.close_audio()
    events += recognise(call, engines, name)
    return events + call.finish()


def pieces(samples: Samples, size: int) -> Iterator[Chunk]:
    """Samples of shape (n, channels) from the beginning of a call, ``size`` at a time."""
    for start in range(0, len(samples), size):
        yield Chunk(start, samples[start : start + size])


def recognise(call: Call, engines: Engines | None, name: str) -> list[Event]:
    """Answer everything the call asks for, until it asks no more."""
    events: list[Event] = []
    while engines and (requests := call.requests()):
        for hypothesis in engines.answer(requests, call_id=name):
            events += call.feed(hypothesis)
    return events
