"""A changed pack on an old call: what it would have said beside what was said then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from monitor.audit.rerun import opened
from monitor.audit.standing import Changes, changes, standing
from monitor.compose import Calls
from monitor.config import Config
from monitor.core.masker import masked
from monitor.core.types import Event
from monitor.live.journal import JournalError
from monitor.live.recover import replay


@dataclass(frozen=True, slots=True)
class Trial:
    """An old call tried again: its journal, its length in seconds, whether it had the pack then, what changed."""

    journal: Path
    seconds: float
    had_pack: bool
    changes: Changes


def journal_of(path: Path) -> Path:
    """The journal of a recording, or the path itself if it is one. Raises ``JournalError`` when there is none."""
    journal = path.with_suffix(".jsonl")
    if not journal.is_file():
        remedy = "only live calls have one; try the pack on this recording with `monitor replay --pack`"
        raise JournalError(f"{journal}: there is no such journal: {remedy}")
    return journal


def trial(journal: Path, pack: str, pack_id: str, config: Config) -> Trial:
    """Play a call of a journal to ``pack`` (a name or a file, whose id is ``pack_id``) alone, with the words that
    were heard then. Raises ``JournalError``, ``SourceError``, ``PackError``."""
    story, audio = opened(journal)
    call = Calls(config).make(replace(story.request, packs=(pack,)))
    now: list[Event] = []
    for batch in replay(call, story, audio):
        now += batch
    now += call.close_audio()
    now += call.finish()  # says nothing when the journal told the end
    rate = story.request.rate
    before = story.events
    if config.mask_numbers:  # the messages are printed
        before, now = masked(before, rate), masked(now, rate)
    then = [alert for alert in standing(before, rate) if alert.rule.startswith(f"{pack_id}/")]
    had = any(Path(name).stem == pack_id for name in story.request.packs)
    return Trial(journal, call.position / rate, had or bool(then), changes(then, standing(now, rate)))
