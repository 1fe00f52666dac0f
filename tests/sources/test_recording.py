"""Recordings of every kind: the right audio at the right place, and a clear word about every bad file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monitor.core.types import MONO, STEREO, Samples, Signal, SignalKind
from monitor.sources.errors import SourceError
from monitor.sources.recording import Recording

Speak = Callable[..., Samples]
Write = Callable[..., Path]


def heard(recording: Recording) -> Samples:
    """All samples of a recording that has no gaps."""
    chunks = list(recording)
    starts = np.cumsum([0] + [len(chunk.samples) for chunk in chunks])
    assert [chunk.start for chunk in chunks] == starts[:-1].tolist()
    assert recording.position == starts[-1]
    return np.concatenate([chunk.samples for chunk in chunks])


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("name", "codec", "exact"),
    [
        ("a.wav", "pcm_s16le", True),
        ("a.flac", "flac", True),
        ("a.aiff", "pcm_s16be", True),
        ("a.wav", "pcm_s24le", True),
        ("a.wav", "pcm_s32le", True),
        ("a.wav", "pcm_f32le", True),
        ("a.wav", "pcm_f64le", True),
        ("a.au", "pcm_mulaw", False),
        ("a.wav", "pcm_mulaw", False),
        ("a.wav", "pcm_alaw", False),
        ("a.wav", "pcm_u8", False),
    ],
)
def test_telephone_audio_stays_at_its_rate(
    tmp_path: Path, speak: Speak, write_audio: Write, name: str, codec: str, exact: bool
) -> None:
    samples = speak(8000)
    recording = Recording(write_audio(tmp_path / name, samples, 8000, codec))
    info = recording.probe()
    assert (info.rate, info.file_rate, info.channels, info.codec) == (8000, 8000, STEREO, codec)
    assert info.seconds == pytest.approx(4.0) and info.warnings == ()
    found = heard(recording)
    assert found.dtype == np.int16 and recording.late_warnings == ()
    if exact:
        np.testing.assert_array_equal(found, samples)
    else:
        assert np.abs(found.astype(int) - samples).max() < 600


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 48000),
        ("a.flac", "flac", 44100),
        ("a.wav", "pcm_s16le", 11025),
        ("a.mp3", "libmp3lame", 44100),
        ("a.ogg", "libopus", 48000),
        ("a.webm", "libopus", 48000),
        ("a.m4a", "aac", 44100),
        ("a.mkv", "aac", 48000),
        ("a.mp3", "libmp3lame", 16000),
    ],
)
def test_everything_higher_becomes_16_khz(
    tmp_path: Path, speak: Speak, write_audio: Write, name: str, codec: str, rate: int
) -> None:
    recording = Recording(write_audio(tmp_path / name, speak(rate), rate, codec))
    info = recording.probe()
    assert (info.rate, info.channels, info.warnings) == (16000, STEREO, ())
    found, expected = heard(recording), speak(16000)
    assert abs(len(found) - 64_000) <= 0.06 * 16000 and recording.late_warnings == ()
    for party in (0, 1):  # where each party speaks, to 20 ms
        frames = np.abs(found[:64_000, party].astype(int))[: 320 * 199].reshape(-1, 320).max(axis=1) > 2000
        truth = np.abs(expected[: 320 * 199, party].astype(int)).reshape(-1, 320).max(axis=1) > 2000
        assert (frames != truth).sum() <= 8


def test_raw_telephone_audio_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "a.al").write_bytes(bytes([0x2A, 0xAA] * 4000))
    recording = Recording(tmp_path / "a.al")
    assert (recording.probe().rate, recording.probe().channels) == (8000, MONO)
    assert np.abs(heard(recording)).max() == 32256


def test_the_audio_of_a_video(tmp_path: Path, speak: Speak) -> None:
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        picture, sound = container.add_stream("mpeg4", rate=5), container.add_stream("pcm_s16le", rate=8000)
        picture.width = picture.height = 32
        sound.codec_context.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(speak(8000).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 8000, 0
        for n in range(20):
            image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            image.pts = n
            container.mux(picture.encode(image))
        container.mux([*picture.encode(None), *sound.encode(frame), *sound.encode(None)])
    np.testing.assert_array_equal(heard(Recording(tmp_path / "a.mkv")), speak(8000))


def test_names_that_look_like_addresses_are_names(
    tmp_path: Path, speak: Speak, wav: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a.wav", "a b%20c.wav", "通话 1.wav", "http:x.wav", "-i.wav"):
        wav(tmp_path / name, speak(8000), 8000)
        assert len(heard(Recording(name))) == 32_000


# ---------------------------------------------------------------- channels


def test_the_agent_comes_first(tmp_path: Path, speak: Speak, wav: Write) -> None:
    samples = speak(8000)
    path = wav(tmp_path / "a.wav", samples, 8000)
    np.testing.assert_array_equal(heard(Recording(path, "left")), samples)
    np.testing.assert_array_equal(heard(Recording(path, "right")), samples[:, ::-1])


def test_both_sides_on_one_channel_if_asked(tmp_path: Path, wav: Write) -> None:
    samples = np.array([[30_000, 30_000], [-32768, -32768], [100, 201], [0, 7]] * 2000, np.int16)
    recording = Recording(wav(tmp_path / "a.wav", samples, 8000), "mixed")
    assert recording.probe().channels == MONO
    assert heard(recording)[:4, 0].tolist() == [30_000, -32768, 150, 3]


def test_a_mono_file_is_mixed(tmp_path: Path, speak: Speak, wav: Write) -> None:
    recording = Recording(wav(tmp_path / "a.wav", speak(8000)[:, :1], 8000), "right")
    assert recording.probe().channels == MONO and recording.probe().warnings == ()
    np.testing.assert_array_equal(heard(recording), speak(8000)[:, :1])


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 8000),
        ("a.wav", "pcm_alaw", 8000),
        ("a.mp3", "libmp3lame", 44100),
        ("a.ogg", "libopus", 48000),
        ("a.m4a", "aac", 44100),
        ("a.mkv", "aac", 16000),
    ],
)
def test_channels_that_are_the_same_are_one(
    tmp_path: Path, speak: Speak, write_audio: Write, name: str, codec: str, rate: int
) -> None:
    both = speak(rate).sum(axis=1, keepdims=True) // 4  # breathy: coders replace hiss by noise of their own
    hiss = np.random.default_rng(0).normal(0, 3000, both.shape).astype(np.int16)
    recording = Recording(
        write_audio(tmp_path / name, np.repeat((both + hiss).astype(np.int16), 2, axis=1), rate, codec)
    )
    info = recording.probe()
    assert info.same_channels and info.channels == MONO
    assert info.warnings == ("both channels carry the same sound; taken as one mixed channel",)
    assert heard(recording).shape[1] == 1


def test_the_same_at_another_gain_and_with_a_click_is_the_same(tmp_path: Path, speak: Speak, wav: Write) -> None:
    both = speak(8000, 10.0).sum(axis=1)
    samples = np.stack([both, both * 0.93], axis=1).astype(np.int16)
    samples[4000:4800, 0] = 0
    assert Recording(wav(tmp_path / "a.wav", samples, 8000)).probe().same_channels


def test_same_channels_may_be_kept_apart(tmp_path: Path, speak: Speak, wav: Write) -> None:
    path = wav(tmp_path / "a.wav", np.repeat(speak(8000)[:, :1], 2, axis=1), 8000)
    assert Recording(path, detect_same=False).probe().channels == STEREO


def test_parties_that_come_apart_late_are_two(tmp_path: Path, speak: Speak, wav: Write) -> None:
    announcement = np.repeat(speak(8000, 20.0)[:, :1], 2, axis=1)
    info = Recording(wav(tmp_path / "a.wav", np.concatenate([announcement, speak(8000, 4.0)]), 8000)).probe()
    assert info.channels == STEREO and not info.same_channels and info.warnings == ()


def test_a_strong_echo_does_not_make_parties_one(tmp_path: Path, speak: Speak, wav: Write) -> None:
    samples = speak(8000)
    echoing = (samples + samples[:, ::-1] * 0.5).astype(np.int16)
    assert Recording(wav(tmp_path / "a.wav", echoing, 8000)).probe().channels == STEREO


# ---------------------------------------------------------------- chunks


@pytest.mark.parametrize("rate", [8000, 44100])
def test_chunks_of_any_length_hold_the_same(tmp_path: Path, speak: Speak, wav: Write, rate: int) -> None:
    recording = Recording(wav(tmp_path / "a.wav", speak(rate), rate))
    whole = heard(recording)
    for seconds in (0.02, 0.1, 3.0, 99.0):
        chunks = list(recording.chunks(seconds))
        np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), whole)
        rows = round(seconds * recording.probe().rate)
        assert {len(chunk.samples) for chunk in chunks[:-1]} <= {rows} and len(chunks[-1].samples) <= rows


def test_signals_lie_beside(tmp_path: Path, speak: Speak, wav: Write) -> None:
    recording = Recording(wav(tmp_path / "a.wav", speak(8000), 8000))
    assert recording.signals() == []
    (tmp_path / "a.signals.json").write_text('[{"signal": "answered", "at": 1}]')
    assert recording.signals() == [Signal(SignalKind.ANSWERED, 8000)]
    (tmp_path / "a.signals.json").write_text('[{"signal": "answered", "at": 9}]')
    with pytest.raises(SourceError, match=r"only 4\.0 s"):
        recording.signals()


MEMORY = """
import resource, sys
from monitor.sources.recording import Recording
recording = Recording(sys.argv[1])
recording.probe()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(len(chunk.samples) for chunk in recording)
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_an_hour_takes_little_memory(tmp_path: Path, speak: Speak, wav: Write) -> None:
    path = wav(tmp_path / "a.wav", speak(8000), 8000)
    size = 8000 * 4 * 3600
    with path.open("r+b") as file:
        for at, length in ((4, size + 36), (40, size)):
            file.seek(at)
            file.write(length.to_bytes(4, "little"))
        file.truncate(size + 44)
    told = subprocess.run([sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True).stdout
    rows, grown = map(int, told.split())
    assert rows == 8000 * 3600
    assert grown < 20_000  # KiB; the audio is 115 MB


# ---------------------------------------------------------------- bad files


def refused(path: Path, says: str, **options: object) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        Recording(path, **options).probe()  # type: ignore[arg-type]
    assert path.name in str(caught.value) or options


def test_no_such_file(tmp_path: Path) -> None:
    refused(tmp_path / "a.wav", "could not be read.*No such file")


def test_a_folder_or_a_pipe(tmp_path: Path) -> None:
    refused(tmp_path, "not a file; name a recording")
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "not a file")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    refused(tmp_path / "a.wav", "empty; record or copy it again")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", b"RIFF"),
        ("a.wav", b"this is no audio at all, but a letter " * 100),
        ("a.txt", b"hello\n" * 1000),
        ("a.mp3", bytes(5000)),
        ("a.m3u8", b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n"),
        ("a.ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        ("a.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "not a recording we can read.*convert it|no audio in it|header does not tell|no audio")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nsecret.ts\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile secret.ts\n"),
    ],
)
def test_a_playlist_does_not_open_other_files(
    tmp_path: Path, speak: Speak, write_audio: Write, name: str, content: str
) -> None:
    write_audio(tmp_path / "secret.ts", speak(16000), 16000, "aac")
    assert len(heard(Recording(tmp_path / "secret.ts"))) > 60_000  # it could be read
    (tmp_path / name).write_text(content)
    refused(tmp_path / name, "not a recording we can read")


