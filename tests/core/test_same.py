"""`same`: what is said must repeat what was said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.rulebook import Expect, Occurrence, Pattern, Rule, Step, Steps, repeats
from tests.scripted import AGENT, CUSTOMER, Bench, on, rule

AGAIN = replace(on("number", by=AGENT), same=True)
GIVEN = on("number", by=CUSTOMER, least=7)


def read_back(within: float = 10, **more: object) -> Rule:
    return rule(Expect(GIVEN, (AGAIN,), within, None, **more))  # type: ignore[arg-type]


def number(bench: Bench, at: float, text: str, by: object = CUSTOMER, pace: float = 0.3) -> Bench:
    return bench.speech(by, at, at + len(text) * pace, text)  # type: ignore[arg-type]


def slots(*said: str) -> Occurrence:
    return Occurrence("x", None, 0, 0, 0, slots=said)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("幺三五零零", "13500", True),
        ("一三五〇〇", "一三五零零", True),
        ("13500", "13501", False),
        ("13500", "135001", False),
        ("張先生", "张先生", True),
        ("张", "章", False),
        ("二十五", "25", True),
    ],
)
def test_what_is_the_same(one: str, other: str, same: bool) -> None:
    assert repeats(slots(one), slots(other)) is same
    assert repeats(slots("李", one), slots(other)) is same
    assert not repeats(slots(), slots(other))


def test_a_number_read_back() -> None:
    b = number(number(Bench(read_back()), 1, "幺三五零零二二"), 6, "您的号码是一三五零零二二对吗", AGENT)
    assert b.close(40).verdicts() == [(7.5, "met", "")]


def test_another_number_is_none() -> None:
    b = number(number(Bench(read_back()), 1, "一三五零零二二"), 6, "您的号码是一三五零零二三对吗", AGENT)
    assert b.close(40).verdicts() == [(pytest.approx(13.1), "broken", "")]


def test_a_read_back_that_begins_in_time_may_end_later() -> None:
    b = number(number(Bench(read_back(4)), 1, "一三五零零二二"), 6.8, "一三五零零二二", AGENT, 0.6).to(12)
    assert b.verdicts() == [], "the number is still being said"
    assert b.close(40).verdicts() == [(6.8, "met", "")]


def test_pieces_repeated_one_by_one() -> None:
    b = number(number(Bench(read_back()), 1, "一三五零"), 2.4, "一三五零", AGENT)
    b = number(number(b, 3.9, "零二二"), 5, "零二二", AGENT)
    assert b.close(40).verdicts() == [(2.4, "met", "")]


def test_a_number_that_is_corrected_may_be_repeated_either_way() -> None:
    b = number(number(Bench(read_back()), 1, "一三五零零二三"), 4, "不是是一三五零零二二")
    b = number(b, 9, "一三五零零二二", AGENT)
    assert b.close(40).verdicts() == [(9, "met", "")]


def test_a_number_of_which_something_was_lost_cannot_be_compared() -> None:
    b = number(number(Bench(read_back()), 1, "一三五零零二二"), 6, "一三五零零二三", AGENT).lost(2, 2.5)
    assert b.close(40).verdicts() == [(pytest.approx(13.1), "cannot_tell", "audio_lost")]


def test_words_in_slots() -> None:
    name = rule(Expect(on("say:name", by=CUSTOMER), (replace(on("say:repeat", by=AGENT), same=True),), 5, None))
    for again, outcome in (("张", "met"), ("李", "broken")):
        b = Bench(name)
        b.engine.put_words(Occurrence("say:name", CUSTOMER, 1000, 2000, 2000, slots=("張",)))
        b.engine.put_words(Occurrence("say:repeat", AGENT, 3000, 4000, 4000, slots=(again,)))
        assert [v[1] for v in b.close(20).verdicts()] == [outcome]


def test_a_repetition_that_was_not_heard_well_is_a_doubt() -> None:
    name = rule(Expect(on("say:name", by=CUSTOMER), (replace(on("say:repeat", by=AGENT), same=True),), 5, None))
    b = Bench(name)
    b.engine.put_words(Occurrence("say:name", CUSTOMER, 1000, 2000, 2000, slots=("张",)))
    b.engine.put_words(Occurrence("say:repeat", AGENT, 3000, 4000, 4000, score=0.3, slots=("李",)))
    assert b.close(20).verdicts() == [(7, "cannot_tell", "low_confidence")]


@pytest.mark.parametrize(("again", "outcome"), [("一三五零零二二", "met"), ("一三五零零二三", "broken")])
def test_a_step_that_repeats(again: str, outcome: str) -> None:
    steps = (Step("read-back", (AGAIN,), 8), Step("thanks", (Pattern(("say:thanks",), AGENT),), 8))
    b = number(Bench(rule(Steps(GIVEN, steps))), 1, "一三五零零二二")
    b = number(b, 6, again, AGENT).heard("thanks", 9, 10)
    assert [v[1] for v in b.close(40).verdicts()] == [outcome]
