"""The words that rule packs listen for, as hints for models that take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest

from monitor.core.rulebook import Pack

SHORTEST = 2
"""Characters; a single one is said everywhere and hints at nothing."""


def hot_words(packs: Iterable[Pack]) -> tuple[str, ...]:
    """The pieces of the packs' phrases that stand together; none that lies within another.

    Models take a limited number of hints, from the first on: so one wording of each phrase comes first, then another
    of each.
    """
    wordings = [
        [[part.text for part in phrasing.pieces] for phrasing in phrase.phrasings]
        for pack in packs
        for phrase in pack.phrases
    ]
    turns = chain.from_iterable(zip_longest(*wordings, fillvalue=[]))
    found = list(dict.fromkeys(text for pieces in turns for text in pieces if len(text) >= SHORTEST))
    within = {part for text in found for part in _parts(text)}
    return tuple(text for text in found if text not in within)


def _parts(text: str) -> Iterator[str]:
    """Everything that stands together in it and is not all of it."""
    for start in range(len(text)):
        for end in range(start + SHORTEST, len(text) + 1):
            if end - start < len(text):
                yield text[start:end]
