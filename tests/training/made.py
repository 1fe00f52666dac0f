"""Examples, shards and small models for the tests of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.batches import Example, prepare
from training.features import FBANK_RATE, MEL_RATE, RATE, Signal
from training.shards import Sound, Utterance, write
from training.vocabulary import Vocabulary

TEXT = "你好请稍等"
HERTZ = dict(zip(TEXT, (300, 600, 1200, 2400, 4800), strict=True))

CONTROL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|yue|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
STAMPS = tuple(f"<|{step * 0.02:.2f}|>" for step in range(1501))


def vocabulary(characters: str = TEXT) -> Vocabulary:
    """A small one with all control tokens."""
    return Vocabulary(("", "<unk>", " ", *"，。？！、", *characters, *CONTROL, *STAMPS))


def example(
    text: str, start: float = 0.2, each: float = 0.2, seconds: float = 2.0, sentences: tuple[int, ...] = ()
) -> Example:
    """An utterance of noise with evenly spoken characters."""
    numbers = sentences or (0,) * len(text)
    labels = tuple((char, start + k * each, start + (k + 1) * each, numbers[k]) for k, char in enumerate(text))
    r = np.random.default_rng(len(text))
    mel, fbank = (r.integers(60, 200, (round(seconds * rate), 80)).astype(np.uint8) for rate in (MEL_RATE, FBANK_RATE))
    return prepare(Utterance(mel, fbank, labels, "espeak" if text else "none", "f1"))


def tones(text: str, each: float = 0.2) -> Sound:
    """A tone of its own for every character of TEXT."""
    parts: list[Signal] = [np.zeros(RATE // 5, np.float32)]
    time = np.arange(round(each * RATE)) / RATE
    parts += [(0.3 * np.sin(2 * np.pi * HERTZ[char] * time)).astype(np.float32) for char in text]
    labels = tuple((char, 0.2 + k * each, 0.2 + (k + 1) * each, 0) for k, char in enumerate(text))
    return Sound(np.concatenate([*parts, np.zeros(RATE // 5, np.float32)]), labels, "espeak", "f1")


def shard(folder: Path, name: str = "a", count: int = 6) -> None:
    """A shard of tones, and one utterance without speech."""
    folder.mkdir(exist_ok=True)
    r = np.random.default_rng(count)
    sounds = [tones("".join(r.permutation(list(TEXT)))) for _ in range(count)]
    write(folder, name, [*sounds, Sound(np.zeros(RATE, np.float32), (), "none", "silence")])
