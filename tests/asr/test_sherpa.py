"""The fast ear, with a tiny random model in each form: what it writes is nonsense, how it writes it is not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitor.asr import sherpa as sherpa_module
from monitor.asr.models import ModelError
from monitor.asr.protocol import Engine
from monitor.asr.sherpa import Sherpa
from monitor.asr.stream import Doubler, Token
from monitor.core.types import AsrRequest, Samples, Word
from tests.asr import tiny

RATE = 8000


@pytest.fixture(scope="session", params=list(tiny.FORMS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.FORMS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def engine(folder: Path) -> Sherpa:
    return Sherpa(folder)


@pytest.fixture
def wenet(tmp_path: Path) -> Path:
    return tiny.wenet_ctc(tmp_path)


def ask(samples: Samples, *, final: bool = True, stream: str = "", start: int = 400, rate: int = RATE) -> AsrRequest:
    from monitor.core.types import Channel

    end = start + len(samples)
    return AsrRequest(5, Channel.AGENT, 1, start, end, final, rate, samples, stream)


def one(engine: Sherpa, request: AsrRequest) -> tuple[Word, ...]:
    (answer,) = engine.recognise([request])
    assert answer.failed is None
    assert answer.committed
    assert answer.request == request.id
    return answer.words


def written(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words)


# ---------------------------------------------------------------- answers


def test_it_is_an_engine(engine):
    assert isinstance(engine, Engine)


def test_every_form_hears_words_in_order_inside_the_request(engine, greeting):
    request = ask(greeting[0])
    words = one(engine, request)
    assert len(words) > 3
    edges = [edge for word in words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert request.start <= edges[0] and edges[-1] <= request.end
    assert all(word.end - word.start <= 0.31 * RATE * len(word.text) for word in words)


@pytest.mark.parametrize("steps", [[2560], [1], [7, 801, 160, 3000], [16000]])
def test_pieces_make_no_difference(engine, greeting, steps):
    """A final is the same to the last number, whatever partial requests came before it."""
    samples = greeting[0][: 3 * RATE + 57]
    whole = one(engine, ask(samples))
    at = 0
    for step in steps * (1 if len(steps) > 1 else 4):
        at = min(at + step, len(samples))
        one(engine, ask(samples[:at], final=False, stream="a/agent/1"))
    assert one(engine, ask(samples, stream="a/agent/1")) == whole


def test_partials_depend_on_their_samples_alone(engine, greeting):
    samples = greeting[0][: 2 * RATE]
    alone = one(engine, ask(samples, final=False))
    for end in range(800, 2 * RATE + 1, 800):
        last = one(engine, ask(samples[:end], final=False, stream="a/agent/1"))
    assert last == alone


def test_words_once_given_stay(engine, greeting):
    samples = greeting[0]
    before = ""
    for end in range(2560, len(samples), 2560):
        now = written(one(engine, ask(samples[:end], final=False, stream="a/agent/1")))
        assert now.startswith(before)
        before = now
    assert written(one(engine, ask(samples, stream="a/agent/1"))).startswith(before)
    assert before


def test_both_rates_are_heard_in_positions_of_the_call(engine, greeting):
    fast = np.repeat(greeting[0], 2)
    words = one(engine, ask(fast, rate=2 * RATE))
    assert len(words) > 3
    assert 0.6 * len(fast) < words[-1].end - 400 <= len(fast)


def test_a_shorter_final_is_heard_anew(engine, greeting):
    """Speech ends before its last partial did: what was heard after the end must not count."""
    samples = greeting[0]
    one(engine, ask(samples[: 3 * RATE], final=False, stream="a/agent/1"))
    cut = samples[: 2 * RATE]
    assert one(engine, ask(cut, stream="a/agent/1")) == one(engine, ask(cut))


def test_streams_do_not_mix(engine, greeting, hold):
    for end in range(1600, 12801, 1600):
        one(engine, ask(greeting[0][:end], final=False, stream="a/agent/1"))
        one(engine, ask(hold[0][:end], final=False, stream="a/customer/1", start=0))
    assert one(engine, ask(greeting[0], stream="a/agent/1")) == one(engine, ask(greeting[0]))
    assert one(engine, ask(hold[0], stream="a/customer/1", start=0)) == one(engine, ask(hold[0], start=0))


# ---------------------------------------------------------------- streams


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Samples handed to the recogniser, a number for each call."""
    counts: list[int] = []
    hand = sherpa_module.stream.Stream._hand

    def count(self: sherpa_module.stream.Stream, samples: Samples) -> None:
        counts.append(len(samples))
        hand(self, samples)

    monkeypatch.setattr(sherpa_module.stream.Stream, "_hand", count)
    yield counts


def test_only_new_samples_are_fed(wenet, greeting, fed):
    engine = Sherpa(wenet)
    one(engine, ask(greeting[0][:8000], final=False, stream="a/agent/1"))
    assert sum(fed) == 8000
    one(engine, ask(greeting[0][:9600], final=False, stream="a/agent/1"))
    assert sum(fed) == 9600
    one(engine, ask(greeting[0][:9600], final=False, stream="a/agent/1"))
    assert sum(fed) == 9600
    one(engine, ask(greeting[0][:9600], final=False, stream="a/agent/1", start=0))  # another segment
    assert sum(fed) == 2 * 9600


def test_a_final_closes_its_stream(wenet, greeting, fed):
    engine = Sherpa(wenet)
    samples = greeting[0][:8000]
    one(engine, ask(samples, final=False, stream="a/agent/1"))
    one(engine, ask(samples, stream="a/agent/1"))
    tail = math.ceil(engine.card.tail_seconds / 0.02) * 160
    assert sum(fed) == 8000 + tail
    one(engine, ask(samples, final=False, stream="a/agent/1"))
    assert sum(fed) == 2 * 8000 + tail


