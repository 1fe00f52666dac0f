"""Form `never`: what must not be said or done, with excuses and early suspicion."""

from __future__ import annotations

from monitor.core.rulebook import Excuse, Frequency, Never, Rule
from monitor.core.types import Quality
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule


def insult(**more: object) -> Rule:
    return rule(Never(on("say:insult", by=AGENT)), **more)


def cut_off(**more: object) -> Rule:
    return rule(Never(on("overlap", by=AGENT)), **more)


def test_never_said() -> None:
    b = Bench(insult()).heard("insult", 1, 2, by=CUSTOMER).close(5)
    assert b.verdicts() == [(5, "met", "")]


def test_said_twice() -> None:
    b = Bench(insult()).heard("insult", 1, 2).heard("insult", 3, 4).close(5)
    assert b.verdicts() == [(1, "broken", ""), (3, "broken", "")]
    assert b.alerts() == [(1, "confirmed", 1), (3, "confirmed", 2)]


def test_low_confidence_is_no_proof() -> None:
    b = Bench(insult(sure=0.7)).heard("insult", 1, 2, score=0.6).close(5)
    assert b.verdicts() == [(1, "cannot_tell", "low_confidence")]
    assert b.alerts() == []


def test_nobody_knows_who_said_it_on_a_mixed_channel() -> None:
    b = Bench(insult(), mixed=True).heard("insult", 1, 2, by=MIXED, early=True).heard("insult", 1, 2, by=MIXED)
    assert b.close(5).verdicts() == [(1, "cannot_tell", "mixed_channel")]
    assert b.alerts() == []
    anybody = Bench(rule(Never(on("say:insult"))), mixed=True).heard("insult", 1, 2, by=MIXED)
    assert anybody.close(5).verdicts() == [(1, "broken", "")]


def test_absence_may_only_be_claimed_when_heard() -> None:
    assert Bench(insult()).lost(1, 2).close(5).verdicts() == [(5, "cannot_tell", "audio_lost")]
    unheard = Bench(insult()).lost(1, 2, AGENT, words=True, why="no_recogniser")
    assert unheard.close(5).verdicts() == [(5, "cannot_tell", "no_recogniser")]
    other = Bench(insult()).lost(1, 2, CUSTOMER, words=True, why="no_recogniser")
    assert other.close(5).verdicts() == [(5, "met", "")]


def test_what_was_heard_was_heard() -> None:
    b = Bench(insult()).lost(3, 4).lost(0, 5, AGENT, words=True, why="x").heard("insult", 1, 2).close(5)
    assert b.verdicts() == [(1, "broken", "")]


def test_but_not_across_lost_audio() -> None:
    b = Bench(cut_off()).lost(1.2, 1.4).happen("overlap", 1, 2, by=AGENT).close(5)
    assert b.verdicts() == [(1, "cannot_tell", "audio_lost")]


def test_a_signal_needs_no_audio() -> None:
    b = Bench(rule(Never(on("hangup", by=AGENT)))).lost(1, 3).happen("signal:hangup", 2, by=AGENT).close(5)
    assert b.verdicts() == [(2, "broken", "")]


def test_what_was_not_measured_is_unknown() -> None:
    b = Bench(cut_off()).happen("overlap", 1, 2, by=AGENT, quality=Quality.UNKNOWN).close(5)
    assert b.verdicts() == [(1, "cannot_tell", "not_measured")]


def test_two_parties_cannot_be_told_apart_on_one_channel() -> None:
    assert Bench(cut_off(), mixed=True).close(5).verdicts() == [(5, "cannot_tell", "mixed_channel")]


# ---------------------------------------------------------------- excuses


def test_an_excuse_before() -> None:
    r = insult(excuses=(Excuse(on("say:joke"), before=3),))
    b = Bench(r).heard("joke", 1, 2).heard("insult", 4, 5).heard("insult", 7, 8).close(9)
    assert b.verdicts() == [(4, "not_applicable", "excused"), (7, "broken", "")]


def test_an_excuse_afterwards_is_waited_for() -> None:
    r = insult(excuses=(Excuse(on("say:sorry", by=AGENT), after=3),))
    b = Bench(r).heard("insult", 1, 2).to(4.9)
    assert b.verdicts() == []
    b.heard("sorry", 4.9, 5).to(6)
    assert b.verdicts() == [(1, "not_applicable", "excused")]
    b.heard("insult", 7, 8).to(11.1)
    assert b.verdicts()[1:] == [(7, "broken", "")]
    assert b.close(12).alerts() == [(7, "confirmed", 2)]


