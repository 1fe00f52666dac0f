"""A second look at the header of a WAV file, for what the decoder passes over: wrong sizes and wrong
rates."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000)
"""What writers put for a length that they did not know yet."""

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


@dataclass(frozen=True, slots=True)
class WavHeader:
    """``byte_rate`` and ``block`` (bytes a row) as declared; ``missing`` bytes of the declared audio data."""

    code: int
    channels: int
    rate: int
    byte_rate: int
    block: int
    missing: int

    @property
    def other_rate(self) -> int | None:
        """The rate that follows from the bytes a second, when it is another than the declared one."""
        if self.code not in (PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE) or not self.byte_rate or not self.block:
            return None
        implied = self.byte_rate / self.block
        return None if abs(implied - self.rate) < 1 else round(implied)

    @property
    def missing_seconds(self) -> float:
        """How much of the declared audio is not in the file."""
        return self.missing / (self.rate * self.block) if self.rate * self.block else 0.0


def read_wav_header(path: Path) -> WavHeader | None:
    """The header of a RIFF WAVE file; None for every other file, or when it has no format before its data."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"WAVE":
            return None
        form: tuple[int, int, int, int, int] | None = None
        while len(head := file.read(8)) == 8:
            name, length = head[:4], int.from_bytes(head[4:], "little")
            if name == b"data":
                if form is None:
                    return None
                missing = 0 if length in UNKNOWN_SIZES else max(0, file.tell() + length - size)
                return WavHeader(*form, missing)
            if name == b"fmt ":
                body = file.read(length)
                if len(body) < 16:
                    return None
                form = struct.unpack("<HHIIH", body[:14])
                file.seek(length % 2, 1)
            else:
                file.seek(length + length % 2, 1)
    return None
