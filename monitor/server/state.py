"""What one server is made of: the parts it is given, and what it builds from them when it starts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection

from monitor.asr.ears import Ears
from monitor.live.calls import Calls
from monitor.live.ending import RolesOf, no_roles
from monitor.live.hub import Hub
from monitor.live.parts import CallsParts, MakeReport
from monitor.live.settings import LiveSettings
from monitor.live.setup import MakeCall, RecogniserLike
from monitor.live.view import Describe
from monitor.live.writer import Writer
from monitor.server.auth import Access
from monitor.server.metrics import Meters
from monitor.store.customers import Customers
from monitor.store.store import Store


def no_packs() -> list[dict[str, Any]]:
    """A server without rules."""
    return []


Figures = Callable[[datetime | None, datetime | None, str | None], dict[str, Any]]
"""The figures of the calls from a time to another, of one pack or of all; raises ``ValueError``."""


def no_figures(*_: object) -> dict[str, Any]:
    """A server that counts nothing."""
    return {"packs": []}


@dataclass(slots=True)
class ServerParts:
    """Everything that a server does not make itself.

    ``make_call`` raises ``SetupError`` for packs it does not know. ``default_packs`` are used for calls that name
    none. ``packs`` lists what ``GET /api/packs`` shows. ``hearing`` is kept with every call. ``static``: the built
    dashboard. ``mask_numbers``: whether personal numbers are hidden in all that is shown and stored.
    """

    make_call: MakeCall
    make_report: MakeReport
    store: Store
    data_dir: Path
    describe: Describe
    recogniser: RecogniserLike | None = None
    settings: LiveSettings = field(default_factory=LiveSettings)
    packs: Callable[[], Sequence[dict[str, Any]]] = no_packs
    default_packs: tuple[str, ...] = ()
    model: str = ""
    hearing: dict[str, float] = field(default_factory=dict)
    version: str = ""
    access: Access = field(default_factory=Access)
    static: Path | None = None
    mask_numbers: bool = True
    roles: RolesOf = no_roles
    figures: Figures = no_figures


def iso_now() -> str:
    """Wall time, UTC, in the form that the store keeps."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Server:
    """The running server; made on its loop, ended by ``close``."""

    def __init__(self, parts: ServerParts) -> None:
        loop = asyncio.get_running_loop()
        self.parts = parts
        self.settings = parts.settings
        self.meters = Meters()
        self.hub = Hub(parts.describe, parts.settings, iso_now)
        self.writer = Writer(parts.store, parts.settings.writer_queue, loop, parts.describe)
        self.folder = parts.data_dir / "calls"
        self.customers = Customers(parts.data_dir)
        self.calls = Calls(
            CallsParts(
                parts.make_call,
                parts.make_report,
                parts.recogniser,
                self.hub,
                self.writer,
                self.folder,
                parts.settings,
                self.meters,
                parts.mask_numbers,
                parts.roles,
            )
        )
        self._began = time.monotonic()
        self._listen(loop)
        self._ticking = loop.create_task(self.hub.run())
        self._gauges()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Screens show when the ears change how they hear."""
        ears = self.parts.recogniser
        if not isinstance(ears, Ears):
            return

        def show() -> None:
            self.hub.hearing(fast_only=ears.fast_only)

        def changed() -> None:
            """In a thread of the ears."""
            with suppress(RuntimeError):  # the loop is closed: nobody looks on any more
                loop.call_soon_threadsafe(show)

        ears.listen(changed)
        show()

    def start(self) -> list[str]:
        """Show what the store remembers and take up interrupted calls; returns their ids."""
        self.hub.seed([dict(alert) for alert in self.parts.store.alerts(limit=self.settings.recent_alerts)])
        return self.calls.recover()

    async def close(self) -> None:
        """Leave live calls on disk to be resumed, write what waits for the store."""
        await self.calls.close()
        self._ticking.cancel()
        await asyncio.to_thread(self.writer.close)

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def live(self) -> int:
        """Calls that are fed or waited for."""
        return len(self.calls.live)

    def lag(self) -> float:
        """Seconds by which the recogniser is behind on the call that suffers most."""
        return max((max(view.lags(), default=0) / view.info.rate for view in self.hub.views.values()), default=0.0)

    def _gauges(self) -> None:
        gauge = self.meters.gauge
        gauge("live_calls", "Calls that are fed or waited for", lambda: self.live)
        gauge("recogniser_lag_seconds", "How far the recogniser is behind on the call that suffers most", self.lag)
        gauge("store_queue", "Batches waiting for the store", lambda: self.writer.waiting)
        gauge("store_failing", "1 while the store cannot be written", lambda: self.writer.failing is not None)
        gauge("store_refused", "Batches that the store would not take", lambda: self.writer.refused)
        gauge("screens", "Screens that look on", lambda: len(self.hub.viewers))
        gauge("screens_queue", "Ticks waiting for the slowest screen", self.hub.slowest)
        if isinstance(ears := self.parts.recogniser, Ears):
            gauge("recogniser_fast_only", "1 while the careful ear cannot follow", lambda: ears.fast_only)
            gauge("finals_fast_alone", "Finals that the fast ear answered alone", lambda: ears.stats.fast_alone)
            gauge("recogniser_busy", "Share of the last minute that the busier ear worked", lambda: ears.stats.busy)
        gauge("finals_outstanding", "Stretches of speech that the recogniser still owes", self.calls.outstanding)


def server_of(connection: HTTPConnection) -> Server:
    """The server that a request or socket came to."""
    server: Server = connection.app.state.server
    return server
