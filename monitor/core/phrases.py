"""Finding the phrases of a call in its words, while it is spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from monitor.core.chains import PAUSE, WAITING, Chain, Chains, Faintly, Step, steps_of
from monitor.core.faint import Faint, State
from monitor.core.listen import Listener
from monitor.core.patterns import NUMBER_SLOT, CompiledPhrase, Phrasing
from monitor.core.spoken import Char, Spoken, characters
from monitor.core.types import Channel, Match, PhraseHit, Word

BREAK = 2.0
"""Seconds of silence between two characters that no phrase spans."""

SURE = 0.5
"""Score below which a hit was heard faintly only: rules cannot tell by it, and nothing else counts on it."""

_PARTICLES = "啊呀呢哦哎诶欸"
_ALONE = 16  # characters of a stretch in which a phrase said alone is looked for
_LOOSE = 2  # last characters of early words: they change most


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrasing of the book: of which phrase, and whether it takes a hit back instead of finding one."""

    phrase: int
    phrasing: Phrasing
    cancels: bool
    characters: int
    """Characters of all its pieces."""


class PhraseBook:
    """All phrases to listen for. Immutable; one book serves all calls.

    Raises ValueError when two phrases have the same name.
    """

    def __init__(self, phrases: Iterable[CompiledPhrase]) -> None:
        self.phrases = tuple(phrases)
        names = [phrase.name for phrase in self.phrases]
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"phrases of the same name: {', '.join(twice)}; give each its own")
        self.entries = tuple(self._entries())
        self.listener = Listener(piece for entry in self.entries for piece in entry.phrasing.pieces)
        self.faint = Faint(self.listener.pieces)
        self.uses: tuple[list[Step], ...] = tuple([] for _ in self.listener.pieces)
        """Of each piece: the steps that wait for it."""
        for piece, step in steps_of([entry.phrasing for entry in self.entries]):
            self.uses[self.listener.index[piece]].append(step)
        longest = max((entry.phrasing.reach for entry in self.entries), default=0)
        self.memory = 2 * (longest + NUMBER_SLOT)
        """Characters that may still matter: those of a hit and of what might cancel it."""
        self.patience = tuple(max((line.reach for line in phrase.cancels), default=0) for phrase in self.phrases)
        """Of each phrase: characters after which nothing can cancel a hit."""
        self.alone = tuple((phrase, _alone_form(phrase)) for phrase in self.phrases if phrase.alone)

    def _entries(self) -> Iterator[Entry]:
        for number, phrase in enumerate(self.phrases):
            if phrase.alone:
                continue
            for cancels, phrasings in ((False, phrase.phrasings), (True, phrase.cancels)):
                for phrasing in phrasings:
                    yield Entry(number, phrasing, cancels, sum(len(piece.text) for piece in phrasing.pieces))


def _alone_form(phrase: CompiledPhrase) -> re.Pattern[str]:
    # The longest first: an alternative that is the beginning of another must not hide it.
    texts = sorted({phrasing.pieces[0].text for phrasing in phrase.phrasings}, key=len, reverse=True)
    said = f"(?:{'|'.join(map(re.escape, texts))})+"
    return re.compile(f"[{_PARTICLES}]*?({said})" + ("" if phrase.leading else f"[{_PARTICLES}]*$"))


def is_faint(hit: PhraseHit) -> bool:
    """Whether it was heard only where the recogniser was unsure of its words: it may have been said, no more."""
    return hit.score < SURE


