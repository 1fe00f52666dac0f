"""The optimiser: one schedule for both parts, checkpoints, gradients that are not finite."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from training.optimiser import LEAST, WARM_UP, Group, Optimiser, Pace

PACE = Pace(rate=1e-2, matrix_rate=2e-2, fall=0.8, clip=1.0)


def small() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))


def optimiser(model: nn.Sequential, pace: Pace = PACE) -> Optimiser:
    matrix = model[0].weight
    assert isinstance(matrix, nn.Parameter)
    rest = [parameter for parameter in model.parameters() if parameter is not matrix]
    return Optimiser(model, [matrix], [Group(rest[1:2], 0.02), Group([rest[0], rest[2]], 0.0)], pace)


def loss(model: nn.Sequential) -> Tensor:
    x = torch.randn(32, 6, generator=torch.Generator().manual_seed(2))
    wanted: Tensor = (x[:, :2] - model(x)).square().mean()
    return wanted


def steps(model: nn.Sequential, chosen: Optimiser, first: int, last: int) -> None:
    for step in range(first, last):
        loss(model).backward()
        assert chosen.step(step, step / 100)


def test_the_rate_warms_up_and_falls() -> None:
    assert PACE.share(0, 0.0) == pytest.approx(1 / WARM_UP)
    assert PACE.share(WARM_UP, 0.0) == 1.0
    assert PACE.share(5000, 0.5) == pytest.approx(0.5**0.8)
    assert PACE.share(5000, 1.0) == PACE.share(5000, 1.2) == LEAST


def test_it_learns_and_clears_gradients() -> None:
    model = small()
    before, weights = loss(model).item(), [parameter.detach().clone() for parameter in model.parameters()]
    steps(model, optimiser(model), 50, 90)
    assert loss(model).item() < 0.9 * before
    assert all(not torch.equal(old, new) for old, new in zip(weights, model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_step_is_as_large_as_the_pace_says() -> None:
    slow, fast = small(), small()
    loss(slow).backward()
    loss(fast).backward()
    optimiser(slow).step(0, 0.0)
    optimiser(fast).step(WARM_UP, 0.0)
    for before, one, other in zip(small().parameters(), slow.parameters(), fast.parameters(), strict=True):
        ratio = (other - before).norm() / (one - before).norm()
        assert ratio.item() == pytest.approx(WARM_UP, rel=0.1)


def test_it_goes_on_from_its_state() -> None:
    straight, first = small(), small()
    steps(straight, optimiser(straight), 0, 20)
    one = optimiser(first)
    steps(first, one, 0, 10)
    second = small()
    second.load_state_dict(first.state_dict())
    two = optimiser(second)
    two.load(one.state())
    steps(second, two, 10, 20)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), second.parameters(), strict=True))


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    model = small()
    chosen = optimiser(model)
    steps(model, chosen, 0, 3)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    (loss(model) * float("inf")).backward()
    assert not chosen.step(3, 0.03)
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())
    steps(model, chosen, 4, 5)
