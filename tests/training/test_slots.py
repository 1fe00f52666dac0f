"""Slots: numbers as people say them."""

from __future__ import annotations

import re
from random import Random

import pytest

from training import slots

DRAWS = 300


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, "零"),
        (7, "七"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (99, "九十九"),
        (100, "一百"),
        (105, "一百零五"),
        (110, "一百一十"),
        (305, "三百零五"),
        (1000, "一千"),
        (1005, "一千零五"),
        (1050, "一千零五十"),
        (9999, "九千九百九十九"),
        (10_000, "一万"),
        (10_015, "一万零一十五"),
        (12_000, "一万二千"),
        (110_000, "十一万"),
        (100_305, "十万零三百零五"),
        (12_345_678, "一千二百三十四万五千六百七十八"),
    ],
)
def test_numbers_are_read_as_people_say_them(value: int, read: str) -> None:
    assert slots.cardinal(value) == read


def test_no_two_numbers_sound_alike() -> None:
    assert len({slots.cardinal(value) for value in range(20_000)}) == 20_000


@pytest.mark.parametrize("name", sorted(slots.SLOTS))
def test_every_slot_gives_chinese_characters(name: str) -> None:
    r = Random(name)
    drawn = [slots.SLOTS[name](r) for _ in range(DRAWS)]
    assert all(re.fullmatch(r"[\u4e00-\u9fff]{1,40}", text) for text in drawn)
    assert len(set(drawn)) > 2
    again = Random(name)
    assert [slots.SLOTS[name](again) for _ in range(DRAWS)] == drawn


@pytest.mark.parametrize(
    ("name", "lengths"),
    [("phone", {11}), ("idcard", {18}), ("digits4", {4}), ("digits8", {8}), ("landline", {10, 11, 12})],
)
def test_strings_of_digits_have_their_length(name: str, lengths: set[int]) -> None:
    r = Random(1)
    drawn = [slots.SLOTS[name](r) for _ in range(DRAWS)]
    assert {len(text) for text in drawn} <= lengths
    assert all(set(text) <= set(slots.DIGITS + "幺") for text in drawn)


def test_one_is_said_in_one_way_within_a_string() -> None:
    r = Random(2)
    drawn = [slots.phone(r) for _ in range(DRAWS)]
    assert all(text[0] in "一幺" and text[1] in "三四五六七八九" for text in drawn)
    assert not any("一" in text and "幺" in text for text in drawn)
    assert {"一", "幺"} <= set("".join(drawn))


def test_two_before_a_measure_word() -> None:
    r = Random(3)
    drawn = [make(r) for make in (slots.money, slots.count, slots.duration, slots.time) for _ in range(DRAWS)]
    assert not any(re.fullmatch(r"二|二(元|块|天|年|点|个|分).*", text) for text in drawn)
    assert any(text.startswith("两") for text in drawn)
