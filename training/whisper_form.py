"""Whisper's architecture, small, in plain torch. Shapes: mel (batch, 80, 2T), frames of 40 ms (batch, T, width).

Attention is written out: torch's fused kernel is slower on these sizes on a CPU. Padding up to 30 s is never
computed in training: some random positions stand for all of it, their keys weighted by the number they stand for. How
long the window is differs from batch to batch, so that windows of any length up to 30 s come out right.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.readings import SIZES

FRAMES = 750
"""Positions of a 30 s window."""

FRAME_RATE = 25.0
"""Encoder frames a second: half of Whisper's, as the features' are."""

TEXT = 448
"""Positions of the decoder."""

STANDING_FOR_PADDING = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the model."""

    vocabulary: int
    width: int = 160
    heads: int = 4
    encoder: int = 8
    decoder: int = 4

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def sinusoids(length: int, width: int) -> Tensor:
    """Whisper's fixed positions, shape (length, width)."""
    rate = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * rate[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


@dataclass(frozen=True, slots=True, eq=False)
class Padding:
    """What follows the sound in a window: some of its ``positions``, which stand for ``count`` of them."""

    positions: Tensor
    count: int

    @classmethod
    def drawn(cls, frames: int, window: int) -> Padding:
        """Of a window of so many positions, of which ``frames`` are sound."""
        positions = torch.sort(torch.randint(frames, window, (STANDING_FOR_PADDING,)))[0]
        return cls(positions, window - frames)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, self.heads, x.shape[-1] // self.heads).transpose(1, 2)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """Result (batch, n, width) and attention weights (batch, heads, n, memory). ``bias`` is added to the scores:
        shape (memory,), the same for every query, or (n, memory)."""
        query = self._split(self.query(x))
        key = self._split(self.key(memory)) * query.shape[-1] ** -0.5
        value = self._split(self.value(memory))
        with torch.autocast("cpu", enabled=False):  # half as dear as with scores and softmax in 32 bits
            if bias is not None and bias.dim() == 1:  # rides along in the product: one pass over the scores less
                query, key = _with_bias(query, key, bias)
            scores = query @ key.transpose(-1, -2)
            if bias is not None and bias.dim() == 2:
                scores = scores + bias.to(scores.dtype)
            weights = scores.softmax(-1)
            mixed = (weights @ value).transpose(1, 2)
        return self.out(mixed.reshape(x.shape[0], -1, x.shape[-1])), weights


def _with_bias(query: Tensor, key: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """One more feature on both, whose product is the bias of the key."""
    one = query.new_ones(*query.shape[:-1], 1)
    column = bias.to(key.dtype).view(1, 1, -1, 1).expand(*key.shape[:-1], 1)
    return torch.cat([query, one], -1), torch.cat([key, column], -1)


class Layer(nn.Module):
    """Self-attention, cross-attention where ``cross``, feed-forward; norms first."""

    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(width), Attention(width, heads)
        if cross:
            self.cross_norm, self.cross_attention = nn.LayerNorm(width), Attention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, bias: Tensor | None, memory: Tensor | None = None, memory_bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        normed = self.self_norm(x)
        x = x + self.self_attention(normed, normed, bias)[0]
        weights = None
        if memory is not None:
            seen, weights = self.cross_attention(self.cross_norm(x), memory, memory_bias)
            x = x + seen
        return x + self.narrow(functional.gelu(self.widen(self.feed_norm(x)))), weights

    def start_as_nothing(self) -> None:
        """Make the layer pass its input on unchanged, so that it can be added to a trained model."""
        for part in (self.self_attention.out, self.narrow, *([self.cross_attention.out] if self.has_cross else [])):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)

    @property
    def has_cross(self) -> bool:
        return hasattr(self, "cross_attention")


class Encoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.first = nn.Conv1d(80, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.positions: Tensor
        self.register_buffer("positions", sinusoids(2 * FRAMES, width)[::2].clone())  # counted in 20 ms, as Whisper's
        self.layers = nn.ModuleList(Layer(width, shape.heads, cross=False) for _ in range(shape.encoder))
        self.norm = nn.LayerNorm(width)

    def forward(self, mel: Tensor, padding: Padding | None) -> tuple[Tensor, Tensor | None]:
        """Frames (batch, T + some for the padding, width), and the bias on their keys."""
        x = self._convolve(mel)
        length = x.shape[1]
        x = x + self.positions[:length]
        bias = None
        if padding is not None:
            silent = self._convolve(mel.new_zeros(1, 80, 8))[:, 2:3]
            silent = (silent + self.positions[padding.positions]).expand(x.shape[0], -1, -1)
            x = torch.cat([x, silent], 1)
            bias = torch.zeros(x.shape[1])
            bias[length:] = math.log(padding.count / len(padding.positions))
        for layer in self.layers:
            x, _ = layer(x, bias)
        return self.norm(x), bias

    def _convolve(self, mel: Tensor) -> Tensor:
        x = functional.gelu(self.first(mel))
        return functional.gelu(self.second(x)).transpose(1, 2)


class Decoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(TEXT, shape.width)
        nn.init.normal_(self.tokens.weight, std=0.04)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(shape.width, shape.heads, cross=True) for _ in range(shape.decoder))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, memory: Tensor, memory_bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """Hidden states (batch, n, width) and the last layer's attention (batch, heads, n, memory)."""
        count = tokens.shape[1]
        x = self.tokens(tokens) + self.positions.weight[:count]
        causal = torch.full((count, count), -1e4).triu(1)
        weights = None
        for layer in self.layers:
            x, weights = layer(x, causal, memory, memory_bias)
        assert weights is not None
        return self.norm(x), weights


class WhisperForm(nn.Module):
    """``sounds`` is for training alone: initial, final and tone of every frame."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.sounds = nn.Linear(shape.width, sum(SIZES))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, mel: Tensor, tokens: Tensor, padding: Padding | None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (batch, n, vocabulary), last cross-attention (batch, heads, n, frames), sounds (batch, T, ·)."""
        frames, bias = self.encoder(mel, padding)
        hidden, weights = self.decoder(tokens, frames, bias)
        return hidden @ self.decoder.tokens.weight.T, weights, self.sounds(frames[:, : mel.shape[2] // 2])


def look_locally(model: WhisperForm, offsets: tuple[int, ...] = (-9, 0, 9)) -> None:
    """Start the encoder's heads as windows ``offsets`` times 20 ms away (wider in higher layers).

    Queries and keys read the fixed sinusoids, whose products depend on distance alone; without this start a small
    model needs many hours to find out that neighbours matter.
    """
    shape = model.shape
    model.encoder.first.weight.data *= 2.5
    model.encoder.second.weight.data *= 3.5
    half, size = shape.width // 2, shape.width // shape.heads
    rate = torch.exp(-math.log(10000) / (half - 1) * torch.arange(half).float())
    chosen = torch.linspace(0, half * 0.55, size // 2).long().tolist()  # the faster sinusoids
    for depth, layer in enumerate(model.encoder.layers):
        assert isinstance(layer, Layer)
        query, key = layer.self_attention.query.weight.data, layer.self_attention.key.weight.data
        for head in range(min(shape.heads - 1, len(offsets))):
            rows = slice(head * size, (head + 1) * size)
            query[rows] *= 0.15
            key[rows] *= 0.15
            for pair, wave in enumerate(chosen):
                angle = float(rate[wave]) * offsets[head] * (1 + 0.5 * depth)
                sine, cosine = head * size + 2 * pair, head * size + 2 * pair + 1
                query[sine, wave] += math.cos(angle)
                query[sine, wave + half] += math.sin(angle)
                query[cosine, wave + half] += math.cos(angle)
                query[cosine, wave] -= math.sin(angle)
                key[sine, wave] += 1
                key[cosine, wave + half] += 1


def state_for_saving(model: WhisperForm) -> dict[str, Any]:
    """What a checkpoint holds."""
    return {"shape": model.shape.as_dict(), "weights": model.state_dict()}
