"""Sentences put together from recorded human words and syllables.

The recordings are spoken one by one and slowly: here they are compressed to a fluent pace, and given the pitch,
energy and rhythm of a sentence.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import soxr
from pypinyin import Style as Reading
from pypinyin import lazy_pinyin, pinyin

from monitor.render.espeak import is_han
from training.features import RATE, Signal
from training.recordings import Recordings
from training.speech import Sentence, placed
from training.stretch import stretch

_LONGEST = 5
_SLOWEST, _FASTEST = 0.75, 3.2
"""How far a recording is stretched or squeezed at most."""

_STRANGERS = 0.15
"""Largest share of a sentence that the words' speaker may lack; beyond it the syllables' speaker says it all."""

_NEUTRAL_INSTEAD = "4123"
"""Tones that stand for the neutral one, shortened."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A recording in its place: characters first..first + count of the spoken ones; ``weight`` scales its length;
    ``pause`` says that a punctuation mark follows."""

    place: tuple[int, int]
    first: int
    count: int
    weight: float
    pause: bool


@dataclass(frozen=True, slots=True)
class Style:
    """How a sentence is told: the recordings, the pace in characters a minute without pauses, the factor of pitch
    and formants, how much the pitch falls over a sentence (a share), and the level (dB)."""

    voice: str
    pace: float
    shift: float
    fall: float
    drop: float


def draw_style(draw: random.Random) -> Style:
    """Drawn: either speaker, any pace from slow to fast."""
    return Style(
        draw.choice(("words", "syllables")),
        draw.triangular(150, 300, 225),
        draw.uniform(0.82, 1.18),
        draw.uniform(0.0, 0.08),
        draw.uniform(0.0, 5.0),
    )


class Teller:
    """Says sentences with the recordings' voices."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    @cached_property
    def _by_sound(self) -> dict[str, list[str]]:
        """Single recorded characters by their toned reading: one stands for its homophones."""
        found: dict[str, list[str]] = {}
        for word in self._recordings.words:
            if len(word) == 1 and len(_readings(word)) == 1:
                found.setdefault(_readings(word)[0], []).append(word)
        return found

    def say(self, text: str, style: Style, draw: random.Random) -> Sentence | None:
        """Speak ``text`` at 16 kHz. None where a syllable was never recorded, or too many by the words' speaker."""
        units = self._in_words(text, draw) if style.voice == "words" else self._in_syllables(text)
        return self._joined(text, units, style, draw) if units else None

    def _in_words(self, text: str, draw: random.Random) -> list[_Unit] | None:
        units: list[_Unit] = []
        strangers = spoken = 0
        readings = _toned(text)
        position = 0
        while position < len(text):
            if not is_han(text[position]):
                position += 1
                continue
            word, place, strange = self._word_at(text, position, readings, draw)
            if place is None:
                return None
            after = position + len(word)
            strangers += strange
            weight = 0.75 if len(word) == 1 and readings[position].endswith("5") else 1.0
            units.append(_Unit(place, spoken, len(word), weight, after < len(text) and not is_han(text[after])))
            spoken += len(word)
            position = after
        return None if strangers > _STRANGERS * spoken else units

    def _word_at(
        self, text: str, position: int, readings: list[str], draw: random.Random
    ) -> tuple[str, tuple[int, int] | None, bool]:
        """The longest recorded word here, its recording, and whether the other speaker has to say it."""
        words = self._recordings.words
        for length in range(_LONGEST, 1, -1):
            word = text[position : position + length]
            if len(word) == length and word in words:
                return word, words[word], False
        char, reading = text[position], readings[position]
        # a recorded character is taken only where its usual reading is meant here
        if char in words and _readings(char)[0] == reading:
            return char, words[char], False
        if alike := self._by_sound.get(reading):
            return char, words[draw.choice(alike)], False
        return char, self._syllable(reading), True

    def _syllable(self, reading: str) -> tuple[int, int] | None:
        syllables = self._recordings.syllables
        if reading[-1] != "5":
            return syllables.get(reading)
        return next((syllables[reading[:-1] + t] for t in _NEUTRAL_INSTEAD if reading[:-1] + t in syllables), None)

    def _in_syllables(self, text: str) -> list[_Unit] | None:
        units: list[_Unit] = []
        for position, reading in enumerate(_toned(text)):
            if is_han(text[position]):
                place = self._syllable(reading)
                if place is None:
                    return None
                pause = position + 1 < len(text) and not is_han(text[position + 1])
                units.append(_Unit(place, len(units), 1, 0.7 if reading.endswith("5") else 1.0, pause))
        return units

    def _joined(self, text: str, units: list[_Unit], style: Style, draw: random.Random) -> Sentence:
        """The units at a fluent pace, one flowing into the next."""
        clips = [self._recordings.clip(unit.place) for unit in units]
        count = sum(unit.count for unit in units)
        # between the recorded durations and one duration for every character
        shares = [unit.weight * (clip.size * unit.count) ** 0.5 for clip, unit in zip(clips, units, strict=True)]
        a_share = count * 60.0 / style.pace * RATE / sum(shares)
        parts = _Joiner()
        times: list[tuple[float, float]] = []
        for number, (clip, unit, share) in enumerate(zip(clips, units, shares, strict=True)):
            along = number / max(len(units) - 1, 1)
            pitch = style.shift * (1 + style.fall * (0.5 - along)) * draw.uniform(0.985, 1.015)
            last = unit.pause or number == len(units) - 1
            wanted = share * a_share * draw.uniform(0.9, 1.12) * (1.15 if last else 1.0)
            rate = min(max(clip.size / wanted, _SLOWEST), _FASTEST)
            clip = soxr.resample(clip, RATE * pitch, RATE, quality="LQ") if abs(pitch - 1) > 0.002 else clip
            clip = stretch(clip, rate / pitch)
            gain = 10 ** ((-style.drop * along + draw.uniform(-2.0, 2.0)) / 20)
            start, end = parts.add(clip * np.float32(gain), round(draw.uniform(0.010, 0.025) * RATE))
            each = (end - start) / unit.count / RATE
            times += [(start / RATE + each * k, start / RATE + each * (k + 1)) for k in range(unit.count)]
            if unit.pause and number < len(units) - 1:
                parts.rest(round(draw.uniform(0.08, 0.45) * RATE))
        samples = parts.samples()
        return Sentence(samples, RATE, placed(text, _in_order(times), samples.size / RATE))


