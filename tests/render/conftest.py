"""Rendering speaks through libespeak-ng; where that is missing, tests that speak are skipped."""

from __future__ import annotations

import pytest

from monitor.render import espeak


@pytest.fixture(scope="session")
def voices() -> None:
    """Skips where nothing can be spoken, and says how to install it."""
    if why := espeak.missing():
        pytest.skip(why)
