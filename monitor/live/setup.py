"""What is known of a call before its first sample, and what the live side needs of the core and the recogniser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitor.core.types import AsrRequest, Channel, Event, Hypothesis, Input

CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A call id is a file name too."""


class SetupError(Exception):
    """A call cannot be begun as asked; ``code`` is for programs, the message names the thing and the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class CallSetupRequest:
    """A call to be made: its nature at the call's own rate, and how its client sends it.

    ``signalled``: telephony will send signals, so that nothing about ringing and answering need be guessed;
    ``queue`` and ``tags`` scope rules; with ``find_tags`` the live side finds the tags in the store before the call
    begins. ``customer`` is the digest of who is called or calls, never the number itself. ``started`` is the ISO wall
    time of position 0. ``client`` keeps what a resuming client must repeat: its rate, channels and which side the
    agent is on. ``hearing``: what decided which
    stretches were recognised (``Config.hearing``), since a rebuild must ask for the same.
    """

    id: str
    rate: int
    channels: tuple[Channel, ...]
    direction: str = "inbound"
    agent: str | None = None
    packs: tuple[str, ...] = ()
    source: str = ""
    started: str = ""
    model: str = ""
    version: str = ""
    recognise: bool = False
    signalled: bool = False
    queue: str | None = None
    tags: tuple[str, ...] = ()
    find_tags: bool = False
    customer: str | None = None
    client: dict[str, Any] = field(default_factory=dict, hash=False)
    hearing: dict[str, float] = field(default_factory=dict, hash=False)

    def header(self) -> dict[str, Any]:
        """The journal's header."""
        return {
            "call": self.id,
            "started": self.started,
            "rate": self.rate,
            "channels": [channel.value for channel in self.channels],
            "direction": self.direction,
            "agent": self.agent,
            "packs": list(self.packs),
            "model": self.model,
            "version": self.version,
            "source": self.source,
            "recognise": self.recognise,
            "signalled": self.signalled,
            "queue": self.queue,
            "tags": list(self.tags),
            "customer": self.customer,
            "client": self.client,
            "hearing": self.hearing,
        }

    @classmethod
    def from_header(cls, data: dict[str, Any]) -> CallSetupRequest:
        """The request whose journal this is; raises ``KeyError`` or ``ValueError`` for a foreign header."""
        return cls(
            id=data["call"],
            rate=data["rate"],
            channels=tuple(Channel(name) for name in data["channels"]),
            direction=data["direction"],
            agent=data["agent"],
            packs=tuple(data["packs"]),
            source=data["source"],
            started=data["started"],
            model=data["model"],
            version=data["version"],
            recognise=data.get("recognise", False),
            signalled=data.get("signalled", False),
            queue=data.get("queue"),
            tags=tuple(data.get("tags", ())),
            customer=data.get("customer"),
            client=data.get("client", {}),
            hearing=data.get("hearing", {}),
        )


class CallLike(Protocol):
    """The core's ``Call``, as the runner uses it."""

    @property
    def position(self) -> int: ...

    def feed(self, item: Input) -> list[Event]: ...

    def requests(self) -> list[AsrRequest]: ...

    def close_audio(self) -> list[Event]: ...

    def finish(self) -> list[Event]: ...


class RecogniserLike(Protocol):
    """The shared recogniser: ``reply`` is called in its own thread."""

    def submit(self, call_id: str, request: AsrRequest, reply: Callable[[Hypothesis], None]) -> None: ...


MakeCall = Callable[[CallSetupRequest], CallLike]
"""Builds the core's call; raises ``SetupError`` for unknown packs."""
