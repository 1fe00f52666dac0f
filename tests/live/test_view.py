"""What a screen shows of a call, from its events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.core.types import (
    MONO,
    Alert,
    AlertState,
    Channel,
    Due,
    DueState,
    Event,
    Evidence,
    Heard,
    Lag,
    Match,
    Measured,
    Outcome,
    Phase,
    PhaseChanged,
    Review,
    Severity,
    SpeechEnded,
    SpeechStarted,
    Verdict,
    Word,
)
from monitor.live.view import View, alert_view, changes, join_words
from tests.live.fakes import describe, request_for

AGENT, CUSTOMER = Channel.AGENT, Channel.CUSTOMER


def words(text: str, start: int, step: int = 800) -> tuple[Word, ...]:
    return tuple(Word(char, start + n * step, start + (n + 1) * step) for n, char in enumerate(text))


def shown(*events: Event, **request: Any) -> dict[str, Any]:
    view = View(request_for(**request), describe)
    view.apply(events)
    return view.whole()


def heard(text: str, start: int, *, settled: bool, segment: int = 0, channel: Channel = AGENT) -> Heard:
    found = words(text, start)
    return Heard(channel, segment, start, found[-1].end if found else start, found, settled)


def alert(state: AlertState, occasion: int = 0, severity: Severity = Severity.WARNING) -> Alert:
    evidence = (Evidence(AGENT, "不知道", 8000, 12000, Match.SOUND),)
    return Alert("p/r", occasion, severity, state, AGENT, 8000, 12000, 8004, 16001, {"zh": "禁语"}, evidence)


def test_a_new_call_shows_what_was_told_at_its_start() -> None:
    view = shown(source="line 3")
    assert view["id"] == "c1"
    assert view["agent"] == "小王"
    assert view["packs"] == ["test"]
    assert view["source"] == "line 3"
    assert view["mixed"] is False
    assert view["level"] == {"agent": None, "customer": None}
    assert view["seconds"] == 0.0
    assert view["lines"] == view["due"] == view["notes"] == []


def test_speaking_and_silence_follow_the_events() -> None:
    spoke = [SpeechStarted(AGENT, 0, 400), SpeechStarted(CUSTOMER, 4000, 4400)]
    assert shown(*spoke)["speaking"] == {"agent": True, "customer": True}
    one = [*spoke, SpeechEnded(AGENT, 0, 8000, 8800)]
    assert shown(*one)["silence_since"] is None, "the customer still speaks"
    none = [*one, SpeechEnded(CUSTOMER, 4000, 9000, 9800)]
    assert shown(*none)["silence_since"] == 1.125
    assert shown(*none, SpeechStarted(AGENT, 16000, 16400))["silence_since"] is None


def test_a_held_call_shows_since_when() -> None:
    held = PhaseChanged(Phase.HELD, 80000, 80000)
    assert (shown(held)["phase"], shown(held)["hold_since"]) == ("held", 10.0)
    assert shown(held, PhaseChanged(Phase.TALKING, 90000, 90000))["hold_since"] is None


def test_levels_and_paces_are_the_last_ones_of_the_right_side() -> None:
    view = shown(
        Measured("level", AGENT, 0, 8000, -20.04, 8000),
        Measured("level", CUSTOMER, 0, 8000, -31.0, 8000),
        Measured("pace", AGENT, 0, 8000, 191.4, 8000),
        Measured("pace", CUSTOMER, 0, 8000, 300.0, 8000),
        Measured("pace_acoustic", AGENT, 0, 8000, 205.0, 8000),
    )
    assert view["level"] == {"agent": -20.0, "customer": -31.0}
    assert (view["pace"], view["pace_acoustic"]) == (191, 205)


def test_a_mixed_call_shows_its_one_channel_on_the_agents_side() -> None:
    view = shown(
        SpeechStarted(Channel.MIXED, 0, 400), Measured("level", Channel.MIXED, 0, 8000, -20.0, 8000), channels=MONO
    )
    assert view["mixed"] is True
    assert view["speaking"] == {"agent": True, "customer": False}
    assert view["level"] == {"agent": -20.0, "customer": None}


@pytest.mark.parametrize("pieces", [["您好", "请讲"], ["您好", "您好请讲"], ["您好请讲", "您好请讲"]])
def test_settled_words_come_in_pieces_or_whole(pieces: list[str]) -> None:
    """A recogniser may settle the rest of a segment, or say all of it again."""
    events = [heard(text, 0 if text.startswith("您") else 1600, settled=True) for text in pieces]
    assert [line["text"] for line in shown(*events)["lines"]] == ["您好请讲"]


def test_unsettled_words_are_replaced_and_settled_ones_stay() -> None:
    events = [heard("您好", 0, settled=True), heard("青", 1600, settled=False), heard("请讲", 1600, settled=False)]
    line = shown(*events)["lines"][0]
    assert (line["text"], line["settled"]) == ("您好请讲", False)
    assert shown(*events, heard("请坐", 1600, settled=True))["lines"][0]["text"] == "您好请坐"


def test_six_lines_in_the_order_of_time() -> None:
    events = [heard(str(n), (9 - n) * 8000, settled=True, segment=n) for n in range(9)]
    assert [line["text"] for line in shown(*events)["lines"]] == ["5", "4", "3", "2", "1", "0"]


def test_latin_words_are_spaced_and_han_is_not() -> None:
    assert join_words([Word(text, 0, 1) for text in ("请", "说", "ok", "then", "好")]) == "请说ok then好"


def test_dues_are_shown_until_done() -> None:
    due = Due("p/greet", 0, 8000, 24000)
    found = shown(due)["due"]
    assert found == [
        {
            "rule": "p/greet",
            "occasion": 0,
            "title": {"zh": "p/greet", "en": "p/greet"},
            "at": 1.0,
            "deadline": 3.0,
            "state": "pending",
        }
    ]
    assert shown(due, Due("p/greet", 0, 8000, 24000, DueState.HEARD))["due"][0]["state"] == "heard"
    assert shown(due, Due("p/greet", 0, 8000, 24000, DueState.DONE))["due"] == []


def test_cleared_alerts_do_not_count() -> None:
    raised = [alert(AlertState.RAISED), alert(AlertState.RAISED, 1, Severity.CRITICAL)]
    assert shown(*raised)["counts"] == {"critical": 1, "warning": 1, "note": 0}
    assert shown(*raised, alert(AlertState.CLEARED))["counts"]["warning"] == 0


def test_the_lag_is_that_of_the_slower_channel() -> None:
    assert shown(Lag(AGENT, 0, 16000), Lag(CUSTOMER, 8000, 16000))["lag"] == 2.0
    assert shown(Lag(AGENT, 0, 16000), Lag(AGENT, 24000, 24000))["lag"] == 0.0


def test_verdicts_are_counted_by_outcome() -> None:
    view = View(request_for(), describe)
    view.apply([Verdict("p/a", 0, Outcome.MET, 0), Verdict("p/b", 0, Outcome.NOT_APPLICABLE, 0)])
    assert view.outcome == {"met": 1, "broken": 0, "cannot_tell": 0}


def test_an_ended_call_expects_nothing_and_an_interrupted_one_says_so() -> None:
    view = View(request_for(), describe)
    view.apply([SpeechStarted(AGENT, 0, 400), Due("p/greet", 0, 8000, None)])
    view.interrupted = True
    assert view.whole()["phase"] == "interrupted"
    view.ended = True
    whole = view.whole()
    assert (whole["phase"], whole["due"], whole["speaking"]["agent"]) == ("ended", [], False)


def test_an_alert_as_screens_show_it() -> None:
    found = alert_view(request_for(), alert(AlertState.CONFIRMED), describe)
    assert found["id"] == "c1~p/r~0"
    assert (found["start"], found["end"], found["at"], found["raised_at"]) == (1.0, 1.5, 1.0, 2.0)
    assert found["evidence"] == [{"channel": "agent", "text": "不知道", "start": 1.0, "end": 1.5, "match": "sound"}]
    assert found["advice"] == {"zh": "轻声", "en": "softer"}
    assert found["review"] is None
    assert found["ack"] is found["comment"] is found["right"] is None


def test_an_alert_that_the_ears_disagree_on_says_so() -> None:
    disputed = replace(alert(AlertState.CLEARED), review=Review.UNHEARD_BY_CAREFUL)
    assert alert_view(request_for(), disputed, describe)["review"] == "unheard_by_careful"


def test_only_changed_fields_are_told() -> None:
    assert changes({"a": 1, "b": [1]}, {"a": 1, "b": [2], "c": None}) == {"b": [2], "c": None}
