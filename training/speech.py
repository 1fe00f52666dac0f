"""Sentences spoken by espeak-ng: samples and the time of every character."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import soxr

from monitor.render.espeak import EspeakError, Speaker, Spoken, is_han
from training.features import RATE, Signal
from training.voices import Cast

TRAINING_VOICES = (
    "f1", "f2", "f3", "f5", "m1", "m2", "m3", "m4", "m5", "m7", "m8", "Alicia", "Andrea", "Andy", "Annie", "adam",
    "antonio", "aunty", "belinda", "david", "ed", "edward", "iven", "iven2", "iven3", "john", "linda", "marcelo",
    "max", "michel", "miguel", "paul", "pedro", "quincy", "rob", "robert", "steph", "steph2", "zac", "Diogo", "Gene",
    "Hugo", "Jacky", "Lee", "Marco", "Michael",
)  # fmt: skip
HELD_OUT_VOICES = ("f4", "m6", "benjamin", "anika")
"""Never trained on: evaluation only."""

_PLAIN = 11
_PLAIN_WEIGHT = 4
"""The first voices of the training list, f1..m8, sound most natural and are drawn more often."""

_TAIL = 0.05
_MARK = 0.06
"""Most seconds that a punctuation mark is given, of the pause that follows it."""

Timed = tuple[str, float, float]
"""A character of the text, punctuation too, with start and end in seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """Samples in -1..1 of shape (n,) at ``rate``, from the first to the last sound, and every character in order."""

    samples: Signal
    rate: int
    characters: tuple[Timed, ...]

    @property
    def pace(self) -> float:
        """Characters a minute, pauses left out."""
        times = [end - start for char, start, end in self.characters if is_han(char)]
        return 60.0 * len(times) / sum(times)

    def resampled(self, rate: int, speed: float = 1.0) -> Sentence:
        """At another rate; ``speed`` above 1 plays it faster, with pitch and formants raised alike."""
        if rate == self.rate and speed == 1.0:
            return self
        samples = soxr.resample(self.samples, self.rate * speed, rate, quality="MQ")
        characters = tuple((char, start / speed, end / speed) for char, start, end in self.characters)
        return Sentence(samples.astype(np.float32, copy=False), rate, characters)


@dataclass(frozen=True, slots=True)
class Manner:
    """How one party speaks: espeak variant, speed (espeak's own words a minute), pitch and its range (0..99), and
    the factor by which the sound is played faster."""

    variant: str
    wpm: int
    pitch: int
    pitch_range: int
    speed: float


def draw_manner(draw: random.Random, voices: tuple[str, ...], cast: Cast | None = None) -> Manner:
    """A voice and how it speaks, drawn; of the ``cast`` for its share. Those bring a pitch of their own, which is
    moved less."""
    if cast is not None and draw.random() < cast.share:
        pitch, voice = draw.randint(30, 70), draw.choice(cast.names)
    else:
        pitch = draw.randint(15, 90)
        weights = [_PLAIN_WEIGHT if voice in TRAINING_VOICES[:_PLAIN] else 1 for voice in voices]
        voice = draw.choices(voices, weights)[0]
    return Manner(
        voice,
        round(draw.triangular(110, 330, 190)),
        pitch,
        min(draw.randint(20, 85), max(50, pitch)),  # a deep voice with a wide range would fall below what is a voice
        draw.uniform(0.92, 1.08),
    )


def say(speaker: Speaker, text: str, manner: Manner) -> Sentence | None:
    """Speak ``text`` at 16 kHz; None where espeak cannot read it or gives no time for a character."""
    try:
        spoken = speaker.speak(
            text, variant=manner.variant, wpm=manner.wpm, pitch=manner.pitch, pitch_range=manner.pitch_range
        )
    except EspeakError:
        return None
    if not spoken.characters:
        return None
    return timed(text, spoken).resampled(RATE, manner.speed)


def timed(text: str, spoken: Spoken) -> Sentence:
    """Cut the silence around the sentence away and give every character its time, at espeak's own rate."""
    first = spoken.characters[0][1]
    last = min(spoken.samples.size, spoken.ends[-1] + round(_TAIL * spoken.rate))
    times = [
        ((start - first) / spoken.rate, (end - first) / spoken.rate)
        for (_, start), end in zip(spoken.characters, spoken.ends, strict=True)
    ]
    samples = spoken.samples[first:last].astype(np.float32)
    return Sentence(samples, spoken.rate, placed(text, times, samples.size / spoken.rate))


def placed(text: str, times: list[tuple[float, float]], seconds: float) -> tuple[Timed, ...]:
    """The characters of the text with the ``times`` of the Han characters; punctuation comes right after the one
    before it and takes a little of the pause."""
    result: list[Timed] = []
    index = 0
    end = 0.0
    for char in text:
        if is_han(char):
            start, end = times[index]
            index += 1
        else:
            start, pause = end, times[index][0] if index < len(times) else seconds
            end = start + min(max(pause - start, 0.0), _MARK)
        result.append((char, start, end))
    return tuple(result)
