"""Utterances on disk: features of many utterances in one array, lengths and labels beside it.

A shard NAME is NAME.mel.npy, NAME.fbank.npy and NAME.json, which is written last: without it the shard is incomplete.
Evaluation sets keep the sound too, in NAME.wav.npy.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from training.features import BINS, RATE, Features, Signal, fbank, log_mel, to_int16

Label = tuple[str, float, float, int]
"""A character, punctuation too, its start and end in seconds, and the number of its sentence in the utterance."""

Kind = Literal["espeak", "human", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """An utterance before its features are computed: float samples in -1..1 at 16 kHz."""

    samples: Signal
    labels: tuple[Label, ...]
    kind: Kind
    voice: str

    @property
    def seconds(self) -> float:
        """Length."""
        return self.samples.size / RATE


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """An utterance as read: bytes of shape (frames, 80), memory-mapped; int16 samples at 16 kHz where kept."""

    mel: Features
    fbank: Features
    labels: tuple[Label, ...]
    kind: Kind
    voice: str
    samples: npt.NDArray[np.int16] | None = None

    @property
    def text(self) -> str:
        """All characters in order."""
        return "".join(label[0] for label in self.labels)


def _save(path: Path, parts: Sequence[npt.NDArray[Any]]) -> None:
    np.save(path, np.concatenate(parts))


def write(folder: Path, name: str, sounds: Sequence[Sound], *, keep_samples: bool = False) -> None:
    """Compute the features and write one shard. Raises ValueError without utterances."""
    if not sounds:
        raise ValueError("a shard needs at least one utterance")
    mels = [log_mel(sound.samples) for sound in sounds]
    fbanks = [fbank(sound.samples) for sound in sounds]
    _save(folder / f"{name}.mel.npy", mels)
    _save(folder / f"{name}.fbank.npy", fbanks)
    content: dict[str, Any] = {
        "lengths_mel": [len(mel) for mel in mels],
        "lengths_fbank": [len(frames) for frames in fbanks],
        "labels": [
            [[char, round(start, 4), round(end, 4), sentence] for char, start, end, sentence in sound.labels]
            for sound in sounds
        ],
        "kind": [sound.kind for sound in sounds],
        "voice": [sound.voice for sound in sounds],
    }
    if keep_samples:
        _save(folder / f"{name}.wav.npy", [to_int16(sound.samples) for sound in sounds])
        content["lengths_wav"] = [sound.samples.size for sound in sounds]
    partial = folder / f"{name}.json.part"
    partial.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    partial.replace(folder / f"{name}.json")


def complete(folder: Path, name: str) -> bool:
    """Whether the shard was written to its end."""
    return (folder / f"{name}.json").is_file()


def read(folder: Path) -> list[Utterance]:
    """All utterances of all complete shards in the order of their names. Raises FileNotFoundError without any, and
    ValueError for a shard whose arrays do not have the lengths that it tells."""
    indexes = sorted(folder.glob("*.json"))
    if not indexes:
        raise FileNotFoundError(f"{folder} holds no complete shard; make them with python -m training.generate")
    return [utterance for index in indexes for utterance in read_shard(index)]


def read_shard(index: Path) -> list[Utterance]:
    content = json.loads(index.read_text(encoding="utf-8"))
    mels = _pieces(index.with_suffix(".mel.npy"), content["lengths_mel"])
    fbanks = _pieces(index.with_suffix(".fbank.npy"), content["lengths_fbank"])
    waves: Sequence[Any] = [None] * len(mels)
    if "lengths_wav" in content:
        waves = _pieces(index.with_suffix(".wav.npy"), content["lengths_wav"])
    labels = [tuple((c, float(start), float(end), int(n)) for c, start, end, n in row) for row in content["labels"]]
    rows = zip(mels, fbanks, labels, content["kind"], content["voice"], waves, strict=True)
    return [Utterance(*row) for row in rows]


def _pieces(path: Path, lengths: list[int]) -> list[npt.NDArray[Any]]:
    array = np.load(path, mmap_mode="r")
    if len(array) != sum(lengths) or (array.ndim == 2 and array.shape[1] != BINS):
        raise ValueError(f"{path} has shape {array.shape}, but its index tells {sum(lengths)} rows; make it again")
    bounds = np.cumsum([0, *lengths])
    return [array[a:b] for a, b in itertools.pairwise(bounds)]
