"""Processes that train one model together: same weights, the mean of their gradients, batches of their own."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from training import crew
from training.optimiser import Group, Optimiser, Pace
from training.run import Run

PACE = Pace(rate=1e-2, matrix_rate=2e-2, fall=0.8, clip=1e9)
INPUT = torch.tensor([[1.0, 2.0, -1.0], [0.5, -3.0, 2.0]])


def model(seed: int) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


def optimiser(one: nn.Linear) -> Optimiser:
    return Optimiser(one, [one.weight], [Group([one.bias], 0.0)], PACE)


def member(folder: Path) -> None:
    """Take three steps, each member on its own row of the input; write down what came of it."""
    number = crew.number()
    one = model(seed=number + 1)
    moved = optimiser(one)
    moved.begin()
    for step in range(3):
        one(INPUT[number : number + 1]).square().sum().backward()
        moved.step(step, 0.0)
    run = Run(folder / "checkpoint.pt", 1.0, 5.0, moved, lambda: {"member": number}, ())
    order = run.streams(7)[0].random()
    run.save()
    told = {"weights": one.weight.tolist(), "order": order, "clock": crew.mean(10.0 * (number + 1))}
    (folder / f"{number}.json").write_text(json.dumps(told))


def test_two_move_as_one_would_with_both_batches(tmp_path: Path) -> None:
    crew.launch(member, tmp_path, 2)
    first, second = (json.loads((tmp_path / f"{number}.json").read_text()) for number in (0, 1))
    assert first["weights"] == second["weights"]
    alone = model(seed=1)
    moved = optimiser(alone)
    for step in range(3):
        (alone(INPUT).square().sum() / 2).backward()
        moved.step(step, 0.0)
    assert torch.allclose(torch.tensor(first["weights"]), alone.weight, atol=1e-6)
    assert first["order"] != second["order"], "each has batches of its own"
    assert first["clock"] == second["clock"] == 15.0
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["member"] == 0


def test_one_alone_needs_nobody(tmp_path: Path) -> None:
    crew.launch(member, tmp_path, 1)
    told = json.loads((tmp_path / "0.json").read_text())
    assert told["clock"] == 10.0 and not (tmp_path / "1.json").exists()
