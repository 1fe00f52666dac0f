"""Listening for the pieces of all phrases at once.

A bit-parallel automaton: the characters of all pieces lie side by side in one integer. A set bit of level d
says that the piece up to this character was just heard with at most d characters wrong. One more character of
speech costs a few shifts of these integers, however many phrases there are. The automaton is generous: what
it finds is a candidate, on which `align` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from monitor.core.align import LOOSE_ENDS, Alignment, Piece, Tolerance, align, sounds

Levels = tuple[int, ...]
"""The state: one integer for each number of wrong characters, from 0."""


class Listener:
    """Knows the pieces; holds no state of a call, so that all calls share it."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = tuple(dict.fromkeys(pieces))
        self.index = {piece: number for number, piece in enumerate(self.pieces)}
        self._characters: dict[str, int] = {}
        self._sounds: dict[tuple[Tolerance, str], int] = {}
        self._masks: dict[str, int] = {}
        self._last: dict[int, int] = {}
        self._first = self._loose_first = self._loose_last = 0
        depth = max((piece.limit for piece in self.pieces), default=0)
        self._finals = [0] * (depth + 1)
        width = 0
        for number, piece in enumerate(self.pieces):
            self._lay(number, piece, width)
            width += len(piece.text)
        self._inner = ((1 << width) - 1) & ~self._first
        self.start: Levels = (0, *[self._loose_first] * depth)

    def _lay(self, number: int, piece: Piece, offset: int) -> None:
        for place, char in enumerate(piece.text, start=offset):
            bit = 1 << place
            self._characters[char] = self._characters.get(char, 0) | bit
            for sound in sounds(char, piece.tolerance):
                key = (piece.tolerance, sound)
                self._sounds[key] = self._sounds.get(key, 0) | bit
        first, last = 1 << offset, 1 << (offset + len(piece.text) - 1)
        self._first |= first
        self._finals[piece.limit] |= last
        self._last[last] = number
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
            self._masks[char] = mask
        return mask

    def step(self, levels: Levels, char: str) -> tuple[Levels, int]:
        """The state after one more folded character, and the bits of the pieces that may end with it."""
        mask = self._mask(char)
        old = levels[0]
        new = ((old << 1) | self._first) & mask
        ended = new & self._finals[0]
        state = [new]
        for limit, level in enumerate(levels[1:], start=1):
            # added character, or one replaced or left out; each only within a piece
            wrong = (old | ((old | new) << 1)) & self._inner
            new = (((level << 1) | self._first) & mask) | wrong | (old & self._first) | self._loose_first
            old = level
            ended |= new & self._finals[limit] & (mask | self._loose_last)
            state.append(new)
        return tuple(state), ended

    def endings(self, levels: Levels, ended: int, heard: Sequence[str], end: int) -> Iterator[tuple[int, Alignment]]:
        """The pieces that do end with character ``end`` of ``heard``, by number, in a fixed order."""
        while ended:
            bit = ended & -ended
            ended ^= bit
            number = self._last[bit]
            found = align(self.pieces[number], heard, end, clean=bool(levels[0] & bit))
            if found is not None:
                yield number, found
