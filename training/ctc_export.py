"""Writes a trained CTC form as a model folder that sherpa-onnx streams: quantised ONNX, tokens and a card."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from training import card
from training.ctc_form import FRAME_SECONDS, REACH, RIGHT_CONTEXT, SUBSAMPLING, CtcForm, frames_for, from_state

log = logging.getLogger(__name__)

CHUNK_FRAMES = 4
"""Frames of 40 ms in one step of a stream."""

LEFT_CHUNKS = 1
"""Size of the attention cache, which this model does not need, but sherpa-onnx carries."""

INPUTS = ("x", "offset", "required_cache_size", "attn_cache", "conv_cache", "attn_mask")
OUTPUTS = ("log_probs", "next_att_cache", "next_conv_cache")
MODEL_FILE, TOKENS_FILE = "model.int8.onnx", "tokens.txt"

ABOUT = {
    "schema_version": 1,
    "name": "zh-fast",
    "title": "Small streaming Mandarin CTC model",
    "licence": "Apache-2.0",
    "trained_on": "synthetic speech",
    "human_speech": False,
    "hot_words": False,
}
"""The card of a folder that has none."""


class Streaming(nn.Module):
    """The model as one step of WeNet's streaming interface, for one stream at a time."""

    def __init__(self, model: CtcForm) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        x: Tensor,
        offset: Tensor,
        required_cache_size: Tensor,
        attn_cache: Tensor,
        conv_cache: Tensor,
        attn_mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """``x`` (1, frames, 80), ``conv_cache`` (blocks, 1, width, REACH); the others pass by unread."""
        hidden, past = self.model.body(self.model.front(x), conv_cache.transpose(2, 3))
        nothing = (offset.sum() + required_cache_size.sum() + attn_mask.sum()) * 0.0
        return self.model.out(hidden).log_softmax(-1) + nothing, attn_cache + 0.0, past.transpose(2, 3)


def write_onnx(model: CtcForm, file: Path, chunk: int = CHUNK_FRAMES) -> None:
    """Write the model with float weights."""
    shape = model.shape
    kept = chunk * LEFT_CHUNKS
    example = (
        torch.zeros(1, frames_for(chunk), model.mean.numel()),
        torch.zeros(1, dtype=torch.int64),
        torch.full((1,), kept),
        torch.zeros(shape.blocks, 1, kept, 2 * shape.width),
        torch.zeros(shape.blocks, 1, shape.width, REACH),
        torch.ones(1, 1, kept + chunk, dtype=torch.bool),
    )
    axes = {"x": {1: "frames"}, "log_probs": {1: "outputs"}, "attn_cache": {2: "kept"}, "attn_mask": {2: "all"}}
    with warnings.catch_warnings():
        # The newer exporter needs one package more, and gives nothing for a model as plain as this one.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            Streaming(model).eval(),
            example,
            str(file),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )


def _remark(file: Path, model: CtcForm, chunk: int) -> None:
    """Add what sherpa-onnx reads from the model itself."""
    remarks = {
        "model_type": "wenet_ctc",
        "head": 1,
        "num_blocks": model.shape.blocks,
        "output_size": model.shape.width,
        "cnn_module_kernel": REACH + 1,
        "right_context": RIGHT_CONTEXT,
        "subsampling_factor": SUBSAMPLING,
        "vocab_size": model.shape.vocabulary,
        "chunk_size": chunk,
        "left_chunks": LEFT_CHUNKS,
    }
    graph = onnx.load(str(file))
    for key, value in remarks.items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.save(graph, str(file))


def export(
    model: CtcForm,
    tokens: Sequence[str],
    bias: float,
    folder: Path,
    *,
    chunk: int = CHUNK_FRAMES,
    quantise: bool = True,
) -> Path:
    """Write the folder and return it. ``bias``: seconds by which tokens show after their characters' starts."""
    if len(tokens) != model.shape.vocabulary:
        raise ValueError(f"{len(tokens)} tokens for a model that writes {model.shape.vocabulary}")
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / MODEL_FILE
    with TemporaryDirectory() as beside:
        plain = Path(beside) / "model.onnx"
        write_onnx(model, plain, chunk)
        if quantise:
            quantize_dynamic(
                plain, written, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
            )
        else:
            written.write_bytes(plain.read_bytes())
    _remark(written, model, chunk)
    lines = (f"{token} {number}\n" for number, token in enumerate(tokens))
    (folder / TOKENS_FILE).write_text("".join(lines), encoding="utf-8")
    card.renew(folder, (MODEL_FILE, TOKENS_FILE), ABOUT, measured(model, bias, chunk))
    log.info("%s: %.2f MB", written, written.stat().st_size / 1e6)
    return folder


def measured(model: CtcForm, bias: float, chunk: int) -> dict[str, Any]:
    """What the card says of the model's form."""
    # The last frame comes when its window and its whole chunk are there; two frames more for characters that come late.
    tail = (model.shape.delay + chunk + 2) * FRAME_SECONDS + (RIGHT_CONTEXT + 2) * 0.01
    return {
        "start_bias_seconds": round(bias, 3),
        "tail_seconds": round(tail, 2),
        "chunk_frames": chunk,
        "left_chunks": LEFT_CHUNKS,
    }


def export_checkpoint(checkpoint: Path, folder: Path, *, chunk: int = CHUNK_FRAMES) -> Path:
    """Write a checkpoint's model into the folder and return it; its cards are kept."""
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = from_state(state)
    bias = state.get("bias", (model.shape.delay + 2) * FRAME_SECONDS)
    return export(model, state["tokens"], bias, folder, chunk=chunk)
