"""Training: it learns, stops in time and goes on where it stopped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.made import TEXT, shard  # noqa: E402
from training import ctc_targets, ctc_train, run  # noqa: E402
from training.batches import Corpus  # noqa: E402
from training.ctc_form import CtcForm, Shape, from_state  # noqa: E402
from training.ctc_targets import Targets  # noqa: E402
from training.ctc_train import Plan, _normalise, _step, make_optimiser, start_bias, train  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take longer than one does for models as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    shard(folder, count=12)
    return folder


def test_it_learns_characters_and_when_they_start(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctc_targets, "dither", lambda *_: None)  # a dark band hides a tone
    torch.manual_seed(1)
    tokens = ("<blk>", *TEXT)
    corpus, targets = Corpus(data), Targets(tokens, 3)
    model = CtcForm(Shape(len(tokens), width=48, blocks=3, delay=3))
    _normalise(model, corpus.examples)
    optimiser = make_optimiser(model, 3e-3, 5e-3)
    r, generator = ctc_train.random.Random(1), np.random.default_rng(1)
    figures = []
    for step in range(100):
        figures.append(_step(model, optimiser, targets.batch(corpus.examples, r, generator), step + 100, step / 100))
    assert figures[-1][0] < 0.3 < figures[0][0]
    right = 0
    for example in corpus.examples:
        best = model.eval().log_probabilities(targets.plain(example)[0])[0].argmax(-1).tolist()
        shown = [token for at, token in enumerate(best) if token and (at == 0 or best[at - 1] != token)]
        right += "".join(tokens[token] for token in shown) == example.chars
    assert right >= 11
    assert start_bias(model, targets, corpus.examples) == pytest.approx(0.1 + 3 * 0.04, abs=0.05)


def test_training_stops_in_time_and_goes_on(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(TEXT, encoding="utf-8")
    clock = iter(range(0, 10000, 6))  # every look at the clock is six seconds later
    monkeypatch.setattr(run.time, "monotonic", lambda: float(next(clock)))
    plan = Plan(data, tmp_path / "out", tmp_path / "texts", minutes=1.0, width=32, blocks=2)
    with caplog.at_level(logging.INFO):
        state = torch.load(train(plan), weights_only=True)
    assert 0 < state["step"] < 10 and state["seen"] == 13 * state["step"]
    assert state["tokens"][0] == "<blk>" and set(TEXT) <= set(state["tokens"])
    assert 0 < state["bias"] < 1
    assert from_state(state).shape.delay == plan.delay
    again = torch.load(train(Plan(data, plan.out, plan.texts, minutes=2.0, width=32, blocks=2)), weights_only=True)
    assert again["step"] > state["step"] and again["spent"] >= 120
    assert "done" in caplog.text


def test_streams_depend_on_the_seed_and_the_steps_done(tmp_path: Path) -> None:
    def drawn(seed: int, step: int) -> tuple[float, float, float]:
        training = run.Run(tmp_path / "a.pt", 1.0, 5.0, None, dict, (), run.Progress(step))  # type: ignore[arg-type]
        r, generator = training.streams(seed)
        return r.random(), float(generator.random()), float(torch.rand(1))

    assert drawn(7, 0) == drawn(7, 0)
    for column in zip(drawn(7, 0), drawn(7, 50), drawn(8, 0), drawn(57, 0), strict=True):
        assert len(set(column)) == 4
    assert Plan(tmp_path, tmp_path, tmp_path, 1.0).long_share == 1.0


def test_bands_are_brought_to_one_spread(data: Path) -> None:
    model = CtcForm(Shape(6, width=32, blocks=1))
    corpus = Corpus(data)
    _normalise(model, corpus.examples)
    values = np.concatenate([e.utterance.fbank for e in corpus.examples]) * (36 / 255) - 12
    done = (torch.from_numpy(values).float() - model.mean) * model.scale
    assert done.mean(0).abs().max() < 0.01 and 0.5 < done.std(0).mean() < 1.05
