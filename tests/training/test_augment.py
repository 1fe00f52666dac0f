"""What the line and the room do: levels, bands, codecs, losses."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from training.augment import (
    EVALUATION,
    TRAINING,
    Mix,
    Noises,
    _a_law,
    _mu_law,
    add_echo,
    add_noise,
    clip,
    degrade,
    lose_packets,
    reverberate,
    spoken_rms,
    telephone,
    wrapped,
)
from training.features import RATE, Signal

RNG = np.random.default_rng(5)
WHITE = RNG.standard_normal(RATE * 5).astype(np.float32)
NOISES = Noises({"white": WHITE, "babble4": WHITE[::-1].copy()})
NEVER = Mix(
    clean=0.0, telephone=0.0, packet_loss=0.0, clipping=0.0, echo=0.0, reverb=0.0, noise=0.0, cut=0.0, nothing=0.0
)


def speech() -> Signal:
    """A tone with a pause in its middle."""
    wave = 0.3 * np.sin(2 * np.pi * 700 * np.arange(RATE * 2) / RATE)
    wave[RATE - 4000 : RATE + 4000] = 0.0
    return wave.astype(np.float32)


def band_db(samples: Signal, low: float, high: float) -> float:
    """Power between two frequencies, dB."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    return float(10 * np.log10(spectrum[(hz >= low) & (hz < high)].sum() + 1e-12))


def test_the_level_is_the_peak_and_within_its_limits() -> None:
    peaks = [float(np.abs(degrade(speech(), TRAINING, NOISES, [], random.Random(k))).max()) for k in range(60)]
    levels = 20 * np.log10(peaks)
    assert -30.1 < levels.min() < -20 and -8 < levels.max() < -0.49


def test_a_clean_one_is_only_scaled() -> None:
    heard = degrade(speech(), replace(TRAINING, clean=1.0), NOISES, [], random.Random(1))
    where = np.abs(speech()) > 0.01
    ratio = heard[where] / speech()[where]
    assert ratio.max() - ratio.min() < 1e-4


def test_shares_of_all_hold_when_clean_ones_meet_nothing() -> None:
    assert TRAINING.clean + (1 - TRAINING.clean) * TRAINING.among_unclean(0.6) == pytest.approx(0.8)
    clean = noisy = 0
    for k in range(400):
        heard = degrade(speech(), replace(NEVER, clean=0.2, noise=0.65), NOISES, [], random.Random(k))
        pause = float(np.abs(heard[RATE - 1000 : RATE + 1000]).max())
        clean, noisy = clean + (pause == 0.0), noisy + (pause > 0.0)
    assert noisy / 400 == pytest.approx(0.65, abs=0.06)


def test_every_step_keeps_the_length() -> None:
    for samples in (speech(), speech()[:16001], speech()[:3333]):
        every = Mix(clean=0.0, telephone=1, packet_loss=1, clipping=1, echo=1, reverb=1, noise=1)
        heard = degrade(samples, every, NOISES, [speech()], random.Random(3))
        assert heard.size == samples.size and heard.dtype == np.float32 and np.isfinite(heard).all()


def test_the_same_draw_gives_the_same_sound() -> None:
    once, again = (degrade(speech(), EVALUATION, NOISES, [speech()], random.Random(8)) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_noise_lies_between_its_ratios() -> None:
    ratios = []
    for k in range(40):
        noise = add_noise(speech(), NOISES, random.Random(k)) - speech()
        ratios.append(20 * np.log10(spoken_rms(speech()) / float(np.sqrt(np.mean(noise**2)))))
    assert 7.5 < min(ratios) < 15 and 33 < max(ratios) < 40.5
    only_babble = Noises({"babble4": WHITE})
    for k in range(20):
        noise = add_noise(speech(), only_babble, random.Random(k)) - speech()
        assert 14.5 < 20 * np.log10(spoken_rms(speech()) / float(np.sqrt(np.mean(noise**2)))) < 35.5


def test_line_noise_of_a_telephone_has_nothing_above_4_khz() -> None:
    wide = add_noise(speech(), NOISES, random.Random(1)) - speech()
    narrow = add_noise(speech(), NOISES, random.Random(1), narrow=True) - speech()
    assert abs(band_db(wide, 4500, 8000) - band_db(wide, 500, 4000)) < 2
    assert band_db(narrow, 4500, 8000) < band_db(narrow, 500, 4000) - 40


def test_the_telephone_keeps_its_band() -> None:
    for k in range(6):
        heard = telephone(WHITE * 0.1, replace(TRAINING, band_pass=1.0, mu_law=0.0, a_law=0.0), random.Random(k))
        assert band_db(heard, 4300, 8000) < band_db(heard, 500, 3000) - 40
        assert band_db(heard, 20, 150) < band_db(heard, 1000, 1130) - 30


def test_the_codecs_have_their_steps() -> None:
    x = np.arange(-32768, 32768)
    for table in (_mu_law(), _a_law()):
        values = table * 32768.0
        assert len(np.unique(values)) in (255, 256)
        assert (np.diff(values) >= 0).all()
        loud = np.abs(x) > 2000
        assert (np.abs(values - x)[loud] / np.abs(x)[loud]).max() < 0.035
    # G.711 A-law: the smallest value decodes to 8 of 32768, the largest to 32256
    assert sorted(set(np.abs(_a_law() * 32768)))[0] == 8 and (_a_law() * 32768).max() == 32256


def test_lost_packets_are_silent_or_repeated() -> None:
    silent = repeated = 0
    for k in range(20):
        heard = lose_packets(WHITE, random.Random(k)).reshape(-1, 320)
        sent = WHITE.reshape(-1, 320)
        lost = np.flatnonzero((heard != sent).any(axis=1))
        assert 0 <= lost.size <= 0.1 * len(sent)
        silent += sum(not heard[n].any() for n in lost)
        repeated += sum(n > 0 and bool((heard[n] == heard[n - 1]).all()) and bool(heard[n].any()) for n in lost)
        assert silent + repeated >= lost.size
    assert silent > 10 and repeated > 10


def test_an_echo_is_weak_and_late() -> None:
    for k in range(10):
        leaked = add_echo(speech(), WHITE, random.Random(k)) - speech()
        first = int(np.flatnonzero(leaked)[0])
        assert 0.05 * RATE <= first <= 0.30 * RATE
        level = 20 * np.log10(float(np.sqrt(np.mean(leaked[first:] ** 2))) / spoken_rms(speech()))
        assert -40.5 < level < -24.5


def test_a_room_rings_after_the_sound() -> None:
    sound = np.zeros(RATE, dtype=np.float32)
    sound[1000] = 1.0
    heard = reverberate(sound, random.Random(2))
    tail = heard[1000 + RATE // 50 :]
    assert heard[1000] == pytest.approx(1.0, abs=1e-3) and np.abs(heard[:990]).max() < 1e-5
    assert np.abs(tail[:1000]).max() > 10 * np.abs(tail[-1000:]).max()


def test_clipping_flattens_the_peaks() -> None:
    heard = clip(speech(), random.Random(1))
    peak = np.abs(heard).max()
    assert peak <= 0.5 * np.abs(speech()).max()
    assert (np.abs(heard) == peak).mean() > 0.3


def test_a_repeating_signal_goes_round() -> None:
    ramp = np.arange(5, dtype=np.float32)
    assert wrapped(ramp, 3, 9).tolist() == [3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert wrapped(ramp, 1, 3).tolist() == [1, 2, 3]
