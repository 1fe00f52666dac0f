"""Sentences by espeak: times of characters, speed, what cannot be read."""

from __future__ import annotations

import random

import numpy as np
import pytest

from monitor.render import espeak
from training.features import RATE
from training.speech import HELD_OUT_VOICES, TRAINING_VOICES, Manner, draw_manner, placed, say

needs_espeak = pytest.mark.skipif(espeak.missing() is not None, reason=str(espeak.missing()))
PLAIN = Manner("f2", 190, 50, 50, 1.0)
TEXT = "您好，请稍等。"


@needs_espeak
def test_every_character_of_the_text_has_its_time_in_order() -> None:
    with espeak.Speaker() as speaker:
        spoken = say(speaker, TEXT, PLAIN)
    assert spoken is not None and spoken.rate == RATE
    assert "".join(char for char, _, _ in spoken.characters) == TEXT
    ends = 0.0
    for _, start, end in spoken.characters:
        assert ends - 1e-6 <= start <= end <= spoken.samples.size / RATE + 1e-6
        ends = end
    assert all(end - start > 0.05 for char, start, end in spoken.characters if espeak.is_han(char))


@needs_espeak
def test_a_pause_belongs_to_no_character() -> None:
    with espeak.Speaker() as speaker:
        spoken = say(speaker, TEXT, PLAIN)
    assert spoken is not None
    times = {char: (start, end) for char, start, end in spoken.characters}
    pause = spoken.samples[round((times["好"][1] + 0.03) * RATE) : round((times["请"][0] - 0.01) * RATE)]
    assert pause.size > 0.05 * RATE
    assert np.abs(pause).max() < 0.1 * np.abs(spoken.samples).max()


@needs_espeak
def test_speed_shortens_sound_and_times_alike() -> None:
    with espeak.Speaker() as speaker:
        usual = say(speaker, TEXT, PLAIN)
    with espeak.Speaker() as speaker:
        faster = say(speaker, TEXT, Manner("f2", 190, 50, 50, 1.08))
    assert usual is not None and faster is not None
    assert usual.samples.size / faster.samples.size == pytest.approx(1.08, rel=0.001)
    assert usual.characters[-2][2] / faster.characters[-2][2] == pytest.approx(1.08, rel=0.001)


@needs_espeak
def test_what_espeak_cannot_read_is_left_out() -> None:
    with espeak.Speaker() as speaker:
        assert say(speaker, "，。", PLAIN) is None
        assert say(speaker, TEXT, Manner("nobody", 190, 50, 50, 1.0)) is None


@needs_espeak
def test_no_drawn_manner_is_too_deep_for_the_engine() -> None:
    draw = random.Random(3)
    with espeak.Speaker() as speaker:
        for voice in ("rob", "m8", "david", "Hugo"):
            manner = draw_manner(draw, (voice,))
            assert say(speaker, "好。", manner) is not None
        with pytest.raises(espeak.EspeakError, match="below 25 Hz"):
            speaker.speak("好。", variant="rob", wpm=190, pitch=15, pitch_range=85)


def test_manners_keep_to_their_limits_and_prefer_the_plain_voices() -> None:
    draw = random.Random(1)
    manners = [draw_manner(draw, TRAINING_VOICES) for _ in range(3000)]
    assert not {manner.variant for manner in manners} & set(HELD_OUT_VOICES)
    assert all(110 <= m.wpm <= 330 and 15 <= m.pitch <= 90 and 20 <= m.pitch_range <= 85 for m in manners)
    assert all(manner.pitch_range <= max(50, manner.pitch) for manner in manners)
    plain = sum(manner.variant in TRAINING_VOICES[:11] for manner in manners) / len(manners)
    assert plain == pytest.approx(44 / 79, abs=0.03)


def test_punctuation_takes_little_of_the_pause_after_it() -> None:
    found = placed("好，的。", [(0.0, 0.2), (0.5, 0.7)], 0.72)
    assert [(char, round(a, 2), round(b, 2)) for char, a, b in found] == [
        ("好", 0.0, 0.2),
        ("，", 0.2, 0.26),
        ("的", 0.5, 0.7),
        ("。", 0.7, 0.72),
    ]


@needs_espeak
def test_a_series_repeats_and_only_one_speaker_is_open_in_a_thread() -> None:
    def series() -> list[np.ndarray]:
        with espeak.Speaker() as speaker:
            return [speaker.speak(text, variant="m3", wpm=200).samples for text in ("您好。", "再见。")]

    for once, again in zip(series(), series(), strict=True):
        np.testing.assert_array_equal(once, again)
    with espeak.Speaker(), pytest.raises(espeak.EspeakError, match="close it"):
        espeak.synthesize("好。", variant="f2", wpm=190)


@needs_espeak
def test_synthesize_gives_what_a_fresh_speaker_gives() -> None:
    alone = espeak.synthesize(TEXT, variant="f2", wpm=190)
    with espeak.Speaker() as speaker:
        first = speaker.speak(TEXT, variant="f2", wpm=190)
    np.testing.assert_array_equal(alone.samples, first.samples)
    assert alone.characters == first.characters and alone.ends == first.ends
    starts = [start for _, start in alone.characters]
    assert all(start < end for start, end in zip(starts, alone.ends, strict=True))
    assert alone.ends[1] < starts[2], "the comma's pause belongs to neither"
