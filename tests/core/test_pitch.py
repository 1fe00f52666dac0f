"""Liveliness and drawl of known voices."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.likeness import BLOCK, Spectra
from monitor.core.pitch import Pitch
from monitor.core.types import Channel, Measured, Samples, SpeechEnded, SpeechStarted
from monitor.core.voice import Voice, VoiceEvent
from tests.core.voices import RATE, Wave, framed, noise, pcm, quiet, say, syllable


def turns(audio: Samples, step: int = 5) -> list[Measured]:
    voice, pitch = Voice(Channel.CUSTOMER, RATE), Pitch(Channel.CUSTOMER, RATE)
    frames = framed(audio)
    out: list[Measured] = []
    for i in range(0, len(frames), step):
        events = voice.feed(i * 160, frames[i : i + step])
        out += pitch.feed(voice.seen, events)
    rest = voice.flush(frames.size)
    return out + pitch.flush(frames.size, voice.seen, rest)


def voice_of(seconds: float, swing: float, base: float = 150.0) -> Wave:
    """Vowels of five a second whose pitch swings by ``swing`` semitones to both sides."""
    time = np.arange(round(seconds * RATE)) / RATE
    frequency = base * 2 ** (swing * np.sin(2 * np.pi * 1.1 * time) / 12)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    wave = np.zeros(len(time))
    second = 1400 + 500 * np.sin(2 * np.pi * 2.3 * time)
    for h in range(1, 22):
        gain = 1 / (1 + ((frequency * h - 600) / 150) ** 2) + 1 / (1 + ((frequency * h - second) / 200) ** 2)
        wave += gain * np.sin(h * phase)
    return np.asarray(wave * (0.55 - 0.45 * np.cos(2 * np.pi * 5 * time)) * 3000, np.float64)


def value(found: list[Measured], name: str) -> float:
    (one,) = [m.value for m in found if m.name == name]
    return one


def turn_of(wave: Wave) -> list[Measured]:
    """What is measured when all of ``wave`` is known to be speech."""
    frames = framed(pcm(wave))
    power = (frames.astype(np.float64) ** 2).mean(axis=1)
    spectra, pitch = Spectra(), Pitch(Channel.AGENT, RATE)
    out: list[Measured] = []
    started: list[VoiceEvent] = [SpeechStarted(Channel.AGENT, 0, 160)]
    for i in range(0, len(frames), BLOCK):
        part = slice(i, i + BLOCK)
        yes = np.ones(len(frames[part]), np.bool_)
        spectra.feed(frames[part], power[part], yes)
        seen = spectra.last(len(yes), i * 160, yes)
        out += pitch.feed([seen], started)
        started = []
    return out + pitch.flush(frames.size, [], [SpeechEnded(Channel.AGENT, 0, frames.size, frames.size)])


@pytest.mark.parametrize("base", [110.0, 150.0, 240.0])
@pytest.mark.parametrize("swing", [1.0, 3.0, 5.0])
def test_liveliness_is_the_spread_of_the_pitch(swing: float, base: float) -> None:
    found = turn_of(voice_of(4, swing, base))
    assert value(found, "liveliness") == pytest.approx(swing / np.sqrt(2), abs=0.5)


def test_a_turn_is_told_once_a_second_after_its_end() -> None:
    found = turns(pcm(quiet(0.5), say(2), quiet(0.7), say(2), quiet(3), say(2), quiet(2)))
    assert [m.name for m in found] == ["liveliness", "drawl"] * 2
    first = found[0]
    assert first.start == pytest.approx(0.5 * RATE, abs=400)
    assert first.end == pytest.approx(5.2 * RATE, abs=400)
    assert first.end + RATE < first.known <= first.end + 1.6 * RATE


def test_a_turn_is_told_when_the_call_ends() -> None:
    audio = pcm(quiet(0.5), say(2))
    found = turns(audio)
    assert len(found) == 2
    assert found[0].known == len(audio) // 160 * 160


def test_a_short_turn_has_no_liveliness() -> None:
    assert [m.name for m in turns(pcm(quiet(0.5), syllable(2, 0.25), quiet(2)))] == ["drawl"]


def test_a_held_syllable_is_a_drawl() -> None:
    time = np.arange(round(1.0 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(150 * 2 ** (-2 * time / 12)) / RATE
    vowel = sum(np.sin(h * phase) / (1 + ((150 * h - 600) / 150) ** 2) for h in range(1, 20)) * 4000
    assert value(turn_of(np.concatenate((say(2), np.asarray(vowel)))), "drawl") == pytest.approx(1.0, abs=0.2)
    assert value(turn_of(say(3)), "drawl") < 0.5


def test_every_chunking_measures_the_same() -> None:
    audio = pcm(noise(0.5, 30), say(3), quiet(1.3), say(2, 300, 120), quiet(0.9), say(2, 160), noise(3, 100))
    expected = turns(audio, 1)
    assert len(expected) == 6
    for step in (2, 3, 5, 7, 25, 50, 1000):
        assert turns(audio, step) == expected
