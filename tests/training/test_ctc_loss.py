"""The cheap CTC loss against torch's over the whole vocabulary."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from training import ctc_loss  # noqa: E402

ROWS, FRAMES, WIDTH, VOCABULARY = 3, 21, 16, 50
WRITTEN = [[7, 9, 9, 30], [4, 5], []]
LENGTHS = [21, 15, 9]
COLUMNS = torch.tensor([[0, 7, 9, 30], [0, 4, 5, 0], [0, 0, 0, 0]])
IN_COLUMNS = torch.tensor([[1, 2, 2, 3], [1, 2, 0, 0], [0, 0, 0, 0]])


def made() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hidden states, weights and bias that bfloat16 holds exactly."""
    torch.manual_seed(3)
    parts = (torch.randn(ROWS, FRAMES, WIDTH), torch.randn(VOCABULARY, WIDTH) * 0.5, torch.randn(VOCABULARY) * 0.5)
    first, second, third = (part.bfloat16().float().requires_grad_() for part in parts)
    return first, second, third


def test_chosen_columns_are_the_log_probabilities() -> None:
    hidden, weight, bias = made()
    whole = (hidden @ weight.T + bias).log_softmax(-1)
    chosen = ctc_loss.columns(hidden, weight, bias, COLUMNS)
    expected = whole.gather(2, COLUMNS[:, None].expand(-1, FRAMES, -1))
    assert torch.allclose(chosen, expected, atol=0.05)


def test_loss_and_gradients_are_those_over_the_whole_vocabulary() -> None:
    counts = torch.tensor([len(row) for row in WRITTEN])
    hidden, weight, bias = made()
    whole = (hidden @ weight.T + bias).log_softmax(-1).transpose(0, 1)
    flat = torch.tensor([token for row in WRITTEN for token in row])
    expected = functional.ctc_loss(whole, flat, torch.tensor(LENGTHS), counts, reduction="sum")
    expected.backward()
    wanted = [part.grad for part in (hidden, weight, bias)]

    hidden, weight, bias = made()
    chosen = ctc_loss.columns(hidden, weight, bias, COLUMNS)
    loss = ctc_loss.ctc(chosen, IN_COLUMNS, torch.tensor(LENGTHS), counts)
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=0.01)
    for part, grad in zip((hidden, weight, bias), wanted, strict=True):
        assert functional.cosine_similarity(part.grad.flatten(), grad.flatten(), dim=0) > 0.999
        assert float((part.grad - grad).abs().max()) < 0.03 * float(grad.abs().max())


def test_what_does_not_fit_counts_nothing() -> None:
    hidden, weight, bias = made()
    chosen = ctc_loss.columns(hidden, weight, bias, COLUMNS)
    loss = ctc_loss.ctc(chosen[:1], IN_COLUMNS[:1], torch.tensor([3]), torch.tensor([4]))
    loss.backward()
    assert loss.item() == 0
    assert hidden.grad is not None and not hidden.grad.any()
