"""Sentences for the language model: kept, made once, and alike whatever the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.asr import ngrams
from training import writing

TEXT = "[one]\n(今|明|后)天天气(好|不好|很热)。\n您好，请(稍等|坐)。\n[!two]\n从来没有人这样说过。\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "one.txt").write_text(TEXT, encoding="utf-8")
    return folder


def test_sentences_are_written_once_and_counted(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD", 100)
    letters = "今明后天气好不很热您请稍等坐"
    model = writing.make(tmp_path / "w", text, letters, 250, 4, 1)
    files = sorted((tmp_path / "w").glob("*.txt"))
    assert [len(file.read_text(encoding="utf-8").splitlines()) for file in files] == [100, 100, 50]
    read = ngrams.load(tmp_path / "w" / writing.FILE)
    assert read.characters == model.characters == letters
    before = [file.stat().st_mtime_ns for file in files]
    writing.make(tmp_path / "w", text, letters, 250, 4, 2)
    assert [file.stat().st_mtime_ns for file in files] == before


def test_held_out_families_are_not_in_it(text: Path, tmp_path: Path) -> None:
    writing.make(tmp_path / "w", text, "今明后天气好", 200, 4, 1)
    assert "从来没有人" not in (tmp_path / "w" / "s4-0000.txt").read_text(encoding="utf-8")
