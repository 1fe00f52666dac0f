"""The Whisper form: padding that stands for 30 s, heads that look locally, layers that begin as nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.whisper_form import FRAMES, Layer, Padding, Shape, WhisperForm, look_locally, sinusoids

SHAPE = Shape(vocabulary=50, width=64, heads=4, encoder=2, decoder=2)


@pytest.fixture
def model() -> WhisperForm:
    torch.manual_seed(1)
    form = WhisperForm(SHAPE)
    look_locally(form)
    return form.eval()


def sound(frames: int = 120) -> Tensor:
    """Features of shape (2, 80, frames), the last eight silent as in every batch."""
    mel = torch.randn(2, 80, frames, generator=torch.Generator().manual_seed(2))
    mel[..., -8:] = 0
    return mel


TOKENS = torch.tensor([[3, 5, 7, 9, 11], [4, 6, 8, 10, 12]])


@torch.no_grad()
@pytest.mark.parametrize("window", [100, FRAMES])
def test_all_positions_of_padding_are_a_whole_window(model: WhisperForm, window: int) -> None:
    mel = sound()
    whole = torch.cat([mel, torch.zeros(2, 80, 2 * window - mel.shape[2])], 2)
    expected, seen, sounds = model(whole, TOKENS, None)
    logits, weights, ours = model(mel, TOKENS, Padding(torch.arange(60, window), window - 60))
    assert torch.allclose(logits, expected, atol=1e-4)
    assert torch.allclose(weights, seen, atol=1e-5)
    assert torch.allclose(ours, sounds[:, :60], atol=1e-4)


@torch.no_grad()
def test_some_positions_stand_for_all_of_the_padding(model: WhisperForm) -> None:
    mel = sound()
    full = model(mel, TOKENS, Padding(torch.arange(60, FRAMES), FRAMES - 60))[0]
    unpadded = model(mel, TOKENS, None)[0]
    away = []
    for seed in range(8):
        torch.manual_seed(seed)
        away.append(float((model(mel, TOKENS, Padding.drawn(60, FRAMES))[0] - full).abs().mean()))
    without = float((unpadded - full).abs().mean())
    assert sum(away) / len(away) < 0.3 * without and max(away) < 0.5 * without


@torch.no_grad()
def test_the_encoders_heads_look_to_their_sides() -> None:
    torch.manual_seed(3)
    form = WhisperForm(Shape(vocabulary=50))
    look_locally(form)
    positions = form.encoder.positions[:300][None]
    for depth, layer in enumerate(form.encoder.layers):
        assert isinstance(layer, Layer)
        weights = layer.self_attention(positions, positions, None)[1][0]
        for head, offset in enumerate((-9, 0, 9)):
            aside = 2 * (weights[head].argmax(-1)[60:240] - torch.arange(60, 240))  # in 20 ms
            assert abs(float(aside.float().median()) - offset * (1 + 0.5 * depth)) <= 3, (depth, head)


@torch.no_grad()
@pytest.mark.parametrize("cross", [False, True])
def test_an_added_layer_passes_its_input_on(cross: bool) -> None:
    torch.manual_seed(1)
    layer = Layer(64, 4, cross=cross)
    x, memory = torch.randn(2, 10, 64), torch.randn(2, 20, 64) if cross else None
    assert layer.has_cross == cross
    assert not torch.allclose(layer(x, None, memory)[0], x)
    layer.start_as_nothing()
    assert torch.equal(layer(x, None, memory)[0], x)


@torch.no_grad()
def test_the_decoder_does_not_look_ahead(model: WhisperForm) -> None:
    changed = TOKENS.clone()
    changed[:, 3] = 20
    before, after = model(sound(), TOKENS, None)[0], model(sound(), changed, None)[0]
    assert torch.allclose(before[:, :3], after[:, :3], atol=1e-5)
    assert not torch.allclose(before[:, 3:], after[:, 3:], atol=1e-2)


def test_positions_are_whispers() -> None:
    from_whisper = sinusoids(1500, 384)
    assert from_whisper.shape == (1500, 384)
    assert from_whisper[0, :192].abs().max() == 0 and (from_whisper[0, 192:] == 1).all()
    assert float(from_whisper[100, 0]) == pytest.approx(-0.50636564)
