"""Readings: initial, final and tone of every character."""

from __future__ import annotations

import numpy as np
import pytest

from training.readings import FINALS, INITIALS, SIZES, readings
from training.words import level_one


def classes(initial: str, final: str, tone: int) -> list[int]:
    return [INITIALS.index(initial) + 1, FINALS.index(final), tone]


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("你好", 0, ("n", "i", 3)),
        ("你好", 1, ("h", "ao", 3)),
        ("中国", 0, ("zh", "ong", 1)),
        ("女士", 0, ("n", "v", 3)),
        ("好的", 1, ("d", "e", 5)),
        ("安全", 0, ("", "an", 1)),
        ("去银行", 2, ("h", "ang", 2)),  # not xing
        ("出行", 1, ("x", "ing", 2)),
    ],
)
def test_readings_depend_on_the_neighbours(text: str, at: int, expected: tuple[str, str, int]) -> None:
    assert readings(text)[at].tolist() == classes(*expected)


def test_marks_are_not_spoken() -> None:
    found = readings("您好，请讲。")
    assert found.shape == (6, 3)
    assert not found[[2, 5]].any() and found[[0, 1, 3, 4]].all()
    assert not readings("abc，").any()


def test_every_common_character_has_classes() -> None:
    found = np.concatenate([readings(char) for char in level_one()])
    assert (found < np.array(SIZES)).all() and (found >= 0).all()
    assert (found[:, 0] > 0).all() and (found[:, 2] > 0).all()
    unwritten = [char for char, row in zip(level_one(), found, strict=True) if not row[1]]
    assert unwritten in ([], ["嗯"])
