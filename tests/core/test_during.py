"""`during`: outside its windows a rule looks at nothing."""

from __future__ import annotations

import pytest

from monitor.core.needs import needs_words, patterns_of
from monitor.core.rulebook import During, Keep, Limits, Never, Pattern, Per, Rule, Tally
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule

ASKED = on("say:ask", by=CUSTOMER)
TEN = During(ASKED, 10)


def asked(bench: Bench, at: float = 4, **more: object) -> Bench:
    """The customer asks from a second before ``at`` to ``at``."""
    return bench.heard("ask", at - 1, at, by=CUSTOMER, **more)  # type: ignore[arg-type]


def level(during: During = TEN, sustained: float = 0) -> Rule:
    return rule(Keep("level", AGENT, (Limits(None, -12, sustained=sustained),), during))


def values(bench: Bench, first: int, *levels: float) -> Bench:
    """A level each second."""
    for n, value in enumerate(levels):
        bench.measure("level", first + n, first + n + 1, value)
    return bench


def never(during: During = TEN, **more: object) -> Rule:
    return rule(Never(on("say:no", by=AGENT), during), **more)


# ---------------------------------------------------------------- what a window is


@pytest.mark.parametrize(("at", "broken"), [(2, False), (3.8, True), (5, True), (13.9, True), (14.1, False)])
def test_from_the_end_of_after_for_so_many_seconds(at: float, broken: bool) -> None:
    b = asked(Bench(never())).heard("no", at, at + 0.5).close(30)
    assert b.verdicts() == [(at, "broken", "")] if broken else [(30, "met", "")]


def test_until() -> None:
    during = During(ASKED, None, on("hold_start"))
    for at, outcome in ((20, "broken"), (25.5, "met")):
        b = asked(Bench(never(during))).happen("signal:hold", 25).heard("no", at, at + 1).close(40)
        assert [v[1] for v in b.verdicts()] == [outcome]


def test_until_or_the_seconds_whatever_is_first() -> None:
    during = During(ASKED, 10, on("say:bye", by=AGENT))
    for bye, at, outcome in ((8, 9, "met"), (8, 7, "broken"), (20, 15, "met")):
        b = asked(Bench(never(during))).heard("bye", bye, bye + 0.5).heard("no", at, at + 0.5).close(40)
        assert [v[1] for v in b.verdicts()] == [outcome]


def test_what_was_perhaps_said_ends_no_window() -> None:
    during = During(ASKED, 10, on("say:bye", by=AGENT))
    b = asked(Bench(never(during))).heard("bye", 8, 8.5, faint=True).heard("no", 9, 9.5).close(40)
    assert [v[1] for v in b.verdicts()] == ["broken"]


def test_what_lasts_ends_a_window_at_its_end() -> None:
    during = During(on("say:ask"), None, on("turn_end", by=CUSTOMER))
    b = Bench(never(during)).speech(CUSTOMER, 3, 9).heard("ask", 3, 4, by=CUSTOMER).heard("no", 8, 8.5).close(30)
    assert b.verdicts() == [(8, "broken", "")]


def test_asked_again_the_window_lasts_longer_and_each_has_its_own() -> None:
    b = asked(asked(asked(Bench(never()), 4), 10), 30)
    b.heard("no", 17, 18).heard("no", 22, 23).heard("no", 35, 36).close(60)
    assert b.verdicts() == [(17, "broken", ""), (35, "broken", "")]


def test_what_was_seen_before_the_window_was_known_counts() -> None:
    """A turn is known to be over a second after its end; what was said in that second lies in the window."""
    during = During(on("turn_end", by=CUSTOMER), 5)
    b = Bench(never(during)).speech(CUSTOMER, 1, 3).heard("no", 3.1, 3.6).heard("no", 5, 6).close(20)
    assert b.verdicts() == [(3.1, "broken", ""), (5, "broken", "")]


@pytest.mark.parametrize(
    "r",
    [
        never(),
        level(),
        rule(Keep("hold", None, (Limits(None, 60),), TEN)),
        rule(Tally(on("say:yes"), Per.CALL, least=1, during=TEN)),
        rule(Tally(on("say:yes"), Per.WINDOW, least=1, window=on("hold_end"), during=TEN)),
    ],
)
def test_without_a_window_no_rule_applies(r: Rule) -> None:
    assert Bench(r).heard("no", 1, 2).close(30).verdicts() == [(30, "not_applicable", "")]
    assert asked(Bench(r), score=0.2).close(30).verdicts() == [(30, "cannot_tell", "low_confidence")]


def test_on_a_mixed_channel_nobody_knows_who_asked() -> None:
    b = Bench(never(), mixed=True).heard("ask", 1, 2, by=MIXED).heard("no", 3, 4, by=MIXED).close(30)
    assert b.verdicts() == [(30, "cannot_tell", "mixed_channel")]


def test_doubts_outside_the_window_do_not_matter() -> None:
    assert asked(Bench(never())).lost(20, 21).close(30).verdicts() == [(30, "met", "")]
    assert asked(Bench(never())).lost(6, 7).close(30).verdicts() == [(30, "cannot_tell", "audio_lost")]


