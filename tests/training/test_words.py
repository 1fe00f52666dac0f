"""General vocabulary from the segmenter's dictionary."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from training.words import KEPT, Words, level_one

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def test_the_first_level_has_3755_characters() -> None:
    assert len(level_one()) == len(set(level_one())) == 3755
    assert {"啊", "座", "的", "您"} <= set(level_one()) and "镕" not in level_one()


def test_words_are_drawn_by_kind_and_length(words: Words) -> None:
    r = Random(1)
    drawn = [words.draw("n", 2, r) for _ in range(200)]
    assert all(word is not None and len(word) == 2 for word in drawn)
    assert len(set(drawn)) > 150
    assert words.draw("n", 9, r) is None and words.draw("nothing", 2, r) is None


def test_a_share_of_the_content_words_is_exchanged(words: Words) -> None:
    text = "请问您的订单有什么问题？我们会尽快安排师傅上门检查。"
    assert words.vary(text, Random(1), share=0.0) == text
    varied = [words.vary(text, Random(seed), share=1.0) for seed in range(20)]
    assert text not in varied and len(set(varied)) == 20
    assert all(one.count("？") == one.count("。") == 1 for one in varied)
    assert all(char in one for one in varied for char in "您的有我会" if char in KEPT)


def test_strings_of_words_hold_common_characters_only(words: Words) -> None:
    r, common = Random(4), set(level_one())
    drawn = [words.string(r) for _ in range(200)]
    assert all(2 <= len(text) <= 35 and set(text) <= common for text in drawn)


def test_loading_warns_of_nothing() -> None:
    """The segmenter's own code is old; who runs with warnings as errors must not be stopped by it."""
    code = "from training.words import Words; print(Words().draw('n', 2, __import__('random').Random(1)))"
    command = [sys.executable, "-B", "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert len(done.stdout.strip()) == 2
