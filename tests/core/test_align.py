from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.align import Alignment, Tolerance, align, piece, score
from monitor.core.listen import Listener

NEAR = Tolerance.NEAR


def best(phrase: str, heard: str, tolerance: Tolerance = NEAR) -> Alignment | None:
    return align(piece(phrase, tolerance), list(heard), len(heard) - 1)


@pytest.mark.parametrize(
    ("phrase", "heard", "start", "wrong", "missing", "sound"),
    [
        ("请您稍等", "好请您稍等", 1, 0, 0, 0),
        ("请您稍等", "请您烧等", 0, 0, 0, 1),
        ("请您稍等", "请稍等", 0, 1, 1, 0),
        ("请您稍等", "请您再稍等", 0, 1, 0, 0),
        ("请您稍等", "请我稍等", 0, 1, 1, 0),
        ("有什么可以帮到您", "什么可以帮到您", 0, 1, 1, 0),
        ("有什么可以帮到您", "还什么可以帮到您", 1, 1, 1, 0),
        ("有什么可以帮到您", "有什可以帮助您", 0, 2, 2, 0),
    ],
)
def test_alignments(phrase: str, heard: str, start: int, wrong: int, missing: int, sound: int) -> None:
    length = len(phrase) + wrong - missing
    assert best(phrase, heard) == Alignment(start, wrong, missing, sound, length)


@pytest.mark.parametrize(
    ("phrase", "heard"),
    [
        ("再见", "在线"),
        ("再见", "再讲"),  # alike by a confusion only, too little for two characters
        ("对不起", "对得起"),
        ("不归我管", "也归我管"),  # never without the 不
        ("不归我管", "归我管"),
        ("我能接受您的要求", "我不能接受您的要求"),  # nor with one too many
        ("您听得清我说话吗", "您听不清我说话吗"),
        ("客服热线九五五九八", "客服热线九五五八八"),  # another number
        ("你怎么这样", "你怎么这么"),  # short pieces: the last character must be heard
        ("你怎么这样", "你怎么这"),
        ("你怎么这样", "怎么这样"),
        ("麻烦您等等", "麻烦您等"),  # the end may still come
        ("您好很高兴为您服务", "很高兴为您服务"),  # two characters lacking at one end
        ("请您稍等", "青林少盛"),  # too much at once
        ("请您稍等", "请令少等吧"),
    ],
)
def test_look_alikes_are_something_else(phrase: str, heard: str) -> None:
    assert best(phrase, heard) is None


def test_a_long_piece_without_its_last_character_is_tentative() -> None:
    found = best("请问有什么可以帮您", "请问有什么可以帮")
    assert found == Alignment(0, 1, 1, 0, 9, tentative=True)
    whole = best("请问有什么可以帮您", "请问有什么可以帮您")
    assert whole is not None
    assert not whole.tentative


def test_sound_and_exact_allow_less() -> None:
    assert best("请您稍等", "请您烧等", Tolerance.SOUND) is not None
    assert best("请您稍等", "请稍等", Tolerance.SOUND) is None
    assert best("请您稍等", "请您烧等", Tolerance.EXACT) is None
    assert best("谢谢", "些些") is not None
    assert best("喂", "位") is None


def test_equal_characters_count_more_than_alike_ones() -> None:
    assert score(4, 0, 0, 4) == 1.0
    assert score(4, 0, 1, 4) == 0.95
    assert score(4, 0, 4, 4) == 0.8
    assert score(5, 1, 0, 5) == 0.8
    assert score(4, 0, 0, 5) == 0.8


PHRASES = [
    "请您稍等",
    "请稍等",
    "不归我管",
    "你想怎样",
    "有什么可以帮到您",
    "好",
    "再见",
    "麻烦您等等",
    "您看这样可以好不好",
]
TEXT = st.text(alphabet="请您稍等少不归我管你想样有什么可以帮到好再见麻烦看这", max_size=24)


def garbled(phrase: str) -> st.SearchStrategy[str]:
    """The phrase with up to three characters replaced, left out or added."""
    edit = st.tuples(st.integers(0, len(phrase)), st.sampled_from(["", "我", "好", "好我"]), st.booleans())

    def apply(edits: list[tuple[int, str, bool]]) -> str:
        text = phrase
        for place, put, keep in edits:
            text = text[:place] + put + text[place + (0 if keep else 1) :]
        return text

    return st.lists(edit, max_size=3).map(apply)


SPEECH = st.lists(st.one_of(TEXT, *map(garbled, PHRASES)), max_size=4).map("".join)


@settings(max_examples=300)
@given(SPEECH)
def test_the_listener_misses_nothing_that_aligns(speech: str) -> None:
    pieces = [piece(text, NEAR) for text in PHRASES]
    listener = Listener(pieces)
    levels, heard = listener.start, list(speech)
    for end, char in enumerate(heard):
        levels, ended = listener.step(levels, char)
        found = dict(listener.endings(levels, ended, heard[: end + 1], end))
        for number, part in enumerate(pieces):
            assert found.get(number) == align(part, heard, end)


@settings(max_examples=200)
@given(st.sampled_from(PHRASES).flatmap(garbled))
def test_what_is_reported_at_once_never_turns_into_a_whole_match(heard: str) -> None:
    for text in PHRASES:
        words = piece(text, NEAR)
        found = align(words, list(heard), len(heard) - 1) if heard else None
        if found is None or found.tentative or not found.wrong:
            continue
        for more in range(1, 4):
            whole = heard[found.start :] + text[-more:]
            assert whole != text
