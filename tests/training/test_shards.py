"""Shards: written, read back, incomplete ones passed over."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.features import RATE, fbank, log_mel
from training.shards import Sound, complete, read, write

RNG = np.random.default_rng(1)
SOUNDS = [
    Sound(
        (0.1 * RNG.standard_normal(RATE)).astype(np.float32),
        (("好", 0.1, 0.3, 0), ("。", 0.3, 0.32, 0)),
        "espeak",
        "f2",
    ),
    Sound((0.2 * RNG.standard_normal(RATE * 2)).astype(np.float32), (), "none", "ring"),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, "b", SOUNDS)
    write(tmp_path, "a", SOUNDS[1:])
    first, second, third = read(tmp_path)
    assert (first.kind, second.kind, third.voice) == ("none", "espeak", "ring")
    assert second.text == "好。" and second.labels == SOUNDS[0].labels and first.labels == ()
    for found, sound in zip((second, third), SOUNDS, strict=True):
        np.testing.assert_array_equal(found.mel, log_mel(sound.samples))
        np.testing.assert_array_equal(found.fbank, fbank(sound.samples))
        assert found.samples is None
    assert isinstance(first.mel, np.memmap), "a training set is larger than the memory"


def test_samples_are_kept_where_asked(tmp_path: Path) -> None:
    write(tmp_path, "a", SOUNDS, keep_samples=True)
    for found, sound in zip(read(tmp_path), SOUNDS, strict=True):
        assert found.samples is not None and found.samples.dtype == np.int16
        np.testing.assert_allclose(found.samples / 32768.0, sound.samples, atol=0.6 / 32768)


def test_a_shard_without_its_index_is_incomplete(tmp_path: Path) -> None:
    write(tmp_path, "a", SOUNDS)
    write(tmp_path, "b", SOUNDS)
    assert complete(tmp_path, "b")
    (tmp_path / "b.json").unlink()
    assert not complete(tmp_path, "b")
    assert len(read(tmp_path)) == len(SOUNDS)


def test_a_damaged_shard_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a", SOUNDS)
    index = tmp_path / "a.json"
    content = json.loads(index.read_text(encoding="utf-8"))
    content["lengths_mel"][0] += 1
    index.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="make it again"):
        read(tmp_path)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"training\.generate"):
        read(tmp_path)
    with pytest.raises(ValueError, match="at least one"):
        write(tmp_path, "a", [])
