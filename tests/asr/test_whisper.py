"""The careful ear with the shipped model, on rendered sentences."""

from __future__ import annotations

import importlib
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitor import paths
from monitor.asr.models import ModelError
from monitor.asr.protocol import Engine
from monitor.asr.whisper import Whisper
from monitor.core.types import Hypothesis

RATE = 8000


def text(hypothesis: Hypothesis) -> str:
    assert hypothesis.failed is None, hypothesis.failed
    return "".join(word.text for word in hypothesis.words)


def bare(hypothesis: Hypothesis) -> str:
    return re.sub("[，。？！]", "", text(hypothesis))


def test_it_is_an_engine(whisper):
    assert isinstance(whisper, Engine)
    assert whisper.name == "zh-careful"


def test_it_loads_within_a_second():
    importlib.import_module("faster_whisper")  # counted once for the program, not for the model
    engine = Whisper("zh-careful")
    begin = time.process_time()
    engine.load()
    assert time.process_time() - begin < 1.0


@pytest.mark.parametrize("final", [True, False])
def test_a_sentence_is_recognised_with_its_punctuation(whisper, asking, greeting, final):
    [heard] = whisper.recognise([asking(7, greeting[0], final=final)])
    assert heard.request == 7
    assert text(heard) == "您好，很高兴为您服务，请问有什么可以帮您？"
    assert all(word.confidence > 0.5 for word in heard.words)


def test_characters_are_placed_in_the_call_where_they_were_spoken(whisper, asking, greeting):
    samples, truth = greeting
    start = 16_000
    [heard] = whisper.recognise([asking(0, samples, start=start)])
    wrong = [abs((word.start - start) / RATE - begin) for word, (_, begin, _) in zip(heard.words, truth, strict=True)]
    assert np.median(wrong) < 0.05
    assert max(wrong) < 0.2


