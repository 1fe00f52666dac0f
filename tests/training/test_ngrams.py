"""Counting and smoothing: by hand on few sentences, and as a distribution on many."""

from __future__ import annotations

import random

import numpy as np
import pytest

from monitor.asr.ngrams import EDGE, Ngrams
from training.ngrams import estimate


def probability(model: Ngrams, said: str, char: str) -> float:
    history = np.zeros(1, np.uint64)
    for one in said:
        history = model.after(history, np.array([model.characters.index(one) + 1], np.uint64))
    symbol = model.characters.index(char) + 1 if char else EDGE
    return float(np.exp(model.score(history, np.array([symbol], np.uint64)))[0])


def test_two_sentences_by_hand():
    model = estimate(["天气", "天天"], "天气", (1, 1))
    edge, day, air = 2.5 / 7.5, 3.5 / 7.5, 1.5 / 7.5  # two ends, three 天, one 气, and half a count for each
    assert probability(model, "", "天") == pytest.approx((2 + 1 * day) / (2 + 1))
    assert probability(model, "天", "气") == pytest.approx((1 + 3 * air) / (3 + 3))
    assert probability(model, "天", "") == pytest.approx((1 + 3 * edge) / (3 + 3))
    assert probability(model, "气", "天") == pytest.approx(1 / 2 * day)


@pytest.mark.parametrize("least", [(1, 1, 1), (1, 1, 2), (1, 2, 3, 3)])
def test_what_may_follow_adds_up_to_one(least):
    r = random.Random(5)
    letters = "天气晴好你汽车"
    sentences = ["".join(r.choices(letters, range(1, 8), k=r.randint(1, 7))) for _ in range(300)]
    model = estimate(sentences, letters + "无", least)
    for said in ("", "天", "天气", "好好你", "无", "无天", *sentences[:20]):
        total = sum(probability(model, said, char) for char in (*model.characters, ""))
        assert total == pytest.approx(1.0, abs=1e-6), said


def test_rare_ones_are_dropped():
    model = estimate(["天气"] * 3 + ["好气"], "天气好", (1, 1, 2))
    assert [len(order.keys) for order in model.orders] == [4, 5, 2]


def test_chunks_make_no_difference(monkeypatch):
    sentences = ["天气好", "你好", "好天气", "你天天好"] * 5
    whole = estimate(sentences, "天气好你", (1, 1, 1))
    monkeypatch.setattr("training.ngrams.CHUNK", 3)
    parts = estimate(iter(sentences), "天气好你", (1, 1, 1))
    for one, other in zip(whole.orders, parts.orders, strict=True):
        assert (one.keys == other.keys).all()
        assert np.allclose(one.probability, other.probability)
        assert np.allclose(one.back_off, other.back_off)


def test_other_characters_are_passed_over():
    model = estimate(["天，气X。"], "天气", (1, 1))
    assert probability(model, "天", "气") > 0.5


@pytest.mark.parametrize(
    ("sentences", "least", "message"),
    [([], (1, 1), "nothing to count"), (["。"], (1, 1), "nothing to count"), (["天气"], (1, 5), "was met 5 times")],
)
def test_too_little_is_told(sentences, least, message):
    with pytest.raises(ValueError, match=message):
        estimate(sentences, "天气", least)


def test_too_long_or_too_many_is_told():
    with pytest.raises(ValueError, match="at most 5 lengths"):
        estimate(["天"], "天", (1,) * 6)
    with pytest.raises(ValueError, match="4095 characters"):
        estimate(["天"], "天" * 4096, (1, 1))
