"""What every speech recogniser offers, whatever runs inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from monitor.core.types import AsrRequest, Hypothesis


@runtime_checkable
class Engine(Protocol):
    """Turns requests into words. Used by one thread at a time."""

    name: str
    """Shown to people and written into journals, e.g. ``zh-careful``."""

    rate: int
    """Samples a second that the model works on; requests of other rates are resampled inside."""

    batch: int
    """How many requests are worth handing over together."""

    def load(self) -> None:
        """Make ready; a second call does nothing. Raises ``ModelError`` when the model cannot be used."""

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """One hypothesis for each request, in the same order.

        Never raises: a request that cannot be answered gets ``Hypothesis(failed=reason)``. Words are in call
        positions, in order, and lie within ``start``..``end`` of their request.
        """
