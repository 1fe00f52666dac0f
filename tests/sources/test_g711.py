"""G.711 tables against the decoder of a library and the standard's known values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest

from monitor.sources.g711 import a_law, mu_law

ALL = bytes(range(256))


@pytest.mark.parametrize(("decode", "codec"), [(a_law, "pcm_alaw"), (mu_law, "pcm_mulaw")])
def test_every_code_is_decoded_as_by_the_library(decode: Callable[[Any], Any], codec: str) -> None:
    context: Any = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8000, "mono"
    expected = np.concatenate([frame.to_ndarray().ravel() for frame in context.decode(av.Packet(ALL))])
    np.testing.assert_array_equal(decode(ALL), expected)


def test_known_values() -> None:
    assert mu_law(b"\xff\x7f\x00\x80").tolist() == [0, 0, -32124, 32124]
    assert a_law(b"\xd5\x55\x2a\xaa").tolist() == [8, -8, -32256, 32256]


def test_payloads_of_any_kind() -> None:
    signed = np.frombuffer(ALL, np.int8)
    for payload in (bytearray(ALL), memoryview(ALL), signed, signed.view(np.uint8)):
        np.testing.assert_array_equal(a_law(payload), a_law(ALL))
    assert mu_law(b"").shape == (0,) and mu_law(ALL).dtype == np.int16
