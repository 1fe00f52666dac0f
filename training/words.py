"""General vocabulary: words of a segmenter's dictionary, put where written sentences have words of their kind."""

from __future__ import annotations

import logging
import warnings
from bisect import bisect
from itertools import accumulate
from random import Random

KINDS = ("n", "v", "vn", "a", "d", "ns", "t", "i", "l", "an", "ad", "nz", "b", "z", "s", "f", "nt", "j", "o", "q", "c")
"""Parts of speech whose words may take each other's place."""

REPLACED = {"n", "v", "vn", "a", "ns", "nz", "t", "i", "l", "an", "ad", "b", "z", "s", "nt", "nr"}
KEPT = frozenset("是有在要到说给让把被请能会可以没不的了着过就还都也很想去来做看听问等好行对您你我他她它这那哪什么怎么")
FLATTEN = 0.7
"""Words are drawn by frequency to this power: rare ones must be met too."""

LEAST_FREQUENCY = 20


class Words:
    """The dictionary of jieba (MIT licence), by part of speech and length."""

    def __init__(self) -> None:
        with warnings.catch_warnings():  # its patterns are no raw strings, its way to its files is deprecated
            warnings.simplefilter("ignore")
            import jieba
            import jieba.posseg

        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
        self._cut = jieba.posseg.cut
        self._bins: dict[tuple[str, int], tuple[list[str], list[float]]] = {}
        common = set(level_one())
        found: dict[tuple[str, int], list[tuple[str, int]]] = {}
        with jieba.get_dict_file() as lines:
            for raw in lines:
                word, frequency, kind = raw.decode("utf-8").split()
                count = int(frequency)
                if count >= LEAST_FREQUENCY and kind in KINDS and len(word) <= 5 and set(word) <= common:
                    found.setdefault((kind, len(word)), []).append((word, count))
        for key, pairs in found.items():
            self._bins[key] = ([word for word, _ in pairs], list(accumulate(count**FLATTEN for _, count in pairs)))
        self._sizes = {key: sums[-1] for key, (_, sums) in self._bins.items()}

    def draw(self, kind: str, length: int, r: Random) -> str | None:
        """A word of a part of speech and length; None when there is none."""
        if (kind, length) not in self._bins:
            return None
        words, sums = self._bins[kind, length]
        return words[min(bisect(sums, r.random() * sums[-1]), len(words) - 1)]

    def vary(self, text: str, r: Random, *, share: float) -> str:
        """``text`` with this share of its content words exchanged for others of their kind."""
        out = []
        for pair in self._cut(text):
            word, kind = pair.word, pair.flag
            if kind in REPLACED and word not in KEPT and len(word) > 1 and r.random() < share:
                length = len(word) if r.random() < 0.8 else r.choice((2, 2, 3, 4))
                word = self.draw("ns" if kind == "nr" else kind, length, r) or word
            out.append(word)
        return "".join(out)

    def string(self, r: Random) -> str:
        """Two to seven words in no particular order, of the commoner kinds."""
        keys = [key for key in self._bins if key[1] > 1 and key[0] in REPLACED]
        weights = [self._sizes[key] for key in keys]
        chosen = r.choices(keys, weights, k=r.randint(1, 7))
        return "".join(self.draw(kind, length, r) or "" for kind, length in chosen)


def level_one() -> list[str]:
    """The 3,755 commonest characters, the first level of GB 2312."""
    return [
        bytes((row, cell)).decode("gb2312")
        for row in range(0xB0, 0xD8)
        for cell in range(0xA1, 0xFF)
        if not (row == 0xD7 and cell > 0xF9)
    ]
