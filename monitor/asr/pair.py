"""Two engines as the two ears, and how what both heard becomes one answer. No threads and no clock in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from monitor.asr.protocol import Engine
from monitor.asr.worker import answer
from monitor.core.fold import fold
from monitor.core.types import AsrRequest, Ear, Hypothesis, Word

DOUBT_OF_BOTH = 0.1
"""What is left of the careful ear's doubt of a word when the fast one wrote the same. Of characters in spoken proof
calls to which the careful ear gave less than 0.5, nine in ten were right then, and a third where the two differed."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of the two seats; one of them may be empty. Raises ``ValueError`` when both are.

    The fast ear hears speech while it lasts, and each finished segment; the careful one each finished segment. An ear
    that is alone does all of it.
    """

    fast: Engine | None = None
    careful: Engine | None = None

    def __post_init__(self) -> None:
        if self.fast is None and self.careful is None:
            raise ValueError("give at least one ear")

    @property
    def present(self) -> tuple[Engine, ...]:
        """The engines there are, the fast one first."""
        return tuple(engine for engine in (self.fast, self.careful) if engine is not None)

    @property
    def name(self) -> str:
        """Shown to people and written into journals and reports: ``zh-fast + zh-careful``."""
        return " + ".join(engine.name for engine in self.present)

    def load(self) -> None:
        """Make all ready. Raises ``ModelError``."""
        for engine in self.present:
            engine.load()

    def answer(self, requests: Sequence[AsrRequest], *, call_id: str = "") -> list[Hypothesis]:
        """Answers drained requests of a call at once, for replaying a recording; in the order of the requests.

        What there are two ears for is heard by both, however long it takes.
        """
        if self.fast is None or self.careful is None:
            return [marked(heard, Ear.ONLY) for heard in answer(self.present[0], requests, call_id=call_id)]
        fast = answer(self.fast, requests, call_id=call_id)
        careful = {heard.request: heard for heard in answer(self.careful, requests, partials=False, call_id=call_id)}
        return [
            joined(heard, careful[request.id]) if request.final else marked(heard, Ear.FAST)
            for request, heard in zip(requests, fast, strict=True)
        ]


def marked(heard: Hypothesis, ear: Ear) -> Hypothesis:
    """What one ear heard, and that nobody else did."""
    return replace(heard, ear=ear, other=None)


def joined(fast: Hypothesis | None, careful: Hypothesis | None) -> Hypothesis:
    """The answer to a final from what either ear heard; None for an ear that is not waited for.

    The careful ear decides; where it failed or is missing the fast one does, and the answer says so.
    """
    if careful is None or (careful.failed and fast is not None and not fast.failed):
        if fast is None:
            raise ValueError("nobody has heard anything yet")
        return marked(fast, Ear.FAST)
    if fast is None or fast.failed:
        return replace(careful, ear=Ear.CAREFUL, other=None)
    return replace(careful, words=_agreed(careful.words, fast.words), ear=Ear.CAREFUL, other=fast.words)


def _agreed(words: Sequence[Word], other: Sequence[Word]) -> tuple[Word, ...]:
    """The words, surer where the other ear wrote the same characters."""
    mine, others = ([fold(word.text) for word in some] for some in (words, other))
    blocks = SequenceMatcher(None, "".join(mine), "".join(others), autojunk=False).get_matching_blocks()
    same = {at for block in blocks for at in range(block.a, block.a + block.size)}
    found: list[Word] = []
    at = 0
    for word, text in zip(words, mine, strict=True):
        if text and same.issuperset(range(at, at + len(text))):
            word = replace(word, confidence=1 - DOUBT_OF_BOTH * (1 - word.confidence))
        found.append(word)
        at += len(text)
    return tuple(found)
