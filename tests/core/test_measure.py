"""Measures that depend on words: hold, dead air, response latency, pace, interruption."""

from __future__ import annotations

import pytest

from monitor.core.patterns import compile_phrase
from monitor.core.rulebook import Expect, Happening, Keep, Limits, Never, Occurrence, Role
from monitor.core.types import Channel, PhaseChanged, Word
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, Script, on, pack, rule, run

ROLES = {"wait": Role.WAIT, "bye": Role.FAREWELL}
LISTENING = frozenset({"嗯", "好的", "对"})


def bench(*rules: object, **more: object) -> Bench:
    b = Bench(*rules, roles=ROLES, listening=LISTENING, **more)  # type: ignore[arg-type]
    return b.happen("signal:answered", 0)


def phases(b: Bench) -> list[tuple[str, float, bool]]:
    found = sorted(b.of(PhaseChanged), key=lambda p: p.at)  # those that need words become known later
    return [(p.phase.value, p.at / 1000, p.inferred) for p in found][1:]


# ---------------------------------------------------------------- hold


def test_a_signalled_hold() -> None:
    b = bench().happen("signal:hold", 5).happen("signal:resume", 65).close(70)
    assert b.measured("hold") == [(5, 65, 60, "exact")]
    assert phases(b) == [("held", 5, False), ("talking", 65, False), ("ended", 70, False)]
    assert b.measured("non_talk") == [(0, 70, 60, "exact")]


def test_a_signalled_hold_is_not_ended_by_speech() -> None:
    b = bench().speech(AGENT, 1, 4).happen("signal:hold", 5).speech(AGENT, 20, 21).happen("signal:resume", 65)
    assert b.close(70).measured("hold") == [(5, 65, 60, "exact")]


def test_a_second_hold_signal_and_a_resume_out_of_the_blue() -> None:
    b = bench().happen("signal:resume", 2).happen("signal:hold", 5).happen("signal:hold", 6)
    assert b.happen("signal:resume", 10).close(20).measured("hold") == [(5, 10, 5, "exact")]


def test_a_hold_lasts_to_the_end() -> None:
    b = bench().happen("signal:hold", 5).happen("signal:hangup", 30, by=CUSTOMER).close(40)
    assert b.measured("hold") == [(5, 30, 25, "exact")]
    assert [p[0] for p in phases(b)] == ["held", "ended"], "it does not become talking again"


def test_no_hold_after_the_end() -> None:
    b = bench().happen("signal:hangup", 30).happen("signal:hold", 35).close(40)
    assert b.measured("hold") == []


def test_silence_after_a_wait_phrase_is_a_hold() -> None:
    b = bench().speech(AGENT, 1, 4).heard("wait", 2, 4).to(9)
    assert phases(b) == []
    b.to(9.1)
    assert phases(b) == [("held", 4, True)]
    b.speech(AGENT, 20, 21).close(30)
    assert b.measured("hold") == [(4, 20, 16, "inferred")]
    assert phases(b)[1] == ("talking", 20, True)


def test_the_customer_may_speak_meanwhile() -> None:
    b = bench().speech(AGENT, 1, 4).heard("wait", 2, 4).speech(CUSTOMER, 4.5, 5).speech(AGENT, 20, 21).close(30)
    assert b.measured("hold") == [(4, 20, 16, "inferred")]


def test_no_hold_begins_while_the_customer_speaks() -> None:
    b = bench().speech(AGENT, 1, 4).heard("wait", 2, 4).speech(CUSTOMER, 8, 10).to(11)
    assert phases(b) == []
    assert phases(b.to(12)) == [("held", 4, True)]


def test_a_customer_who_talks_on_was_not_asked_to_wait() -> None:
    b = bench().speech(AGENT, 1, 4).heard("wait", 2, 4).speech(CUSTOMER, 5, 8.5).speech(AGENT, 40, 41).close(50)
    assert b.measured("hold") == []
    b = bench().speech(CUSTOMER, 0, 4.5).speech(AGENT, 1, 4).heard("wait", 2, 4).speech(AGENT, 40, 41).close(50)
    assert b.measured("hold") == [(4, 40, 36, "inferred")], "only what comes after the question tells"


def test_an_agent_who_comes_back_soon_held_nobody() -> None:
    b = bench().speech(AGENT, 1, 4).heard("wait", 2, 4).speech(AGENT, 8.5, 9.5).speech(CUSTOMER, 10, 11).close(13)
    assert b.measured("hold") == []


@pytest.mark.parametrize("again", [[(15, 16)], [(8, 15)]])
def test_a_wait_phrase_explains_no_later_silence(again: list[tuple[float, float]]) -> None:
    b = bench().speech(AGENT, 1, 4).heard("wait", 2, 4).speech(AGENT, 4.2, 5)
    for spell in again:
        b.speech(AGENT, *spell)
    b.close(40)
    assert [h for h in b.measured("hold") if h[0] > 10] == []


