"""From pieces to phrases: the pieces of a phrasing follow one another, with gaps and slots between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.core.align import Alignment, Piece, score
from monitor.core.fold import NUMERALS
from monitor.core.patterns import GAP, NUMBER_SLOT, SLOT, Blank, Phrasing
from monitor.core.phonetics import WHOLE
from monitor.core.spoken import Char, Spoken

GAP_TIME = 8.0
"""Seconds that a gap may last."""
PAUSE = 0.3
"""Seconds of silence that set a word apart from its neighbours."""
NUMBER_PAUSE = 1.0
"""Seconds of silence between the digits of a dictated number."""

FAINTLY = 0.49
"""What a faint match scores at most: less than any rule takes for certain unless it is told to."""

WAITING = 4
"""Characters in which a better match than one that lacks its last character, or is faint, comes, if any."""

_KEPT = 8  # beginnings of one phrasing that are followed at a time
_NONE = -1  # no phrasing yet


@dataclass(frozen=True, slots=True)
class Step:
    """A piece after a blank, on top of the step ``before`` it; phrasings that begin alike share their steps.

    ``ends``: the phrasings that end with it; ``fills``: those that end with a slot after it; ``leads``: others go on.
    """

    number: int
    before: int | None
    blank: Blank | None
    ends: tuple[int, ...]
    fills: tuple[int, ...]
    leads: bool


def steps_of(phrasings: Sequence[Phrasing]) -> list[tuple[Piece, Step]]:
    """The steps of phrasings, each with its piece; ``ends`` and ``fills`` are indices of ``phrasings``."""
    numbers: dict[tuple[int | None, Blank | None, Piece], int] = {}
    ends: dict[int, list[int]] = {}
    fills: dict[int, list[int]] = {}
    for index, phrasing in enumerate(phrasings):
        number: int | None = None
        for blank, piece in zip(phrasing.blanks[:-1], phrasing.pieces, strict=True):
            number = numbers.setdefault((number, blank, piece), len(numbers))
        if number is not None:
            (fills if phrasing.blanks[-1] is Blank.SLOT else ends).setdefault(number, []).append(index)
    leads = {before for before, _, _ in numbers}
    return [
        (piece, Step(n, before, blank, tuple(ends.get(n, ())), tuple(fills.get(n, ())), n in leads))
        for (before, blank, piece), n in numbers.items()
    ]


@dataclass(frozen=True, slots=True)
class Chain:
    """A phrasing heard so far: characters ``start``..``end``, ``slots`` as such ranges; ``phrasing`` is -1 until whole.

    The counts are those of an `Alignment`, summed up over the pieces; ``tentative`` is that of the last piece. It is
    ``faint`` when any of its pieces is.
    """

    phrasing: int
    start: int
    end: int
    wrong: int
    missing: int
    sound: int
    length: int
    slots: tuple[tuple[int, int], ...]
    tentative: bool = False
    distance: int = 0

    @property
    def faint(self) -> bool:
        """Whether it was found only because the recogniser was not sure of its words."""
        return self.distance > 0

    def score(self, characters: int) -> float:
        """How sure the match is, 0..1, of a phrasing with so many characters in its pieces."""
        sure = score(characters, self.missing, self.sound, self.length)
        if not self.distance:
            return sure
        return round(FAINTLY * max(0.0, sure - self.distance / (WHOLE * self.length)), 3)

    def better_than(self, other: Chain) -> bool:
        """Not faint, fewer differences; among equals the one that ends later, so that blanks are short."""
        mine = (self.distance, self.wrong, self.missing, self.sound, -self.end)
        return mine < (other.distance, other.wrong, other.missing, other.sound, -other.end)


def _kept(chains: tuple[Chain, ...], newest: Chain) -> tuple[Chain, ...]:
    """The latest beginnings; those heard faintly never take the place of the others."""
    alike = [chain for chain in chains if chain.faint == newest.faint]
    dropped = alike[0] if len(alike) >= _KEPT else None
    return (*(chain for chain in chains if chain is not dropped), newest)


class Chains:
    """The phrasings that are under way on one channel."""

    __slots__ = ("_filling", "_open", "_rate")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._open: dict[int, tuple[Chain, ...]] = {}
        self._filling: list[Chain] = []

    def copy(self) -> Chains:
        """The same phrasings, to go on elsewhere."""
        other = Chains(self._rate)
        other._open, other._filling = dict(self._open), list(self._filling)
        return other

    def forget(self) -> None:
        """Whatever is under way is broken off."""
        self._open.clear()
        self._filling.clear()

    def add(self, spoken: Spoken, steps: Iterable[Step], found: Alignment) -> Iterator[Chain]:
        """A piece ended with the newest character, from ``found.start``; ``steps`` are those that it may be.

        Yields the phrasings that this completes.
        """
        for step in steps:
            before = () if step.before is None else self._open.get(step.before, ())
            if step.before is not None and not before:
                continue
            chain = self._link(spoken, step.blank, before, found) if before else self._begin(spoken, step.blank, found)
            if chain is None:
                continue
            if step.leads:
                self._open[step.number] = _kept(self._open.get(step.number, ()), chain)
            self._filling += [replace(chain, phrasing=number) for number in step.fills]
            for number in step.ends:
                yield replace(chain, phrasing=number)

    def _begin(self, spoken: Spoken, blank: Blank | None, found: Alignment) -> Chain | None:
        """The first piece of a phrasing, with the slot before it."""
        start = found.start
        slots: tuple[tuple[int, int], ...] = ()
        if blank is Blank.SLOT:
            opened = self._slot_before(spoken, start)
            if opened is None:
                return None
            start, slots = opened, ((opened, found.start - 1),)
        counts = (found.wrong, found.missing, found.sound, found.length)
        return Chain(_NONE, start, spoken.end - 1, *counts, slots, found.tentative, found.distance)

    def _link(self, spoken: Spoken, blank: Blank | None, before: tuple[Chain, ...], found: Alignment) -> Chain | None:
        """A further piece on top of the best beginning."""
        best: Chain | None = None
        for chain in before:
            fits = self._fits(spoken, blank, chain.end + 1, found.start - 1)
            if fits and (best is None or chain.better_than(best)):
                best = chain
        if best is None:
            return None
        return Chain(
            _NONE,
            best.start,
            spoken.end - 1,
            best.wrong + found.wrong,
            best.missing + found.missing,
            best.sound + found.sound,
            best.length + found.length,
            (*best.slots, (best.end + 1, found.start - 1)) if blank is Blank.SLOT else best.slots,
            found.tentative,
            best.distance + found.distance,
        )

    def _fits(self, spoken: Spoken, blank: Blank | None, first: int, last: int) -> bool:
        """Whether characters ``first``..``last`` may stand where the phrasing has a blank."""
        count = last - first + 1
        if count < 0 or not spoken.has(first - 1):
            return False
        if blank is Blank.SLOT:
            return 1 <= count <= SLOT or (SLOT < count <= NUMBER_SLOT and spoken.is_number(first, last))
        return count <= GAP and spoken.silence(first - 1, last + 1) <= GAP_TIME * self._rate

    def _slot_before(self, spoken: Spoken, start: int) -> int | None:
        """Where a slot in front of a phrase begins: a character (most family names are one), or a number."""
        first = start - 1
        if not spoken.has(first) or spoken.silence(first) >= PAUSE * self._rate:
            return None
        if not spoken.is_number(first, first):
            return first
        while (
            start - first < NUMBER_SLOT
            and spoken.has(first - 1)
            and spoken.is_number(first - 1, first - 1)
            and spoken.silence(first - 1) <= NUMBER_PAUSE * self._rate
        ):
            first -= 1
        return first

    # ------------------------------------------------------------ slots at the end

    def close(self, spoken: Spoken, following: Char | None) -> Iterator[Chain]:
        """Phrasings whose last slot ends before the character ``following``.

        None: nothing follows, so what has begun ends here; a slot without any character stays open.
        """
        if not self._filling:
            return
        going: list[Chain] = []
        for chain in self._filling:
            last = spoken.end - 1
            empty = last == chain.end
            if empty or (following is not None and self._goes_on(spoken, chain.end + 1, following)):
                going.append(chain)
            else:
                yield replace(chain, end=last, tentative=False, slots=(*chain.slots, (chain.end + 1, last)))
        self._filling = going

    def _goes_on(self, spoken: Spoken, first: int, following: Char) -> bool:
        """Whether the slot that began with character ``first`` takes in the next one too."""
        last = spoken.end - 1
        pause = following.start - spoken.span(last, last)[0].end
        count = last - first + 1
        if spoken.is_number(first, last):
            in_time = pause <= NUMBER_PAUSE * self._rate
            return following.folded in NUMERALS and count < NUMBER_SLOT and in_time
        return count < SLOT and pause < PAUSE * self._rate


class Faintly:
    """Hits that were heard faintly. They wait, so that a firm hit which overlaps them takes their place.

    ``patience``: of each phrase the characters after which nothing can cancel a hit.
    """

    def __init__(self, patience: Sequence[int]) -> None:
        self._patience = patience
        self._waiting: list[tuple[int, Chain]] = []
        self._told: dict[int, int] = {}  # last character of the last faint hit of each phrase

    def copy(self) -> Faintly:
        """The same hits, to go on elsewhere."""
        other = Faintly(self._patience)
        other._waiting, other._told = list(self._waiting), dict(self._told)
        return other

    def forget(self) -> None:
        """Whatever waits is broken off."""
        self._waiting.clear()

    def add(self, phrase: int, chain: Chain) -> None:
        """A phrase was heard faintly."""
        if chain.start > self._told.get(phrase, -1):
            self._waiting.append((phrase, chain))

    def drop(self, phrase: int, start: int) -> None:
        """Something better, or something that cancels it, was heard from character ``start`` to the newest one."""
        if self._waiting:
            self._waiting = [(of, chain) for of, chain in self._waiting if of != phrase or chain.end < start]

    def told(self, phrase: int, chain: Chain) -> None:
        """This one was reported: what overlaps it is the same occurrence."""
        self._told[phrase] = chain.end

    def ripe(self, end: int, *, everything: bool) -> Iterable[Sequence[Chain]]:
        """Of each phrase that waited long enough, or ``everything``: the hits of its first occurrence.

        ``end``: the number of the character that comes next. What overlaps is the same occurrence.
        """
        while self._waiting:
            late = (
                (phrase, chain.end)
                for phrase, chain in self._waiting
                if everything or end > chain.end + max(WAITING, self._patience[phrase])
            )
            ripe = next(late, None)
            if ripe is None:
                return
            phrase, last = ripe
            together = [chain for of, chain in self._waiting if of == phrase and chain.start <= last]
            self._waiting = [(of, chain) for of, chain in self._waiting if of != phrase or chain.start > last]
            chains = [chain for chain in together if chain.start > self._told.get(phrase, -1)]
            if chains:
                yield chains
