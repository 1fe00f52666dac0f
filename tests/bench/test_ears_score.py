from __future__ import annotations

import pytest

from monitor.bench.ears_score import Char, Tally, Telling, agreed, align, plain, spoken, syllables, truth
from monitor.core.types import Word
from monitor.render.truth import Said


def chars(text: str, start: float = 0.0, at: float | None = None, step: float = 0.2) -> list[Char]:
    """``text`` from ``start``, a character each ``step`` seconds, all told at one moment."""
    return [Char(char, start + n * step, start + (n + 1) * step, at) for n, char in enumerate(text)]


def words(text: str) -> list[Word]:
    return [Word(char, n * 1600, n * 1600 + 1600) for n, char in enumerate(text)]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("您好，请问？", "您好请问"),
        ("幺零 二", "一零二"),
        ("WiFi：10%", "wifi10"),
        ("５Ａ", "5a"),
        ("的地得", "的地得"),
    ],
)
def test_marks_do_not_count_and_yao_is_one(text: str, counts: str) -> None:
    assert plain(text) == counts


def test_a_longer_word_shares_its_time() -> None:
    found = spoken([Word("您。", 0, 1600), Word("ok", 1600, 4800)], 16000, at=1.0)
    assert [(char.text, char.start, char.end, char.at) for char in found] == [
        ("您", 0.0, 0.1, 1.0),
        ("o", 0.1, pytest.approx(0.2), 1.0),
        ("k", pytest.approx(0.2), pytest.approx(0.3), 1.0),
    ]


def test_a_character_ends_with_its_voice() -> None:
    said = Said("agent", "您好，请。", 1.0, 3.0, (("您", 1.0), ("好", 1.2), ("请", 2.0)), ((1.5, 1.9),))
    assert [(char.text, char.end) for char in truth([said])] == [("您", 1.2), ("好", 1.5), ("请", 3.0)]


def test_utterances_come_in_order() -> None:
    late = Said("agent", "好", 5.0, 5.2, (("好", 5.0),))
    early = Said("agent", "您", 1.0, 1.2, (("您", 1.0),))
    assert [char.text for char in truth([late, early])] == ["您", "好"]


@pytest.mark.parametrize(
    ("said", "heard", "replaced", "missing", "added"),
    [
        ("您好", "您好", 0, 0, 0),
        ("您好吗", "您号吗", 1, 0, 0),
        ("您好吗", "您吗", 0, 1, 0),
        ("您好", "您您好", 0, 0, 1),
        ("", "好", 0, 0, 1),
        ("好", "", 0, 1, 0),
        ("", "", 0, 0, 0),
        ("请您稍等一下", "请稍的一下吧", 1, 1, 1),
    ],
)
def test_the_fewest_errors_are_counted(said: str, heard: str, replaced: int, missing: int, added: int) -> None:
    found = align(chars(said), chars(heard))
    assert (found.replaced, found.missing, found.added) == (replaced, missing, added)
    assert found.wrong == replaced + missing + added
    assert len(found.equal) == len(said) - replaced - missing


def test_of_equal_characters_the_one_next_in_time_counts() -> None:
    said = chars("好", 1.0) + chars("好", 5.0)
    assert align(said, chars("好", 5.02)).equal == ((1, 0),)
    assert align(said, chars("好", 1.1)).equal == ((0, 0),)


def test_times_never_make_an_error() -> None:
    text = "您好请问有什么可以帮您" * 30
    assert align(chars(text), chars(text, 500.0)).wrong == 0


def test_sounds_have_no_tones_and_digits_are_spoken() -> None:
    assert [char.text for char in syllables(chars("妈麻9謝"))] == ["ma", "ma", "jiu", "xie"]


def test_homophones_are_wrong_characters_and_right_sounds() -> None:
    tally = Tally()
    tally.add(chars("维修费"), chars("唯修费"))
    figures = tally.figures()
    assert figures["cer"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["syllable_error"] == 0


def test_errors_are_of_all_channels_together() -> None:
    tally = Tally()
    tally.add(chars("您好"), chars("您"))
    tally.add(chars("您好"), chars("您好"))
    assert tally.figures()["cer"] == 0.25
    assert tally.figures()["characters"] == 4


def test_starts_are_those_of_right_characters() -> None:
    tally = Tally()
    tally.add(chars("您好吗"), [Char("您", 0.05, 0.2), Char("不", 0.5, 0.6), Char("吗", 0.3, 0.5)])
    figures = tally.figures()
    assert tally.starts == [pytest.approx(0.05), pytest.approx(-0.1)]
    assert figures["start_off_ms"] == 50
    assert figures["start_off_p95_ms"] == 100


def test_a_commit_is_the_first_of_the_final_and_what_was_said_for_good() -> None:
    tally = Tally()
    said = chars("您好吗")  # ends 0.2, 0.4, 0.6
    tally.add(said, chars("您好吗", at=2.0), early=chars("您", at=0.5), agreed=chars("您好", at=1.0))
    assert tally.commits == [pytest.approx(0.3), pytest.approx(1.6), pytest.approx(1.4)]
    assert tally.told == [pytest.approx(0.3), pytest.approx(0.6), pytest.approx(1.4)]


def test_what_was_heard_wrongly_has_no_moment() -> None:
    tally = Tally()
    tally.add(chars("您好"), chars("您号", at=2.0))
    assert len(tally.commits) == 1
    assert Tally().figures()["commit_p95_s"] is None


def test_a_character_keeps_its_moment_as_long_as_it_stands() -> None:
    telling = Telling()
    telling.tell(chars("您号"), 1.0)
    telling.tell(chars("您好吗"), 2.0)
    assert [(char.text, char.at) for char in telling.chars] == [("您", 1.0), ("好", 2.0), ("吗", 2.0)]
    telling.tell(chars("您"), 3.0)
    telling.tell(chars("您好"), 4.0)
    assert [char.at for char in telling.chars] == [1.0, 4.0]


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [("", "您", ""), ("您好", "您好吗", "您好"), ("您号", "您好", "您"), ("您好", "您", "您")],
)
def test_two_passes_agree_from_the_beginning(before: str, now: str, same: str) -> None:
    assert "".join(word.text for word in agreed(words(before), words(now))) == same


def test_quantiles_of_the_moments() -> None:
    tally = Tally(commits=[float(n) for n in range(1, 101)])
    assert tally.figures()["commit_s"] == 50.5
    assert tally.figures()["commit_p95_s"] == 95.0