def test_only_the_agent_can_ask_to_wait() -> None:
    b = bench().speech(CUSTOMER, 1, 4).heard("wait", 2, 4, by=CUSTOMER).close(30)
    assert b.measured("hold") == []


def test_music_is_a_hold() -> None:
    b = bench().speech(AGENT, 1, 4).happen("music", 6, 8, by=CUSTOMER).speech(AGENT, 30, 31).close(40)
    assert b.measured("hold") == [(6, 30, 24, "inferred")]
    b = bench().speech(AGENT, 1, 4).happen("music", 3, 8, by=AGENT).speech(AGENT, 30, 31).close(40)
    assert b.measured("hold") == [(4, 30, 26, "inferred")], "not while the agent spoke"


def test_music_while_the_agent_speaks_or_under_signals_is_none() -> None:
    assert bench().begins(AGENT, 1).happen("music", 3, 5, by=CUSTOMER).close(9).measured("hold") == []
    b = bench().happen("signal:hold", 1).happen("signal:resume", 3).speech(AGENT, 3, 4).happen("music", 6, 8, by=AGENT)
    assert b.close(9).measured("hold") == [(1, 3, 2, "exact")]


# ---------------------------------------------------------------- dead air


def test_dead_air_begins_when_the_longer_lasting_side_stops() -> None:
    b = bench().speech(CUSTOMER, 1, 4).speech(AGENT, 3, 6).speech(AGENT, 10, 11).close(13)
    assert b.measured("dead_air")[0] == (6, 10, 4, "exact")


def test_short_pauses_are_none_and_long_ones_are_non_talk() -> None:
    b = bench().speech(CUSTOMER, 1, 4).speech(AGENT, 4.9, 6).speech(CUSTOMER, 9.5, 10).speech(AGENT, 12, 13).close(13)
    assert [m[:2] for m in b.measured("dead_air")] == [(6, 9.5), (10, 12)]
    assert b.measured("non_talk") == [(0, 13, 3.5, "exact")]


def test_before_the_customer_spoke_there_is_none() -> None:
    assert bench().speech(AGENT, 1, 4).speech(AGENT, 9, 10).close(11).measured("dead_air") == []


def test_not_after_a_wait_phrase_a_farewell_or_the_end() -> None:
    b = bench().speech(CUSTOMER, 1, 2).speech(AGENT, 2.5, 4).heard("wait", 3, 4).speech(AGENT, 20, 21).close(22)
    assert [m[0] for m in b.measured("dead_air")] == []
    b = bench().speech(CUSTOMER, 1, 2).speech(AGENT, 2.5, 4).heard("bye", 3, 4).speech(CUSTOMER, 20, 21).close(22)
    assert b.measured("dead_air") == []
    b = bench().speech(CUSTOMER, 1, 2).happen("signal:hangup", 2.2).speech(CUSTOMER, 9, 10).close(22)
    assert b.measured("dead_air") == []


def test_a_farewell_is_over_when_the_agent_goes_on() -> None:
    b = bench().speech(CUSTOMER, 1, 2).speech(AGENT, 2.5, 4).heard("bye", 3, 4).speech(AGENT, 9, 10)
    b.speech(CUSTOMER, 15, 16).close(17)
    assert [m[:2] for m in b.measured("dead_air")] == [(10, 15)]


def test_a_hold_calls_dead_air_off_and_it_begins_anew_after_it() -> None:
    r = rule(Keep("dead_air", None, (Limits(None, 3),)))
    b = bench(r).speech(CUSTOMER, 1, 2).happen("signal:hold", 4).happen("signal:resume", 60).close(70)
    assert b.measured("dead_air") == []
    assert b.verdicts() == [(63, "broken", "")]


def test_the_alert_comes_while_the_silence_lasts() -> None:
    r = rule(Keep("dead_air", None, (Limits(None, 3),)))
    assert bench(r).speech(CUSTOMER, 1, 2).to(5.1).alerts() == [(5, "confirmed", 1)]


# ---------------------------------------------------------------- response latency


def test_from_the_end_of_the_customers_turn_to_the_agent() -> None:
    b = bench().speech(CUSTOMER, 1, 4).speech(AGENT, 6.5, 8).close(9)
    assert b.measured("response_latency") == [(4, 6.5, 2.5, "exact")]


def test_an_answer_within_the_turns_pause() -> None:
    b = bench().speech(CUSTOMER, 1, 4).speech(AGENT, 4.4, 8).close(9)
    assert b.measured("response_latency") == [(4, 4.4, 0.4, "exact")]


