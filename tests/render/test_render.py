from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from monitor.render import dialogue as dialogues
from monitor.render import espeak, files
from monitor.render.dialogue import (
    Answered,
    Dialogue,
    Digits,
    Hangup,
    Hold,
    Item,
    Music,
    Noise,
    Party,
    Ring,
    Say,
    Silence,
)
from monitor.render.render import Rendered, RenderError, render

ROOT = Path(__file__).resolve().parents[2]
AGENT, CUSTOMER = 0, 1
voices = pytest.mark.usefixtures("voices")


def call(*items: Item, **settings: Any) -> Rendered:
    """A call on a line without noise, so that what is there can be measured."""
    return render(Dialogue(items=items, **{"floor": None, **settings}))


def heard(rendered: Rendered, column: int, start: float = 0.0, end: float | None = None) -> tuple[float, float]:
    """First and last moment, in seconds, at which a channel is within 40 dB of its loudest 20 ms between two times.

    Measured with plain windows of 2 ms, by another way than the renderer's own.
    """
    rate, step = rendered.rate, rendered.rate // 500
    first = round(start * rate)
    samples = rendered.samples[first : None if end is None else round(end * rate), column].astype(np.float64)
    count = samples.size // step
    power = np.square(samples[: count * step]).reshape(count, step).mean(axis=1)
    loudest = np.convolve(power, np.ones(10) / 10, "same").max()
    loud = np.flatnonzero(power > loudest * 1e-4)
    return (first + loud[0] * step) / rate, (first + (loud[-1] + 1) * step) / rate


def rms(samples: npt.NDArray[Any]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples / 32768.0))) + 1e-9))


@voices
@pytest.mark.parametrize("rate", [8000, 16000])
def test_stated_times_are_where_the_sound_is(rate: int) -> None:
    rendered = call(
        Say(agent="您好，请问有什么可以帮您？", pause=1.0),
        Say(customer="我想查询余额。", pause=0.7),
        Say(agent="请您提供一下您的订单号。", pause=1.5, pace=280, level=-10),
        Silence(silence=0.5),
        rate=rate,
    )
    spoken = rendered.truth["utterances"]

    assert [said["start"] for said in spoken[:1]] == [1.0]
    assert [round(b["start"] - a["end"], 3) for a, b in pairwise(spoken)] == [0.7, 1.5]
    assert rendered.truth["seconds"] == pytest.approx(len(rendered.samples) / rate, abs=1e-4)
    for said in spoken:
        column = AGENT if said["channel"] == "agent" else CUSTOMER
        first, last = heard(rendered, column, said["start"] - 0.3, said["end"] + 0.3)
        assert first == pytest.approx(said["start"], abs=0.010), said["text"]
        assert last == pytest.approx(said["end"], abs=0.010), said["text"]
        between = rendered.samples[round(said["start"] * rate) : round(said["end"] * rate), 1 - column]
        assert not between.any()


@voices
def test_level_and_pace_of_each_utterance_are_what_was_asked() -> None:
    rendered = call(
        Say(agent="您的订单预计明天上午送达。", pace=185, level=-30),
        Say(agent="您的订单预计明天上午送达。", pace=300, level=-9),
        agent=Party(voice="Annie"),
    )

    for said, pace, level in zip(rendered.truth["utterances"], (185, 300), (-30, -9), strict=True):
        part = rendered.samples[round(said["start"] * 8000) : round(said["end"] * 8000), AGENT]
        assert said["characters"] == 12
        assert 12 * 60 / (said["end"] - said["start"]) == pytest.approx(pace, rel=0.015)
        assert rms(part) == pytest.approx(level, abs=0.6)
        assert said["level"] == pytest.approx(level, abs=0.05)


@voices
def test_overlap_starts_before_the_other_ends() -> None:
    rendered = call(
        Say(customer="我昨天打过电话，你们说三天之内处理，到现在还没有消息。"),
        Say(agent="请您提供一下您的会员编号。", overlap=1.2),
        Say(customer="好的。"),
    )
    first, cut_in, last = rendered.truth["utterances"]

    assert first["end"] - cut_in["start"] == pytest.approx(1.2, abs=0.001)
    assert last["start"] - max(first["end"], cut_in["end"]) == pytest.approx(0.6, abs=0.001)
    both = rendered.samples[round(cut_in["start"] * 8000) : round(first["end"] * 8000)]
    assert rms(both[:, AGENT]) > -35
    assert rms(both[:, CUSTOMER]) > -35


