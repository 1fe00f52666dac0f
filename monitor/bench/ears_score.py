"""What recognised words are worth against the truth: errors of characters and of sounds, errors of times, delays."""

from __future__ import annotations

import importlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.bench.gauge import Figures, quantile
from monitor.core.fold import fold
from monitor.core.types import Word
from monitor.render.truth import Said

Costs = npt.NDArray[np.float64]

NEARNESS = 1e-5
"""What a character costs that lies a second or more off: of equally good alignments the one next in time counts."""


@dataclass(frozen=True, slots=True)
class Char:
    """A character from ``start`` to ``end`` in seconds; ``at`` is when it was told, None in the truth."""

    text: str
    start: float
    end: float
    at: float | None = None


def plain(text: str) -> str:
    """What counts of a text: letters, digits and characters, with 幺 as 一; neither marks nor blanks."""
    kept = (char for char in unicodedata.normalize("NFKC", text).lower() if unicodedata.category(char)[0] in "LN")
    return "".join("一" if char == "幺" else char for char in kept)


def spoken(words: Iterable[Word], rate: int, at: float | None = None) -> list[Char]:
    """The characters of words; those of a longer word share its time."""
    found: list[Char] = []
    for word in words:
        text = plain(word.text)
        step = (word.end - word.start) / rate / max(len(text), 1)
        first = word.start / rate
        found += [Char(char, first + n * step, first + (n + 1) * step, at) for n, char in enumerate(text)]
    return found


def truth(said: Iterable[Said]) -> list[Char]:
    """The characters of utterances: each ends where the next one or a pause begins, the last one with the voice."""
    found: list[Char] = []
    for utterance in sorted(said, key=lambda one: one.start):
        for text, start, end in utterance.characters():
            found += [Char(char, start, end) for char in plain(text)]
    return found


@cache
def _pinyin() -> Any:
    return importlib.import_module("pypinyin").lazy_pinyin


def syllables(chars: Sequence[Char]) -> list[Char]:
    """The toneless syllables of characters, traditional ones simplified and digits as they are spoken."""
    folded = [Char(part, char.start, char.end, char.at) for char in chars for part in fold(char.text)]
    sounds = _pinyin()("".join(char.text for char in folded), errors=list)
    if len(sounds) != len(folded):  # a word whose reading is not one syllable a character
        sounds = [_pinyin()(char.text, errors=list)[0] for char in folded]
    return [Char(sound, c.start, c.end, c.at) for sound, c in zip(sounds, folded, strict=True)]


@dataclass(frozen=True, slots=True)
class Alignment:
    """``equal``: pairs (place in the truth, place in what was heard) of equal characters; and what was wrong."""

    equal: tuple[tuple[int, int], ...]
    replaced: int
    missing: int
    added: int

    @property
    def wrong(self) -> int:
        return self.replaced + self.missing + self.added


def align(said: Sequence[Char], heard: Sequence[Char]) -> Alignment:
    """Fewest replaced, missing and added characters; of equally good alignments the one next in time."""
    costs, pairs = _costs(said, heard)
    at, to = len(said), len(heard)
    equal: list[tuple[int, int]] = []
    replaced = missing = added = 0
    while at or to:
        here = costs[at, to]
        if at and to and np.isclose(here, costs[at - 1, to - 1] + pairs[at - 1, to - 1], rtol=0, atol=1e-9):
            at, to = at - 1, to - 1
            if said[at].text == heard[to].text:
                equal.append((at, to))
            else:
                replaced += 1
        elif at and np.isclose(here, costs[at - 1, to] + 1, rtol=0, atol=1e-9):
            at, missing = at - 1, missing + 1
        else:
            to, added = to - 1, added + 1
    return Alignment(tuple(reversed(equal)), replaced, missing, added)