def test_whoever_was_talking_keeps_nobody_waiting() -> None:
    b = bench().speech(CUSTOMER, 1, 4).speech(AGENT, 3.5, 8).close(9)
    assert b.measured("response_latency") == []


def test_a_short_word_asks_for_no_answer() -> None:
    assert bench().speech(CUSTOMER, 1, 1.7).speech(AGENT, 6, 8).close(9).measured("response_latency") == []


def test_the_customer_goes_on_the_agent_is_away_or_said_goodbye() -> None:
    b = bench().speech(CUSTOMER, 1, 4).speech(CUSTOMER, 6, 6.2).speech(AGENT, 8, 9).close(10)
    assert b.measured("response_latency") == []
    b = bench().speech(AGENT, 0.5, 2).heard("wait", 1, 2).speech(CUSTOMER, 2.5, 4).speech(AGENT, 9, 10).close(12)
    assert b.measured("response_latency") == []
    b = bench().speech(AGENT, 0.5, 2).heard("bye", 1, 2).speech(CUSTOMER, 2.5, 4).speech(AGENT, 9, 10).close(12)
    assert b.measured("response_latency") == []
    b = bench().speech(CUSTOMER, 1, 4).happen("signal:hold", 6).happen("signal:resume", 8).speech(AGENT, 9, 10)
    assert b.close(12).measured("response_latency") == []


def test_it_is_judged_while_it_runs() -> None:
    r = rule(Keep("response_latency", AGENT, (Limits(None, 3),)))
    b = bench(r).speech(CUSTOMER, 1, 4).to(7.1)
    assert b.alerts() == [(7, "confirmed", 1)]
    assert bench(r).speech(CUSTOMER, 1, 4).to(6).happen("signal:hangup", 6.5).close(20).verdicts()[0][1] != "broken"


# ---------------------------------------------------------------- pace


def test_the_pace_of_a_turn_and_of_the_call() -> None:
    b = bench().speech(AGENT, 1, 7, "一" * 20).speech(CUSTOMER, 8, 9, "好好好好好好好").speech(AGENT, 10, 16, "一" * 30)
    b.close(20)
    assert b.measured("turn_pace") == [(1, 7, 200, "exact"), (10, 16, 300, "exact")]
    assert b.measured("call_pace") == [(0, 20, 250, "exact")]


def test_the_live_pace_spans_ten_seconds_of_turn_time() -> None:
    b = bench().speech(AGENT, 0, 12, "一" * 36).speech(AGENT, 20, 32, "一" * 60).close(40)
    values = {m[1]: m for m in b.measured("pace")}
    assert values[4] == (0, 4, 180, "exact")
    assert values[10] == (0, 10, 180, "exact")
    assert values[12][:3] == (2, 12, 180)
    at = values[25]  # 17 s of turn time: 5 s at 180, 5 s at 300
    assert at[0] == 7
    assert at[2] == pytest.approx(240, abs=6)
    assert values[32][2] == 300


def test_pauses_within_a_turn_count() -> None:
    b = bench().speech(AGENT, 0, 5, "一" * 15).speech(AGENT, 6, 11, "一" * 15).close(20)
    assert b.measured("turn_pace") == [(0, 11, round(30 / 11 * 60, 4), "exact")]
    assert {m[1]: m for m in b.measured("pace")}[11][2] == pytest.approx(27 / 10 * 60)


def test_too_little_for_a_figure() -> None:
    b = bench().speech(AGENT, 0, 3.9, "一" * 20).close(20)
    assert b.measured("pace") == b.measured("call_pace") == []
    b = bench().speech(AGENT, 0, 6, "一" * 5).close(20)
    assert b.measured("pace") == b.measured("turn_pace") == b.measured("call_pace") == []


def test_numbers_count_as_they_are_spoken() -> None:
    b = bench().speech(AGENT, 0, 6)
    words = (Word("请拨", 0, 1000), Word("10086", 1000, 5000), Word("。", 5000, 6000))
    b.engine.put_words(Occurrence(Happening.WORDS, AGENT, 0, 6000, 5999, words=words))
    assert b.close(9).measured("turn_pace") == [(0, 6, 70, "exact")]


def test_words_beside_the_speech_are_moved_into_it() -> None:
    b = bench().speech(AGENT, 1, 6)
    words = tuple(Word("一", at, at + 10) for at in (900, *range(1000, 5000, 300), 6100))
    b.engine.put_words(Occurrence(Happening.WORDS, AGENT, 1000, 6000, 5999, words=words))
    assert b.close(9).measured("turn_pace")[0][2] == pytest.approx(16 / 5 * 60)