@voices
def test_a_listening_word_within_a_long_turn_moves_nothing() -> None:
    rendered = call(
        Say(customer="我昨天打过电话，你们说三天之内处理，到现在还没有消息。"),
        Say(agent="嗯。", overlap=3.0),
        Say(agent="好的。"),
    )
    story, nod, answer = rendered.truth["utterances"]

    assert story["start"] < nod["start"] < nod["end"] < story["end"]
    assert answer["start"] - story["end"] == pytest.approx(0.6, abs=0.001)


@voices
def test_nobody_speaks_into_himself() -> None:
    with pytest.raises(RenderError, match="item 2: the agent would speak '好的。' into an own utterance"):
        call(Say(agent="请您提供一下您的订单号。"), Say(agent="好的。", overlap=0.5))


@voices
def test_an_utterance_may_stand_at_a_stated_second() -> None:
    rendered = call(Say(agent="好的。", at=4.0))

    assert heard(rendered, AGENT)[0] == pytest.approx(4.0, abs=0.010)


def test_ringing_and_answer_are_signalled() -> None:
    rendered = call(Ring(ring=2, answer=1.5), Silence(silence=1))

    assert rendered.signals == [{"signal": "ringing", "at": 0.0}, {"signal": "answered", "at": 7.5}]
    assert heard(rendered, AGENT) == pytest.approx((0.0, 6.0), abs=0.01)
    assert np.array_equal(rendered.samples[:, AGENT], rendered.samples[:, CUSTOMER])


def test_a_hold_is_signalled_and_plays_on_the_side_it_is_for() -> None:
    rendered = call(Answered(answered=True), Hold(hold=5, music=True, side="customer", pause=1.0), Silence(silence=1))

    assert rendered.signals == [
        {"signal": "answered", "at": 0.0},
        {"signal": "hold", "at": 1.0, "by": "agent"},
        {"signal": "resume", "at": 6.0, "by": "agent"},
    ]
    assert not rendered.samples[:, AGENT].any()
    first, last = heard(rendered, CUSTOMER)
    assert first == pytest.approx(1.0, abs=0.1)
    assert last == pytest.approx(6.0, abs=0.1)
    assert rendered.truth["sounds"][-1] == {"sound": "music", "channel": "customer", "start": 1.0, "end": 6.0}


def test_a_hold_without_signal_is_only_in_the_truth() -> None:
    rendered = call(Hold(hold=5, signal=False))

    assert rendered.signals == []
    assert [sound["sound"] for sound in rendered.truth["sounds"]] == ["hold"]


def test_a_call_without_signals_keeps_its_sounds() -> None:
    rendered = call(Ring(ring=1), Digits(digits="1"), Hangup(hangup="agent"), signals=False)

    assert rendered.signals == []
    assert rendered.samples.any()


@pytest.mark.parametrize("band", ["telephone", "wide"])
def test_keys_are_signalled_where_they_sound(band: str) -> None:
    rendered = call(Digits(digits="19", pause=1.0), Silence(silence=0.5), band=band)

    assert [(s["at"], s["digit"], s["by"]) for s in rendered.signals] == [
        (1.0, "1", "customer"),
        (1.22, "9", "customer"),
    ]
    key = rendered.samples[round(1.22 * 8000) : round(1.34 * 8000), CUSTOMER].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(key * np.hanning(key.size), 8000))
    assert {int(spectrum[:1000].argmax()), int(spectrum[1000:].argmax()) + 1000} <= {
        *range(848, 857),
        *range(1473, 1482),
    }
    assert heard(rendered, CUSTOMER) == pytest.approx((1.0, 1.34), abs=0.012)


def test_a_hangup_ends_the_call_after_its_tail() -> None:
    rendered = call(Answered(answered=True), Hangup(hangup="customer", pause=2.0, tail=1.5, busy=True))

    assert rendered.signals[-1] == {"signal": "hangup", "at": 2.0, "by": "customer"}
    assert len(rendered.samples) == 3.5 * 8000
    assert heard(rendered, AGENT)[0] == pytest.approx(2.0, abs=0.012)
    assert not rendered.samples[:, CUSTOMER].any()


