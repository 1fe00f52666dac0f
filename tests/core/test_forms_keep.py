"""Form `keep`: series with tolerance and hysteresis, clocks while they run."""

from __future__ import annotations

import pytest

from monitor.core.rulebook import Excuse, Frequency, Happening, Keep, Limits, Rule
from monitor.core.types import Alert, Quality, Severity
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule


def level(*limits: Limits, **more: object) -> Rule:
    return rule(Keep("level", AGENT, limits or (Limits(-38, -12, 2),)), **more)


def values(bench: Bench, *found: float, at: float = 0, by: object = AGENT) -> Bench:
    """One value a second."""
    for n, value in enumerate(found):
        bench.measure("level", at + n, at + n + 1, value, by=by)  # type: ignore[arg-type]
    return bench


def dead_air(*limits: Limits, **more: object) -> Rule:
    return rule(Keep("duration", None, limits or (Limits(None, 3),)), **more)


# ---------------------------------------------------------------- series


def test_values_in_range_keep_the_rule() -> None:
    b = values(Bench(level()), -38, -12, -20).close(5)
    assert b.verdicts() == [(5, "met", "")]
    assert b.alerts() == []


def test_tolerance_is_no_breach() -> None:
    assert values(Bench(level()), -10, -40).close(5).verdicts() == [(5, "met", "")]


@pytest.mark.parametrize("value", [-9.9, -40.1])
def test_beyond_tolerance_is(value: float) -> None:
    b = values(Bench(level()), -20, value, -20).close(5)
    assert b.verdicts() == [(2, "broken", "")]
    assert b.alerts() == [(2, "confirmed", 1)]


def test_nothing_measured_is_not_applicable() -> None:
    assert Bench(level()).close(5).verdicts() == [(5, "not_applicable", "")]


def test_nothing_measured_in_lost_audio_is_unknown() -> None:
    assert Bench(level()).lost(1, 2).close(5).verdicts() == [(5, "cannot_tell", "audio_lost")]


def test_pace_without_recogniser_is_unknown() -> None:
    b = Bench(rule(Keep("pace", AGENT, (Limits(180, 200),))))
    b.lost(1, 2, AGENT, words=True, why="no_recogniser")
    assert b.close(5).verdicts() == [(5, "cannot_tell", "no_recogniser")]


def test_hysteresis_one_breach_until_the_value_is_back_in_the_range() -> None:
    b = values(Bench(level()), -9, -11, -9, -20, -9).close(6)
    assert b.verdicts() == [(1, "broken", ""), (5, "broken", "")], "-11 is within tolerance, but not yet back"


def test_sustained_means_so_long_outside() -> None:
    r = level(Limits(None, -12, 0, sustained=2))
    assert values(Bench(r), -9, -9, -20, -9).close(5).verdicts() == [(5, "met", "")]
    b = values(Bench(r), -9, -9, -9, -9).close(5)
    assert b.verdicts() == [(3, "broken", "")]
    (alert,) = b.of(Alert)
    assert (alert.start, alert.end) == (0, 3000)


def test_lost_audio_begins_the_time_anew() -> None:
    r = level(Limits(None, -12, 0, sustained=2))
    b = values(Bench(r), -9, -9, -9, -9, -9).lost(1.5, 1.6).close(6)
    assert b.verdicts() == [(5, "broken", "")]


def test_a_value_over_lost_audio_accuses_nobody() -> None:
    b = values(Bench(level()), -9, -20, -20).lost(0.5, 0.6).close(3)
    assert b.verdicts() == [(1, "cannot_tell", "audio_lost")]
    assert b.alerts() == []


def test_the_others_channel_is_the_others() -> None:
    assert values(Bench(level()), -5, by=CUSTOMER).close(2).verdicts() == [(2, "not_applicable", "")]


def test_unknown_values_do_not_count() -> None:
    b = Bench(level()).happen("level", 0, 1, by=AGENT, value=-5, quality=Quality.UNKNOWN)
    assert b.close(2).verdicts() == [(2, "not_applicable", "")]


def test_on_a_mixed_channel_it_cannot_be_told() -> None:
    b = values(Bench(level(), mixed=True), -5, by=MIXED).close(2)
    assert b.verdicts() == [(2, "cannot_tell", "mixed_channel")]


def test_the_frequency_limit_silences_alerts_not_verdicts() -> None:
    b = values(Bench(level(frequency=Frequency(1))), -5, -20, -5).close(4)
    assert [v[1] for v in b.verdicts()] == ["broken", "broken"]
    assert b.alerts() == [(1, "confirmed", 1)]
    b = values(Bench(level(frequency=Frequency(9, every=3))), -5, -20, -5, -20, -5).close(6)
    assert [a[0] for a in b.alerts()] == [1, 5]


def test_an_excuse_lifts_it() -> None:
    excused = level(excuses=(Excuse(on("hold_start"), before=2),))
    b = values(Bench(excused).happen("hold_start", 0.5), -20, -5, -20, -20, -5, -5).close(7)
    assert b.verdicts() == [(5, "broken", "")], "the hold is too long ago for the second one"
    perhaps = level(excuses=(Excuse(on("say:busy"), before=2),))
    b = values(Bench(perhaps).heard("busy", 0.5, 0.9, faint=True), -20, -5, -20, -20).close(5)
    assert b.verdicts() == [(2, "cannot_tell", "low_confidence")]


