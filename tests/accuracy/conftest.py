"""Calls that several tests measure: rendered once, heard once. Without espeak-ng they are skipped."""

from __future__ import annotations

import pytest

from monitor.render import espeak
from tests.accuracy.calls import Heard, hear
from tests.accuracy.corpus import LINES, Line, spoken_on


@pytest.fixture(scope="session")
def voices() -> None:
    """Skips where nothing can be spoken, and says how to install it."""
    if why := espeak.missing():
        pytest.skip(why)


@pytest.fixture(scope="session")
def clean(voices: None) -> dict[Line, Heard]:
    """Calls on quiet lines with the words of the truth."""
    return {line: hear(spoken_on(line)) for line in LINES if line.snr is None}


@pytest.fixture(scope="session")
def noisy(voices: None) -> dict[Line, Heard]:
    """The same in an office, 15 and 20 dB above its noise."""
    return {line: hear(spoken_on(line)) for line in LINES if line.snr is not None}
