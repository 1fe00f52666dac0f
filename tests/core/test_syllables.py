"""Pace from sound alone."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.syllables import Nuclei, Syllables, SyllableSettings
from monitor.core.types import Channel, Measured, Samples
from monitor.core.voice import Voice, VoiceEvent
from tests.core.voices import RATE, framed, noise, pcm, quiet, say


def paced(audio: Samples, step: int = 5) -> list[Measured]:
    voice, syllables = Voice(Channel.AGENT, RATE), Syllables(Channel.AGENT, RATE)
    frames = framed(audio)
    out: list[Measured] = []
    for i in range(0, len(frames), step):
        events: list[VoiceEvent] = voice.feed(i * 160, frames[i : i + step])
        out += syllables.feed(voice.seen, events)
    rest = voice.flush(frames.size)
    return out + syllables.flush(frames.size, voice.seen, rest)


@pytest.mark.parametrize("pace", [140, 170, 200, 240, 280, 320])
@pytest.mark.parametrize("noisy", [False, True])
def test_pace_is_counted_within_a_tenth(pace: int, noisy: bool) -> None:
    speech = say(12, pace)
    if noisy:
        speech = speech + noise(len(speech) / RATE, float(np.sqrt((speech**2).mean() / 10**1.5)))[: len(speech)]
    found = paced(pcm(quiet(0.5), speech, quiet(1)))
    assert {m.name for m in found} == {"pace_acoustic"}
    assert found[-1].value == pytest.approx(pace, rel=0.1)


def test_pace_is_told_every_second_and_at_the_end() -> None:
    found = paced(pcm(quiet(0.5), say(6.2), quiet(1)))
    assert [m.known // RATE for m in found[:-1]] == [3, 4, 5, 6]
    assert all(m.known % RATE == 0 for m in found[:-1])
    assert found[-1].end == pytest.approx(6.5 * RATE, abs=0.06 * RATE)


def test_short_pauses_belong_to_the_turn_and_long_ones_do_not() -> None:
    short = paced(pcm(quiet(0.5), say(3), quiet(0.8), say(3), quiet(2)))[-1]
    long = paced(pcm(quiet(0.5), say(3), quiet(3), say(3), quiet(2)))[-1]
    assert short.value == pytest.approx(240 * 6 / 6.8, rel=0.1)
    assert long.value == pytest.approx(240, rel=0.1)


def test_only_the_last_ten_seconds_count() -> None:
    found = paced(pcm(quiet(0.5), say(12, 200), say(11, 280), quiet(1)))
    assert found[-1].value == pytest.approx(280, rel=0.1)
    assert found[-1].end - found[-1].start == pytest.approx(10 * RATE, abs=RATE / 10)


def test_silence_and_short_words_have_no_pace() -> None:
    assert paced(pcm(quiet(0.5), say(1), quiet(3))) == []


def test_a_ripple_is_no_nucleus() -> None:
    nuclei = Nuclei(SyllableSettings())
    levels = [10, 60, 100, 97, 100, 98, 100, 60, 10, 10, 10]
    assert len([1 for i, level in enumerate(levels) if nuclei.step(i, level, 1.0) is not None]) == 1


def test_a_hiss_is_no_nucleus() -> None:
    nuclei = Nuclei(SyllableSettings())
    levels = [10, 60, 100, 100, 60, 10, 10, 10]
    assert all(nuclei.step(i, level, 0.1) is None for i, level in enumerate(levels))


def test_every_chunking_measures_the_same() -> None:
    audio = pcm(noise(0.5, 30), say(5), quiet(0.5), say(4, 300, 120), quiet(1.5), say(3, 160), noise(1, 200))
    expected = paced(audio, 1)
    assert len(expected) > 8
    for step in (2, 3, 5, 7, 25, 50, 1000):
        assert paced(audio, step) == expected
