"""What tells a voice from other sounds."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.likeness import BLOCK, CLICK_ODDS, HISTORY, TRAITS, WINDOWS, Narrow, Spectra, speech_odds, traits
from tests.core.voices import RATE, Wave, framed, music, noise, note, pcm, quiet, say, sine


def looked_at(wave: Wave, step: int = 5) -> Spectra:
    frames = framed(pcm(wave))
    power = (frames.astype(np.float64) ** 2).mean(axis=1)
    spectra = Spectra()
    for i in range(0, len(frames), step):
        part = slice(i, i + step)
        spectra.feed(frames[part], power[part], power[part] > 60)
        if i % 3 == 0:
            spectra.window(spectra.end - 1, 15)
    spectra.window(spectra.end - 1, 15)
    return spectra


def odds(wave: Wave, length: int) -> float:
    spectra = looked_at(wave)
    return speech_odds(spectra, spectra.end - 1, length)


@pytest.mark.parametrize("length", WINDOWS)
@pytest.mark.parametrize("pitch", [110.0, 200.0])
def test_a_voice_is_a_voice(length: int, pitch: float) -> None:
    assert odds(say(2, 240, pitch), length) > 1


@pytest.mark.parametrize("length", WINDOWS)
@pytest.mark.parametrize(
    "sound", [music(4), noise(3, 2000), noise(3, 2000, pink=True), sine(450, 3), note(3, 1.5) + note(7, 1.5)], ids=str
)
def test_other_sounds_are_not(length: int, sound: Wave) -> None:
    assert odds(sound, length) < -0.5


def test_a_click_has_no_traits() -> None:
    spectra = looked_at(np.concatenate((quiet(1), noise(0.03, 5000), quiet(0.2))))
    assert traits(spectra, spectra.end - 15, spectra.end) == []
    assert speech_odds(spectra, spectra.end - 1, 15) == CLICK_ODDS


def test_the_level_hardly_matters() -> None:
    for wave in (say(2), music(3)):
        assert odds(wave, 50) == pytest.approx(odds(wave / 10, 50), abs=1.0)


def test_bass_and_treble_outside_the_telephone_band_do_not_matter() -> None:
    wave = say(2)
    rumble = sine(60, len(wave) / RATE, -10)[: len(wave)]
    plain, rumbling = looked_at(wave), looked_at(wave / 2 + rumble)
    assert np.allclose(plain.window(plain.end - 1, 50), rumbling.window(rumbling.end - 1, 50), atol=0.25)


def test_each_trait_has_a_number() -> None:
    spectra = looked_at(say(2))
    values = spectra.window(spectra.end - 1, 50)
    assert len(values) == len(TRAITS)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("frequency", [90.0, 150.0, 220.0, 330.0])
def test_the_pitch_period_is_found(frequency: float) -> None:
    time = np.arange(RATE) / RATE
    wave = sum(np.sin(2 * np.pi * frequency * h * time) / h for h in range(1, int(3300 / frequency))) * 3000
    spectra = looked_at(np.asarray(wave))
    last = spectra.end - 1
    assert RATE / spectra.period[last] == pytest.approx(frequency, rel=0.01)
    assert spectra.voicing[last] > 0.8


def test_noise_has_no_pitch() -> None:
    spectra = looked_at(noise(1, 2000))
    assert spectra.voicing[spectra.end - 40 : spectra.end].mean() < 0.5


def test_change_is_small_in_a_steady_sound_and_large_in_speech() -> None:
    seen = {}
    for name, wave in (("steady", sine(500, 1) + sine(1500, 1)), ("speech", say(1))):
        spectra = looked_at(wave)
        seen[name] = spectra.last(30, 0, np.ones(30, np.bool_)).change.mean()
    assert seen["steady"] < 0.02
    assert seen["speech"] > 5 * seen["steady"]


def test_every_grouping_of_frames_gives_the_same_bits() -> None:
    wave = np.concatenate((say(2), noise(0.5, 500), music(2)))
    expected = looked_at(wave, 1)
    for step in (2, 3, 5, 7, 24, BLOCK):
        other = looked_at(wave, step)
        for name in ("power", "loudness", "detail", "bands", "voicing", "period"):
            mine, theirs = getattr(expected, name), getattr(other, name)
            window = slice(expected.end - HISTORY, expected.end), slice(other.end - HISTORY, other.end)
            assert np.array_equal(mine[window[0]], theirs[window[1]]), (step, name)


def test_16_khz_is_brought_down_without_aliases() -> None:
    time = np.arange(16000) / 16000
    for frequency, least, most in ((1000, 0.99, 1.01), (3000, 0.9, 1.05), (5500, 0, 0.05), (7000, 0, 0.01)):
        wave = np.round(8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
        narrow = Narrow(16000).feed(wave.reshape(-1, 320)).astype(np.float64)
        assert narrow.shape == (50, 160)
        assert least <= narrow[5:].std() / wave.std() <= most


def test_bringing_down_does_not_depend_on_chunks() -> None:
    frames = np.random.default_rng(1).integers(-32768, 32767, (60, 320)).astype(np.int16)
    whole = Narrow(16000).feed(frames)
    narrow = Narrow(16000)
    assert np.array_equal(np.concatenate([narrow.feed(frames[i : i + 7]) for i in range(0, 60, 7)]), whole)
    narrow.reset()
    assert np.array_equal(narrow.feed(frames), whole)


def test_8_khz_stays_as_it_is() -> None:
    frames = framed(pcm(say(1)))
    assert Narrow(8000).feed(frames) is frames
