"""Personal numbers are hidden however they are spoken; what is none stays; nothing hidden comes back."""

from __future__ import annotations

import random

import pytest

from monitor.asr.scripted import spoken
from monitor.core.mask import MASK, mask_text, mask_words, text_of
from monitor.core.masker import Masker, masked
from monitor.core.types import (
    Alert,
    AlertState,
    Channel,
    Event,
    Evidence,
    Heard,
    Match,
    PhraseHit,
    Severity,
    Word,
)
from monitor.wire import join_words

RATE = 8000
CUSTOMER = Channel.CUSTOMER


def heard(segment: int, text: str, start: float, *, settled: bool = True, by: Channel = CUSTOMER) -> Heard:
    """``text`` at four characters a second."""
    first, last = round(start * RATE), round((start + len(text) / 4) * RATE)
    return Heard(by, segment, first, last, spoken(text, first, last), settled)


def shown(events: list[Event]) -> dict[int, str]:
    """The last text of each segment."""
    return {e.segment: text_of(e.words) for e in events if isinstance(e, Heard)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的电话是一三八零零一三八一二三", "我的电话是一三八******二三"),
        ("幺三八零零幺三八幺二三谢谢", "幺三八******二三谢谢"),
        ("13800138123", "138******23"),
        ("138-0013-8123", "138-****-**23"),
        ("138，嗯0013 8123", "138，嗯**** **23"),
        ("１３８００１３８１２３", "１３８******２３"),
        ("一三八四个零三八一二三", "****个****二三"),
        ("二三要三八六六七", "******六七"),
        ("8765432", "*****32"),
        ("87654321对吗", "******21对吗"),
        ("057187654321", "057*******21"),
        ("110101900307123", "110**********23"),
        ("11010119900307123X", "110*************3X"),
        ("身份证11010119900307123叉对", "身份证110*************3叉对"),
        ("6222021234567890", "622***********90"),
        ("6222 0212 3456 7890 123", "622* **** **** **** *23"),
        ("壹叁捌零零壹叁捌壹贰叁", "壹叁捌******贰叁"),
    ],
)
def test_personal_numbers_are_hidden(text: str, expected: str) -> None:
    assert mask_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "一共三百二十五块六毛",
        "一百二十三万四千五百六十七元",
        "1234567元",
        "1,234,567",
        "￥12345678",
        "二零二六年一月三十一日",
        "2026-01-31 12点",
        "2026年1月31日8点30分",
        "18号楼2单元1201室",
        "请拨打10086或者95598",
        "工号100238为您服务",
        "工号一零零二三八一直在",
        "3个月5天20个人",
        "十一二十三十四十五",
        "",
    ],
)
def test_what_is_no_personal_number_stays(text: str) -> None:
    assert mask_text(text) == text


def test_words_keep_their_number_and_times() -> None:
    words = (Word("电话", 0, 10), Word("138", 10, 20), Word("0013", 20, 30, 0.5), Word("8123", 30, 40))
    out = mask_words(words)
    assert [w.text for w in out] == ["电话", "138", "****", "**23"]
    assert [(w.start, w.end, w.confidence) for w in out] == [(w.start, w.end, w.confidence) for w in words]
    assert join_words(out) == "电话138******23"


def test_a_growing_number_is_hidden_from_its_seventh_digit_on() -> None:
    assert mask_text("一三八零零一", provisional=True) == "一三八零零一"
    assert mask_text("一三八零零一三八", provisional=True) == "一三八零零一**"
    assert mask_text("一三八零零一三八一二三", provisional=True) == "一三八********"


@pytest.mark.parametrize("seed", range(60))
def test_what_was_hidden_of_a_growing_text_is_never_shown(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        "一",
        "3",
        "八",
        "零",
        "幺",
        "要",
        "个",
        "双",
        "，",
        "嗯",
        "X",
        "元",
        "十",
        "下",
        "-",
        "我",
        "2026-01-31",
        "然后",
    ]
    text = "".join(chance.choices(pieces, weights=[9, 9, 9, 9, 5, *[1] * 13], k=40))
    hidden: set[int] = set()
    for length in range(len(text) + 1):
        told = mask_text(text[:length], provisional=True)
        now = {place for place, char in enumerate(told) if char == MASK}
        assert hidden <= now, (text[:length], told)
        hidden = now


