from __future__ import annotations

import numpy as np
import pytest

from monitor.render import line

RATE = 8000


def sine(hz: float, seconds: float, peak: float = 0.5) -> line.Signal:
    return np.asarray(peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE))


@pytest.mark.parametrize(("hz", "loss"), [(100, 30), (1000, 0), (2500, 0), (3900, 30)])
def test_the_telephone_band_ends_at_300_and_3400_hertz(hz: float, loss: float) -> None:
    heard = line.telephone_band(sine(hz, 1), RATE)[800:-800]
    lost = line.to_dbfs(0.5 / np.sqrt(2)) - line.to_dbfs(float(np.sqrt(np.mean(heard**2))))

    assert lost == pytest.approx(0, abs=0.2) if loss == 0 else lost > loss


def test_the_band_filter_shifts_nothing() -> None:
    click = np.zeros(2000)
    click[1000] = 1.0

    assert int(np.abs(line.telephone_band(click, RATE)).argmax()) == 1000


def test_extent_and_pauses_are_found_to_a_few_milliseconds() -> None:
    quiet = np.zeros
    signal = np.concatenate((quiet(800), sine(500, 0.3), quiet(400), sine(500, 0.2), quiet(1600), sine(500, 0.2)))

    first, last = line.extent(signal, RATE)

    assert first == pytest.approx(800, abs=24)
    assert last == pytest.approx(signal.size, abs=24)
    # 50 ms are the closure of a consonant, 200 ms a pause
    [(start, end)] = line.pauses(signal[first:last], RATE)
    assert start + first == pytest.approx(800 + 2400 + 400 + 1600, abs=24)
    assert end - start == pytest.approx(1600, abs=48)


def test_silence_has_no_extent() -> None:
    assert line.extent(np.zeros(1000), RATE) == (0, 0)


@pytest.mark.parametrize("dbfs", [-40.0, -22.0, -8.0, -5.0])
def test_level_is_met_over_what_sounds_even_when_clipped(dbfs: float) -> None:
    rng = np.random.default_rng(2)
    spiky = np.concatenate((rng.laplace(0, 0.1, RATE), np.zeros(RATE), rng.laplace(0, 0.1, RATE)))

    heard = line.at_level(spiky, RATE, dbfs)

    assert line.to_dbfs(line.spoken_rms(heard, RATE)) == pytest.approx(dbfs, abs=0.05)
    assert (np.abs(heard).max() == 1.0) == (dbfs > -10)


def test_mu_law_has_255_steps_and_keeps_every_sample_within_its_step() -> None:
    every = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
    heard = line.through_mu_law(every).astype(np.int32)
    error = np.abs(heard - every)

    assert len(set(heard.tolist())) == 255
    assert np.all(error <= np.maximum(np.abs(every.astype(np.int32)) * 0.035, 8) + 4)
    assert np.all(np.diff(heard) >= 0)
    assert heard.max() == 32124
    assert line.through_mu_law(np.array([0], dtype=np.int16))[0] == 0


def test_quantising_clips_at_full_scale() -> None:
    assert line.to_int16(np.array([0.0, 0.5, 1.5, -1.5])).tolist() == [0, 16384, 32767, -32768]
