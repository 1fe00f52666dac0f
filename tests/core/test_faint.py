"""Phrases heard only where the recogniser was unsure of its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audit.report import CallFacts, build_report
from monitor.core import faint
from monitor.core.align import Tolerance, align, piece
from monitor.core.faint import Faint, State, room
from monitor.core.patterns import compile_phrase
from monitor.core.phrases import SURE, PhraseBook, Spotter, is_faint
from monitor.core.review import Spotters
from monitor.core.rulebook import Keep, Limits, Never, Occurrence, Role
from monitor.core.spoken import Char
from monitor.core.types import Alert, Channel, Ear, Heard, Match, PhraseHit, Verdict, Word
from tests.core.test_phrases import BOOKS, RATE, STEP, TALK, peeked, settle, speech
from tests.scripted import AGENT, CUSTOMER, Bench, Script, on, pack, rule, run

DOUBTFUL = 0.5


def unsure(text: str, *doubted: int) -> list[Word]:
    """``text`` as one word a character, ``|`` a pause; the recogniser was unsure of those at ``doubted``, or of all."""
    words = speech(text)
    return [
        replace(word, confidence=DOUBTFUL) if not doubted or place in doubted else word
        for place, word in enumerate(words)
    ]


def hits(patterns: Sequence[str], *segments: list[Word], **how: Any) -> list[PhraseHit]:
    spotter = Spotter(PhraseBook([compile_phrase("p", patterns, **how)]), Channel.AGENT, RATE)
    return [hit for words in segments for hit in settle(spotter, words)]


def found(patterns: Sequence[str], *segments: list[Word], **how: Any) -> list[tuple[str, bool]]:
    """Texts of the hits, and whether they were heard firmly."""
    return [(hit.text, not is_faint(hit)) for hit in hits(patterns, *segments, **how)]


# ---------------------------------------------------------------- one phrase


def test_a_faint_hit_is_near_and_scores_less_than_rules_ask_for() -> None:
    (hit,) = hits(["请您稍等"], unsure("好请您搞党啊", 3, 4))
    assert (hit.text, hit.match) == ("请您搞党", Match.NEAR)
    assert 0 < hit.score < SURE
    (nearer,) = hits(["请您稍等"], unsure("好请您稍党啊", 4))
    assert hit.score < nearer.score < SURE


def test_who_is_sure_is_not_overruled() -> None:
    assert not hits(["请您稍等"], speech("好请您搞党啊"))
    assert not hits(["请您稍等"], unsure("好请您搞党啊", 3))  # of the last character it was sure
    assert not hits(["请您稍等"], unsure("好请您搞党啊", 0, 5))  # of all that matters
    assert hits(["请问有什么可以帮到您"], unsure("青问有深么能以绑到您", 6))[0].match is Match.NEAR
    assert not hits(["请问有什么可以帮到您"], unsure("请问去什么个以人到您", 0))


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("不归我管", "都归我管"),
        ("不归我管", "归我管"),
        ("归我们管", "归不们管"),
        ("我能接受您的要求", "我不能接受您的要求"),
        ("我不能接受您的要求", "我能接受您的要求"),
        ("您听得清我说话吗", "您听不清我说话吗"),
        ("我没听明白", "我先听明白"),
        ("客服热线九五五九八", "客服热线九五五八八"),
        ("请按三号键", "请按四号键"),
        ("请按三号键", "请按号键"),
        ("请稍等", "请搞等"),  # too short
        ("请您稍等", "今天天气"),
        ("请您稍等", "请您"),
    ],
)
def test_what_is_something_else_however_unsure_the_ear_was(pattern: str, heard: str) -> None:
    assert not hits([pattern], unsure(f"嗯{heard}啊"))


def test_only_where_wrong_characters_are_allowed() -> None:
    for by in ("sound", "exact"):
        assert not hits(["请您稍等"], unsure("请您搞灯"), by=by)


def test_pieces_between_gaps_and_slots() -> None:
    (hit,) = hits(["请您稍等…帮您查一下"], unsure("体您稍等啊我帮您查一下", 0))
    assert (hit.text, is_faint(hit)) == ("体您稍等啊我帮您查一下", True)
    (hit,) = hits(["工号X为您服务"], unsure("工号八零我您浮木", 4, 6, 7))
    assert (hit.slots, is_faint(hit)) == (("八零",), True)
    (hit,) = hits(["我的工号X"], unsure("我得公好八零", 0, 2, 3))
    assert not is_faint(hit), "alike in sound is heard firmly"
    (hit,) = hits(["我的工号X"], unsure("我得公高八零", 0, 2, 3))
    assert (hit.slots, is_faint(hit)) == (("八零",), True)


# ---------------------------------------------------------------- faint and firm


def test_a_firm_hit_replaces_the_faint_one_that_it_overlaps() -> None:
    patterns = ["请您稍等", "您稍等一下"]
    assert found(patterns[:1], unsure("体您稍等一下", 0)) == [("体您稍等", False)]
    assert found(patterns, unsure("体您稍等一下", 0)) == [("您稍等一下", True)]
    assert found(["请您稍等", "体您稍"], unsure("体您稍等一下", 0)) == [("体您稍", True)]  # the firm one came first


def test_of_faint_hits_that_overlap_the_best_is_reported_once() -> None:
    assert found(["请您稍等", "请您稍等一下"], unsure("体您烧等一下", 0)) == [("体您烧等一下", False)]
    assert found(["请您稍等"], unsure("体您稍等体您稍等", 0, 4)) == [("体您稍等", False)] * 2


def test_each_occurrence_has_its_own_hit() -> None:
    mixed = found(["请您稍等"], unsure("体您稍等请您稍等", 0))
    assert sorted(mixed) == [("体您稍等", False), ("请您稍等", True)]


def test_a_firm_hit_is_never_lost_to_a_faint_one_reported_with_an_earlier_segment() -> None:
    first, second = speech("体您稍等一下")[:4], speech("体您稍等一下")[4:]
    first[0] = replace(first[0], confidence=DOUBTFUL)
    assert found(["请您稍等", "您稍等一下"], first, second) == [("体您稍等", False), ("您稍等一下", True)]


def test_cancelling() -> None:
    how = {"not_in": ["等一下我没听"]}
    assert found(["请您稍等"], unsure("体您稍等一下我没听", 0), **how) == []  # a firm one cancels a faint hit
    assert found(["请您稍等"], unsure("请您稍等一下我没高", 8), **how) == [("请您稍等", True)]  # not the reverse
    assert found(["请您稍等"], unsure("体您稍等一下我没高", 0, 8), **how) == []
    assert found(["请您稍等"], unsure("体您稍等一下我帮您查", 0), **how) == [("体您稍等", False)]


def test_lost_audio_and_long_pauses_break_faint_phrases() -> None:
    spotter = Spotter(PhraseBook([compile_phrase("p", ["请您稍等"])]), Channel.AGENT, RATE)
    settle(spotter, unsure("体您"))
    spotter.reset()
    assert settle(spotter, unsure("体您稍等")[2:]) == []
    assert found(["请您稍等"], unsure("体您|||||稍等")) == []
    assert found(["请您稍等"], unsure("体您||稍等")) == [("体您稍等", False)]


# ---------------------------------------------------------------- invariants

CANCELLED = [compile_phrase("wait", ["请您稍等", "稍等片刻"], not_in=["不用请您稍等", "请您稍等一下您先说"])]
ALL = {**BOOKS, "cancelled": PhraseBook(CANCELLED)}
SUREST = st.lists(st.sampled_from([0.3, 0.9, faint.UNSURE, 1.0, 1.0]), min_size=1, max_size=12)
GARBLED = st.tuples(TALK, st.text("体搞灯问帮不三", max_size=4), st.integers(0, 30)).map(
    lambda given: given[0][: given[2]] + given[1] + given[0][given[2] + len(given[1]) :]
)


def with_confidences(words: Sequence[Word], sure: Sequence[float]) -> list[Word]:
    return [replace(word, confidence=sure[n % len(sure)]) for n, word in enumerate(words)]


@settings(max_examples=250)
@given(GARBLED, SUREST, st.lists(st.integers(0, 40), max_size=3))
def test_firm_hits_are_those_of_a_recogniser_that_is_sure_of_everything(
    talk: str, sure: list[float], cuts: list[int]
) -> None:
    words = speech(talk)
    places = sorted({0, len(words), *(cut % (len(words) + 1) for cut in cuts)})
    for book in ALL.values():
        plain, doubting = (Spotter(book, Channel.AGENT, RATE) for _ in range(2))
        for first, last in pairwise(places):
            segment = words[first:last]
            heard = settle(doubting, with_confidences(segment, sure))
            assert [hit for hit in heard if not is_faint(hit)] == settle(plain, segment)
            assert all(hit.match is Match.NEAR for hit in heard if is_faint(hit))


@settings(max_examples=250)
@given(GARBLED, SUREST, st.integers(0, 40), st.lists(st.tuples(st.integers(0, 40), SUREST), max_size=6))
def test_what_was_peeked_before_makes_no_difference(
    talk: str, sure: list[float], settled: int, looks: list[tuple[int, list[float]]]
) -> None:
    """Early words grow and change, and so does how sure they are."""
    words = with_confidences(speech(talk), sure)
    before, after = words[:settled], words[settled:]
    for book in ALL.values():
        spotter = Spotter(book, Channel.AGENT, RATE)
        settle(spotter, before)
        for length, other in [*sorted(looks), (40, sure), (40, sure)]:
            fresh = Spotter(book, Channel.AGENT, RATE)
            settle(fresh, before)
            early = with_confidences(after[:length], other)
            assert peeked(spotter, early) == peeked(fresh, early) == peeked(fresh.copy(), early)
        fresh = Spotter(book, Channel.AGENT, RATE)
        settle(fresh, before)
        assert settle(spotter, after) == settle(fresh, after)


@settings(max_examples=150)
@given(GARBLED, SUREST)
def test_faint_hits_overlap_no_other_hit_of_their_phrase_and_firm_ones_win(talk: str, sure: list[float]) -> None:
    words = with_confidences(speech(talk), sure)
    for book in ALL.values():
        heard = settle(Spotter(book, Channel.AGENT, RATE), words)
        for one in filter(is_faint, heard):
            others = [hit for hit in heard if hit is not one and hit.phrase == one.phrase]
            assert not any(hit.start < one.end and one.start < hit.end for hit in others)


PIECES = [
    piece(text, Tolerance.NEAR)
    for text in (
        "请您稍等",
        "请您稍等一下",
        "请您烧水",
        "不归我管",
        "麻烦您等等",
        "请问有什么可以帮到您",
        "按三号键",
        "好的",
    )
]
LETTERS = st.text(alphabet="请体您稍搞等灯一下水不归我管都麻问有什么可以帮三四号键的", max_size=30)


@settings(max_examples=150)
@given(LETTERS, SUREST)
def test_nothing_is_missed_whenever_listening_began(talk: str, sure: list[float]) -> None:
    """The tree finds what comparing every piece at every place finds, although it rests where all is sure."""
    listener, state = Faint(PIECES), None
    numbers = [number for number, one in enumerate(PIECES) if one.limit]
    chars = [Char(word.text, word.text, 0, 0, word.confidence) for word in with_confidences(speech(talk), sure)]
    for end in range(1, len(chars) + 1):
        state, ended = listener.step(state, chars[:end])
        everything = list(listener.endings(numbers, chars[:end]))
        assert list(listener.endings(sorted(ended), chars[:end])) == everything
        for number, alignment in everything:
            assert 0 < alignment.distance <= room(len(PIECES[number].text))
            assert any(char.confidence < faint.UNSURE for char in chars[alignment.start : end])


def test_listening_rests_while_everything_is_sure() -> None:
    listener, state = Faint(PIECES), None
    chars = [Char("好", "好", 0, 0) for _ in range(3 * listener.reach)]
    for end in range(1, len(chars) + 1):
        state, _ = listener.step(state, chars[:end])
        assert state is None
    state, _ = listener.step(state, [*chars, Char("好", "好", 0, 0, DOUBTFUL)])
    assert isinstance(state, State)
    kept = state.costs.copy()
    following: State | None = state
    for end in range(1, listener.reach + 2):
        following, _ = listener.step(following, chars[:end])
        assert (following is None) == (end > listener.reach)
    assert (state.costs == kept).all(), "a state that somebody else may hold is never changed"


def test_books_without_such_pieces() -> None:
    for patterns in ([], [compile_phrase("p", ["好的"])], [compile_phrase("p", ["请您稍等"], by="exact")]):
        assert settle(Spotter(PhraseBook(patterns), Channel.AGENT, RATE), unsure("请您搞等嗯")) == []


def test_a_piece_has_less_room_than_one_wrong_character_more() -> None:
    assert [room(length) for length in (4, 5, 8, 11, 15)] == [100, 130, 220, 299, 399]
    assert align(PIECES[0], list("请您搞灯"), 3) is None


# ---------------------------------------------------------------- who does not count on them


def perhaps(bench: Bench, phrase: str, start: float, end: float) -> Bench:
    low, high = bench.p(start), bench.p(end)
    bench.engine.put_words(Occurrence(f"say:{phrase}", AGENT, low, high, high, score=0.4, faint=True))
    return bench


def test_a_faint_farewell_is_none() -> None:
    waits = rule(Keep("farewell_wait", AGENT, (Limits(2, None),)))
    bench = perhaps(Bench(waits, roles={"bye": Role.FAREWELL}), "bye", 5, 6)
    bench.happen("signal:hangup", 9.5, by=AGENT).close(12)
    assert bench.measured("farewell_wait") == [(9.5, 9.5, 0, "exact")]


def test_a_faint_wait_phrase_and_farewell_explain_no_silence() -> None:
    for role in (Role.WAIT, Role.FAREWELL):
        bench = Bench(roles={"said": role}).speech(CUSTOMER, 1, 2).speech(AGENT, 3, 5)
        perhaps(bench, "said", 3, 5).speech(CUSTOMER, 20, 21).close(22)
        assert (5, 20, 15, "exact") in bench.measured("dead_air"), role


def test_a_faint_hit_of_one_ear_asks_for_no_review() -> None:
    book = PhraseBook([compile_phrase("wait", ["请您稍等"])])
    said, doubted = tuple(speech("请您稍等")), tuple(unsure("请您稍党", 3))
    for first, second, splits in ((said, doubted, 1), (doubted, said, 1), (doubted, said[:2], 0), (said, said, 0)):
        heard = Heard(AGENT, 1, 0, 4 * STEP, first, True, Ear.CAREFUL, second)
        found, split = Spotters(book, AGENT, RATE).settle(heard)
        assert (len(found), len(split)) == (1, splits)


def test_the_report_counts_no_faint_hits() -> None:
    facts = CallFacts("c", "s", RATE, 20 * RATE, (AGENT, CUSTOMER), (), None, "1")
    firm, doubtful = (hits(["请您稍等"], words)[0] for words in (speech("请您稍等"), unsure("请您稍党", 3)))
    (counted,) = build_report(facts, [firm, doubtful])["metrics"]["phrases"]["summary"]
    assert counted["count"] == 1


def test_a_faint_hit_raises_no_alert_and_leaves_the_verdict_open() -> None:
    bench = Bench(rule(Never(on("say:rude", by=AGENT))))
    seen = Occurrence("say:rude", AGENT, bench.p(1), bench.p(2), bench.p(2), score=0.4, faint=True)
    bench.engine.early(seen, bench.p(2))
    bench.engine.put_words(seen)
    assert bench.close(9).verdicts() == [(1, "cannot_tell", "low_confidence")]
    assert bench.alerts() == []


@pytest.mark.parametrize(("sure", "verdict"), [(1.0, ("met", "")), (0.9, ("cannot_tell", "low_confidence"))])
def test_a_call_in_which_something_may_have_been_said(sure: float, verdict: tuple[str, str]) -> None:
    script = Script()
    script.answered(0.2)
    script.agent(1, "你这个人是不是听不懂人搞对吗")
    script.quiet(9)
    insult = compile_phrase("insult", ["听不懂人话"])
    rules = pack(rule(Never(on("say:insult", by=AGENT)), "insult"), phrases=(insult,))
    words = {by: [replace(word, confidence=sure) for word in said] for by, said in script.words.items()}
    ran = run(script, [rules], words=words)
    assert ran.of(Alert) == []
    assert [(v.outcome.value, v.reason) for v in ran.of(Verdict)] == [verdict]
    assert [is_faint(hit) for hit in ran.of(PhraseHit)] == ([] if sure == 1.0 else [True])
