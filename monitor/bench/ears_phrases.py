"""Phrases of the rule packs: found in the words that an ear heard, against those in the words that were said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.bench.ears_hear import Contestant, Listened, listen
from monitor.bench.gauge import Figures, Plan
from monitor.bench.material import Material
from monitor.compose import packs_and_book
from monitor.core.phrases import PhraseBook, Spotter, is_faint
from monitor.core.types import STEREO, Channel, PhraseHit, Word
from monitor.packs import available_packs

NEAR = 1.0
"""Seconds that a phrase may lie beside the one that was said."""

Spoken = tuple[Sequence[Word], int, int]
"""The words of a segment, where it starts and ends (samples)."""


@dataclass(slots=True)
class Hits:
    """What was found. ``missed`` and ``false`` name the phrases, with the call."""

    said: int = 0
    found: int = 0
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, said: Sequence[PhraseHit], heard: Sequence[PhraseHit], rate: int, place: str) -> None:
        """Count one channel of a call."""
        pairs = matched(said, heard, rate)
        self.said += len(said)
        self.found += len(pairs)
        took, gave = {i for i, _ in pairs}, {j for _, j in pairs}
        self.missed += [_named(hit, rate, place) for i, hit in enumerate(said) if i not in took]
        self.false += [_named(hit, rate, place) for j, hit in enumerate(heard) if j not in gave]

    def figures(self, seconds: float) -> Figures:
        """Recall, precision, and false hits an hour of call."""
        heard = self.found + len(self.false)
        return {
            "said": self.said,
            "recall": round(self.found / self.said, 4) if self.said else None,
            "precision": round(self.found / heard, 4) if heard else None,
            "false_an_hour": round(len(self.false) / seconds * 3600, 2),
            "missed": self.missed,
            "false": self.false,
        }


def matched(said: Sequence[PhraseHit], heard: Sequence[PhraseHit], rate: int) -> list[tuple[int, int]]:
    """Pairs of the same phrase that overlap in time, give or take a second; each once, the nearest first."""
    near = round(NEAR * rate)
    pairs = [
        (abs(one.start - other.start), i, j)
        for i, one in enumerate(said)
        for j, other in enumerate(heard)
        if one.phrase == other.phrase and one.start < other.end + near and other.start < one.end + near
    ]
    taken: list[tuple[int, int]] = []
    for _, i, j in sorted(pairs):
        if all(i != a and j != b for a, b in taken):
            taken.append((i, j))
    return sorted(taken)


def hits(book: PhraseBook, channel: Channel, rate: int, spoken: Iterable[Spoken]) -> list[PhraseHit]:
    """All phrases of the book in the segments of a channel, but for those that may have been said, no more."""
    spotter = Spotter(book, channel, rate)
    return [hit for words, start, end in spoken for hit in spotter.settle(words, start, end) if not is_faint(hit)]


def said_on(material: Material, channel: Channel) -> list[Spoken]:
    """The utterances of the truth as perfectly heard segments."""
    rate = material.rate
    return [
        (said.words(rate), round(said.start * rate), round(said.end * rate))
        for said in sorted(material.said, key=lambda one: one.start)
        if said.channel == channel.value
    ]


def heard_on(listened: Listened, channel: Channel) -> list[Spoken]:
    """The settled segments of a channel."""
    return [(one.words, one.start, one.end) for one in listened.settled if one.channel is channel]


def run(plan: Plan, ears: Sequence[Contestant], calls: Sequence[Material]) -> Figures:
    """One row for each pack and ear. Early passes decide nothing here and are left out, but for streaming ears."""
    calls = [call for call in calls if call.samples.shape[1] == len(STEREO)]
    seconds = sum(call.seconds for call in calls)
    books = {name: packs_and_book((name,))[1] for name in available_packs()}
    rows = []
    for ear in ears:
        found = {name: Hits() for name in books}
        for number, call in enumerate(calls):
            plan.tell(f"{ear.name}: phrases of {call.name}")
            listened = listen(call, ear, partial_every=None if ear.streaming else 0.0, run=f"phrases/{number}/")
            for name, book in books.items():
                for channel in STEREO:
                    said = hits(book, channel, call.rate, said_on(call, channel))
                    heard = hits(book, channel, call.rate, heard_on(listened, channel))
                    found[name].add(said, heard, call.rate, call.name)
        rows += [{"engine": ear.name, "pack": name, **found[name].figures(seconds)} for name in books]
    return {"calls": len(calls), "seconds": round(seconds, 1), "rows": rows}


def _named(hit: PhraseHit, rate: int, place: str) -> str:
    return f"{place} {hit.start / rate:.1f} s {hit.channel.value}: {hit.phrase} ({hit.text})"