def test_noise_lies_under_what_follows_to_the_end_of_the_call() -> None:
    rendered = call(
        Silence(silence=1),
        Noise(noise="pink", level=-40, side="agent"),
        Music(music="pop", seconds=2, side="customer"),
        Silence(silence=1),
        band="wide",
    )

    assert len(rendered.samples) == 4 * 8000
    assert not rendered.samples[:8000, AGENT].any()
    assert rms(rendered.samples[8000:, AGENT]) == pytest.approx(-40, abs=0.5)


def test_music_behind_does_not_move_what_follows() -> None:
    rendered = call(Music(music="piano", seconds=3, behind=True), Silence(silence=1))

    assert len(rendered.samples) == 8000


def test_the_line_has_its_noise_floor_and_its_coding() -> None:
    plain = render(Dialogue(items=(Silence(silence=2),), floor=-50))
    coded = render(Dialogue(items=(Silence(silence=2),), floor=-50, mulaw=True))

    assert rms(plain.samples) == pytest.approx(-50, abs=0.2)
    assert not np.array_equal(plain.samples[:, AGENT], plain.samples[:, CUSTOMER])
    assert len(np.unique(coded.samples)) < len(np.unique(plain.samples)) / 4
    assert rms(coded.samples) == pytest.approx(-50, abs=0.3)


@voices
def test_the_same_dialogue_gives_the_same_files(tmp_path: Path) -> None:
    dialogue = Dialogue(
        items=(Ring(ring=1), Say(agent="您好，请讲。"), Hold(hold=2, music="pop"), Noise(noise="office"))
    )
    first = files.write(render(dialogue), tmp_path / "a.flac")
    render(Dialogue(items=(Say(customer="我怎么知道。"),)))
    again = files.write(render(dialogue), tmp_path / "b.flac")

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_files_hold_what_was_rendered(tmp_path: Path) -> None:
    rendered = call(Ring(ring=1), Music(music="strings", seconds=2, side="agent"))
    flac, truth, signals = files.write(rendered, tmp_path / "call.flac")

    with av.open(str(flac)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        assert container.streams.audio[0].rate == 8000
    assert np.array_equal(np.concatenate(frames, axis=1).reshape(-1, 2), rendered.samples)
    assert (truth.name, signals.name) == ("call.truth.json", "call.signals.json")
    assert json.loads(truth.read_text(encoding="utf-8")) == rendered.truth
    assert json.loads(signals.read_text(encoding="utf-8")) == rendered.signals


@voices
def test_the_command_renders_a_file_and_says_what_is_wrong(tmp_path: Path) -> None:
    def make(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "scripts" / "make_call"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    path = tmp_path / "call.yaml"
    path.write_text("items: [{agent: 您好。}]", encoding="utf-8")
    done = make(str(path), "-o", str(tmp_path / "out.flac"), "--rate", "16000")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.truth.json").read_text(encoding="utf-8"))["rate"] == 16000

    path.write_text("items: [{agnt: 您好。}]", encoding="utf-8")
    refused = make(str(path))
    assert refused.returncode == 1
    assert "call.yaml:1: items.0: no known item" in refused.stderr


COMMITTED = sorted([*(ROOT / "demo").glob("*.yaml"), *(ROOT / "tests" / "data" / "calls").glob("*.yaml")])


def test_there_are_committed_calls() -> None:
    assert len(COMMITTED) >= 10


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_recordings_are_rendered_from_their_dialogues(path: Path) -> None:
    """The committed recording belongs to the dialogue beside it: same words, same length."""
    dialogue = dialogues.read(path)
    truth = json.loads(path.with_suffix(files.TRUTH).read_text(encoding="utf-8"))
    written = [item.text for item in dialogue.items if isinstance(item, Say)]

    assert sorted(said["text"] for said in truth["utterances"]) == sorted(written)
    assert path.with_suffix(".flac").stat().st_size < 1_000_000
    with av.open(str(path.with_suffix(".flac"))) as container:
        length = sum(frame.samples for frame in container.decode(audio=0))
    assert length == round(truth["seconds"] * truth["rate"])
    assert dialogue.findings.model_dump(mode="json") == truth["findings"]


def test_a_missing_engine_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "_LIBRARIES", ("libnowhere.so.9",))
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)

    with pytest.raises(espeak.EspeakError, match="apt install libespeak-ng1"):
        espeak._library.__wrapped__()
