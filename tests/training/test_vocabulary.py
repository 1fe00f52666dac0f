"""The vocabulary, and the tokenizer that recognisers read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from training import vocabulary
from training.cli import TEXTS
from training.sentences import Sentences
from training.vocabulary import Vocabulary
from training.words import level_one


@pytest.fixture(scope="module")
def built() -> Vocabulary:
    return vocabulary.build(TEXTS)


def test_it_covers_texts_slots_and_common_characters(built: Vocabulary) -> None:
    written = {char for file in TEXTS.glob("*.txt") for char in file.read_text() if "\u4e00" <= char <= "\u9fff"}
    assert written | set(level_one()) | set("幺，。？！、") <= set(built.text)
    assert built.tokens[0] == "" and built.tokens[1] == "<unk>"
    assert all(len(token) <= 1 or token == "<unk>" for token in built.text)


def test_control_tokens_follow_the_text(built: Vocabulary) -> None:
    ids = built.ids
    assert ids["<|endoftext|>"] == len(built.text)
    assert len(built.tokens) - ids["<|0.00|>"] == 1501
    assert ids["<|30.00|>"] == len(built.tokens) - 1 and built.tokens[ids["<|0.00|>"] + 61] == "<|1.22|>"


def test_it_is_saved_and_loaded(built: Vocabulary, tmp_path: Path) -> None:
    built.save(tmp_path / "vocabulary.json")
    assert vocabulary.load(tmp_path / "vocabulary.json") == built


def test_a_token_stands_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(("", "好", "好"))


def test_the_tokenizer_gives_text_back(built: Vocabulary, tmp_path: Path) -> None:
    from random import Random

    vocabulary.save_tokenizer(built, tmp_path / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    source, r = Sentences(TEXTS, held_out=True), Random(1)
    for text in ["你好，请稍等。", "ok 123", *(source.sentence(r) for _ in range(50))]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert ids == [built.ids[char] for char in text]
        assert tokenizer.decode(ids) == text
    assert tokenizer.encode("龘").ids == [built.ids["<unk>"]]
    assert tokenizer.encode("<|zh|><|1.22|>好").ids == [built.ids[one] for one in ("<|zh|>", "<|1.22|>", "好")]
    assert tokenizer.decode([built.ids["<|zh|>"], built.ids["好"]]) == "好"
