"""Numbers that somebody dictates: digits said in a row, whatever the form in which they are spoken."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.core.derive import Context, Deriver
from monitor.core.fold import NUMERALS, digits
from monitor.core.rulebook import LEAST_DIGITS, Happening, Occurrence
from monitor.core.spoken import Char, characters
from monitor.core.types import Channel, Evidence, Match

PAUSE_SECONDS = 2.0
"""Digits further apart belong to two numbers."""

HESITATIONS = frozenset("嗯呃啊哦唔额")
"""What a speaker says between two digits without ending the number."""


@dataclass(slots=True)
class _Run:
    chars: list[Char] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)


class Numbers(Deriver):
    """Gives out a number once it is over: with the party's next word that is none of it, or when `PAUSE_SECONDS` have
    passed since its last digit. What the other party says meanwhile makes no difference.

    The value is how many digits there are, the slot says them as 0-9. ``since`` tells others who is saying one.
    """

    def __init__(self, context: Context, since: dict[Channel, int]) -> None:
        super().__init__(context)
        self._since = since
        self._pause = context.samples(PAUSE_SECONDS)
        self._runs: dict[Channel, _Run] = {}
        self._speaking: dict[Channel, int] = {}

    def see(self, seen: Occurrence) -> None:
        if seen.by is None:
            return
        if seen.name == Happening.WORDS:
            self._words(seen.by, seen)
        elif seen.name == Happening.SPEECH_START:
            self._speaking[seen.by] = seen.start
        elif seen.name == Happening.SPEECH_END:
            self._speaking.pop(seen.by, None)
            if seen.by in self._runs:
                self._over_if_quiet(seen.by)

    def _words(self, by: Channel, heard: Occurrence) -> None:
        for word in heard.words:
            for char in characters((word,), heard.start, heard.end):
                if char.folded in NUMERALS:
                    self._digit(by, char, word.confidence)
                elif char.folded not in HESITATIONS and by in self._runs:
                    self._over(by)
        if by in self._runs:
            self._wake(by)

    def _digit(self, by: Channel, char: Char, confidence: float) -> None:
        run = self._runs.get(by)
        if run and char.start - run.chars[-1].end > self._pause:
            self._over(by)
            run = None
        if run is None:
            run = self._runs[by] = _Run()
            self._since[by] = char.start
        run.chars.append(char)
        run.confidence.append(confidence)

    def _wake(self, by: Channel) -> None:
        run = self._runs[by]
        last = run.chars[-1]
        at = last.end + self._pause + 1

        def call(_: int) -> None:
            if self._runs.get(by) is run and run.chars[-1] is last:
                self._over_if_quiet(by)

        self.c.stream.wake(at, "number", call)

    def _over_if_quiet(self, by: Channel) -> None:
        """End a number whose pause is over, unless its speaker began again in time: then the words will tell."""
        until = self._runs[by].chars[-1].end + self._pause
        if self._speaking.get(by, until + 1) > until and self.c.stream.position > until:
            self._over(by)

    def _over(self, by: Channel) -> None:
        run = self._runs.pop(by)
        self._since.pop(by, None)
        said = digits("".join(c.folded for c in run.chars))
        if len(said) < LEAST_DIGITS:
            return
        start, end = run.chars[0].start, run.chars[-1].end
        text = "".join(c.shown for c in run.chars)
        score = sum(run.confidence) / len(run.confidence)
        proof = (Evidence(by, text, start, end, Match.EXACT),)
        value, now = float(len(said)), self.c.stream.position
        self.c.emit(
            Occurrence(Happening.NUMBER, by, start, end, now, value, score=score, evidence=proof, slots=(said,))
        )

    def close(self, end: int) -> None:
        for by in list(self._runs):
            self._over(by)
