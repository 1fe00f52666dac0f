"""The desk: doubt, memory, turns, and findings written once."""

from __future__ import annotations

import pytest

from monitor.core.desk import MEMORY_SECONDS, Desk
from monitor.core.rulebook import Frequency, Happening, Never, Occurrence, Pattern, Quiet
from monitor.core.stream import Stream
from monitor.core.types import Alert, Evidence, Match, Outcome, Verdict
from tests.scripted import AGENT, CUSTOMER, MIXED, on, rule


def desk(mixed: bool = False) -> Desk:
    return Desk(1000, mixed, Stream())


def seen(name: str, at: int, **more: object) -> Occurrence:
    fields: dict[str, object] = {"by": AGENT, "start": at, "end": at, "known": at} | more
    return Occurrence(name, **fields)  # type: ignore[arg-type]


R = rule(Never(on("x")), frequency=Frequency(2, 5))


# ---------------------------------------------------------------- doubt


def test_doubt_is_about_stretches_that_overlap() -> None:
    d = desk()
    d.doubt(100, 200, None, words=False, reason="lost")
    assert d.doubtful(0, 100, AGENT, words=False) == ""
    assert d.doubtful(0, 101, AGENT, words=False) == "lost"
    assert d.doubtful(199, 300, None, words=True) == "lost"
    assert d.doubtful(200, 300, None, words=True) == ""


def test_unknown_words_matter_only_where_words_matter() -> None:
    d = desk()
    d.doubt(100, 200, AGENT, words=True, reason="failed")
    assert d.doubtful(0, 300, AGENT, words=False) == ""
    assert d.doubtful(0, 300, AGENT, words=True) == "failed"
    assert d.doubtful(0, 300, CUSTOMER, words=True) == ""
    assert d.doubtful(0, 300, None, words=True) == "failed"


def test_a_mixed_channel_is_everybodys() -> None:
    d = desk(mixed=True)
    d.doubt(100, 200, MIXED, words=True, reason="failed")
    assert d.doubtful(0, 300, CUSTOMER, words=True) == "failed"


def test_the_earliest_reason_counts_whatever_became_known_first() -> None:
    for order in ((0, 1), (1, 0)):
        d = desk()
        for n in order:
            d.doubt(*[(100, 200, None), (150, 180, AGENT)][n], words=bool(n), reason=("lost", "failed")[n])
        assert d.doubtful(0, 300, AGENT, words=True) == "lost"


def test_doubt_that_goes_on_is_kept_as_one() -> None:
    d = desk()
    for end in range(10, 10_000, 10):
        d.doubt(0, end, AGENT, words=True, reason="none")
        d.doubt(0, end, CUSTOMER, words=True, reason="none")
    assert len(d._doubts) == 2
    assert d.doubtful(9980, 9985, AGENT, words=True) == "none"
    d.doubt(20_000, 20_010, AGENT, words=True, reason="none")
    assert d.doubtful(15_000, 16_000, AGENT, words=True) == ""


# ---------------------------------------------------------------- memory


def test_only_what_rules_look_back_for_is_remembered_and_not_for_ever() -> None:
    d = desk()
    d.remember(frozenset({"a"}))
    d.note(seen("a", 0))
    d.note(seen("b", 0))
    assert d.seen(on("a", "b"), 0, 10) == [seen("a", 0)]
    later = round(MEMORY_SECONDS * 1000)
    d.note(seen("a", later))
    assert len(d.seen(on("a"), 0, later)) == 2
    d.note(seen("a", later + 1))
    assert [o.start for o in d.seen(on("a"), 0, 10**9)] == [later, later + 1]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (Pattern(("a",)), True),
        (Pattern(("b",)), False),
        (Pattern(("a",), AGENT), True),
        (Pattern(("a",), CUSTOMER), False),
        (Pattern(("a",), least=2), True),
        (Pattern(("a",), least=2.1), False),
        (Pattern(("a",), most=2), True),
        (Pattern(("a",), most=1.9), False),
    ],
)
def test_patterns(pattern: Pattern, fits: bool) -> None:
    assert pattern.matches(seen("a", 1, value=2.0)) is fits


