"""What was spoken in a rendered call, as its truth says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.core.types import STEREO, Channel, Word


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance as it was rendered: seconds; ``spoken`` has each character and where it begins, ``pauses`` where
    nothing sounds within it; ``id`` is its item's in the dialogue."""

    channel: str
    text: str
    start: float
    end: float
    spoken: tuple[tuple[str, float], ...]
    pauses: tuple[tuple[float, float], ...] = ()
    id: str | None = None

    def characters(self) -> list[tuple[str, float, float]]:
        """Each character with its start and end, s: where the next one or a pause begins, the last with the voice."""
        limits = [*(at for _, at in self.spoken[1:]), self.end]
        return [
            (char, start, max(start, min((a for a, _ in self.pauses if start < a < limit), default=limit)))
            for (char, start), limit in zip(self.spoken, limits, strict=True)
        ]

    def words(self, rate: int) -> list[Word]:
        """The characters as somebody hears them who hears everything, at ``rate``."""
        return [Word(char, round(start * rate), round(end * rate)) for char, start, end in self.characters()]

    def part(self, words: str) -> tuple[float, float] | None:
        """Where the first of these characters begin and end, s; None where they were not said."""
        at = "".join(char for char, _ in self.spoken).find(words)
        if at < 0 or not words:
            return None
        chars = self.characters()
        return chars[at][1], chars[at + len(words) - 1][2]

    def moved(self, by: float) -> Said:
        """The same, ``by`` seconds later."""
        return replace(
            self,
            start=self.start + by,
            end=self.end + by,
            spoken=tuple((char, at + by) for char, at in self.spoken),
            pauses=tuple((start + by, end + by) for start, end in self.pauses),
        )


def said_of(utterances: Sequence[dict[str, Any]]) -> tuple[Said, ...]:
    """The utterances of a truth file."""
    return tuple(_said(entry) for entry in utterances)


def words_of(said: Iterable[Said], rate: int) -> dict[Channel, list[Word]]:
    """What a recogniser that hears every character hears on each channel."""
    return {c: [w for one in said if one.channel == c.value for w in one.words(rate)] for c in STEREO}


def _said(entry: dict[str, Any]) -> Said:
    spoken = tuple((str(char), float(at)) for char, at in entry["spoken"])
    pauses = tuple((float(start), float(end)) for start, end in entry.get("pauses", ()))
    return Said(entry["channel"], entry["text"], entry["start"], entry["end"], spoken, pauses, entry.get("id"))
