"""``WS /ws/ingest``: a client feeds one call.

Read one message, act on it, read the next: what the server cannot take yet stays in the client's socket. The store
that is behind (``Calls.room``) and a client that is too fast both hold the reading up; nothing is dropped. After any
error the audio taken so far is kept and the call waits for its client like after a lost connection.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from monitor.core.types import MONO, STEREO, Channel, Signal, SignalKind
from monitor.live.parts import Live
from monitor.live.runner import CallFailed, StorageFailed
from monitor.live.setup import CallSetupRequest, SetupError
from monitor.server.intake import Intake, IntakeError, RateCheck
from monitor.server.messages import At, Message, MessageError, SignalMessage, Start, Stop, parse
from monitor.server.state import Server, iso_now, server_of
from monitor.sources.resample import call_rate

log = logging.getLogger(__name__)
router = APIRouter()

HEARD_EVERY = 1.0
"""Seconds between two ``heard``."""

BURST = 10.0
"""Seconds of audio that a client may send at once before its speed is limited: what it kept during a break."""

BAD = 1008
"""The close code after an error of the client."""

BROKEN = 1011
"""The close code after an error of ours."""


@router.websocket("/ws/ingest")
async def ingest(socket: WebSocket) -> None:
    """See the user's guide for the messages."""
    await socket.accept()
    await Session(server_of(socket), socket).serve()


