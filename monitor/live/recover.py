"""Rebuilding a call from its recording and journal: after a kill, or to show that a replay says the same.

Everything a call was fed is on disk: audio in the recording, other inputs and the ends in the journal, each with the
position at which it came. The core is deterministic, so a new call that is fed the same says the same: what the
journal holds is part of it, and the rest is what the kill cut off. Chunk sizes are not journalled; they may change
the order in which events of the same moment are told, and how often the lag is, so events are compared as a bag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from monitor.core.types import AsrRequest, Channel, Chunk, Event, Hypothesis, Lag, Signal
from monitor.live.journal import JournalError, read, verify
from monitor.live.keep import read_pcm
from monitor.live.runner import CallFiles, Note, cut_pcm
from monitor.live.setup import CallLike, CallSetupRequest


class End(Enum):
    """The steps of a call's end; they are inputs as well."""

    CLOSE_AUDIO = "close_audio"
    FINISH = "finish"


Step = Hypothesis | Signal | End


@dataclass(slots=True)
class Story:
    """What a journal tells: ``steps`` with the position at which each came, ``gaps`` as (start, end), the events,
    ``remarks`` as screens show them."""

    request: CallSetupRequest
    steps: list[tuple[int, Step]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    remarks: list[dict[str, Any]] = field(default_factory=list)
    audio_closed: bool = False
    finishing: bool = False
    finished: bool = False

    @property
    def signals(self) -> set[Signal]:
        """The telephony facts that the call was told."""
        return {step for _, step in self.steps if isinstance(step, Signal)}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """All events of the rebuilt call, those that the journal lacks, and what was asked and never answered.

    ``contradicted`` counts events that the journal holds and the rebuilt call does not say: another version of the
    program or of a pack wrote it.
    """

    events: list[Event]
    missing: list[Event]
    requests: list[AsrRequest]
    contradicted: int


def read_story(journal: Path) -> Story:
    """Read a journal; raises ``JournalError`` when it is damaged or no journal of a live call."""
    lines = read(journal)
    first = next(lines, None)
    try:
        if first is None:
            raise ValueError("it is empty")
        story = Story(CallSetupRequest.from_header(first.data))
    except (KeyError, ValueError) as error:
        raise JournalError(f"{journal}: not the journal of a live call ({error}); move it aside") from error
    for line in lines:
        if line.t == "event":
            story.events.append(line.event())
        elif line.t == "input":
            story.steps.append((line.at, line.input()))
        else:
            _take_note(story, line.at, line.data)
    return story


def _take_note(story: Story, at: int, note: dict[str, object]) -> None:
    data = note["data"]
    match note["name"]:
        case Note.GAP if isinstance(data, dict):
            story.gaps.append((data["start"], data["end"]))
        case Note.GAP_VOID if isinstance(data, dict):
            story.gaps.remove((data["start"], data["end"]))
        case Note.CLOSED:
            story.audio_closed = True
            story.steps.append((at, End.CLOSE_AUDIO))
        case Note.FINISHING:
            story.finishing = True
            story.steps.append((at, End.FINISH))
        case Note.FINISHED:
            story.finished = True
        case name:
            if isinstance(data, dict) and "message" in data:
                story.remarks.append({"code": name, "message": data["message"]})


def void_gaps(story: Story, heard: int) -> list[tuple[int, int]]:
    """Take out the gaps after which no audio was kept: a kill came between the gap and what followed it.

    ``heard`` is the length of the recording in samples; what remains of it is valid up to the first void gap.
    """
    void = [gap for gap in story.gaps if gap[1] >= heard]
    story.gaps = [gap for gap in story.gaps if gap[1] < heard]
    return void


def replay(call: CallLike, story: Story, audio: Iterator[Chunk]) -> Iterator[list[Event]]:
    """Feed a new call what the old one was fed, in its order; yields the events of each feeding.

    ``audio`` is the recording without its gaps: chunks whose starts leave out what was lost.
    """
    rest: Chunk | None = next(audio, None)
    for at, step in story.steps:
        while rest is not None and rest.start < at:
            now, rest = _split(rest, at)
            yield call.feed(now)
            rest = rest or next(audio, None)
        if step is End.CLOSE_AUDIO:
            yield call.close_audio()
        elif step is End.FINISH:
            yield call.finish()
        elif isinstance(step, (Hypothesis, Signal)):
            yield call.feed(step)
    while rest is not None:
        yield call.feed(rest)
        rest = next(audio, None)


def _split(chunk: Chunk, at: int) -> tuple[Chunk, Chunk | None]:
    """The part of a chunk before position ``at``, and the rest."""
    rows = at - chunk.start
    if rows >= len(chunk.samples):
        return chunk, None
    return Chunk(chunk.start, chunk.samples[:rows]), Chunk(at, chunk.samples[rows:])


def without_gaps(audio: Iterator[Chunk], gaps: list[tuple[int, int]]) -> Iterator[Chunk]:
    """A recording with its lost stretches left out, so that the core sees them as gaps again."""
    for whole in audio:
        rest: Chunk | None = whole
        for start, end in gaps:
            if rest is None or start >= rest.start + len(rest.samples):
                break
            if end <= rest.start:
                continue
            before, _ = _split(rest, max(start, rest.start))
            if start > rest.start:
                yield before
            rest = None if end >= rest.start + len(rest.samples) else _split(rest, end)[1]
        if rest is not None:
            yield rest


def rebuild(call: CallLike, story: Story, pcm: Path) -> Rebuilt:
    """Feed ``call`` the whole story; takes about 4 ms of computing for each second of a two-sided call."""
    audio = without_gaps(read_pcm(pcm, len(story.request.channels), rows=story.request.rate), story.gaps)
    answered = {step.request for _, step in story.steps if isinstance(step, Hypothesis)}
    events: list[Event] = []
    finals: dict[int, AsrRequest] = {}
    partials: dict[Channel, AsrRequest] = {}
    for batch in replay(call, story, audio):
        events += batch
        for request in call.requests():
            partials.pop(request.channel, None)  # whatever comes later on a channel makes a partial useless
            if request.id in answered:
                continue
            if request.final:
                finals[request.id] = request
            else:
                partials[request.channel] = request
    journalled: Counter[Event] = Counter(event for event in story.events if not isinstance(event, Lag))
    missing: list[Event] = []
    for event in events:
        if isinstance(event, Lag):
            continue
        if journalled[event] > 0:
            journalled[event] -= 1
        else:
            missing.append(event)
    asked = sorted([*finals.values(), *partials.values()], key=lambda request: request.id)
    return Rebuilt(events, missing, asked, journalled.total())


def prepare(files: CallFiles) -> tuple[Story, list[tuple[int, int]]]:
    """Read an interrupted call and make its recording fit its journal; returns the story and the gaps now void.

    Raises ``JournalError`` when the journal is damaged: then nothing is touched.
    """
    found = verify(files.journal)
    if not found.ok:
        raise JournalError(f"{files.journal}: {found.message}; move journal and recording aside, nothing was changed")
    story = read_story(files.journal)
    channels = len(story.request.channels)
    void = void_gaps(story, files.pcm.stat().st_size // (2 * channels))
    if void:
        cut_pcm(files.pcm, min(start for start, _ in void), channels)
    return story, void


def unfinished(folder: Path) -> list[CallFiles]:
    """The calls whose audio was not yet packed, oldest first: killed, dropped, or over but for the packing."""
    found = sorted(folder.glob("*.pcm"), key=lambda path: path.stat().st_mtime)
    return [CallFiles(folder, path.stem) for path in found]
