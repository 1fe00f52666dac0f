"""Tiny streaming models with random weights, one in each form that sherpa-onnx runs. They write nonsense, always the
same for the same sound, and that is all the tests need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

BINS = 80
WIDTH = 8
CHUNK = 8
"""Frames of 40 ms in one step: 0.32 s."""

WINDOW = CHUNK * 4 + 3 + 6
"""Fbank frames that one step of the zipformers looks at."""

Array = npt.NDArray[Any]
CHARACTERS = "您好请稍等我帮查询一下谢再见的是"


def tokens(words: Sequence[str] = tuple(CHARACTERS), first: Sequence[str] = ("<blk>",)) -> list[str]:
    return [*first, *words]


def write_tokens(folder: Path, table: Sequence[str]) -> None:
    lines = [f"{token} {number}\n" for number, token in enumerate(table)]
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")


class Graph:
    """Collects the parts of an ONNX graph."""

    def __init__(self, seed: int = 7) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, shape: Sequence[Any], kind: int = TensorProto.FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def output(self, name: str, shape: Sequence[Any], kind: int = TensorProto.FLOAT) -> str:
        self.outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def constant(self, value: Array) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, *shape: int, scale: float = 1.0) -> str:
        return self.constant((self.random.standard_normal(shape) * scale).astype(np.float32))

    def op(self, kind: str, *given: str, out: str | None = None, **attributes: Any) -> str:
        name = out or f"step{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(given), [name], **attributes))
        return name

    def save(self, file: Path, **remarks: object) -> None:
        graph = helper.make_graph(self.nodes, "tiny", self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        for key, value in remarks.items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, str(value)
        onnx.checker.check_model(model)
        onnx.save(model, str(file))

    def hear(self, x: str, width: int, *, start: int = 0) -> str:
        """Every fourth of the frames of ``x`` (batch, frames, bins), mean-free and mixed to ``width`` values."""
        ends = [self.constant(np.array([value], np.int64)) for value in (start, start + (CHUNK - 1) * 4 + 1, 1, 4)]
        picked = self.op("Slice", x, ends[0], ends[1], ends[2], ends[3])
        even = self.op("Sub", picked, self.op("ReduceMean", picked, axes=[2], keepdims=1))
        return self.op("Tanh", self.op("MatMul", even, self.weight(BINS, width, scale=0.1)))


def wenet_ctc(folder: Path, table: Sequence[str] | None = None) -> Path:
    """The form of our own fast ear; what it writes depends on what it heard in the steps before, too."""
    table = tokens() if table is None else list(table)
    graph = Graph()
    x = graph.input("x", (1, "T", BINS))
    graph.input("offset", (1,), TensorProto.INT64)
    graph.input("required_cache_size", (1,), TensorProto.INT64)
    attention = graph.input("attn_cache", (1, 1, "C", 2 * WIDTH))
    past = graph.input("conv_cache", (1, 1, WIDTH, 2))
    graph.input("attn_mask", (1, 1, "M"), TensorProto.BOOL)
    hidden = graph.hear(x, WIDTH)
    before = graph.op("ReduceMean", past, axes=[0, 3], keepdims=0)
    hidden = graph.op("Add", hidden, graph.op("Unsqueeze", before, graph.constant(np.array([1], np.int64))))
    logits = graph.op("MatMul", hidden, graph.weight(WIDTH, len(table)))
    graph.op("LogSoftmax", logits, axis=-1, out="log_probs")
    graph.op("Identity", attention, out="next_att_cache")
    summed = graph.op("Reshape", graph.op("ReduceMean", hidden, axes=[1], keepdims=1),
                      graph.constant(np.array([1, 1, WIDTH, 1], np.int64)))  # fmt: skip
    graph.op("Concat", summed, summed, axis=3, out="next_conv_cache")
    graph.output("log_probs", (1, "N", len(table)))
    graph.output("next_att_cache", (1, 1, "C", 2 * WIDTH))
    graph.output("next_conv_cache", (1, 1, WIDTH, 2))
    graph.save(folder / "model.int8.onnx", model_type="tiny", head=1, num_blocks=1, output_size=WIDTH,
               cnn_module_kernel=3, right_context=6, subsampling_factor=4, vocab_size=len(table),
               chunk_size=CHUNK, left_chunks=1)  # fmt: skip
    write_tokens(folder, table)
    return folder


_ZIPFORMER = {"model_type": "zipformer2", "encoder_dims": WIDTH, "query_head_dims": 4, "value_head_dims": 4,
              "num_heads": 1, "num_encoder_layers": 1, "cnn_module_kernels": 3, "left_context_len": 4, "T": WINDOW,
              "decode_chunk_len": CHUNK * 4}  # fmt: skip


def _zipformer_states(graph: Graph) -> tuple[str, Callable[[str], None]]:
    """The states of one zipformer2 layer: all are handed on, one remembers what was heard."""
    shapes: dict[str, tuple[Any, ...]] = {
        "key": (4, "N", 4), "nonlin": (1, "N", 4, WIDTH * 3 // 4), "value1": (4, "N", 4), "value2": (4, "N", 4),
        "conv1": ("N", WIDTH, 1), "conv2": ("N", WIDTH, 1), "embed": ("N", 128, 3, 19), "processed": ("N",),
    }  # fmt: skip
    for name, shape in shapes.items():
        graph.input(name, shape, TensorProto.INT64 if name == "processed" else TensorProto.FLOAT)

    def hand_on(memory: str) -> None:
        for name, shape in shapes.items():
            graph.op("Identity", memory if name == "conv1" else name, out=f"new_{name}")
            graph.output(f"new_{name}", shape, TensorProto.INT64 if name == "processed" else TensorProto.FLOAT)

    return "conv1", hand_on


def _zipformer(graph: Graph) -> tuple[str, Callable[[str], None], str]:
    x = graph.input("x", ("N", WINDOW, BINS))
    memory, hand_on = _zipformer_states(graph)
    hidden = graph.op("Add", graph.hear(x, WIDTH), graph.op("Transpose", memory, perm=[0, 2, 1]))
    mean = graph.op("Transpose", graph.op("ReduceMean", hidden, axes=[1], keepdims=1), perm=[0, 2, 1])
    return hidden, hand_on, mean


def zipformer2_ctc(folder: Path, table: Sequence[str] | None = None) -> Path:
    table = tokens() if table is None else list(table)
    graph = Graph()
    hidden, hand_on, mean = _zipformer(graph)
    logits = graph.op("MatMul", hidden, graph.weight(WIDTH, len(table)))
    graph.op("LogSoftmax", logits, axis=-1, out="log_probs")
    graph.output("log_probs", ("N", CHUNK, len(table)))
    hand_on(mean)
    graph.save(folder / "ctc-epoch-1.int8.onnx", **_ZIPFORMER)
    write_tokens(folder, table)
    return folder


def transducer(folder: Path, table: Sequence[str] | None = None) -> Path:
    table = [*tokens(), "<unk>"] if table is None else list(table)
    graph = Graph()
    hidden, hand_on, mean = _zipformer(graph)
    graph.op("Identity", hidden, out="encoder_out")
    graph.output("encoder_out", ("N", CHUNK, WIDTH))
    hand_on(mean)
    graph.save(folder / "encoder-epoch-1.int8.onnx", **_ZIPFORMER)

    graph = Graph(8)
    y = graph.input("y", ("N", 2), TensorProto.INT64)
    rows = graph.op("Gather", graph.weight(len(table), WIDTH, scale=0.1), y)
    graph.op("ReduceMean", rows, axes=[1], keepdims=0, out="decoder_out")
    graph.output("decoder_out", ("N", WIDTH))
    for name in ("decoder-epoch-1.onnx", "decoder-epoch-1.int8.onnx"):
        graph.save(folder / name, vocab_size=len(table), context_size=2)

    graph = Graph(9)
    both = graph.op("Add", graph.input("encoder_out", ("N", WIDTH)), graph.input("decoder_out", ("N", WIDTH)))
    graph.op("MatMul", both, graph.weight(WIDTH, len(table)), out="logit")
    graph.output("logit", ("N", len(table)))
    graph.save(folder / "joiner-epoch-1.int8.onnx", joiner_dim=WIDTH)
    write_tokens(folder, table)
    return folder


def paraformer(folder: Path, table: Sequence[str] | None = None) -> Path:
    """Fires a token about every third of its frames of 60 ms."""
    table = tokens(first=("<blank>", "<s>", "</s>")) if table is None else list(table)
    graph = Graph()
    x = graph.input("speech", ("N", "T", BINS * 7))
    graph.input("speech_lengths", ("N",), TensorProto.INT32)
    hidden = graph.op("Tanh", graph.op("MatMul", x, graph.weight(BINS * 7, WIDTH, scale=0.02)), out="enc")
    graph.op("Identity", "speech_lengths", out="enc_len")
    weight = graph.op("Sigmoid", graph.op("MatMul", hidden, graph.weight(WIDTH, 1)))
    scaled = graph.op("Mul", weight, graph.constant(np.array(0.6, np.float32)))
    graph.op("Squeeze", scaled, graph.constant(np.array([2], np.int64)), out="alphas")
    graph.output("enc", ("N", "T", WIDTH))
    graph.output("enc_len", ("N",), TensorProto.INT32)
    graph.output("alphas", ("N", "T"))
    graph.save(folder / "encoder.int8.onnx", vocab_size=len(table), lfr_window_size=7, lfr_window_shift=6,
               encoder_output_size=WIDTH, decoder_num_blocks=1, decoder_kernel_size=3,
               neg_mean=",".join(["-8.0"] * BINS * 7), inv_stddev=",".join(["0.2"] * BINS * 7))  # fmt: skip

    graph = Graph(8)
    graph.input("enc", ("N", "T", WIDTH))
    graph.input("enc_len", ("N",), TensorProto.INT32)
    embedding = graph.input("acoustic_embeds", ("N", "K", WIDTH))
    graph.input("acoustic_embeds_len", ("N",), TensorProto.INT32)
    cache = graph.input("in_cache_0", ("N", WIDTH, 2))
    graph.op("MatMul", embedding, graph.weight(WIDTH, len(table)), out="logits")
    graph.op("ArgMax", "logits", axis=2, keepdims=0, out="sample_ids")
    graph.op("Identity", cache, out="out_cache_0")
    graph.output("logits", ("N", "K", len(table)))
    graph.output("sample_ids", ("N", "K"), TensorProto.INT64)
    graph.output("out_cache_0", ("N", WIDTH, 2))
    graph.save(folder / "decoder.int8.onnx")
    write_tokens(folder, table)
    return folder


FORMS: dict[str, Callable[[Path], Path]] = {
    "wenet-ctc": wenet_ctc,
    "zipformer2-ctc": zipformer2_ctc,
    "transducer": transducer,
    "paraformer": paraformer,
}
