"""Screens that look on: every message with the moment at which it came; what it says is read afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

Message = tuple[float, str]
"""Moment of arrival (``time.monotonic``) and text."""

LOOK = 0.1
"""Seconds between two looks at whether it is over."""


async def watch(url: str, over: Callable[[], bool], after: float = 0.0) -> list[Message]:
    """One screen, until ``over`` and ``after`` seconds more."""
    seen: list[Message] = []
    looking = asyncio.create_task(look(url, lambda text: seen.append((time.monotonic(), text))))
    while not over() and not looking.done():
        await asyncio.sleep(LOOK)
    await asyncio.sleep(after)
    await stop([looking])
    return seen


async def look(url: str, take: Callable[[str], None]) -> None:
    """A screen that gives every message to ``take``, until it is cancelled or the server goes."""
    async with connect(f"{url}/ws/live", compression=None, max_size=None, max_queue=None, open_timeout=60) as socket:
        await socket.send('{"type":"hello"}')
        with suppress(ConnectionClosed):
            while True:
                take(await socket.recv(decode=True))


async def stop(tasks: list[asyncio.Task[Any]]) -> None:
    """End screens; raises what one of them broke down with."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
