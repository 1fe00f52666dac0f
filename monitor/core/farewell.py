"""How long somebody waited after the farewell before hanging up."""

from __future__ import annotations

from collections.abc import Callable

from monitor.core.derive import Context, Deriver
from monitor.core.rulebook import Happening, Occurrence
from monitor.core.types import Channel, Quality

HEARD_SECONDS = 15.0
"""Without a farewell, it was missed in so much time before the end."""


class Farewells(Deriver):
    """``farewell_wait``: from the last farewell of either side to the hang-up, by who hung up; 0 without a farewell.

    Not known where telephony does not say who hung up, or where words of that time were not heard: ``unheard`` says
    why a stretch is doubtful (start, end), empty when it is not.
    """

    def __init__(self, context: Context, farewell: frozenset[str], unheard: Callable[[int, int], str]) -> None:
        super().__init__(context)
        self._farewell = frozenset(f"say:{name}" for name in farewell)
        self._unheard = unheard
        self._last: int | None = None
        self._over = False

    def see(self, seen: Occurrence) -> None:
        if self._over:
            return
        if seen.name in self._farewell and not seen.faint:
            self._last = max(self._last or 0, seen.end)
        elif seen.name == Happening.ENDED:
            self._over = True
            self._ended(seen.start, seen.by)

    def _ended(self, at: int, by: Channel | None) -> None:
        start = at if self._last is None else min(self._last, at)
        listened = max(0, at - self.c.samples(HEARD_SECONDS)) if self._last is None else start
        if by is None or self._unheard(listened, at):
            now = self.c.stream.position
            self.c.emit(Occurrence("farewell_wait", by, start, at, now, quality=Quality.UNKNOWN))
            return
        self.measured("farewell_wait", by, start, at, self.c.seconds(at - start))
