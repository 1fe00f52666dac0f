"""From tokens of every kind to characters with times."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.asr.errors import NotWhole
from monitor.asr.tokens import Tokens, common_character, read_tokens

SYLLABLES = [f"{i}{f}{tone}" for i in "nhltd" for f in ("i", "ao", "a", "an", "ai") for tone in range(1, 6)]


def heard(table: list[str], tokens: list[str], starts: list[float], end: float = 9.0) -> list[tuple[str, float, float]]:
    timed = Tokens(table).timed(tokens, starts, [0.9] * len(tokens), end)
    return [(char.text, round(char.start, 3), round(char.end, 3)) for char in timed]


def text(table: list[str], tokens: list[str]) -> str:
    return "".join(char for char, _, _ in heard(table, tokens, [n * 0.2 for n in range(len(tokens))]))


def test_a_character_lasts_until_the_next_and_no_longer_than_it_can():
    table = ["<blk>", "您", "好"]
    assert heard(table, ["您", "好"], [0.5, 0.7]) == [("您", 0.5, 0.7), ("好", 0.7, 1.0)]
    assert heard(table, ["您", "好"], [0.5, 2.0], end=2.1) == [("您", 0.5, 0.8), ("好", 2.0, 2.1)]


def test_a_token_of_several_characters_is_split_evenly():
    assert heard(["<blk>", "您好", "请"], ["您好", "请"], [1.0, 1.4]) == [
        ("您", 1.0, 1.2),
        ("好", 1.2, 1.4),
        ("请", 1.4, 1.7),
    ]


def test_pieces_of_words_are_put_together():
    assert text(["<blk>", "▁GA", "S", "▁METER", "气"], ["气", "▁GA", "S", "▁METER"]) == "气 GAS METER"
    # sherpa-onnx itself hands on a space for the mark
    assert text(["<blk>", "▁GA", "S", "气"], [" GA", "S", "气"]) == " GAS气"
    assert (
        text(["<blank>", "com@@", "pu@@", "ter", "ok", "你"], ["com@@", "pu@@", "ter", "ok", "你"]) == "computer ok你"
    )


def test_bytes_are_put_together_and_half_a_character_waits():
    table = ["<blk>", *(f"<0x{byte:02X}>" for byte in range(256)), "好"]
    tokens = ["好", *(f"<0x{byte:02X}>" for byte in "您".encode())]
    assert text(table, tokens) == "好您"
    assert text(table, tokens[:-1]) == "好"
    assert heard(table, tokens, [0.0, 0.2, 0.24, 0.28])[1] == ("您", 0.2, 0.5)


def test_byte_level_bpe_is_read():
    letters = [chr(code) for code in range(0x100, 0x1A7) if code not in (0x132, 0x133, 0x13F, 0x140, 0x149, 0x17F)]
    written = letters[:32] + [chr(code) for code in range(32, 127)] + letters[32:]
    word = "".join(written[byte] for byte in "燃气".encode())
    table = ["<blk>", "▁" + word[:4], word[4:], "A", "▁"]
    assert Tokens(table).byte_bpe
    assert text(table, ["▁" + word[:4], word[4:], "A"]) == " 燃气A"


def test_syllables_become_frequent_characters_of_their_sound():
    assert [common_character(syllable) for syllable in ("ni", "hao", "nin", "lv", "xyz")] == [
        "你",
        "好",
        "您",
        "绿",
        "xyz",
    ]
    table = ["<blk>", *SYLLABLES]
    assert Tokens(table).syllabic
    assert text(table, ["ni3", "hao3"]) == "你好"


def test_latin_letters_are_no_syllables_where_there_are_characters():
    assert not Tokens(["<blk>", *SYLLABLES, "好"]).syllabic
    assert text(["<blk>", "a", "好"], ["a", "好"]) == "a好"


def test_marks_of_the_model_are_not_written():
    assert text(["<blk>", "<unk>", "[SPN]", "好"], ["<unk>", "好", "[SPN]"]).strip() == "好"


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("<blk> 0\n好\n", "line 2 is not"),
        ("<blk> 0\n好 2\n", "without a gap"),
        ("", "without a gap"),
    ],
)
def test_a_damaged_list_says_how(tmp_path: Path, written: str, what: str):
    file = tmp_path / "tokens.txt"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(NotWhole, match=what):
        read_tokens(file)


def test_a_list_of_something_else_is_refused(tmp_path: Path):
    file = tmp_path / "tokens.txt"
    file.write_bytes(bytes(range(128, 200)))
    with pytest.raises(NotWhole, match="UTF-8"):
        read_tokens(file)
