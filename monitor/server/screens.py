"""``WS /ws/live``: a screen gets a snapshot, then one message a tick."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from monitor.live.hub import Hub, Viewer
from monitor.server.state import server_of

HELLO = 5.0
"""Seconds for the first message; a screen that says nothing gets a snapshot."""

router = APIRouter()


@router.websocket("/ws/live")
async def live(socket: WebSocket) -> None:
    """The first message is ``{"type": "hello"}`` or ``{"type": "resume", "epoch", "seq"}``."""
    hub = server_of(socket).hub
    await socket.accept()
    try:
        epoch, seq = await _first(socket)
    except WebSocketDisconnect:
        return
    viewer = hub.join(epoch, seq)
    sending = asyncio.create_task(_send(socket, viewer, hub))
    receiving = asyncio.create_task(_receive(socket))
    try:
        await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(viewer)
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)


async def _first(socket: WebSocket) -> tuple[str | None, int | None]:
    """The place at which a screen wants to go on; none for anything but a well-formed resume."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HELLO):
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            return _resume(message.get("text"))
    return None, None


def _resume(text: str | None) -> tuple[str | None, int | None]:
    try:
        data: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(data, dict) or data.get("type") != "resume":
        return None, None
    epoch, seq = data.get("epoch"), data.get("seq")
    return (epoch, seq) if isinstance(epoch, str) and type(seq) is int else (None, None)


async def _send(socket: WebSocket, viewer: Viewer, hub: Hub) -> None:
    """Only this task waits for a slow screen; its queue is bounded."""
    with suppress(WebSocketDisconnect, RuntimeError):  # gone while we wrote
        while True:
            await socket.send_text(await viewer.next(hub.snapshot))


async def _receive(socket: WebSocket) -> None:
    """Notice that the screen has gone; what it says after its first message is nothing to us."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