def test_an_excuse_begun_in_time_is_heard_out() -> None:
    r = insult(excuses=(Excuse(on("say:sorry", by=AGENT), after=3),))
    b = Bench(r).heard("insult", 1, 2).speech(AGENT, 4.5, 7).heard("sorry", 4.8, 6.5).close(20)
    assert b.verdicts() == [(1, "not_applicable", "excused")]
    b = Bench(r).heard("insult", 1, 2).speech(AGENT, 4.5, 7).heard("sorry", 5.2, 6.5).to(8.4)
    assert b.verdicts() == [(1, "broken", "")]
    b = Bench(r).heard("insult", 1, 2).begins(AGENT, 4.5).to(13.3)
    assert b.verdicts() == [(1, "broken", "")], "an endless turn is not waited for"


def test_an_excuse_is_not_waited_for_beyond_the_end() -> None:
    r = insult(excuses=(Excuse(on("say:sorry", by=AGENT), after=30),))
    assert Bench(r).heard("insult", 1, 2).close(5).verdicts() == [(1, "broken", "")]


def test_an_excuse_that_was_perhaps_said() -> None:
    r = insult(excuses=(Excuse(on("say:joke"), before=3),))
    b = Bench(r).heard("joke", 1, 2, faint=True).heard("insult", 4, 5).close(9)
    assert b.verdicts() == [(4, "cannot_tell", "low_confidence")]
    b = Bench(r).heard("joke", 1, 2, faint=True).heard("joke", 2, 3).heard("insult", 4, 5).close(9)
    assert b.verdicts() == [(4, "not_applicable", "excused")]


# ---------------------------------------------------------------- raised early


def test_raised_early_and_confirmed() -> None:
    b = Bench(insult()).to(0.5).heard("insult", 1, 2, early=True)
    assert b.alerts() == [(1, "raised", 1)]
    b.heard("insult", 1.1, 2.1, early=True)
    assert len(b.alerts()) == 1, "the same words again"
    b.heard("insult", 1.1, 2.1).close(5)
    assert b.alerts()[1:] == [(1.1, "confirmed", 1)]
    assert b.verdicts() == [(1.1, "broken", "")]


def test_raised_early_and_cleared_when_the_final_words_differ() -> None:
    b = Bench(insult()).heard("insult", 1, 2, early=True).to(3.1)
    assert b.alerts() == [(1, "raised", 1), (1, "cleared", 1)]
    assert b.close(5).verdicts() == [(5, "met", "")]


def test_raised_early_and_cleared_at_the_end() -> None:
    b = Bench(insult()).heard("insult", 4, 5, early=True).close(5)
    assert b.alerts() == [(4, "raised", 1), (4, "cleared", 1)]


def test_an_earlier_suspicion_is_cleared_by_later_words() -> None:
    b = Bench(insult()).heard("insult", 1, 1.5, early=True).heard("insult", 1.8, 2).close(5)
    assert b.alerts() == [(1, "raised", 1), (1, "cleared", 1), (1.8, "confirmed", 1)]


def test_clearing_a_suspicion_never_clears_what_was_confirmed_under_its_number() -> None:
    b = Bench(insult())
    b.heard("insult", 1, 2, early=True).heard("insult", 20, 21, early=True)
    b.to(3.1)  # the first is cleared, the second is still number 2
    b.heard("insult", 12, 13).heard("insult", 15, 16).to(22.1).close(25)
    last = {occasion: state for _, state, occasion in b.alerts()}
    assert last == {1: "confirmed", 2: "confirmed"}
    assert [v[0] for v in b.verdicts()] == [12, 15]


def test_a_suspicion_beyond_the_frequency_limit_is_taken_back() -> None:
    b = Bench(insult(frequency=Frequency(1)))
    b.heard("insult", 1, 2, early=True).heard("insult", 3, 4, early=True)
    b.heard("insult", 1, 2).heard("insult", 3, 4).close(9)
    assert [v[1] for v in b.verdicts()] == ["broken", "broken"]
    last = {occasion: state for _, state, occasion in b.alerts()}
    assert last == {1: "confirmed", 2: "cleared"}


def test_no_suspicion_where_it_could_not_be_confirmed() -> None:
    excusable = insult(excuses=(Excuse(on("say:joke"), before=3),))
    assert Bench(excusable).heard("insult", 1, 2, early=True).alerts() == []
    assert Bench(insult(sure=0.9)).heard("insult", 1, 2, early=True, score=0.8).alerts() == []
    assert Bench(insult()).heard("insult", 1, 2, early=True, by=CUSTOMER).alerts() == []
    used_up = Bench(insult(frequency=Frequency(1))).heard("insult", 1, 2).to(3)
    assert len(used_up.heard("insult", 4, 5, early=True).alerts()) == 1


def test_who_hung_up_is_not_known_without_a_signal() -> None:
    form = Never(on("hangup", by=AGENT))
    assert Bench(rule(form)).close(10).verdicts() == [(10, "cannot_tell", "not_measured")]
    by_customer = Bench(rule(form)).happen("signal:hangup", 9, by=CUSTOMER).close(10)
    assert by_customer.verdicts() == [(9, "met", "")]
