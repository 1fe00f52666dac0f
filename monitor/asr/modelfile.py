"""Looks into a CTranslate2 ``model.bin`` without loading it: what kind of model, and is the file whole?"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from monitor.asr.errors import NotWhole

OLDEST, NEWEST = 5, 6
"""Versions of the binary layout whose records are walked; others are left to the loader to judge."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An array in the file: ``length`` bytes at ``start``; ``kind`` is CTranslate2's number of the data type."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int
    length: int


def model_kind(file: Path) -> str:
    """The name of the model's specification, e.g. ``WhisperSpec``, after walking all records of the file.

    Raises ``NotWhole`` with the reason.
    """
    with file.open("rb") as stream:
        version, kind = _beginning(stream)
        if OLDEST <= version <= NEWEST:
            for _ in _walk(stream, file.stat().st_size):
                pass
    return kind


def variables(file: Path) -> list[Variable]:
    """All arrays of the file. Raises ``NotWhole``, also for layouts that are not known."""
    with file.open("rb") as stream:
        version, _ = _beginning(stream)
        if not OLDEST <= version <= NEWEST:
            raise NotWhole(f"its layout {version} is not known")
        return list(_walk(stream, file.stat().st_size))


def _beginning(stream: BinaryIO) -> tuple[int, str]:
    """The version of the layout and the kind of model."""
    (version,) = _numbers(stream, "<I")
    if not 1 <= version <= 64:  # the first bytes of other files read as huge numbers
        raise NotWhole("it does not begin like a CTranslate2 model")
    kind = _text(stream)
    if not kind.isidentifier():
        raise NotWhole("it does not begin like a CTranslate2 model")
    return version, kind


def _walk(stream: BinaryIO, size: int) -> Iterator[Variable]:
    _revision, count = _numbers(stream, "<II")
    for _ in range(count):
        name = _text(stream)
        (rank,) = _numbers(stream, "<B")
        *shape, kind, length = _numbers(stream, f"<{rank}IBI")
        start = stream.tell()
        if start + length > size:
            raise NotWhole(f"it ends inside {name!r} at byte {size}")
        yield Variable(name, tuple(shape), kind, start, length)
        stream.seek(start + length)


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
