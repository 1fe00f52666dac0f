"""``monitor live``: the call at this desk, from the sound card to a running server."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Annotated, Any

import typer

from monitor.cli.common import PackOption, fail, ingest_url, plain_errors, say
from monitor.live.client import Feed, StreamError, stream
from monitor.sources.microphone import Device, Microphone


def live(
    agent: Annotated[str | None, typer.Option(help="the agent's microphone: number or name; else the default")] = None,
    customer: Annotated[str | None, typer.Option(help="where the customer is heard: loopback or monitor")] = None,
    server: Annotated[str, typer.Option(help="a running monitor serve")] = "http://127.0.0.1:8765",
    token: Annotated[str | None, typer.Option(envvar="MONITOR_TOKEN", help="the server's token")] = None,
    call: Annotated[str | None, typer.Option(help="id of the call; else made from the time")] = None,
    name: Annotated[str | None, typer.Option(help="the agent's name")] = None,
    direction: Annotated[str, typer.Option(help="inbound or outbound")] = "inbound",
    rate: Annotated[int, typer.Option(help="8000 or 16000 samples a second")] = 16000,
    pack: PackOption = None,
) -> None:
    """Send what the sound card hears to a server, as one call, until Ctrl-C."""
    if rate not in (8000, 16000):
        fail(f"--rate {rate}: use 8000 or 16000", 2)
    with plain_errors():
        source = Microphone(_device(agent), _device(customer), rate)
        start: dict[str, Any] = {"direction": direction, "agent": name, "device": agent or "default"}
        if pack:
            start["packs"] = pack
        if customer is None:
            start["mixed"] = True
            say("no --customer device: the microphone is taken as one mixed channel")
        identity = call or f"desk-{datetime.now():%Y%m%d-%H%M%S}"
        feed = Feed(ingest_url(server), identity, rate, len(source.channels), start, token=token)
        say(f"{identity}: listening (Ctrl-C ends the call)")
        try:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(_send(feed, source))
        except StreamError as error:
            fail(str(error))
        for warning in source.warnings:
            say(f"warning: {warning}")


def _device(text: str | None) -> Device:
    return int(text) if text is not None and text.isdecimal() else text


async def _send(feed: Feed, source: Microphone) -> None:
    """Read the microphone in a thread; Ctrl-C ends the recording, and what was heard is still sent."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=500)

    def read() -> None:
        for chunk in source:
            asyncio.run_coroutine_threadsafe(queue.put(chunk), loop).result()
        asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    async def items() -> Any:
        while (chunk := await queue.get()) is not None:
            yield chunk

    with _interrupt(loop, source):
        reading = loop.run_in_executor(None, read)
        done = await stream(feed, items())
        await reading
    say(f"done: {done.get('report', '')}")


@contextlib.contextmanager
def _interrupt(loop: asyncio.AbstractEventLoop, source: Microphone) -> Any:
    """Ctrl-C stops the microphone instead of the program, where the platform lets a loop take signals."""
    import signal

    try:
        loop.add_signal_handler(signal.SIGINT, source.stop)
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
