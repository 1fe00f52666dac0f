"""Form `steps`: a script in order."""

from __future__ import annotations

import pytest

from monitor.core.rulebook import Excuse, Frequency, Pattern, Quiet, Rule, Step, Steps
from monitor.core.types import Alert, Due
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule


def step(name: str, within: float | None = 5, after: float = 0, optional: bool = False) -> Step:
    return Step(name, (on(f"say:{name}", by=AGENT),), within, after, optional)


def script(*steps: Step, **more: object) -> Rule:
    form = Steps(on("say:begin", by=AGENT), steps or (step("a"), step("b"), step("c")))
    return rule(form, **more)


def begun(r: Rule, **more: object) -> Bench:
    """Begins at second 1, certain at 2."""
    return Bench(r, **more).heard("begin", 1, 2)  # type: ignore[arg-type]


def test_in_order_and_in_time() -> None:
    b = begun(script()).heard("a", 3, 4).heard("b", 8, 9).heard("c", 13, 14).close(20)
    assert b.verdicts() == [(14, "met", "")]
    deadlines = [d.deadline for d in b.of(Due) if d.state.value == "pending"]
    assert deadlines == [7000, 9000, 14000]


def test_missing() -> None:
    b = begun(script()).heard("a", 3, 4).close(20)
    assert b.verdicts() == [(9, "broken", "missing:b")]
    (alert,) = b.of(Alert)
    assert (alert.start, alert.end, alert.channel) == (4000, 9000, AGENT)
    assert alert.message["zh"].endswith("/b")


def test_out_of_order_is_missing() -> None:
    b = begun(script()).heard("b", 3, 4).heard("a", 5, 6).close(20)
    assert b.verdicts() == [(11, "broken", "missing:b")]


def test_too_late() -> None:
    b = begun(script(step("a"))).speech(AGENT, 6.5, 9).heard("a", 7.5, 8).close(20)
    assert b.verdicts() == [(7, "broken", "missing:a")]


def test_too_early() -> None:
    b = begun(script(step("a"), step("b", after=3))).heard("a", 3, 4).heard("b", 5, 6).close(20)
    assert b.verdicts() == [(5, "broken", "early:b")]
    b = begun(script(step("a"), step("b", after=3))).heard("a", 3, 4).heard("b", 6.8, 8).close(20)
    assert b.verdicts() == [(8, "met", "")]


def test_before_the_beginning_does_not_count() -> None:
    b = begun(script(step("a"))).heard("a", 1.5, 2.5).close(20)
    assert b.verdicts() == [(7, "broken", "missing:a")]


def test_optional_steps_may_be_left_out_or_taken() -> None:
    r = script(step("a"), step("b", optional=True), step("c"))
    assert begun(r).heard("a", 3, 4).heard("c", 6, 7).close(20).verdicts() == [(7, "met", "")]
    b = begun(r).heard("a", 3, 4).heard("b", 5, 6).heard("c", 8, 9).close(20)
    assert b.verdicts() == [(9, "met", "")]
    assert begun(r).heard("a", 3, 4).heard("c", 12, 13).close(20).verdicts() == [(13, "met", "")]
    assert begun(r).heard("a", 3, 4).close(20).verdicts() == [(14, "broken", "missing:c")]


def test_an_optional_last_step() -> None:
    r = script(step("a"), step("b", within=None, optional=True))
    assert begun(r).heard("a", 3, 4).close(20).verdicts() == [(20, "met", "")]


def test_a_step_without_a_time() -> None:
    r = script(step("a", within=None))
    assert begun(r).heard("a", 15, 16).close(20).verdicts() == [(16, "met", "")]
    assert begun(r).close(20).verdicts() == [(20, "broken", "missing:a")]


def test_every_occasion_has_its_run() -> None:
    b = begun(script(step("a"))).heard("a", 3, 4).heard("begin", 10, 11).close(30)
    assert b.verdicts() == [(4, "met", ""), (16, "broken", "missing:a")]


