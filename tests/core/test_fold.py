from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.fold import digits, fold, fold_char, fold_syllable, sounds_like, spell, syllables


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("請問您貴姓？", "请问您贵姓"),
        ("10086", "一零零八六"),
        ("幺零零八六", "一零零八六"),
        ("二〇二四", "二零二四"),
        ("１２３ＡＢＣ", "一二三abc"),
        ("Wi-Fi 密码，是 8", "wifi密码是八"),
        ("，。！？…—「」 \n", ""),
        ("", ""),
        ("妳好", "你好"),
        ("㎡", "m二"),
    ],
)
def test_text_is_folded_to_one_spelling(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_each_folded_character_knows_where_it_came_from() -> None:
    assert spell("您，1A㎡") == [("您", 0), ("一", 2), ("a", 3), ("m", 4), ("二", 4)]


@given(st.text(max_size=30), st.text(max_size=30))
def test_folding_does_not_depend_on_where_text_is_cut(one: str, other: str) -> None:
    assert fold(one + other) == fold(one) + fold(other)


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_and_mapping_agrees(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert "".join(folded for folded, _ in spell(text)) == fold(text)
    assert all(folded in fold_char(text[index]) for folded, index in spell(text))


@pytest.mark.parametrize(
    ("one", "other"),
    ["知资", "吃雌", "是四", "南蓝", "您零", "因英", "真正", "商三", "发花", "飞灰", "饭换", "风红", "嗯恩", "女旅"],
)
def test_usual_confusions_sound_alike(one: str, other: str) -> None:
    assert sounds_like(one, other)


@pytest.mark.parametrize(("one", "other"), ["你您", "再见", "客户", "请问", "高考", "八爸"[:1] + "怕", "人冷"])
def test_different_sounds_stay_different(one: str, other: str) -> None:
    assert not sounds_like(one, other)


def test_all_readings_count() -> None:
    assert set(syllables("行")) >= {"xin", "fan"}  # xing, hang
    assert set(syllables("还")) >= {"fai", "fan"}  # hai, huan


def test_letters_sound_like_themselves_and_rare_characters_are_kept() -> None:
    assert syllables("a") == ("a",)
    assert fold("龘") == "龘"


@pytest.mark.parametrize(("syllable", "folded"), [("shuang", "suan"), ("n", "en"), ("hun", "fen"), ("hu", "fu")])
def test_syllables_are_folded(syllable: str, folded: str) -> None:
    assert fold_syllable(syllable) == folded


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("幺三八零零幺三八零零零", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("三两五", "325"),
        ("两个", ""),
        ("二十五", "25"),
        ("十二", "12"),
        ("十", "10"),
        ("一百二", "120"),
        ("一百零二", "102"),
        ("一千零五十", "1050"),
        ("两万三", "23000"),
        ("一亿零三百万", "103000000"),
        ("一三八十五", "1385"),
        ("千万不要", ""),
        ("万一", "1"),
        ("没有数字", ""),
    ],
)
def test_numbers_are_written_in_digits(text: str, number: str) -> None:
    assert digits(text) == number


def test_short_numbers_can_be_left_out() -> None:
    assert digits("查一下八六五四", shortest=3) == "8654"


@given(st.integers(min_value=0, max_value=10**12))
def test_digits_of_a_number_are_its_digits(number: int) -> None:
    assert digits(str(number)) == str(number)
    assert digits(fold(str(number)).replace("一", "幺")) == str(number)


@given(st.text(alphabet="零一二三四五六七八九两十百千万亿幺下", max_size=12))
def test_any_run_of_numerals_gives_digits(text: str) -> None:
    assert digits(text).isdigit() or digits(text) == ""
