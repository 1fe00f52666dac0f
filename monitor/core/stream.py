"""Occurrences in the order of the call, whatever the order in which they become known.

Words come late and by their own clock; sounds come at once. A stream takes both, holds them until its watermark
says that nothing earlier can come any more, and then gives them out in one fixed order. What a rule sees is
therefore the same however slow the recogniser was.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from monitor.core.rulebook import Occurrence

Wake = Callable[[int], None]
"""What a timer calls, with the position it was set for."""


class Stream:
    """A queue of occurrences and timers that is emptied up to a watermark.

    At one position occurrences come before timers, so that what happens on the deadline is still in time.
    Bounded by what a call can say within the longest recognition lag; nothing is ever dropped from it.
    """

    def __init__(self) -> None:
        self._queue: list[tuple[tuple[int, int, str, str, int], int, Occurrence | Wake]] = []
        self._count = 0
        self.position = 0

    def put(self, seen: Occurrence, *, in_order: bool = False) -> None:
        """Add an occurrence; its place is ``known`` (never before what was already given out).

        Those that come ``in_order`` keep their order at one place, and stand before others there.
        """
        place = max(seen.known, self.position)
        rest = ("", "", self._count) if in_order else (seen.name, seen.by or "", seen.start)
        self._push((place, 0, *rest), seen)

    def wake(self, at: int, rank: str, call: Wake) -> None:
        """Call back when everything up to and including ``at`` has been given out; ``rank`` breaks ties."""
        self._push((max(at, self.position), 1, rank, "", at), call)

    def _push(self, key: tuple[int, int, str, str, int], item: Occurrence | Wake) -> None:
        self._count += 1
        heapq.heappush(self._queue, (key, self._count, item))

    def until(self, watermark: int) -> Iterator[Occurrence]:
        """Give out everything placed before ``watermark``; timers are called in their turn."""
        while self._queue and self._queue[0][0][0] < watermark:
            key, _, item = heapq.heappop(self._queue)
            self.position = key[0]
            if isinstance(item, Occurrence):
                yield item
            else:
                item(key[4])
        self.position = max(self.position, watermark)
