"""``monitor replay``: bad files and bad options are told in words that help."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from monitor.audit.report import CallFacts, build_report
from monitor.cli.replay import print_timeline
from monitor.core.types import Alert, AlertState, Channel, Outcome, Review, Severity, Verdict
from tests.cli.files import done, murmur, pack, refused, wav

CALLS = Path(__file__).resolve().parents[1] / "data" / "calls"
NO_WORDS = ("--model", "none")


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """Four seconds of two channels."""
    return wav(tmp_path / "call.wav", murmur(4, 2))


# ---------------------------------------------------------------- files


def test_files_that_are_no_recordings(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("this is no sound\n" * 50)
    empty = tmp_path / "empty.wav"
    empty.touch()
    header = wav(tmp_path / "header.wav", murmur(0, 2))
    cases = {
        text: ("not a recording we can read", "convert it"),
        empty: ("the file is empty", "copy it again"),
        header: ("no audio", "copy it again"),
        tmp_path / "none.wav": ("No such file", "check its name"),
        tmp_path: ("not a file", "name a recording"),
    }
    for file, words in cases.items():
        told = refused("replay", file, *NO_WORDS)
        for part in (str(file), *words):
            assert part in told


def test_three_channels(tmp_path: Path) -> None:
    told = refused("replay", wav(tmp_path / "three.wav", murmur(1, 3)), *NO_WORDS)
    assert "three.wav: 3 channels" in told
    assert "ffmpeg -i three.wav" in told


def test_a_rate_too_low_for_speech(tmp_path: Path) -> None:
    told = refused("replay", wav(tmp_path / "low.wav", murmur(1, 2, 5000), 5000), *NO_WORDS)
    assert "5000 Hz is too low" in told
    assert "8000 Hz or more" in told


def test_a_truncated_file_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    file = wav(tmp_path / "cut.wav", murmur(6, 2))
    file.write_bytes(file.read_bytes()[:-32001])
    told = done("replay", file, *NO_WORDS, "--out", tmp_path)
    assert "truncated: the last 1.0 s are missing" in told
    report = json.loads((tmp_path / "cut.report.json").read_text(encoding="utf-8"))
    assert report["call"]["seconds"] == pytest.approx(5, abs=0.01)


def test_a_silent_file_is_told(tmp_path: Path) -> None:
    told = done("replay", wav(tmp_path / "silent.wav", np.zeros((16000, 2))), *NO_WORDS)
    assert "silent from beginning to end" in told


def test_one_channel_is_taken_as_mixed(tmp_path: Path) -> None:
    file = wav(tmp_path / "mono.wav", murmur(3, 1))
    done("replay", file, *NO_WORDS, "--out", tmp_path)
    report = json.loads((tmp_path / "mono.report.json").read_text(encoding="utf-8"))
    assert report["call"]["channels"] == ["mixed"]
    assert report["metrics"]["overlap"]["quality"] == "unknown"
    interruption = [v["outcome"] for v in report["verdicts"] if v["rule"].endswith("no-interrupting")]
    assert interruption == ["cannot_tell"]


def test_identical_channels_are_taken_as_one(tmp_path: Path) -> None:
    one = murmur(3, 1)
    told = done("replay", wav(tmp_path / "same.wav", np.hstack([one, one])), *NO_WORDS)
    assert "both channels carry the same sound; taken as one mixed channel" in told
    assert ", mixed," in told


def test_one_bad_file_among_good_ones_is_named(call: Path, tmp_path: Path) -> None:
    assert str(tmp_path / "none.wav") in refused("replay", call, tmp_path / "none.wav", *NO_WORDS)


# ---------------------------------------------------------------- options


def test_unknown_packs(call: Path, tmp_path: Path) -> None:
    told = refused("replay", call, *NO_WORDS, "--pack", "gas-hotlin")
    assert "gas-hotlin" in told
    assert "choose one of" in told
    assert "gas-hotline," in told
    assert str(tmp_path / "none.yaml") in refused("replay", call, *NO_WORDS, "--pack", tmp_path / "none.yaml")


def test_a_pack_of_ones_own(call: Path, tmp_path: Path) -> None:
    done("replay", call, *NO_WORDS, "--pack", pack(tmp_path / "tiny.yaml"), "--out", tmp_path)
    report = json.loads((tmp_path / "call.report.json").read_text(encoding="utf-8"))
    assert report["call"]["packs"] == ["tiny"]
    assert {verdict["rule"] for verdict in report["verdicts"]} == {"tiny/greet"}


@pytest.mark.parametrize("model", ["no-such-model", "{folder}", "{folder}/none"])
def test_a_model_that_is_none_is_told_before_the_work(call: Path, tmp_path: Path, model: str) -> None:
    named = model.format(folder=tmp_path)
    told = refused("replay", call, "--model", named)
    assert named in told
    assert "Give a folder" in told or "Check the path" in told
    assert "verdicts" not in told


@pytest.mark.parametrize(
    ("review", "words"),
    [
        (None, ""),
        ("unheard_by_fast", "(for review: heard by the careful ear only)"),
        ("unheard_by_careful", "(for review: heard by the fast ear only)"),
        ("fast_ear_only", "(for review: words of the fast ear only)"),
    ],
)
def test_the_timeline_says_what_is_for_review(
    review: str | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = CallFacts("c", "c.wav", 8000, 80_000, (Channel.AGENT,), ("p",), "zh", "1")
    message = {"zh": "不知道", "en": "brushed off"}
    why = None if review is None else Review(review)
    alert = Alert("p/r", 1, Severity.NOTE, AlertState.CONFIRMED, Channel.AGENT, 0, 8000, 0, 8000, message, review=why)
    report = build_report(facts, [alert, Verdict("p/r", 1, Outcome.BROKEN, 0, review=why)])
    assert [found["review"] for found in (*report["alerts"], *report["verdicts"])] == [review, review]
    print_timeline(report)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "p/r" in line]
    assert line.split("不知道")[1].strip() == words


def test_one_model_alone_and_two_ears_are_not_asked_for_at_once(call: Path) -> None:
    for option in ("--fast", "--careful"):
        assert "leave it out, or leave out" in refused("replay", call, *NO_WORDS, option, "zh-careful")


@pytest.mark.parametrize("options", [("--fast", "no-such-ear"), ("--careful", "no-such-ear")])
def test_an_ear_that_is_none_is_told_before_the_work(call: Path, options: tuple[str, str]) -> None:
    told = refused("replay", call, *options)
    assert "no-such-ear" in told or "zh-fast" in told  # whichever ear is missing first
    assert "verdicts" not in told


def test_without_any_ear_words_are_not_judged(tmp_path: Path) -> None:
    done("replay", CALLS / "short.flac", "--fast", "none", "--careful", "none", "--out", tmp_path)
    assert json.loads((tmp_path / "short.report.json").read_text(encoding="utf-8"))["call"]["model"] is None


def test_without_a_model_words_are_not_judged(tmp_path: Path) -> None:
    done("replay", CALLS / "short.flac", *NO_WORDS, "--out", tmp_path)
    report = json.loads((tmp_path / "short.report.json").read_text(encoding="utf-8"))
    assert report["call"]["model"] is None
    assert report["transcript"] == []
    greeting = next(v for v in report["verdicts"] if v["rule"].endswith("inbound-greeting"))
    assert (greeting["outcome"], greeting["reason"]) == ("cannot_tell", "no_recogniser")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--agent", "middle", "left, right, mixed"),
        ("--direction", "sideways", "inbound, outbound"),
        ("--speed", "fast", "use max, or a number"),
        ("--speed", "0", "use max, or a number"),
        ("--speed", "1000", "use max, or a number"),
        ("--speed", "1.0", "needs --server"),
        ("--server", "ftp://here", "http://host:port"),
    ],
)
def test_impossible_options(call: Path, option: str, value: str, words: str) -> None:
    told = refused("replay", call, *NO_WORDS, option, value)
    assert words in told
    assert option in told or value in told


def test_the_agent_may_be_on_the_right(tmp_path: Path) -> None:
    talk: dict[str, list[str]] = {}
    for side in ("left", "right"):
        done("replay", CALLS / "short.flac", *NO_WORDS, "--agent", side, "--out", tmp_path / side)
        report = json.loads((tmp_path / side / "short.report.json").read_text(encoding="utf-8"))
        talk[side] = [turn["channel"] for turn in report["turns"]]
    other = {"agent": "customer", "customer": "agent"}
    assert talk["right"] == [other[channel] for channel in talk["left"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ('{"signal": "hold"}', "expected a list"),
        ('[{"signal": "rang", "at": 1}]', "use one of ringing, answered"),
        ('[{"signal": "hold", "at": 99}]', "only 4.0 s"),
        ('[{"signal": "hold", "at": -1}]', "-1"),
        ('[{"signal": "hold", "at": 1, "who": "agent"}]', "unknown field 'who'"),
        ('[{"signal": "hold", "at": 1, "by": "boss"}]', "boss"),
        ('[{"signal": "hold"}]', "at"),
    ],
)
def test_bad_signals(call: Path, tmp_path: Path, text: str, words: str) -> None:
    given = tmp_path / "given.json"
    given.write_text(text, encoding="utf-8")
    told = refused("replay", call, *NO_WORDS, "--signals", given)
    assert str(given) in told
    assert words in told
    beside = tmp_path / "call.signals.json"
    shutil.copy(given, beside)
    assert str(beside) in refused("replay", call, *NO_WORDS)


def test_signals_that_are_missing_or_for_several_files(call: Path, tmp_path: Path) -> None:
    assert str(tmp_path / "no.json") in refused("replay", call, *NO_WORDS, "--signals", tmp_path / "no.json")
    assert "one recording" in refused("replay", call, call, *NO_WORDS, "--signals", tmp_path / "no.json")


def test_a_folder_that_cannot_be_made_is_told_before_the_work(call: Path) -> None:
    told = refused("replay", call, *NO_WORDS, "--out", call)
    assert str(call) in told
    assert "--out" in told
    assert "verdicts" not in told


def test_a_configuration_with_a_fault_is_told_with_its_line(call: Path, tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_text("packs: [gas-hotline]\nvoice:\n  agressiveness: 2\n", encoding="utf-8")
    told = refused("replay", call, *NO_WORDS, "--config", config)
    assert f"{config}:3: voice.agressiveness: unknown key" in told
    assert str(tmp_path / "no.yaml") in refused("replay", call, *NO_WORDS, "--config", tmp_path / "no.yaml")
