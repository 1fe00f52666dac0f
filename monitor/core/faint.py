"""Phrases heard only faintly: pieces that fit what was said where the recogniser itself was not sure of its words.

A character that the recogniser was sure of counts as everywhere else: right or wrong. One that it was not sure of
counts by how far its sound is from what should be there. All pieces lie in one tree, by their beginnings, and the least
distance of what was just heard to every beginning is kept in one vector; the work is done only while a character
that was not certain is within reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.core.align import DIGITS, FIXED, TURNING, Alignment, Piece, edit_limit
from monitor.core.fold import readings
from monitor.core.phonetics import WHOLE, distance
from monitor.core.spoken import Char

# Chosen on two grounds. (1) Phrases that people said, in a small model's text with a quarter of its syllables wrong:
# 92 % are found, every length at 90 % or more, and no hit is false. With 25 for each further character 91 % are, with
# UNSURE at 0.95 or ROOM at 95 only just 90 %. (2) The packs' phrases in unrelated sentences garbled as badly: 5.4 faint
# hits in a thousand trials of a phrase in a sentence; a ROOM of 105 with 35 more gives 7.2 for one point of recall.
UNSURE = 0.98
"""Confidence below which a recognised character may have been another one."""
ROOM = 100
"""Distance that a piece of four characters may have, in hundredths of a syllable."""
ROOM_A_CHARACTER = 30
"""Distance that a piece may have more for each further character."""

_NEVER = 10_000  # twice as much still fits
_ROWS = 4096  # characters whose distances are remembered
_PAIRS = 512  # those whose distances at every node are: a large array each

Costs = npt.NDArray[np.int16]
Indices = npt.NDArray[np.intp]


def room(length: int) -> int:
    """The distance, in hundredths of a syllable, that a piece of ``length`` characters may have.

    Never enough for more characters that are surely wrong than the piece may have anywhere.
    """
    return min(ROOM + ROOM_A_CHARACTER * (length - 4), WHOLE * (edit_limit(length) + 1) - 1)


class State(NamedTuple):
    """``costs`` of the beginnings of pieces, ``since`` the last unsure character so many were heard; never changed."""

    costs: Costs
    since: int


class Faint:
    """Knows the pieces; holds no state of a call, so that all calls share it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        numbers = [number for number, piece in enumerate(pieces) if piece.limit]
        self.reach = max((len(pieces[n].text) + pieces[n].limit for n in numbers), default=0)
        """Characters within which an unsure one matters; 0 when there are no pieces to hear faintly."""
        self._chars = sorted({char for n in numbers for char in pieces[n].text})
        self._index = {char: number for number, char in enumerate(self._chars)}
        self._lacking: list[tuple[Indices, Indices, Costs]] = []
        self._lay_out(numbers)
        self._sounds()
        self._rows: dict[tuple[str, bool], Costs] = {}
        self._pairs: dict[tuple[str, bool], Costs] = {}
        self._near: dict[str, Costs] = {}  # of each syllable that was heard: the distances to those of the pieces

    def _lay_out(self, numbers: Sequence[int]) -> None:
        """The tree: node 0 is the empty beginning, then all of one character, of two, and so on."""
        texts = [self._pieces[number].text for number in numbers]
        beginnings = {text[:length] for text in texts for length in range(len(text) + 1)} | {""}
        order = sorted(beginnings, key=lambda text: (len(text), text))
        nodes = {text: node for node, text in enumerate(order)}
        self._parent: Indices = np.array([nodes[text[:-1]] for text in order], np.intp)
        self._char: Indices = np.array([self._index[text[-1]] if text else 0 for text in order], np.intp)
        self._firsts = slice(1, 1 + sum(len(text) == 1 for text in order))
        # The first character of a piece must be heard, as something.
        self._left_out: Costs = np.array(
            [_NEVER if len(text) < 2 or text[-1] in FIXED else WHOLE for text in order], np.int16
        )
        for count in range(2, _DEEPEST + 1):  # the nodes of pieces that have room to lack so many in a row
            long = {text[:n] for text in texts if room(len(text)) >= count * WHOLE for n in range(2, len(text) + 1)}
            some: Indices = np.array(sorted(nodes[text] for text in long), np.intp)
            self._lacking.append((some, self._parent[some], self._left_out[some]))
        self._ends: Indices = np.array([nodes[text] for text in texts], np.intp)
        self._rooms: Costs = np.array([room(len(text)) for text in texts], np.int16)
        self._numbers = numbers
        self._start: Costs = np.full(len(order), _NEVER, np.int16)
        self._start[0] = 0

    def _sounds(self) -> None:
        """Of each character of the pieces its readings, one behind the other."""
        self._syllables = sorted({reading for char in self._chars for reading in readings(char)})
        index = {syllable: number for number, syllable in enumerate(self._syllables)}
        spoken = [[index[reading] for reading in readings(char)] for char in self._chars]
        self._readings: Indices = np.array([one for some in spoken for one in some], np.intp)
        self._begins: Indices = np.array([0, *accumulate(map(len, spoken))][:-1], np.intp)
        self._turning = np.array([char in TURNING for char in self._chars], bool)
        self._digits = np.array([char in DIGITS for char in self._chars], bool)

    # ------------------------------------------------------------ distances

    def _row(self, heard: str, sure: bool) -> Costs:
        """The distance of ``heard`` to each character of the pieces."""
        row = self._rows.get((heard, sure))
        if row is None:
            row = self._distances(heard)
            if sure:
                row = np.where((row == 0) | (row == _NEVER), row, WHOLE).astype(np.int16)
            if len(self._rows) >= _ROWS:
                self._rows.clear()
            self._rows[heard, sure] = row
        return row

    def _distances(self, heard: str) -> Costs:
        row = np.full(len(self._chars), WHOLE, np.int16)
        for reading in readings(heard):
            near = self._near.get(reading)
            if near is None:
                near = self._near[reading] = np.array([distance(reading, one) for one in self._syllables], np.int16)
            np.minimum(row, np.minimum.reduceat(near[self._readings], self._begins), out=row)
        never = np.full_like(self._turning, heard in TURNING) | self._turning | (self._digits & (heard in DIGITS))
        row[never & (row > 0)] = _NEVER
        if heard in self._index:
            row[self._index[heard]] = 0
        return row

    def _at_nodes(self, heard: str, sure: bool) -> Costs:
        """The distance of ``heard`` to the last character of each beginning."""
        pair = self._pairs.get((heard, sure))
        if pair is None:
            if len(self._pairs) >= _PAIRS:
                self._pairs.clear()
            pair = self._pairs[heard, sure] = self._row(heard, sure).take(self._char)
        return pair

    # ------------------------------------------------------------ listening

    def step(self, state: State | None, chars: Sequence[Char]) -> tuple[State | None, Sequence[int]]:
        """The state after the last of ``chars``, and the numbers of the pieces that end with it.

        ``chars``: what was spoken, at least the last `reach` characters of it. None: all of these were sure.
        """
        newest = chars[-1]
        if newest.confidence >= UNSURE:
            if state is None or state.since >= self.reach:
                return None, ()
            costs, ended = self._heard(state.costs, newest, sure=True)
            return State(costs, state.since + 1), ended
        if not self.reach:
            return None, ()
        if state is None:
            costs = self._start
            for char in chars[-self.reach : -1]:
                costs, _ = self._heard(costs, char, sure=True)
        else:
            costs = state.costs
        costs, ended = self._heard(costs, newest, sure=False)
        return State(costs, 0), ended

    def _heard(self, costs: Costs, char: Char, *, sure: bool) -> tuple[Costs, Sequence[int]]:
        """The costs after one more character, and the numbers of the pieces that may end with it."""
        pair = self._at_nodes(char.folded, sure)
        new = costs.take(self._parent)
        new += pair
        found = np.flatnonzero(new.take(self._ends) <= self._rooms)
        if sure:  # a first or last character that was surely another one is none
            new[self._firsts][pair[self._firsts] > 0] = _NEVER
            found = found[pair.take(self._ends.take(found)) == 0]
        if char.folded not in FIXED:
            np.minimum(new, costs + np.int16(WHOLE), out=new)
        without = new.take(self._parent)
        without += self._left_out
        np.minimum(new, without, out=new)
        for nodes, parents, left_out in self._lacking:
            new[nodes] = np.minimum(new.take(nodes), new.take(parents) + left_out)
        np.minimum(new, _NEVER, out=new)
        new[0] = 0
        return new, [self._numbers[place] for place in found.tolist()]

    def endings(self, ended: Sequence[int], chars: Sequence[Char]) -> Iterator[tuple[int, Alignment]]:
        """The pieces of ``ended`` that do end with the last of ``chars`` and need one that was not sure, by number.

        Starts count from the first of ``chars``.
        """
        for number in ended:
            found = self._align(self._pieces[number], chars)
            if found is not None:
                yield number, found

    def _align(self, piece: Piece, chars: Sequence[Char]) -> Alignment | None:
        """The nearest alignment of ``piece`` that ends with the last of ``chars``."""
        text, offset = piece.text, max(0, len(chars) - len(piece.text) - piece.limit)
        heard = chars[offset:]
        sure = [char.confidence >= UNSURE for char in heard]
        rows = [self._row(char.folded, certain) for char, certain in zip(heard, sure, strict=True)]
        added = [_NEVER if char.folded in FIXED else WHOLE for char in heard]
        old: list[_Cell] = [_Cell(0, 0, 0, -column, 0) for column in range(len(heard) + 1)]
        for place, char in enumerate(text):
            index, edge = self._index[char], place in (0, len(text) - 1)
            left_out = _NEVER if edge or char in FIXED else WHOLE
            new = [old[0].wrong_by(left_out)]
            for column, row in enumerate(rows):
                cost = int(row[index])
                if cost and edge and sure[column]:
                    cost = _NEVER
                paired = old[column].paired(cost, alike=not cost and heard[column].folded != char)
                better = min(paired, old[column + 1].wrong_by(left_out))
                more = new[column].with_added(added[column]) if place < len(text) - 1 else better
                new.append(min(better, more))
            old = new
        best, first = old[-1], -old[-1].start
        if not 0 < best.cost <= room(len(text)) or all(sure[first:]):
            return None
        start, length = offset + first, len(text) + best.added
        lacks = length > len(chars) - start
        if lacks and start and chars[start - 1].folded in TURNING and rows[first][self._index[text[0]]]:
            return None  # 不 stands where the first character should
        return Alignment(start, best.wrong, 0, best.sound, length, distance=best.cost)


_DEEPEST = 3  # characters in a row that any piece has room to lack


class _Cell(NamedTuple):
    """How a beginning of a piece fits; the less the better. ``start`` is negative, so that the later one is less."""

    cost: int
    sound: int
    added: int
    start: int
    wrong: int

    def paired(self, cost: int, *, alike: bool) -> _Cell:
        return _Cell(self.cost + cost, self.sound + alike, self.added, self.start, self.wrong + (cost > 0))

    def wrong_by(self, cost: int) -> _Cell:
        return _Cell(self.cost + cost, self.sound, self.added, self.start, self.wrong + 1)

    def with_added(self, cost: int) -> _Cell:
        return _Cell(self.cost + cost, self.sound, self.added + 1, self.start, self.wrong + 1)
