"""Listening for the pieces of all phrases at once.

A bit-parallel automaton: the characters of all pieces lie side by side in integers, one row for each number of wrong
characters that pieces are allowed. A set bit of level d says that the piece up to this character was just heard with
at most d characters wrong. One more character of speech costs a few shifts of these integers, however many phrases
there are. The automaton is generous: what it finds is a candidate, on which `align` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from monitor.core.align import LOOSE_ENDS, Alignment, Piece, Tolerance, align, sounds

Levels = tuple[tuple[int, ...], ...]
"""The state: for each row one integer for each number of wrong characters, from 0."""

_MASKS = 4096  # characters whose places are remembered


class _Row:
    """The pieces that may have ``limit`` characters wrong."""

    def __init__(self, limit: int, pieces: Iterable[tuple[int, Piece]]) -> None:
        self.limit = limit
        self.last: dict[int, int] = {}
        """The number of the piece by the bit of its last character."""
        self._characters: dict[str, int] = {}
        self._sounds: dict[tuple[Tolerance, str], int] = {}
        self._masks: dict[str, int] = {}
        self._first = self._final = self._loose_first = self._loose_last = 0
        width = 0
        for number, piece in pieces:
            self._lay(number, piece, width)
            width += len(piece.text)
        self._inner = ((1 << width) - 1) & ~self._first
        self.start = (0, *[self._loose_first] * limit)

    def _lay(self, number: int, piece: Piece, offset: int) -> None:
        for place, char in enumerate(piece.text, start=offset):
            bit = 1 << place
            self._characters[char] = self._characters.get(char, 0) | bit
            for sound in sounds(char, piece.tolerance):
                key = (piece.tolerance, sound)
                self._sounds[key] = self._sounds.get(key, 0) | bit
        first, last = 1 << offset, 1 << (offset + len(piece.text) - 1)
        self._first |= first
        self._final |= last
        self.last[last] = number
        if len(piece.text) >= LOOSE_ENDS and piece.limit:
            self._loose_first |= first
            self._loose_last |= last

    def _mask(self, char: str) -> int:
        """The places in all pieces that ``char`` satisfies."""
        mask = self._masks.get(char)
        if mask is None:
            mask = self._characters.get(char, 0)
            for tolerance in (Tolerance.READING, Tolerance.SOUND, Tolerance.NEAR):
                for sound in sounds(char, tolerance):
                    mask |= self._sounds.get((tolerance, sound), 0)
            if len(self._masks) >= _MASKS:
                self._masks.clear()
            self._masks[char] = mask
        return mask

    def step(self, levels: tuple[int, ...], char: str) -> tuple[tuple[int, ...], int]:
        """The levels after one more folded character, and the bits of the pieces that may end with it."""
        mask = self._mask(char)
        old = levels[0]
        new = ((old << 1) | self._first) & mask
        if not self.limit:
            return (new,), new & self._final
        state = [new]
        for level in levels[1:]:
            # added character, or one replaced or left out; each only within a piece
            wrong = (old | ((old | new) << 1)) & self._inner
            new = (((level << 1) | self._first) & mask) | wrong | (old & self._first) | self._loose_first
            old = level
            state.append(new)
        return tuple(state), new & self._final & (mask | self._loose_last)


class Listener:
    """Knows the pieces; holds no state of a call, so that all calls share it."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = tuple(dict.fromkeys(pieces))
        self.index = {piece: number for number, piece in enumerate(self.pieces)}
        self._rows = tuple(
            _Row(limit, [(n, piece) for n, piece in enumerate(self.pieces) if piece.limit == limit])
            for limit in sorted({piece.limit for piece in self.pieces})
        )
        self.start: Levels = tuple(row.start for row in self._rows)

    def step(self, levels: Levels, char: str) -> tuple[Levels, tuple[int, ...]]:
        """The state after one more folded character, and the bits of the pieces that may end with it."""
        stepped = [row.step(level, char) for row, level in zip(self._rows, levels, strict=True)]
        return tuple(state for state, _ in stepped), tuple(ended for _, ended in stepped)

    def endings(
        self, levels: Levels, ended: tuple[int, ...], heard: Sequence[str], end: int
    ) -> Iterator[tuple[int, Alignment]]:
        """The pieces that do end with character ``end`` of ``heard``, by number, in a fixed order."""
        for row, level, bits in zip(self._rows, levels, ended, strict=True):
            while bits:
                bit = bits & -bits
                bits ^= bit
                number = row.last[bit]
                found = align(self.pieces[number], heard, end, clean=bool(level[0] & bit))
                if found is not None:
                    yield number, found
