"""A client of ``WS /ws/ingest``: feeds a server one call, at any speed, over breaks of the connection.

What the server has not confirmed is kept (at most ``KEEP`` seconds; then sending waits), so that after a break it
goes on at the very sample at which the server stands. Signals carry their time, so a repeated one is known.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from monitor.core.types import Chunk, Signal

KEEP = 60.0
"""Seconds of audio sent and not yet confirmed; beyond them the client waits for the server."""

Items = Iterable[Chunk | Signal] | AsyncIterable[Chunk | Signal]


FIRST_PATIENCE = 5.0
"""Seconds to wait for a server that has not answered yet."""


class StreamError(Exception):
    """The server refused the call or cannot be reached; ``code`` is the server's, or ``unreachable``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Feed:
    """A call to be fed: ``start`` holds the fields of the start message besides type, rate and channels.

    ``speed``: 1 in real time, 0 as fast as the server takes it. ``patience``: seconds to go on trying to reach the
    server after a break. ``tell`` gets every message of the server.
    """

    url: str
    call: str
    rate: int
    channels: int
    start: dict[str, Any] = field(default_factory=dict)
    speed: float = 1.0
    token: str | None = None
    patience: float = 30.0
    tell: Callable[[dict[str, Any]], None] | None = None


async def stream(feed: Feed, items: Items) -> dict[str, Any]:
    """Send everything, then stop; returns the server's ``done``. Raises ``StreamError``."""
    return await _Streamer(feed).run(_each(items))


