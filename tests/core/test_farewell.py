"""How long after the farewell somebody hung up; what a turn's pace is against those before; `then` that is measured."""

from __future__ import annotations

import pytest

from monitor.core.rulebook import Channel, Expect, Keep, Limits, Never, Role, Rule, Step, Steps
from tests.scripted import AGENT, CUSTOMER, Bench, on, rule

WAITS = rule(Keep("farewell_wait", AGENT, (Limits(2, None),)))


def farewells(*rules: Rule, **more: object) -> Bench:
    return Bench(*rules, roles={"bye": Role.FAREWELL}, **more)


# ---------------------------------------------------------------- farewell_wait


@pytest.mark.parametrize("by", [AGENT, CUSTOMER])
def test_from_the_last_farewell_of_either_side(by: Channel) -> None:
    b = farewells(WAITS).heard("bye", 5, 6, by=AGENT).heard("bye", 7, 8, by=by).happen("signal:hangup", 9.5, by=AGENT)
    assert b.close(12).measured("farewell_wait") == [(8, 9.5, 1.5, "exact")]
    assert b.verdicts() == [(9.5, "broken", "")]


def test_who_waits_long_enough() -> None:
    b = farewells(WAITS).heard("bye", 5, 6).happen("signal:hangup", 9.5, by=AGENT).close(12)
    assert b.verdicts() == [(9.5, "met", "")]


def test_without_a_farewell_it_is_nothing() -> None:
    b = farewells(WAITS).heard("hello", 5, 6).happen("signal:hangup", 9.5, by=AGENT).close(12)
    assert b.measured("farewell_wait") == [(9.5, 9.5, 0, "exact")]
    assert b.verdicts() == [(9.5, "broken", "")]


def test_the_other_side_may_hang_up() -> None:
    b = farewells(WAITS).heard("bye", 5, 6).happen("signal:hangup", 6.5, by=CUSTOMER).close(12)
    assert b.verdicts() == [(6.5, "not_applicable", "")]


def test_nobody_told_who_hung_up() -> None:
    never = rule(Never(on("farewell_wait", by=AGENT, least=0.1)), "never")
    for b, over in ((farewells(WAITS, never), 12), (farewells(WAITS, never).happen("signal:hangup", 9), 9)):
        b.heard("bye", 5, 6).close(12)
        assert b.measured("farewell_wait") == []
        assert b.verdicts() == b.verdicts("never") == [(over, "cannot_tell", "not_measured")]


def test_words_that_were_not_heard_may_have_been_a_farewell() -> None:
    b = farewells(WAITS).lost(7, 8, AGENT, words=True).happen("signal:hangup", 9.5, by=AGENT).close(12)
    assert b.verdicts() == [(9.5, "cannot_tell", "audio_lost")]
    b = farewells(WAITS).lost(1, 2, AGENT, words=True).heard("bye", 5, 6).happen("signal:hangup", 9.5, by=AGENT)
    assert b.close(12).verdicts() == [(9.5, "met", "")]


# ---------------------------------------------------------------- pace_change


def test_a_turn_against_the_turns_before() -> None:
    b = Bench().speech(AGENT, 1, 6, "一" * 20).speech(AGENT, 10, 14, "二" * 12).speech(AGENT, 20, 22, "三" * 14)
    changes = b.close(30).measured("pace_change")
    assert [(start, end, round(value, 3)) for start, end, value, _ in changes] == [
        (10, 14, -0.25),  # 3 characters a second after 4
        (20, 22, round(7 / (32 / 9) - 1, 3)),
    ]


@pytest.mark.parametrize("text", ["一" * 11, "一" * 3])
def test_there_must_have_been_enough_before(text: str) -> None:
    b = Bench().speech(AGENT, 1, 6, text).speech(AGENT, 10, 14, "二" * 12).close(30)
    assert b.measured("pace_change") == []


def test_a_short_turn_or_one_that_was_not_recognised_has_none() -> None:
    b = Bench().speech(AGENT, 1, 6, "一" * 20).speech(AGENT, 10, 12, "二" * 5).speech(AGENT, 20, 24).close(30)
    assert b.measured("pace_change") == []


# ---------------------------------------------------------------- what is due is a measure


def louder(within: float = 5) -> Rule:
    return rule(Expect(on("say:quiet", by=CUSTOMER), (on("level_change", by=AGENT, least=3),), within, None))


def spoken(bench: Bench, start: float, end: float, level: float) -> Bench:
    """The agent speaks at a level, measured each second."""
    bench.speech(AGENT, start, end)
    for n in range(int(end - start)):
        bench.measure("level", start + n, start + n + 1, level)
    return bench


def told(bench: Bench) -> Bench:
    return spoken(bench, 1, 4, -30).heard("quiet", 5, 6, by=CUSTOMER)


@pytest.mark.parametrize(("level", "verdict"), [(-25, (7, "met", "")), (-29, (11, "broken", ""))])
def test_a_turn_that_began_in_time_is_waited_for(level: float, verdict: tuple[float, str, str]) -> None:
    b = spoken(told(Bench(louder())), 7, 20, level).to(20)
    assert b.verdicts() == [], "the turn goes on"
    assert b.close(40).verdicts() == [verdict]


def test_a_later_turn_is_too_late() -> None:
    b = spoken(told(Bench(louder())), 11.5, 14, -20).to(12)
    assert b.verdicts() == [(11, "broken", "")]


def test_one_turn_of_several_is_enough() -> None:
    b = spoken(spoken(told(Bench(louder())), 7, 8, -30), 10, 14, -20).close(40)
    assert b.verdicts() == [(10, "met", "")]


def test_a_turn_too_short_to_be_measured_proves_nothing() -> None:
    b = spoken(told(Bench(louder())), 7, 7.5, -30).close(40)
    assert b.verdicts() == [(11, "cannot_tell", "not_measured")]


@pytest.mark.parametrize(("text", "outcome"), [("二" * 30, "met"), ("二" * 50, "broken")])
def test_a_slower_turn(text: str, outcome: str) -> None:
    slower = rule(Expect(on("say:slow", by=CUSTOMER), (on("pace_change", by=AGENT, most=-0.1),), 5, None))
    b = Bench(slower).speech(AGENT, 1, 6, "一" * 20).heard("slow", 7, 8, by=CUSTOMER)
    assert [v[1] for v in b.speech(AGENT, 9, 19, text).close(40).verdicts()] == [outcome]


def test_a_step_that_is_measured() -> None:
    steps = (Step("louder", (on("level_change", by=AGENT, least=3),), 5),)
    r = rule(Steps(on("say:quiet", by=CUSTOMER), steps))
    assert [v[1] for v in spoken(told(Bench(r)), 7, 20, -25).close(40).verdicts()] == ["met"]
    assert [v[1] for v in spoken(told(Bench(r)), 7, 20, -29).close(40).verdicts()] == ["broken"]
