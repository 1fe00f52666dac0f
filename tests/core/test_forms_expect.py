"""Form `expect`: after A comes B."""

from __future__ import annotations

import pytest

from monitor.core.rulebook import Excuse, Expect, Frequency, Pattern, Quiet, Rule
from monitor.core.types import Alert, Due
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule


def thanked(within: float | None = 5, **more: object) -> Rule:
    """When the customer thanks, the agent answers."""
    form = Expect(on("say:thanks", by=CUSTOMER), (on("say:welcome", by=AGENT), on("say:bye", by=AGENT)), within, None)
    return rule(form, **more)


def before_end(before: float, within: float | None = None, **more: object) -> Rule:
    return rule(Expect(on("ended"), (on("say:bye", by=AGENT),), within, before), **more)


def thanks(bench: Bench, at: float = 1, **more: object) -> Bench:
    return bench.heard("thanks", at, at + 1, by=CUSTOMER, **more)  # type: ignore[arg-type]


def dues(bench: Bench) -> list[tuple[int, float, float | None, str]]:
    return [(d.occasion, d.at / 1000, d.deadline and d.deadline / 1000, d.state.value) for d in bench.of(Due)]


# ---------------------------------------------------------------- within


@pytest.mark.parametrize("answer", ["welcome", "bye"])
def test_answered_in_time(answer: str) -> None:
    b = thanks(Bench(thanked())).heard(answer, 3, 4).close(20)
    assert b.verdicts() == [(3, "met", "")]
    assert dues(b) == [(1, 2, 7, "pending"), (1, 2, 7, "done")]


def test_not_answered() -> None:
    b = thanks(Bench(thanked())).to(7)
    assert b.verdicts() == []
    b.to(7.01)
    assert b.verdicts() == [(7, "broken", "")]
    (alert,) = b.of(Alert)
    assert (alert.channel, alert.start, alert.end, alert.at) == (AGENT, 2000, 7000, 7000)
    assert dues(b)[-1] == (1, 2, 7, "done")


def test_what_begins_on_the_deadline_is_in_time_and_a_little_later_is_not() -> None:
    assert thanks(Bench(thanked())).speech(AGENT, 7, 9).heard("welcome", 7, 8).close(20).verdicts() == [(7, "met", "")]
    b = thanks(Bench(thanked())).speech(AGENT, 6.9, 9).heard("welcome", 7.1, 8).close(20)
    assert b.verdicts() == [(7, "broken", "")]


def test_what_was_said_before_does_not_count_but_a_little_overlap_does() -> None:
    assert thanks(Bench(thanked())).heard("welcome", 1.5, 2.5).close(20).verdicts() == [(7, "broken", "")]
    assert thanks(Bench(thanked())).heard("welcome", 1.8, 2.5).close(20).verdicts() == [(1.8, "met", "")]


def test_the_customers_own_words_do_not_count() -> None:
    b = thanks(Bench(thanked())).heard("welcome", 3, 4, by=CUSTOMER).close(20)
    assert b.verdicts() == [(7, "broken", "")]


def test_a_second_occasion_while_the_first_is_open_belongs_to_it() -> None:
    b = thanks(thanks(Bench(thanked()), 1), 3).heard("welcome", 5, 6)
    assert b.close(20).verdicts() == [(5, "met", "")]


def test_each_occasion_has_its_verdict() -> None:
    b = thanks(thanks(Bench(thanked()), 1), 10).heard("welcome", 12, 13).close(30)
    assert b.verdicts() == [(7, "broken", ""), (12, "met", "")]


def test_only_the_first_occasion() -> None:
    form = Expect(on("say:thanks", by=CUSTOMER), (on("say:welcome", by=AGENT),), 5, None, once=True)
    b = thanks(thanks(Bench(rule(form)), 1), 10).close(30)
    assert b.verdicts() == [(7, "broken", "")]


def test_no_occasion() -> None:
    assert Bench(thanked()).close(5).verdicts() == [(5, "not_applicable", "")]


def test_what_was_said_before_the_occasion_was_known_counts() -> None:
    form = Expect(on("turn_end", by=CUSTOMER), (on("say:yes", by=AGENT),), 3, None)
    b = Bench(rule(form)).speech(CUSTOMER, 1, 4).speech(AGENT, 4.2, 4.7).heard("yes", 4.2, 4.6).close(20)
    assert b.verdicts() == [(4.2, "met", "")], "the turn's end is known only a second after it"


def test_the_frequency_limit() -> None:
    b = thanks(thanks(Bench(thanked(frequency=Frequency(1))), 1), 10).close(30)
    assert [v[1] for v in b.verdicts()] == ["broken", "broken"]
    assert len(b.alerts()) == 1


def test_an_excuse() -> None:
    b = thanks(Bench(thanked(excuses=(Excuse(on("hold_start"), before=3),)))).happen("hold_start", 6).close(20)
    assert b.verdicts() == [(7, "not_applicable", "excused")]
    b = thanks(Bench(thanked(excuses=(Excuse(on("say:busy"), before=3),)))).heard("busy", 6, 6.5, faint=True).close(20)
    assert b.verdicts() == [(7, "cannot_tell", "low_confidence")]


