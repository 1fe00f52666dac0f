"""Phrases as a supervisor writes them, compiled to pieces that can be listened for.

    您好X客服部(请问)有什么可以帮(到/助)您

``…`` is a gap of up to 16 characters and 8 seconds, ``X`` a slot of 1-8 characters whose value is kept (up to
24 when all of it is a number), ``(a/b)`` needs one of its alternatives, ``(a)`` may be left out, and a ``/``
outside parentheses separates whole phrasings. Spaces and punctuation mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Literal as OneOf

from monitor.core.align import Piece, Tolerance, piece
from monitor.core.fold import fold_char, readings

GAP = 16
"""Characters a gap may hold; it may also be empty."""
SLOT = 8
"""Characters a slot may hold; it holds at least one."""
NUMBER_SLOT = 24
"""Characters a slot may hold when all of them are digits."""
EXPANSIONS = 256
"""Phrasings that one pattern may stand for."""

By = OneOf["near", "sound", "exact"]

_WIDE = str.maketrans({"（": "(", "）": ")", "／": "/", "Ｘ": "X", "⋯": "…"})
_SILENT = frozenset(" \t\n\u3000，。！？、；：,.!?;:~～-—'\"“”‘’「」《》·")


class PatternError(ValueError):
    """A phrase that cannot work: names phrase, pattern, column (from 1), and what to do about it."""

    def __init__(self, phrase: str, pattern: str, column: int, problem: str, remedy: str) -> None:
        super().__init__(f"phrase {phrase!r}, pattern {pattern!r}, column {column}: {problem}; {remedy}")
        self.phrase, self.pattern, self.column = phrase, pattern, column
        self.problem, self.remedy = problem, remedy


class Blank(StrEnum):
    """A part of a pattern that says nothing about the words in it."""

    GAP = "gap"
    SLOT = "slot"


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One wording of a phrase: ``pieces`` in order, ``blanks[i]`` before ``pieces[i]``, the last at the end.

    A blank is None at an edge of the phrase that has none.
    """

    pieces: tuple[Piece, ...]
    blanks: tuple[Blank | None, ...]

    @property
    def reach(self) -> int:
        """The most characters that the phrasing can span."""
        room = {Blank.GAP: GAP, Blank.SLOT: NUMBER_SLOT, None: 0}
        words = sum(len(part.text) + part.limit for part in self.pieces)
        return words + sum(room[blank] for blank in self.blanks)


@dataclass(frozen=True, slots=True)
class CompiledPhrase:
    """A phrase with all its phrasings. ``cancels`` are the phrasings that take back a hit which they overlap.

    ``alone``: it counts only where nothing else is said between two pauses; ``leading``: more may follow it.
    """

    name: str
    phrasings: tuple[Phrasing, ...]
    cancels: tuple[Phrasing, ...] = ()
    alone: bool = False
    leading: bool = False


def compile_phrase(
    name: str,
    patterns: Sequence[str],
    *,
    by: By = "near",
    alone: bool = False,
    leading: bool = False,
    not_in: Sequence[str] = (),
) -> CompiledPhrase:
    """Compile the patterns of a phrase; any of them is enough for a hit.

    ``by``: ``near`` allows for wrong characters in long pieces, ``sound`` for homophones, ``exact`` for none.
    ``alone`` (always exact) and ``leading`` as in `CompiledPhrase`; ``not_in``: patterns that cancel a hit.
    Raises `PatternError` for a phrase that could never match or would match everything.
    """
    if not patterns:
        raise PatternError(name, "", 1, "the phrase has no pattern", "write at least one")
    tolerance = Tolerance.EXACT if alone else Tolerance(by)
    phrasings = _compile(name, patterns, tolerance)
    if alone or leading:
        _check_alone(name, patterns, phrasings, alone=alone, not_in=not_in)
    return CompiledPhrase(name, phrasings, _compile(name, not_in, tolerance), alone, leading)


def _check_alone(
    name: str, patterns: Sequence[str], phrasings: Iterable[Phrasing], *, alone: bool, not_in: Sequence[str]
) -> None:
    if not alone:
        raise PatternError(name, patterns[0], 1, "`leading` belongs to `alone`", "set `alone` as well")
    if not_in:
        raise PatternError(name, not_in[0], 1, "a phrase said alone lies in nothing", "leave out `not_in`")
    if any(len(phrasing.pieces) > 1 or any(phrasing.blanks) for phrasing in phrasings):
        problem = "a phrase said alone can have no gap and no slot"
        raise PatternError(name, patterns[0], 1, problem, "write the words only")


