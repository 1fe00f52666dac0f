"""The configuration: every default holds, every mistake is told with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Config, default_file, load_config
from monitor.core.types import MONO, STEREO
from monitor.yamlfile import YamlError


def load(folder: Path, text: str) -> Config:
    path = folder / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_the_shipped_file_says_what_applies_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    assert load_config() == Config()
    assert default_file().name == "monitor.yaml"


def test_an_empty_file_is_a_valid_one(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Config()


def test_another_file_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, "agent: right\n")
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "monitor.yaml"))
    assert load_config().agent == "right"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("pakcs: []\n", ":1: pakcs", "unknown key"),
        ("agent: top\n", ":1: agent", "'left' or 'right'"),
        ("\nvoice:\n  hangover: 3\n", ":3: voice.hangover", "less than or equal to 1"),
        ("voice: {aggressiveness: 4}\n", ":1: voice.aggressiveness", "(found 4)"),
        ("recogniser: {model: small}\n", ":1: recogniser.model", "unknown key"),
        ("recogniser: {patience: 0}\n", ":1: recogniser.patience", "greater than or equal to 1"),
        ("recogniser: {longest: 60}\n", ":1: recogniser.longest", "less than or equal to 28"),
        ("server:\n  port: 99999\n", ":2: server.port", "less than or equal to 65535"),
        ("server:\n  token: abc\n", ":2: server.token", "at least 16 characters"),
        ("live:\n  linger: -1\n", ":2: live.linger", "greater than or equal to 0"),
        ("live: yes please\n", ":1: live", "(found 'yes please')"),
        ("server: {host: 1, host: 2}\n", ":1: yaml", "duplicate key"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, where: str, words: str) -> None:
    with pytest.raises(YamlError) as error:
        load(tmp_path, text)
    (found,) = error.value.problems
    assert f"{found.file}:{found.line}: {found.field}".endswith(f"monitor.yaml{where}")
    assert words in found.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match="cannot be read"):
        load_config(tmp_path / "gone.yaml")


def test_where_data_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATA", str(tmp_path))
    assert Config().data_dir == tmp_path
    assert load(tmp_path, "data: ~/calls\n").data_dir == Path.home() / "calls"


def test_what_a_call_begins_with(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "voice: {aggressiveness: 3, hangover: 0.5}\nrecogniser: {partial_every: 1.5, longest: 20}\n",
    )
    setup = config.setup(16000, STEREO, (), direction="outbound", queue="vip", signalled=True, recognise=True)
    assert (setup.rate, setup.channels, setup.direction, setup.queue) == (16000, STEREO, "outbound", "vip")
    assert (setup.signalled, setup.recognise) == (True, True)
    assert (setup.sound.voice.mode, setup.sound.voice.hangover) == (3, 0.5)
    assert config.hearing == {"partial_every": 1.5, "longest": 20}
    assert (setup.transcript.partial_every, setup.transcript.first_partial, setup.transcript.longest) == (1.5, 1.5, 20)
    assert config.setup(8000, MONO, ()).recognise is False
    before = config.setup(8000, MONO, (), hearing={"partial_every": 0.4, "longest": 9}).transcript
    assert (before.partial_every, before.first_partial, before.longest) == (0.4, 0.4, 9)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0.32),
        ("recogniser: {careful: null}", 0.32),
        ("recogniser: {fast: null}", 0.7),
        ("recogniser: {fast: null, partial_every: 0.5}", 0.5),
        ("recogniser: {partial_every: 0}", 0.0),
    ],
)
def test_early_looks_are_as_often_as_suits_the_ears(tmp_path: Path, text: str, seconds: float) -> None:
    setup = load(tmp_path, text).setup(8000, MONO, ())
    assert (setup.transcript.partial_every, setup.transcript.first_partial) == (seconds, seconds)