def _in_order(times: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Let a character end where the next begins, where cross-fades made them overlap."""
    starts = [start for start, _ in times[1:]] + [times[-1][1]]
    return [(start, min(end, after)) for (start, end), after in zip(times, starts, strict=True)]


def _toned(text: str) -> list[str]:
    """The toned reading of every character; punctuation stands for itself."""
    # a list gives every mark an entry of its own, as the library documents and its types do not
    errors: Any = list
    return lazy_pinyin(text, style=Reading.TONE3, neutral_tone_with_five=True, tone_sandhi=True, errors=errors)


_READINGS: dict[str, list[str]] = {}


def _readings(char: str) -> list[str]:
    """All readings of a character, the usual one first."""
    if char not in _READINGS:
        _READINGS[char] = pinyin(char, style=Reading.TONE3, heteronym=True, neutral_tone_with_five=True)[0]
    return _READINGS[char]


class _Joiner:
    """Puts clips one after another with cross-fades."""

    def __init__(self) -> None:
        self._parts: list[Signal] = []
        self._size = 0
        self._joins = False

    def add(self, clip: Signal, fade: int) -> tuple[int, int]:
        """Append ``clip``, its edges faded over ``fade`` samples, the first into the end of what is there unless a
        rest lies between. Returns where it lies."""
        fade = min(fade, clip.size // 2)
        ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
        clip = clip.copy()
        clip[:fade] *= ramp
        clip[clip.size - fade :] *= ramp[::-1]
        overlap = min(fade, self._parts[-1].size) if self._joins else 0
        if overlap:
            self._parts[-1][self._parts[-1].size - overlap :] += clip[:overlap]
        start = self._size - overlap
        self._parts.append(clip[overlap:])
        self._size = start + clip.size
        self._joins = True
        return start, self._size

    def rest(self, count: int) -> None:
        """Append silence."""
        self._parts.append(np.zeros(count, dtype=np.float32))
        self._size += count
        self._joins = False

    def samples(self) -> Signal:
        """Everything so far."""
        return np.concatenate(self._parts)