# ---------------------------------------------------------------- the deadline in the middle of a turn


def test_a_phrase_begun_in_time_is_waited_for() -> None:
    b = thanks(Bench(thanked())).begins(AGENT, 6).to(8)
    assert b.verdicts() == []
    b.happen("speech_end", 6, 9, by=AGENT, known=9.3).heard("welcome", 6.9, 8.9).to(11)
    assert b.verdicts() == [(6.9, "met", "")]


def test_a_turn_without_the_phrase_is_broken_when_it_ends() -> None:
    b = thanks(Bench(thanked())).speech(AGENT, 6, 9).to(10)
    assert b.verdicts() == []
    assert b.to(10.3).verdicts() == [(7, "broken", "")]
    assert b.of(Alert)[0].raised_at >= 10000


def test_an_endless_turn_is_not_waited_for() -> None:
    b = thanks(Bench(thanked())).begins(AGENT, 6).to(15.3)
    assert b.verdicts() == [(7, "broken", "")]


def test_only_the_agents_turn_is_waited_for() -> None:
    b = thanks(Bench(thanked())).begins(CUSTOMER, 6).to(7.1)
    assert b.verdicts() == [(7, "broken", "")]


def test_lost_audio_in_the_phrase_that_was_waited_for() -> None:
    b = thanks(Bench(thanked())).speech(AGENT, 6, 9).lost(8, 8.2).close(20)
    assert b.verdicts() == [(7, "cannot_tell", "audio_lost")]


# ---------------------------------------------------------------- doubt


def test_lost_audio_in_the_window() -> None:
    assert thanks(Bench(thanked())).lost(6.9, 7.5).close(20).verdicts() == [(7, "cannot_tell", "audio_lost")]
    assert thanks(Bench(thanked())).lost(7, 7.5).close(20).verdicts() == [(7, "broken", "")]


def test_words_that_were_not_recognised() -> None:
    b = thanks(Bench(thanked())).lost(3, 4, AGENT, words=True, why="recogniser_failed").close(20)
    assert b.verdicts() == [(7, "cannot_tell", "recogniser_failed")]
    b = thanks(Bench(thanked())).lost(3, 4, CUSTOMER, words=True, why="recogniser_failed").close(20)
    assert b.verdicts() == [(7, "broken", "")]


def test_what_needs_no_words_is_judged_without() -> None:
    form = Expect(on("hold_end"), (on("speech_start", by=AGENT),), 5, None)
    b = Bench(rule(form)).happen("signal:hold", 1).happen("signal:resume", 2)
    b.lost(3, 4, AGENT, words=True, why="no_recogniser")
    assert b.close(20).verdicts() == [(7, "broken", "")]


def test_an_unsure_answer_is_neither() -> None:
    b = thanks(Bench(thanked(sure=0.8))).heard("welcome", 3, 4, score=0.6).close(20)
    assert b.verdicts() == [(7, "cannot_tell", "low_confidence")]
    b = thanks(Bench(thanked(sure=0.8))).heard("welcome", 3, 4, score=0.6).heard("welcome", 5, 6).close(20)
    assert b.verdicts() == [(5, "met", "")]


def test_an_unsure_occasion_demands_nothing() -> None:
    b = thanks(Bench(thanked(sure=0.8)), score=0.6).close(20)
    assert b.verdicts() == [(20, "cannot_tell", "low_confidence")]


def test_on_a_mixed_channel_nobody_knows_who_thanked() -> None:
    b = Bench(thanked(), mixed=True).heard("thanks", 1, 2, by=MIXED).close(20)
    assert b.verdicts() == [(20, "cannot_tell", "mixed_channel")]


# ---------------------------------------------------------------- before


def test_said_before() -> None:
    b = Bench(before_end(20)).heard("bye", 10, 11).happen("signal:hangup", 25, by=CUSTOMER).close(26)
    assert b.verdicts() == [(10, "met", "")]
    assert b.of(Due) == [] or dues(b)[-1][3] == "done"


def test_said_too_long_before() -> None:
    b = (
        Bench(before_end(20))
        .speech(CUSTOMER, 4, 5)
        .heard("bye", 4, 5)
        .happen("signal:hangup", 25, by=CUSTOMER)
        .close(26)
    )
    assert b.verdicts() == [(25, "broken", "")]
    (alert,) = b.of(Alert)
    assert (alert.start, alert.end) == (5000, 25000)


def test_the_end_of_the_audio_is_the_end_too() -> None:
    assert Bench(before_end(20)).heard("bye", 4, 5).close(10).verdicts() == [(4, "met", "")]
    assert Bench(before_end(20)).speech(CUSTOMER, 4, 5).close(10).verdicts() == [(10, "broken", "")]


