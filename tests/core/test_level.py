"""Levels of known sounds."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.level import CLIPPED, Levels, k_weight, to_db
from monitor.core.types import Channel, Measured, Quality, Samples
from tests.core.voices import RATE, Wave, framed, noise, pcm, quiet, sine


def measured(audio: Samples, voiced: np.ndarray, step: int = 50, **more: float) -> list[Measured]:  # type: ignore[type-arg]
    levels = Levels(Channel.AGENT, RATE, **more)
    frames = framed(audio)
    out: list[Measured] = []
    for i in range(0, len(frames), step):
        out += levels.feed(i * 160, frames[i : i + step], voiced[i : i + step])
    return out + levels.flush(frames.size)


def values(audio: Wave, name: str, **more: float) -> list[float]:
    samples = pcm(audio)
    return [m.value for m in measured(samples, framed(samples).any(axis=1), **more) if m.name == name]


@pytest.mark.parametrize("level", [-40.0, -20.0, -1.0])
def test_a_sine_has_three_db_less_than_a_square(level: float) -> None:
    found = values(sine(1000, 3, level), "level")
    assert found == pytest.approx([level - 3.01] * 3, abs=0.05)


def test_only_voiced_frames_count() -> None:
    audio = np.concatenate((sine(500, 0.5, -20), sine(500, 0.5, -6)))
    voiced = np.arange(50) < 25
    found = measured(pcm(audio), voiced)
    assert [m.value for m in found if m.name == "level"] == pytest.approx([-23.01], abs=0.1)
    assert {(m.start, m.end, m.known) for m in found} == {(0, RATE, RATE)}


def test_silence_tells_nothing() -> None:
    assert measured(pcm(quiet(5)), np.zeros(250, np.bool_)) == []


def test_a_blip_tells_nothing() -> None:
    audio = pcm(np.concatenate((quiet(0.5), sine(500, 0.1), quiet(1.4))))
    assert measured(audio, framed(audio).any(axis=1)) == []


def test_relative_level_needs_a_baseline_and_follows_it() -> None:
    audio = np.concatenate((sine(500, 8, -25), sine(500, 2, -15)))
    found = values(audio, "level_relative")
    assert found == pytest.approx([0, 0, 0, 10, 10], abs=0.1)


def test_a_known_baseline_is_used_from_the_start() -> None:
    assert values(sine(500, 2, -20), "level_relative", baseline=-30.0) == pytest.approx([7, 7], abs=0.1)


def test_the_baseline_forgets() -> None:
    levels = Levels(Channel.AGENT, RATE)
    assert levels.baseline is None
    for second, level in enumerate([-30.0] * 130 + [-20.0] * 125):
        levels.feed(second * RATE, framed(pcm(sine(500, 1, level))), np.ones(50, np.bool_))
    assert levels.baseline == pytest.approx(-23, abs=0.1)


def test_clipping_is_the_share_of_samples_at_full_scale() -> None:
    wave = np.clip(sine(200, 1, 0) * 1.5, -32768, 32767)
    expected = float((np.abs(wave) >= CLIPPED).mean())
    assert 0.3 < expected < 0.7
    assert values(wave, "clipping") == pytest.approx([expected], abs=0.01)
    assert values(sine(200, 1, -1), "clipping") == [0.0]


def test_loudness_of_the_reference_sine() -> None:
    """BS.1770: 997 Hz at full scale on one channel reads -3.01."""
    assert values(sine(997, 2, 0), "loudness") == pytest.approx([-3.01] * 2, abs=0.1)


def test_bass_is_less_loud_and_treble_more() -> None:
    low, high = values(sine(60, 1, -10), "loudness"), values(sine(3000, 1, -10), "loudness")
    middle = values(sine(997, 1, -10), "loudness")
    assert low[0] < middle[0] - 2
    assert high[0] > middle[0] + 2


def test_the_weighting_at_known_frequencies() -> None:
    gain = 10 * np.log10(k_weight(np.array([997.0, 38.0, 8000.0])))
    assert gain[0] == pytest.approx(0.69, abs=0.02)
    assert gain[1] == pytest.approx(-6, abs=0.5)
    assert gain[2] == pytest.approx(4, abs=0.1)


def test_a_second_that_is_cut_off_is_told_at_the_end() -> None:
    found = measured(pcm(sine(500, 1.5)), np.ones(75, np.bool_))
    assert [(m.start, m.end, m.known) for m in found if m.name == "level"] == [(0, 8000, 8000), (8000, 12000, 12000)]


def test_a_gap_counts_as_silence() -> None:
    levels = Levels(Channel.CUSTOMER, RATE)
    frames = framed(pcm(sine(500, 1)))
    out = levels.feed(0, frames[:25], np.ones(25, np.bool_))
    out += levels.feed(10 * RATE, frames, np.ones(50, np.bool_))
    assert [(m.start, m.end) for m in out if m.name == "level"] == [(0, RATE), (10 * RATE, 11 * RATE)]


def test_a_mixed_channel_is_nobodys_level() -> None:
    levels = Levels(Channel.MIXED, RATE)
    found = levels.feed(0, framed(pcm(sine(500, 1))), np.ones(50, np.bool_))
    assert {m.quality for m in found} == {Quality.INFERRED}


def test_decibels_of_nothing_are_finite() -> None:
    assert to_db(0) < -100


def test_every_chunking_measures_the_same() -> None:
    rng = np.random.default_rng(3)
    audio = pcm(noise(7.3, 3000) * np.repeat(rng.uniform(0, 1, 73), 800))
    voiced = np.repeat(rng.random(37) < 0.6, 10)[: len(framed(audio))]
    expected = measured(audio, voiced, 1)
    assert len(expected) > 15
    for step in (2, 3, 5, 7, 25, 50, 1000):
        assert measured(audio, voiced, step) == expected
