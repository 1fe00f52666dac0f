"""The command: steps by name and all of them, and errors that say what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from training import cli


def test_the_texts_are_checked_and_shown(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert cli.main(["text"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 12 and len(set(shown)) > 8
    assert "families held out" in caplog.text


def test_errors_in_texts_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("[one]\n您好OK。\n", encoding="utf-8")
    assert cli.main(["text", "--text", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("train_model: mine.txt:2: not Han characters")


def test_all_steps_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    names = ("show_text", "make_data", "train_careful", "learn_writing", "train_fast", "export", "evaluate")
    for name in names:
        monkeypatch.setattr(cli, name, lambda given, name=name: done.append(f"{name} {given.seed}"))
    assert cli.main(["all", "--seed", "3"]) == 0
    assert done == [f"{name} 3" for name in names]


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "training.whisper_train", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(cli, "train_careful", lambda given: __import__("torch"))
    assert cli.main(["careful"]) == 1
    assert "torch is missing: pip install -e '.[train]'" in capsys.readouterr().err


def test_nothing_to_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "--work", str(tmp_path), "--models", str(tmp_path / "models")]) == 1
    assert "run the steps careful and fast first" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