def test_only_the_first_occasion() -> None:
    form = Steps(on("say:begin", by=AGENT), (step("a"),), once=True)
    b = begun(rule(form)).heard("a", 3, 4).heard("begin", 10, 11).close(30)
    assert b.verdicts() == [(4, "met", "")]


def test_no_occasion() -> None:
    assert Bench(script()).close(5).verdicts() == [(5, "not_applicable", "")]


def test_until_ends_it_without_a_finding() -> None:
    form = Steps(on("say:begin", by=AGENT), (step("a"),), until=on("speech_start", by=CUSTOMER))
    b = begun(rule(form)).speech(CUSTOMER, 4, 5).close(20)
    assert b.verdicts() == [(4, "not_applicable", "interrupted")]


def test_what_was_perhaps_said_ends_nothing() -> None:
    form = Steps(on("say:begin", by=AGENT), (step("a"),), until=on("say:busy", by=CUSTOMER))
    b = begun(rule(form)).heard("busy", 4, 5, by=CUSTOMER, faint=True).close(20)
    assert b.verdicts() == [(7, "broken", "missing:a")]
    b = begun(script(excuses=(Excuse(on("say:busy"), before=0),))).heard("busy", 4, 5, faint=True).close(20)
    assert b.verdicts() == [(7, "cannot_tell", "low_confidence")]


def test_an_excuse_and_the_frequency_limit() -> None:
    b = begun(script(excuses=(Excuse(on("hold_start"), before=0),))).happen("hold_start", 4).close(20)
    assert b.verdicts() == [(7, "not_applicable", "excused")]
    b = begun(script(frequency=Frequency(1))).heard("begin", 10, 11).close(30)
    assert [v[1] for v in b.verdicts()] == ["broken", "broken"]
    assert len(b.alerts()) == 1


# ---------------------------------------------------------------- the deadline in the middle of a turn


def test_a_step_begun_in_time_is_waited_for() -> None:
    b = begun(script(step("a"))).begins(AGENT, 6).to(8)
    assert b.verdicts() == []
    b.happen("speech_end", 6, 9, by=AGENT, known=9.3).heard("a", 6.8, 8.9).to(11)
    assert b.verdicts() == [(8.9, "met", "")]


def test_an_endless_turn_is_not_waited_for() -> None:
    assert begun(script(step("a"))).begins(AGENT, 6).to(15.3).verdicts() == [(7, "broken", "missing:a")]


# ---------------------------------------------------------------- doubt


@pytest.mark.parametrize("start", [2.5, 6.9])
def test_lost_audio(start: float) -> None:
    b = begun(script(step("a"))).lost(start, start + 1).close(20)
    assert b.verdicts() == [(7, "cannot_tell", "audio_lost")]


def test_lost_audio_in_another_step() -> None:
    b = begun(script(step("a"), step("b"))).lost(2.5, 2.6).heard("a", 3, 4).close(20)
    assert b.verdicts() == [(9, "broken", "missing:b")]


def test_lost_audio_in_the_words_that_were_waited_for() -> None:
    b = begun(script(step("a"))).speech(AGENT, 6, 9).lost(8, 8.1).close(20)
    assert b.verdicts() == [(7, "cannot_tell", "audio_lost")]


def test_an_unsure_step_is_neither_taken_nor_missing() -> None:
    r = script(step("a"), step("b"), sure=0.8)
    assert begun(r).heard("a", 3, 4, score=0.6).close(20).verdicts() == [(7, "cannot_tell", "low_confidence")]
    b = begun(r).heard("a", 3, 4, score=0.6).heard("a", 5, 6).close(20)
    assert b.verdicts() == [(11, "broken", "missing:b")], "the doubt was the first step's only"


def test_an_unsure_occasion_demands_nothing() -> None:
    b = Bench(script(sure=0.8)).heard("begin", 1, 2, score=0.6).close(20)
    assert b.verdicts() == [(20, "cannot_tell", "low_confidence")]