class _Ear:
    """What a channel remembers; a copy is cheap."""

    __slots__ = (
        "cancelled", "chains", "faint", "faintly", "held", "levels", "reported", "spoken", "stretch", "tentative",
    )  # fmt: skip

    def __init__(self, book: PhraseBook, rate: int) -> None:
        self.levels = book.listener.start
        self.spoken = Spoken()
        self.chains = Chains(rate)
        self.stretch: list[Char] = []  # the first characters since the last pause
        self.tentative: list[Chain] = []  # hits without their last character, which may still come
        self.held: list[Chain] = []  # hits that might still be cancelled
        self.cancelled: list[tuple[int, int, int]] = []  # phrase, first and last character of what cancels
        self.reported: dict[int, int] = {}  # last character of the last occurrence of each phrase
        self.faint: State | None = None
        self.faintly = Faintly(book.patience)

    def copy(self, book: PhraseBook, rate: int) -> _Ear:
        other = _Ear(book, rate)
        other.levels, other.spoken, other.chains = self.levels, self.spoken.copy(), self.chains.copy()
        other.stretch, other.held, other.cancelled = list(self.stretch), list(self.held), list(self.cancelled)
        other.reported, other.tentative = dict(self.reported), list(self.tentative)
        other.faint, other.faintly = self.faint, self.faintly.copy()
        return other


@dataclass(slots=True)
class _Early:
    """What was heard of early words that the last `peek` saw too."""

    ear: _Ear
    chars: list[Char] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)