def test_a_call_without_a_voice_is_not_held_against_the_agent() -> None:
    assert Bench(before_end(20)).close(10).verdicts() == [(10, "cannot_tell", "nothing_heard")]


def test_before_or_within() -> None:
    form = Expect(on("hold_start"), (on("say:wait", by=AGENT),), 5, 10)
    hold = ("signal:hold", 12)
    assert Bench(rule(form)).heard("wait", 3, 4).happen(*hold).close(30).verdicts() == [(3, "met", "")]
    assert Bench(rule(form)).heard("wait", 14, 15).happen(*hold).close(30).verdicts() == [(14, "met", "")]
    assert Bench(rule(form)).heard("wait", 1, 1.5).happen(*hold).close(30).verdicts() == [(17, "broken", "")]


def test_lost_audio_before() -> None:
    b = Bench(before_end(20)).lost(9, 10).close(20)
    assert b.verdicts() == [(20, "cannot_tell", "audio_lost")]


def test_an_unsure_answer_before() -> None:
    b = Bench(before_end(20, sure=0.8)).heard("bye", 10, 11, score=0.6).close(20)
    assert b.verdicts() == [(20, "cannot_tell", "low_confidence")]


# ---------------------------------------------------------------- the call ends


def test_the_call_ends_before_the_deadline() -> None:
    assert thanks(Bench(thanked())).close(4).verdicts() == [(4, "not_applicable", "call_ended")]


def test_after_the_hangup_nothing_is_due_though_the_recording_goes_on() -> None:
    b = thanks(Bench(thanked())).happen("signal:hangup", 4, by=CUSTOMER).close(30)
    assert b.verdicts() == [(4, "not_applicable", "call_ended")]


def test_the_deadline_passed_while_the_turn_went_on_to_the_end() -> None:
    b = thanks(Bench(thanked())).begins(AGENT, 6).happen("speech_end", 6, 8, by=AGENT).close(8)
    assert b.verdicts() == [(7, "broken", "")]


def test_before_the_call_ends() -> None:
    r = thanked(within=None)
    assert thanks(Bench(r)).heard("welcome", 90, 91).close(100).verdicts() == [(90, "met", "")]
    b = thanks(Bench(r)).close(100)
    assert b.verdicts() == [(100, "broken", "")]
    assert dues(b)[0] == (1, 2, None, "pending")


# ---------------------------------------------------------------- quiet


def quiet_rule() -> Rule:
    when = Pattern(("answered",), quiet=Quiet(CUSTOMER, 6))
    return rule(Expect(when, (on("say:hear-me", by=AGENT),), 5, None))


def test_the_customer_keeps_silent() -> None:
    b = Bench(quiet_rule()).happen("signal:answered", 1).close(30)
    assert b.verdicts() == [(12, "broken", "")]
    assert dues(b)[0] == (1, 7, 12, "pending")


@pytest.mark.parametrize("spoke", [(2, 3), (0.5, 1.5), (6.5, 9)])
def test_the_customer_spoke(spoke: tuple[float, float]) -> None:
    b = Bench(quiet_rule()).happen("signal:answered", 1).speech(CUSTOMER, *spoke).close(30)
    assert b.verdicts() == [(30, "not_applicable", "")]


def test_nobody_knows_whether_the_customer_was_silent() -> None:
    b = Bench(quiet_rule()).happen("signal:answered", 1).lost(2, 3).close(30)
    assert b.verdicts() == [(30, "cannot_tell", "audio_lost")]


# ---------------------------------------------------------------- early words


def test_early_words_show_on_the_countdown_once() -> None:
    b = thanks(Bench(thanked())).to(3).heard("welcome", 4, 5, early=True).heard("welcome", 4, 5, early=True)
    b.heard("welcome", 4, 5).close(20)
    assert [d[3] for d in dues(b)] == ["pending", "heard", "done"]


def test_early_words_out_of_time_do_not() -> None:
    b = thanks(Bench(thanked())).to(3)
    b.heard("welcome", 7.5, 8, early=True).heard("welcome", 1, 1.5, early=True).heard("other", 4, 5, early=True)
    assert [d[3] for d in dues(b)] == ["pending"]
    b.heard("welcome", 4, 5).to(6).heard("welcome", 5, 6, early=True)
    assert [d[3] for d in dues(b)] == ["pending", "done"]


def test_a_second_silence_after_the_only_occasion() -> None:
    when = Pattern(("say:thanks",), quiet=Quiet(CUSTOMER, 6))
    form = Expect(when, (on("say:welcome", by=AGENT),), 5, None, once=True)
    b = Bench(rule(form)).heard("thanks", 1, 2).heard("thanks", 3, 4).heard("welcome", 8.5, 9)
    assert b.close(30).verdicts() == [(8.5, "met", "")]


def test_what_is_due_after_the_end_never_comes() -> None:
    form = Expect(on("ended"), (on("say:bye", by=AGENT),), 5, None)
    assert Bench(rule(form)).happen("signal:hangup", 5).close(9).verdicts() == [(5, "not_applicable", "call_ended")]
