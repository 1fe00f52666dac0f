from __future__ import annotations

from itertools import product

import pytest

from monitor.core.phonetics import WHOLE, distance, parts

SYLLABLES = (
    "a",
    "ai",
    "er",
    "yi",
    "wu",
    "yuan",
    "wo",
    "ni",
    "nv",
    "hui",
    "fei",
    "zhi",
    "si",
    "jiu",
    "xiong",
    "deng",
    "ma",
)


@pytest.mark.parametrize(
    ("syllable", "expected"),
    [
        ("shuang", ("s", "u", "a", "n")),
        ("yuan", ("", "v", "a", "n")),
        ("wo", ("", "u", "o", "")),
        ("jiu", ("j", "i", "o", "u")),
        ("qu", ("q", "v", "", "")),
        ("nv", ("l", "v", "", "")),
        ("hui", ("h", "u", "e", "i")),
        ("yin", ("", "i", "e", "n")),
        ("er", ("", "", "e", "r")),
        ("bo", ("b", "u", "o", "")),
    ],
)
def test_parts(syllable: str, expected: tuple[str, str, str, str]) -> None:
    assert parts(syllable) == expected


@pytest.mark.parametrize("pair", ["zhi zi", "ni li", "xiang xian", "hui fei", "en n"])
def test_what_folding_makes_equal_is_no_distance_apart(pair: str) -> None:
    assert distance(*pair.split()) == 0


@pytest.mark.parametrize(
    ("near", "far"),
    [("ba pa", "ba la"), ("deng dang", "deng dou"), ("jiu qiu", "jiu niu"), ("gao kao", "gao kou"), ("wu yu", "wu a")],
)
def test_what_is_spoken_alike_is_nearer(near: str, far: str) -> None:
    assert 0 < distance(*near.split()) < distance(*far.split()) <= WHOLE


def test_distances_are_mutual_and_at_most_whole() -> None:
    for one, other in product(SYLLABLES, SYLLABLES):
        assert distance(one, other) == distance(other, one)
        assert 0 <= distance(one, other) <= WHOLE
    assert distance("ma", "xiong") == WHOLE
