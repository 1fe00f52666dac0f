"""Speech is found where it is, and nothing else is taken for it."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pytest

from monitor.core.types import Channel, Samples, SpeechEnded, SpeechStarted, ToneHeard, ToneKind
from monitor.core.voice import Voice, VoiceEvent, VoiceSettings
from tests.core.voices import RATE, RECORDED, framed, music, noise, note, pcm, quiet, say, sine, syllable

SIZES = ((1,), (2,), (5,), (7, 1), (25,), (50,), (13, 64, 3), (10_000,))


def listen(audio: Samples, sizes: tuple[int, ...] = (5,), rate: int = RATE) -> list[VoiceEvent]:
    """All events, with what must hold for any call checked on the way."""
    frames = framed(audio, rate)
    size = frames.shape[1]
    voice = Voice(Channel.AGENT, rate)
    events: list[VoiceEvent] = []
    index, settled = 0, 0
    for step in cycle(sizes):
        if index >= len(frames):
            break
        part = frames[index : index + step]
        found = voice.feed(index * size, part)
        index += len(part)
        assert all(event.known <= index * size for event in found)
        assert all(event.at >= settled for event in found if isinstance(event, SpeechStarted))
        assert settled <= voice.settled <= index * size
        assert len(voice.voiced) == len(part)
        settled = voice.settled
        events += found
    return events + voice.flush(index * size)


def spoken(events: list[VoiceEvent], rate: int = RATE) -> list[tuple[float, float]]:
    """Start and end of speech in seconds; every start has its end."""
    starts = [event.at for event in events if isinstance(event, SpeechStarted)]
    ends = [event for event in events if isinstance(event, SpeechEnded)]
    assert starts == [event.start for event in ends]
    return [(event.start / rate, event.at / rate) for event in ends]


def musics(events: list[VoiceEvent]) -> list[tuple[float, float, bool]]:
    heard = [event for event in events if isinstance(event, ToneHeard) and event.tone is ToneKind.MUSIC]
    return [(event.start / RATE, event.end / RATE, event.ongoing) for event in heard]


@pytest.mark.parametrize("pitch", [110, 180, 240])
@pytest.mark.parametrize("pace", [140, 240, 320])
def test_speech_starts_and_ends_where_it_does(pitch: int, pace: int) -> None:
    speech = say(2.5, pace, pitch)
    ((start, end),) = spoken(listen(pcm(quiet(0.513), speech, quiet(1))))
    assert start == pytest.approx(0.513, abs=0.05)
    assert end == pytest.approx(0.513 + len(speech) / RATE, abs=0.05)


def test_speech_is_known_within_a_third_of_a_second() -> None:
    events = listen(pcm(quiet(0.5), say(2), quiet(1)))
    started = next(event for event in events if isinstance(event, SpeechStarted))
    ended = next(event for event in events if isinstance(event, SpeechEnded))
    assert started.known - started.at <= 0.34 * RATE
    assert ended.known - ended.at <= 0.42 * RATE


def test_speech_in_noise() -> None:
    speech = say(3)
    background = noise(len(speech) / RATE + 2, float(np.sqrt((speech**2).mean() / 10**1.5)))
    events = listen(pcm(background + np.concatenate((quiet(1), speech, quiet(1)))))
    ((start, end),) = spoken(events)
    assert start == pytest.approx(1, abs=0.1)
    assert end == pytest.approx(1 + len(speech) / RATE, abs=0.1)


@pytest.mark.parametrize("kind", range(1, 5))
def test_a_short_word_passes(kind: int) -> None:
    ((start, end),) = spoken(listen(pcm(quiet(0.5), syllable(kind, 0.2), quiet(1))))
    assert start == pytest.approx(0.5, abs=0.06)
    assert end == pytest.approx(0.7, abs=0.06)


def test_a_pause_longer_than_the_hangover_parts_speech_and_a_shorter_one_does_not() -> None:
    assert len(spoken(listen(pcm(quiet(0.5), say(1), quiet(0.6), say(1), quiet(1))))) == 2
    assert len(spoken(listen(pcm(quiet(0.5), say(1), quiet(0.15), say(1), quiet(1))))) == 1


def test_the_hangover_can_be_set() -> None:
    frames = framed(pcm(quiet(0.5), say(1), quiet(0.6), say(1), quiet(1)))
    voice = Voice(Channel.AGENT, RATE, VoiceSettings(hangover=0.8))
    events = voice.feed(0, frames) + voice.flush(frames.size)
    assert len(spoken(events)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_minute_of_music_is_no_speech(seed: int) -> None:
    events = listen(pcm(music(60, seed), quiet(2)), (50,))
    assert spoken(events) == []
    told = musics(events)
    assert [ongoing for _, _, ongoing in told] == [True, False]
    assert told[1][0] == pytest.approx(0, abs=0.3)
    assert told[1][1] == pytest.approx(60, abs=2)


def test_music_is_told_while_it_goes_on() -> None:
    told = [event for event in listen(pcm(quiet(1), music(10))) if isinstance(event, ToneHeard)]
    assert told[0].ongoing
    assert told[0].known <= 4.5 * RATE


@pytest.mark.parametrize(
    "sound",
    [
        sine(450, 8),
        sine(400, 5) + sine(440, 5),
        sum(sine(50 * h, 8, -20 - h) for h in range(1, 10)),
        noise(10, 3000),
        noise(10, 300),
        noise(10, 2000, pink=True),
        np.concatenate([np.concatenate((sine(450, 1), quiet(4)))] * 4),
        np.concatenate([np.concatenate((sine(450, 0.35), quiet(0.35)))] * 12),
        np.concatenate([np.concatenate((sine(r, 0.1) + sine(1336, 0.1), quiet(0.1))) for r in (697, 941, 770)]),
        np.concatenate([np.concatenate((note(p, 0.5, 0.6), quiet(0.1))) for p in (0, 4, 7, 12, 11, 7, 5, 2) * 2]),
        np.concatenate([np.concatenate((noise(0.01, 8000), quiet(0.2))) for _ in range(30)]),
    ],
    ids=["dial", "dial2", "hum", "white", "soft white", "pink", "ringback", "busy", "keys", "notes", "clicks"],
)  # fmt: skip
def test_sounds_of_the_line_are_no_speech(sound: np.ndarray) -> None:  # type: ignore[type-arg]
    assert spoken(listen(pcm(quiet(0.5), sound, quiet(1)))) == []


def test_music_in_the_middle_ends_speech() -> None:
    events = listen(pcm(quiet(0.5), say(3), music(10), quiet(1)))
    ((start, end),) = spoken(events)
    assert start == pytest.approx(0.5, abs=0.05)
    assert 3.0 < end < 4.5
    assert len(musics(events)) == 2


def test_speech_after_music_is_heard_from_its_start() -> None:
    ((start, end),) = spoken(listen(pcm(music(8), quiet(0.4), say(3), quiet(1))))
    assert start == pytest.approx(8.4, abs=0.1)
    assert end == pytest.approx(11.4, abs=0.06)


def test_silence_is_settled_at_once_and_an_onset_is_not() -> None:
    voice = Voice(Channel.AGENT, RATE)
    voice.feed(0, framed(pcm(quiet(1))))
    assert voice.settled == RATE
    voice.feed(RATE, framed(pcm(say(1)))[:8])
    assert voice.settled <= RATE + 320
    assert not voice.speaking
    voice.feed(RATE + 8 * 160, framed(pcm(say(1)))[8:20])
    assert voice.speaking
    assert voice.settled == RATE + 20 * 160


def test_voiced_frames_lie_in_open_speech() -> None:
    voice = Voice(Channel.AGENT, RATE)
    frames = framed(pcm(quiet(0.5), say(2), quiet(1)))
    voice.feed(0, frames)
    where = np.flatnonzero(voice.voiced)
    assert len(where) > 60
    assert where[0] >= 25
    assert where[-1] < 130


def test_a_call_of_16_khz_hears_the_same() -> None:
    audio = pcm(quiet(0.5), say(2.5), quiet(1), music(5))
    fine = np.interp(np.arange(2 * len(audio)) / 2, np.arange(len(audio)), audio).astype(np.int16)
    events = listen(fine, (7,), 16000)
    ((start, end),) = spoken(events, 16000)
    assert start == pytest.approx(0.5, abs=0.05)
    assert end == pytest.approx(3.0, abs=0.06)
    assert listen(fine, (50,), 16000) == events


@pytest.mark.parametrize("sizes", SIZES[1:])
def test_every_chunking_gives_identical_events(sizes: tuple[int, ...]) -> None:
    parts = [noise(0.7, 40), say(2, seed=3), quiet(0.4), syllable(2, 0.2), quiet(1.2), sine(450, 1), quiet(1)]
    parts += [music(5), quiet(0.2), say(2, 280, 120), sine(770, 0.08) + sine(1336, 0.08), noise(1.5, 900)]
    audio = pcm(*parts)
    expected = listen(audio, SIZES[0])
    assert {type(event) for event in expected} == {SpeechStarted, SpeechEnded, ToneHeard}
    assert listen(audio, sizes) == expected


def test_a_short_loss_does_not_end_speech_and_a_long_one_does() -> None:
    frames = framed(pcm(quiet(0.5), say(4), quiet(1)))
    for lost, count in ((5, 1), (60, 2)):
        voice = Voice(Channel.AGENT, RATE)
        events = voice.feed(0, frames[:75])
        ended = voice.gap(75 * 160 + 30, (75 + lost) * 160 + 10)
        assert len(ended) == count - 1
        events += ended + voice.feed((75 + lost) * 160, frames[75 + lost :]) + voice.flush(frames.size)
        assert len(spoken(events)) == count
        if count == 2:
            assert spoken(events)[0][1] == pytest.approx(1.5, abs=0.05)


def test_a_gap_need_not_be_announced() -> None:
    frames = framed(pcm(quiet(0.5), say(4), quiet(1)))
    told, untold = Voice(Channel.AGENT, RATE), Voice(Channel.AGENT, RATE)
    events = [*told.feed(0, frames[:75]), *told.gap(12000, 21600), *told.feed(21600, frames[135:])]
    assert [*untold.feed(0, frames[:75]), *untold.feed(21600, frames[135:])] == events
    assert told.settled == untold.settled


def test_audio_does_not_go_back() -> None:
    voice = Voice(Channel.AGENT, RATE)
    voice.feed(0, framed(pcm(quiet(1))))
    with pytest.raises(ValueError, match="already heard"):
        voice.feed(160, framed(pcm(quiet(1))))


def test_flush_ends_what_is_open() -> None:
    frames = framed(pcm(quiet(0.5), say(2)))[:115]
    voice = Voice(Channel.AGENT, RATE)
    events = voice.feed(0, frames)
    assert voice.speaking
    (ended,) = voice.flush(frames.size - 70)
    assert isinstance(ended, SpeechEnded)
    assert (ended.at, ended.known) == (frames.size - 70, frames.size - 70)
    assert not voice.speaking
    assert len(events) == 1


def test_flush_decides_what_is_pending() -> None:
    frames = framed(pcm(quiet(0.5), syllable(1, 0.22), quiet(0.2)))
    voice = Voice(Channel.AGENT, RATE)
    events = voice.feed(0, frames)
    assert len(spoken([*events, *voice.flush(frames.size)])) == 1


def test_people_are_heard() -> None:
    soundfile = pytest.importorskip("soundfile")
    paths = sorted(RECORDED.glob("*.flac"))
    if not paths:
        pytest.skip("no recordings of people beside the repository")
    for path in paths:
        audio, rate = soundfile.read(path, dtype="int16")
        assert rate == 16000
        events = listen(np.concatenate((np.zeros(8000, np.int16), audio, np.zeros(16000, np.int16))), (50,), rate)
        power = (framed(audio, rate).astype(np.float64) ** 2).mean(axis=1)
        loud = float((power > power.max() / 100).sum()) / 50
        assert sum(end - start for start, end in spoken(events, rate)) > 0.9 * loud, path.name
        assert musics(events) == [], path.name
