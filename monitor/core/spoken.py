"""The characters that one channel spoke last, numbered from the beginning of the call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.core.fold import NUMERALS, spell
from monitor.core.types import Word


@dataclass(frozen=True, slots=True)
class Char:
    """A folded character, what stood for it in the transcript, and when it was spoken (samples).

    ``confidence`` is that of its word: how sure the recogniser was, 0..1.
    """

    folded: str
    shown: str
    start: int
    end: int
    confidence: float = 1.0


def characters(words: Iterable[Word], earliest: int, latest: int) -> Iterator[Char]:
    """The folded characters of ``words``; the time of a word is spread evenly over its characters.

    Recognisers place words a little outside the speech at times; they are moved into the range
    ``earliest``..``latest``.
    """
    for word in words:
        spelt = spell(word.text)
        begin, finish = (min(max(at, earliest), latest) for at in (word.start, word.end))
        before = -1
        for place, (folded, source) in enumerate(spelt):
            start = begin + (finish - begin) * place // len(spelt)
            end = begin + (finish - begin) * (place + 1) // len(spelt)
            shown = word.text[source] if source != before else ""
            yield Char(folded, shown, start, end, word.confidence)
            before = source


class Spoken:
    """The last characters since the last break, from number ``base`` to before number ``end``."""

    __slots__ = ("base", "chars", "folded")

    def __init__(self) -> None:
        self.base = 0
        self.chars: list[Char] = []
        self.folded: list[str] = []

    @property
    def end(self) -> int:
        return self.base + len(self.chars)

    def append(self, char: Char) -> None:
        self.chars.append(char)
        self.folded.append(char.folded)

    def copy(self) -> Spoken:
        """The same characters, to go on elsewhere."""
        other = Spoken()
        other.base, other.chars, other.folded = self.base, list(self.chars), list(self.folded)
        return other

    def forget(self, keep: int = 0) -> None:
        """Drop all but the last ``keep`` characters; numbers go on."""
        surplus = max(0, len(self.chars) - keep)
        del self.chars[:surplus], self.folded[:surplus]
        self.base += surplus

    def has(self, number: int) -> bool:
        """Whether the character is still (and already) here."""
        return self.base <= number < self.end

    def span(self, first: int, last: int) -> list[Char]:
        """Characters ``first``..``last``, both included."""
        return self.chars[first - self.base : last + 1 - self.base]

    def shown(self, first: int, last: int) -> str:
        """What the transcript says there."""
        return "".join(char.shown for char in self.span(first, last))

    def silence(self, number: int, other: int | None = None) -> int:
        """Samples between character ``number`` and ``other``, by default the next one."""
        following = number + 1 if other is None else other
        return self.chars[following - self.base].start - self.chars[number - self.base].end

    def is_number(self, first: int, last: int) -> bool:
        """Whether all these characters are numerals."""
        return NUMERALS.issuperset(self.folded[first - self.base : last + 1 - self.base])