@pytest.mark.parametrize(
    ("limits", "value", "limit"),
    [
        (Limits(-38, -12), -5, "-12"),
        (Limits(-38, -12), -50, "-38"),
        (Limits(None, -12), -5, "-12"),
        (Limits(-38, None), -50, "-38"),
    ],
)
def test_the_message_says_value_and_limit(limits: Limits, value: float, limit: str) -> None:
    (alert,) = values(Bench(level(limits)), value).close(2).of(Alert)
    assert alert.message["zh"] == f"{value:.0f}/{limit}//{{step}}"


# ---------------------------------------------------------------- a warning before the breach


WARNED = (Limits(None, 2, severity=Severity.NOTE), Limits(None, 3, severity=Severity.WARNING))


def test_warned_and_then_broken() -> None:
    b = Bench(dead_air(*WARNED)).clock("duration", 0, 5).close(6)
    assert b.verdicts() == [(3, "broken", "")]
    assert [(a.at, a.severity.value, a.occasion) for a in b.of(Alert)] == [
        (2000, "note", 1),
        (3000, "warning", 1),
    ]


def test_only_warned_is_met() -> None:
    b = Bench(dead_air(*WARNED)).clock("duration", 0, 2.5).clock("duration", 4, 5).close(6)
    assert b.verdicts() == [(2.5, "met", "warned")]
    assert [a.severity.value for a in b.of(Alert)] == ["note"]


def test_warned_at_the_end_is_met() -> None:
    assert Bench(dead_air(*WARNED)).clock("duration", 0).close(2.5).verdicts() == [(2.5, "met", "warned")]


def test_a_warning_over_lost_audio_is_unknown() -> None:
    b = Bench(dead_air(*WARNED)).clock("duration", 0, 2.5).lost(1, 1.1).close(6)
    assert b.verdicts() == [(2.5, "cannot_tell", "audio_lost")]
    b = Bench(dead_air(*WARNED)).clock("duration", 0, 5).lost(1, 1.1).close(6)
    assert b.verdicts() == [(3, "cannot_tell", "audio_lost")]
    assert b.alerts() == []


def test_warning_and_breach_count_as_one_alert() -> None:
    r = dead_air(*WARNED, frequency=Frequency(1))
    b = Bench(r).clock("duration", 0, 5).clock("duration", 6, 11).close(12)
    assert [(a.at, a.occasion) for a in b.of(Alert)] == [(2000, 1), (3000, 1)]
    assert [v[0] for v in b.verdicts()] == [3, 9]


def test_a_series_that_only_warned() -> None:
    r = level(Limits(None, -12, severity=Severity.NOTE), Limits(None, -6))
    b = values(Bench(r), -10, -20).close(3)
    assert b.verdicts() == [(2, "met", "warned")]
    b = values(Bench(r), -10, -5, -10, -20).close(5)
    assert b.verdicts() == [(2, "broken", "")]
    assert len(b.alerts()) == 2, "a note, then a warning"


# ---------------------------------------------------------------- clocks


def test_a_clock_is_judged_while_it_runs() -> None:
    b = Bench(dead_air()).clock("duration", 1).to(4)
    assert b.alerts() == [], "what stops on the deadline is in time"
    assert b.to(4.002).alerts() == [(4, "confirmed", 1)]
    assert b.close(9).verdicts() == [(4, "broken", "")]


def test_a_clock_that_stops_in_time() -> None:
    assert Bench(dead_air()).clock("duration", 1, 4).close(9).verdicts() == [(9, "met", "")]


def test_a_clock_that_is_called_off_proves_nothing() -> None:
    b = Bench(dead_air()).clock("duration", 1)
    b.happen("stop:duration", 1, 3, value=2, quality=Quality.UNKNOWN)
    assert b.close(9).verdicts() == [(9, "not_applicable", "")]


def test_a_clock_started_in_hindsight_may_already_be_over() -> None:
    b = Bench(dead_air())
    b.happen("start:duration", 0, known=6).happen("stop:duration", 0, 6, known=6, value=6)
    b.close(9)
    assert b.verdicts() == [(3, "broken", "")]
    assert b.alerts() == [(3, "confirmed", 1)]


def test_a_clock_that_never_started_stops_unheard() -> None:
    assert Bench(dead_air()).happen("stop:duration", 0, 9, value=9).close(10).verdicts() == [(10, "not_applicable", "")]


def test_a_clock_can_be_too_short() -> None:
    b = Bench(dead_air(Limits(2, None))).clock("duration", 0, 1.5).clock("duration", 3, 6).close(9)
    assert b.verdicts() == [(1.5, "broken", "")]


def test_a_running_clock_over_lost_audio() -> None:
    b = Bench(dead_air()).clock("duration", 0).lost(1, 2).close(5)
    assert b.verdicts() == [(3, "cannot_tell", "audio_lost")]


def test_the_shipped_measures_reach_their_rules() -> None:
    b = Bench(rule(Keep("greeting_latency", AGENT, (Limits(None, 2),))))
    b.happen("signal:answered", 1).speech(AGENT, 4, 5).close(6)
    assert b.verdicts() == [(3, "broken", "")]
    assert Happening.ANSWERED == "answered"


def test_pauses_between_values_do_not_count_as_time_outside() -> None:
    """Two loud seconds a minute apart are not one loud minute."""
    form = Keep("level", AGENT, (Limits(None, -12, sustained=3),))
    apart = Bench(rule(form)).measure("level", 1, 2, -6).measure("level", 61, 62, -6).close(70)
    assert [outcome for _, outcome, _ in apart.verdicts()] == ["met"]
    together = Bench(rule(form))
    for second in range(1, 6):
        together.measure("level", second, second + 1, -6)
    assert together.close(70).verdicts() == [(5, "broken", "")]