def _compile(name: str, patterns: Iterable[str], tolerance: Tolerance) -> tuple[Phrasing, ...]:
    found: dict[Phrasing, None] = {}
    for pattern in patterns:
        for line in _Reader(name, pattern).phrasings():
            found[_phrasing(line, tolerance)] = None
    return tuple(found)


def _phrasing(line: Line, tolerance: Tolerance) -> Phrasing:
    pieces: list[Piece] = []
    blanks: list[Blank | None] = []
    blank: Blank | None = None
    text = ""
    for token in line:
        if not isinstance(token.what, Blank):
            text += token.what
            continue
        if text:
            pieces.append(piece(text, tolerance))
            blanks.append(blank)
        text, blank = "", token.what
    if text:
        pieces.append(piece(text, tolerance))
        blanks.append(blank)
        blank = None
    blanks.append(blank)
    return Phrasing(tuple(pieces), tuple(blanks))


# ---------------------------------------------------------------- reading a pattern


@dataclass(frozen=True, slots=True)
class _Token:
    what: str | Blank
    column: int


Line = tuple[_Token, ...]


class _Reader:
    """Recursive descent over one pattern; every method returns all wordings of what it read."""

    def __init__(self, phrase: str, pattern: str) -> None:
        self.phrase, self.pattern = phrase, pattern
        self.text = pattern.translate(_WIDE).replace("...", "…  ")  # as long as before: columns stay
        self.at = 0

    def phrasings(self) -> Iterator[Line]:
        """All wordings of the pattern, checked."""
        lines = self._alternatives(opened_at=None)
        for line in lines:
            yield self._checked(line)

    def _error(self, column: int, problem: str, remedy: str) -> PatternError:
        return PatternError(self.phrase, self.pattern, column, problem, remedy)

    def _alternatives(self, opened_at: int | None) -> list[Line]:
        found: list[Line] = []
        several = False
        while True:
            found += self._row()
            self._limit(len(found))
            if self.at == len(self.text):
                if opened_at is not None:
                    raise self._error(opened_at, "this parenthesis is never closed", "add )")
                return found
            self.at += 1
            if self.text[self.at - 1] == "/":
                several = True
            elif opened_at is None:
                raise self._error(self.at, "this parenthesis was never opened", "remove it or add (")
            elif any(found):
                return found if several else [*found, ()]
            else:
                raise self._error(opened_at, "the parentheses are empty", "remove them")

    def _row(self) -> list[Line]:
        rows: list[Line] = [()]
        while self.at < len(self.text) and self.text[self.at] not in "/)":
            char = self.text[self.at]
            self.at += 1
            if char == "(":
                inner = self._alternatives(opened_at=self.at)
                self._limit(len(rows) * len(inner))
                rows = [row + more for row in rows for more in inner]
            elif char not in _SILENT:
                token = self._token(char)
                rows = [(*row, *token) for row in rows]
        return rows

    def _token(self, char: str) -> Line:
        if char in "…X":
            return (_Token(Blank.GAP if char == "…" else Blank.SLOT, self.at),)
        folded = fold_char(char)
        if not folded:
            problem = f"{char!r} is never recognised in speech"
            raise self._error(self.at, problem, "remove it or write how it is said")
        if not all(map(readings, folded)):
            raise self._error(self.at, f"{char!r} has no known reading", "write a common character")
        return tuple(_Token(part, self.at) for part in folded)

    def _limit(self, count: int) -> None:
        if count > EXPANSIONS:
            problem = f"the pattern stands for more than {EXPANSIONS} wordings"
            raise self._error(max(self.at, 1), problem, "use fewer alternatives or several patterns")

    def _checked(self, line: Line) -> Line:
        """``line`` without gaps at its edges and without doubled gaps."""
        if not line:
            remedy = "remove the empty alternative or add words that must be said"
            raise self._error(1, "the pattern can match nothing at all", remedy)
        if all(isinstance(token.what, Blank) for token in line):
            problem = "there are no words, only gaps or slots"
            raise self._error(line[0].column, problem, "add words that must be said")
        kept: list[_Token] = []
        for token in line:
            if token.what is not Blank.GAP or (kept and kept[-1].what is not Blank.GAP):
                kept.append(token)
        if kept[-1].what is Blank.GAP:
            kept.pop()
        for before, token in pairwise(kept):
            if isinstance(before.what, Blank) and isinstance(token.what, Blank):
                problem = "a slot next to a gap or slot has no clear end"
                raise self._error(token.column, problem, "keep one of them, or put words between them")
        return tuple(kept)
