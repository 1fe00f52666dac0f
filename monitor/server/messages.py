"""The JSON messages of ``/ws/ingest``, checked at the edge; each error names the field and the remedy."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

CODES = {"rate": "bad_rate", "channels": "bad_channels", "call": "bad_call_id", "packs": "bad_packs"}
"""The error code by the field at fault; others are ``bad_message``."""


class MessageError(Exception):
    """A message cannot be understood; ``code`` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Tag = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
SECRET = frozenset({"customer"})
"""Fields whose value is never said again."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Start(_Message):
    """The first message. ``speed``: how fast the audio will come; 1 is live, 0 as fast as it can. ``signalled``:
    the client tells of ringing, answering and holding, so none of it need be guessed from the sound. ``tags``: left
    out, the server finds them by the ``customer``."""

    type: Literal["start"]
    call: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="letters, digits and . _ -, at most 100"
    )
    rate: int = Field(ge=8000, le=48000, description="samples a second, 8000 to 48000")
    channels: Literal[1, 2] = Field(description="1 (both sides mixed) or 2")
    agent: str | None = Field(None, max_length=200, description="a name of at most 200 characters")
    direction: Literal["inbound", "outbound"] = "inbound"
    packs: Annotated[list[str], Field(max_length=50)] | None = Field(None, description="a list of pack ids")
    agent_side: Literal["left", "right"] = "left"
    mixed: bool | None = Field(None, description="true when both channels carry both sides")
    device: str | None = Field(None, max_length=200)
    source: str | None = Field(None, max_length=500)
    signalled: bool = False
    queue: str | None = Field(None, max_length=200)
    speed: float = Field(1.0, ge=0, le=1000)
    customer: str | None = Field(None, max_length=200, description="a telephone number or id of at most 200 characters")
    tags: Annotated[list[Tag], Field(max_length=20)] | None = Field(None, description="a list of words like repeat")


class SignalMessage(_Message):
    """A telephony fact; ``at`` in seconds since the call began, now when left out."""

    type: Literal["signal"]
    signal: Literal["ringing", "answered", "hold", "resume", "digit", "hangup"]
    at: float | None = Field(None, ge=0, le=86400 * 7, allow_inf_nan=False)
    by: Literal["agent", "customer"] | None = None
    digit: str | None = Field(None, pattern=r"^[0-9*#A-D]$", description="one of 0-9 * # A-D")


class At(_Message):
    """The position, in frames at the client's rate, of the next binary message."""

    type: Literal["at"]
    frames: int = Field(ge=0)


class Stop(_Message):
    """The call is over."""

    type: Literal["stop"]


Message = Start | SignalMessage | At | Stop
_message: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])
_fields: dict[str, type[_Message]] = {"start": Start, "signal": SignalMessage, "at": At, "stop": Stop}


def parse(text: str) -> Message:
    """A message from its JSON; raises ``MessageError``."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise MessageError(
            "bad_json", "a text message must be JSON; audio goes in binary messages of 16-bit little-endian samples"
        ) from None
    if not isinstance(data, dict) or data.get("type") not in _fields:
        kind = data.get("type") if isinstance(data, dict) else type(data).__name__
        raise MessageError("bad_message", f"unknown message type {kind!r:.50}; send start, signal, at or stop")
    try:
        return _message.validate_python(data)
    except ValidationError as error:
        raise _explain(data["type"], error) from None


def _explain(kind: str, error: ValidationError) -> MessageError:
    first: Any = error.errors()[0]
    name = next((str(part) for part in first["loc"][1:]), "")
    field = _fields[kind].model_fields.get(name)
    remedy = f"; give {field.description}" if field is not None and field.description else ""
    given = "" if first["type"] == "missing" or name in SECRET else f" (given: {first['input']!r:.60})"
    return MessageError(CODES.get(name, "bad_message"), f"{kind}: {name}: {first['msg']}{given}{remedy}")
