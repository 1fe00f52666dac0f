"""From shards to batches that both trainers share: utterances of like length together, each with its readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from training import readings, shards
from training.features import MEL_RATE

LONG = 13.0
"""Seconds."""

POOL = 2000
"""Utterances sorted by length at a time; batches of a pool come in random order."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An utterance made ready. ``chars``, ``starts``, ``ends`` (seconds), ``sentence`` have one entry a character;
    ``sounds`` has shape (characters, 3): classes of initial, final, tone."""

    utterance: shards.Utterance
    chars: str
    starts: npt.NDArray[np.float32]
    ends: npt.NDArray[np.float32]
    sentence: npt.NDArray[np.int64]
    sounds: npt.NDArray[np.int64]


class Corpus:
    """The examples of a folder of shards; ``refresh`` finds shards that were written meanwhile.

    Of those longer than LONG seconds each pass holds the ``long_share``, drawn anew: attention costs grow with the
    square of the length.
    """

    def __init__(self, folder: Path, long_share: float = 1.0) -> None:
        self.folder = folder
        self.long_share = long_share
        self._known: set[str] = set()
        self.examples: list[Example] = []
        self.refresh()

    def refresh(self) -> None:
        """Take in the shards that are new and complete."""
        for file in sorted(self.folder.glob("*.json")):
            if file.name not in self._known:
                self._known.add(file.name)
                self.examples.extend(prepare(utterance) for utterance in shards.read_shard(file))

    def batches(self, frames: int, r: Random, *, fbank: bool = False) -> Iterator[list[Example]]:
        """The examples once, in batches of at most ``frames`` frames of their features, padding counted."""
        every = range(len(self.examples))
        order = [index for index in every if not self._left_out(index, r)] or list(every)
        r.shuffle(order)
        for first in range(0, len(order), POOL):
            pool = sorted(order[first : first + POOL], key=lambda index: _length(self.examples[index], fbank))
            groups: list[list[int]] = [[]]
            for index in pool:
                if (_length(self.examples[index], fbank) + 8) * (len(groups[-1]) + 1) > frames and groups[-1]:
                    groups.append([])
                groups[-1].append(index)
            r.shuffle(groups)
            yield from ([self.examples[index] for index in group] for group in groups if group)

    def _left_out(self, index: int, r: Random) -> bool:
        long = len(self.examples[index].utterance.mel) > LONG * MEL_RATE
        return long and r.random() >= self.long_share


def _length(example: Example, fbank: bool) -> int:
    return len(example.utterance.fbank if fbank else example.utterance.mel)


def prepare(utterance: shards.Utterance) -> Example:
    """Labels as arrays, with the sound of every character."""
    labels = utterance.labels
    chars = "".join(label[0] for label in labels)
    return Example(
        utterance,
        chars,
        np.array([label[1] for label in labels], dtype=np.float32),
        np.array([label[2] for label in labels], dtype=np.float32),
        np.array([label[3] for label in labels], dtype=np.int64),
        readings.readings(chars) if chars else np.zeros((0, 3), np.int64),
    )


def frame_sounds(example: Example, frames: int, rate: float) -> npt.NDArray[np.int64]:
    """Classes of shape (frames, 3) at ``rate`` frames a second; zeros where nobody speaks."""
    out = np.zeros((frames, 3), np.int64)
    for start, end, sound in zip(example.starts, example.ends, example.sounds, strict=True):
        out[int(start * rate) : int(end * rate)] = sound
    return out


def dither(mel: npt.NDArray[np.float32], r: Random, generator: np.random.Generator) -> None:
    """Blur features (frames, 80) in place: a little noise, and now and then a dark band or a dark moment."""
    if r.random() < 0.3:
        mel += generator.standard_normal(mel.shape, dtype=np.float32) * r.uniform(0.01, 0.06)
    if r.random() < 0.25:
        band = r.randrange(0, 72)
        mel[:, band : band + r.randint(1, 8)] = mel.min()
    if r.random() < 0.15 and len(mel) > 20:
        moment = r.randrange(0, len(mel) - 8)
        mel[moment : moment + r.randint(2, 7)] = mel.min()


def texts(examples: Sequence[Example]) -> list[str]:
    """The texts of those that have one."""
    return [example.chars for example in examples if example.chars]
