"""What sounds on a line and is nobody's voice raises no speech; and whoever does speak is heard."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from monitor.core.types import Samples
from monitor.render import line, music, sounds
from monitor.render.dialogue import Digits, Hold, Music, Ring, Say, Silence
from monitor.sources.recording import Recording
from tests.accuracy.calls import RECORDED, Span, call, hear, hear_sound, strays

LINES = ((8000, -24, 1), (16000, -18, 3))
"""Rate, level in dBFS, seed."""

KEYS = "0123456789*#ABCD"


def on_the_line(signal: line.Signal, rate: int) -> Samples:
    """As it arrives: at 8000 a second through the telephone's band."""
    return line.to_int16(line.telephone_band(signal, rate) if rate == 8000 else signal)


@pytest.mark.parametrize("style", sorted(music.STYLES))
@pytest.mark.parametrize(("rate", "level", "seed"), LINES)
def test_sixty_seconds_of_hold_music_raise_no_speech(style: str, rate: int, level: float, seed: int) -> None:
    heard = hear_sound(on_the_line(music.music(style, 60, rate, level, seed), rate), rate)
    told = sum(tone.end - tone.start for tone in heard.tones("music") if not tone.ongoing) / rate
    print(f"{style}, {rate} Hz, {level} dBFS: speech {heard.speech('mixed')}, music {told:.0f} of 60 s")
    assert heard.speech("mixed") == []
    assert told >= 30


@pytest.mark.parametrize("level", [-10, -18, -30])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_tones_of_the_line_raise_no_speech(rate: int, level: float) -> None:
    second = np.zeros(rate)
    tones = {
        "ring-back": np.concatenate((sounds.ring(6, rate, level), second)),
        "busy": sounds.busy(20, rate, level),
        "dial": sounds.dial_tone(20, rate, level),
        "keys": np.concatenate([part for key in KEYS for part in (sounds.key(key, 0.12, rate, level), second[::10])]),
        "long keys": np.concatenate([p for key in KEYS for p in (sounds.key(key, 0.5, rate, level), second[::4])]),
    }
    heard = {name: hear_sound(on_the_line(sound, rate), rate) for name, sound in tones.items()}
    assert {name: found.speech("mixed") for name, found in heard.items() if found.speech("mixed")} == {}
    assert len(heard["ring-back"].tones("ringback")) == 6
    assert [len(heard[name].tones("ringback")) for name in ("busy", "dial", "keys")] == [0, 0, 0]
    for name in ("keys", "long keys"):
        assert "".join(tone.digit or "?" for tone in heard[name].tones("dtmf")) == KEYS


@pytest.mark.parametrize("kind", sorted(set(sounds.NOISES) - {"office"}))
def test_noise_raises_no_speech(kind: str) -> None:
    for rate in (8000, 16000):
        for level in (-50, -35, -25):
            noise = sounds.noise(kind, 20, rate, level, np.random.default_rng(5))
            assert hear_sound(on_the_line(noise, rate), rate).speech("mixed") == [], (rate, level)


def test_key_clicks_of_an_office_seldom_pass_for_speech() -> None:
    """A click is as short as a plosive; now and then one passes: at most one in a hundred, and for a moment."""
    found: list[Span] = []
    minutes, clicks = 0, 0
    for rate in (8000, 16000):
        for seed in range(6):
            noise = sounds.noise("office", 60, rate, -40, np.random.default_rng(seed))
            found += hear_sound(on_the_line(noise, rate), rate).speech("mixed")
            minutes, clicks = minutes + 1, clicks + 90
    print(f"{len(found)} in {minutes} minutes with {clicks} clicks: {found}")
    assert len(found) <= clicks / 100
    assert all(end - start < 0.5 for start, end in found)


@pytest.mark.usefixtures("voices")
@pytest.mark.parametrize("style", sorted(music.STYLES))
def test_in_a_call_only_the_parties_speak(style: str) -> None:
    made = call(
        Ring(ring=2),
        Say(agent="您好，请问有什么可以帮您？"),
        Digits(digits="12#", side="customer"),
        Say(customer="我想查询余额。"),
        Say(agent="请您稍等。"),
        Hold(hold=20, music=style, side="customer"),
        Say(agent="感谢您的耐心等待。"),
        Music(music=style, seconds=8, side="customer"),
        Say(agent="再见。"),
        Silence(silence=1),
        seed=7,
    )
    heard = hear(made)
    assert strays(heard) == []
    assert len(heard.speech("agent")) >= 4
    assert len(heard.speech("customer")) == 1


@pytest.mark.parametrize("rate", [8000, 16000])
def test_every_recorded_person_is_heard(rate: int) -> None:
    clips = sorted(RECORDED.glob("*.flac"))
    if not clips:
        pytest.skip(f"no recordings of people: put some FLAC files into {RECORDED.parent.name}/{RECORDED.name}")
    for path in clips:
        recording = Recording(path)
        whole = np.concatenate([chunk.samples for chunk in recording])[:, 0] / 32768
        voice = soxr.resample(whole, recording.probe().rate, rate)
        first, last = line.extent(voice, rate)
        second = np.zeros(rate)
        heard = hear_sound(on_the_line(np.concatenate((second, voice, second)), rate), rate)
        spoken = sum(end - start for start, end in heard.speech("mixed"))
        print(f"{path.stem} at {rate}: speech in {spoken:.2f} s of {(last - first) / rate:.2f} s with sound")
        assert spoken >= 0.6 * (last - first) / rate, path.name