def test_a_turn_with_unknown_words_has_no_pace() -> None:
    b = bench().speech(AGENT, 1, 7, "一" * 20).speech(AGENT, 7.5, 9).close(20)
    assert b.measured("turn_pace") == []
    assert b.measured("call_pace") == [(0, 20, 200, "exact")], "over what was recognised"


def test_a_long_call_forgets_what_it_no_longer_needs() -> None:
    b = bench()
    for n in range(40):
        b.speech(AGENT, n * 20, n * 20 + 10, "一" * 30)
    b.close(900)
    values = b.measured("pace")
    assert len(values) > 300
    assert all(170 <= m[2] <= 190 for m in values)
    assert all(m[0] < m[1] for m in values)


def test_the_pace_of_a_real_voice() -> None:
    s = Script()
    s.answered(0.2)
    s.agent(1, "我" * 60, pace=240)
    ran = run(s)
    (turn,) = ran.measured("turn_pace", AGENT)
    assert turn.value == pytest.approx(240, rel=0.03)
    assert all(m.value == pytest.approx(240, rel=0.06) for m in ran.measured("pace", AGENT))


# ---------------------------------------------------------------- interruption


CUT_OFF = rule(Never(on("interruption", by=AGENT)))


def cut_off(text: str | None, **more: object) -> Bench:
    b = bench(CUT_OFF, **more).speech(CUSTOMER, 1, 4, "我家没有燃气了")
    return b.speech(AGENT, 3, 6, text).close(9)


def test_words_bear_it_out() -> None:
    b = cut_off("你听我说完再讲")
    assert b.verdicts() == [(3, "broken", "")]


@pytest.mark.parametrize("text", ["嗯", "嗯嗯对对好的", "好的好的", "等一下"])
def test_listening_words_and_few_words_do_not_count(text: str) -> None:
    assert cut_off(text).verdicts() == [(9, "met", "")]


def test_a_listening_word_is_a_word_and_not_its_characters() -> None:
    assert cut_off("的好的的好").verdicts() == [(3, "broken", "")]


def test_words_before_the_overlap_do_not_count() -> None:
    b = bench(CUT_OFF).speech(AGENT, 0.2, 2.5, "我先说几句话给你听").speech(CUSTOMER, 2.6, 5)
    assert b.speech(AGENT, 4, 7, "嗯嗯嗯嗯").close(9).verdicts() == [(9, "met", "")]


def test_words_that_nobody_recognised_leave_it_open() -> None:
    assert cut_off(None).verdicts() == [(3, "cannot_tell", "not_measured")]


def test_without_recogniser_the_audio_decides() -> None:
    b = cut_off(None, recognise=False)
    assert b.verdicts() == [(3, "broken", "")]


def test_the_customer_does_not_yield_or_the_agent_spoke_first() -> None:
    b = bench(CUT_OFF).speech(CUSTOMER, 1, 8, "我" * 9).speech(AGENT, 3, 6, "你听我说完再讲").close(9)
    assert b.verdicts() == [(9, "met", "")]
    b = bench(CUT_OFF).speech(AGENT, 1, 6, "你听我说完再讲").speech(CUSTOMER, 3, 4, "我" * 5).close(9)
    assert b.verdicts() == [(9, "met", "")]


def test_an_interruption_at_the_end_of_the_call_is_decided() -> None:
    b = bench(CUT_OFF).speech(CUSTOMER, 1, 4, "我家没有燃气了").begins(AGENT, 3)
    assert b.close(5).verdicts()[0][1] == "cannot_tell"


def test_it_is_known_when_the_agents_words_are() -> None:
    b = bench(CUT_OFF).speech(CUSTOMER, 1, 4, "我家没有燃气了").speech(AGENT, 3, 6, "你听我说完再讲").to(6.1)
    assert b.alerts() == [(3, "confirmed", 1)]


# ---------------------------------------------------------------- with real sounds


def test_a_hold_inferred_from_what_is_heard() -> None:
    wait = compile_phrase("wait", ["请稍等"])
    p = pack(
        rule(Expect(on("hold_start"), (on("say:wait", by=AGENT),), None, 15), "asked"),
        phrases=(wait,),
        roles={"wait": Role.WAIT},
    )
    s = Script()
    s.answered(0.2)
    t = s.agent(1, "好的请稍等")
    s.agent(t + 12, "找到了您的账单")
    ran = run(s, [p], delay=1.0)
    (hold,) = ran.measured("hold")
    assert hold.value == pytest.approx(12, abs=0.15)
    assert ran.verdicts("p/asked") == [("met", "")]


def test_on_a_mixed_channel_there_is_no_pace() -> None:
    b = Bench(mixed=True).speech(MIXED, 1, 7, "一" * 20).close(9)
    assert b.measured("turn_pace") == []
    assert Channel.MIXED is MIXED
