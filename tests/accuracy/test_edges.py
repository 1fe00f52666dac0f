"""Speech starts and ends where it does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.accuracy.calls import DEMO, Edge, Heard, demo, distribution, edges, hear, strays
from tests.accuracy.corpus import Line

WITHIN = 0.05


def offsets(found: list[Edge]) -> list[float]:
    """All starts and ends, seconds off."""
    return [value for edge in found for value in (edge.start, edge.end) if value is not None]


def share(values: list[float]) -> float:
    return float(np.mean(np.abs(values) <= WITHIN))


def told(name: str, found: list[Edge]) -> None:
    starts = [e.start for e in found if e.start is not None]
    ends = [e.end for e in found if e.end is not None]
    print(f"{name}: {share(offsets(found)):.1%} within 50 ms")
    print(f"   starts, ms  {distribution(starts)}\n   ends, ms    {distribution(ends)}")


def test_on_quiet_lines_every_edge_is_within_50_ms(clean: dict[Line, Heard]) -> None:
    found = [edge for heard in clean.values() for edge in edges(heard)]
    for line, heard in clean.items():
        told(str(line), edges(heard))
    told("all quiet lines", found)
    assert all(edge.start is not None for edge in found), "an utterance was not heard"
    assert max(map(abs, offsets(found))) <= WITHIN
    assert {str(line): strays(heard) for line, heard in clean.items() if strays(heard)} == {}


def test_in_an_office_every_utterance_is_heard(noisy: dict[Line, Heard]) -> None:
    for line, heard in noisy.items():
        told(str(line), edges(heard))
        print(f"   where nobody spoke: {strays(heard)}")
        assert all(edge.start is not None for edge in edges(heard)), line


@pytest.mark.parametrize(("snr", "least"), [(20, 0.9), (15, 0.7)])
def test_in_an_office_most_edges_are_within_50_ms(noisy: dict[Line, Heard], snr: int, least: float) -> None:
    found = [edge for line, heard in noisy.items() if line.snr == snr for edge in edges(heard)]
    told(f"office at {snr} dB SNR", found)
    assert share(offsets(found)) >= least


@pytest.mark.parametrize("stem", sorted(path.stem for path in DEMO.glob("*.flac")))
def test_on_the_demo_calls_every_edge_is_within_50_ms(stem: str) -> None:
    heard = hear(demo(stem), words=False)
    found = edges(heard)
    told(stem, found)
    assert all(edge.start is not None for edge in found)
    assert max(map(abs, offsets(found))) <= WITHIN
    assert strays(heard) == []
