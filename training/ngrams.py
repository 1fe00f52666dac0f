"""Counts the characters of very many sentences and makes a language model of them, for ``monitor.asr.ngrams``.

Smoothed as Witten and Bell (1991) do: what follows a beginning is as likely to be new as it was so far. Kneser and
Ney's way is worse here (measured), for sentences of patterns repeat themselves as no newspaper does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from monitor.asr.ngrams import BITS, EDGE, LONGEST, Keys, Ngrams, Order, last

Counts = npt.NDArray[np.int64]

SYMBOL = np.uint64(BITS)
CHUNK = 200_000
"""Sentences that are counted at a time."""


def estimate(sentences: Iterable[str], characters: str, least: Sequence[int]) -> Ngrams:
    """The model of ``sentences`` over ``characters`` (others are passed over).

    ``least`` says for each length from 1 on how often an n-gram must have been met to be stored; what the others
    would have had goes to shorter ones. Raises ValueError for no sentences, and more lengths or characters than fit.
    """
    if not 1 <= len(least) <= LONGEST or len(characters) >= 1 << BITS:
        raise ValueError(f"at most {LONGEST} lengths and {(1 << BITS) - 1} characters fit")
    (keys, counts), *longer = _counts(sentences, characters, len(least))
    orders = [_single(keys, counts, len(characters))]
    for (keys, counts), often in zip(longer, least[1:], strict=True):
        orders.append(_longer(keys, counts, often, orders))
    return Ngrams(characters, tuple(orders))


def _counts(sentences: Iterable[str], characters: str, longest: int) -> list[tuple[Keys, Counts]]:
    """Sorted keys of the n-grams of each length, and how often they were met."""
    numbers = np.zeros(0x110000, dtype=np.uint64)
    for number, char in enumerate(characters, 1):
        numbers[ord(char)] = number
    none = (np.zeros(0, np.uint64), np.zeros(0, np.int64))
    met: list[tuple[Keys, Counts]] = [none] * longest
    for chunk in _chunks(sentences):
        codes = np.frombuffer(("\0" + "\0".join(chunk) + "\0").encode("utf-32-le"), np.uint32)
        stream = numbers[codes]
        stream = stream[(codes == 0) | (stream != EDGE)]
        streams = (stream[1:], *[stream] * longest)  # an edge a sentence: that at its end
        met = [_merge(table, _count(streams[length - 1], length)) for length, table in enumerate(met, 1)]
    if not any(met[0][0] != EDGE):
        raise ValueError("no sentence holds a known character: nothing to count")
    return met


def _chunks(sentences: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(sentences)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _count(stream: Keys, length: int) -> tuple[Keys, Counts]:
    """N-grams of ``length`` symbols in a stream; an edge stands at the beginning or the end of one, not within."""
    keys = stream[: max(len(stream) - length + 1, 0)].copy()
    said = np.ones(len(keys), dtype=bool)
    for n in range(1, length):
        part = stream[n : n + len(keys)]
        said &= (part != EDGE) | (n == length - 1)
        keys = keys << SYMBOL | part
    if length == 2:
        said &= keys != EDGE  # of two edges: nothing was said between them
    found, counts = np.unique(keys[said], return_counts=True)
    return found, counts.astype(np.int64)


def _merge(one: tuple[Keys, Counts], other: tuple[Keys, Counts]) -> tuple[Keys, Counts]:
    keys, places = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    return keys, np.bincount(places, np.concatenate([one[1], other[1]])).astype(np.int64)


def _single(keys: Keys, counts: Counts, characters: int) -> Order:
    """The edge and every character, with half a count more, so that none is impossible."""
    met = np.full(characters + 1, 0.5)
    met[keys.astype(np.intp)] += counts
    return Order(np.arange(characters + 1, dtype=np.uint64), np.log(met / met.sum()), np.zeros(characters + 1))


def _longer(keys: Keys, counts: Counts, least: int, shorter: Sequence[Order]) -> Order:
    """N-grams of the next length; the last of ``shorter`` learns what its n-grams give away."""
    histories, places = np.unique(keys >> SYMBOL, return_inverse=True)
    total, different = np.bincount(places, counts), np.bincount(places)
    kept = counts >= least
    if not kept.any():
        raise ValueError(f"nothing was met {least} times: give more sentences")
    own = np.where(kept, counts / (total + different)[places], 0.0)
    given = 1.0 - np.bincount(places, own)
    where, known = shorter[-1].find(histories)
    shorter[-1].back_off[where[known]] = np.log(given[known])
    below = Ngrams("", tuple(shorter)).score(last(keys, len(shorter)) >> SYMBOL, last(keys, 1))
    logs = np.log(own + given[places] * np.exp(below))
    return Order(keys[kept], logs[kept], np.zeros(int(kept.sum())))