def test_nobody_and_everybody_fit_any_party() -> None:
    assert Pattern(("a",), AGENT).matches(seen("a", 1, by=None))
    assert Pattern(("a",), AGENT).matches(seen("a", 1, by=MIXED))


def test_turns() -> None:
    d = desk()
    assert not d.in_turn(AGENT, 10)
    d.turn_since[AGENT] = 10
    assert d.in_turn(AGENT, 10) and d.in_turn(None, 11)
    assert not d.in_turn(AGENT, 9) and not d.in_turn(CUSTOMER, 11)
    d.turn_since[AGENT] = None
    assert not d.in_turn(None, 11)


def test_quiet() -> None:
    d = desk()
    d.remember(frozenset({Happening.SPEECH_START, Happening.SPEECH_END}))
    assert d.kept_quiet(Quiet(CUSTOMER, 6), 100, 200)
    d.note(seen(Happening.SPEECH_START, 50, by=CUSTOMER))
    d.note(seen(Happening.SPEECH_END, 50, end=90, by=CUSTOMER))
    assert d.kept_quiet(Quiet(CUSTOMER, 6), 100, 200)
    assert not d.kept_quiet(Quiet(CUSTOMER, 6), 80, 180), "was still speaking"
    d.spoken.add(CUSTOMER)
    assert not d.kept_quiet(Quiet(CUSTOMER, 6, so_far=True), 100, 200)
    d.note(seen(Happening.SPEECH_START, 150, by=CUSTOMER))
    assert not d.kept_quiet(Quiet(CUSTOMER, 6), 100, 200)
    d.turn_since[AGENT] = 0
    assert not d.kept_quiet(Quiet(AGENT, 6), 100, 200)


# ---------------------------------------------------------------- findings


def test_a_second_verdict_is_a_defect() -> None:
    d = desk()
    d.verdict(R, 1, Outcome.MET, 5)
    d.verdict(R, 2, Outcome.MET, 5)
    with pytest.raises(AssertionError, match="two verdicts for p/r on occasion 1"):
        d.verdict(R, 1, Outcome.BROKEN, 6)
    assert [e.kind for e in d.take()] == ["verdict", "verdict"]
    assert d.take() == []


def test_frequency_limits() -> None:
    d = desk()
    assert d.allowed(R, 0)
    d.count(R, 0)
    assert not d.allowed(R, 4999)
    assert d.allowed(R, 5000)
    d.count(R, 5000)
    assert not d.allowed(R, 100_000), "two are enough for a call"


@pytest.mark.parametrize(("value", "shown"), [(3.0, "3"), (3.04, "3.0"), (3.25, "3.2"), (123.4, "123"), (-6.5, "-6.5")])
def test_messages(value: float, shown: str) -> None:
    d = desk()
    proof = tuple(Evidence(AGENT, t, 0, 1, Match.EXACT) for t in ("你", "好"))
    d.alert(R, 1, seen("x", 7, value=value, evidence=proof), 7, facts={"limit": "9"})
    (alert,) = d.take()
    assert isinstance(alert, Alert)
    assert alert.message["zh"] == f"{shown}/9/你 … 好/{{step}}"


def test_raised_at_is_how_far_the_call_had_to_be_heard() -> None:
    d = desk()
    list(d._stream.until(50))
    d.alert(R, 1, seen("x", 7), 7)
    d.now = 90
    d.alert(R, 2, seen("x", 7), 7)
    d.alert(R, 3, seen("x", 100), 100)
    assert [a.raised_at for a in d.take() if isinstance(a, Alert)] == [50, 90, 100]


def test_alerts_and_verdicts_name_the_rule() -> None:
    d = desk()
    d.verdict(R, 0, Outcome.MET, 1, "why")
    assert d.take() == [Verdict("p/r", 0, Outcome.MET, 1, "why")]
