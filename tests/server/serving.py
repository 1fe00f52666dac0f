"""A real server on a free port, in a thread, for tests that need sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn

from monitor.live.settings import LiveSettings
from monitor.server.app import ServerParts, uvicorn_config
from monitor.server.state import Server
from monitor.store.store import Store
from tests.live.fakes import describe, make_call, make_report

T = TypeVar("T")
QUICK = LiveSettings(resume_grace=0.3, finals_wait=0.5, linger=0.2, start_timeout=0.3, tick=0.01, rate_check=0.2)
"""Short waits; a test that needs another one says so."""


def parts_in(folder: Path, **more: Any) -> ServerParts:
    """Parts with the fakes and a store in ``folder``."""
    fields: dict[str, Any] = {
        "make_call": make_call,
        "make_report": make_report,
        "store": Store(f"sqlite:///{folder / 'monitor.sqlite'}"),
        "data_dir": folder,
        "describe": describe,
        "settings": QUICK,
        "default_packs": ("test",),
        "version": "test",
    }
    return ServerParts(**(fields | more))


@dataclass(slots=True)
class Served:
    """A running server as a test sees it."""

    port: int
    server: Server
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def get(self, path: str, **more: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return httpx.post(self.url + path, timeout=10, **more)

    def on_loop(self, action: Callable[[], T]) -> T:
        """Do something in the server's thread."""

        async def act() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(10)

    def settled(self) -> None:
        """Wait until no call is being ended, rebuilt or packed."""
        asyncio.run_coroutine_threadsafe(self.server.calls.settled(), self.loop).result(10)


@contextmanager
def serving(parts: ServerParts, **more: Any) -> Iterator[Served]:
    """Serve until the test is done with it."""
    config = uvicorn_config(parts, "127.0.0.1", 0, **more)
    app: Any = config.app
    server = uvicorn.Server(config)
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        found["loop"] = asyncio.get_running_loop()
        serve = asyncio.create_task(server.serve())
        while not server.started and not serve.done():
            await asyncio.sleep(0.005)
        if server.started:
            found["port"] = server.servers[0].sockets[0].getsockname()[1]
        ready.set()
        await serve

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(20), "the server did not start"
    try:
        yield Served(found["port"], app.state.server, found["loop"])
    finally:
        server.should_exit = True
        thread.join(20)
        parts.store.close()
        assert not thread.is_alive(), "the server did not stop"