def test_the_stream_not_used_for_longest_goes_first(wenet, greeting, fed):
    engine = Sherpa(wenet, most_streams=2)
    for stream in ("one", "two", "one", "three"):
        one(engine, ask(greeting[0][:1600], final=False, stream=stream))
    fed.clear()
    one(engine, ask(greeting[0][:1760], final=False, stream="one"))
    assert sum(fed) == 160
    one(engine, ask(greeting[0][:1760], final=False, stream="two"))
    assert sum(fed) == 160 + 1760


# ---------------------------------------------------------------- guards


def test_nothing_has_no_words(engine):
    assert one(engine, ask(np.zeros(0, np.int16))) == ()


def test_few_words_in_a_tone_are_not_believed(wenet, monkeypatch):
    tone = (8000 * np.sin(2 * np.pi * 450 / RATE * np.arange(2 * RATE))).astype(np.int16)
    engine = Sherpa(wenet)
    said = [Token("嗯", 0.4, 1.0), Token("嗯", 1.2, 1.0)]
    monkeypatch.setattr(sherpa_module.stream.Stream, "tokens", lambda self: said)
    assert one(engine, ask(tone)) == ()


def test_loops_are_doubted_and_kept(wenet, greeting, monkeypatch):
    engine = Sherpa(wenet)
    said = [Token("好", 0.2 * n, 0.9) for n in range(20)]
    monkeypatch.setattr(sherpa_module.stream.Stream, "tokens", lambda self: said)
    words = one(engine, ask(greeting[0]))
    assert len(words) == 20
    assert {word.confidence for word in words} == {0.3}


def test_times_are_moved_by_what_the_card_says(wenet, greeting, monkeypatch):
    (wenet / "card.json").write_text('{"start_bias_seconds": 0.25}', encoding="utf-8")
    engine = Sherpa(wenet)
    engine.load()
    char, start, _ = greeting[1][4]
    monkeypatch.setattr(sherpa_module.stream.Stream, "tokens", lambda self: [Token(char, start + 0.25, 1.0)])
    (word,) = one(engine, ask(greeting[0], start=0))
    assert abs(word.start / RATE - start) < 0.05
    assert 0.04 <= (word.end - word.start) / RATE <= 0.3


def test_it_never_raises(wenet, greeting, tmp_path):
    engine = Sherpa(wenet)
    good = ask(greeting[0][:8000])
    bad = [
        replace(good, samples=greeting[0][:80]),
        replace(good, samples=greeting[0][:8000].astype(np.float32)),
        replace(good, rate=11025),
    ]
    answers = engine.recognise([bad[0], good, *bad[1:]])
    assert [answer.failed is None for answer in answers] == [False, True, False, False]
    assert "11025" in (answers[3].failed or "")
    (missing,) = Sherpa(tmp_path / "nowhere").recognise([good])
    assert "no model folder" in (missing.failed or "")


# ---------------------------------------------------------------- loading


def test_a_broken_model_is_a_model_error(wenet):
    file = wenet / "model.int8.onnx"
    file.write_bytes(file.read_bytes().replace(b"MatMul", b"MatMud"))
    with pytest.raises(ModelError, match=r"cannot be loaded.*Pull it again"):
        Sherpa(wenet).load()


def test_a_whisper_model_is_refused_by_name():
    with pytest.raises(ModelError, match=r"holds a Whisper model.*name it as the careful ear"):
        Sherpa("zh-careful").load()


def test_transducers_favour_the_hot_words_they_can_spell(tmp_path, greeting):
    engine = Sherpa(tiny.transducer(tmp_path), hot_words=["再等", "燃气", "再等"])
    (answer,) = engine.recognise([ask(greeting[0][: 2 * RATE])])
    assert engine.hot_words == ("再等",)
    plain = one(Sherpa(tmp_path), ask(greeting[0][: 2 * RATE]))
    assert written(answer.words).count("再等") > written(plain).count("再等")
    assert not answer.committed  # the search may still prefer another reading of what was said before


def test_other_models_know_no_hot_words(wenet):
    engine = Sherpa(wenet, hot_words=["您好"])
    engine.load()
    assert engine.hot_words == ()


def test_confidence_comes_from_the_model(tmp_path, greeting):
    words = one(Sherpa(tiny.transducer(tmp_path)), ask(greeting[0][:RATE]))
    assert all(0.0 < word.confidence < 1.0 for word in words)


# ---------------------------------------------------------------- the rate


def test_doubling_the_rate_keeps_the_voice_and_adds_nothing():
    time = np.arange(4000) / RATE
    voice = (9000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    doubled = Doubler().feed(voice)
    spectrum = np.abs(np.fft.rfft(doubled[1000:] * np.hanning(len(doubled) - 1000)))
    frequency = np.fft.rfftfreq(len(doubled) - 1000, 1 / (2 * RATE))
    assert abs(frequency[spectrum.argmax()] - 1000) < 5
    assert spectrum[frequency > 4500].max() < 1e-3 * spectrum.max()
    assert abs(float(np.abs(doubled[1000:]).max()) - 9000 / 32768) < 0.003


def test_doubling_is_the_same_in_pieces():
    samples = np.random.default_rng(1).integers(-20000, 20000, 1000).astype(np.int16)
    pieces = Doubler()
    parts = [pieces.feed(samples[start : start + 37]) for start in range(0, 1000, 37)]
    assert np.array_equal(np.concatenate(parts), Doubler().feed(samples))
