"""Export: sherpa-onnx hears in chunks what the model hears at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime.quantization")
sherpa_onnx = pytest.importorskip("sherpa_onnx")

from monitor.asr.card import read_card  # noqa: E402
from training.ctc_export import MODEL_FILE, TOKENS_FILE, export  # noqa: E402
from training.ctc_form import FRAME_SECONDS, REACH, CtcForm, Shape  # noqa: E402
from training.ctc_targets import bytes_to_fbank  # noqa: E402
from training.features import RATE, Signal, fbank  # noqa: E402

TOKENS = ("<blk>", *(chr(0x4E00 + number) for number in range(39)))


@torch.no_grad()
def model() -> CtcForm:
    """Random weights that write many different characters: what all frames have in common is taken away."""
    torch.manual_seed(2)
    form = CtcForm(Shape(len(TOKENS), width=48, blocks=3, delay=3))
    form.mean.fill_(6.0)
    form.scale.fill_(0.3)
    x = form.front(torch.from_numpy(bytes_to_fbank(fbank(sound())))[None])
    hidden, _ = form.body(x, torch.zeros(3, 1, REACH, 48))
    form.out.weight *= 8
    form.out.bias.copy_(-form.out.weight @ hidden[0].mean(0))
    form.out.bias[0] += 2.0
    return form.eval()


def sound() -> Signal:
    """Four seconds of something that changes all the time."""
    r = np.random.default_rng(4)
    parts = [r.standard_normal(1600) * level for level in 10 ** r.uniform(-3, -0.7, 40)]
    sweep = np.sin(np.cumsum(2 * np.pi * np.linspace(100, 6000, 64000) / RATE)) * 0.1
    return np.asarray(np.clip(np.concatenate(parts) + sweep, -1, 1), np.float32)


@torch.no_grad()
def heard_at_once(form: CtcForm, samples: Signal) -> list[tuple[float, str]]:
    best = form.log_probabilities(torch.from_numpy(bytes_to_fbank(fbank(samples)))[None])[0].argmax(-1).tolist()
    firsts = [at for at, token in enumerate(best) if token and (at == 0 or best[at - 1] != token)]
    return [(round(at * FRAME_SECONDS, 2), TOKENS[best[at]]) for at in firsts]


def heard_in_chunks(folder: Path, samples: Signal, chunk: int) -> list[tuple[float, str]]:
    recogniser = sherpa_onnx.OnlineRecognizer.from_wenet_ctc(
        tokens=str(folder / TOKENS_FILE),
        model=str(folder / MODEL_FILE),
        chunk_size=chunk,
        num_left_chunks=1,
        num_threads=1,
    )
    stream = recogniser.create_stream()
    for first in range(0, len(samples), 1600):
        stream.accept_waveform(RATE, samples[first : first + 1600])
        while recogniser.is_ready(stream):
            recogniser.decode_stream(stream)
    result = recogniser.get_result_all(stream)
    return [(round(at, 2), token) for at, token in zip(result.timestamps, result.tokens, strict=True)]


@pytest.mark.parametrize("chunk", [4, 8])
def test_sherpa_hears_in_chunks_what_the_model_hears_at_once(tmp_path: Path, chunk: int) -> None:
    form, samples = model(), sound()
    folder = export(form, TOKENS, 0.3, tmp_path / "model", chunk=chunk, quantise=False)
    streamed = heard_in_chunks(folder, samples, chunk)
    assert len(streamed) > 20
    # What does not fill the last chunk waits for more sound.
    assert streamed == heard_at_once(form, samples)[: len(streamed)]
    assert streamed[-1][0] > 3.2


def test_whole_numbers_as_weights_hear_nearly_the_same(tmp_path: Path) -> None:
    form, samples = model(), sound()
    whole, plain = tmp_path / "whole", tmp_path / "plain"
    export(form, TOKENS, 0.3, whole)
    export(form, TOKENS, 0.3, plain, quantise=False)
    assert (whole / MODEL_FILE).stat().st_size < 0.5 * (plain / MODEL_FILE).stat().st_size
    expected = set(heard_in_chunks(plain, samples, 4))
    assert len(expected & set(heard_in_chunks(whole, samples, 4))) > 0.6 * len(expected)


def test_the_folder_says_what_it_is(tmp_path: Path) -> None:
    folder = export(model(), TOKENS, 0.3126, tmp_path / "model", quantise=False)
    card = read_card(folder)
    assert (card.name, card.chunk_frames, card.left_chunks) == ("zh-fast", 4, 1)
    assert card.start_bias_seconds == 0.313 and not card.human_speech
    assert card.tail_seconds >= 0.4
    assert set(json.loads((folder / "card.json").read_text())["sha256"]) == {MODEL_FILE, TOKENS_FILE}
    assert (folder / TOKENS_FILE).read_text(encoding="utf-8").splitlines()[:2] == ["<blk> 0", "一 1"]


def test_tokens_that_do_not_belong_to_the_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="39 tokens"):
        export(model(), TOKENS[:-1], 0.3, tmp_path)