def _costs(said: Sequence[Char], heard: Sequence[Char]) -> tuple[Costs, Costs]:
    """Edit costs of all beginnings, shape (said + 1, heard + 1), and what pairing costs, shape (said, heard)."""
    one, other = np.array([c.text for c in said], dtype=object), np.array([c.text for c in heard], dtype=object)
    differ = (one[:, None] != other[None, :]).astype(np.float64).reshape(len(said), len(heard))
    starts, begins = np.array([c.start for c in said]), np.array([c.start for c in heard])
    off = np.minimum(np.abs(starts[:, None] - begins[None, :]), 1.0).reshape(len(said), len(heard))
    pairs = differ + NEARNESS * off
    steps = np.arange(len(heard) + 1, dtype=np.float64)
    costs = np.empty((len(said) + 1, len(heard) + 1))
    costs[0] = steps
    for row in range(len(said)):
        best = costs[row] + 1.0
        best[1:] = np.minimum(best[1:], costs[row, :-1] + pairs[row])
        costs[row + 1] = np.minimum.accumulate(best - steps) + steps
    return costs, pairs


@dataclass(slots=True)
class Tally:
    """What all channels and calls together came to. Seconds: ``starts`` are how far off the starts of right
    characters are (positive: late), ``commits`` how long after its end a character was told for good, ``told`` how
    long until it was told at all and stayed."""

    characters: int = 0
    wrong: int = 0
    sounds: int = 0
    wrong_sounds: int = 0
    starts: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)

    def add(
        self, said: Sequence[Char], heard: Sequence[Char], early: Sequence[Char] = (), agreed: Sequence[Char] = ()
    ) -> None:
        """Count one channel: the truth, the final words, and what stood before the finals: said for good
        (``early``), or agreed upon by two passes."""
        final = align(said, heard)
        self.characters += len(said)
        self.wrong += final.wrong
        self.starts += [heard[j].start - said[i].start for i, j in final.equal]
        sounds = syllables(said)
        self.sounds += len(sounds)
        self.wrong_sounds += align(sounds, syllables(heard)).wrong
        committed = _earliest(_told(final, heard), _told(align(said, early), early))
        self.commits += [at - said[i].end for i, at in sorted(committed.items())]
        told = _earliest(committed, _told(align(said, agreed), agreed))
        self.told += [at - said[i].end for i, at in sorted(told.items())]

    def figures(self) -> Figures:
        """Shares of errors, and milliseconds."""
        return {
            "characters": self.characters,
            "cer": _share(self.wrong, self.characters),
            "syllable_error": _share(self.wrong_sounds, self.sounds),
            "start_off_ms": milliseconds([abs(off) for off in self.starts], 0.5),
            "start_off_p95_ms": milliseconds([abs(off) for off in self.starts], 0.95),
            "start_bias_ms": milliseconds(self.starts, 0.5),
            "commit_s": _mean(self.commits),
            "commit_p95_s": _rounded(quantile(self.commits, 0.95)),
            "told_s": _mean(self.told),
            "told_p95_s": _rounded(quantile(self.told, 0.95)),
        }


def _told(aligned: Alignment, heard: Sequence[Char]) -> dict[int, float]:
    moments = ((i, heard[j].at) for i, j in aligned.equal)
    return {i: at for i, at in moments if at is not None}


def _earliest(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    return {i: min(one.get(i, np.inf), other.get(i, np.inf)) for i in one.keys() | other.keys()}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def milliseconds(seconds: Sequence[float], share: float) -> float | None:
    """A quantile of seconds."""
    value = quantile(seconds, share)
    return None if value is None else round(value * 1000, 1)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


class Telling:
    """What was told of one segment before its final: each character with the moment since which it has stood."""

    def __init__(self) -> None:
        self.chars: list[Char] = []

    def tell(self, chars: Sequence[Char], at: float) -> None:
        """The segment now reads ``chars``; of those that stood before at their places the moment stays."""
        kept = 0
        for before, now in zip(self.chars, chars, strict=False):
            if before.text != now.text:
                break
            kept += 1
        since = [before.at for before in self.chars[:kept]] + [at] * (len(chars) - kept)
        self.chars = [Char(char.text, char.start, char.end, moment) for char, moment in zip(chars, since, strict=True)]


def agreed(before: Sequence[Word], now: Sequence[Word]) -> Sequence[Word]:
    """The words on which two successive passes agree, from the beginning."""
    count = next((n for n, (a, b) in enumerate(zip(before, now, strict=False)) if a.text != b.text), None)
    return now[: min(len(before), len(now)) if count is None else count]
