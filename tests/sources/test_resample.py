"""Resampling: the same output for every chunking, the right length, and sound where it was."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.types import Samples
from monitor.sources.resample import Resampler, Stretches, call_rate, to_int16


def noise(n: int, channels: int = 2) -> Samples:
    return np.random.default_rng(0).integers(-20000, 20000, (n, channels)).astype(np.int16)


def resampled(samples: Samples, rates: tuple[int, int], sizes: list[int]) -> Samples:
    stream = Resampler(*rates, samples.shape[1])
    out, at, turn = [], 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)]
        out.append(stream.feed(samples[at : at + size]))
        at, turn = at + size, turn + 1
    return np.concatenate([*out, stream.flush()])


@pytest.mark.parametrize("rate", [44100, 48000, 11025, 22050])
def test_every_chunking_gives_the_same(rate: int) -> None:
    samples = noise(rate + 17)
    whole = resampled(samples, (rate, 16000), [len(samples)])
    for sizes in ([1, 159, 4801], [160], [960, 1], [rate // 10], [rate // 10 + 1]):
        np.testing.assert_array_equal(resampled(samples, (rate, 16000), sizes), whole)


@pytest.mark.parametrize("n", [0, 1, 100, 4409, 4410, 44100, 44117])
def test_the_output_is_as_long_as_the_input(n: int) -> None:
    out = resampled(noise(n), (44100, 16000), [n or 1])
    assert abs(len(out) - n * 16000 / 44100) <= 0.5 and out.dtype == np.int16


def test_a_click_stays_where_it_was() -> None:
    samples = np.zeros((48000, 1), np.int16)
    samples[30_000] = 30_000
    assert int(np.argmax(resampled(samples, (48000, 16000), [1000]))) == 10_000


def test_speech_stays_and_what_the_rate_cannot_carry_goes() -> None:
    t = np.arange(48000) / 48000
    kept, lost = (np.sin(2 * np.pi * hz * t) * 10_000 for hz in (3000, 12_000))
    rms = [
        float(np.sqrt(np.mean(resampled(tone.astype(np.int16)[:, None], (48000, 16000), [960]).astype(float) ** 2)))
        for tone in (kept, lost)
    ]
    assert rms[0] == pytest.approx(10_000 / 2**0.5, rel=0.01) and rms[1] < 20


def test_the_same_rate_passes_through() -> None:
    samples = noise(100)
    stream = Resampler(8000, 8000, 2)
    assert stream.feed(samples) is samples and stream.flush().shape == (0, 2)


def test_the_rates_of_a_call() -> None:
    assert [call_rate(rate) for rate in (8000, 8001, 11025, 16000, 44100, 48000)] == [8000] + [16000] * 5
    with pytest.raises(ValueError, match="7999 Hz is below"):
        call_rate(7999)


def test_floats_are_rounded_and_clipped_and_nonsense_is_silence() -> None:
    values = np.array([0.0, 1.0, -1.0, 7.0, 1.5 / 32768, np.nan, np.inf, -np.inf])
    assert to_int16(values).tolist() == [0, 32767, -32768, 32767, 2, 0, 32767, -32768]


def test_a_hole_moves_what_follows() -> None:
    stretches = Stretches(48000, 16000, 1)
    ones = np.full((4800, 1), 1000, np.int16)
    out = [*stretches.feed(0, ones), *stretches.feed(4800, ones), *stretches.feed(14_400, ones), *stretches.flush()]
    covered = np.zeros(6400, int)
    for start, samples in out:
        covered[start : start + len(samples)] += 1
    assert covered.tolist() == [1] * 3200 + [0] * 1600 + [1] * 1600
