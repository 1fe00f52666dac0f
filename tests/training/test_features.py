"""Features: what the recognisers compute, in bytes."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from training.features import BINS, RATE, Signal, fbank, log_mel, quantise, to_int16


def sine(hz: float, seconds: float = 1.0, peak: float = 0.5) -> Signal:
    """A tone."""
    return (peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def noise(seconds: float) -> Signal:
    """White, at an RMS of 0.1."""
    return (0.1 * np.random.default_rng(1).standard_normal(round(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize("samples", [16000, 16100, 24321])
def test_frames_are_of_twenty_and_ten_milliseconds(samples: int) -> None:
    sound = noise(2.0)[:samples]
    assert log_mel(sound).shape == (samples // 320, BINS)
    assert fbank(sound).shape == ((samples + 80) // 160, BINS)
    assert log_mel(sound).dtype == fbank(sound).dtype == np.uint8


def test_the_mel_bytes_give_faster_whispers_values_back() -> None:
    sound = noise(1.5)
    extractor = FeatureExtractor(hop_length=320)
    wanted = extractor((to_int16(sound) / 32768).astype(np.float32), padding=320)[:, :-1].T
    found = log_mel(sound) / 255.0 * 4.0 - 2.0
    assert np.abs(found - wanted).max() <= 4.0 / 255 / 2 + 1e-5


def test_the_fbank_is_of_samples_in_the_int16_range() -> None:
    ten_times = fbank(sine(1000, peak=0.05)).astype(float) - fbank(sine(1000, peak=0.005)).astype(float)
    assert ten_times[5:-5, 27:30].mean() * 36 / 255 == pytest.approx(2 * np.log(10), abs=0.15)
    peak = fbank(sine(1000, peak=0.005))[50].max() / 255 * 36 - 12
    # 164 of 32768, half of it in each half of the spectrum, times the window's sum of about 210, less pre-emphasis
    assert peak == pytest.approx(2 * np.log(164 / 2 * 210 * 0.39), abs=1.0)


def test_a_tone_lies_in_its_bin() -> None:
    low, high = (int(fbank(sine(hz))[50].argmax()) for hz in (300, 3000))
    assert 5 < low < 20 < 45 < high < 65
    assert abs(int(log_mel(sine(300))[25].argmax()) - 9) <= 4


def test_silence_is_the_lowest_value() -> None:
    assert fbank(np.zeros(RATE, dtype=np.float32)).max() == 0


def test_what_no_line_can_carry_is_not_in_the_features() -> None:
    """Steps of int16 are the floor, as they are in a call."""
    faint, sound = noise(1.0) * 3e-6, noise(1.0)
    assert to_int16(faint).dtype == np.int16 and not to_int16(faint).any()
    assert to_int16(np.array([-2.0, -1.0, 0.5, 1.0], np.float32)).tolist() == [-32768, -32768, 16384, 32767]
    for compute in (fbank, log_mel):
        np.testing.assert_array_equal(compute(faint), compute(np.zeros_like(faint)))
        np.testing.assert_array_equal(compute(sound), compute((to_int16(sound) / 32768).astype(np.float32)))


def test_quantising_rounds_and_clips() -> None:
    found = quantise(np.array([-3.0, -2.0, 0.0, 2.0, 3.0]), 2.0, 4.0)
    assert found.tolist() == [0, 0, 128, 255, 255]
