"""Form `tally`: counts in a call, per minute of speech, inside windows."""

from __future__ import annotations

from monitor.core.rulebook import Excuse, Frequency, Per, Rule, Tally
from monitor.core.types import Alert
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule

POLITE = on("say:polite", by=AGENT)


def tally(per: Per = Per.CALL, **more: object) -> Rule:
    limits = {k: more.pop(k) for k in ("least", "most", "window", "every", "minutes_needed") if k in more}
    what = more.pop("what", POLITE)
    return rule(Tally(what, per, **limits), **more)  # type: ignore[arg-type]


def said(bench: Bench, *at: float, score: float = 1.0) -> Bench:
    for second in at:
        bench.heard("polite", second, second + 0.5, score=score)
    return bench


# ---------------------------------------------------------------- in a call


def test_enough_and_too_few() -> None:
    assert said(Bench(tally(least=2)), 1, 2).close(9).verdicts() == [(9, "met", "")]
    b = said(Bench(tally(least=2)), 1).close(9)
    assert b.verdicts() == [(9, "broken", "")]
    (alert,) = b.of(Alert)
    assert alert.message["zh"].startswith("1/2/")
    assert (alert.start, alert.end, alert.channel) == (0, 9000, AGENT)


def test_too_many_is_told_at_once_and_once() -> None:
    b = said(Bench(tally(most=2)), 1, 2, 3, 4).to(3.6)
    assert b.verdicts() == [(3, "broken", "")]
    (alert,) = b.of(Alert)
    assert len(alert.evidence) == 3
    assert b.close(9).verdicts() == [(3, "broken", "")]


def test_not_too_many() -> None:
    assert said(Bench(tally(most=2)), 1, 2).close(9).verdicts() == [(9, "met", "")]


def test_the_customers_words_are_not_the_agents() -> None:
    assert Bench(tally(least=1)).heard("polite", 1, 2, by=CUSTOMER).close(9).verdicts() == [(9, "broken", "")]


def test_unsure_words_do_not_count_and_leave_it_open() -> None:
    assert said(Bench(tally(most=0, sure=0.8)), 1, score=0.6).close(9).verdicts() == [(9, "met", "")]
    assert said(Bench(tally(least=1, sure=0.8)), 1, score=0.6).close(9).verdicts() == [
        (9, "cannot_tell", "low_confidence")
    ]


def test_what_was_not_heard_leaves_it_open() -> None:
    assert Bench(tally(least=1)).lost(1, 2).close(9).verdicts() == [(9, "cannot_tell", "audio_lost")]
    assert Bench(tally(most=1)).lost(1, 2).close(9).verdicts() == [(9, "cannot_tell", "audio_lost")]
    b = Bench(tally(least=1)).lost(1, 2, AGENT, words=True, why="no_recogniser").close(9)
    assert b.verdicts() == [(9, "cannot_tell", "no_recogniser")]
    assert said(Bench(tally(most=0)).lost(3, 4), 1).close(9).verdicts() == [(1, "broken", "")]


def test_on_a_mixed_channel() -> None:
    b = Bench(tally(least=1), mixed=True).heard("polite", 1, 2, by=MIXED).close(9)
    assert b.verdicts() == [(9, "cannot_tell", "mixed_channel")]


def test_an_excuse_that_may_still_come_does_not_swallow_the_verdict() -> None:
    r = tally(least=1, excuses=(Excuse(on("hangup", by=CUSTOMER), before=0, after=5),))
    assert Bench(r).close(9).verdicts() == [(9, "broken", "")]
    b = Bench(r).happen("signal:hangup", 8, by=CUSTOMER).close(9)
    assert b.verdicts() == [(8, "not_applicable", "excused")]


def test_the_frequency_limit() -> None:
    r = tally(Per.WINDOW, least=1, window=on("turn_end", by=AGENT), frequency=Frequency(1))
    b = Bench(r).speech(AGENT, 1, 2).speech(AGENT, 5, 6).close(9)
    assert [v[1] for v in b.verdicts()] == ["broken", "broken"]
    assert len(b.alerts()) == 1


# ---------------------------------------------------------------- per minute of speech


