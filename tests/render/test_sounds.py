from __future__ import annotations

import numpy as np
import pytest

from monitor.render import music, sounds
from monitor.render.line import Signal, to_dbfs


def peaks(signal: Signal, rate: int, count: int) -> list[float]:
    """The strongest frequencies, Hz, ascending; neighbours of a peak are not counted again."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(signal.size)))
    found: list[float] = []
    for _ in range(count):
        at = int(spectrum.argmax())
        found.append(at * rate / signal.size)
        spectrum[max(at - 4, 0) : at + 5] = 0
    return sorted(found)


def rms(signal: Signal) -> float:
    return to_dbfs(float(np.sqrt(np.mean(np.square(signal)))))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_ring_back_is_450_hertz_one_second_on_four_off(rate: int) -> None:
    heard = sounds.ring(2, rate, -20)

    assert heard.size == 6 * rate
    assert peaks(heard[:rate], rate, 1) == [pytest.approx(450, abs=2)]
    assert not heard[rate : 5 * rate].any()
    assert rms(heard[5 * rate :]) == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize("digit", sounds.KEYS)
def test_each_key_has_its_two_frequencies(digit: str) -> None:
    pressed = sounds.key(digit, 0.5, 8000, -14)

    assert peaks(pressed, 8000, 2) == [pytest.approx(hz, abs=3) for hz in sounds.KEYS[digit]]
    assert rms(pressed) == pytest.approx(-14, abs=0.01)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no telephone key"):
        sounds.key("x", 0.1, 8000)


def test_busy_tone_is_as_long_off_as_on() -> None:
    heard = sounds.busy(1.4, 8000)
    on = int(0.35 * 8000)

    assert heard[:on].any()
    assert not heard[on : 2 * on].any()
    assert heard[2 * on : 3 * on].any()


@pytest.mark.parametrize("kind", sounds.NOISES)
def test_noise_has_the_level_asked_for_and_repeats_with_its_seed(kind: str) -> None:
    first, again = (sounds.noise(kind, 2, 8000, -50, np.random.default_rng(7)) for _ in range(2))

    assert first.size == 16000
    assert rms(first) == pytest.approx(-50, abs=0.2)
    assert np.array_equal(first, again)


@pytest.mark.parametrize(("kind", "slope"), [("white", 0.0), ("pink", -3.0), ("brown", -6.0)])
def test_coloured_noise_falls_as_its_name_says(kind: str, slope: float) -> None:
    heard = sounds.noise(kind, 20, 8000, -30, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(heard)) ** 2
    hz = np.fft.rfftfreq(heard.size, 1 / 8000)
    octaves = [10 * np.log10(power[(hz >= low) & (hz < 2 * low)].mean()) for low in (200, 400, 800, 1600)]

    assert np.diff(octaves).mean() == pytest.approx(slope, abs=0.7)


@pytest.mark.parametrize("style", music.STYLES)
def test_music_has_its_level_and_differs_by_seed(style: str) -> None:
    first, again, other = (music.music(style, 4, 8000, -24, seed) for seed in (3, 3, 4))

    assert first.size == 32000
    assert rms(first) == pytest.approx(-24, abs=0.3)
    assert np.abs(first).max() < 1
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_music_never_pauses_for_long() -> None:
    """A hold with music must not look like a hold in silence."""
    for style in music.STYLES:
        heard = music.music(style, 12, 8000, -24, 5)
        loud = np.sqrt(np.square(heard[2000:-2000][: 88000 // 2000 * 2000]).reshape(-1, 2000).mean(axis=1))
        assert to_dbfs(float(loud.min())) > -60, style
