"""Chooses between characters that a model hears alike, by what people write: a search over its candidates with a
language model. Small models hear syllables well and guess at the character, so the sound is held on to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from monitor.asr.ngrams import EDGE, Keys, Ngrams, Numbers
from monitor.core.fold import readings

CANDIDATES = 40
"""Characters looked at for one place, at most."""

HOPELESS = 10.0
"""Below the most probable one by so much (natural logarithm), a character is not looked at."""

WIDTH = 10
"""Ways of writing that are followed at a time."""

OTHER_SOUND = 3.0
"""Taken off the log probability of a character that sounds unlike the most probable one. Without, what people write
often outweighs what was said (measured: a quarter more syllables wrong in wordings that nobody has written)."""


@dataclass(frozen=True, slots=True)
class Speller:
    """``tokens`` are the model's, ``symbols`` their numbers in ``ngrams``: EDGE for those that are no character.

    ``weight`` is that of the language model's logarithms, the model's own having 1.
    """

    ngrams: Ngrams
    tokens: Sequence[str]
    symbols: Keys
    weight: float

    def respell(self, tokens: Sequence[int], logits: Sequence[npt.NDArray[np.float32]]) -> list[int]:
        """The tokens with other characters where those are more probable; everything else stays.

        ``logits`` of shape (vocabulary,) are the model's for each token, before the softmax.
        """
        histories, scores = np.zeros(1, np.uint64), np.zeros(1)
        steps: list[tuple[int, npt.NDArray[np.intp], npt.NDArray[np.intp]]] = []
        for place, (token, row) in enumerate(zip(tokens, logits, strict=False)):
            if self.symbols[token] == EDGE:
                continue
            candidates, heard = self._candidates(row)
            symbols = np.broadcast_to(self.symbols[candidates], (len(scores), len(candidates)))
            before = np.broadcast_to(histories[:, None], symbols.shape)
            total = scores[:, None] + heard + self.weight * self.ngrams.score(before, symbols)
            best = _best(total.ravel(), after := self.ngrams.after(before, symbols).ravel())
            histories, scores = after[best], total.ravel()[best]
            steps.append((place, best // len(candidates), candidates[best % len(candidates)]))
        last = scores + self.weight * self.ngrams.score(histories, np.full(len(histories), EDGE, np.uint64))
        return _trace(list(tokens), steps, int(last.argmax()))

    def _candidates(self, row: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.intp], Numbers]:
        """The most probable characters and the natural logarithms of their probabilities, less for other sounds."""
        logs = row - row.max()
        logs -= np.log(np.exp(logs).sum())
        logs[self.symbols == EDGE] = -np.inf
        best = int(logs.argmax())
        found = np.flatnonzero(logs > logs[best] - HOPELESS)
        if len(found) > CANDIDATES:
            found = found[np.argpartition(-logs[found], CANDIDATES)[:CANDIDATES]]
        alike = [_alike(self.tokens[best], self.tokens[token]) for token in found.tolist()]
        return found, logs[found].astype(np.float64) - np.where(alike, 0.0, OTHER_SOUND)


@lru_cache(maxsize=1 << 16)
def _alike(one: str, other: str) -> bool:
    """Whether two characters can be the same toneless syllable."""
    return one == other or not set(readings(one)).isdisjoint(readings(other))


def _best(scores: Numbers, histories: Keys) -> npt.NDArray[np.intp]:
    """Places of the best ``WIDTH``, one for each history."""
    order = np.argsort(-scores, kind="stable")
    _, firsts = np.unique(histories[order], return_index=True)
    return order[np.sort(firsts)[:WIDTH]]


def _trace(
    tokens: list[int], steps: Sequence[tuple[int, npt.NDArray[np.intp], npt.NDArray[np.intp]]], at: int
) -> list[int]:
    for place, came_from, chosen in reversed(steps):
        tokens[place] = int(chosen[at])
        at = int(came_from[at])
    return tokens
