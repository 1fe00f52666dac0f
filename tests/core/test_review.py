"""Two ears: what only one of them heard marks the findings that turn on it."""

from __future__ import annotations

import pytest

from monitor.core.patterns import compile_phrase
from monitor.core.phrases import PhraseBook
from monitor.core.review import Split, Splits, Spotters
from monitor.core.rulebook import Excuse, Expect, Happening, Keep, Limits, Never, Per, Rule, Step, Steps, Tally
from monitor.core.types import Ear, Heard, Review, Word
from tests.scripted import AGENT, CUSTOMER, MIXED, Bench, on, rule

NO_FAST, NO_CAREFUL, ALONE = Review.UNHEARD_BY_FAST, Review.UNHEARD_BY_CAREFUL, Review.FAST_EAR_ONLY
WORDS = Happening.WORDS


# ---------------------------------------------------------------- spotting with two ears


def said(text: str, start: int = 8000) -> tuple[Word, ...]:
    return tuple(Word(char, start + 1600 * n, start + 1600 * (n + 1)) for n, char in enumerate(text))


def spotters() -> Spotters:
    return Spotters(PhraseBook([compile_phrase("bye", ["再见"]), compile_phrase("wait", ["请稍等"])]), AGENT, 8000)


def heard(text: str, other: str | None = None, start: int = 8000, ear: Ear = Ear.CAREFUL) -> Heard:
    second = None if other is None else said(other, start)
    return Heard(AGENT, 1, start, start + 16_000, said(text, start), True, ear, second)


def found(spotters: Spotters, segment: Heard) -> tuple[list[str], list[tuple[str, Review]]]:
    hits, splits = spotters.settle(segment)
    return [h.phrase for h in hits], [(s.name, s.review) for s in splits]


@pytest.mark.parametrize(
    ("segment", "hits", "splits"),
    [
        (heard("好的再见"), ["bye"], []),
        (heard("好的再见", "好了再见"), ["bye"], []),
        (heard("好的再见", "好的在家"), ["bye"], [("say:bye", NO_FAST)]),
        (heard("好的在家", "好的再见"), [], [("say:bye", NO_CAREFUL)]),
        (heard("请稍等", "再见了"), ["wait"], [("say:wait", NO_FAST), ("say:bye", NO_CAREFUL)]),
        (heard("再见再见", "再见好吗"), ["bye", "bye"], [("say:bye", NO_FAST)]),
        (heard("再见", ear=Ear.FAST), ["bye"], [(WORDS, ALONE)]),
        (heard("再见", ear=Ear.ONLY), ["bye"], []),
    ],
    ids=lambda v: "" if not isinstance(v, Heard) else "".join(w.text for w in v.words),
)
def test_what_one_ear_alone_heard(segment: Heard, hits: list[str], splits: list[tuple[str, Review]]) -> None:
    assert found(spotters(), segment) == (hits, splits)


def test_a_split_lies_where_the_phrase_was_heard() -> None:
    _, (split,) = spotters().settle(heard("好的再见", "好的在家"))
    assert (split.channel, split.start, split.end, split.known) == (AGENT, 11_200, 14_400, 14_400)
    _, (alone,) = spotters().settle(heard("好的", ear=Ear.FAST))
    assert (alone.start, alone.end, alone.known) == (8000, 24_000, 8000)


def test_the_ears_may_place_a_phrase_a_little_apart() -> None:
    for apart, splits in ((5500, []), (5700, [NO_FAST, NO_CAREFUL])):
        shifted = said("再见", 8000 + apart)
        _, found_ = spotters().settle(Heard(AGENT, 1, 8000, 24_000, said("再见"), True, Ear.CAREFUL, shifted))
        assert [s.review for s in found_] == splits


def test_phrases_run_across_segments_for_both_ears() -> None:
    s = spotters()
    assert found(s, heard("我请稍", "你请稍")) == ([], [])
    assert found(s, heard("等", start=16_000)) == (["wait"], []), "the same text was heard by both"
    assert found(s, heard("我请稍", "我请烧", start=60_000)) == ([], [])
    assert found(s, heard("等", "得", start=68_000)) == (["wait"], [("say:wait", NO_FAST)])


