"""What the CTC form must answer to a batch: the characters, where each shall show, and the sound of every frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.batches import Example, dither
from training.ctc_form import FRAME_SECONDS, SUBSAMPLING, frames_for
from training.features import BINS, FBANK_OFFSET, FBANK_SPAN, RATE, fbank
from training.vocabulary import Vocabulary

BLANK = "<blk>"
SPIKE_AT = 0.5
"""A character shows so far through its length, and the delay after."""

CHAINED = 0.3
"""Share of batches in which utterances follow one another, as in a call; only those up to MOST_CHAINED frames."""
MOST_CHAINED = 900

QUIET = 0.5
"""Share of utterances followed by their own quiet moments; the others are followed by digital silence."""

LOUDER, LOUDNESS = 0.5, 2.5
"""This share of utterances is made louder or softer by up to so much (natural logarithm of power)."""

ROUNDED, HISSING, MOST_HISS = 0.6, 0.4, 4.0
"""This share of utterances gets the noise that rounding to 16 bits makes, heard in bands that a telephone line leaves
empty; of these some are louder by up to so much. The others stay as computed, as resampled calls do."""
HISS_FRAMES, HISS_GAIN = 400, 20.0

Array = npt.NDArray[np.float32]


def ctc_tokens(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The blank and every Chinese character of the vocabulary."""
    return (BLANK, *(token for token in vocabulary.text if "\u4e00" <= token <= "\u9fff"))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """``fbank`` (n, frames, 80); ``lengths`` (n,) in frames of 40 ms; ``columns`` (n, k), the tokens that occur in a
    row, the blank first; ``written`` (n, most) and ``counts`` (n,) in columns; ``spikes`` (s, 3): row, frame and
    column of every character; ``blanks`` (b, 2): row and frame; ``sounds`` (c, 5): row, frame, classes."""

    fbank: Tensor
    lengths: Tensor
    columns: Tensor
    written: Tensor
    counts: Tensor
    spikes: Tensor
    blanks: Tensor
    sounds: Tensor
    utterances: int


@dataclass(slots=True, eq=False)
class _Row:
    fbank: Array
    tokens: list[int]
    spikes: list[int]
    sounds: npt.NDArray[np.int64]