def test_a_rate_counts_the_partys_own_speech() -> None:
    r = tally(Per.MINUTE, least=2)
    b = said(Bench(r).speech(AGENT, 0, 30).speech(CUSTOMER, 31, 300), 1).close(301)
    assert b.verdicts() == [(301, "met", "")], "one in half a minute"
    b = said(Bench(r).speech(AGENT, 0, 59).speech(AGENT, 61, 120), 1, 2, 3).close(301)
    assert b.verdicts() == [(301, "broken", "")]


def test_a_rate_needs_some_speech() -> None:
    b = said(Bench(tally(Per.MINUTE, most=1)).speech(AGENT, 0, 20), 1, 2, 3).close(30)
    assert b.verdicts() == [(30, "not_applicable", "too_short")]
    assert Bench(tally(Per.MINUTE, most=1)).close(30).verdicts() == [(30, "not_applicable", "too_short")]


def test_speech_that_still_goes_on_counts_as_far_as_it_went() -> None:
    r = tally(Per.MINUTE, most=3, minutes_needed=0.1)
    assert said(Bench(r).begins(AGENT, 0), 20, 40, 65).close(70).verdicts() == [(70, "met", "")]
    b = said(Bench(r).begins(AGENT, 0), 20, 40, 50).close(60)
    assert b.verdicts() == [(50, "broken", "")], "three in 50.5 s"


def test_a_rate_too_high() -> None:
    r = tally(Per.MINUTE, most=3, minutes_needed=0.5)
    b = said(Bench(r).speech(AGENT, 0, 40), 10, 20, 35).to(41)
    assert b.verdicts() == [(35, "broken", "")], "5.07 a minute"
    assert b.of(Alert)[0].message["zh"].startswith("5.1/3/")


def test_a_rate_of_anybody_counts_everybodys_speech() -> None:
    r = tally(Per.MINUTE, least=2, what=on("say:polite"))
    b = said(Bench(r).speech(AGENT, 0, 30).speech(CUSTOMER, 31, 61), 1).close(70)
    assert b.verdicts() == [(70, "broken", "")]


# ---------------------------------------------------------------- windows


def hold_updates(**more: object) -> Rule:
    return tally(Per.WINDOW, every=20, window=on("hold_end"), **more)


def hold(bench: Bench, start: float, end: float) -> Bench:
    return bench.happen("signal:hold", start).happen("signal:resume", end)


def test_one_in_so_many_seconds() -> None:
    assert hold(said(Bench(hold_updates()), 25, 45), 10, 55).close(60).verdicts() == [(55, "met", "")]
    b = hold(said(Bench(hold_updates()), 25), 10, 55).close(60)
    assert b.verdicts() == [(55, "broken", "")]
    assert b.of(Alert)[0].message["zh"].startswith("1/2/")
    assert hold(Bench(hold_updates()), 10, 25).close(60).verdicts() == [(25, "met", "")], "too short to need one"


def test_each_window_has_its_verdict() -> None:
    b = hold(hold(said(Bench(hold_updates()), 15), 10, 35), 100, 125).close(200)
    assert b.verdicts() == [(35, "met", ""), (125, "broken", "")]


def test_no_window() -> None:
    assert said(Bench(hold_updates()), 1).close(60).verdicts() == [(60, "not_applicable", "")]


def test_a_long_window_remembers_its_beginning() -> None:
    r = tally(Per.WINDOW, least=1, window=on("hold_end"))
    assert hold(said(Bench(r), 12), 10, 400).close(500).verdicts() == [(400, "met", "")]


def test_too_many_in_a_window() -> None:
    r = tally(Per.WINDOW, most=1, window=on("turn_end", by=AGENT))
    b = said(Bench(r).speech(AGENT, 1, 6).speech(AGENT, 10, 15), 2, 3, 11).close(20)
    assert b.verdicts() == [(6, "broken", ""), (15, "met", "")]
    assert b.of(Alert)[0].message["zh"].startswith("2/1/")


def test_lost_audio_in_a_window() -> None:
    assert hold(Bench(hold_updates()).lost(20, 21), 10, 55).close(60).verdicts() == [(55, "cannot_tell", "audio_lost")]


def test_a_window_of_nobody_knows_whom() -> None:
    r = tally(Per.WINDOW, least=1, window=on("turn_end", by=AGENT))
    assert Bench(r, mixed=True).speech(MIXED, 1, 6).close(20).verdicts() == [(6, "cannot_tell", "not_measured")]
