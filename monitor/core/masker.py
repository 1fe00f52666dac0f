"""The border that events pass on their way out of the core: behind it no personal number is whole.

The core needs the true digits (a number read back must be the same), and so does the journal (a call told again must
be the same). Everything else, which is screens, store and reports, gets events that went through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from monitor.core.mask import Plan, hide, hide_words, mask_text, mask_words, plan, text_of
from monitor.core.types import Alert, Channel, Event, Evidence, Heard, PhraseHit

PAUSE_SECONDS = 6.0
"""A party that goes on with digits after no longer a pause goes on with the same number: the other side may have
written it down or repeated it meanwhile. Longer than what the rules take for one number; here too much is safe."""

_LEAST_PIECE = 2
"""Digits of the shortest piece of a number that is looked for in quoted words."""


@dataclass(slots=True)
class _Said:
    """Settled words that may belong to a number that goes on, and which characters of them are hidden."""

    heard: Heard
    hidden: frozenset[int]

    def masked(self) -> Heard:
        return replace(self.heard, words=hide_words(self.heard.words, self.hidden))


@dataclass(frozen=True, slots=True)
class _Number:
    """A number that was masked: the words that held it lie in ``start``..``end``."""

    start: int
    end: int
    digits: str
    hidden: tuple[bool, ...]


@dataclass(slots=True)
class _Side:
    chain: list[_Said] = field(default_factory=list)
    numbers: list[_Number] = field(default_factory=list)
    early: list[_Number] = field(default_factory=list)  # of the last provisional words, until these are settled
    early_segment: int = -1


class Masker:
    """Masks the events of one call at ``rate``, in their order."""

    def __init__(self, rate: int) -> None:
        self._pause = round(PAUSE_SECONDS * rate)
        self._sides: dict[Channel, _Side] = {}

    def apply(self, events: Sequence[Event]) -> list[Event]:
        """The events as they may be shown and kept.

        When a number goes on in another segment, the settled words of the one before come again, masked: they replace
        those that were given out, as any later ``Heard`` of a segment does.
        """
        out: list[Event] = []
        for event in events:
            if isinstance(event, Heard):
                out += self.heard(event)
            else:
                out.append(self.quoted(event))
        return out

    def heard(self, heard: Heard) -> list[Heard]:
        """The words masked; before them those of earlier segments of which more is hidden now."""
        if heard.other is not None:
            heard = replace(heard, other=mask_words(heard.other, provisional=not heard.settled))
        if not heard.words:
            return [heard]
        side = self._sides.setdefault(heard.channel, _Side())
        chain = side.chain if self._goes_on(side.chain, heard) else []
        said = [*chain, _Said(heard, frozenset())]
        text = "".join(text_of(one.heard.words) for one in said)
        found = plan(text, provisional=not heard.settled)
        offsets, start = [], 0
        for one in said:
            offsets.append(start)
            start += len(text_of(one.heard.words))
        numbers = _numbers(found, said[0].heard.words[0].start, heard.words[-1].end)
        if not heard.settled:
            side.early, side.early_segment = numbers, heard.segment
            return [replace(heard, words=hide_words(heard.words, found.hidden, offsets[-1]))]
        side.numbers += numbers
        if heard.segment >= side.early_segment:
            side.early = []
        out: list[Heard] = []
        for one, offset in zip(said, offsets, strict=True):
            size = len(text_of(one.heard.words))
            more = one.hidden | {place - offset for place in found.hidden if offset <= place < offset + size}
            if one is said[-1] or more != one.hidden:
                one.hidden = more
                out.append(one.masked())
        side.chain = _still_open(found, said, offsets)
        return out

    def quoted(self, event: Event) -> Event:
        """Words that an event quotes, masked as they are in the transcript."""
        if isinstance(event, Alert) and event.evidence:
            evidence = tuple(replace(e, text=self._quote(e.channel, e.text, e.start, e.end)) for e in event.evidence)
            message = {lang: _quoting(text, event.evidence, evidence) for lang, text in event.message.items()}
            return replace(event, evidence=evidence, message=message)
        if isinstance(event, Alert):
            message = {lang: mask_text(text, apart=False) for lang, text in event.message.items()}
            return replace(event, message=message)
        if isinstance(event, PhraseHit):
            texts = [self._quote(event.channel, text, event.start, event.end) for text in (event.text, *event.slots)]
            return replace(event, text=texts[0], slots=tuple(texts[1:]))
        return event

    def _goes_on(self, chain: Sequence[_Said], heard: Heard) -> bool:
        if not chain or chain[-1].heard.segment == heard.segment:
            return False
        return heard.words[0].start - chain[-1].heard.words[-1].end <= self._pause

    def _quote(self, channel: Channel, text: str, start: int, end: int) -> str:
        """A quotation may hold a piece of a number only, too short to be known for one by itself."""
        found = plan(text)
        hidden = set(found.hidden)
        side = self._sides.get(channel, _Side())
        for number in (*side.numbers, *side.early):
            if number.start >= end or start >= number.end:
                continue
            for run in found.runs:
                at = number.digits.find(run.digits) if len(run.digits) >= _LEAST_PIECE else -1
                if at >= 0:
                    hidden |= {place for n, place in enumerate(run.places, at) if number.hidden[n]}
        return hide(text, hidden)


def masked(events: Iterable[Event], rate: int) -> list[Event]:
    """All events of a call that is over: each settled segment once, and every quotation with all numbers known."""
    masker = Masker(rate)
    out: list[Event] = []
    places: dict[tuple[Channel, int, int], int] = {}
    for event in events:
        for one in masker.heard(event) if isinstance(event, Heard) else (event,):
            if isinstance(one, Heard) and one.settled and one.words:
                key = (one.channel, one.segment, one.words[0].start)
                if key in places:
                    out[places[key]] = one
                    continue
                places[key] = len(out)
            out.append(one)
    return [masker.quoted(event) for event in out]


def _numbers(found: Plan, start: int, end: int) -> list[_Number]:
    """The runs of which something is hidden."""
    flags = [(run, tuple(place in found.hidden for place in run.places)) for run in found.runs]
    return [_Number(start, end, run.digits, hidden) for run, hidden in flags if any(hidden)]


def _still_open(found: Plan, said: Sequence[_Said], offsets: Sequence[int]) -> list[_Said]:
    """The segments over which the last number goes, when it may go on."""
    if not found.runs or not found.runs[-1].open:
        return []
    first = found.runs[-1].places[0]
    return [one for one, offset in zip(said, offsets, strict=True) if offset + len(text_of(one.heard.words)) > first]


def _quoting(message: str, before: Iterable[Evidence], after: Iterable[Evidence]) -> str:
    """A message with its quotations masked. Figures in it that stand apart are measures, never one number."""
    for old, new in zip(before, after, strict=True):
        if old.text != new.text:
            message = message.replace(old.text, new.text)
    return mask_text(message, apart=False)
