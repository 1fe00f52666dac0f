"""A whole training of the Whisper form, tiny: it learns, stops in time, goes on, and is exported."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import ctranslate2
import numpy as np
import pytest
import torch

from tests.training.made import TEXT, shard, vocabulary
from training import run, whisper_targets, whisper_train
from training.batches import Corpus, Example, texts
from training.whisper_export import export_checkpoint, read_checkpoint
from training.whisper_form import FRAMES, Shape, WhisperForm, look_locally
from training.whisper_targets import Targets
from training.whisper_train import Plan, _optimiser, _point_loss, _step, _window, train


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Two minutes by a clock that moves six seconds at every look; a model with one layer a side."""
    clock = iter(range(0, 100_000, 6))
    monkeypatch.setattr(run.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(run, "REPORT_EVERY", 2)
    shard(tmp_path / "data")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(f"[one]\n{TEXT}。\n", encoding="utf-8")
    return Plan(tmp_path / "data", tmp_path / "out", tmp_path / "texts", minutes=1.0, encoder=1, decoder=1)


def longer(plan: Plan, minutes: float) -> Plan:
    return Plan(plan.data, plan.out, plan.texts, minutes, encoder=1, decoder=1)


def test_training_stops_in_time_and_goes_on(plan: Plan, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        state = torch.load(train(plan), weights_only=True)
    assert 0 < state["step"] < 10 and state["seen"] == 7 * state["step"] and state["spent"] >= 60
    assert "step 2, 14 utterances seen" in caplog.text and "tokens right" in caplog.text and "done:" in caplog.text
    assert not list(plan.out.glob("*.part"))
    again = torch.load(train(longer(plan, 2.0)), weights_only=True)
    assert again["step"] > state["step"] and again["seen"] == 7 * again["step"] and again["spent"] >= 120
    assert again["optimiser"][1]["state"][0]["step"] == again["step"]
    assert not torch.equal(again["weights"]["decoder.tokens.weight"], state["weights"]["decoder.tokens.weight"])
    assert torch.load(train(longer(plan, 2.0)), weights_only=True)["step"] == again["step"]  # nothing is left to do


def test_checkpoints_are_written_meanwhile(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> tuple[float, ...]:
        if (plan.out / "whisper.pt").exists():
            raise KeyboardInterrupt
        return step(*_)  # type: ignore[arg-type]

    step = whisper_train._step
    monkeypatch.setattr(whisper_train, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(Plan(plan.data, plan.out, plan.texts, 60.0, encoder=1, decoder=1, save_every=0.5))
    state = torch.load(plan.out / "whisper.pt", weights_only=True)
    assert 0 < state["step"] < 10 and state["spent"] < 120


def test_going_on_does_not_repeat_the_order(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = Targets.batch

    def batch(self: Targets, examples: list[Example], *rest: Any) -> Any:
        seen.append([one.chars for one in examples])
        return real(self, examples, *rest)

    monkeypatch.setattr(Targets, "batch", batch)
    train(plan)
    first = len(seen)
    train(longer(plan, 2.0))
    train(replace(plan, out=plan.out.parent / "other"))
    begun, resumed, again = seen[:first], seen[first : 2 * first], seen[-first:]
    assert begun == again and begun[: len(resumed)] != resumed[: len(begun)]
    assert Plan(plan.data, plan.out, plan.texts, 1.0).long_share == 0.3


def test_without_data_it_says_what_to_do(plan: Plan) -> None:
    for file in plan.data.glob("*.json"):
        file.unlink()
    with pytest.raises(ValueError, match="make the data first"):
        train(plan)


def test_the_checkpoint_is_exported_beside_the_cards(plan: Plan, tmp_path: Path) -> None:
    train(plan)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "CARD.md").write_text("By hand.")
    (folder / "card.json").write_text(json.dumps({"title": "Ours", "sha256": {"gone.bin": "0"}}))
    export_checkpoint(plan.out, folder)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["title"] == "Ours" and card["real_length_windows"] and (folder / "CARD.md").read_text() == "By hand."
    assert {"model.bin", "tokenizer.json", "vocabulary.json"} <= set(card["sha256"]) and "gone.bin" not in card[
        "sha256"
    ]
    model = ctranslate2.models.Whisper(str(folder), device="cpu", intra_threads=1)
    assert model.is_multilingual
    begun = Plan(plan.data, tmp_path / "next", plan.texts, 1.0, encoder=1, decoder=1, begin=folder)
    exported = read_checkpoint(plan.out).decoder.positions.weight.detach()
    words = vocabulary()
    fresh = WhisperForm(Shape(len(words.tokens), encoder=1, decoder=1))
    whisper_train._start(fresh, begun, words)
    assert torch.allclose(fresh.decoder.positions.weight, exported, atol=1e-6)


def test_the_language_model_goes_with_it_and_stays(plan: Plan, tmp_path: Path) -> None:
    train(plan)
    folder, ngrams = tmp_path / "model", tmp_path / "writing" / "characters.npz"
    export_checkpoint(plan.out, folder, ngrams)
    assert json.loads((folder / "card.json").read_text(encoding="utf-8")).get("language_model") is None
    ngrams.parent.mkdir()
    ngrams.write_bytes(b"n-grams")
    export_checkpoint(plan.out, folder, ngrams)
    ngrams.unlink()
    export_checkpoint(plan.out, folder, ngrams)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["language_model"] == "characters.npz" and (folder / "characters.npz").read_bytes() == b"n-grams"
    assert card["sha256"]["characters.npz"] == hashlib.sha256(b"n-grams").hexdigest()


def test_it_learns_characters_and_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIMESTAMPED", "PROMPTED", "MIXED_UP"):
        monkeypatch.setattr(whisper_targets, name, 0.0)
    monkeypatch.setattr(whisper_targets, "dither", lambda *_: None)
    shard(tmp_path / "data", count=12)
    torch.manual_seed(1)
    words, corpus = vocabulary(), Corpus(tmp_path / "data")
    model = WhisperForm(Shape(len(words.tokens), width=64, encoder=1, decoder=2))
    look_locally(model)
    optimiser = _optimiser(model, Plan(tmp_path, tmp_path, tmp_path, 1.0, rate=3e-3, matrix_rate=6e-3))
    targets, r, generator = Targets(words, texts(corpus.examples)), Random(1), np.random.default_rng(1)
    figures = [
        _step(model, optimiser, targets.batch(corpus.examples, r, generator), step + 150, step / 60)
        for step in range(60)
    ]
    first, last = figures[0], figures[-1]
    assert last[0] < 0.5 * first[0] and last[1] < 0.7 * first[1] and last[2] < 0.6 * first[2]
    assert last[3] > 0.6 > first[3]


def test_attention_must_lie_where_the_target_is_heard() -> None:
    heard = torch.tensor([[[0.2, 0.4], [0.0, -1.0]]])
    there, elsewhere = torch.zeros(1, 2, 2, 50), torch.zeros(1, 2, 2, 50)
    there[:, :, 0, 7] = elsewhere[:, :, 0, 20] = 1.0
    assert float(_point_loss(there, heard, 50)) == pytest.approx(0.0, abs=1e-4)
    assert float(_point_loss(elsewhere, heard, 50)) > 10


def test_windows_end_with_the_sound_somewhere_behind_it_or_after_30_seconds() -> None:
    torch.manual_seed(1)
    drawn = [_window(100) for _ in range(400)]
    counts = [padding.count for padding in drawn if padding is not None]
    assert 30 < drawn.count(None) < 100
    assert 60 < counts.count(FRAMES - 100) < 150
    assert min(counts) < 60 and len(set(counts)) > 150
    assert all(padding is None or int(padding.positions.min()) >= 100 for padding in drawn)
    assert _window(FRAMES - 5) is None
