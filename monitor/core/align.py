"""How closely the end of some speech resembles the words of a phrase.

Resemblance is counted in characters: equal, alike in sound, or wrong (one replaced, left out or added). A
wrong character is tolerated where enough others agree, but never where it turns the meaning round (不, 没)
or changes a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from monitor.core.fold import SPOKEN_DIGITS, readings, syllables

LOOSE_ENDS = 8
"""Characters from which a piece may lack its first or last one; in shorter ones these must be heard."""
SOUND_WORTH = 0.8
"""What a character alike in sound counts in a score, where an equal one counts 1."""
LEAST = 0.72
"""The score that a piece with wrong characters must reach."""

TURNING = frozenset("不没未无别")
"""Characters that turn the meaning round."""
DIGITS = frozenset(SPOKEN_DIGITS)
FIXED = TURNING | DIGITS - {"一"}
"""Characters never left out or added; 一 comes and goes in 查询(一)下."""

# Costs order alignments: fewest wrong characters, then fewest missing, then fewest alike in sound only.
_WRONG = 1_000_000
_MISSING = 1_000
_NEVER = 10**12


class Tolerance(StrEnum):
    """How far a piece may differ; ``READING``: by characters of the same syllable, but not by confusions."""

    EXACT = "exact"
    READING = "reading"
    SOUND = "sound"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of a phrase that stand together, folded, and the number of wrong characters they may have."""

    text: str
    tolerance: Tolerance
    limit: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where and how well a piece was said.

    It begins with character ``start``. Of its characters so many were ``wrong``, ``missing`` (these are wrong
    too) and alike in ``sound`` only; ``length`` counts its own and those that were added. ``tentative``: its
    last character was not heard, so the next ones may make it better.

    ``distance``, in hundredths of a syllable, is how far what was heard is from it where that was heard only faintly,
    see `monitor.core.faint`; 0 elsewhere.
    """

    start: int
    wrong: int
    missing: int
    sound: int
    length: int
    tentative: bool = False
    distance: int = 0

    @property
    def faint(self) -> bool:
        """Whether it was found only because the recogniser was not sure of its words."""
        return self.distance > 0


def piece(text: str, tolerance: Tolerance) -> Piece:
    """A piece with the limits that go with its length.

    A single character says too little to be taken by sound (号 would be in every 好), and two too little to
    be taken by confusions (再讲 is not 再见).
    """
    if len(text) == 1:
        tolerance = Tolerance.EXACT
    elif len(text) == 2 and tolerance is not Tolerance.EXACT:
        tolerance = Tolerance.READING
    return Piece(text, tolerance, edit_limit(len(text)) if tolerance is Tolerance.NEAR else 0)


def edit_limit(length: int) -> int:
    """Wrong characters that a piece of ``length`` characters may have."""
    return 0 if length <= 3 else 1 if length <= 7 else 2 if length <= 12 else 3


def sounds(char: str, tolerance: Tolerance) -> tuple[str, ...]:
    """What ``char`` may sound like to be taken for another one; for `READING` its usual reading only."""
    if tolerance is Tolerance.EXACT:
        return ()
    return readings(char)[:1] if tolerance is Tolerance.READING else syllables(char)


def score(characters: int, missing: int, sound: int, length: int) -> float:
    """How sure a match is, 0..1, of so many characters of a phrase; counts as in `Alignment`."""
    return round((characters - missing - (1 - SOUND_WORTH) * sound) / length, 3)


def align(words: Piece, heard: Sequence[str], end: int, *, clean: bool = False) -> Alignment | None:
    """The best alignment of ``words`` that ends with character ``end`` of ``heard``; None for none.

    ``clean``: known to have nothing wrong. What is not tentative may be reported at once: with the characters
    that follow it cannot turn into a whole match.
    """
    if clean or not words.limit:
        return _without_wrong(words, heard, end - len(words.text) + 1)
    best, lacking = (_NEVER, 0), 0
    for cost, used, lacks in _endings(words, heard, end):
        # On a tie the last characters have not come yet: 麻烦您等 may become 麻烦您等等.
        if cost <= best[0]:
            best, lacking = (cost, used), lacks
    wrong, rest = divmod(best[0], _WRONG)
    missing, sound = divmod(rest, _MISSING)
    length = len(words.text) + wrong - missing
    if wrong > words.limit or score(len(words.text), missing, sound, length) < LEAST:
        return None
    if lacking > (1 if len(words.text) >= LOOSE_ENDS else 0):
        return None
    return Alignment(end - best[1] + 1, wrong, missing, sound, length, tentative=lacking > 0)


def _without_wrong(words: Piece, heard: Sequence[str], start: int) -> Alignment | None:
    if start < 0:
        return None
    costs = [_pair(char, heard[at], words.tolerance) for at, char in enumerate(words.text, start)]
    return Alignment(start, 0, 0, sum(costs), len(costs)) if max(costs) <= 1 else None


def _endings(words: Piece, heard: Sequence[str], end: int) -> Iterator[tuple[int, int, int]]:
    """Cost and used characters of the whole piece, then of it without its last 1, 2... characters."""
    text, dropped = words.text, 0
    for lacking in range(words.limit + 1):
        if lacking:
            dropped += _left_out(text[-1])
            text = text[:-1]
        if _pair(text[-1], heard[end], words.tolerance) > 1:
            continue
        before = heard[max(0, end - len(text) - words.limit + lacking + 1) : end + 1][::-1]
        cost, used = _cheapest(text[::-1], before, words)
        if len(words.text) >= LOOSE_ENDS and lacking < words.limit and cost >= _WRONG:
            shorter, fewer = _cheapest(text[:0:-1], before, words)
            if fewer < len(before) and before[fewer] in TURNING:
                shorter = _NEVER  # 不 stands where the missing character should
            cost, used = min((cost, used), (shorter + _left_out(text[0]), fewer))
        yield cost + dropped, used, lacking


def _cheapest(phrase: str, heard: Sequence[str], words: Piece) -> tuple[int, int]:
    """The least cost of aligning all of ``phrase`` with the first characters of ``heard``, and how many.

    Both run backwards. The first and the last character of ``phrase`` must be heard. Only alignments within
    the limit of ``words`` are looked at.
    """
    tolerance, limit, width = words.tolerance, words.limit, len(heard)
    row = [_NEVER] * (width + 1)
    row[1] = _pair(phrase[0], heard[0], tolerance)
    for place, char in enumerate(phrase[1:-1], start=2):
        left_out = _left_out(char)
        new = [_NEVER] * (width + 1)
        for column in range(max(1, place - limit), min(width, place + limit) + 1):
            other = heard[column - 1]
            added = new[column - 1] + (_NEVER if other in FIXED else _WRONG)
            new[column] = min(row[column - 1] + _pair(char, other, tolerance), row[column] + left_out, added)
        row = new
    best = (_NEVER, 0)
    for column in range(max(0, len(phrase) - 1 - limit), width):
        paired = _pair(phrase[-1], heard[column], tolerance)
        if paired <= 1:
            best = min(best, (row[column] + paired, column + 1))
    return best


def _left_out(char: str) -> int:
    return _NEVER if char in FIXED else _WRONG + _MISSING


@lru_cache(maxsize=65536)
def _pair(char: str, other: str, tolerance: Tolerance) -> int:
    """The cost of hearing ``other`` for ``char``: 0 equal, 1 alike in sound, more when wrong."""
    if char == other:
        return 0
    if not set(sounds(char, tolerance)).isdisjoint(sounds(other, tolerance)):
        return 1
    if char in TURNING or other in TURNING or (char in DIGITS and other in DIGITS):
        return _NEVER
    return _WRONG + _MISSING
