"""Which streaming model a folder holds for sherpa-onnx, and whether its files are whole and of the right kind.

The files are looked at here because sherpa-onnx ends the whole process when a model lacks something it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from monitor.asr import onnxfile, tokens
from monitor.asr.errors import ModelError, NotWhole

TOKENS_FILE = "tokens.txt"
BPE_FILE = "bpe.vocab"


class Form(StrEnum):
    """How a streaming model is built, and so how sherpa-onnx runs it."""

    WENET_CTC = "wenet-ctc"
    ZIPFORMER2_CTC = "zipformer2-ctc"
    TRANSDUCER = "transducer"
    PARAFORMER = "paraformer"


_ZIPFORMER2 = ("encoder_dims query_head_dims value_head_dims num_heads num_encoder_layers cnn_module_kernels "
               "left_context_len T decode_chunk_len")  # fmt: skip
_NEEDED = {
    Form.WENET_CTC: "head num_blocks output_size cnn_module_kernel right_context subsampling_factor vocab_size",
    Form.ZIPFORMER2_CTC: _ZIPFORMER2,
    Form.PARAFORMER: "vocab_size lfr_window_size lfr_window_shift encoder_output_size decoder_num_blocks "
    "decoder_kernel_size neg_mean inv_stddev",
}
_TRANSDUCERS = {
    "zipformer2": _ZIPFORMER2,
    "zipformer": "encoder_dims attention_dims num_encoder_layers cnn_module_kernels left_context_len T "
    "decode_chunk_len",
    "conformer": "num_encoder_layers T decode_chunk_len left_context encoder_dim cnn_module_kernel",
    "lstm": "num_encoder_layers T decode_chunk_len rnn_hidden_size d_model",
    "ebranchformer": "decode_chunk_len T num_hidden_layers hidden_size",
}
"""Remarks that sherpa-onnx reads from a transducer's encoder, by its kind."""

_PARTS = ("encoder", "decoder", "joiner")
_ALONE = "model"


@dataclass(frozen=True, slots=True)
class SherpaFiles:
    """A streaming model: ``parts`` are its ONNX files by their part in it (``encoder``…, or ``model`` alone)."""

    form: Form
    parts: Mapping[str, Path]
    tokens: Path
    bpe_vocab: Path | None
    remarks: Mapping[str, str]
    """What the model, or its encoder, says of itself."""


def choose(names: Iterable[str]) -> dict[str, str] | None:
    """The files of one model among the ``names`` of a folder, by their part in it; None when there is no model.

    Quantised ones are taken where there is a choice, save for a transducer's decoder, which is small anyway.
    """
    files = sorted(name for name in names if name.endswith(".onnx") and "/" not in name)
    by_part: dict[str, dict[str, list[str]]] = {part: {} for part in _PARTS}
    alone: list[str] = []
    for name in files:
        part = next((part for part in _PARTS if part in name.lower()), None)
        if part is None:
            alone.append(name)
        else:
            alike = name.lower().replace(part, "*").replace(".int8", "")
            by_part[part].setdefault(alike, []).append(name)
    for parts in (_PARTS, _PARTS[:2]):
        for alike in by_part["encoder"]:
            if all(alike in by_part[part] for part in parts):
                whole = len(parts) == len(_PARTS)
                return {part: _pick(by_part[part][alike], not (whole and part == "decoder")) for part in parts}
    named = [name for name in alone if name.startswith(("model", "ctc"))] or alone
    return {_ALONE: _pick(named, quantised=True)} if named else None


def _pick(names: list[str], quantised: bool) -> str:
    return next((name for name in names if (".int8" in name) == quantised), names[0])


def find(folder: Path) -> SherpaFiles:
    """The streaming model in ``folder``, its files looked at. Raises ``ModelError``: it names the file and a remedy."""
    chosen = choose(file.name for file in folder.iterdir() if file.is_file())
    if chosen is None:
        raise ModelError(
            f"{folder} holds only a part of a model: an encoder alone, or parts of different models. "
            f"Copy or pull the model again."
        )
    parts = {part: folder / name for part, name in chosen.items()}
    table = _table(folder / TOKENS_FILE)
    remarks = {part: _remarks(file) for part, file in parts.items()}
    first = "encoder" if "encoder" in parts else _ALONE
    form = _form(parts[first], remarks)
    size = remarks["decoder" if form is Form.TRANSDUCER else first].get("vocab_size", "")
    if size.isdecimal() and len(table) < int(size):
        raise ModelError(
            f"{folder / TOKENS_FILE} has {len(table)} tokens, but the model writes {size}: it belongs to another "
            f"model. Copy or pull the model again."
        )
    if form in (Form.WENET_CTC, Form.ZIPFORMER2_CTC) and not set(tokens.BLANKS) & set(table):
        raise ModelError(f"{folder / TOKENS_FILE} has no blank: name its token 0 {tokens.BLANKS[0]}.")
    bpe = folder / BPE_FILE
    return SherpaFiles(form, parts, folder / TOKENS_FILE, bpe if bpe.is_file() else None, remarks[first])


def _table(file: Path) -> list[str]:
    if not file.is_file():
        raise ModelError(
            f"{file.parent} lacks {file.name}, the list of the model's tokens. Copy it from where the model came "
            f"from, or pull the model again."
        )
    with _told(file):
        return tokens.read_tokens(file)


def _remarks(file: Path) -> dict[str, str]:
    with _told(file):
        return onnxfile.metadata(file)


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Tell what is wrong with a file that is read inside, and what to do."""
    try:
        yield
    except NotWhole as problem:
        raise ModelError(f"{file} is damaged: {problem}. Copy or pull the model again.") from None
    except OSError as problem:
        raise ModelError(f"{file} cannot be read: {problem.strerror}.") from problem


def _form(file: Path, remarks: Mapping[str, Mapping[str, str]]) -> Form:
    """The model's form, or ``ModelError`` when it is none that can be run while somebody speaks."""
    if "joiner" in remarks:
        kind = remarks["encoder"].get("model_type", "")
        needed = _TRANSDUCERS.get(kind)
        if needed is None or _lacking(needed, remarks["encoder"]):
            raise _foreign(file, kind)
        if lacking := _lacking("vocab_size context_size", remarks["decoder"]):
            raise ModelError(f"{file.parent} has a decoder without {lacking[0]!r}: it is no transducer's.")
        return Form.TRANSDUCER
    forms = (Form.PARAFORMER,) if "encoder" in remarks else (Form.WENET_CTC, Form.ZIPFORMER2_CTC)
    own = remarks["encoder" if "encoder" in remarks else _ALONE]
    for form in forms:
        if not _lacking(_NEEDED[form], own):
            return form
    raise _foreign(file, own.get("model_type", ""))


def _lacking(needed: str, remarks: Mapping[str, str]) -> list[str]:
    return [key for key in needed.split() if key not in remarks]


def _foreign(file: Path, kind: str) -> ModelError:
    what = f"an ONNX model of kind {kind!r}" if kind else "an ONNX model that does not say what it is"
    return ModelError(
        f"{file} is {what}, not a streaming one that can be run: choose a streaming zipformer, CTC or paraformer "
        f"model of sherpa-onnx ('monitor models list' names some)."
    )
