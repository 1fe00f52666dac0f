from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from monitor.asr.card import Card
from monitor.asr.scripted import Scripted
from monitor.bench import ears_material
from monitor.bench.ears_hear import Clip, Clock, Meter, alone, hear, listen, listen_to_clip, together
from monitor.bench.ears_material import clips, opening, people
from monitor.bench.ears_score import Char
from monitor.bench.gauge import Plan
from monitor.bench.material import Material, demo_call
from monitor.core.types import AsrRequest, Channel, Word
from monitor.render.files import write_flac
from monitor.render.truth import Said
from monitor.sources.errors import SourceError
from tests.bench.hearers import Streamed, knowing


@pytest.fixture(scope="module")
def talk() -> Material:
    return opening(demo_call("2-fast-loud"), 12.0)


def request(start: float, end: float, *, final: bool = True, stream: str = "a") -> AsrRequest:
    samples = np.zeros(round((end - start) * 8000), np.int16)
    first = round(start * 8000)
    return AsrRequest(1, Channel.AGENT, 1, first, first + len(samples), final, 8000, samples, stream)


def test_a_perfect_ear_has_no_errors_and_a_late_commit(talk: Material) -> None:
    figures = hear([talk], knowing(talk))
    assert figures["cer"] == figures["syllable_error"] == 0
    assert figures["characters"] == sum(len(said.spoken) for said in talk.said)
    assert figures["start_off_ms"] < 1
    assert figures["commit_s"] > figures["told_s"] > 0.2
    assert figures["partials"] > figures["finals"] > 0
    assert figures["passes_a_second"] > 0


def test_what_a_streaming_ear_says_is_said_for_good(talk: Material) -> None:
    figures = hear([talk], knowing(talk, streaming=True))
    assert figures["cer"] == 0
    assert figures["commit_s"] == figures["told_s"]
    assert figures["commit_p95_s"] < 0.8
    assert figures["encoded_a_second"] < 1.5, "new audio only"


def test_finals_only_are_told_with_the_finals(talk: Material) -> None:
    figures = hear([talk], knowing(talk), partial_every=0.0)
    assert figures["partials"] == 0
    assert figures["commit_s"] == figures["told_s"] > 1


def test_both_ears_tell_early_and_the_careful_one_decides(talk: Material) -> None:
    right, deaf = knowing(talk, streaming=True).meters[0], Meter(Scripted({}))
    both = together(right, deaf)
    figures = hear([talk], both)
    assert figures["cer"] == 1.0, "what the careful ear does not hear is not written"
    assert figures["told_p95_s"] < 0.8
    assert figures["finals"] == 2 * deaf.finals
    assert deaf.partials == 0


def test_the_words_of_a_call_are_kept_by_channel(talk: Material) -> None:
    listened = listen(talk, knowing(talk))
    for channel in (Channel.AGENT, Channel.CUSTOMER):
        said = "".join(char for one in talk.said if one.channel == channel for char, _ in one.spoken)
        assert "".join(char.text for char in listened.final[channel]) == said.replace("幺", "一")
    assert all(one.settled for one in listened.settled)


def test_a_mixed_line_is_one_text() -> None:
    call = demo_call("2-fast-loud").part(2.5, 8.0)
    words = [word for found in knowing(call).meters[0].engine.words.values() for word in found]  # type: ignore[attr-defined]
    mixed = Material(call.name, call.rate, call.samples[:, :1], call.signals, call.said)
    figures = hear([mixed], alone(Meter(Scripted({Channel.MIXED: sorted(words, key=lambda word: word.start)}))))
    assert figures["characters"] == sum(len(said.spoken) for said in call.said)


def test_a_clip_is_one_segment() -> None:
    clip = Clip("c", 16000, np.zeros(16000, np.int16), (Char("您", 0.0, 0.4), Char("好", 0.4, 0.9)))
    engine = Streamed({Channel.MIXED: [Word("您", 0, 6400), Word("好", 6400, 14400)]})
    listened = listen_to_clip(clip, alone(Meter(engine, streaming=True)))
    assert [one.final for one in engine.asked] == [False, False, False, True]
    assert "".join(char.text for char in listened.final[Channel.MIXED]) == "您好"
    assert listened.early[Channel.MIXED][0].at == pytest.approx(0.32, abs=0.01)


