"""A journal played again: the same inputs must give the same events.

The sizes of the chunks are in no journal. They may change the order in which events of the same moment are told, and
how often a lag is; so events are compared as a bag, and lags are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.compose import Calls
from monitor.config import Config
from monitor.core.types import Chunk, Event, Lag
from monitor.live.journal import JournalError, verify
from monitor.live.recover import Story, read_story, without_gaps
from monitor.live.recover import replay as feed
from monitor.live.runner import CallFiles
from monitor.sources.recording import Recording
from monitor.wire import event_to_json


@dataclass(frozen=True, slots=True)
class Difference:
    """An event, ``number`` (from 0) on its side, that only the journal has (``then``) or only its replay (``now``)."""

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
    story, audio = opened(journal)
    call = Calls(config).make(story.request)
    events: list[Event] = []
    for batch in feed(call, story, audio):
        events += batch
    return Rerun(len(events), _compare(story.events, events))


def opened(journal: Path) -> tuple[Story, Iterator[Chunk]]:
    """What a journal tells, and the recording beside it without what was lost. Raises ``JournalError``,
    ``SourceError``."""
    found = verify(journal)
    if not found.ok:
        raise JournalError(f"{journal}: {found.message}; it is not what the monitor wrote")
    story = read_story(journal)
    files = CallFiles(journal.parent, journal.stem)
    if not files.flac.is_file():
        raise JournalError(
            f"{files.flac}: the recording is not beside the journal, and without it nothing can be played"
        )
    return story, without_gaps(Recording(files.flac, "left", detect_same=False).chunks(), story.gaps)


def _compare(then: list[Event], now: list[Event]) -> list[Difference]:
    lost = [Difference(number, event_to_json(event), None) for number, event in _beyond(then, now)]
    new = [Difference(number, None, event_to_json(event)) for number, event in _beyond(now, then)]
    return sorted(lost + new, key=lambda difference: difference.number)


def _beyond(events: list[Event], others: list[Event]) -> list[tuple[int, Event]]:
    """The events that are not among the others, each as often as it is missing there."""
    left = Counter(event for event in others if not isinstance(event, Lag))
    found: list[tuple[int, Event]] = []
    for number, event in enumerate(events):
        if isinstance(event, Lag):
            continue
        if left[event]:
            left[event] -= 1
        else:
            found.append((number, event))
    return found
