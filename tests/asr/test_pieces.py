"""The small parts of recognition: cutting, levelling, timing, and doubt."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.asr import audio, doubt, steady, timing
from monitor.asr.timing import Timed

RATE = 8000


def noise(seconds: float, peak: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).uniform(-peak, peak, int(seconds * RATE)) * 32767).astype(np.int16)


# ---------------------------------------------------------------- audio


def test_short_speech_is_not_cut():
    assert audio.split(noise(8, 0.3), RATE, 8) == [(0, 8 * RATE)]


def test_long_speech_is_cut_in_its_pauses():
    samples = noise(20, 0.3)
    for pause in (5.0, 11.0, 15.5):
        samples[int(pause * RATE) : int((pause + 0.4) * RATE)] = 0
    cuts = audio.split(samples, RATE, 8)
    assert [start for start, _ in cuts[1:]] == [end for _, end in cuts[:-1]]
    assert (cuts[0][0], cuts[-1][1]) == (0, len(samples))
    inner = [end / RATE for _, end in cuts[:-1]]
    assert len(inner) == 3
    for cut, pause in zip(inner, (5.0, 11.0, 15.5), strict=True):
        assert pause < cut < pause + 0.4


@pytest.mark.parametrize("seconds", [8.01, 9.0, 16.0, 16.5, 61.0])
def test_no_stretch_is_longer_than_allowed_nor_a_mere_rest(seconds):
    stretches = [end - start for start, end in audio.split(noise(seconds, 0.3), RATE, 8)]
    assert max(stretches) <= 8 * RATE
    assert min(stretches) >= 0.9 * RATE
    assert sum(stretches) == int(seconds * RATE)


def test_levels_are_brought_where_the_model_wants_them():
    sound = noise(1, 0.5).astype(np.float32) / 32768
    assert np.abs(audio.levelled(sound, -20.0, None)).max() == pytest.approx(0.1, rel=0.01)
    assert np.array_equal(audio.levelled(sound, None, None), sound)
    faint = sound / 50
    assert np.abs(audio.levelled(faint, None, None)).max() == pytest.approx(0.1, rel=0.01)
    assert np.abs(audio.levelled(sound / 5000, None, None)).max() < 0.005


def test_hiss_is_the_same_each_time():
    silence = np.zeros(RATE, dtype=np.float32)
    hissing = audio.levelled(silence, -20.0, -70.0)
    assert np.array_equal(hissing, audio.levelled(silence, -20.0, -70.0))
    assert 20 * np.log10(hissing.std()) == pytest.approx(-70.0, abs=0.5)


def test_loudness_of_a_full_scale_sine():
    sine = (np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE) * 32767).astype(np.int16)
    level = audio.loudness(sine, RATE)
    assert len(level) == 50
    assert level == pytest.approx(-3.01, abs=0.01)
    assert audio.loudness(np.zeros(161, np.int16), RATE) == pytest.approx([-100.0, -100.0])


# ---------------------------------------------------------------- timing


def test_edges_follow_the_alignment():
    path = [(0, 0), (0, 1), (1, 2), (2, 2), (2, 5), (3, 9), (3, 12)]
    assert timing.token_edges(path, 3, 0.02) == pytest.approx([0.0, 0.04, 0.04, 0.18])


def test_edges_of_tokens_that_the_path_skips():
    assert timing.token_edges([(0, 0), (2, 8), (3, 9)], 3, 0.04) == pytest.approx([0.0, 0.32, 0.32, 0.36])
    assert timing.token_edges([], 2, 0.02) == pytest.approx([0.02, 0.02, 0.02])


def texts(*units: str) -> list[str]:
    edges = [float(n) for n in range(len(units) + 1)]
    chars = timing.characters([(unit, 1) for unit in units], edges, [0.9] * len(units))
    return [word.text for word in timing.words(chars)]


def test_words_are_characters_with_their_punctuation():
    assert texts("您", "好", "，", "再见", "。") == ["您", "好，", "再", "见。"]
    assert texts("，", "好") == ["好"]


def test_letters_and_digits_stay_together():
    assert texts("拨", "100", "86", "，", "w", "i", "fi", " ", "AB", "号") == [
        "拨",
        "10086，",
        "wifi",
        "AB",
        "号",
    ]
    assert texts("3", ".", "5", "%", "的") == ["3.5%", "的"]
    assert texts("1", "，", "2") == ["1，", "2"]


def test_a_token_of_two_characters_is_shared_and_the_weakest_token_counts():
    two, one = timing.words(timing.characters([("谢", 2), ("好", 1)], [0.0, 0.1, 0.4, 0.6], [0.5, 0.9, 0.8]))
    assert two == Timed("谢", 0.0, 0.4, 0.5)
    assert one == Timed("好", 0.4, 0.6, 0.8)
    first, second = timing.words(timing.characters([("谢谢", 1)], [1.0, 2.0], [0.7]))
    assert (first.end, second.start) == (1.5, 1.5)


def test_a_run_of_digits_is_as_sure_as_its_weakest():
    edges = [0.0, 0.1, 0.2, 0.3]
    [number] = timing.words(timing.characters([("1", 1), ("2", 1), ("3", 1)], edges, [0.9, 0.4, 0.8]))
    assert number == Timed("123", 0.0, 0.3, 0.4)


def settled(words: list[Timed], sounding: list[tuple[float, float]], total: float, bias: float = 0.0) -> list[Timed]:
    loud = np.zeros(round(total * 50), dtype=np.bool_)
    for start, end in sounding:
        loud[round(start * 50) : round(end * 50)] = True
    return timing.settle(words, loud, bias)


def test_a_pause_belongs_to_no_word():
    words = [Timed("您", 0.0, 0.6, 1), Timed("好", 0.6, 1.0, 1), Timed("请", 1.0, 2.0, 1)]
    placed = settled(words, [(0.4, 1.0), (1.7, 2.0)], 3.0)
    assert [(word.start, word.end) for word in placed] == [
        pytest.approx((0.4, 0.6)),
        pytest.approx((0.6, 1.0)),
        pytest.approx((1.7, 2.0)),
    ]


@pytest.mark.parametrize(("silence", "start"), [(0.08, 0.1), (0.2, 0.4)])
def test_a_closure_is_part_of_a_word_and_a_pause_is_not(silence, start):
    [placed] = settled([Timed("大", 0.0, 0.8, 1)], [(0.1, 0.2), (0.2 + silence, 0.8)], 1.0)
    assert placed.start == pytest.approx(start)


def test_the_bias_moves_words_but_never_out_of_the_stretch_or_past_each_other():
    words = [Timed("您", 0.0, 0.5, 1), Timed("好", 0.5, 1.0, 1), Timed("吗", 1.0, 1.0, 1)]
    placed = settled(words, [(0.0, 1.0)], 1.0, bias=0.06)
    edges = [edge for word in placed for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (0.0, 1.0)
    assert placed[1].start == pytest.approx(0.56)


def test_words_in_silence_keep_their_places():
    [placed] = settled([Timed("您", 0.2, 0.5, 1)], [], 1.0)
    assert (placed.start, placed.end) == (0.0, 0.5)


# ---------------------------------------------------------------- doubt


@pytest.mark.parametrize(
    ("text", "seconds", "logprob", "why"),
    [
        ("您好，请问有什么可以帮您？", 3.0, -0.1, None),
        ("", 3.0, -5.0, None),
        ("您好", 1.0, -1.2, "uncertain"),
        ("谢谢观看", 3.0, -0.1, "credits"),
        ("请不吝点赞 订阅 转发 打赏支持", 5.0, -0.1, "credits"),
        ("谢谢您的来电", 3.0, -0.1, None),
        ("我已经订阅了", 3.0, -0.1, None),
        ("最后还款日是三号三号三号三号三号", 6.0, -0.1, "repeated"),
        ("好好好好好", 2.0, -0.1, None),
        ("嗯" * 12, 4.0, -0.1, "repeated"),
        ("号码是八八八八八八八八八八", 4.0, -0.1, None),
        ("一二一二一二一二", 4.0, -0.1, None),
        ("请问您的姓名和电话号码是多少呢" * 2, 1.0, -0.1, "too_fast"),
    ],
)
def test_doubt(text, seconds, logprob, why):
    assert doubt.doubt(text, seconds, logprob) == why


def test_nobody_spoke_needs_both_signs():
    assert doubt.nobody_spoke(0.9, -1.5)
    assert not doubt.nobody_spoke(0.9, -0.2)
    assert not doubt.nobody_spoke(0.1, -1.5)


# ---------------------------------------------------------------- steady sounds


def lifeless(samples: np.ndarray) -> bool:
    level = audio.loudness(samples, RATE)
    return steady.lifeless(samples, RATE, level, timing.loud_frames(level))


def test_tones_and_noise_are_lifeless():
    seconds = np.arange(3 * RATE) / RATE
    tone = np.sin(2 * np.pi * 450 * seconds)
    assert lifeless((tone * 8000).astype(np.int16))
    assert lifeless((tone * 8000 * (seconds % 1 < 0.4)).astype(np.int16))
    assert lifeless(noise(3, 0.1))


def test_speech_is_not(greeting, hold):
    for samples, _ in (greeting, hold):
        for start in range(0, len(samples) - RATE, RATE // 4):
            assert not lifeless(samples[start : start + RATE])


def test_a_voice_that_glides_is_not():
    seconds = np.arange(2 * RATE) / RATE
    glide = np.sin(2 * np.pi * (180 * seconds + 20 * seconds**2)) * np.minimum(1, seconds)
    assert not lifeless((glide * 8000).astype(np.int16))


def test_a_blink_is_left_to_the_model():
    assert not lifeless(np.zeros(int(0.3 * RATE), np.int16))