def test_passes_wait_for_one_another() -> None:
    clock = Clock()
    clock.now = 1.0
    assert (clock.spend(0.5), clock.spend(0.5)) == (1.5, 2.0)
    clock.now = 5.0
    assert clock.spend(0.5) == 5.5


def test_encoded_seconds_are_windows_or_what_is_new() -> None:
    class Carded(Scripted):
        card = Card(max_seconds=10, real_length_windows=True, final_tail_seconds=1.0, partial_tail_seconds=0.5)

    real, padded, streaming = Carded({}), Carded({}), Meter(Scripted({}), streaming=True)
    padded.card = Card(max_seconds=10)
    for engine, first, second in ((real, 4.0, 24.0), (padded, 30.0, 90.0)):
        meter = Meter(engine)
        meter.recognise([request(0, 2.5)])
        assert meter.encoded == first
        meter.recognise([request(0, 21.0)])
        assert meter.encoded - first == second, "three pieces"
    streaming.recognise([request(0, 1.0, final=False), request(0, 1.5), request(0, 0.5, stream="b")])
    assert streaming.encoded == 2.0


def test_an_opening_ends_between_utterances() -> None:
    said = (Said("agent", "您", 1.0, 2.0, (("您", 1.0),)), Said("customer", "好", 3.0, 4.0, (("好", 3.0),)))
    call = Material("m", 8000, np.zeros((8000 * 6, 2), np.int16), (), said)
    assert opening(call, 0.5).seconds == 2.5
    assert opening(call, 2.5).seconds == 5.0
    assert opening(call, 9.0) is call


def _shard(folder: Path, **more: object) -> None:
    np.save(folder / "000.wav.npy", np.arange(300, dtype=np.int16))
    labels = [[["您", 0.0, 0.1, 0], ["，", 0.1, 0.1, 0]], [["幺", 0.0, 0.1, 0]]]
    content = {"labels": labels, "lengths_wav": [100, 200], **more}
    (folder / "000.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_set_is_read_without_the_programs_that_made_it(tmp_path: Path) -> None:
    _shard(tmp_path)
    (tmp_path / "notes.json").write_text("[]", encoding="utf-8")
    one, other = clips(tmp_path)
    assert (one.samples[0], len(one.samples), other.samples[0], len(other.samples)) == (0, 100, 100, 200)
    assert [char.text for char in (*one.chars, *other.chars)] == ["您", "一"]


def test_a_set_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no evaluation set"):
        clips(tmp_path)
    _shard(tmp_path, lengths_wav=[100, 100])
    with pytest.raises(SourceError, match="not whole"):
        clips(tmp_path)
    (tmp_path / "000.json").write_text(json.dumps({"labels": []}), encoding="utf-8")
    with pytest.raises(SourceError, match="no sound"):
        clips(tmp_path)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_people_are_read_at_either_rate(tmp_path: Path, rate: int) -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, (16000, 1)).astype(np.int16)
    write_flac(tmp_path / "a.flac", noise, 16000)
    (tmp_path / "MANIFEST.tsv").write_text("file\tseconds\ttranscript\na.flac\t1\t您好。\n", encoding="utf-8")
    (clip,) = people(tmp_path, rate)
    assert (clip.rate, len(clip.samples)) == (rate, rate)
    assert "".join(char.text for char in clip.chars) == "您好"


def test_people_without_a_list_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no MANIFEST"):
        people(tmp_path, 8000)
    (tmp_path / "MANIFEST.tsv").write_text("file\ttext\n", encoding="utf-8")
    with pytest.raises(SourceError, match="lacks the columns"):
        people(tmp_path, 8000)


def test_a_call_without_truth_is_told(tmp_path: Path) -> None:
    write_flac(tmp_path / "a.flac", np.zeros((8000, 2), np.int16), 8000)
    with pytest.raises(SourceError, match=r"a\.truth\.json"):
        ears_material.calls(Plan(calls=(tmp_path / "a.flac",)))
