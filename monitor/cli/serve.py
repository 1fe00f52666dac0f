"""``monitor serve`` and ``monitor demo``: the server with its dashboard, and the same with calls to look at."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from monitor.audit.replay import ReplayJob, replay
from monitor.cli.common import (
    CarefulOption,
    ConfigOption,
    FastOption,
    ModelOption,
    PackOption,
    fail,
    ingest_url,
    out,
    plain_errors,
    say,
    settings,
    usable_folder,
)
from monitor.cli.replay import print_timeline, write_report
from monitor.compose import make_engines, make_parts, packs_and_book, read_token
from monitor.live.client import Feed, StreamError, stream
from monitor.paths import data_root
from monitor.server.app import serve as run
from monitor.server.auth import require_token
from monitor.sources.recording import Recording
from monitor.sources.signals import in_time

Host = Annotated[str | None, typer.Option(help="address to listen on; any other than this machine's needs a token")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one")]
Token = Annotated[str | None, typer.Option(envvar="MONITOR_TOKEN", help="who has it gets in")]
TokenFile = Annotated[Path | None, typer.Option(help="file that holds the token")]
Data = Annotated[Path | None, typer.Option(help="folder for journals, recordings and the store")]

AGENTS = ("王芳", "李强", "张敏", "刘洋", "陈静")
STAGGER = 4.0
"""Seconds between the beginnings of two demo calls."""


def serve(
    host: Host = None,
    port: Port = None,
    token: Token = None,
    token_file: TokenFile = None,
    model: ModelOption = None,
    fast: FastOption = None,
    careful: CarefulOption = None,
    pack: PackOption = None,
    data: Data = None,
    config: ConfigOption = None,
) -> None:
    """Serve the dashboard, and take live calls on /ws/ingest."""
    with plain_errors():
        site = settings(config, pack, model=model, fast=fast, careful=careful)
        if token_file:
            site = site.model_copy(update={"server": site.server.model_copy(update={"token_file": token_file})})
        secret = token or _token_of(site)
        address = host or site.server.host
        require_token(address, secret)
        folder = usable_folder(data or site.data_dir, "--data")
        out.print("loading the models …")
        parts = make_parts(site, engines=make_engines(site), token=secret, data=folder)
        number = site.server.port if port is None else port
        try:
            run(parts, address, number, _tell)
        except SystemExit as error:  # the web server could not listen, and has said why
            if error.code:
                fail(f"nothing is served at {address}:{number}: free it, or choose others with --port and --host")


def _token_of(site: object) -> str | None:
    try:
        return read_token(site)  # type: ignore[arg-type]
    except OSError as error:
        fail(f"the token file cannot be read ({error}): check --token-file")
        return None


def _tell(host: str, port: int) -> None:
    say(f"dashboard: http://{host}:{port}/   (Ctrl-C ends)")


def demo_calls() -> list[Path]:
    """The recordings of the demo, in order."""
    return sorted((data_root() / "demo").glob("*.flac"))


def demo(
    once: Annotated[bool, typer.Option("--once", help="replay the calls without a server, then exit")] = False,
    output: Annotated[Path, typer.Option("--out", help="folder for the reports of --once")] = Path("demo-reports"),
    host: Host = None,
    port: Port = None,
    model: ModelOption = None,
    fast: FastOption = None,
    careful: CarefulOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the monitor on five made-up calls: live on the dashboard, or (--once) as reports."""
    with plain_errors():
        calls = demo_calls()
        if not calls:
            fail("the demo calls are missing: use a complete checkout or package")
        site = settings(config, model=model, fast=fast, careful=careful)
        engines = make_engines(site)
        if once:
            usable_folder(output, "--out")
            packs, book = packs_and_book(tuple(site.packs))
            for file in calls:
                report = replay(ReplayJob(file, packs, site, engines, book=book)).report
                print_timeline(report)
                say(f"report: {write_report(report, output, file.stem)}")
            return
        with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder:
            parts = make_parts(site, engines=engines, token=None, data=Path(folder))
            address = host or "127.0.0.1"
            require_token(address, None)

            def begin(host: str, port: int) -> None:
                _tell(host, port)
                threading.Thread(target=_play, args=(f"http://{host}:{port}", calls), daemon=True).start()

            run(parts, address, site.server.port if port is None else port, begin)


def _play(url: str, calls: list[Path]) -> None:
    """Stream the demo calls to the server in real time, again and again, until the program ends."""
    asyncio.run(_play_all(url, calls))


async def _play_all(url: str, calls: list[Path]) -> None:
    # The call with the earliest findings comes first, so that the page soon has something to show.
    order = [calls[1], *calls[2:], calls[0]] if len(calls) > 1 else calls
    agents = itertools.cycle(AGENTS)
    for turn in itertools.count(1):
        running = []
        for number, file in enumerate(order):
            running.append(asyncio.create_task(_play_one(url, file, next(agents), f"{turn}-{file.stem}", number)))
        await asyncio.gather(*running)


async def _play_one(url: str, file: Path, agent: str, name: str, place: int) -> None:
    await asyncio.sleep(place * STAGGER)
    source = Recording(file)
    info = source.probe()
    signals = source.signals()
    start = {"agent": agent, "source": file.name, "signalled": bool(signals)}
    feed = Feed(ingest_url(url), f"demo-{name}", info.rate, len(info.channels), start)
    try:
        await stream(feed, in_time(signals, source.chunks(0.1)))
    except StreamError as error:
        say(f"{file.name}: {error}")
