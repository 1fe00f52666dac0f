"""Looks into a CTranslate2 ``model.bin`` without loading it: what kind of model, and is the file whole?"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

OLDEST, NEWEST = 5, 6
"""Versions of the binary layout whose records are walked; others are left to the loader to judge."""


class NotWhole(Exception):
    """The file ends inside a record or is no CTranslate2 model at all."""


def model_kind(file: Path) -> str:
    """The name of the model's specification, e.g. ``WhisperSpec``, after walking all records of the file.

    Raises ``NotWhole`` with the reason.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        (version,) = _numbers(stream, "<I")
        if not 1 <= version <= 64:  # the first bytes of other files read as huge numbers
            raise NotWhole("it does not begin like a CTranslate2 model")
        kind = _text(stream)
        if not kind.isidentifier():
            raise NotWhole("it does not begin like a CTranslate2 model")
        if OLDEST <= version <= NEWEST:
            _walk(stream, size)
    return kind


def _walk(stream: BinaryIO, size: int) -> None:
    _revision, variables = _numbers(stream, "<II")
    for _ in range(variables):
        name = _text(stream)
        (rank,) = _numbers(stream, "<B")
        *_shape, _dtype, length = _numbers(stream, f"<{rank}IBI")
        if stream.tell() + length > size:
            raise NotWhole(f"it ends inside {name!r} at byte {size}")
        stream.seek(length, 1)


def _text(stream: BinaryIO) -> str:
    (length,) = _numbers(stream, "<H")
    return _take(stream, length).rstrip(b"\0").decode("utf-8", errors="replace")


def _numbers(stream: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, _take(stream, struct.calcsize(form)))


def _take(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise NotWhole(f"it ends at byte {stream.tell()}")
    return data
