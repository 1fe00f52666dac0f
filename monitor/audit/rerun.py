"""A journal played again: the same inputs must give the same events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.compose import Calls
from monitor.config import Config
from monitor.core.types import Event
from monitor.live.journal import JournalError
from monitor.live.recover import read_story, without_gaps
from monitor.live.recover import replay as feed
from monitor.live.runner import CallFiles
from monitor.sources.recording import Recording
from monitor.wire import event_to_json


@dataclass(frozen=True, slots=True)
class Difference:
    """Event ``number`` (from 0) was ``then`` and is ``now``; None where one side has no such event."""

    number: int
    then: dict[str, Any] | None
    now: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Rerun:
    """How many events came again, and which were not the same."""

    events: int
    differences: list[Difference]


def rerun(journal: Path, config: Config) -> Rerun:
    """Play a journal again with the recording that lies beside it. Raises ``JournalError``, ``SourceError``."""
    story = read_story(journal)
    files = CallFiles(journal.parent, journal.stem)
    if not files.flac.is_file():
        raise JournalError(
            f"{files.flac}: the recording is not beside the journal, and without it nothing can be played"
        )
    request = story.request
    call = Calls(config).make(request)
    audio = without_gaps(Recording(files.flac, "left", detect_same=False).chunks(), story.gaps)
    events: list[Event] = []
    for found in feed(call, story, audio):
        events += found
    return Rerun(len(events), _compare(story.events, events))


def _compare(then: list[Event], now: list[Event]) -> list[Difference]:
    out = []
    for number in range(max(len(then), len(now))):
        a = then[number] if number < len(then) else None
        b = now[number] if number < len(now) else None
        if a != b:
            out.append(Difference(number, event_to_json(a) if a else None, event_to_json(b) if b else None))
    return out
