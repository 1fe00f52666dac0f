"""The policy of whisper_streaming (Macháček, Dabre, Bojar: Turning Whisper into Real-Time Transcription System, 2023),
written plainly, to be held against: the whole buffer is heard again every second, what two successive passes agree
on is confirmed, and the buffer is cut behind what is confirmed once it is longer than 15 s.

What differs is in its favour: the last pass of a stretch hears all of its audio, a buffer in which nothing is said is
not kept beyond 30 s, and words count as heard twice only where they overlap (within a second, as there, 谢谢 would
often be one 谢). The text before the buffer is not given as a prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from monitor.core.types import Samples, Word

EVERY = 1.0
"""Seconds of new audio between two passes."""

TRIM = 15.0
"""Seconds beyond which the buffer is cut behind the last confirmed sentence."""

WINDOW = 30.0
"""Seconds that a pass can take."""

BACK = 0.1
"""Seconds before the end of the last confirmed word at which the next one may begin."""

LONGEST_TWICE = 5
"""Up to so many words that were heard twice at the end of the confirmed ones are dropped."""

SENTENCE_ENDS = "。？！.?!"

Hear = Callable[[Samples, int], Sequence[Word]]
"""Recognises (n,) samples that begin at a position; words in positions of the call."""


class Streaming:
    """One channel. Each call returns the words that were confirmed by it."""

    def __init__(self, hear: Hear, rate: int) -> None:
        self._hear, self._rate = hear, rate
        self._start = 0
        self._buffer: Samples = np.zeros(0, np.int16)
        self._new = 0
        self._confirmed: list[Word] = []
        self._pending: Sequence[Word] = ()

    @property
    def end(self) -> int:
        """The position up to which audio has come."""
        return self._start + len(self._buffer)

    @property
    def seconds(self) -> float:
        """Length of the buffer."""
        return len(self._buffer) / self._rate

    def begin(self, position: int) -> None:
        """Audio goes on at ``position``; what was before has been finished."""
        self._start, self._buffer, self._new = position, np.zeros(0, np.int16), 0
        self._pending = ()

    def feed(self, samples: Samples) -> Sequence[Word]:
        """More audio; a pass when a second of it has come."""
        self._buffer = np.concatenate((self._buffer, samples))
        self._new += len(samples)
        if self._new < EVERY * self._rate:
            return ()
        self._new = 0
        heard = self._fresh(self._hear(self._buffer, self._start))
        count = 0
        while count < min(len(heard), len(self._pending)) and heard[count].text == self._pending[count].text:
            count += 1
        self._confirmed += heard[:count]
        self._pending = heard[count:]
        self._trim()
        return heard[:count]

    def finish(self) -> Sequence[Word]:
        """No more audio in this stretch: one last pass, all of which counts."""
        heard = self._fresh(self._hear(self._buffer, self._start)) if self._new else self._pending
        self._confirmed += heard
        self.begin(self.end)
        return heard

    def _fresh(self, words: Sequence[Word]) -> Sequence[Word]:
        """Those words that are not confirmed yet."""
        if not self._confirmed:
            return words
        last = self._confirmed[-1].end
        fresh = [word for word in words if word.start > last - BACK * self._rate]
        if fresh and fresh[0].start < last:
            for count in range(1, min(LONGEST_TWICE, len(fresh), len(self._confirmed)) + 1):
                if [w.text for w in self._confirmed[-count:]] == [w.text for w in fresh[:count]]:
                    return fresh[count:]
        return fresh

    def _trim(self) -> None:
        if self.seconds <= TRIM:
            return
        inside = [word for word in self._confirmed if word.end > self._start]
        ends = [word.end for word in inside if word.text[-1:] in SENTENCE_ENDS]
        place = ends[-1] if ends else inside[-1].end if inside else None
        if place is None:
            if self.seconds <= WINDOW - EVERY:
                return
            place = self.end - round(TRIM * self._rate)
        self._buffer = self._buffer[place - self._start :]
        self._start = place
