"""The policy that we are held against must be the policy: else being better than it means nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from monitor.bench.whisper_streaming import Streaming
from monitor.core.types import Samples, Word

RATE = 100


@dataclass
class Ear:
    """Hears the words that lie wholly in what it is given; ``slips`` are heard for the last word of a pass."""

    words: Sequence[Word]
    slips: dict[int, str] = field(default_factory=dict)
    passes: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, samples: Samples, start: int) -> list[Word]:
        self.passes.append((start, start + len(samples)))
        heard = [word for word in self.words if word.start >= start and word.end <= start + len(samples)]
        slip = self.slips.get(len(self.passes))
        return [*heard[:-1], Word(slip, heard[-1].start, heard[-1].end)] if slip else heard


def said(text: str, step: int = 50) -> list[Word]:
    """A word each half second, of half a second."""
    return [Word(char, n * step, n * step + step) for n, char in enumerate(text)]


def feed(policy: Streaming, seconds: float) -> str:
    pieces = [policy.feed(np.zeros(RATE // 10, np.int16)) for _ in range(round(seconds * 10))]
    return "".join(word.text for piece in pieces for word in piece)


def test_a_pass_each_second_over_all_of_the_buffer() -> None:
    ear = Ear(said("您好"))
    feed(Streaming(ear, RATE), 3.5)
    assert ear.passes == [(0, 100), (0, 200), (0, 300)]


def test_what_two_passes_agree_on_is_confirmed_once() -> None:
    policy = Streaming(Ear(said("您好请稍等")), RATE)
    assert feed(policy, 1.0) == ""
    assert feed(policy, 1.0) == "您好"
    assert feed(policy, 1.0) == "请稍"
    assert "".join(word.text for word in policy.finish()) == "等"


def test_a_slip_of_one_pass_is_not_confirmed() -> None:
    policy = Streaming(Ear(said("您好请稍等"), slips={1: "号"}), RATE)
    assert feed(policy, 2.0) == "您"
    assert feed(policy, 1.0) == "好请稍"


def test_the_buffer_is_cut_behind_the_last_confirmed_sentence() -> None:
    words = said("一" * 19)
    words += [Word("。", 950, 1000), *(Word("二", 1000 + n * 50, 1050 + n * 50) for n in range(20))]
    ear = Ear(words)
    policy = Streaming(ear, RATE)
    assert feed(policy, 17.0).startswith("一" * 19 + "。" + "二" * 8)
    assert [start for start, _ in ear.passes][14:17] == [0, 0, 1000]
    assert policy.seconds == 7.0


def test_without_sentences_it_is_cut_behind_the_last_confirmed_word() -> None:
    ear = Ear(said("一二三四" * 10))
    policy = Streaming(ear, RATE)
    confirmed = feed(policy, 18.0)
    assert ear.passes[-1] == (1500, 1800)
    assert confirmed == ("一二三四" * 10)[: len(confirmed)]
    assert len(confirmed) == 34


def test_silence_is_not_kept_forever() -> None:
    ear = Ear([])
    policy = Streaming(ear, RATE)
    feed(policy, 100.0)
    assert max(end - start for start, end in ear.passes) <= 30 * RATE
    assert policy.end == 100 * RATE


def test_words_heard_twice_at_a_cut_are_dropped() -> None:
    policy = Streaming(Ear(said("您好请稍等")), RATE)
    feed(policy, 2.0)
    fresh = policy._fresh([Word("好", 92, 130), Word("请", 130, 160)])
    assert [word.text for word in fresh] == ["请"]
    assert [word.text for word in policy._fresh([Word("好", 101, 150)])] == ["好"], "it was said again"


def test_a_stretch_that_ends_is_finished_and_another_begins() -> None:
    ear = Ear([*said("您好"), Word("谢", 1000, 1030)])
    policy = Streaming(ear, RATE)
    feed(policy, 1.2)
    assert "".join(word.text for word in policy.finish()) == "您好"
    assert policy.finish() == ()
    policy.begin(950)
    feed(policy, 0.9)
    assert "".join(word.text for word in policy.finish()) == "谢"
    assert ear.passes[-1] == (950, pytest.approx(1040))
