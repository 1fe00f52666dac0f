"""Respelling: homophones are told apart by their surroundings, and what was clearly heard stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitor.asr import spelling
from monitor.asr.spelling import OTHER_SOUND, Hints, Speller
from monitor.core.fold import readings
from training.ngrams import estimate

TOKENS = ["", "，", "天", "添", "气", "汽", "车", "晴", "你", "好", "<|endoftext|>"]
SENTENCES = ["今天天气好", "天气晴", "你天天好", "汽车好", "你好"] * 4


@pytest.fixture(scope="module")
def speller() -> Speller:
    characters = "".join(token for token in TOKENS if "\u4e00" <= token <= "\u9fff")
    numbers = {char: number for number, char in enumerate(characters, 1)}
    symbols = np.array([numbers.get(token, 0) for token in TOKENS], np.uint64)
    return Speller(estimate(SENTENCES, characters, (1, 1, 1)), TOKENS, symbols, 0.5)


def heard(*places: dict[str, float]) -> tuple[list[int], list[np.ndarray]]:
    """The most probable token of each place, and logits with these probabilities."""
    rows = []
    for place in places:
        row = np.full(len(TOKENS), 1e-6, np.float32)
        for token, probability in place.items():
            row[TOKENS.index(token)] = probability
        rows.append(np.log(row) + 3.0)  # logits have any offset
    return [int(row.argmax()) for row in rows], rows


def written(speller: Speller, *places: dict[str, float]) -> str:
    return "".join(TOKENS[token] for token in speller.respell(*heard(*places)))


def test_homophones_are_chosen_by_their_surroundings(speller):
    assert written(speller, {"天": 0.9}, {"气": 0.4, "汽": 0.5}) == "天气"
    assert written(speller, {"汽": 0.4, "气": 0.5}, {"车": 0.9}) == "汽车"  # by what comes after, too


def test_what_was_clearly_heard_stays(speller):
    assert written(speller, {"天": 0.9}, {"汽": 0.9999, "气": 1e-6}) == "天汽"


def test_what_sounds_otherwise_needs_more(speller):
    assert written(speller, {"天": 0.9}, {"气": 0.4, "汽": 0.5}) == "天气"
    assert written(speller, {"天": 0.9}, {"车": 0.5, "气": 0.4}) == "天车"
    assert written(speller, {"天": 0.9}, {"车": 0.5, "气": 0.4}, {"晴": 0.9}) == "天气晴"  # so much does it take


def test_marks_stay_where_they_are(speller):
    assert written(speller, {"你": 0.9}, {"好": 0.9}, {"，": 0.9}, {"天": 0.9}, {"汽": 0.5, "气": 0.4}) == "你好，天气"


def test_a_mark_is_no_candidate_for_a_character(speller):
    assert written(speller, {"天": 0.6, "，": 0.39}, {"气": 0.9}) == "天气"


def test_nothing_heard_is_nothing_written(speller):
    assert speller.respell([], []) == []
    assert speller.respell([1, 1], heard({"，": 1.0}, {"，": 1.0})[1]) == [1, 1]


def test_the_search_finds_the_best_of_all_ways(speller):
    """Against trying all ways of writing, on random hearings."""
    random = np.random.default_rng(3)
    han = [place for place, token in enumerate(TOKENS) if speller.symbols[place]]
    for _ in range(20):
        rows = [np.log(random.dirichlet(np.full(len(TOKENS), 0.3)) + 1e-9).astype(np.float32) for _ in range(4)]
        tokens = [int(han[int(np.argmax(row[han]))]) for row in rows]

        def total(way: tuple[int, ...], rows: list[np.ndarray] = rows, tokens: list[int] = tokens) -> float:
            score, history = 0.0, np.zeros(1, np.uint64)
            for row, token, first in zip(rows, way, tokens, strict=True):
                symbol = speller.symbols[token : token + 1]
                score -= 0.0 if set(readings(TOKENS[token])) & set(readings(TOKENS[first])) else OTHER_SOUND
                score += float(row[token]) - float(np.log(np.exp(row.astype(float)).sum()))
                score += speller.weight * float(speller.ngrams.score(history, symbol)[0])
                history = speller.ngrams.after(history, symbol)
            return score + speller.weight * float(speller.ngrams.score(history, np.zeros(1, np.uint64))[0])

        ways = np.array(np.meshgrid(*[han] * 4, indexing="ij")).reshape(4, -1).T
        ways = ways[np.argsort([-sum(row[t] for row, t in zip(rows, way, strict=True)) for way in ways])[:1500]]
        best = max(total(tuple(way)) for way in ways)
        assert total(tuple(speller.respell(tokens, rows))) >= best - 1e-6


def hinted(speller: Speller, *words: str) -> Speller:
    return replace(speller, hints=Hints(words, speller.ngrams.characters))


def test_what_is_expected_is_not_improbable(speller, monkeypatch):
    """Nobody wrote 你添车; a rule that listens for it may. Among nine characters nothing is improbable by itself."""
    monkeypatch.setitem(spelling.LEAST_LOG, 2, -0.5)
    places = {"你": 0.9}, {"天": 0.3, "添": 0.6}, {"车": 0.9}
    assert written(speller, *places) == "你天车"
    assert written(hinted(speller, "你添车"), *places) == "你添车"
    assert written(hinted(speller, "你添车x天气"), *places) == "你添车", "unknown characters take words apart"


def test_what_is_expected_is_not_heard_where_it_was_not_said(speller, monkeypatch):
    monkeypatch.setitem(spelling.LEAST_LOG, 2, -0.5)
    places = {"天": 0.98, "添": 0.001}, {"气": 0.9}
    assert written(hinted(speller, "添气", "添汽"), *places) == "天气"
    assert written(hinted(speller, "汽"), {"天": 0.9}, {"气": 0.4, "汽": 0.5}) == "天气", "one character says nothing"
