"""Several processes that train one model: each takes batches of its own, and all take the same steps.

On a CPU two processes of one thread each see half as many utterances again as one process of two threads. In a process
that trains alone all of this does nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn

Plan = TypeVar("Plan")


def launch(train: Callable[[Plan], object], plan: Plan, processes: int) -> None:
    """Run ``train(plan)`` in so many processes, which is a function that a fresh interpreter can import."""
    if processes == 1:
        train(plan)
        return
    with tempfile.TemporaryDirectory() as folder:
        given = (train, plan, processes, Path(folder) / "meeting")
        spawn(_member, given, processes)  # type: ignore[no-untyped-call]


def _member(number: int, train: Callable[[Plan], object], plan: Plan, processes: int, meeting: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=processes)
    try:
        train(plan)
    finally:
        distributed.destroy_process_group()


def number() -> int:
    """Which member this process is; the first is 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def mean(value: float) -> float:
    """The mean of every member's value, the same for all to the last bit."""
    if not distributed.is_initialized():
        return value
    total = torch.tensor([value], dtype=torch.float64)
    distributed.all_reduce(total)
    return float(total) / distributed.get_world_size()


@torch.no_grad()
def mean_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Give every parameter the mean of the members' gradients."""
    if not distributed.is_initialized():
        return
    flat = torch.cat([_gradient(parameter).reshape(-1) for parameter in parameters])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    parts = torch.split(flat, [parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)


def _gradient(parameter: nn.Parameter) -> torch.Tensor:
    if parameter.grad is None:
        return torch.zeros_like(parameter)
    return parameter.grad


@torch.no_grad()
def same_weights(parameters: Sequence[nn.Parameter]) -> None:
    """Everybody begins with the weights of member 0."""
    if distributed.is_initialized():
        for parameter in parameters:
            distributed.broadcast(parameter, 0)