def test_lost_audio_parts_the_words_of_both() -> None:
    s = spotters()
    s.settle(heard("我请稍", "你请稍"))
    s.reset()
    assert found(s, heard("等", "等等", start=16_000)) == ([], [])


def test_early_words_leave_no_trace() -> None:
    s = spotters()
    early = Heard(AGENT, 1, 8000, 24_000, said("再见"), False, Ear.FAST)
    assert [h.phrase for h in s.peek(early)] == ["bye"]
    assert found(s, heard("好的")) == ([], [])


# ---------------------------------------------------------------- asking about a finding


def asked(*splits: Split, spare: int = 0, position: int = 10_000, by: object = AGENT) -> Review | None:
    all_ = Splits(1000)
    for split in splits:
        all_.add(split)
    return all_.review([(on("say:x", WORDS, by=by), 0.0, 0.0)], 1000, 2000, position, spare)  # type: ignore[arg-type]


def split(start: int, end: int, review: Review = NO_FAST, name: str = "say:x", by: object = AGENT) -> Split:
    return Split(name, by, start, end, end, review)  # type: ignore[arg-type]


def test_only_what_lies_in_the_finding_counts() -> None:
    assert asked() is None
    assert asked(split(0, 1000), split(2000, 3000)) is None
    assert asked(split(500, 1001)) is asked(split(1999, 3000)) is NO_FAST
    assert asked(split(1200, 1400, name="say:y")) is None
    assert asked(split(1200, 1400, by=CUSTOMER)) is None
    assert asked(split(1200, 1400, by=CUSTOMER), by=None) is NO_FAST
    assert asked(split(1200, 1400, by=MIXED)) is NO_FAST
    assert asked(split(1200, 1400), position=1399) is None, "not known yet, however soon the words came"


def test_the_first_says_why_and_phrases_go_before_whole_stretches() -> None:
    a, b, c = split(1500, 1600), split(1200, 1300, NO_CAREFUL), split(1100, 1900, ALONE, WORDS)
    assert asked(a, b, c) is asked(c, b, a) is NO_CAREFUL
    assert asked(a, b, spare=1) is NO_CAREFUL
    assert asked(a, b, spare=2) is None
    assert asked(a, b, c, spare=2) is ALONE


# ---------------------------------------------------------------- the forms


def insult(**more: object) -> Rule:
    return rule(Never(on("say:insult", by=AGENT)), **more)


@pytest.mark.parametrize(("name", "why"), [("say:insult", NO_FAST), (WORDS, ALONE)])
def test_never_on_words_of_one_ear(name: str, why: Review) -> None:
    b = Bench(insult()).split(name, 1, 2, review=why).heard("insult", 1, 2).heard("insult", 5, 6).close(9)
    assert b.reviews() == [("confirmed", why), ("confirmed", None), ("broken", why), ("broken", None)]


def test_never_raised_and_cleared() -> None:
    b = Bench(insult()).heard("insult", 1, 2, early=True).heard("insult", 5, 6, early=True)
    b.split("say:insult", 1, 2).split("say:other", 5, 6).close(9)
    assert b.reviews()[:4] == [("raised", None), ("raised", None), ("cleared", NO_CAREFUL), ("cleared", None)]
    assert b.reviews()[4:] == [("met", NO_CAREFUL)]


def test_never_met_is_not_doubted_for_every_word_of_the_fast_ear() -> None:
    assert Bench(insult()).split(WORDS, 1, 2, review=ALONE).close(9).reviews() == [("met", None)]


def test_an_excuse_that_one_ear_heard() -> None:
    r = insult(excuses=(Excuse(on("say:joke", by=CUSTOMER), before=3, after=2),))
    for at, why in ((1.0, None), (2.5, NO_CAREFUL), (8.0, NO_CAREFUL), (9.5, None)):
        b = Bench(r).split("say:joke", at, at + 0.5, CUSTOMER).heard("insult", 5, 7).close(20)
        assert b.reviews() == [("confirmed", why), ("broken", why)], at


def test_expect_what_the_fast_ear_alone_heard() -> None:
    form = Expect(on("answered"), (on("say:hello", by=AGENT),), within=3.0, before=None)
    for at, by, why in ((2.0, AGENT, NO_CAREFUL), (2.0, CUSTOMER, None), (5.0, AGENT, None)):
        b = Bench(rule(form)).happen("signal:answered", 1).split("say:hello", at, at + 0.6, by).close(9)
        assert b.reviews() == [("confirmed", why), ("broken", why)]
    met = Bench(rule(form)).happen("signal:answered", 1).heard("hello", 2, 3).close(9)
    assert met.reviews() == [("met", None)]


