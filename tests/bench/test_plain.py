"""The reference must do the work that it is held against: otherwise being faster than it means nothing."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.bench.material import Material, demo_call, feed_all, new_call
from monitor.bench.plain import PlainCall
from monitor.core.types import STEREO, SpeechEnded


@pytest.fixture(scope="module")
def talk() -> Material:
    return demo_call("2-fast-loud").part(2.5, 22.5)


def test_it_hears_about_the_same_speech(talk: Material) -> None:
    plain = PlainCall(talk.rate)
    plain.feed(talk.samples)
    events = feed_all(new_call(talk), talk, 0.5)
    for side, channel in enumerate(STEREO):
        speech = sum(e.at - e.start for e in events if isinstance(e, SpeechEnded) and e.channel is channel)
        assert plain.speech[side] * 0.02 == pytest.approx(speech / talk.rate, rel=0.1)
        assert speech


def test_it_finds_what_is_loud_and_who_cuts_in(talk: Material) -> None:
    plain = PlainCall(talk.rate)
    plain.feed(talk.samples)
    assert {"volume", "tone", "no-interrupting"} <= {rule for rule, _ in plain.alerts}


def test_pieces_make_no_difference(talk: Material) -> None:
    whole, pieces = PlainCall(talk.rate), PlainCall(talk.rate)
    whole.feed(talk.samples)
    for start in range(0, len(talk.samples), 333):
        pieces.feed(talk.samples[start : start + 333])
    assert pieces.alerts == whole.alerts
    assert pieces.speech == whole.speech


def test_silence_says_nothing_but_dead_air() -> None:
    plain = PlainCall(8000)
    plain.feed(np.zeros((8000 * 4, 2), np.int16))
    assert [rule for rule, _ in plain.alerts] == ["dead-air", "dead-air"]
    assert plain.speech == [0, 0]


@pytest.mark.parametrize("hz", [450, 941])
def test_a_tone_is_no_speech(hz: int) -> None:
    wave = 6000 * np.sin(2 * np.pi * hz * np.arange(16000) / 8000)
    if hz == 941:
        wave += 6000 * np.sin(2 * np.pi * 1336 * np.arange(16000) / 8000)
    plain = PlainCall(8000)
    plain.feed(np.stack([wave, wave], axis=1).astype(np.int16))
    assert plain.speech == [0, 0]
