"""A streaming CTC model made of matrix products alone. Shapes: fbank (batch, frames of 10 ms, 80), x (batch, T, width)
with frames of 40 ms.

The front end looks at windows of 11 fbank frames. Every block is strictly causal: it reads some frames of the last
ten, which a recogniser carries from chunk to chunk. Look-ahead comes from training alone, whose targets are late by
``Shape.delay`` frames.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.features import BINS, FBANK_OFFSET, FBANK_SPAN
from training.readings import SIZES

SUBSAMPLING = 4
FRAME_SECONDS = 0.01 * SUBSAMPLING
FIRST, SECOND = 5, 4
"""Frames in the windows of the two layers of the front end, each of which halves the rate."""

RIGHT_CONTEXT = FIRST + 2 * (SECOND - 1) - 1
"""Fbank frames that an output frame reads after its first."""

REACH = 10
"""Frames of the past that a block may read."""

TAPS = ((0, 1, 2, 3), (0, 2, 4, 6), (0, 1, 3, 5), (0, 3, 6, 10))
"""How far back the blocks read, in turn."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the model; ``delay`` in frames of 40 ms."""

    vocabulary: int
    width: int = 192
    blocks: int = 9
    widening: int = 4
    delay: int = 6

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class Block(nn.Module):
    """Mixes a few past frames, then a feed-forward; norms first."""

    def __init__(self, width: int, widening: int, taps: tuple[int, ...]) -> None:
        super().__init__()
        self.taps = taps
        self.past_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.gather = nn.Linear(len(taps) * width, width)
        self.mix = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, widening * width), nn.Linear(widening * width, width)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """The next x, and the past (batch, REACH, width) of the next chunk."""
        count = x.shape[1]
        seen = torch.cat([past, self.past_norm(x)], 1)
        parts = [seen[:, REACH - tap : REACH - tap + count] for tap in self.taps]
        x = x + self.mix(functional.relu(self.gather(torch.cat(parts, 2))))
        x = x + self.narrow(functional.relu(self.widen(self.feed_norm(x))))
        return x, seen[:, count:]


class CtcForm(nn.Module):
    """``sounds`` is for training alone: initial, final and tone of every frame."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.register_buffer("mean", torch.zeros(BINS))
        self.register_buffer("scale", torch.ones(BINS))
        self.first, self.second = nn.Linear(FIRST * BINS, width), nn.Linear(SECOND * width, width)
        self.blocks = nn.ModuleList(
            Block(width, shape.widening, TAPS[number % len(TAPS)]) for number in range(shape.blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, shape.vocabulary)
        self.sounds = nn.Linear(width, sum(SIZES))
        self._start()

    def _start(self) -> None:
        """Small residual branches and a small output, so that training starts gently."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        for name, weight in self.named_parameters():
            if name.endswith(("mix.weight", "narrow.weight")):
                weight.data *= 0.5 * len(self.blocks) ** -0.5
        nn.init.normal_(self.out.weight, std=self.shape.width**-0.5 * 0.5)
        nn.init.xavier_uniform_(self.sounds.weight)

    def front(self, fbank: Tensor) -> Tensor:
        """Frames of 40 ms of raw fbank values, one a window of 11; values are clipped and rounded as on disk."""
        step = FBANK_SPAN / 255
        fbank = ((fbank.clamp(-FBANK_OFFSET, FBANK_SPAN - FBANK_OFFSET) + FBANK_OFFSET) / step).round() * step
        return self.hear(fbank - FBANK_OFFSET)

    def hear(self, fbank: Tensor) -> Tensor:
        """As ``front``, of values that need no clipping."""
        x = (fbank - self.mean) * self.scale
        x = functional.relu(self.first(windows(x, FIRST)))
        return functional.relu(self.second(windows(x, SECOND)))

    def body(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states (batch, T, width) and the pasts (blocks, batch, REACH, width)."""
        pasts = []
        for number, block in enumerate(self.blocks):
            x, last = block(x, past[number])
            pasts.append(last)
        return self.norm(x), torch.stack(pasts)

    def forward(self, fbank: Tensor) -> Tensor:
        """Hidden states of whole utterances; padding at their ends changes nothing before it."""
        x = self.hear(fbank)
        return self.body(x, x.new_zeros(len(self.blocks), len(x), REACH, x.shape[2]))[0]

    def log_probabilities(self, fbank: Tensor) -> Tensor:
        """Shape (batch, T, vocabulary), of raw fbank values."""
        x = self.front(fbank)
        hidden, _ = self.body(x, x.new_zeros(len(self.blocks), len(x), REACH, x.shape[2]))
        logits: Tensor = self.out(hidden)
        return logits.log_softmax(-1)


def windows(x: Tensor, size: int) -> Tensor:
    """Windows of ``size`` frames, every other frame: (batch, n, d) to (batch, (n - size) // 2 + 1, size * d)."""
    count = (x.shape[1] - size) // 2 + 1
    return torch.cat([x[:, first : first + 2 * count - 1 : 2] for first in range(size)], 2)


def frames_for(outputs: int) -> int:
    """Fbank frames that make ``outputs`` frames of 40 ms."""
    return (outputs - 1) * SUBSAMPLING + RIGHT_CONTEXT + 1


def state_for_saving(model: CtcForm, tokens: tuple[str, ...]) -> dict[str, Any]:
    """What a checkpoint holds."""
    return {"shape": model.shape.as_dict(), "tokens": list(tokens), "weights": model.state_dict()}


def from_state(state: dict[str, Any]) -> CtcForm:
    """The model of a checkpoint, for use."""
    model = CtcForm(Shape(**state["shape"]))
    model.load_state_dict(state["weights"])
    return model.eval()
