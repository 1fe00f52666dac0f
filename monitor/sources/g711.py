"""ITU-T G.711, the two codes of telephony: one byte a sample, 8000 samples a second."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.core.types import Samples

Payload = bytes | bytearray | memoryview | npt.NDArray[np.uint8] | npt.NDArray[np.int8]


def _mu_law_value(code: int) -> int:
    """G.711 table 2a/2b: all bits inverted; sign, 3 bits of segment, 4 of step; 14 bits wide, here scaled
    to 16."""
    bits = ~code & 0xFF
    segment, step = (bits >> 4) & 7, bits & 15
    magnitude = (((step << 3) + 0x84) << segment) - 0x84
    return -magnitude if bits & 0x80 else magnitude


def _a_law_value(code: int) -> int:
    """G.711 table 1a/1b: even bits inverted; sign, 3 bits of segment, 4 of step; 13 bits wide, here scaled
    to 16."""
    bits = code ^ 0x55
    segment, step = (bits >> 4) & 7, bits & 15
    magnitude = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return magnitude if bits & 0x80 else -magnitude


_MU_LAW: Samples = np.array([_mu_law_value(code) for code in range(256)], dtype=np.int16)
_A_LAW: Samples = np.array([_a_law_value(code) for code in range(256)], dtype=np.int16)


def mu_law(payload: Payload) -> Samples:
    """Bytes of µ-law (North America, Japan) as int16 of the same length."""
    return _MU_LAW[_codes(payload)]


def a_law(payload: Payload) -> Samples:
    """Bytes of A-law (Europe, China) as int16 of the same length."""
    return _A_LAW[_codes(payload)]


def _codes(payload: Payload) -> npt.NDArray[np.uint8]:
    if isinstance(payload, np.ndarray):
        return payload.view(np.uint8)
    return np.frombuffer(payload, dtype=np.uint8)
