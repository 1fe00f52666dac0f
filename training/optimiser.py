"""Muon for the matrices inside a model, AdamW for everything else; both under one schedule.

Muon makes every step of a matrix as large in all directions (K. Jordan and others, 2024); on these small models
training needs less than half the steps that it needs with AdamW alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from training import crew

WARM_UP = 150
"""Steps until the full rate."""

LEAST = 0.01
"""Share of the full rate at the very end."""

DECAY = 0.02
"""Weight decay of the matrices inside."""


@dataclass(frozen=True, slots=True)
class Pace:
    """``rate`` is AdamW's; ``matrix_rate`` Muon's, on the same scale (its updates are brought to AdamW's size).

    Rates fall as the share of training time that is left to the power ``fall``. ``clip`` is the largest norm of a
    gradient.
    """

    rate: float
    matrix_rate: float
    fall: float
    clip: float

    def share(self, step: int, gone: float) -> float:
        """Share of the full rates at step ``step`` (from 0) with the share ``gone`` of the training time behind."""
        return min(1.0, (step + 1) / WARM_UP) * max(LEAST, math.pow(1 - min(1.0, gone), self.fall))


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Parameters for AdamW with one weight decay."""

    parameters: Sequence[nn.Parameter]
    decay: float


class Optimiser:
    """``matrices`` of the ``model`` are what Muon moves, ``groups`` hold the rest of it."""

    def __init__(self, model: nn.Module, matrices: Sequence[nn.Parameter], groups: Iterable[Group], pace: Pace) -> None:
        self.pace = pace
        self._all = list(model.parameters())
        rest = [{"params": list(group.parameters), "weight_decay": group.decay} for group in groups]
        muon = torch.optim.Muon(matrices, lr=pace.matrix_rate, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")
        adam = torch.optim.AdamW(rest, lr=pace.rate, betas=(0.9, 0.98), fused=True)
        self._parts: tuple[tuple[torch.optim.Optimizer, float], ...] = ((muon, pace.matrix_rate), (adam, pace.rate))

    def begin(self) -> None:
        """Before the first step: a crew begins with the same weights."""
        crew.same_weights(self._all)

    def step(self, number: int, gone: float) -> bool:
        """Step ``number`` (from 0) with the share ``gone`` of the training time behind; gradients are cleared.

        False, and nothing moves, where a gradient is not finite.
        """
        crew.mean_gradients(self._all)
        norm = nn.utils.clip_grad_norm_(self._all, self.pace.clip)
        sound = math.isfinite(float(norm))
        share = self.pace.share(number, gone)
        for part, rate in self._parts:
            for group in part.param_groups:
                group["lr"] = rate * share
            if sound:
                part.step()
            part.zero_grad(set_to_none=True)
        return sound

    def state(self) -> list[dict[str, Any]]:
        """For a checkpoint."""
        return [part.state_dict() for part, _ in self._parts]

    def load(self, states: Sequence[dict[str, Any]]) -> None:
        """From a checkpoint."""
        for (part, _), state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)