def test_words_that_open_a_window_make_the_rule_wait_for_words() -> None:
    assert needs_words(level())
    assert not needs_words(level(During(on("answered"), 8)))
    assert [p.names for p in patterns_of(level(During(ASKED, 8, on("hold_start"))))] == [("say:ask",), ("hold_start",)]


# ---------------------------------------------------------------- never


def test_early_alerts_come_in_windows_only() -> None:
    b = Bench(never()).heard("no", 1, 2, early=True)
    assert b.alerts() == []
    b = asked(b).to(5).heard("no", 6, 7, early=True)
    assert b.alerts() == [(6, "raised", 1)]
    b.to(6).heard("no", 6, 7).close(30)
    assert b.alerts()[-1] == (6, "confirmed", 1)


# ---------------------------------------------------------------- keep


def test_values() -> None:
    b = values(asked(Bench(level())), 1, -3, -3)
    assert values(b, 20, -3).close(30).verdicts() == [(30, "not_applicable", "")]
    assert values(asked(Bench(level())), 5, -20, -20).close(30).verdicts() == [(30, "met", "")]
    assert values(asked(Bench(level())), 5, -20, -3).close(30).verdicts() == [(7, "broken", "")]


def test_time_outside_the_range_is_not_carried_into_the_next_window() -> None:
    b = values(asked(Bench(level(sustained=2))), 12, -3, -3)
    values(asked(b, 30), 31, -3, -3)
    assert b.close(60).verdicts() == [(60, "met", "")]
    b = values(asked(Bench(level(sustained=2))), 10, -3, -3, -3)
    assert [v[1] for v in values(asked(b, 30), 31, -3, -3, -3).close(60).verdicts()] == ["broken", "broken"]


def test_pace_belongs_where_the_middle_of_its_ten_seconds_lies() -> None:
    r = rule(Keep("pace", AGENT, (Limits(None, 180),), TEN))
    for start, outcome in ((-2, "not_applicable"), (0, "broken"), (8, "broken"), (10, "not_applicable")):
        b = asked(Bench(r)).measure("pace", start, start + 10, 300)
        assert [v[1] for v in b.close(60).verdicts()] == [outcome], start


@pytest.mark.parametrize(
    ("start", "stop", "found"),
    [(5, 9, (8, "broken")), (5, 7, (40, "met")), (13, 20, (16, "broken")), (2, 9, (40, "not_applicable"))],
)
def test_clocks_belong_where_they_start(start: float, stop: float, found: tuple[float, str]) -> None:
    b = asked(Bench(rule(Keep("hold", None, (Limits(None, 3),), TEN))))
    b.happen("signal:hold", start).happen("signal:resume", stop).close(40)
    assert [v[:2] for v in b.verdicts()] == [found]


# ---------------------------------------------------------------- tally


def test_counts() -> None:
    r = rule(Tally(on("say:yes", by=AGENT), Per.CALL, most=1, during=TEN))
    b = asked(Bench(r)).heard("yes", 1, 2).heard("yes", 6, 7).heard("yes", 20, 21)
    assert b.close(30).verdicts() == [(30, "met", "")]
    b = asked(Bench(r)).heard("yes", 6, 7).heard("yes", 8, 9)
    assert [v[:2] for v in b.close(30).verdicts()] == [(8, "broken")]


def test_too_few() -> None:
    r = rule(Tally(on("say:yes", by=AGENT), Per.CALL, least=1, during=TEN))
    assert asked(Bench(r)).heard("yes", 20, 21).close(30).verdicts() == [(30, "broken", "")]
    assert asked(Bench(r)).heard("yes", 5, 6).close(30).verdicts() == [(30, "met", "")]
    assert asked(Bench(r)).lost(20, 21).close(30).verdicts() == [(30, "broken", "")]
    assert asked(Bench(r)).lost(5, 6).close(30).verdicts() == [(30, "cannot_tell", "audio_lost")]


def test_per_minute_of_speech_in_the_window() -> None:
    r = rule(Tally(on("say:yes", by=AGENT), Per.MINUTE, most=11, minutes_needed=0.05, during=TEN))
    b = asked(Bench(r)).speech(AGENT, 1, 3.5).speech(AGENT, 5, 10).heard("yes", 9, 9.9).speech(AGENT, 15, 60)
    assert [v[1] for v in b.close(70).verdicts()] == ["broken"], "one in five seconds is twelve a minute"
    r = rule(Tally(on("say:yes", by=AGENT), Per.MINUTE, most=11, minutes_needed=0.2, during=TEN))
    b = asked(Bench(r)).speech(AGENT, 5, 10).heard("yes", 6, 7).speech(AGENT, 15, 60)
    assert b.close(70).verdicts() == [(70, "not_applicable", "too_short")]


def test_windows_of_a_tally_inside() -> None:
    r = rule(Tally(on("say:yes"), Per.WINDOW, least=1, window=Pattern(("hold_end",)), during=TEN))
    b = asked(Bench(r)).happen("signal:hold", 5).happen("signal:resume", 8)
    b.happen("signal:hold", 20).happen("signal:resume", 22).close(40)
    assert [v[:2] for v in b.verdicts()] == [(8, "broken")]