def test_a_picture(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        picture = container.add_stream("mpeg4", rate=5)
        picture.width = picture.height = 32
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux([*picture.encode(image), *picture.encode(None)])
    refused(tmp_path / "a.mkv", "no audio in it; name a recording of a call")


def test_a_header_without_audio(tmp_path: Path, wav: Write) -> None:
    refused(wav(tmp_path / "a.wav", np.zeros((0, 2), np.int16), 8000), "no audio|not a recording")


def test_a_rate_too_low_for_speech(tmp_path: Path, wav: Write) -> None:
    refused(wav(tmp_path / "a.wav", np.ones((5000, 2), np.int16), 5000), "5000 Hz is too low, speech needs 8000 Hz")


def test_three_channels(tmp_path: Path, wav: Write) -> None:
    refused(wav(tmp_path / "a.wav", np.ones((8000, 3), np.int16), 8000), r"3 channels.*ffmpeg -i a\.wav")


def test_an_agent_side_that_is_none(tmp_path: Path) -> None:
    refused(tmp_path / "a.wav", "agent side 'top': use one of left, right, mixed", agent="top")


def test_a_silent_file_is_warned_of(tmp_path: Path, wav: Write) -> None:
    for samples in (np.zeros((16_000, 2), np.int16), np.full((16_000, 2), 8, np.int16)):
        info = Recording(wav(tmp_path / "a.wav", samples, 8000)).probe()
        assert info.warnings == ("the recording is silent from beginning to end",)
        assert info.channels == STEREO  # silence does not show that the channels are the same


@pytest.mark.parametrize(("agent", "who"), [("left", "customer"), ("right", "agent")])
def test_one_silent_side_is_warned_of(tmp_path: Path, speak: Speak, wav: Write, agent: str, who: str) -> None:
    samples = speak(8000)
    samples[:, 1] = 0
    info = Recording(wav(tmp_path / "a.wav", samples, 8000), agent).probe()  # type: ignore[arg-type]
    assert info.warnings == (f"the right channel ({who}) is silent from beginning to end",)
    assert info.channels == STEREO


def test_a_truncated_wav_gives_what_is_there_and_says_so(tmp_path: Path, speak: Speak, wav: Write) -> None:
    path = wav(tmp_path / "a.wav", speak(8000), 8000)
    os.truncate(path, 44 + 4 * 20_000 + 3)  # in the middle of a row
    recording = Recording(path)
    assert recording.probe().warnings == ("the file is truncated: the last 1.5 s are missing",)
    np.testing.assert_array_equal(heard(recording)[:20_000], speak(8000)[:20_000])


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_whose_writer_did_not_know_its_length(tmp_path: Path, speak: Speak, wav: Write, size: int) -> None:
    path = wav(tmp_path / "a.wav", speak(8000), 8000)
    with path.open("r+b") as file:
        file.seek(40)
        file.write(size.to_bytes(4, "little"))
    recording = Recording(path)
    assert recording.probe().warnings == ()
    np.testing.assert_array_equal(heard(recording), speak(8000))


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.mkv", "aac")])
def test_other_truncated_files_say_so_at_their_end(
    tmp_path: Path, speak: Speak, write_audio: Write, name: str, codec: str
) -> None:
    path = write_audio(tmp_path / name, speak(16000, 8.0), 16000, codec)
    os.truncate(path, path.stat().st_size // 2)
    recording = Recording(path)
    found = heard(recording)
    assert 16_000 < len(found) < 110_000
    assert any("truncated" in warning for warning in (*recording.probe().warnings, *recording.late_warnings))


def test_an_m4a_without_its_index_cannot_be_read(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    path = write_audio(tmp_path / "a.m4a", speak(16000), 16000, "aac")
    os.truncate(path, path.stat().st_size // 2)
    refused(path, "not a recording we can read.*truncated")


def test_damage_in_the_middle_is_a_gap(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    path = write_audio(tmp_path / "a.flac", speak(8000, 20.0), 8000, "flac")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)
    recording = Recording(path)
    chunks = list(recording)
    found = np.zeros((recording.position, 2), np.int16)
    for chunk in chunks:
        found[chunk.start : chunk.start + len(chunk.samples)] = chunk.samples
    assert sum(len(chunk.samples) for chunk in chunks) < recording.position == 160_000
    np.testing.assert_array_equal(found[-40_000:], speak(8000, 20.0)[-40_000:])  # what follows is in its place
    assert any("missing inside the file, first at" in warning for warning in recording.late_warnings)


def test_a_rate_that_the_header_itself_contradicts(tmp_path: Path, speak: Speak, wav: Write) -> None:
    path = wav(tmp_path / "a.wav", speak(16000), 16000)
    with path.open("r+b") as file:
        file.seek(24)
        file.write((8000).to_bytes(4, "little"))  # the bytes a second still tell 16000
    refused(path, "header says 8000 Hz, but its 64000 bytes a second make it 16000 Hz; export it again")
    recording = Recording(path, true_rate=16000)
    assert recording.probe().rate == 16000 and recording.probe().seconds == pytest.approx(4.0)
    np.testing.assert_array_equal(heard(recording), speak(16000))


def test_a_rate_that_the_audio_itself_contradicts(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    path = write_audio(tmp_path / "a.flac", speak(16000), 16000, "flac")
    content = bytearray(path.read_bytes())
    word = int.from_bytes(content[18:26], "big")  # 20 bits of rate, 3 of channels, 5 of width, 36 of length
    content[18:26] = ((8000 << 44) | (word & ((1 << 44) - 1))).to_bytes(8, "big")
    path.write_bytes(content)  # each frame still tells 16000
    refused(path, "header says 8000 Hz, but the audio in it 16000 Hz; export it again, or state the true rate")
    recording = Recording(path, true_rate=16000)
    assert recording.probe().rate == 16000
    np.testing.assert_array_equal(heard(recording), speak(16000))


def test_more_audio_than_declared(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    path = write_audio(tmp_path / "a.flac", speak(16000), 16000, "flac")
    content = bytearray(path.read_bytes())
    word = int.from_bytes(content[18:26], "big")
    content[18:26] = ((word >> 36 << 36) | 16_000).to_bytes(8, "big")
    path.write_bytes(content)
    recording = Recording(path)
    np.testing.assert_array_equal(heard(recording), speak(16000))
    assert recording.late_warnings == (
        "the file declares 1.0 s but holds 4.0 s of audio: it was joined from several, or declares a wrong rate",
    )


def test_a_file_that_changes_its_channels_on_the_way(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    one = write_audio(tmp_path / "1.mp3", speak(44100), 44100, "libmp3lame")
    two = write_audio(tmp_path / "2.mp3", speak(44100)[:, :1], 44100, "libmp3lame")
    (tmp_path / "a.mp3").write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(SourceError, match=r"at 4\.0 s it changes from 44100 Hz, 2 channels to 44100 Hz, 1 channels"):
        list(Recording(tmp_path / "a.mp3"))


def test_files_joined_to_one(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    one = write_audio(tmp_path / "1.ogg", speak(48000), 48000, "libopus")
    (tmp_path / "a.ogg").write_bytes(one.read_bytes() * 2)
    recording = Recording(tmp_path / "a.ogg")
    assert len(heard(recording)) == pytest.approx(128_000, abs=500)
    assert any("it was joined from several" in warning for warning in recording.late_warnings)


def test_reading_that_has_to_end_early_says_so(tmp_path: Path, speak: Speak, write_audio: Write) -> None:
    one = write_audio(tmp_path / "1.ogg", speak(48000), 48000, "libopus")
    two = write_audio(tmp_path / "2.ogg", speak(48000)[:, :1], 48000, "libopus")
    (tmp_path / "a.ogg").write_bytes(one.read_bytes() + two.read_bytes())
    recording = Recording(tmp_path / "a.ogg")
    assert len(heard(recording)) == 64_000
    assert any("what follows 4.0 s could not be read" in warning for warning in recording.late_warnings)


def test_a_stated_rate_wins(tmp_path: Path, speak: Speak, wav: Write) -> None:
    recording = Recording(wav(tmp_path / "a.wav", speak(48000), 8000), true_rate=48000)
    assert recording.probe().rate == 16000 and recording.probe().seconds == pytest.approx(4.0)
    assert len(heard(recording)) == 64_000


def test_two_tracks(tmp_path: Path, speak: Speak) -> None:
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        tracks = [container.add_stream("pcm_s16le", rate=8000) for _ in range(2)]
        for track in tracks:
            track.codec_context.layout = "stereo"
        for track in tracks:
            frame = av.AudioFrame.from_ndarray(speak(8000).reshape(1, -1), format="s16", layout="stereo")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux([*track.encode(frame), *track.encode(None)])
    assert Recording(tmp_path / "a.mkv").probe().warnings == ("there are 2 audio tracks; only the first is heard",)
