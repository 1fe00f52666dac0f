"""Batches: utterances of like length, each once; shards that come later."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from tests.training.made import TEXT, example, shard
from training.batches import Corpus, dither, frame_sounds, prepare, texts
from training.readings import readings
from training.shards import read


def test_labels_become_arrays(tmp_path: Path) -> None:
    shard(tmp_path / "data", count=1)
    spoken, silent = (prepare(utterance) for utterance in read(tmp_path / "data"))
    assert sorted(spoken.chars) == sorted(TEXT)
    assert np.allclose(spoken.starts, 0.2 + 0.2 * np.arange(5)) and np.allclose(spoken.ends - spoken.starts, 0.2)
    assert (spoken.sounds == readings(spoken.chars)).all() and not spoken.sentence.any()
    assert silent.chars == "" and silent.sounds.shape == (0, 3)
    assert texts([spoken, silent]) == [spoken.chars]


def test_every_example_comes_once_in_batches_of_the_size(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.examples = [example("好", seconds=0.5 + 0.1 * number) for number in range(40)]
    batches = list(corpus.batches(1000, Random(1)))
    assert sorted(id(one) for batch in batches for one in batch) == sorted(map(id, corpus.examples))
    lengths = [[len(one.utterance.mel) for one in batch] for batch in batches]
    assert all((max(batch) + 8) * len(batch) <= 1000 for batch in lengths)
    spread = [max(batch) - min(batch) for batch in lengths]
    assert max(spread) < 200  # of 390
    assert lengths != [[len(one.utterance.mel) for one in batch] for batch in corpus.batches(1000, Random(2))]


def test_an_example_longer_than_a_batch_comes_alone(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.examples = [example("好", seconds=seconds) for seconds in (9.0, 1.0, 1.0)]
    assert sorted(len(batch) for batch in corpus.batches(500, Random(1), fbank=True)) == [1, 2]


def test_long_examples_come_in_some_passes_only(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, long_share=0.25)
    short, edge, long = (example("好", seconds=seconds) for seconds in (2.0, 13.0, 13.5))
    corpus.examples = [short, edge, long]
    r = Random(1)
    passes = [[id(one) for batch in corpus.batches(1000, r) for one in batch] for _ in range(200)]
    assert all({id(short), id(edge)} <= set(found) for found in passes)
    assert 30 < sum(id(long) in found for found in passes) < 70
    corpus.examples = [long]
    assert [len(list(corpus.batches(1000, Random(seed)))) for seed in range(9)] == [1] * 9, "a pass is never empty"
    assert Corpus(tmp_path).long_share == 1.0


def test_shards_that_were_written_meanwhile_are_found(tmp_path: Path) -> None:
    shard(tmp_path, "a", count=2)
    corpus = Corpus(tmp_path)
    assert len(corpus.examples) == 3
    shard(tmp_path, "b", count=4)
    corpus.refresh()
    corpus.refresh()
    assert len(corpus.examples) == 8


def test_frames_have_the_sound_of_the_character() -> None:
    one = example("你好", start=0.2, each=0.2)
    sounds = frame_sounds(one, 50, 50.0)
    assert not sounds[:10].any() and not sounds[30:].any()
    assert (sounds[11:19] == one.sounds[0]).all() and (sounds[21:29] == one.sounds[1]).all()


def test_features_are_blurred_in_place() -> None:
    changed = 0
    for seed in range(40):
        values = np.random.default_rng(seed).standard_normal((60, 80)).astype(np.float32)
        before, lowest = values.copy(), values.min()
        dither(values, Random(seed), np.random.default_rng(seed))
        changed += bool((values != before).any())
        assert values.shape == before.shape and values.min() > lowest - 1 and np.isfinite(values).all()
    assert 15 < changed < 35
