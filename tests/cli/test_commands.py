"""The other commands: each says what is wrong, and with what."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import typer

from monitor.cli import app
from monitor.compose import hold
from monitor.core.types import STEREO, Gap
from monitor.live.journal import Journal
from tests.cli.files import done, pack, refused, run


def commands() -> list[tuple[str, ...]]:
    """Every command and every group."""
    found: list[tuple[str, ...]] = [()]

    def walk(command: Any, path: tuple[str, ...]) -> None:
        for name, sub in getattr(command, "commands", {}).items():
            found.append((*path, name))
            walk(sub, (*path, name))

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    told = done(*command, "--help")
    assert "Usage:" in told
    assert len(told) > 60


def test_there_are_the_commands_that_the_manual_names() -> None:
    names = {" ".join(command) for command in commands()}
    wanted = {"demo", "serve", "replay", "live", "devices", "rules", "models", "journal", "bench"}
    wanted |= {"rules check", "rules list", "journal verify", "journal replay"}
    wanted |= {"models list", "models pull", "models path", "models check"}
    assert wanted <= names


def test_a_command_that_there_is_not() -> None:
    assert "reply" in refused("reply")


# ---------------------------------------------------------------- rules


def test_good_packs(tmp_path: Path) -> None:
    assert "tiny: 1 rules, 1 phrases" in done("rules", "check", pack(tmp_path / "tiny.yaml"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"more": "    sevrity: note"}, ("sevrity", "unknown key")),
        ({"phrase": '"…"'}, ("hello",)),
        ({"within": -2}, ("within",)),
        ({"within": "soon"}, ("within",)),
        ({"more": "  - id: greet"}, ("form",)),
        ({"id": "Not An Id"}, ("pack",)),
        ({"more": "    then: {says: nothing, by: agent}"}, ("then",)),
        ({"more": "  - {"}, (":",)),
    ],
)
def test_bad_packs_are_told_with_file_line_and_field(
    tmp_path: Path, fields: dict[str, Any], words: tuple[str, ...]
) -> None:
    file = pack(tmp_path / "bad.yaml", **fields)
    told = refused("rules", "check", file)
    line = told.split(f"{file}:")[1].split(":")[0]
    assert 1 <= int(line) <= len(file.read_text(encoding="utf-8").splitlines()) + 1
    for word in words:
        assert word in told


def test_all_bad_packs_are_told(tmp_path: Path) -> None:
    good = pack(tmp_path / "good.yaml")
    bad = [pack(tmp_path / f"bad{n}.yaml", within=-n) for n in (1, 2)]
    told = refused("rules", "check", bad[0], good, bad[1], tmp_path / "none.yaml")
    for file in (*bad, good, tmp_path / "none.yaml"):
        assert str(file) in told


def test_rules_are_listed(tmp_path: Path) -> None:
    shipped = done("rules", "list")
    assert "gas-hotline/inbound-greeting" in shipped
    assert "tiny/greet" in done("rules", "list", pack(tmp_path / "tiny.yaml"))
    assert "choose one of" in refused("rules", "list", "none-such")


# ---------------------------------------------------------------- models


def test_models_are_listed_checked_and_found() -> None:
    assert "zh-careful" in done("models", "list")
    folder = Path(done("models", "path", "zh-careful"))
    assert (folder / "model.bin").is_file()
    assert "whole" in done("models", "check", "zh-careful")
    assert "whole" in done("models", "check", folder)


def test_models_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    for command in ("check", "path"):
        assert "no-such-model" in refused("models", command, "no-such-model")
    told = refused("models", "check", tmp_path)
    assert f"{tmp_path}/model.bin is damaged" in told
    (tmp_path / "model.bin").unlink()
    assert f"{tmp_path} is no model" in refused("models", "check", tmp_path)


# ---------------------------------------------------------------- journal


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A short journal; no recording beside it."""
    path = tmp_path / "call.jsonl"
    request = {"call": "call", "started": "2026-01-01T00:00:00+00:00", "rate": 8000, "agent": "王芳"}
    request |= {"channels": [channel.value for channel in STEREO], "direction": "inbound", "packs": ["gas-hotline"]}
    made = Journal.create(path, {**request, "model": "", "version": "test", "source": "test"})
    for n in range(5):
        made.event(Gap(n * 100, n * 100 + 50), n * 100)
    made.close()
    return path


def test_a_whole_journal(journal: Path) -> None:
    assert "whole, 6 lines" in done("journal", "verify", journal)


@pytest.mark.parametrize("line", [0, 2, 4])
def test_a_changed_line_is_found(journal: Path, line: int) -> None:
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    entry = json.loads(lines[line])
    entry["at"] += 1
    lines[line] = json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
    journal.write_text("".join(lines), encoding="utf-8")
    told = refused("journal", "verify", journal)
    assert f"{journal}: BROKEN" in told
    assert f"line {line + 1}" in told, "the next line does not follow"


def test_a_line_taken_out_is_found(journal: Path) -> None:
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text("".join(lines[:2] + lines[3:]), encoding="utf-8")
    assert "BROKEN" in refused("journal", "verify", journal)
    assert str(journal) in refused("journal", "replay", journal)


def test_one_broken_journal_among_whole_ones(journal: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("hello\n")
    told = refused("journal", "verify", bad, journal)
    assert f"{bad}: BROKEN" in told
    assert f"{journal}: whole" in told


def test_a_journal_without_its_recording(journal: Path, tmp_path: Path) -> None:
    told = refused("journal", "replay", journal)
    assert "call.flac" in told
    assert "not beside the journal" in told
    assert str(tmp_path / "none.jsonl") in refused("journal", "verify", tmp_path / "none.jsonl")


# ---------------------------------------------------------------- serve, live


def test_an_address_that_others_reach_needs_a_token(tmp_path: Path) -> None:
    told = refused("serve", "--host", "0.0.0.0", "--data", tmp_path / "data", "--model", "none")
    assert "0.0.0.0" in told
    assert "--token" in told
    told = refused("serve", "--token-file", tmp_path / "none", "--data", tmp_path / "data", "--model", "none")
    assert str(tmp_path / "none") in told


def test_a_data_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    told = refused("serve", "--data", file, "--model", "none", "--port", "0")
    assert str(file) in told
    assert "--data" in told


def test_a_store_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "monitor.sqlite").write_text("no database\n" * 200)
    told = refused("serve", "--data", tmp_path, "--model", "none", "--port", "0")
    assert "monitor.sqlite" in told


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = refused("serve", "--data", tmp_path, "--model", "none", "--port", port)
    assert port in told
    assert "--port" in told


def test_a_microphone_rate_that_a_call_cannot_have() -> None:
    assert "use 8000 or 16000" in refused("live", "--rate", "44100")


def test_the_version() -> None:
    result, told = run("--version")
    assert result.exit_code == 0
    assert told.startswith("monitor ")


def test_two_servers_do_not_share_a_data_folder(tmp_path: Path) -> None:
    hold(tmp_path)
    told = refused("serve", "--model", "none", "--data", tmp_path, "--port", 0)
    assert "is used by another server" in told
    assert "--data" in told
