"""Turns, overlap, barge-in, the level from turn to turn."""

from __future__ import annotations

import pytest

from monitor.core.rulebook import Never, Per, Tally
from monitor.core.types import Overlap, TurnEnded
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule


def turns(bench: Bench) -> list[tuple[str, float, float, float]]:
    return [(t.channel.value, t.start / 1000, t.end / 1000, t.speech / 1000) for t in bench.of(TurnEnded)]


def overlaps(bench: Bench) -> list[tuple[str, float, float, float, bool]]:
    return [(o.by.value, o.start / 1000, o.end / 1000, o.other_since / 1000, o.yielded) for o in bench.of(Overlap)]


def test_pauses_up_to_a_second_are_within_a_turn() -> None:
    b = Bench().speech(AGENT, 1, 2).speech(AGENT, 3, 4).speech(AGENT, 5.1, 6).close(9)
    assert turns(b) == [("agent", 1, 4, 2), ("agent", 5.1, 6, 0.9)]


def test_each_party_has_its_turns() -> None:
    b = Bench().speech(AGENT, 1, 2).speech(CUSTOMER, 1.5, 2.5).speech(AGENT, 2.6, 3).close(9)
    assert turns(b) == [("customer", 1.5, 2.5, 1), ("agent", 1, 3, 1.4)]


def test_a_turn_is_known_a_second_after_it() -> None:
    b = Bench().speech(AGENT, 1, 2).to(3)
    assert turns(b) == []
    assert turns(b.to(3.001)) == [("agent", 1, 2, 1)]
    assert b.of(TurnEnded)[0].known == 3000


def test_a_turn_at_the_end_of_the_call() -> None:
    assert turns(Bench().speech(AGENT, 1, 2).close(2.5)) == [("agent", 1, 2, 1)]


def test_the_turns_length_can_be_ruled() -> None:
    r = rule(Never(on("turn_end", by=AGENT, least=3)))
    assert Bench(r).speech(AGENT, 1, 2).speech(AGENT, 5, 8.5).close(20).verdicts() == [(5, "broken", "")]


# ---------------------------------------------------------------- overlap


def test_overlap_when_the_first_yields() -> None:
    b = Bench().speech(CUSTOMER, 1, 4).speech(AGENT, 3, 6).close(9)
    assert overlaps(b) == [("agent", 3, 4, 1, True)]
    assert b.measured("overlap") == [(3, 4, 1, "exact")]


def test_overlap_when_the_second_gives_up() -> None:
    assert overlaps(Bench().speech(CUSTOMER, 1, 6).speech(AGENT, 3, 4).close(9)) == [("agent", 3, 4, 1, False)]


def test_overlap_of_stubborn_parties() -> None:
    b = Bench().speech(CUSTOMER, 1, 5).speech(AGENT, 3, 7).close(9)
    assert overlaps(b) == [("agent", 3, 5, 1, False)], "2 s are no yielding"


def test_no_overlap() -> None:
    b = Bench().speech(CUSTOMER, 1, 3).speech(AGENT, 3.1, 4).close(9)
    assert overlaps(b) == [], "the customer's end is known only after the agent began"
    assert b.measured("overlap") == []


def test_nothing_overlaps_on_a_mixed_channel() -> None:
    assert overlaps(Bench(mixed=True).speech(MIXED, 1, 3).speech(MIXED, 5, 6).close(9)) == []


@pytest.mark.parametrize(
    ("customer", "agent", "cut_off"),
    [
        ((1, 4), (3, 6), True),
        ((1, 3.8), (3, 6), True),
        ((1, 3.7), (3, 6), False),  # less than 0.8 s at once
        ((1, 4.8), (3, 6), True),
        ((1, 4.9), (3, 6), False),  # did not yield within a second
        ((2.5, 4), (3, 6), True),
        ((2.6, 4), (3, 6), False),  # had hardly begun
        ((1, 6), (3, 4), False),  # the agent gave up
        ((3, 4), (1, 6), False),  # the agent spoke first
    ],
)
def test_barging_in(customer: tuple[float, float], agent: tuple[float, float], cut_off: bool) -> None:
    r = rule(Tally(on("barge_in", by=AGENT), Per.CALL, most=0))
    b = Bench(r).speech(CUSTOMER, *customer).speech(AGENT, *agent).close(9)
    assert [v[1] for v in b.verdicts()] == ["broken" if cut_off else "met"]


# ---------------------------------------------------------------- level


def test_the_level_of_a_turn_and_its_change() -> None:
    b = Bench().speech(AGENT, 1, 4)
    b.measure("level", 1, 2, -20).measure("level", 2, 3, -22).measure("level", 2, 3, -50, by=CUSTOMER)
    b.speech(AGENT, 6, 8).speech(AGENT, 10, 11).measure("level", 10, 11, -27).close(20)
    assert b.measured("turn_level") == [(1, 4, -21, "exact"), (10, 11, -27, "exact")]
    assert b.measured("level_change") == [(10, 11, -6, "exact")]
