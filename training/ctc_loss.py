"""The CTC loss over a large vocabulary at the cost of a small one.

An utterance's loss reads only the columns of its own characters and, for every frame, the logarithm of the sum over
all columns. Both passes over the large matrix go piece by piece, so that a piece stays in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable
from torch.nn import functional

PIECE = 512
"""Frames at a time."""


class _Columns(Function):
    """Log-probabilities of chosen columns of a linear layer: hidden (n, T, d), columns (n, k) to (n, T, k)."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, columns: Tensor) -> Tensor:
        rows, frames, width = hidden.shape
        small, table = hidden.to(torch.bfloat16).reshape(-1, width), weight.to(torch.bfloat16)
        logits = torch.empty(rows * frames, len(table), dtype=torch.bfloat16)
        total = torch.empty(rows * frames)
        for first in range(0, len(small), PIECE):
            piece = logits[first : first + PIECE]
            torch.addmm(bias.to(torch.bfloat16), small[first : first + PIECE], table.T, out=piece)
            total[first : first + PIECE] = piece.float().logsumexp(-1)
        wanted = columns[:, None].expand(-1, frames, -1).reshape(rows * frames, -1)
        ctx.save_for_backward(small, table, logits, total, wanted)
        return (logits.gather(1, wanted).float() - total[:, None]).view(rows, frames, -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        small, table, logits, total, wanted = ctx.saved_tensors
        grad = grads[0].flatten(0, 1)
        whole, grad = -grad.sum(1)[:, None], grad.to(torch.bfloat16)
        to_hidden = torch.empty_like(small)
        to_weight, to_bias = torch.zeros(table.shape), torch.zeros(len(table))
        for first in range(0, len(small), PIECE):
            here = slice(first, first + PIECE)
            piece = (logits[here].float() - total[here, None]).exp_().mul_(whole[here]).to(torch.bfloat16)
            piece.scatter_add_(1, wanted[here], grad[here])
            torch.mm(piece, table, out=to_hidden[here])
            to_weight += piece.T @ small[here]
            to_bias += piece.sum(0, dtype=torch.float32)
        return to_hidden.view(*grads[0].shape[:2], -1), to_weight, to_bias, None


class _Ctc(Function):
    """Sum of the CTC losses of log-probabilities (n, T, k) that need not sum to one; column 0 is the blank.

    torch's own gradient takes for granted that they do, and adds each probability; it is taken away again.
    """

    @staticmethod
    def forward(ctx: Any, chosen: Tensor, written: Tensor, frames: Tensor, counts: Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = chosen.detach().transpose(0, 1).requires_grad_()
            loss = functional.ctc_loss(leaf, written, frames, counts, reduction="sum", zero_infinity=True)
            (grad,) = torch.autograd.grad(loss, leaf)
        inside = (torch.arange(chosen.shape[1]) < frames[:, None])[..., None]
        possible = (grad != 0).any(0).any(-1)[:, None, None]
        ctx.save_for_backward((grad.transpose(0, 1) - chosen.exp()) * (inside & possible))
        return loss.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.saved_tensors[0] * grads[0], None, None, None


def columns(hidden: Tensor, weight: Tensor, bias: Tensor, chosen: Tensor) -> Tensor:
    """Log-probabilities (n, T, k) of the ``chosen`` columns (n, k) of a linear layer on ``hidden`` (n, T, d)."""
    out: Tensor = _Columns.apply(hidden, weight, bias, chosen)  # type: ignore[no-untyped-call]
    return out


def ctc(log_probabilities: Tensor, written: Tensor, frames: Tensor, counts: Tensor) -> Tensor:
    """Sum of the losses; ``written`` (n, most) are columns, ``frames`` and ``counts`` (n,) the true lengths.

    What cannot be written in its frames counts nothing.
    """
    out: Tensor = _Ctc.apply(log_probabilities, written, frames, counts)  # type: ignore[no-untyped-call]
    return out