def test_on_a_mixed_channel_nobody_knows_who_began() -> None:
    b = Bench(script(), mixed=True).heard("begin", 1, 2, by=MIXED).close(20)
    assert b.verdicts() == [(20, "cannot_tell", "mixed_channel")]


# ---------------------------------------------------------------- the call ends


def test_the_call_ends_first() -> None:
    assert begun(script()).close(5).verdicts() == [(5, "not_applicable", "call_ended")]
    b = begun(script()).happen("signal:hangup", 5, by=CUSTOMER).close(60)
    assert b.verdicts() == [(5, "not_applicable", "call_ended")]


def test_the_end_may_be_a_step() -> None:
    r = script(step("a"), Step("off", (on("hangup", by=AGENT),), 20))
    b = begun(r).heard("a", 3, 4).happen("signal:hangup", 10, by=AGENT).close(60)
    assert b.verdicts() == [(10, "met", "")]


# ---------------------------------------------------------------- quiet


def silent_call(*, so_far: bool = False) -> Rule:
    when = Pattern(("answered",), quiet=Quiet(CUSTOMER, 6, so_far))
    return rule(Steps(when, (step("a"), step("b", within=10))))


def test_steps_taken_while_waiting_for_silence_count() -> None:
    b = Bench(silent_call()).happen("signal:answered", 1).heard("a", 2, 3).heard("b", 9, 10).close(30)
    assert b.verdicts() == [(10, "met", "")]


def test_one_phrase_is_one_step() -> None:
    both = Step("first", (on("say:a", by=AGENT), on("say:a")), 5), Step("second", (on("say:a", by=AGENT),), 10)
    when = Pattern(("answered",), quiet=Quiet(CUSTOMER, 6))
    b = Bench(rule(Steps(when, both))).happen("signal:answered", 1).heard("a", 2, 3).close(30)
    assert b.verdicts() == [(13, "broken", "missing:second")]


def test_a_step_that_came_late_while_waiting_for_silence() -> None:
    b = Bench(silent_call()).happen("signal:answered", 1).heard("a", 6.5, 6.9).close(30)
    assert b.verdicts() == [(6, "broken", "missing:a")]


def test_all_steps_taken_while_waiting_for_silence() -> None:
    b = Bench(silent_call()).happen("signal:answered", 1).heard("a", 2, 3).heard("b", 3.2, 4).heard("a", 5, 6)
    assert b.close(30).verdicts() == [(4, "met", "")]


def test_the_customer_spoke() -> None:
    b = Bench(silent_call()).happen("signal:answered", 1).speech(CUSTOMER, 2, 3).close(30)
    assert b.verdicts() == [(30, "not_applicable", "")]


def test_the_customer_had_spoken() -> None:
    b = Bench(silent_call(so_far=True)).speech(CUSTOMER, 0.1, 0.5).happen("signal:answered", 2).close(30)
    assert b.verdicts() == [(30, "not_applicable", "")]


def test_nobody_knows_whether_the_customer_was_silent() -> None:
    b = Bench(silent_call()).happen("signal:answered", 1).lost(2, 3).close(30)
    assert b.verdicts() == [(30, "cannot_tell", "audio_lost")]


def test_a_second_silence_after_the_only_run() -> None:
    when = Pattern(("say:begin",), quiet=Quiet(CUSTOMER, 6))
    b = Bench(rule(Steps(when, (step("a", within=9),), once=True))).heard("begin", 1, 2).heard("begin", 3, 4)
    assert b.heard("a", 8.5, 9).close(30).verdicts() == [(9, "met", "")]


def test_steps_after_the_end_are_missing() -> None:
    form = Steps(on("ended"), (step("a", within=None),))
    assert Bench(rule(form)).happen("signal:hangup", 5).close(9).verdicts() == [(5, "broken", "missing:a")]
