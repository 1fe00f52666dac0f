"""Utterances: one to many sentences by one voice, with pauses, silence around them, and what the line does to them."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.render.espeak import Speaker, is_han
from training.augment import Mix, Noises, degrade
from training.features import RATE, Signal
from training.human import Teller, draw_style
from training.nothing import make_nothing
from training.shards import Kind, Label, Sound
from training.speech import Manner, Sentence, draw_manner, say
from training.voices import Cast

LONGEST = 28.0
SHORTEST = 1.0
_LONG_SHARE = 0.025
"""Utterances that are made long on purpose; with those that come out long, some 6 % exceed 14 s."""

_KEPT = 0.6
"""A character that is cut stays in the labels when so much of it is heard."""

_TRIES = 50
_FEWEST_TO_CUT = 5


@dataclass(frozen=True, slots=True, eq=False)
class Studio:
    """What utterances are made of: text, voices, background, and how often what happens."""

    sentence: Callable[[random.Random], str]
    voices: tuple[str, ...]
    noises: Noises
    music: Noises
    teller: Teller | None
    human_share: float
    mix: Mix
    cast: Cast | None = None


class Session:
    """Utterances one after another from one random stream; ``skipped`` counts sentences that could not be spoken."""

    def __init__(self, studio: Studio, speaker: Speaker, seed: str) -> None:
        self._studio = studio
        self._speaker = speaker
        self._draw = random.Random(seed)
        self._others: deque[Signal] = deque(maxlen=8)
        self.skipped: Counter[str] = Counter()

    def utterance(self) -> Sound:
        """The next one. Raises ValueError where the text source gives nothing that can be spoken."""
        draw, studio = self._draw, self._studio
        if draw.random() < studio.mix.nothing:
            samples, name = make_nothing(draw, studio.mix, studio.noises, studio.music)
            return Sound(samples, (), "none", name)
        human = studio.teller is not None and draw.random() < studio.human_share
        sentences, voice = self._sentences("human" if human else "espeak")
        samples, labels = join(sentences, draw)
        if draw.random() < studio.mix.cut:
            samples, labels = cut(samples, labels, draw)
        heard = degrade(samples, studio.mix, studio.noises, list(self._others), draw)
        self._others.append(sentences[0].samples)
        return Sound(np.clip(heard, -1.0, 1.0), labels, "human" if human else "espeak", voice)

    def _manner(self) -> Manner:
        return draw_manner(self._draw, self._studio.voices, self._studio.cast)

    def _sentences(self, kind: Kind) -> tuple[list[Sentence], str]:
        """Sentences by one voice: one, two, or more; some until they are long."""
        draw = self._draw
        number = draw.choices((1, 2, 3, 4), (0.70, 0.22, 0.06, 0.02))[0]
        wanted = draw.uniform(14.0, LONGEST - 2.0) if draw.random() < _LONG_SHARE else 0.0
        manner = self._manner()
        style = draw_style(draw)
        found: list[Sentence] = []
        seconds = 0.0
        for _ in range(_TRIES):
            text = self._studio.sentence(draw)
            if kind == "human":
                assert self._studio.teller is not None
                spoken = self._studio.teller.say(text, style, draw)
                if spoken is None and not found:  # one speaker lacks a syllable: perhaps the other has it
                    style = draw_style(draw)
            else:
                spoken = say(self._speaker, text, manner)
            if spoken is None:
                self.skipped[text] += 1
                continue
            if kind == "espeak" and spoken.pace > self._studio.mix.fastest:
                manner = manner if found else self._manner()
                continue
            length = spoken.samples.size / RATE
            if seconds + length > LONGEST - 2.0:
                if found:
                    break
                continue
            found.append(spoken)
            seconds += length + 0.6
            if len(found) >= number and seconds >= wanted:
                break
        if not found:
            raise ValueError("the text source gives no sentence that can be spoken within 26 s")
        return found, style.voice if kind == "human" else manner.variant


def join(sentences: list[Sentence], draw: random.Random) -> tuple[Signal, tuple[Label, ...]]:
    """Sentences with pauses between and silence around, SHORTEST to LONGEST seconds; what is beyond is left out."""
    parts = [np.zeros(round(_margin(draw) * RATE), dtype=np.float32)]
    labels: list[Label] = []
    size = parts[0].size
    for number, sentence in enumerate(sentences):
        if number:
            pause = round(draw.uniform(0.15, 1.3) * RATE)
            if size + pause + sentence.samples.size > LONGEST * RATE:
                break
            parts.append(np.zeros(pause, dtype=np.float32))
            size += pause
        at = size / RATE
        labels += [(char, at + start, at + end, number) for char, start, end in sentence.characters]
        parts.append(sentence.samples)
        size += sentence.samples.size
    tail = max(round(_margin(draw) * RATE), round(SHORTEST * RATE) - size)
    parts.append(np.zeros(tail, dtype=np.float32))
    return np.concatenate(parts)[: round(LONGEST * RATE)], tuple(labels)


def _margin(draw: random.Random) -> float:
    """Seconds of silence before or after: short mostly."""
    return draw.uniform(0.0, 0.3) if draw.random() < 0.85 else draw.uniform(0.3, 1.0)


def cut(samples: Signal, labels: tuple[Label, ...], draw: random.Random) -> tuple[Signal, tuple[Label, ...]]:
    """Begin or end in the middle of the speech. Too short utterances stay whole."""
    spoken = [label for label in labels if is_han(label[0])]
    if len(spoken) < _FEWEST_TO_CUT:
        return samples, labels
    at = draw.choice(spoken[1 : max(2, len(spoken) // 3)])
    first, last = 0.0, samples.size / RATE
    if draw.random() < 0.5:
        first = draw.uniform(at[1], at[2])
    else:
        at = draw.choice(spoken[-max(2, len(spoken) // 3) : -1])
        last = draw.uniform(at[1], at[2])
    if last - first < SHORTEST:
        return samples, labels
    first_sample = round(first * RATE)
    kept = [
        (char, max(start, first) - first, min(end, last) - first, number)
        for char, start, end, number in labels
        if start < last and end > first and min(end, last) - max(start, first) >= _KEPT * (end - start)
    ]
    while kept and not is_han(kept[0][0]):
        kept.pop(0)
    return samples[first_sample : round(last * RATE)], tuple(kept)