def test_a_number_over_several_segments_is_hidden_in_all_of_them() -> None:
    masker = Masker(RATE)
    assert shown(masker.apply([heard(1, "电话是一三八", 0)])) == {1: "电话是一三八"}
    early = masker.apply([heard(2, "零零一三八", 4, settled=False)])
    assert shown(early) == {2: "零零一**"}
    assert shown(masker.apply([heard(0, "一三八", 5, by=Channel.AGENT)])) == {0: "一三八"}
    second = masker.apply([heard(2, "零零一三", 4)])
    assert shown(second) == {1: "电话是***", 2: "**一三"}
    third = masker.apply([heard(3, "八一二三好", 8)])
    assert shown(third) == {2: "****", 3: "**二三好"}
    assert shown(masker.apply([heard(4, "一二三四五", 10)])) == {4: "一二三四五"}


def test_numbers_far_apart_are_two() -> None:
    assert shown(Masker(RATE).apply([heard(1, "工号一零零二", 0), heard(2, "一二三四", 10)])) == {
        1: "工号一零零二",
        2: "一二三四",
    }


def alert(text: str, start: float, end: float) -> Alert:
    evidence = (Evidence(CUSTOMER, text, round(start * RATE), round(end * RATE), Match.EXACT),)
    message = {"zh": f"没有复述：“{text}”，已过 12.5 秒", "en": f"not read back: “{text}”"}
    return Alert("p/r", 0, Severity.NOTE, AlertState.RAISED, CUSTOMER, 0, 0, 0, 0, message, evidence)


def test_evidence_and_messages_are_masked() -> None:
    (out,) = Masker(RATE).apply([alert("一三八零零一三八一二三", 0, 3)])
    assert isinstance(out, Alert)
    assert out.evidence[0].text == "一三八******二三"
    assert out.message == {
        "zh": "没有复述：“一三八******二三”，已过 12.5 秒",
        "en": "not read back: “一三八******二三”",
    }


def test_a_quoted_piece_of_a_number_is_masked_as_in_the_transcript() -> None:
    masker = Masker(RATE)
    masker.apply([heard(1, "电话是一三八零零一三八一二三", 0)])
    (out,) = masker.apply([alert("零零一三八", 1.5, 2.75)])
    assert isinstance(out, Alert)
    assert out.evidence[0].text == "*****"
    assert "零零一" not in out.message["zh"]
    (other,) = masker.apply([alert("零零一三八", 20, 21)])
    assert isinstance(other, Alert)
    assert other.evidence[0].text == "零零一三八"


def test_provisional_words_hide_no_more_of_a_quotation_once_they_are_settled() -> None:
    number, masker = "一三八零零一三八一二三", Masker(RATE)
    masker.apply([heard(1, number, 0, settled=False)])
    (early,) = masker.apply([alert(number, 0, 2.75)])
    masker.apply([heard(1, number, 0)])
    (late,) = masker.apply([alert(number, 0, 2.75)])
    assert isinstance(early, Alert)
    assert isinstance(late, Alert)
    assert early.evidence[0].text == "一三八********"
    assert late.evidence[0].text == "一三八******二三"


def test_hits_and_the_other_ear_are_masked() -> None:
    number = "一三八零零一三八一二三"
    hit = PhraseHit("p", CUSTOMER, 0, RATE, f"电话{number}", Match.EXACT, 1.0, slots=(number,))
    (out,) = Masker(RATE).apply([hit])
    assert isinstance(out, PhraseHit)
    assert (out.text, out.slots) == ("电话一三八******二三", ("一三八******二三",))
    words = spoken(number, 0, 100)
    (both,) = Masker(RATE).apply([Heard(CUSTOMER, 0, 0, 100, (), True, other=words)])
    assert isinstance(both, Heard)
    assert both.other is not None
    assert text_of(both.other) == "一三八******二三"


def test_a_whole_call_has_each_segment_once_and_knows_later_words() -> None:
    piece = alert("一三八", 0.75, 1.5)
    events: list[Event] = [heard(1, "电话是一三八", 0), piece, heard(2, "零零一三八一二三", 4)]
    out = masked(events, RATE)
    assert [type(e) for e in out] == [type(e) for e in events]
    assert shown(out) == {1: "电话是一三八", 2: "******二三"}
    assert masked(out, RATE) == out
