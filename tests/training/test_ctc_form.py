"""The CTC form: streams as it hears at once, and padding changes nothing."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from training.ctc_form import REACH, RIGHT_CONTEXT, TAPS, CtcForm, Shape, frames_for, from_state, state_for_saving  # noqa: E402
from training.features import BINS  # noqa: E402

SHAPE = Shape(vocabulary=30, width=32, blocks=5, delay=3)


def model() -> CtcForm:
    torch.manual_seed(5)
    return CtcForm(SHAPE).eval()


def sound(outputs: int) -> torch.Tensor:
    return torch.randn(1, frames_for(outputs), BINS, generator=torch.Generator().manual_seed(1)) * 5 + 2


@torch.no_grad()
def test_chunks_give_what_the_whole_gives() -> None:
    form, whole = model(), sound(24)
    expected = form.log_probabilities(whole)
    past = torch.zeros(SHAPE.blocks, 1, REACH, SHAPE.width)
    parts = []
    for first in range(0, 24, 4):
        chunk = whole[:, first * 4 : first * 4 + frames_for(4)]
        hidden, past = form.body(form.front(chunk), past)
        parts.append(form.out(hidden).log_softmax(-1))
    assert torch.allclose(torch.cat(parts, 1), expected, atol=1e-4)


@torch.no_grad()
def test_an_output_frame_reads_its_window_and_what_came_before() -> None:
    form, whole = model(), sound(20)
    expected = form.log_probabilities(whole)
    last = 9 * 4 + RIGHT_CONTEXT
    later, inside = whole.clone(), whole.clone()
    later[:, last + 1 :] = 3
    inside[:, last] = 3
    assert torch.equal(form.log_probabilities(later)[:, :10], expected[:, :10])
    assert not torch.allclose(form.log_probabilities(inside)[:, 9], expected[:, 9])
    assert torch.allclose(form.log_probabilities(inside)[:, :9], expected[:, :9], atol=1e-5)


@torch.no_grad()
def test_values_are_clipped_and_rounded_as_they_are_stored() -> None:
    form, whole = model(), sound(6)
    stored = ((whole + 12) * 255 / 36).round().clamp(0, 255) * 36 / 255 - 12
    assert torch.allclose(form.log_probabilities(whole), form.log_probabilities(stored), atol=1e-4)
    quiet = torch.full_like(whole, -15.94)
    assert torch.allclose(form.front(quiet), form.hear(torch.full_like(whole, -12)), atol=1e-5)


def test_blocks_read_no_further_back_than_the_cache() -> None:
    assert max(map(max, TAPS)) <= REACH
    assert all(taps[0] == 0 and list(taps) == sorted(set(taps)) for taps in TAPS)


@torch.no_grad()
def test_a_checkpoint_gives_the_model_back() -> None:
    form = model()
    form.mean.fill_(2.0)
    again = from_state(state_for_saving(form, tuple("abc")))
    assert torch.equal(form.log_probabilities(sound(5)), again.log_probabilities(sound(5)))
