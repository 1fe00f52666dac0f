"""An engine that says what it is told, for tests and demonstrations without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.core.types import AsrRequest, Channel, Hypothesis, Word


def spoken(text: str, start: int, end: int, confidence: float = 1.0) -> tuple[Word, ...]:
    """``text`` as words of one character each, spread evenly over ``start``..``end`` (samples)."""
    edges = [start + (end - start) * n // max(len(text), 1) for n in range(len(text) + 1)]
    return tuple(
        Word(char, left, right, confidence) for char, left, right in zip(text, edges[:-1], edges[1:], strict=True)
    )


@dataclass(slots=True)
class Scripted:
    """Answers a request with the words of its channel whose midpoints lie in it, clipped to it.

    ``failures`` maps request ids to reasons: those requests fail. ``asked`` keeps all requests that came.
    """

    words: Mapping[Channel, Sequence[Word]]
    failures: Mapping[int, str] = field(default_factory=dict)
    name: str = "scripted"
    rate: int = 16000
    batch: int = 16
    asked: list[AsrRequest] = field(default_factory=list)

    def load(self) -> None:
        """Nothing to load."""

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """See ``Engine.recognise``."""
        self.asked.extend(requests)
        return [self._answer(request) for request in requests]

    def _answer(self, request: AsrRequest) -> Hypothesis:
        if reason := self.failures.get(request.id):
            return Hypothesis(request.id, (), failed=reason)
        heard = (
            replace(word, start=max(word.start, request.start), end=min(word.end, request.end))
            for word in self.words.get(request.channel, ())
            if request.start <= (word.start + word.end) // 2 < request.end
        )
        return Hypothesis(request.id, tuple(heard))