def test_words_are_in_order_and_inside_the_request(whisper, asking, greeting):
    request = asking(0, greeting[0][2000:30000], start=123_457)
    [heard] = whisper.recognise([request])
    edges = [edge for word in heard.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert request.start <= edges[0]
    assert edges[-1] <= request.end


def test_16_khz_is_heard_like_8_khz(whisper, asking, greeting):
    soxr = pytest.importorskip("soxr")
    wide = soxr.resample(greeting[0], 8000, 16000)
    [heard] = whisper.recognise([asking(0, wide, rate=16000)])
    assert bare(heard) == "您好很高兴为您服务请问有什么可以帮您"


def test_faint_speech_is_heard_too(whisper, asking, greeting):
    faint = (greeting[0] // 40).astype(np.int16)
    [heard] = whisper.recognise([asking(0, faint)])
    assert bare(heard) == "您好很高兴为您服务请问有什么可以帮您"


def test_input_is_levelled_as_the_card_says(whisper, asking, greeting, monkeypatch):
    monkeypatch.setattr(whisper, "card", whisper.card.model_copy(update={"peak_dbfs": -20.0, "hiss_dbfs": -70.0}))
    quiet_start = np.concatenate([np.zeros(RATE, np.int16), greeting[0]])
    [piece] = whisper._pieces(0, asking(0, quiet_start))
    [louder] = whisper._pieces(0, asking(0, (quiet_start * 2.0).astype(np.int16)))
    assert np.allclose(piece.mel, louder.mel, atol=0.02)  # the level of the line does not matter
    silence = piece.mel[:, : whisper._whisper.frames_per_second // 2]
    assert silence.std() > 0.01  # hiss, not the floor of digital silence


def test_company_in_the_batch_changes_nothing(whisper, asking, greeting, hold):
    requests = [
        asking(0, greeting[0]),
        asking(1, hold[0]),
        asking(2, greeting[0][:20000], final=False),
        asking(3, hold[0][4000:], start=4000),
        asking(4, greeting[0][3000:]),
    ]
    together = whisper.recognise(requests)
    assert [heard.request for heard in together] == [0, 1, 2, 3, 4]
    assert together == [whisper.recognise([request])[0] for request in requests]


def test_only_alike_stretches_share_a_pass(whisper, asking, greeting, hold, monkeypatch):
    groups = []
    hear = whisper._hear

    def note(group):
        groups.append([piece.owner for piece in group])
        return hear(group)

    monkeypatch.setattr(whisper, "_hear", note)
    short, long = hold[0], greeting[0]
    requests = [asking(n, samples) for n, samples in enumerate([long, short, long, short, long, long, long])]
    whisper.recognise([*requests, asking(7, long, final=False)])
    assert groups == [[1, 3], [0, 2, 4, 5], [6], [7]]


def test_long_speech_is_cut_at_quiet_places(whisper, asking, greeting, hold):
    samples = np.concatenate([greeting[0], hold[0]] * 4)
    assert len(samples) / RATE > whisper.card.max_seconds * 2
    [heard] = whisper.recognise([asking(0, samples, start=800)])
    assert bare(heard) == "您好很高兴为您服务请问有什么可以帮您请您稍等我帮您查询一下" * 4
    third = [word for word in heard.words if word.text == "您"][4]
    assert third.start - 800 == pytest.approx(len(greeting[0]) + len(hold[0]) + 0.3 * RATE, abs=0.2 * RATE)


SECOND = np.arange(RATE * 6) / RATE
LINE_SOUNDS = {
    "digital silence": SECOND * 0,
    "hiss": np.random.default_rng(1).standard_normal(len(SECOND)) * 0.02,
    "hum": np.sin(2 * np.pi * 50 * SECOND) * 0.05,
    "dial tone": np.sin(2 * np.pi * 450 * SECOND) * 0.2,
    "ring-back": np.sin(2 * np.pi * 450 * SECOND) * 0.2 * (SECOND % 5 < 1),
    "busy": np.sin(2 * np.pi * 450 * SECOND) * 0.2 * (SECOND % 0.7 < 0.35),
    "key 1": (np.sin(2 * np.pi * 697 * SECOND) + np.sin(2 * np.pi * 1209 * SECOND)) * 0.15 * (SECOND % 0.5 < 0.1),
}


@pytest.mark.parametrize("sound", LINE_SOUNDS)
@pytest.mark.parametrize("final", [True, False])
def test_line_sounds_give_no_words(whisper, asking, sound, final):
    samples = (LINE_SOUNDS[sound] * 32767).astype(np.int16)
    [heard] = whisper.recognise([asking(0, samples, final=final)])
    assert text(heard) == ""


@pytest.mark.parametrize("length", [0, 1, 79, 800])
def test_next_to_nothing_is_no_failure(whisper, asking, length):
    [heard] = whisper.recognise([asking(0, np.ones(length, dtype=np.int16))])
    assert heard.failed is None


def test_a_broken_request_fails_alone(whisper, asking, greeting):
    good = asking(0, greeting[0])
    broken = [
        replace(good, id=1, samples=greeting[0].astype(np.float32)),
        replace(good, id=2, samples=np.stack([greeting[0]] * 2)),
        replace(good, id=3, end=good.end + 5),
        replace(good, id=4, rate=0),
    ]
    heard = whisper.recognise([*broken[:2], good, *broken[2:]])
    assert [answer.request for answer in heard] == [1, 2, 0, 3, 4]
    assert [answer.failed is None for answer in heard] == [False, False, True, False, False]
    assert "float32" in str(heard[0].failed)


def test_a_broken_batch_is_tried_piece_by_piece(whisper, asking, greeting, monkeypatch):
    hear = whisper._hear

    def choke(group):
        if len(group) > 1 or group[0].owner == 1:
            raise RuntimeError("out of memory")
        return hear(group)

    monkeypatch.setattr(whisper, "_hear", choke)
    first, second, third = whisper.recognise([asking(n, greeting[0]) for n in range(3)])
    assert second.failed == "RuntimeError: out of memory"
    assert bare(first) == bare(third) == "您好很高兴为您服务请问有什么可以帮您"


def test_a_model_that_is_not_there_fails_requests_and_loading(asking):
    engine = Whisper("small", pull=False)
    with pytest.raises(ModelError, match="'small' is not on this machine"):
        engine.load()
    [heard] = engine.recognise([asking(0)])
    assert "not on this machine" in str(heard.failed)


def test_a_model_that_does_not_fit_the_loader_is_named(tmp_path: Path, monkeypatch):
    def refuse(*_args, **_options):
        raise RuntimeError("no kernel image")

    monkeypatch.setattr("faster_whisper.WhisperModel", refuse)
    with pytest.raises(ModelError, match=r"zh-careful cannot be loaded: no kernel image.*another compute type"):
        Whisper("zh-careful").load()


def test_a_model_without_a_card_is_heard_in_windows_of_30_seconds(asking, greeting, tmp_path: Path):
    folder = tmp_path / "ordinary"
    shutil.copytree(paths.models_dir() / "zh-careful", folder, ignore=shutil.ignore_patterns("card.json"))
    engine = Whisper(folder)
    [heard] = engine.recognise([asking(0, greeting[0])])
    assert bare(heard) == "您好很高兴为您服务请问有什么可以帮您"
    assert engine.name == "ordinary"
    assert engine._window(200, final=True) == engine._window(200, final=False) == 1500  # of 20 ms


def test_hot_words_are_used_only_where_the_model_understands_them(whisper, greeting, asking):
    engine = Whisper("zh-careful", hot_words=["工号", "查询"])
    engine.load()
    assert engine.recognise([asking(0, greeting[0])]) == whisper.recognise([asking(0, greeting[0])])
    engine.card = engine.card.model_copy(update={"hot_words": True})
    prompt = engine._prompt_tokens()
    assert engine._tokens.decode(prompt) == " 工号，查询"
    assert prompt[-4:] == [*engine._tokens.sot_sequence, engine._tokens.no_timestamps]
