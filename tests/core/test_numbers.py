"""Dictated numbers: digits in a row, of either party."""

from __future__ import annotations

import pytest

from monitor.core.rulebook import Never, Occurrence
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule


class Listening(Bench):
    """A bench that keeps the numbers that it saw."""

    def __init__(self, **more: object) -> None:
        super().__init__(rule(Never(on("number", least=100))), **more)  # type: ignore[arg-type]
        self.seen: list[Occurrence] = []
        (machine,) = self.engine.talk.machines
        machine.see = self.seen.append  # type: ignore[method-assign]

    @property
    def numbers(self) -> list[tuple[str, float]]:
        return [(o.slots[0], o.value) for o in self.seen]


def said(text: str) -> list[tuple[str, float]]:
    return Listening().speech(CUSTOMER, 1, 1 + len(text) * 0.3, text).close(60).numbers  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("我的号码是幺三五零零二二零零三三对吗", [("13500220033", 11.0)]),
        ("一三五零零", [("13500", 5.0)]),
        ("一三五零", []),
        ("8675309", [("8675309", 7.0)]),
        ("三百二十五万六千七百八十九", [("3256789", 7.0)]),
        ("一三五零嗯零二二", [("1350022", 7.0)]),  # a hesitation is no other word
        ("一三五零然后零二二", []),
        ("八六七五三零九不对是八六七五三零八", [("8675309", 7.0), ("8675308", 7.0)]),
        ("我等一下再打一个电话", []),
    ],
)
def test_what_a_number_is(text: str, found: list[tuple[str, float]]) -> None:
    assert said(text) == found


def test_pauses_and_short_words_of_the_other_do_not_break_it() -> None:
    b = (
        Listening()
        .speech(CUSTOMER, 1, 2, "一三五")
        .speech(AGENT, 2.3, 2.6, "嗯")
        .speech(CUSTOMER, 3.5, 4.5, "零零二二")
    )
    b.speech(AGENT, 4.9, 5.2, "对").speech(CUSTOMER, 6.2, 7, "零零三三").close(20)
    assert b.numbers == [("13500220033", 11.0)]  # type: ignore[attr-defined]
    (number,) = b.seen  # type: ignore[attr-defined]
    assert (number.by, number.start, number.end) == (CUSTOMER, 1000, 7000)
    assert number.evidence[0].text == "一三五零零二二零零三三"


def test_a_longer_pause_ends_it() -> None:
    b = Listening().speech(CUSTOMER, 1, 3, "一三五零零二二").speech(CUSTOMER, 5.2, 7, "零零三三零零三").close(20)
    assert b.numbers == [("1350022", 7.0), ("0033003", 7.0)]  # type: ignore[attr-defined]


def test_it_is_known_two_seconds_after_its_last_digit() -> None:
    b = Listening().speech(CUSTOMER, 1, 3, "一三五零零二二").to(5.0)
    assert b.numbers == []  # type: ignore[attr-defined]
    assert b.engine.talk.desk.in_number(CUSTOMER, 1500)
    assert not b.engine.talk.desk.in_number(AGENT, 1500)
    b.to(5.01)
    assert b.numbers == [("1350022", 7.0)]  # type: ignore[attr-defined]
    assert not b.engine.talk.desk.in_number(CUSTOMER, 1500)


def test_who_began_again_in_time_is_waited_for() -> None:
    b = Listening().speech(CUSTOMER, 1, 3, "一三五零零二二").speech(CUSTOMER, 4.8, 7, "零零三三").to(6)
    assert b.numbers == []  # type: ignore[attr-defined]
    assert b.close(20).numbers == [("13500220033", 11.0)]  # type: ignore[attr-defined]


def test_sounds_without_words_do_not_hold_it_open() -> None:
    b = Listening().speech(CUSTOMER, 1, 3, "一三五零零二二").speech(CUSTOMER, 4.8, 7).to(8)
    assert b.numbers == [("1350022", 7.0)]  # type: ignore[attr-defined]


def test_each_party_says_its_own() -> None:
    b = Listening().speech(CUSTOMER, 1, 3, "一三五零零二二").speech(AGENT, 1.2, 3.2, "八六七五三零九").close(20)
    assert [(o.by, o.slots) for o in b.seen] == [(CUSTOMER, ("1350022",)), (AGENT, ("8675309",))]  # type: ignore[attr-defined]


def test_on_a_mixed_channel_there_are_numbers_too() -> None:
    b = Listening(mixed=True).speech(MIXED, 1, 3, "一三五零零二二").close(20)
    assert b.numbers == [("1350022", 7.0)]  # type: ignore[attr-defined]


def test_the_end_of_the_call_ends_it() -> None:
    b = Listening().speech(CUSTOMER, 1, 3, "一三五零零二二").close(3.5)
    assert b.numbers == [("1350022", 7.0)]  # type: ignore[attr-defined]


def test_least_and_most() -> None:
    b = Bench(rule(Never(on("number", by=CUSTOMER, least=7, most=8)))).speech(CUSTOMER, 1, 3, "一三五零零二")
    assert b.speech(CUSTOMER, 10, 13, "一三五零零二二").close(20).verdicts() == [(10, "broken", "")]