class Spotter:
    """Listens to one channel of a call. Positions are samples, ``rate`` of them a second.

    A phrase is reported once, as soon as its last character is known, and may run across segments and pauses
    of up to 2 s. How the words are divided into segments makes no difference, but for what has to wait for
    the next words, and waits no longer than its segment: a phrase said alone, a slot at the end, a hit that could
    be cancelled, a long piece whose last character was not heard, and what is heard faintly.

    Where the recogniser was unsure of its words, phrases may be heard faintly. Such a hit scores less than `SURE`, and
    waits for a firm one that overlaps it. Firm hits are the same as if there were no faint ones; one that comes with
    the next segment is reported although words of it have been reported faintly.
    """

    def __init__(self, book: PhraseBook, channel: Channel, rate: int) -> None:
        self.book, self.channel, self.rate = book, channel, rate
        self._ear = _Ear(book, rate)
        self._early: _Early | None = None

    def settle(self, words: Sequence[Word], segment_start: int, segment_end: int) -> list[PhraseHit]:
        """The phrases that the words of the next segment complete; these words never change any more."""
        self._early = None
        chars = characters(words, segment_start, segment_end)
        found = [*self._hear(self._ear, chars), *self._over(self._ear)]
        return [self._hit(one, settled=True) for one in found]

    def peek(self, words: Sequence[Word], segment_start: int, segment_end: int) -> list[PhraseHit]:
        """What `settle` would find in these words, which may still change. Changes nothing."""
        chars = list(characters(words, segment_start, segment_end))
        early = self._early
        if early is None or chars[: len(early.chars)] != early.chars:
            early = self._early = _Early(self._ear.copy(self.book, self.rate))
        # What was heard at the last peek is not heard again; the last characters are those that mostly change.
        firm = chars[len(early.chars) : -_LOOSE]
        early.found += self._hear(early.ear, firm)
        early.chars += firm
        ear = early.ear.copy(self.book, self.rate)
        found = [*early.found, *self._hear(ear, chars[len(early.chars) :]), *self._over(ear)]
        return [self._hit(one, settled=False) for one in found]

    def copy(self) -> Spotter:
        """Another one that has heard the same so far."""
        other = Spotter(self.book, self.channel, self.rate)
        other._ear = self._ear.copy(self.book, self.rate)
        return other

    def reset(self) -> None:
        """Audio was lost here: no phrase runs across it."""
        self._early = None
        self._break(self._ear)

    def _break(self, ear: _Ear) -> None:
        ear.levels = self.book.listener.start
        ear.spoken.forget()
        ear.chains.forget()
        ear.stretch.clear()
        ear.tentative.clear()
        ear.faint = None
        ear.faintly.forget()
        ear.held.clear()
        ear.cancelled.clear()

    # ------------------------------------------------------------ hearing

    def _hear(self, ear: _Ear, chars: Iterable[Char]) -> Iterator[_Found]:
        for char in chars:
            pause = char.start - ear.spoken.chars[-1].end if ear.spoken.chars else 0
            if pause >= PAUSE * self.rate:
                yield from self._stretch_over(ear)
            broken = pause > BREAK * self.rate
            yield from self._report(ear, ear.chains.close(ear.spoken, None if broken else char))
            yield from self._settle_tentative(ear, everything=broken)
            yield from self._release(ear, everything=broken)
            yield from self._settle_faint(ear, everything=broken)
            if broken:
                self._break(ear)
            ear.spoken.append(char)
            if len(ear.stretch) <= _ALONE:
                ear.stretch.append(char)
            yield from self._report(ear, self._completed(ear))
            if len(ear.spoken.chars) > 2 * self.book.memory:
                ear.spoken.forget(self.book.memory)
                ear.cancelled = [entry for entry in ear.cancelled if ear.spoken.has(entry[2])]

    def _over(self, ear: _Ear) -> Iterator[_Found]:
        """What had to wait for the next words waits no longer: these were the last of the segment."""
        yield from self._report(ear, ear.chains.close(ear.spoken, None))
        yield from self._settle_tentative(ear, everything=True)
        yield from self._release(ear, everything=True)
        yield from self._settle_faint(ear, everything=True)
        yield from self._stretch_over(ear)

    def _completed(self, ear: _Ear) -> Iterator[Chain]:
        """The phrasings that the newest character completes."""
        book, spoken = self.book, ear.spoken
        ear.levels, ended = book.listener.step(ear.levels, spoken.folded[-1])
        ear.faint, perhaps = book.faint.step(ear.faint, spoken.chars)
        if not perhaps and not any(ended):
            return
        pieces = dict(book.listener.endings(ear.levels, ended, spoken.folded, len(spoken.folded) - 1))
        pieces.update(book.faint.endings([piece for piece in perhaps if piece not in pieces], spoken.chars))
        for piece, local in pieces.items():
            found = replace(local, start=local.start + spoken.base)
            yield from ear.chains.add(spoken, book.uses[piece], found)

    def _report(self, ear: _Ear, completed: Iterable[Chain]) -> Iterator[_Found]:
        """Of phrasings that end together the best one of each phrase, unless reported or cancelled."""
        best: dict[int, Chain] = {}
        faint: list[Chain] = []
        for chain in completed:
            entry = self.book.entries[chain.phrasing]
            if chain.faint:
                faint.append(chain)
                continue
            # Whatever was heard firmly wins, and is never taken back for something that was not.
            ear.faintly.drop(entry.phrase, chain.start)
            if entry.cancels:
                self._cancel(ear, entry.phrase, chain)
            elif chain.tentative:
                ear.tentative.append(chain)
            elif entry.phrase not in best or self._rank(chain) > self._rank(best[entry.phrase]):
                best[entry.phrase] = chain
        for phrase, chain in best.items():
            if chain.start <= ear.reported.get(phrase, -1):
                continue
            ear.reported[phrase] = chain.end
            if any(of == phrase and chain.start <= last for of, _, last in ear.cancelled):
                continue
            if self.book.patience[phrase]:
                ear.held.append(chain)
            else:
                yield self._found(ear, chain)
        if faint:
            self._wait(ear, faint)

    def _wait(self, ear: _Ear, faint: Iterable[Chain]) -> None:
        """Let hits that were heard faintly wait for better ones, unless these are known or they are cancelled."""
        cancelling: list[Chain] = []
        for chain in faint:
            phrase = self._phrase(chain)
            if self.book.entries[chain.phrasing].cancels:
                cancelling.append(chain)
                continue
            known = chain.start <= ear.reported.get(phrase, -1)
            known = known or any(self._phrase(one) == phrase and chain.start <= one.end for one in ear.tentative)
            if not known and not any(of == phrase and chain.start <= last for of, _, last in ear.cancelled):
                ear.faintly.add(phrase, chain)
        for chain in cancelling:
            ear.faintly.drop(self._phrase(chain), chain.start)

    def _settle_tentative(self, ear: _Ear, *, everything: bool = False) -> Iterator[_Found]:
        """Phrases whose last character stays away, and which nothing better overlapped meanwhile."""
        if not ear.tentative:
            return
        ripe: dict[int, int] = {}  # the last character of each phrase that waited long enough
        for chain in ear.tentative:
            if everything or ear.spoken.end > chain.end + WAITING:
                ripe[self._phrase(chain)] = chain.end
        if ripe:
            together: list[Chain] = []  # what overlaps is the same occurrence: the best of it counts
            later: list[Chain] = []
            for chain in ear.tentative:
                overlaps = chain.start <= ripe.get(self._phrase(chain), -1)
                (together if overlaps else later).append(replace(chain, tentative=False) if overlaps else chain)
            ear.tentative = later
            yield from self._report(ear, together)

    def _settle_faint(self, ear: _Ear, *, everything: bool = False) -> Iterator[_Found]:
        """Phrases heard faintly, which nothing better overlapped for as long as it might have."""
        for chains in ear.faintly.ripe(ear.spoken.end, everything=everything):
            best = max(chains, key=self._rank)
            ear.faintly.told(self._phrase(best), best)
            yield self._found(ear, best)

    def _cancel(self, ear: _Ear, phrase: int, by: Chain) -> None:
        if any(of == phrase and by.start <= last for of, _, last in ear.cancelled):
            return  # the same words again, drawn out by what follows them
        ear.cancelled.append((phrase, by.start, by.end))
        ear.held = [chain for chain in ear.held if self._phrase(chain) != phrase or chain.end < by.start]

    def _release(self, ear: _Ear, *, everything: bool = False) -> Iterator[_Found]:
        """Held hits that nothing can cancel any more."""
        if not ear.held:
            return
        kept: list[Chain] = []
        for chain in ear.held:
            patience = self.book.patience[self._phrase(chain)]
            if everything or ear.spoken.end > chain.end + patience:
                yield self._found(ear, chain)
            else:
                kept.append(chain)
        ear.held = kept

    # ------------------------------------------------------------ what was found

    def _phrase(self, chain: Chain) -> int:
        return self.book.entries[chain.phrasing].phrase

    def _rank(self, chain: Chain) -> tuple[float, int, int]:
        return chain.score(self.book.entries[chain.phrasing].characters), chain.length, chain.start

    def _found(self, ear: _Ear, chain: Chain) -> _Found:
        entry, spoken = self.book.entries[chain.phrasing], ear.spoken
        match = Match.NEAR if chain.wrong else Match.SOUND if chain.sound else Match.EXACT
        return _Found(
            self.book.phrases[entry.phrase].name,
            spoken.span(chain.start, chain.end),
            match,
            chain.score(entry.characters),
            tuple(spoken.shown(first, last) for first, last in chain.slots),
        )

    def _stretch_over(self, ear: _Ear) -> Iterator[_Found]:
        """Phrases that are all that was said between two pauses."""
        stretch, ear.stretch = ear.stretch, []
        text = "".join(char.folded for char in stretch)
        for phrase, form in self.book.alone if text else ():
            said = form.match(text)
            if said and (phrase.leading or len(text) <= _ALONE):
                yield _Found(phrase.name, stretch[said.start(1) : said.end(1)], Match.EXACT, 1.0, ())

    def _hit(self, found: _Found, *, settled: bool) -> PhraseHit:
        start, end = found.chars[0].start, found.chars[-1].end
        text = "".join(char.shown for char in found.chars)
        return PhraseHit(found.phrase, self.channel, start, end, text, found.match, found.score, settled, found.slots)


@dataclass(frozen=True, slots=True)
class _Found:
    """A hit before it is known whether its words are settled."""

    phrase: str
    chars: Sequence[Char]
    match: Match
    score: float
    slots: tuple[str, ...]
