"""From a model's tokens and their alignment with the audio to words with times.

Seconds count from the start of the stretch that was heard.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.asr.audio import FRAME_SECONDS

SHORTEST = 0.04
"""No word is shorter than this (s)."""

CLOSURE = 0.1
"""A silence up to this length (s) lies within a syllable: the closure of a stop, a dip between two vowels."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A word from ``start`` to ``end`` in seconds, ``confidence`` 0..1."""

    text: str
    start: float
    end: float
    confidence: float


def token_edges(alignment: Sequence[tuple[int, int]], tokens: int, frame: float) -> list[float]:
    """Where each token starts, and where the last one ends: ``tokens`` + 1 times in seconds, in order.

    ``alignment`` is the path of (token, frame) pairs, frames of ``frame`` seconds (20 ms in most models of this
    form); token number ``tokens`` is the end mark.
    """
    first: dict[int, int] = {}
    for token, place in alignment:
        first.setdefault(token, place)
    last = max((place for _, place in alignment), default=0) + 1
    edges: list[float] = []
    for token in range(tokens, -1, -1):
        last = min(last, first.get(token, last))
        edges.append(last * frame)
    return edges[::-1]


def characters(
    units: Iterable[tuple[str, int]], edges: Sequence[float], probabilities: Sequence[float]
) -> Iterator[Timed]:
    """Single characters with their times. ``units`` are (text, number of tokens), as the tokens decode."""
    at = 0
    for text, count in units:
        start, end = edges[at], edges[at + count]
        sure = min(probabilities[at : at + count], default=1.0)
        step = (end - start) / max(len(text), 1)
        for n, char in enumerate(text):
            yield Timed(char, start + n * step, start + (n + 1) * step, sure)
        at += count


def words(chars: Iterable[Timed]) -> list[Timed]:
    """Words: a Han character each, or a run of letters and digits; punctuation joins the word before it."""
    found: list[Timed] = []
    joined = False  # may the next letter or digit continue the last word?
    for char in chars:
        if char.text.isspace() or not char.text.isprintable() or char.text == "\ufffd":
            joined = False
        elif not _spoken(char.text):
            joined = joined and char.text in ".%-'"
            if found:
                found[-1] = replace(found[-1], text=found[-1].text + char.text)
        elif joined and _latin(char.text):
            last = found[-1]
            sure = min(last.confidence, char.confidence)
            found[-1] = Timed(last.text + char.text, last.start, char.end, sure)
        else:
            found.append(char)
            joined = _latin(char.text)
    return found


def _spoken(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM" or char in "%％℃"


def _latin(char: str) -> bool:
    return char.isascii() or unicodedata.name(char, "").startswith("FULLWIDTH ")


def loud_frames(level: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which 20 ms frames (levels in dBFS) are well above the noise of their stretch."""
    if len(level) == 0:
        return np.zeros(0, dtype=np.bool_)
    peak, floor = float(level.max()), float(np.percentile(level, 10))
    return level >= min(max(floor + 8.0, peak - 35.0), peak - 20.0)


def settle(timed: Sequence[Timed], loud: npt.NDArray[np.bool_], bias: float) -> list[Timed]:
    """Words moved by ``bias`` seconds and cut to where something sounds, in order and inside the stretch.

    Attention gives a pause to the word before or after it; the level of the audio tells where it belongs.
    """
    total = len(loud) * FRAME_SECONDS
    placed: list[Timed] = []
    at = 0.0
    for n, word in enumerate(timed):
        room = max(total - SHORTEST * (len(timed) - n), 0.0)
        start = min(max(word.start + bias if n else 0.0, at), room)
        end = min(max(word.end + bias, start + SHORTEST), total)
        start, end = _sounding(start, end, loud)
        start = max(at, start)
        placed.append(replace(word, start=start, end=max(start, end)))
        at = placed[-1].end
    return placed


def _sounding(start: float, end: float, loud: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """The longest stretch of ``start``..``end`` with sound in it, or all of it when that is too short."""
    first, last = int(start / FRAME_SECONDS), int(np.ceil(end / FRAME_SECONDS))
    runs: list[list[int]] = []
    for frame in np.flatnonzero(loud[first:last]) + first:
        if runs and (frame - runs[-1][1]) * FRAME_SECONDS <= CLOSURE:
            runs[-1][1] = int(frame) + 1
        else:
            runs.append([int(frame), int(frame) + 1])
    if not runs:
        return start, end
    left, right = max(runs, key=lambda run: run[1] - run[0])
    begin, stop = max(start, left * FRAME_SECONDS), min(end, right * FRAME_SECONDS)
    return (begin, stop) if stop - begin >= SHORTEST else (start, end)
