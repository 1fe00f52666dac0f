"""Which barge-ins are interruptions: the words decide."""

from __future__ import annotations

import re
from collections import deque

from monitor.core.derive import Context, Deriver
from monitor.core.fold import fold
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Evidence, Match, Quality


class Interruptions(Deriver):
    """A barge-in becomes an interruption when the agent said at least four characters and not only listening words.

    Without a recogniser the audio alone decides, and the quality says so.
    """

    LEAST_CHARACTERS = 4

    def __init__(self, context: Context, listening: frozenset[str], *, words: bool) -> None:
        super().__init__(context)
        words_of_listeners = sorted((re.escape(fold(w)) for w in listening), key=len, reverse=True)
        self._only_listening = re.compile(f"(?:{'|'.join(words_of_listeners)})*")
        self._has_words = words
        self._waiting: list[Occurrence] = []
        self._heard: deque[Occurrence] = deque(maxlen=4)

    def see(self, seen: Occurrence) -> None:
        if seen.name == Happening.BARGE_IN:
            self._waiting.append(seen)
        elif seen.by is not None and seen.name == Happening.WORDS:
            self._heard.append(seen)
        elif seen.name != Happening.SPEECH_END:
            return
        for barge in list(self._waiting):
            ended = seen.name == Happening.SPEECH_END and seen.by is barge.by
            if not self._has_words or ended or self._said(barge):
                self._waiting.remove(barge)
                self._decide(barge)

    def _said(self, barge: Occurrence) -> str:
        text = ""
        for heard in self._heard:
            if heard.by is barge.by:
                text += "".join(fold(w.text) for w in heard.words if w.end > barge.start)
        return text if len(text) >= self.LEAST_CHARACTERS else ""

    def _decide(self, barge: Occurrence) -> None:
        text = self._said(barge)
        quality = Quality.EXACT if self._has_words else Quality.INFERRED
        if self._has_words and not any(h.by is barge.by and h.end > barge.start for h in self._heard):
            quality = Quality.UNKNOWN  # what was said was never recognised
        elif self._has_words and (not text or self._only_listening.fullmatch(text)):
            return
        now = self.c.stream.position
        proof = (Evidence(barge.by, text[:20], barge.start, barge.end, Match.EXACT),) if text and barge.by else ()
        self.c.emit(
            Occurrence(
                Happening.INTERRUPTION, barge.by, barge.start, barge.end, now, barge.value, quality, evidence=proof
            )
        )

    def close(self, end: int) -> None:
        for barge in self._waiting:
            self._decide(barge)
        self._waiting.clear()
