"""Where a call stands: by signals, or inferred."""

from __future__ import annotations

from monitor.core.types import PhaseChanged
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench


def phases(bench: Bench) -> list[tuple[str, float, bool]]:
    return [(p.phase.value, p.at / 1000, p.inferred) for p in bench.of(PhaseChanged)]


# ---------------------------------------------------------------- signals


def test_ringing_answered_hung_up() -> None:
    b = Bench().happen("signal:ringing", 1).happen("signal:answered", 9).speech(AGENT, 10.5, 12)
    b.happen("signal:hangup", 30, by=CUSTOMER).close(31)
    assert phases(b) == [("ringing", 1, False), ("talking", 9, False), ("ended", 30, False)]
    assert b.of(PhaseChanged)[-1].by is CUSTOMER
    assert b.measured("answer_latency") == [(1, 9, 8, "exact")]
    assert b.measured("rings") == [(1, 9, 2, "inferred")], "8 s are two rings"
    assert b.measured("greeting_latency") == [(9, 10.5, 1.5, "exact")]
    assert b.measured("duration") == [(9, 30, 21, "exact")]


def test_rings_that_were_heard_are_counted() -> None:
    b = Bench().happen("signal:ringing", 0)
    for n in range(3):
        b.happen("ring", 1 + 5 * n, 2 + 5 * n)
    b.happen("signal:answered", 13).close(20)
    assert b.measured("rings") == [(0, 13, 3, "exact")]


def test_a_ring_heard_on_both_channels_is_one() -> None:
    b = Bench().happen("signal:ringing", 0)
    for n in range(3):
        b.happen("ring", 1 + 5 * n, 2 + 5 * n).happen("ring", 1.02 + 5 * n, 2.02 + 5 * n)
    assert b.happen("signal:answered", 13).close(20).measured("rings") == [(0, 13, 3, "exact")]


def test_signals_that_come_again_change_nothing() -> None:
    b = Bench().happen("signal:ringing", 1).happen("signal:ringing", 2).happen("signal:answered", 3)
    b.happen("signal:answered", 4).happen("signal:ringing", 5)
    b.happen("signal:hangup", 9, by=AGENT).happen("signal:hangup", 10, by=CUSTOMER).happen("signal:answered", 11)
    assert phases(b.close(12)) == [("ringing", 1, False), ("talking", 3, False), ("ended", 9, False)]


def test_never_answered() -> None:
    b = Bench().happen("signal:ringing", 1).happen("signal:hangup", 9).close(10)
    assert b.measured("answer_latency") == b.measured("duration") == []
    assert phases(b)[-1] == ("ended", 9, False)
    b = Bench().happen("signal:hangup", 3).happen("signal:answered", 5).close(10)
    assert [p[0] for p in phases(b)] == ["ended"]


def test_speech_before_the_answer_is_no_answer_when_signals_will_come() -> None:
    b = Bench().speech(AGENT, 1, 2).happen("signal:answered", 5).close(9)
    assert phases(b)[0] == ("talking", 5, False)


def test_only_the_agent_greets() -> None:
    b = Bench().happen("signal:answered", 1).speech(CUSTOMER, 2, 3).speech(AGENT, 4, 5).close(9)
    assert b.measured("greeting_latency") == [(1, 4, 3, "exact")]


def test_on_a_mixed_channel_nobody_knows_who_greeted() -> None:
    b = Bench(mixed=True).happen("signal:answered", 1).speech(MIXED, 2, 3).close(9)
    assert b.measured("greeting_latency") == []


def test_nobody_ever_greeted() -> None:
    b = Bench().happen("signal:answered", 1).close(9)
    assert b.measured("greeting_latency") == []
    assert b.measured("duration") == [(1, 9, 8, "exact")]


# ---------------------------------------------------------------- inferred


def test_ring_back_then_a_voice() -> None:
    b = Bench(signalled=False)
    b.happen("ring", 1, 2).happen("ring", 6, 7).speech(CUSTOMER, 8, 9).speech(AGENT, 9.5, 11).close(20)
    assert phases(b) == [("ringing", 1, True), ("talking", 8, True), ("ended", 20, False)]
    assert b.measured("rings") == [(1, 8, 2, "inferred")]
    assert b.measured("answer_latency") == [(1, 8, 7, "inferred")]
    assert b.measured("greeting_latency") == [], "when it was answered is not known well enough"


def test_without_a_tone_it_was_answered_at_the_beginning() -> None:
    b = Bench(signalled=False).speech(AGENT, 1.5, 3).close(20)
    assert phases(b)[0] == ("talking", 0, True)
    assert b.measured("greeting_latency") == [(0, 1.5, 1.5, "inferred")]


def test_and_it_was_answered_though_nobody_speaks() -> None:
    b = Bench(signalled=False).to(6)
    assert phases(b) == []
    assert phases(b.to(6.1)) == [("talking", 0, True)]
    assert b.close(20).measured("duration") == [(0, 20, 20, "exact")]


def test_signals_after_all() -> None:
    b = Bench(signalled=False).happen("signal:ringing", 1).speech(CUSTOMER, 2, 3).happen("signal:answered", 8).close(9)
    assert phases(b)[:2] == [("ringing", 1, False), ("talking", 8, False)]
    b = Bench(signalled=False).happen("signal:answered", 1).happen("ring", 2, 3).close(9)
    assert phases(b)[:1] == [("talking", 1, False)]


def test_an_early_end() -> None:
    assert [p[0] for p in phases(Bench(signalled=False).happen("signal:hangup", 2).to(7).close(8))] == ["ended"]
