"""What live calls are made of: the parts of the program that they use, and a call in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from monitor.core.masker import Masker
from monitor.core.types import Alert, Chunk, Event
from monitor.live.ending import RolesOf, no_roles
from monitor.live.hub import Hub
from monitor.live.runner import CallFiles, Runner
from monitor.live.settings import LiveSettings
from monitor.live.setup import CallSetupRequest, MakeCall, RecogniserLike
from monitor.live.writer import Writer
from monitor.store.views import CallRow

MakeReport = Callable[[CallSetupRequest, Sequence[Event], int], dict[str, Any]]
"""The report (schema 1) of a call from its request, all its events and its length in samples."""


class Meter(Protocol):
    """Counts what happens, for the metrics page."""

    def alert(self, alert: Alert) -> None: ...

    def latency(self, seconds: float) -> None: ...


@dataclass(slots=True, eq=False)
class Live:
    """A call in memory. ``attached`` is what the source of the call wants to find again when it resumes; ``tail``
    gives the audio that the source still held when no more will come. ``masker`` hides personal numbers in the events
    on their way to store and screens; None where they are to stay."""

    runner: Runner
    files: CallFiles
    connected: bool
    ending: asyncio.Task[None] | None = None
    grace: asyncio.TimerHandle | None = None
    attached: Any = None
    tail: Callable[[], list[Chunk]] | None = None
    masker: Masker | None = None

    @property
    def request(self) -> CallSetupRequest:
        return self.runner.request


@dataclass(slots=True)
class CallsParts:
    """What the calls need from the rest of the program."""

    make_call: MakeCall
    make_report: MakeReport
    recogniser: RecogniserLike | None
    hub: Hub
    writer: Writer
    folder: Path
    settings: LiveSettings
    meter: Meter | None = None
    mask_numbers: bool = True
    roles: RolesOf = no_roles


def call_row(request: CallSetupRequest, files: CallFiles) -> CallRow:
    """A call that has begun, as the store keeps it."""
    return CallRow(
        id=request.id,
        started=request.started,
        rate=request.rate,
        channels=tuple(channel.value for channel in request.channels),
        agent=request.agent,
        direction=request.direction,
        packs=request.packs,
        source=request.source,
        model=request.model,
        version=request.version,
        journal=str(files.journal),
        customer=request.customer,
    )