def test_expect_after_what_the_careful_ear_alone_heard() -> None:
    form = Expect(on("say:thanks", by=CUSTOMER), (on("say:welcome", by=AGENT),), within=3.0, before=None)
    b = Bench(rule(form)).heard("thanks", 1, 2, by=CUSTOMER).split("say:thanks", 1, 2, CUSTOMER, NO_FAST).close(9)
    assert b.reviews() == [("confirmed", NO_FAST), ("broken", NO_FAST)]


def test_steps_with_a_step_of_one_ear() -> None:
    form = Steps(
        on("answered"),
        (Step("one", (on("say:one", by=AGENT),), 5.0), Step("two", (on("say:two", by=AGENT),), 5.0)),
    )
    for name, at, why in (("say:one", 2.0, NO_FAST), ("say:two", 5.0, NO_CAREFUL), ("say:two", 9.0, None)):
        b = Bench(rule(form)).happen("signal:answered", 1).heard("one", 2, 3)
        b.split(name, at, at + 1, review=why or NO_CAREFUL).close(20)
        assert b.reviews() == [("confirmed", why), ("broken", why)]


def test_a_count_is_reviewed_where_it_would_have_been_another() -> None:
    form = Tally(on("say:please", by=AGENT), Per.CALL, least=3)
    for missed, why in ((0, None), (1, None), (2, NO_CAREFUL)):
        b = Bench(rule(form)).heard("please", 1, 2)
        for n in range(missed):
            b.split("say:please", 3 + n, 3.5 + n)
        assert b.close(9).reviews() == [("confirmed", why), ("broken", why)], missed


def test_too_many_by_those_that_one_ear_heard() -> None:
    form = Tally(on("say:er", by=AGENT), Per.CALL, most=2)
    for at, why in ((0.5, NO_FAST), (None, None)):
        b = Bench(rule(form))
        for n in range(3):
            b.heard("er", 0.5 + n, 1 + n)
        if at is not None:
            b.split("say:er", at, at + 0.5, review=NO_FAST)
        assert b.close(9).reviews() == [("confirmed", why), ("broken", why)]


def test_a_rate_is_reviewed_by_the_minute() -> None:
    form = Tally(on("say:please", by=AGENT), Per.MINUTE, least=3, minutes_needed=0.1)
    for missed, why in ((3, None), (4, NO_CAREFUL)):  # two minutes of speech: 6 are needed
        b = Bench(rule(form)).speech(AGENT, 0, 120).heard("please", 1, 2).heard("please", 3, 4)
        for n in range(missed):
            b.split("say:please", 10 + n, 10.5 + n)
        assert b.close(130).reviews() == [("confirmed", why), ("broken", why)]


def test_a_window_is_reviewed_for_what_was_heard_in_it() -> None:
    form = Tally(on("say:mm", by=AGENT), Per.WINDOW, least=1, window=on("turn_end", by=CUSTOMER))
    for at, why in ((2.0, NO_CAREFUL), (7.0, None)):
        b = Bench(rule(form)).split("say:mm", at, at + 0.3).speech(CUSTOMER, 1, 6).close(20)
        assert b.reviews() == [("confirmed", why), ("broken", why)]


def test_pace_counted_on_words_of_the_fast_ear_alone() -> None:
    form = Keep("pace", AGENT, (Limits(None, 200.0),))
    for by, why in ((AGENT, ALONE), (CUSTOMER, None)):
        b = Bench(rule(form)).split(WORDS, 1, 2, by, ALONE).measure("pace", 0, 4, 300).close(9)
        assert b.reviews() == [("confirmed", why), ("broken", why)]


def test_what_needs_no_words_needs_no_review() -> None:
    form = Keep("level", AGENT, (Limits(None, -10.0),))
    b = Bench(rule(form)).split(WORDS, 0, 9, review=ALONE).measure("level", 1, 2, -5).close(9)
    assert b.reviews() == [("confirmed", None), ("broken", None)]
