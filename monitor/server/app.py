"""The ASGI application and how it is served.

``serve(parts, host, port)`` runs until it is told to stop; ``create_app(parts)`` is the application alone.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.paths import PACKAGE
from monitor.server import ingest, pages, rest, screens
from monitor.server.auth import Access, AccessError, Guard, require_token
from monitor.server.state import Server, ServerParts

__all__ = ["Access", "AccessError", "ServerParts", "create_app", "require_token", "serve", "uvicorn_config"]

log = logging.getLogger(__name__)

GRACEFUL = 10
"""Seconds that connections have to end after a signal to stop."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)


def create_app(parts: ServerParts) -> FastAPI:
    """The application; its ``state.server`` exists while it runs."""
    parts.static = parts.static or PACKAGE / "web" / "static"
    parts.data_dir.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        server = app.state.server = Server(parts)
        gc.collect()
        gc.freeze()  # what is loaded stays: looking through it again and again would hold up live calls
        if found := server.start():
            log.warning("taking up %d interrupted calls", len(found))
        try:
            yield
        finally:
            gc.unfreeze()
            await server.close()

    app = FastAPI(title="Speech monitor", version=parts.version or "0", lifespan=life)
    for kind, handler in rest.ERRORS.items():
        app.add_exception_handler(kind, handler)
    app.include_router(rest.router)
    app.include_router(ingest.router)
    app.include_router(screens.router)
    app.include_router(pages.router)
    app.add_middleware(Guard, access=parts.access)
    app.add_middleware(SafeHeaders)
    return app


class SafeHeaders:
    """ASGI middleware that adds the headers every answer should have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def uvicorn_config(parts: ServerParts, host: str, port: int, **more: Any) -> uvicorn.Config:
    """How the application is served; raises ``AccessError`` when ``host`` needs a token."""
    require_token(host, parts.access.token)
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_level": "warning",  # its other lines would show tokens in addresses
        "access_log": False,
        "server_header": False,
        "ws_max_size": 4 * parts.settings.max_message,  # up to here the client is told what is wrong
        "ws_per_message_deflate": False,  # audio does not shrink, and ticks are made once for all screens
        "ws_ping_interval": 10.0,  # a client whose network died is noticed, so that it can resume
        "ws_ping_timeout": 20.0,
        "timeout_graceful_shutdown": GRACEFUL,
    }
    return uvicorn.Config(create_app(parts), **(options | more))


class _Uvicorn(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[str, int], None] | None) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: Any = None) -> None:
        """Begin to listen, then tell."""
        await super().startup(sockets)
        if self._listening is not None and self.started:
            for server in self.servers:
                host, port = server.sockets[0].getsockname()[:2]
                self._listening(host, port)
                return


def serve(
    parts: ServerParts, host: str = "127.0.0.1", port: int = 8000, listening: Callable[[str, int], None] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM. ``listening(host, port)`` is called once connections are taken; port 0 takes a
    free one. Raises ``AccessError``."""
    _Uvicorn(uvicorn_config(parts, host, port), listening).run()
