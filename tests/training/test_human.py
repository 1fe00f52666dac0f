"""Sentences from recordings: which are taken, pace, times, pitch, time compression."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from training.features import RATE, Signal
from training.human import Style, Teller, _toned, draw_style
from training.recordings import Recordings, _trim, load
from training.stretch import stretch


def voiced(seconds: float, hz: float) -> Signal:
    """A buzz of many harmonics with soft ends, as int16 values."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 12))
    return (wave * np.sin(np.pi * time / seconds) ** 0.3 * 6000).astype(np.float32)


def recordings(words: dict[str, float], syllables: dict[str, float]) -> Recordings:
    """Words at 200 Hz and syllables at 120 Hz, each so many seconds long."""
    clips = [voiced(s, 200) for s in words.values()] + [voiced(s, 120) for s in syllables.values()]
    bounds = np.cumsum([0, *(clip.size for clip in clips)]).tolist()
    places = [(bounds[k], bounds[k + 1]) for k in range(len(clips))]
    return Recordings(
        np.concatenate(clips).astype(np.int16),
        dict(zip(words, places, strict=False)),
        dict(zip(syllables, places[len(words) :], strict=True)),
    )


def pitch_of(samples: Signal) -> float:
    """By the highest peak of the autocorrelation between 60 and 400 Hz."""
    part = samples[: 8 * RATE // 10] - samples.mean()
    power = np.fft.irfft(np.abs(np.fft.rfft(part, 2 * part.size)) ** 2)
    low, high = RATE // 400, RATE // 60
    return RATE / (low + int(np.argmax(power[low:high])))


@pytest.mark.parametrize("factor", [0.8, 1.5, 2.5])
def test_stretching_changes_duration_but_not_pitch(factor: float) -> None:
    sound = voiced(1.6, 150) / 32768
    result = stretch(sound, factor)
    assert result.size == round(sound.size / factor)
    assert pitch_of(result) == pytest.approx(150, rel=0.02)
    assert np.sqrt(np.mean(result**2)) == pytest.approx(np.sqrt(np.mean(sound**2)), rel=0.1)


def test_a_factor_of_one_changes_nothing() -> None:
    sound = voiced(0.5, 150)
    np.testing.assert_array_equal(stretch(sound, 1.0), sound)


def test_trimming_keeps_the_sound_alone() -> None:
    quiet = np.full(RATE // 2, 1e-5, dtype=np.float32)
    kept = _trim(np.concatenate((quiet, voiced(0.4, 200) / 32768, quiet)))
    assert kept.size / RATE == pytest.approx(0.4, abs=0.03)
    assert _trim(np.zeros(RATE, dtype=np.float32)).size == 0


STYLE = Style("words", 220.0, 1.0, 0.0, 0.0)


def test_the_longest_recorded_word_is_taken() -> None:
    teller = Teller(recordings({"您": 0.6, "好": 0.6, "您好": 0.8, "订单": 0.8}, {"nin2": 0.5}))
    units = teller._in_words("您好，订单", random.Random(1))
    assert units is not None
    assert [(unit.first, unit.count, unit.pause) for unit in units] == [(0, 2, True), (2, 2, False)]


def test_a_homophone_of_the_same_speaker_goes_before_the_other_speaker() -> None:
    held = recordings({"视": 0.5}, {"shi4": 0.5})
    assert Teller(held)._word_at("事", 0, ["shi4"], random.Random(1)) == ("事", held.words["视"], False)
    assert Teller(recordings({"好": 0.5}, {"shi4": 0.5}))._word_at("事", 0, ["shi4"], random.Random(1))[2]


def test_a_recorded_character_is_not_taken_in_another_reading() -> None:
    held = recordings({"还": 0.5}, {"huan2": 0.5, "hai2": 0.5})
    teller = Teller(held)
    assert teller._word_at("还", 0, ["hai2"], random.Random(1))[1] == held.words["还"]
    assert teller._word_at("还", 0, ["huan2"], random.Random(1))[1] == held.syllables["huan2"]


def test_too_many_strangers_leave_the_sentence_to_the_syllables() -> None:
    held = recordings({"您": 0.5}, {"nin2": 0.5, "hao3": 0.5, "ma4": 0.5})
    teller = Teller(held)
    assert teller.say("您好吗", STYLE, random.Random(1)) is None
    spoken = teller.say("您好吗", Style("syllables", 220.0, 1.0, 0.0, 0.0), random.Random(1))
    assert spoken is not None and pitch_of(spoken.samples) == pytest.approx(120, rel=0.04)
    assert teller.say("天", Style("syllables", 220.0, 1.0, 0.0, 0.0), random.Random(1)) is None


def test_tone_sandhi_and_punctuation() -> None:
    assert _toned("你好，不是。") == ["ni2", "hao3", "，", "bu2", "shi4", "。"]


@pytest.mark.parametrize("pace", [160.0, 280.0])
def test_pace_times_and_pauses(pace: float) -> None:
    teller = Teller(recordings({"您好": 1.1, "订单": 0.9, "查询": 1.2, "客服": 1.0}, {}))
    text = "您好订单查询，客服您好。"
    spoken = teller.say(text, Style("words", pace, 1.0, 0.04, 3.0), random.Random(4))
    assert spoken is not None
    times = [(char, start, end) for char, start, end in spoken.characters]
    assert "".join(char for char, _, _ in times) == text
    han = [(start, end) for char, start, end in times if char not in "，。"]
    assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(han))
    talking = sum(end - start for start, end in han)
    assert len(han) * 60 / talking == pytest.approx(pace, rel=0.2)
    pause = spoken.samples[round(han[5][1] * RATE) + 10 : round(han[6][0] * RATE) - 10]
    assert pause.size > 0.07 * RATE and np.abs(pause).max() == 0.0
    assert spoken.samples.size / RATE == pytest.approx(han[-1][1], abs=0.01)


def test_shift_moves_the_pitch_and_not_the_pace() -> None:
    teller = Teller(recordings({"您好": 1.1}, {}))
    plain, high = (
        teller.say("您好您好", Style("words", 200.0, shift, 0.0, 0.0), random.Random(4)) for shift in (1.0, 1.18)
    )
    assert plain is not None and high is not None
    assert pitch_of(high.samples) / pitch_of(plain.samples) == pytest.approx(1.18, rel=0.05)
    assert high.samples.size == pytest.approx(plain.samples.size, rel=0.06)


def test_styles_are_drawn_within_their_limits() -> None:
    draw = random.Random(2)
    styles = [draw_style(draw) for _ in range(300)]
    assert {style.voice for style in styles} == {"words", "syllables"}
    assert all(150 <= style.pace <= 300 and 0.82 <= style.shift <= 1.18 for style in styles)


def test_missing_archives_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"hsk\.zip is missing"):
        load(tmp_path, tmp_path / "cache.npz")
