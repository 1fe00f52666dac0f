from __future__ import annotations

import pytest

from monitor.asr.scripted import Scripted
from monitor.bench import ears_phrases
from monitor.bench.ears_hear import Meter, alone
from monitor.bench.ears_phrases import Hits, hits, matched, said_on
from monitor.bench.gauge import Plan
from monitor.bench.material import Material, demo_call
from monitor.core.patterns import compile_phrase
from monitor.core.phrases import PhraseBook
from monitor.core.types import Channel, Match, PhraseHit, Word
from tests.bench.hearers import knowing

RATE = 8000


def hit(phrase: str, start: float, end: float) -> PhraseHit:
    return PhraseHit(phrase, Channel.AGENT, round(start * RATE), round(end * RATE), phrase, Match.EXACT, 1.0)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(1.0, 2.0, True), (2.9, 3.5, True), (3.0, 3.5, False), (0.0, 0.1, True), (4.0, 5.0, False)],
)
def test_the_same_phrase_within_a_second_is_the_one_that_was_said(start: float, end: float, found: bool) -> None:
    assert bool(matched([hit("a", 1.0, 2.0)], [hit("a", start, end)], RATE)) is found
    assert not matched([hit("a", 1.0, 2.0)], [hit("b", start, end)], RATE)


def test_each_is_matched_once_by_the_nearest() -> None:
    said = [hit("a", 1.0, 2.0), hit("a", 2.5, 3.5)]
    assert matched(said, [hit("a", 2.4, 3.4)], RATE) == [(1, 0)]
    assert matched(said, [hit("a", 1.1, 2.0), hit("a", 1.2, 2.1), hit("a", 2.5, 3.0)], RATE) == [(0, 0), (1, 2)]


def test_recall_precision_and_false_hits_an_hour() -> None:
    found = Hits()
    found.add([hit("a", 1.0, 2.0), hit("a", 9.0, 9.5)], [hit("a", 1.0, 2.0), hit("b", 5.0, 6.0)], RATE, "call")
    figures = found.figures(1800.0)
    assert (figures["said"], figures["recall"], figures["precision"], figures["false_an_hour"]) == (2, 0.5, 0.5, 2.0)
    assert figures["missed"] == ["call 9.0 s agent: a (a)"]
    assert figures["false"] == ["call 5.0 s agent: b (b)"]
    assert Hits().figures(10.0)["recall"] is None


def test_phrases_of_the_truth() -> None:
    call = demo_call("1-blameless").part(8.0, 17.0)
    book = PhraseBook([compile_phrase("help", ["请问有什么可以帮您"])])
    (found,) = hits(book, Channel.AGENT, call.rate, said_on(call, Channel.AGENT))
    assert found.text == "请问有什么可以帮您"
    assert not hits(book, Channel.CUSTOMER, call.rate, said_on(call, Channel.CUSTOMER))


def test_a_perfect_ear_finds_all_and_a_deaf_one_none() -> None:
    call: Material = demo_call("1-blameless").part(8.0, 25.0)
    figures = ears_phrases.run(Plan(quick=True), [knowing(call), alone(Meter(Scripted({})))], [call])
    perfect, deaf = (row for row in figures["rows"] if row["pack"] == "gas-hotline")
    assert perfect["said"] == deaf["said"] > 0
    assert (perfect["recall"], perfect["precision"], perfect["false_an_hour"]) == (1.0, 1.0, 0.0)
    assert (deaf["recall"], deaf["precision"]) == (0.0, None)


def test_what_was_not_said_is_false() -> None:
    call = demo_call("1-blameless").part(8.0, 25.0)
    words = [Word(char, 8000 + n * 1600, 9600 + n * 1600) for n, char in enumerate("我怎么知道")]
    figures = ears_phrases.run(Plan(quick=True), [alone(Meter(Scripted({Channel.AGENT: words})))], [call])
    assert max(row["false_an_hour"] for row in figures["rows"]) > 0
