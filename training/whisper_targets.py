"""What the Whisper form must answer to a batch: tokens, targets, where each token is heard, prompts before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor

from training.batches import Example, dither, frame_sounds
from training.vocabulary import MOST_SECONDS, TIMESTAMP, Vocabulary
from training.whisper_form import FRAME_RATE, TEXT

IGNORED = -100
TIMESTAMPED = 0.15
"""Share of utterances written with timestamps."""

PROMPTED = 0.15
"""Share that come after a prompt: what was said before, or words to expect."""

MIXED_UP = 0.06
"""Share of tokens that the decoder is shown wrongly, as it will meet its own mistakes."""

SLACK = 0.04
"""A timestamp may be heard so many seconds around its time."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """``mel`` (b, 80, 2T); ``tokens`` and ``targets`` (b, n); ``heard`` (b, n, 2) seconds in which the target is
    spoken, end < 0 where it is not; ``sounds`` (b, T, 3) and ``judged`` (b, T), the frames they count on."""

    mel: Tensor
    tokens: Tensor
    targets: Tensor
    heard: Tensor
    sounds: Tensor
    judged: Tensor


Row = tuple[list[int], list[int], list[tuple[float, float]]]
"""Tokens shown, targets, and where each target is heard."""


class Targets:
    """Makes batches. ``others`` are texts of other utterances, to take prompts from."""

    def __init__(self, vocabulary: Vocabulary, others: Sequence[str]) -> None:
        ids = vocabulary.ids
        self._ids = ids
        self._others = others
        self._end, self._begin, self._zh = (ids[f"<|{name}|>"] for name in ("endoftext", "startoftranscript", "zh"))
        self._task, self._silent = ids["<|transcribe|>"], ids["<|nospeech|>"]
        self._plain = ids["<|notimestamps|>"]
        self._before, self._zero = ids["<|startofprev|>"], ids["<|0.00|>"]

    def batch(self, examples: Sequence[Example], r: Random, generator: np.random.Generator) -> Batch:
        """One batch, as wide as the longest example and a little padding."""
        longest = max(len(example.utterance.mel) for example in examples)
        width = -(-(longest + 8) // 16) * 16
        mel = np.zeros((len(examples), width, 80), np.float32)
        sounds = np.zeros((len(examples), width // 2, 3), np.int64)
        judged = np.zeros((len(examples), width // 2), bool)
        rows = []
        for number, example in enumerate(examples):
            count = len(example.utterance.mel)
            one = example.utterance.mel.astype(np.float32) * (4 / 255) - 2
            dither(one, r, generator)
            mel[number, :count] = one
            sounds[number] = frame_sounds(example, width // 2, FRAME_RATE)
            judged[number, : min(width // 2, count // 2 + 4)] = True
            rows.append(self._row(example, r))
        tokens, targets, heard = self._stack(rows)
        shown = self._mix_up(tokens, r)
        heights = torch.from_numpy(mel.transpose(0, 2, 1).copy())
        return Batch(heights, shown, targets, heard, torch.from_numpy(sounds), torch.from_numpy(judged))

    def _row(self, example: Example, r: Random) -> Row:
        """Tokens shown, targets, and where each target is heard."""
        nowhere = (0.0, -1.0)
        prompt = self._prompt(example, r)
        shown = [*prompt, self._begin, self._zh, self._task]
        targets = [IGNORED] * (len(shown) - 3) + [self._zh if example.chars else self._silent, IGNORED, IGNORED]
        heard = [nowhere] * len(shown)
        written = self._stamped(example) if r.random() < TIMESTAMPED else self._plainly(example)
        first, *rest = written
        shown.append(first[0])
        if first[0] != self._plain:  # that there are no timestamps is said to the model, not asked of it
            targets[-1], heard[-1] = first[0], first[1:]
        for token, start, end in rest:
            targets.append(token)
            heard.append((start, end))
            shown.append(token)
        last = float(example.ends[-1]) if example.chars else 0.0
        targets.append(self._end)
        heard.append((last, last + 0.1) if example.chars else nowhere)
        return shown, targets, heard

    def _plainly(self, example: Example) -> list[tuple[int, float, float]]:
        unknown = self._ids["<unk>"]
        times = zip(example.chars, example.starts.tolist(), example.ends.tolist(), strict=True)
        return [(self._plain, 0.0, -1.0), *((self._ids.get(char, unknown), start, end) for char, start, end in times)]

    def _stamped(self, example: Example) -> list[tuple[int, float, float]]:
        """Every sentence between its two timestamps."""
        if not example.chars:
            return [(self._zero, 0.0, -1.0)]
        out: list[tuple[int, float, float]] = []
        plain = self._plainly(example)[1:]
        for number, token in enumerate(plain):
            if number == 0 or example.sentence[number] != example.sentence[number - 1]:
                if number:
                    out.append(self._stamp(float(example.ends[number - 1])))
                out.append(self._stamp(token[1]))
            out.append(token)
        return [*out, self._stamp(float(example.ends[-1]))]

    def _stamp(self, seconds: float) -> tuple[int, float, float]:
        step = min(round(MOST_SECONDS / TIMESTAMP), max(0, round(seconds / TIMESTAMP)))
        return self._zero + step, seconds - SLACK, seconds + SLACK

    def _prompt(self, example: Example, r: Random) -> list[int]:
        if r.random() >= PROMPTED or not self._others:
            return []
        text = r.choice(self._others) if r.random() < 0.4 else " " + "，".join(self._expected(example, r))
        ids = self._ids
        return [self._before, *(ids.get(char, ids["<unk>"]) for char in text[:120])]

    def _expected(self, example: Example, r: Random) -> list[str]:
        """Words to expect, some of which are really said."""
        words = [_stretch(r.choice(self._others), r) for _ in range(r.randint(2, 14))]
        if example.chars and r.random() < 0.7:
            words += [_stretch(example.chars, r) for _ in range(r.randint(1, 3))]
        r.shuffle(words)
        return [word for word in words if word]

    def _stack(self, rows: list[Row]) -> tuple[Tensor, Tensor, Tensor]:
        length = min(TEXT, max(len(shown) for shown, _, _ in rows))
        tokens = np.full((len(rows), length), self._end, np.int64)
        targets = np.full((len(rows), length), IGNORED, np.int64)
        heard = np.zeros((len(rows), length, 2), np.float32)
        heard[..., 1] = -1
        for number, (shown, wanted, where) in enumerate(rows):
            count = min(len(shown), length)
            tokens[number, :count] = shown[:count]
            targets[number, :count] = wanted[:count]
            heard[number, :count] = where[:count]
        return torch.from_numpy(tokens), torch.from_numpy(targets), torch.from_numpy(heard)

    def _mix_up(self, tokens: Tensor, r: Random) -> Tensor:
        chosen = torch.from_numpy(np.random.default_rng(r.getrandbits(32)).random(tuple(tokens.shape)) < MIXED_UP)
        chosen &= tokens < self._end
        out = tokens.clone()
        out[chosen] = torch.randint(5, self._end, (int(chosen.sum()),))
        return out


def _stretch(text: str, r: Random) -> str:
    """Two to six characters that stand together in a text."""
    parts = [part for part in re.split(r"[^\u4e00-\u9fff]+", text) if len(part) > 1]
    if not parts:
        return ""
    part = r.choice(parts)
    length = min(len(part), r.randint(2, 6))
    start = r.randint(0, len(part) - length)
    return part[start : start + length]
