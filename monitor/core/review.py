"""Where two ears disagree: phrases that only one of them heard, so that findings on them are marked for review.

The careful ear decides; the mark asks a person to listen again. Both texts of a segment go through a spotter of their
own, and a phrase counts as heard by both when both found it at about the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.core.needs import Span
from monitor.core.phrases import PhraseBook, Spotter, is_faint
from monitor.core.rulebook import Happening
from monitor.core.types import Channel, Ear, Heard, PhraseHit, Review

APART_SECONDS = 0.3
"""Ears place words by themselves; the same phrase is at most this far beside itself."""


@dataclass(frozen=True, slots=True)
class Split:
    """What one ear alone heard from ``start`` to ``end``: an occurrence's ``name``, or, for words that nobody but the
    fast ear heard at all, ``Happening.WORDS``. It takes its place in the stream at ``known``."""

    name: str
    channel: Channel
    start: int
    end: int
    known: int
    review: Review


def known_at(hit: PhraseHit, heard: Heard) -> int:
    """Where a hit of a segment takes its place in the stream."""
    # A phrase that had to wait for what follows it may end before the segment in which it became certain.
    return min(max(hit.end, heard.start), heard.end - 1)


class Spotters:
    """Finds the phrases of one channel. The second ear has a spotter from where the ears first differ."""

    def __init__(self, book: PhraseBook, channel: Channel, rate: int) -> None:
        self._first = Spotter(book, channel, rate)
        self._second: Spotter | None = None
        self._apart = round(APART_SECONDS * rate)

    def peek(self, heard: Heard) -> list[PhraseHit]:
        """What would be found in early words. Changes nothing."""
        return self._first.peek(heard.words, heard.start, heard.end)

    def settle(self, heard: Heard) -> tuple[list[PhraseHit], list[Split]]:
        """The phrases of the next segment, and what only one ear heard in it."""
        splits: list[Split] = []
        if heard.ear is Ear.FAST:
            span = (heard.channel, heard.start, heard.end, heard.start)
            splits.append(Split(Happening.WORDS, *span, Review.FAST_EAR_ONLY))
        if heard.other is not None and self._second is None:
            self._second = self._first.copy()
        hits = self._first.settle(heard.words, heard.start, heard.end)
        if self._second is not None:
            words = heard.words if heard.other is None else heard.other
            others = self._second.settle(words, heard.start, heard.end)
            splits += self._compared(hits, others, heard)
        return hits, splits

    def _compared(self, hits: list[PhraseHit], others: list[PhraseHit], heard: Heard) -> Iterator[Split]:
        """What is in one list only; every hit is the same as one other at most. Faint ones say nothing for certain."""
        left = [other for other in others if not is_faint(other)]
        for hit in hits:
            if is_faint(hit):
                continue
            same = next((other for other in left if self._same(hit, other)), None)
            if same is None:
                yield _split(hit, heard, Review.UNHEARD_BY_FAST)
            else:
                left.remove(same)
        for other in left:
            yield _split(other, heard, Review.UNHEARD_BY_CAREFUL)

    def _same(self, one: PhraseHit, other: PhraseHit) -> bool:
        together = min(one.end, other.end) - max(one.start, other.start) > -self._apart
        return one.phrase == other.phrase and together

    def reset(self) -> None:
        """Audio was lost here: no phrase runs across it, and the ears begin anew together."""
        self._first.reset()
        self._second = None


def _split(hit: PhraseHit, heard: Heard, review: Review) -> Split:
    return Split(f"say:{hit.phrase}", hit.channel, hit.start, hit.end, known_at(hit, heard), review)


class Splits:
    """All splits of a call, to be asked about a finding."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._all: list[Split] = []

    def add(self, split: Split) -> None:
        """Note a split; in any order."""
        self._all.append(split)

    def review(self, spans: Iterable[Span], start: int, end: int, position: int, spare: int = 0) -> Review | None:
        """Why a finding that turns on ``spans`` and lasted from ``start`` to ``end`` should be reviewed.

        Only what is known by ``position`` counts, so that it does not depend on how soon words came. So many as
        ``spare`` phrases more or less would not have changed the finding.
        """
        found: set[Split] = set()
        for pattern, before, after in spans:
            low, high = start - round(before * self._rate), end + round(after * self._rate)
            for split in self._all:
                about = split.name in pattern.names and (
                    pattern.by is None or split.channel in (pattern.by, Channel.MIXED)
                )
                if about and split.start < high and split.end > low and split.known <= position:
                    found.add(split)
        phrases = [s for s in found if s.review is not Review.FAST_EAR_ONLY]
        if len(phrases) > spare:
            return min(phrases, key=lambda s: (s.start, s.end, s.review)).review
        return Review.FAST_EAR_ONLY if len(found) > len(phrases) else None
