"""Work that goes on beside the calls: tasks and timers that end with the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from monitor.live.runner import CallFailed

log = logging.getLogger(__name__)


class Chores:
    """Tasks and timers of one loop; none is forgotten, and none outlives ``close``."""

    def __init__(self) -> None:
        self.closing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task; what it raises is logged, unless the call's end has told of it already."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, CallFailed):
            log.error("a task of the live calls failed", exc_info=error)

    def later(self, seconds: float, action: Callable[[], object]) -> asyncio.TimerHandle | None:
        """Do something after a while; None when everything is ending."""
        if self.closing:
            return None

        def act() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(seconds, act)
        self._timers.add(timer)
        return timer

    async def settled(self) -> None:
        """Wait until no task is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Cancel what is left."""
        self.closing = True
        for timer in self._timers:
            timer.cancel()
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
