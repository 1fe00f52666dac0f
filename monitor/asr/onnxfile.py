"""Looks into an ONNX file without loading it: is it whole, and what does it say of itself?

An ONNX file is one protobuf message. Its outermost fields are walked: the graph is one long field, so that a file
that ends too early is found by its length, and what follows the graph is only a few small fields.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from monitor.asr.errors import NotWhole

GRAPH = 7
METADATA = 14
LAST_FIELD = 25
"""Fields of ONNX's ``ModelProto``; numbers beyond the last are no ONNX model."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

LFS_POINTER = b"version https://git-lfs"


def metadata(file: Path) -> dict[str, str]:
    """The model's own remarks, e.g. ``{"model_type": "zipformer2", "T": "45"}``.

    Raises ``NotWhole`` with the reason, ``OSError`` when the file cannot be read.
    """
    size = file.stat().st_size
    found: dict[str, str] = {}
    graph = False
    with file.open("rb") as stream:
        if stream.read(len(LFS_POINTER)) == LFS_POINTER:
            raise NotWhole("it is only a Git LFS pointer, and the model itself was never fetched ('git lfs pull')")
        stream.seek(0)
        while stream.tell() < size:
            number, kind = _tag(stream)
            if kind != _BYTES:
                _skip(stream, kind, size)
                continue
            length = _varint(stream)
            if stream.tell() + length > size:
                raise NotWhole(f"it ends at byte {size} and should have {stream.tell() + length}")
            if number == METADATA:
                key, value = _pair(stream.read(length))
                found[key] = value
            else:
                graph = graph or number == GRAPH
                stream.seek(length, 1)
    if not graph:
        raise NotWhole("it holds no ONNX graph")
    return found


def _tag(stream: BinaryIO) -> tuple[int, int]:
    tag = _varint(stream)
    number, kind = tag >> 3, tag & 7
    if not 1 <= number <= LAST_FIELD or kind not in (_VARINT, _FIXED64, _BYTES, _FIXED32):
        raise NotWhole("it is no ONNX model")
    return number, kind


def _skip(stream: BinaryIO, kind: int, size: int) -> None:
    if kind == _VARINT:
        _varint(stream)
        return
    stream.seek(8 if kind == _FIXED64 else 4, 1)
    if stream.tell() > size:
        raise NotWhole(f"it ends at byte {size}")


def _varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise NotWhole(f"it ends at byte {stream.tell()}")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise NotWhole("it is no ONNX model")


def _pair(data: bytes) -> tuple[str, str]:
    """Key and value of one ``StringStringEntryProto``."""
    parts = {1: b"", 2: b""}
    at = 0
    while at < len(data):
        number, at = _number(data, at)
        length, at = _number(data, at)
        if number & 7 != _BYTES or at + length > len(data):
            raise NotWhole("its metadata are garbled")
        parts[number >> 3] = data[at : at + length]
        at += length
    return parts[1].decode("utf-8", errors="replace"), parts[2].decode("utf-8", errors="replace")


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise NotWhole("its metadata are garbled")
