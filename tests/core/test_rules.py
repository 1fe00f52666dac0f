"""The engine: which rules wait for words, and the two streams."""

from __future__ import annotations

import pytest

from monitor.core.needs import needs_words, patterns_of
from monitor.core.rulebook import (
    Excuse,
    Expect,
    Keep,
    Limits,
    Never,
    Per,
    Report,
    Rule,
    Step,
    Steps,
    Tally,
)
from tests.scripted import AGENT, CUSTOMER, Bench, on, rule

SPEECH = on("speech_start", by=AGENT)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Keep("level", AGENT, (Limits(None, -12),)), False),
        (Keep("pace", AGENT, (Limits(None, 200),)), True),
        (Keep("dead_air", None, (Limits(None, 3),)), True),
        (Never(on("hangup", by=AGENT)), False),
        (Never(on("interruption", by=AGENT)), True),
        (Never(on("say:x", by=AGENT)), True),
        (Never(on("stop:hold", least=60)), True),
        (Never(on("level", most=-50)), False),
        (Expect(on("answered"), (SPEECH,), 2, None), False),
        (Expect(on("hold_end"), (SPEECH,), 2, None), True),
        (Expect(on("answered"), (SPEECH, on("say:x")), 2, None), True),
        (Steps(on("answered"), (Step("a", (SPEECH,), 2),)), False),
        (Steps(on("answered"), (Step("a", (SPEECH,), 2),), until=on("say:x")), True),
        (Tally(on("digit"), Per.CALL, most=3), False),
        (Tally(on("digit"), Per.WINDOW, most=3, window=on("hold_end")), True),
        (Report("figure"), False),
        (Never(on("number", by=CUSTOMER)), True),
        (Keep("farewell_wait", AGENT, (Limits(2, None),)), True),
    ],
)
def test_which_rules_wait_for_words(form: object, words: bool) -> None:
    assert needs_words(rule(form)) is words  # type: ignore[arg-type]


def test_an_excuse_in_words_makes_a_rule_wait() -> None:
    r = rule(Never(on("hangup", by=AGENT)), excuses=(Excuse(on("say:x"), before=5),))
    assert needs_words(r)
    assert [p.names for p in patterns_of(r)] == [("hangup",), ("say:x",)]


HANGUP = rule(Never(on("hangup", by=AGENT)), "hangup")
INSULT = rule(Never(on("say:insult", by=AGENT)), "insult")


def test_audio_rules_do_not_wait_for_words() -> None:
    b = Bench(HANGUP, INSULT).heard("insult", 1, 2).happen("signal:hangup", 5, by=AGENT).to(6, heard=1)
    assert b.alerts("hangup") == [(5, "confirmed", 1)]
    assert b.alerts("insult") == []
    assert b.to(6).alerts("insult") == [(1, "confirmed", 1)]


def test_word_rules_see_sounds_too() -> None:
    r = rule(Expect(on("signal:hold"), (on("say:wait", by=AGENT),), None, 5))
    b = Bench(r).heard("wait", 1, 2).happen("signal:hold", 3).to(9, heard=2)
    assert b.verdicts() == []
    assert b.to(9).verdicts() == [(1, "met", "")]


def test_what_both_streams_do_not_know_is_doubted_in_both() -> None:
    b = Bench(rule(Keep("level", AGENT, (Limits(None, -12),)), "level"), INSULT).lost(1, 2)
    b.measure("level", 1, 2, -3).close(5)
    assert b.verdicts("level") == [(2, "cannot_tell", "audio_lost")]
    assert b.verdicts("insult") == [(5, "cannot_tell", "audio_lost")]


def test_scope() -> None:
    rules = [rule(Never(on("x")), name, **scope) for name, scope in SCOPES.items()]
    b = Bench(*rules, direction="outbound", queue="vip").close(1)
    assert [name for name in SCOPES if b.verdicts(name)] == ["all", "out", "vip"]
    b = Bench(*rules).close(1)
    assert [name for name in SCOPES if b.verdicts(name)] == ["all", "in"]


SCOPES: dict[str, dict[str, object]] = {
    "all": {},
    "in": {"direction": "inbound"},
    "out": {"direction": "outbound"},
    "vip": {"queues": ("vip", "gold")},
    "poor": {"queues": ("poor",)},
}


def test_tags() -> None:
    rules = [rule(Never(on("x")), "-".join(t) or "none", tags=frozenset(t)) for t in ((), ("a",), ("a", "b"))]
    for tags, found in (((), ["none"]), (("a", "c"), ["none", "a"]), (("a", "b"), ["none", "a", "a-b"])):
        b = Bench(*rules, tags=frozenset(tags)).close(1)
        assert [name for name in ("none", "a", "a-b") if b.verdicts(name)] == found


def test_what_measures_say_at_the_end_reaches_the_rules() -> None:
    rules: list[Rule] = [
        rule(Keep("call_pace", AGENT, (Limits(None, 200),)), "pace"),
        rule(Keep("non_talk", None, (Limits(None, 10),)), "non_talk"),
        rule(Keep("turn", AGENT, (Limits(None, 60),)), "turn"),
        rule(Expect(on("turn_end", by=AGENT), (on("turn_end", by=AGENT),), None, None), "again"),
    ]
    b = Bench(*rules).happen("signal:answered", 0).speech(AGENT, 1, 7, "一" * 30).happen("signal:hold", 7.1)
    b.close(20)
    assert b.verdicts("pace") == [(20, "broken", "")]
    assert b.verdicts("non_talk") == [(20, "broken", "")], "the hold lasted to the end"
    assert b.verdicts("turn") == [(20, "met", "")]


def test_a_turn_at_the_very_end_is_seen() -> None:
    b = Bench(rule(Never(on("turn_end", by=CUSTOMER)), "audio"), rule(Never(on("turn_end", "say:x")), "talk"))
    b.speech(CUSTOMER, 1, 4.9).close(5.5)
    assert b.verdicts("audio") == b.verdicts("talk") == [(1, "broken", "")]


def test_two_rules_have_their_own_limits_and_verdicts() -> None:
    b = Bench(INSULT, rule(INSULT.form, "second")).heard("insult", 1, 2).close(3)
    assert b.verdicts("insult") == b.verdicts("second") == [(1, "broken", "")]
