"""The file of a language model, and what it says of characters it has and has not met together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitor.asr import ngrams
from monitor.asr.errors import ModelError
from monitor.asr.ngrams import EDGE, Ngrams, Order


def key(symbols: tuple[int, ...]) -> int:
    return sum(symbol << ngrams.BITS * place for place, symbol in enumerate(reversed(symbols)))


def order(entries: dict[tuple[int, ...], tuple[float, float]]) -> Order:
    """N-grams with the probability and the weight of backing off of each, as the file would round them."""
    listed = sorted((key(symbols), *numbers) for symbols, numbers in entries.items())
    keys, probabilities, weights = zip(*listed, strict=True)
    return Order(np.array(keys, np.uint64), np.log(probabilities), np.log(weights))


@pytest.fixture
def small() -> Ngrams:
    """Of 天 (1) and 气 (2): 气 follows 天 at the start more often than elsewhere."""
    return Ngrams(
        "天气",
        (
            order({(EDGE,): (0.2, 0.5), (1,): (0.5, 0.4), (2,): (0.3, 1.0)}),
            order({(EDGE, 1): (0.6, 0.3), (1, 2): (0.7, 1.0)}),
            order({(EDGE, 1, 2): (0.9, 1.0)}),
        ),
    )


def probability(model: Ngrams, said: list[int], symbol: int) -> float:
    history = np.array([0], np.uint64)
    for one in said:
        history = model.after(history, np.array([one], np.uint64))
    return float(np.exp(model.score(history, np.array([symbol], np.uint64)))[0])


@pytest.mark.parametrize(
    ("said", "symbol", "expected"),
    [
        ([], 1, 0.6),
        ([1], 2, 0.9),
        ([2, 1], 2, 0.7),  # three were not met: 气天 is no beginning, so it gives nothing away
        ([1], 1, 0.3 * 0.4 * 0.5),  # by way of two beginnings
        ([], 2, 0.5 * 0.3),
        ([2], 2, 0.3),
    ],
)
def test_the_longest_that_was_met_decides(small, said, symbol, expected):
    assert probability(small, said, symbol) == pytest.approx(expected)


def test_many_are_asked_at_once(small):
    histories = np.array([[0, 1], [2, 1]], np.uint64)
    symbols = np.array([[1, 2], [1, 1]], np.uint64)
    one_by_one = [
        [float(small.score(histories[i, j : j + 1], symbols[i, j : j + 1])[0]) for j in range(2)] for i in range(2)
    ]
    assert np.allclose(small.score(histories, symbols), one_by_one)


def test_a_file_keeps_what_it_is_given(small, tmp_path: Path):
    small.save(tmp_path / "one.npz")
    small.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    read = ngrams.load(tmp_path / "one.npz")
    assert read.characters == "天气"
    for before, after in zip(small.orders, read.orders, strict=True):
        assert (before.keys == after.keys).all()
        assert np.allclose(before.probability, after.probability, atol=ngrams.STEP / 2 + 1e-9)
        assert np.allclose(before.back_off, after.back_off, atol=ngrams.STEP / 2 + 1e-9)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_other_files_are_refused_by_name(small, tmp_path: Path, content):
    file = tmp_path / "characters.npz"
    small.save(file)
    file.write_bytes(file.read_bytes()[:200] if content is None else content)
    with pytest.raises(ModelError, match=r"characters\.npz cannot be read: .*Copy or pull the model again"):
        ngrams.load(file)


def test_a_foreign_archive_is_refused(tmp_path: Path):
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ModelError, match="cannot be read"):
        ngrams.load(tmp_path / "other.npz")


def test_an_empty_archive_is_refused(tmp_path: Path):
    np.savez(tmp_path / "none.npz", characters=np.array(["天"]))
    with pytest.raises(ModelError, match="holds no n-grams"):
        ngrams.load(tmp_path / "none.npz")


def test_a_file_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"gone\.npz cannot be read"):
        ngrams.load(tmp_path / "gone.npz")
