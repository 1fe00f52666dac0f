"""Ring-back and keys, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.tones import Tones
from monitor.core.types import Channel, Samples, ToneHeard, ToneKind

RATE = 8000
KEYS = {
    "1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "A": (697, 1633),
    "4": (770, 1209), "5": (770, 1336), "6": (770, 1477), "B": (770, 1633),
    "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "C": (852, 1633),
    "*": (941, 1209), "0": (941, 1336), "#": (941, 1477), "D": (941, 1633),
}  # fmt: skip


def quiet(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(round(seconds * RATE))


def sine(frequency: float, seconds: float, level: float = -15.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """``level`` in dB below a full sine."""
    time = np.arange(round(seconds * RATE)) / RATE
    return 32767 * 10 ** (level / 20) * np.sin(2 * np.pi * frequency * time + 0.4)


def key(digit: str, seconds: float, level: float = -15.0, twist: float = 0.0, off: float = 0.0) -> np.ndarray:  # type: ignore[type-arg]
    row, column = KEYS[digit]
    return sine(row * (1 + off), seconds, level) + sine(column * (1 + off), seconds, level + twist)


def heard(audio: np.ndarray, sizes: tuple[int, ...] = (50,)) -> list[ToneHeard]:  # type: ignore[type-arg]
    """Everything that is found when ``sizes`` frames are fed in turn."""
    whole = np.concatenate((audio, quiet(2.0)))
    frames: Samples = np.clip(whole[: len(whole) // 160 * 160], -32768, 32767).astype(np.int16).reshape(-1, 160)
    tones = Tones(Channel.CUSTOMER, RATE)
    events: list[ToneHeard] = []
    index = turn = 0
    while index < len(frames):
        part = frames[index : index + sizes[turn % len(sizes)]]
        loud = (part.astype(np.int64) ** 2).sum(axis=1) > 60 * 160
        found, tonal = tones.feed(index, part, loud)
        assert len(tonal) == len(part)
        assert all(event.known <= (index + len(part)) * 160 for event in found)
        events += found
        index += len(part)
        turn += 1
    return events


def rings(audio: np.ndarray) -> list[tuple[float, float]]:  # type: ignore[type-arg]
    found = heard(audio)
    assert {event.tone for event in found} <= {ToneKind.RINGBACK}
    return [(event.start / RATE, event.end / RATE) for event in found]


@pytest.mark.parametrize("frequency", [440, 445, 450, 460, 470, 480])
@pytest.mark.parametrize("level", [-10, -35])
def test_each_burst_of_ring_back_is_counted_where_it_sounds(frequency: int, level: int) -> None:
    ring = np.concatenate((sine(frequency, 1.0, level), quiet(4.0)))
    found = rings(np.concatenate((quiet(0.53), ring, ring, ring)))
    assert [round(start) for start, _ in found] == [1, 6, 11]
    for i, (start, end) in enumerate(found):
        assert start == pytest.approx(0.53 + 5 * i, abs=0.03)
        assert end == pytest.approx(1.53 + 5 * i, abs=0.03)


@pytest.mark.parametrize(
    ("on", "off", "count"), [(1.0, 4.0, 3), (1.0, 3.0, 3), (1.5, 3.5, 3), (2.0, 4.0, 3), (0.4, 2.0, 3)]
)
def test_other_cadences_count_too(on: float, off: float, count: int) -> None:
    assert len(rings(np.concatenate([np.concatenate((sine(450, on), quiet(off)))] * count))) == count


def test_a_double_ring_counts_once() -> None:
    ring = np.concatenate((sine(450, 0.4), quiet(0.2), sine(450, 0.4), quiet(2.0)))
    assert len(rings(np.concatenate((ring, ring)))) == 2


@pytest.mark.parametrize(
    "audio",
    [
        np.concatenate([np.concatenate((sine(450, 0.35), quiet(0.35)))] * 10),  # busy
        sine(450, 8.0),  # dialling tone
        sine(425, 1.0),
        sine(520, 1.0),
        sine(450, 0.2),
    ],
    ids=["busy", "dial", "425", "520", "short"],
)
def test_what_is_no_ring(audio: np.ndarray) -> None:  # type: ignore[type-arg]
    found = rings(np.concatenate((quiet(0.5), audio)))
    # the last burst of a busy tone is followed by silence, like a ring of its length
    assert len(found) <= (1 if len(audio) == 7 * RATE else 0)


def test_a_tone_that_glides_is_no_ring() -> None:
    time = np.arange(RATE) / RATE
    sweep = 6000 * np.sin(2 * np.pi * (440 * time + 20 * time**2))
    assert rings(np.concatenate((quiet(0.5), sweep))) == []


def test_ring_back_in_noise() -> None:
    noise = np.random.default_rng(4).normal(0, 400, RATE * 10)
    ring = np.concatenate((sine(450, 1.0, -20), quiet(4.0)))
    assert len(rings(np.concatenate((ring, ring)) + noise)) == 2


@pytest.mark.parametrize("twist", [-6.0, 0.0, 6.0])
@pytest.mark.parametrize("seconds", [0.04, 0.1])
def test_all_keys_are_read(seconds: float, twist: float) -> None:
    audio = [quiet(0.3)]
    for i, digit in enumerate(KEYS):
        audio += [key(digit, seconds, -15, twist), quiet(0.06 + 0.0011 * i)]  # every alignment to the frames
    found = heard(np.concatenate(audio))
    assert [event.digit for event in found] == list(KEYS)
    assert {event.tone for event in found} == {ToneKind.DTMF}


@pytest.mark.parametrize("off", [-0.015, 0.015])
def test_keys_may_be_a_little_out_of_tune(off: float) -> None:
    audio = [quiet(0.3)]
    for digit in KEYS:
        audio += [key(digit, 0.08, off=off), quiet(0.08)]
    assert [event.digit for event in heard(np.concatenate(audio))] == list(KEYS)


def test_a_key_stands_where_it_was_pressed() -> None:
    (found,) = heard(np.concatenate((quiet(1.005), key("5", 0.12))))
    assert found.start / RATE == pytest.approx(1.005, abs=0.015)
    assert found.end / RATE == pytest.approx(1.125, abs=0.015)
    assert found.known >= found.end


def test_the_same_key_twice_is_two_keys() -> None:
    found = heard(np.concatenate((quiet(0.2), key("0", 0.06), quiet(0.05), key("0", 0.06))))
    assert [event.digit for event in found] == ["0", "0"]


def test_keys_in_noise() -> None:
    rng = np.random.default_rng(2)
    audio = np.concatenate([np.concatenate((key(d, 0.08), quiet(0.08))) for d in KEYS])
    power = 2 * (32767 * 10 ** (-15 / 20)) ** 2 / 2
    found = heard(audio + rng.normal(0, np.sqrt(power / 10**1.5), len(audio)))
    assert [event.digit for event in found] == list(KEYS)


@pytest.mark.parametrize("frequency", [697, 1336])
def test_one_sine_is_no_key(frequency: int) -> None:
    assert heard(np.concatenate((quiet(0.2), sine(frequency, 0.5)))) == []


def test_noise_is_no_tone() -> None:
    assert heard(np.random.default_rng(1).normal(0, 3000, 5 * RATE)) == []


def test_every_chunking_finds_the_same() -> None:
    rng = np.random.default_rng(8)
    parts = [quiet(0.3), sine(450, 1.0), quiet(1.3), key("7", 0.05), quiet(0.1), key("#", 0.2), quiet(0.05)]
    audio = np.concatenate([*parts, sine(440, 0.5), quiet(1.5)])
    audio = audio + rng.normal(0, 60, len(audio))
    expected = heard(audio)
    assert len(expected) == 4
    for sizes in ((1,), (2,), (3, 5), (7,), (25,), (1, 24), (1000,)):
        assert heard(audio, sizes) == expected


def test_lost_audio_ends_a_tone() -> None:
    tones = Tones(Channel.AGENT, RATE)
    frames = sine(450, 0.6).astype(np.int16).reshape(-1, 160)
    loud = np.ones(len(frames), np.bool_)
    assert tones.feed(0, frames, loud)[1][-1]
    tones.skip()
    silence = np.zeros((100, 160), np.int16)
    assert tones.feed(60, silence, np.zeros(100, np.bool_)) == ([], [False] * 100)