class _Streamer:
    """One call on its way. ``_kept`` holds what was sent or is about to be, from the last confirmed sample on."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._kept: deque[Chunk | Signal] = deque()
        self._sent = 0  # items of _kept that went out on the present connection
        self._heard = 0
        self._position = 0
        self._confirmed = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._began: float | None = None
        self._pulling: asyncio.Task[Chunk | Signal | None] | None = None
        self._stopped = False
        self._met = False

    async def run(self, items: AsyncIterator[Chunk | Signal]) -> dict[str, Any]:
        """Connect as often as it takes."""
        last = self._clock()
        while True:
            try:
                async with self._connect() as socket:
                    heard_before = self._heard
                    try:
                        return await self._talk(socket, items)
                    finally:
                        if self._heard > heard_before:
                            last = self._clock()
            except StreamError as error:
                if error.code == "call_over" and self._stopped:  # it took the stop, only its word was lost
                    return {"type": "done", "call": self._feed.call, "report": f"/api/calls/{self._feed.call}/report"}
                if error.code not in ("call_live", "restarting"):
                    raise
                problem: Exception = error
            except (OSError, ConnectionClosed) as error:
                problem = error
            # A server that was never there is more likely misspelt than restarting.
            patience = self._feed.patience if self._met else min(self._feed.patience, FIRST_PATIENCE)
            if self._clock() - last > patience:
                raise StreamError("unreachable", f"{self._feed.url}: {problem}") from problem
            await asyncio.sleep(0.2)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[ClientConnection]:
        feed = self._feed
        headers = {"Authorization": f"Bearer {feed.token}"} if feed.token else None
        connection = connect(
            feed.url, additional_headers=headers, compression=None, max_queue=64, open_timeout=feed.patience or 1
        )
        async with AsyncExitStack() as stack:
            try:
                socket = await stack.enter_async_context(connection)
            except InvalidStatus as error:
                reason = (error.response.body or b"").decode("utf-8", "replace")[:500]
                if error.response.status_code >= 500:  # it is starting or stopping
                    raise ConnectionError(reason) from error
                raise StreamError("refused", f"{feed.url}: {error.response.status_code} {reason}") from error
            except (InvalidMessage, TimeoutError) as error:
                raise ConnectionError(f"{feed.url}: {error}") from error
            yield socket

    async def _talk(self, socket: ClientConnection, items: AsyncIterator[Chunk | Signal]) -> dict[str, Any]:
        feed = self._feed
        told = {"speed": feed.speed, **feed.start}
        start = {"type": "start", "call": feed.call, "rate": feed.rate, "channels": feed.channels, **told}
        await socket.send(json.dumps(start))
        self._confirm(int(self._understand(await socket.recv())["heard"]))
        self._met = True
        self._sent, self._position = 0, self._heard
        answers = asyncio.create_task(self._listen(socket))
        sending = asyncio.create_task(self._send_all(socket, items))
        try:
            await asyncio.wait({answers, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not answers.done() and sending.exception() is None:
                self._stopped = True
                await socket.send('{"type":"stop"}')
            elif sending.done() and sending.exception() is not None and not answers.done():
                await asyncio.wait({answers}, timeout=1.0)  # the server's own words are the better reason
                if not answers.done():
                    sending.result()
            return await answers
        finally:
            for task in (answers, sending):
                task.cancel()
            await asyncio.gather(answers, sending, return_exceptions=True)

    async def _listen(self, socket: ClientConnection) -> dict[str, Any]:
        while True:
            message = self._understand(await socket.recv())
            if message["type"] == "heard":
                self._confirm(int(message["frames"]))
            elif message["type"] == "done":
                return message

    def _understand(self, text: str | bytes) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(text)
        if self._feed.tell is not None:
            self._feed.tell(message)
        if message["type"] == "error":
            raise StreamError(message["code"], message["message"])
        return message

    def _confirm(self, heard: int) -> None:
        """The server has everything before ``heard``, and what was sent before its last chunk: let that go."""
        self._heard = heard
        done = 0
        for count, item in enumerate(self._kept, 1):
            if isinstance(item, Chunk):
                if item.start + len(item.samples) > heard:
                    break
                done = count
        for _ in range(done):
            self._kept.popleft()
        self._sent = max(0, self._sent - done)
        self._confirmed.set()

    async def _send_all(self, socket: ClientConnection, items: AsyncIterator[Chunk | Signal]) -> None:
        while True:
            while self._sent < len(self._kept):
                item = self._kept[self._sent]
                await self._pace(item)
                await self._send(socket, item)
                self._sent += 1
            while self._unconfirmed() > KEEP:
                self._confirmed.clear()
                await self._confirmed.wait()
            if self._pulling is None:
                self._pulling = asyncio.create_task(_pull(items))
            following = await asyncio.shield(self._pulling)  # a lost connection must not break the source
            if following is None:
                return
            self._pulling = None
            self._kept.append(following)

    def _unconfirmed(self) -> float:
        return (self._position - self._heard) / self._feed.rate

    async def _pace(self, item: Chunk | Signal) -> None:
        """Wait until the audio would have been spoken; after a break what is overdue goes out at once."""
        if not self._feed.speed:
            return
        end = item.start + len(item.samples) if isinstance(item, Chunk) else item.at
        if self._began is None:
            self._began = self._clock()
        due = self._began + end / self._feed.rate / self._feed.speed
        if (wait := due - self._clock()) > 0:
            await asyncio.sleep(wait)

    async def _send(self, socket: ClientConnection, item: Chunk | Signal) -> None:
        if isinstance(item, Signal):
            data: dict[str, Any] = {"type": "signal", "signal": item.signal.value, "at": item.at / self._feed.rate}
            data |= {"by": item.by.value} if item.by is not None else {}
            data |= {"digit": item.digit} if item.digit is not None else {}
            await socket.send(json.dumps(data))
            return
        fresh = item.samples[max(0, self._position - item.start) :]
        if not len(fresh):
            return
        start = item.start + len(item.samples) - len(fresh)
        if start != self._position:
            await socket.send(json.dumps({"type": "at", "frames": start}))
        await socket.send(np.ascontiguousarray(fresh, dtype="<i2").tobytes())
        self._position = start + len(fresh)


async def _pull(items: AsyncIterator[Chunk | Signal]) -> Chunk | Signal | None:
    return await anext(items, None)


async def _each(items: Items) -> AsyncIterator[Chunk | Signal]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
        return
    for item in items:
        yield item
