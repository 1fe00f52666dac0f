"""Between our Whisper form and a CTranslate2 folder: export, and back again to go on training from one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from monitor.asr.errors import NotWhole
from monitor.asr.modelfile import variables
from training.features import MEL_HOP
from training.vocabulary import Vocabulary, save_tokenizer
from training.whisper_form import Layer, WhisperForm, look_locally

ALIGNING = 2
"""Heads of the last decoder layer that are trained to point at the character being written."""

_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}

Arrays = dict[str, npt.NDArray[np.float32]]


def export(model: WhisperForm, vocabulary: Vocabulary, folder: Path, *, quantization: str = "int8") -> None:
    """Write the model as a folder that CTranslate2 and faster-whisper load."""
    from ctranslate2.specs import whisper_spec

    shape = model.shape
    spec = whisper_spec.WhisperSpec(shape.encoder, shape.heads, shape.decoder, shape.heads)
    weights = {name: tensor.float().numpy() for name, tensor in model.state_dict().items()}
    _fill_encoder(spec.encoder, weights)
    _fill_decoder(spec.decoder, weights)
    ids = vocabulary.ids
    spec.config.suppress_ids = [ids["<unk>"]]
    spec.config.suppress_ids_begin = [ids[" "], ids["<|endoftext|>"]]
    spec.config.lang_ids = [ids["<|en|>"], ids["<|zh|>"], ids["<|yue|>"]]
    spec.config.alignment_heads = [[shape.decoder - 1, head] for head in range(ALIGNING)]
    spec.register_vocabulary(list(vocabulary.tokens))
    spec.validate()
    spec.optimize(quantization=quantization)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    save_tokenizer(vocabulary, folder / "tokenizer.json")
    features = {"feature_size": 80, "sampling_rate": 16000, "hop_length": MEL_HOP, "chunk_length": 30, "n_fft": 400}
    (folder / "preprocessor_config.json").write_text(json.dumps(features))


def _fill_encoder(spec: Any, w: Arrays) -> None:
    for ours, theirs in (("first", "conv1"), ("second", "conv2")):
        _linear(getattr(spec, theirs), w, f"encoder.{ours}")
    spec.position_encodings.encodings = w["encoder.positions"]
    _norm(spec.layer_norm, w, "encoder.norm")
    for depth, layer in enumerate(spec.layer):
        _fill_layer(layer, w, f"encoder.layers.{depth}", cross=False)


def _fill_decoder(spec: Any, w: Arrays) -> None:
    spec.embeddings.weight = spec.projection.weight = w["decoder.tokens.weight"]
    spec.scale_embeddings = False
    spec.position_encodings.encodings = w["decoder.positions.weight"]
    _norm(spec.layer_norm, w, "decoder.norm")
    for depth, layer in enumerate(spec.layer):
        _fill_layer(layer, w, f"decoder.layers.{depth}", cross=True)


def _fill_layer(spec: Any, w: Arrays, name: str, *, cross: bool) -> None:
    _attention(spec.self_attention, w, f"{name}.self_attention", own=True)
    _norm(spec.self_attention.layer_norm, w, f"{name}.self_norm")
    if cross:
        _attention(spec.attention, w, f"{name}.cross_attention", own=False)
        _norm(spec.attention.layer_norm, w, f"{name}.cross_norm")
    _linear(spec.ffn.linear_0, w, f"{name}.widen")
    _linear(spec.ffn.linear_1, w, f"{name}.narrow")
    _norm(spec.ffn.layer_norm, w, f"{name}.feed_norm")


def _attention(spec: Any, w: Arrays, name: str, *, own: bool) -> None:
    from ctranslate2.converters.utils import fuse_linear
    from ctranslate2.specs.common_spec import LinearSpec

    parts = []
    for part in ("query", "key", "value"):
        parts.append(LinearSpec())
        _linear(parts[-1], w, f"{name}.{part}")
    if own:
        fuse_linear(spec.linear[0], parts)
    else:
        fuse_linear(spec.linear[0], parts[:1])
        fuse_linear(spec.linear[1], parts[1:])
    _linear(spec.linear[-1], w, f"{name}.out")


def _linear(spec: Any, w: Arrays, name: str) -> None:
    spec.weight = w[f"{name}.weight"]
    if f"{name}.bias" in w:
        spec.bias = w[f"{name}.bias"]


def _norm(spec: Any, w: Arrays, name: str) -> None:
    spec.gamma, spec.beta = w[f"{name}.weight"], w[f"{name}.bias"]


# ------------------------------------------------------------ and back


def read_weights(file: Path) -> Arrays:
    """All arrays of a CTranslate2 ``model.bin``, int8 ones multiplied out. Raises ValueError for other files."""
    try:
        arrays = variables(file)
    except NotWhole as error:
        raise ValueError(f"{file}: {error}") from error
    content = file.read_bytes()
    found = {
        one.name: np.frombuffer(content[one.start : one.start + one.length], _TYPES[one.kind]).reshape(one.shape)
        for one in arrays
    }
    out: Arrays = {}
    for name, array in found.items():
        scale = found.get(f"{name}_scale")
        wide = np.array(array, dtype=np.float32)
        if scale is not None:
            wide /= scale.astype(np.float32).reshape(-1, *[1] * (wide.ndim - 1))
        out[name] = wide
    return out


def begin_from(folder: Path, model: WhisperForm, vocabulary: Vocabulary) -> None:
    """Give ``model`` the weights of a folder of the same width; it may have more layers and other characters.

    Added layers pass their input on unchanged and stand before the last one, whose heads are aligned. A folder whose
    features have twice the frame rate is taken too.
    """
    look_locally(model)
    w = read_weights(folder / "model.bin")
    old = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    state = model.state_dict()
    hop = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))["hop_length"]
    for ours, theirs in (("first", "conv1"), ("second", "conv2")):
        _take(state, f"encoder.{ours}", w, f"encoder/{theirs}")
        if 2 * hop == MEL_HOP:
            _skip_every_other(state[f"encoder.{ours}.weight"])
    for side in ("encoder", "decoder"):
        _take_norm(state, f"{side}.norm", w, f"{side}/layer_norm")
        _take_layers(model, side, state, w)
    state["decoder.positions.weight"].copy_(torch.from_numpy(w["decoder/position_encodings/encodings"]))
    place = {token: number for number, token in enumerate(old)}
    for number, token in enumerate(vocabulary.tokens):
        if token in place:
            state["decoder.tokens.weight"][number].copy_(torch.from_numpy(w["decoder/embeddings/weight"][place[token]]))
    model.load_state_dict(state)


def _skip_every_other(kernel: torch.Tensor) -> None:
    """Change a kernel (out, in, 3) in place for input of which every other frame is missing: as it would answer if the
    missing frames were the means of their neighbours."""
    kernel[..., 1] += (kernel[..., 0] + kernel[..., 2]) / 2
    kernel[..., [0, 2]] /= 2


def _take_layers(model: WhisperForm, side: str, state: dict[str, torch.Tensor], w: Arrays) -> None:
    layers: nn.ModuleList = getattr(model, side).layers
    had = 1 + max(int(found[1]) for name in w if (found := re.match(rf"{side}/layer_(\d+)/", name)))
    for depth, layer in enumerate(layers):
        assert isinstance(layer, Layer)
        last = depth == len(layers) - 1
        if depth >= had - 1 and not last:
            layer.start_as_nothing()
            continue
        source = f"{side}/layer_{had - 1 if last else depth}"
        ours = f"{side}.layers.{depth}"
        _take_attention(state, f"{ours}.self_attention", w, f"{source}/self_attention", own=True)
        _take_norm(state, f"{ours}.self_norm", w, f"{source}/self_attention/layer_norm")
        if layer.has_cross:
            _take_attention(state, f"{ours}.cross_attention", w, f"{source}/attention", own=False)
            _take_norm(state, f"{ours}.cross_norm", w, f"{source}/attention/layer_norm")
        _take(state, f"{ours}.widen", w, f"{source}/ffn/linear_0")
        _take(state, f"{ours}.narrow", w, f"{source}/ffn/linear_1")
        _take_norm(state, f"{ours}.feed_norm", w, f"{source}/ffn/layer_norm")


def _take_attention(state: dict[str, torch.Tensor], ours: str, w: Arrays, theirs: str, *, own: bool) -> None:
    if own:
        weight, bias = w[f"{theirs}/linear_0/weight"], w[f"{theirs}/linear_0/bias"]
    else:
        weight = np.concatenate([w[f"{theirs}/linear_{number}/weight"] for number in (0, 1)])
        bias = np.concatenate([w[f"{theirs}/linear_{number}/bias"] for number in (0, 1)])
    for part, rows, shift in zip(("query", "key", "value"), np.split(weight, 3), np.split(bias, 3), strict=True):
        state[f"{ours}.{part}.weight"].copy_(torch.from_numpy(rows))
        if part != "key":
            state[f"{ours}.{part}.bias"].copy_(torch.from_numpy(shift))
    _take(state, f"{ours}.out", w, f"{theirs}/linear_{1 if own else 2}")


def _take(state: dict[str, torch.Tensor], ours: str, w: Arrays, theirs: str) -> None:
    state[f"{ours}.weight"].copy_(torch.from_numpy(w[f"{theirs}/weight"]))
    state[f"{ours}.bias"].copy_(torch.from_numpy(w[f"{theirs}/bias"]))


def _take_norm(state: dict[str, torch.Tensor], ours: str, w: Arrays, theirs: str) -> None:
    state[f"{ours}.weight"].copy_(torch.from_numpy(w[f"{theirs}/gamma"]))
    state[f"{ours}.bias"].copy_(torch.from_numpy(w[f"{theirs}/beta"]))