class Session:
    """One connection of a client."""

    def __init__(self, server: Server, socket: WebSocket) -> None:
        self._server = server
        self._socket = socket
        self._clock = asyncio.get_running_loop().time
        self._live: Live | None = None
        self._told = -1  # frames that the client knows to have been heard
        self._last = 0.0  # when its last message came
        self._waits = False  # for a message, not for the store or for slower audio

    async def serve(self) -> None:
        """Until the client stops, goes, or does something that cannot be."""
        live: Live | None = None
        try:
            start = await self._start()
            live = self._live = await self._server.calls.open(self._request(start))
            await self._feed(start, live)
        except WebSocketDisconnect:
            pass
        except (MessageError, IntakeError, SetupError) as error:
            await self._refuse(error.code, str(error), BAD)
        except CallFailed as error:
            code = "storage_failed" if isinstance(error, StorageFailed) else "internal"
            if live is not None:
                self._server.calls.give_up(live.request.id, error)
            await self._refuse(code, str(error), BROKEN)
        finally:
            if live is not None:
                self._server.calls.drop(live)

    # ------------------------------------------------------------ begin

    async def _start(self) -> Start:
        seconds = self._server.settings.start_timeout
        try:
            async with asyncio.timeout(seconds):
                message = await self._receive()
        except TimeoutError:
            raise MessageError(
                "no_start", f"nothing came for {seconds:g} s; begin with a start message that names the call"
            ) from None
        if isinstance(message, bytes):
            raise MessageError("no_start", "audio came before the start message; say which call it belongs to first")
        if not isinstance(message, Start):
            raise MessageError("no_start", f"{message.type} came before start; begin with the start message")
        return message

    def _request(self, start: Start) -> CallSetupRequest:
        if start.channels == 1 and start.mixed is False:
            raise MessageError("bad_channels", "one channel carries both sides; send two, or leave mixed out")
        parts = self._server.parts
        mixed = start.channels == 1 or bool(start.mixed)
        try:
            customer = self._server.customers.digest(start.customer)
        except (OSError, ValueError) as error:
            raise SetupError("storage_failed", f"the key of the customers cannot be used: {error}") from error
        return CallSetupRequest(
            id=start.call,
            rate=call_rate(start.rate),
            channels=MONO if mixed else STEREO,
            direction=start.direction,
            agent=start.agent,
            packs=parts.default_packs if start.packs is None else tuple(start.packs),
            source=start.source or f"ingest{' ' + start.device if start.device else ''}",
            started=iso_now(),
            model=parts.model,
            version=parts.version,
            recognise=parts.recogniser is not None,
            signalled=start.signalled,
            queue=start.queue,
            tags=tuple(start.tags or ()),
            find_tags=start.tags is None and customer is not None,
            customer=customer,
            client={"rate": start.rate, "channels": start.channels, "agent": start.agent_side, "mixed": mixed},
            hearing=parts.hearing,
        )

    def _intake(self, start: Start, live: Live) -> Intake:
        """The same as before the break, or one that goes on where a rebuilt call stands."""
        if isinstance(live.attached, Intake):
            return live.attached
        request = live.request
        right = start.agent_side == "right"
        mixed = Channel.MIXED in request.channels
        intake = Intake(start.rate, request.rate, start.channels, agent_right=right, mixed=mixed)
        intake.go_on_at(live.runner.position)
        live.attached, live.tail = intake, intake.flush
        return intake

    # ------------------------------------------------------------ feed

    async def _feed(self, start: Start, live: Live) -> None:
        intake = self._intake(start, live)
        await self._send({"type": "started", "call": start.call, "heard": intake.heard})
        self._last = self._clock()
        idle = self._server.settings.idle_timeout
        try:
            async with asyncio.timeout(None) as limit:
                watch = asyncio.create_task(self._watch(intake, limit))
                try:
                    await self._take_all(start, live, intake)
                finally:
                    watch.cancel()
        except TimeoutError:
            raise MessageError(
                "idle", f"no audio for {idle:g} s; send silence while the line is quiet, or stop; resume to go on"
            ) from None

    async def _take_all(self, start: Start, live: Live, intake: Intake) -> None:
        pace = _Pace(self._server.settings.max_speed, intake.heard / intake.rate, self._clock())
        check = RateCheck(self._server.settings.rate_check, start.speed)
        while True:
            self._waits = True
            message = await self._receive()
            self._waits = False
            now = self._last = self._clock()
            await self._server.calls.room()
            if live.runner.closed:
                raise live.runner.failure or CallFailed(f"call {start.call} was given up; connect again to go on")
            if isinstance(message, bytes):
                await self._audio(live, intake, message, now)
                heard = intake.heard / intake.rate
                if (ratio := check.see(heard, now)) is not None:
                    await self._contradict(live, intake, ratio)
                await pace.hold(heard, now)
            elif isinstance(message, SignalMessage):
                live.runner.signal(_signal(message, live), now)
            elif isinstance(message, At):
                intake.at(message.frames)
            elif isinstance(message, Stop):
                await self._stop(live)
                return
            else:
                raise MessageError("already_started", "a connection feeds one call; open another for the next")

    async def _audio(self, live: Live, intake: Intake, message: bytes, received: float) -> None:
        if len(message) > self._server.settings.max_message:
            raise MessageError(
                "too_large",
                f"a message of {len(message)} bytes; send at most {self._server.settings.max_message}, better 20 to "
                "200 ms of audio at a time",
            )
        before = intake.heard
        second = live.request.rate
        for chunk in intake.feed(message):
            for at in range(0, len(chunk.samples), second):
                if at:
                    await asyncio.sleep(0)  # a long message must not hold up the other calls
                live.runner.audio(chunk.start + at, chunk.samples[at : at + second], received)
        self._server.meters.audio((intake.heard - before) * intake.columns)
        self._server.hub.progress(live.request.id, live.runner.position)

    async def _contradict(self, live: Live, intake: Intake, ratio: float) -> None:
        """Tell everyone concerned that the clock contradicts the declared rate."""
        likely = round(intake.rate * ratio)
        english = (
            f"the audio comes at {ratio:.2f} times the declared {intake.rate} Hz (about {likely} Hz); "
            "pace and times are wrong unless the client declares its true rate"
        )
        chinese = (
            f"音频到达速度是声明的 {intake.rate} Hz 的 {ratio:.2f} 倍（约 {likely} Hz）；"
            "请检查客户端声明的采样率，否则语速和时间均不准确"
        )
        note = {"code": "rate_contradicted", "message": {"zh": chinese, "en": english}}
        live.runner.remark("rate_contradicted", {"ratio": round(ratio, 3), "message": note["message"]})
        self._server.hub.note(live.request.id, note)
        await self._send({"type": "note", "code": note["code"], "message": english})

    async def _stop(self, live: Live) -> None:
        call = live.request.id
        await asyncio.shield(self._server.calls.end(live, "stopped"))
        await self._send({"type": "done", "call": call, "report": f"/api/calls/{call}/report"})
        await self._socket.close()

    # ------------------------------------------------------------ the socket

    async def _watch(self, intake: Intake, limit: asyncio.Timeout) -> None:
        """Once a second: confirm what was heard, also when nothing more comes, since the client may be waiting for
        that; and end the wait for a client that has been silent too long."""
        idle = self._server.settings.idle_timeout
        with suppress(WebSocketDisconnect, RuntimeError):  # gone while we wrote; the reader finds out as well
            while True:
                await asyncio.sleep(min(HEARD_EVERY, idle))
                if intake.heard != self._told:
                    self._told = intake.heard
                    await self._send({"type": "heard", "frames": intake.heard})
                now = self._clock()
                if self._waits and now - self._last >= idle:
                    limit.reschedule(now)
                    return

    async def _receive(self) -> Message | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        data: bytes | None = message.get("bytes")
        return parse(message.get("text") or "") if data is None else data

    async def _send(self, data: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(data, ensure_ascii=False))

    async def _refuse(self, code: str, text: str, close: int) -> None:
        """Say why and close; the client may be gone already."""
        self._server.meters.refused(code)
        log.warning("ingest %s: %s", self._live.request.id if self._live else "-", code)
        if self._socket.client_state is not WebSocketState.CONNECTED:
            return
        try:
            await self._send({"type": "error", "code": code, "message": text})
            await self._socket.close(close, code)
        except (WebSocketDisconnect, RuntimeError):
            pass


class _Pace:
    """Holds a client to at most ``speed`` seconds of audio a second, after a burst."""

    def __init__(self, speed: float, heard: float, now: float) -> None:
        self._speed = speed
        self._origin = now - (heard + BURST) / speed

    async def hold(self, heard: float, now: float) -> None:
        """Wait when ``heard`` seconds of audio are too many by ``now``."""
        ahead = heard / self._speed - (now - self._origin)
        if ahead > 0:
            await asyncio.sleep(ahead)


def _signal(message: SignalMessage, live: Live) -> Signal:
    """The telephony fact, in positions of the call."""
    at = live.runner.position if message.at is None else round(message.at * live.request.rate)
    by = None if message.by is None else Channel(message.by)
    if (message.signal == "digit") != (message.digit is not None):
        raise MessageError("bad_message", "signal: digit: give the key with a digit signal, and with no other")
    return Signal(SignalKind(message.signal), at, by, message.digit)