class Targets:
    """Makes batches for a model that answers ``delay`` frames late."""

    def __init__(self, tokens: Sequence[str], delay: int) -> None:
        self._ids = {token: number for number, token in enumerate(tokens) if number}
        self.delay = delay

    def batch(self, examples: Sequence[Example], r: Random, generator: np.random.Generator) -> Batch:
        rows = [self._blurred(example, r, generator) for example in examples]
        if len(rows) > 1 and r.random() < CHAINED and len(rows[0].fbank) <= MOST_CHAINED:
            r.shuffle(rows)
            rows = [_chain(*rows[first : first + 2]) for first in range(0, len(rows), 2)]
        return _stack(rows, len(examples))

    def plain(self, example: Example) -> tuple[Tensor, list[int], list[int], list[float]]:
        """An utterance as it is, (1, frames, 80); its tokens, the frames where they shall show, and their starts."""
        kept = [number for number, char in enumerate(example.chars) if char in self._ids]
        row = self._row(example, bytes_to_fbank(example.utterance.fbank), (self.delay + 4) * SUBSAMPLING)
        batch = _stack([row], 1)
        return batch.fbank, row.tokens, row.spikes, example.starts[kept].tolist()

    def _row(self, example: Example, values: Array, tail: int, quiet: Array | None = None) -> _Row:
        """``tail`` frames (10 ms) follow the ``values``, taken from ``quiet`` ones or silent."""
        outputs = -(-(len(values) + tail) // SUBSAMPLING)
        heard = np.full((outputs * SUBSAMPLING, BINS), -FBANK_OFFSET, np.float32)
        heard[: len(values)] = values
        if quiet is not None:
            heard[len(values) :] = quiet[: len(heard) - len(values)]
        kept = [number for number, char in enumerate(example.chars) if char in self._ids]
        starts, ends = example.starts[kept], example.ends[kept]
        tokens = [self._ids[example.chars[number]] for number in kept]
        at = ((starts + SPIKE_AT * (ends - starts)) / FRAME_SECONDS).astype(np.int64) + self.delay
        spikes: list[int] = []
        for frame, token in zip(at.tolist(), tokens, strict=True):
            # One token a frame, and a blank between two that are the same.
            least = spikes[-1] + 1 + (token == tokens[len(spikes) - 1]) if spikes else 0
            spikes.append(min(outputs - 1, max(frame, least)))
        sounds = np.zeros((outputs, 3), np.int64)
        for start, end, sound in zip(starts / FRAME_SECONDS, ends / FRAME_SECONDS, example.sounds[kept], strict=True):
            sounds[int(start) + self.delay : max(int(start) + 1, int(end)) + self.delay] = sound
        return _Row(heard, tokens, spikes, sounds)

    def _blurred(self, example: Example, r: Random, generator: np.random.Generator) -> _Row:
        values = example.utterance.fbank.astype(np.float32) * (4 / 255) - 2  # dither's unit
        dither(values, r, generator)
        values = (values + 2) * (FBANK_SPAN / 4) - FBANK_OFFSET
        if r.random() < LOUDER:
            values += r.uniform(-LOUDNESS, LOUDNESS)
        if r.random() < ROUNDED:
            louder = r.uniform(0, MOST_HISS) if r.random() < HISSING else 0.0
            first = r.randrange(HISS_FRAMES)
            hiss = np.take(_rounding_noise(), range(first, first + len(values)), 0, mode="wrap")
            values = np.logaddexp(values, hiss + np.float32(louder))
        tail = (self.delay + r.randint(2, 6)) * SUBSAMPLING
        quiet = None
        if r.random() < QUIET and len(values):
            quietest = np.argsort(values.mean(1))[: max(4, len(values) // 20)]
            quiet = values[generator.choice(quietest, tail + SUBSAMPLING)]
        return self._row(example, values, tail, quiet)


@cache
def _rounding_noise() -> Array:
    """Features of the error of rounding to 16 bits, shape (HISS_FRAMES, 80)."""
    steps = np.random.default_rng(16).uniform(-0.5, 0.5, HISS_FRAMES * RATE // 100)
    # Louder by a factor and shifted back, for bytes do not reach down to where it lies.
    stored = fbank((steps * np.float32(HISS_GAIN / 32768)).astype(np.float32))
    return bytes_to_fbank(stored) - np.float32(2 * math.log(HISS_GAIN))


def bytes_to_fbank(stored: npt.NDArray[np.uint8]) -> Array:
    """Features as a recogniser computes them, of shape (frames, 80)."""
    return stored.astype(np.float32) * np.float32(FBANK_SPAN / 255) - np.float32(FBANK_OFFSET)


def _chain(first: _Row, second: _Row | None = None) -> _Row:
    if second is None:
        return first
    after = len(first.fbank) // SUBSAMPLING
    return _Row(
        np.concatenate([first.fbank, second.fbank]),
        first.tokens + second.tokens,
        first.spikes + [frame + after for frame in second.spikes],
        np.concatenate([first.sounds, second.sounds]),
    )


def _stack(rows: list[_Row], utterances: int) -> Batch:
    outputs = [len(row.fbank) // SUBSAMPLING for row in rows]
    fbank = np.full((len(rows), frames_for(max(outputs)), BINS), -FBANK_OFFSET, np.float32)
    kinds = [[0, *sorted(set(row.tokens))] for row in rows]
    columns = np.zeros((len(rows), max(map(len, kinds))), np.int64)
    written = np.zeros((len(rows), max(1, *(len(row.tokens) for row in rows))), np.int64)
    spikes, blanks, sounds = [], [], []
    for number, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        fbank[number, : len(row.fbank)] = row.fbank
        columns[number, : len(kind)] = kind
        place = {token: column for column, token in enumerate(kind)}
        places = [place[token] for token in row.tokens]
        written[number, : len(places)] = places
        spikes += [(number, frame, column) for frame, column in zip(row.spikes, places, strict=True)]
        near = {frame + step for frame in row.spikes for step in (-1, 0, 1)}
        blanks += [(number, frame) for frame in range(outputs[number]) if frame not in near]
        judged = np.arange(number % 2, outputs[number], 2)  # every other frame is enough
        sounds.append(np.column_stack([np.full(len(judged), number), judged, row.sounds[judged]]))
    return Batch(
        torch.from_numpy(fbank), torch.tensor(outputs), torch.from_numpy(columns), torch.from_numpy(written),
        torch.tensor([len(row.tokens) for row in rows]), torch.tensor(spikes, dtype=torch.int64).view(-1, 3),
        torch.tensor(blanks, dtype=torch.int64).view(-1, 2), torch.from_numpy(np.concatenate(sounds)), utterances,
    )  # fmt: skip
