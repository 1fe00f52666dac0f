"""``monitor replay``: what the monitor says about a recording."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from monitor.asr.pair import Engines
from monitor.audit.replay import ReplayJob
from monitor.audit.replay import replay as run
from monitor.cli.common import (
    CarefulOption,
    ConfigOption,
    FastOption,
    ModelOption,
    PackOption,
    clock,
    err,
    fail,
    ingest_url,
    out,
    plain_errors,
    say,
    settings,
    usable_folder,
)
from monitor.compose import make_engines, packs_and_book
from monitor.config import Config
from monitor.core.types import MONO
from monitor.live.client import Feed, StreamError, stream
from monitor.sources.recording import Recording
from monitor.sources.signals import in_time, read_signals

COLOURS = {"critical": "bold red", "warning": "yellow", "note": "cyan"}
REVIEW = {
    "unheard_by_fast": "heard by the careful ear only",
    "unheard_by_careful": "heard by the fast ear only",
    "fast_ear_only": "words of the fast ear only",
}
SPEAKERS = {"agent": "客服", "customer": "客户", "mixed": "双方"}


def replay(
    files: Annotated[list[Path], typer.Argument(help="recordings: anything that ffmpeg reads")],
    pack: PackOption = None,
    model: ModelOption = None,
    fast: FastOption = None,
    careful: CarefulOption = None,
    signals: Annotated[Path | None, typer.Option(help="signals file; else FILE.signals.json beside it")] = None,
    agent: Annotated[str | None, typer.Option(help="the agent's side: left, right, or mixed")] = None,
    direction: Annotated[str, typer.Option(help="inbound or outbound")] = "inbound",
    speed: Annotated[str, typer.Option(help="max, or 1.0 for real time (with --server)")] = "max",
    rate: Annotated[int | None, typer.Option(help="the true rate of files that declare a wrong one")] = None,
    output: Annotated[Path | None, typer.Option("--out", help="folder for FILE.report.json")] = None,
    server: Annotated[str | None, typer.Option(help="feed a running server, e.g. http://127.0.0.1:8765")] = None,
    token: Annotated[str | None, typer.Option(envvar="MONITOR_TOKEN", help="the server's token")] = None,
    customer: Annotated[
        str | None, typer.Option(help="the customer's number or id (with --server); kept as a digest only")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Measure, recognise and judge recordings; print a timeline and write reports."""
    side = _choice("--agent", agent or "", ("", "left", "right", "mixed"))
    way = _choice("--direction", direction, ("inbound", "outbound"))
    with plain_errors():
        site = settings(config, pack, model=model, fast=fast, careful=careful)
        if signals and len(files) > 1:
            fail("--signals goes with one recording: give them one by one")
        if server:
            for file in files:
                _feed(file, site, server, token, _speed(speed), side, way, signals, pack, rate, customer)
            return
        if customer is not None:
            fail("--customer needs --server: a replay without one keeps nothing of a call")
        if _speed(speed):
            fail("--speed other than max needs --server: a replay without one runs as fast as the machine can")
        if output:
            usable_folder(output, "--out")
        engines = make_engines(site)
        if engines:
            engines.load()  # a model that is missing is told at once, and all files share them
        reports = [_one(file, site, engines, signals, side, way, output, rate) for file in files]
    if output:
        say(f"reports: {', '.join(str(r) for r in reports)}")


def _choice(option: str, value: str, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        fail(f"{option} {value!r}: use one of {', '.join(a for a in allowed if a)}", 2)
    return value


def _speed(text: str) -> float:
    """Times real time; 0 for as fast as possible."""
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 < speed <= 50:
        fail(f"--speed {text}: use max, or a number above 0 and up to 50", 2)
    return speed


def _one(
    file: Path,
    site: Config,
    engines: Engines | None,
    signals: Path | None,
    side: Literal["", "left", "right", "mixed"],
    direction: str,
    output: Path | None,
    rate: int | None,
) -> Path | None:
    packs, book = packs_and_book(tuple(site.packs))
    job = ReplayJob(file, packs, site, engines, side or site.agent, direction, signals, book, rate)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        done = run(job, lambda at, total: bar.update(task, completed=at, total=total))
    for warning in done.warnings:
        err.print(f"[yellow]warning:[/yellow] {file.name}: {warning}", highlight=False, soft_wrap=True)
    print_timeline(done.report)
    if output is None:
        return None
    return write_report(done.report, output, file.stem)


def write_report(report: dict[str, Any], folder: Path, stem: str) -> Path:
    """Write ``STEM.report.json``; the folder is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.report.json"
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def print_timeline(report: dict[str, Any]) -> None:
    """What was said and what was found, in the order of the call; then the verdicts in a line."""
    call = report["call"]
    facts = f"{call['rate']} Hz, {'+'.join(call['channels'])}, {', '.join(call['packs'])}, model {call['model']}"
    out.print(f"\n[bold]{call['source']}[/bold]  {clock(call['seconds'])}  {facts}", highlight=False, soft_wrap=True)
    lines: list[tuple[float, int, Text]] = []
    for phase in report["phases"]:
        how = " (inferred)" if phase["inferred"] else ""
        by = f" by {phase['by']}" if phase["by"] else ""
        lines.append((phase["at"], 0, Text(f"      · {phase['phase']}{by}{how}", style="dim")))
    for gap in report["gaps"]:
        lines.append((gap["start"], 0, Text(f"      · audio lost until {clock(gap['end'])}", style="dim")))
    for line in report["transcript"]:
        lines.append((line["start"], 1, Text(f"{SPEAKERS[line['channel']]}  {line['text']}")))
    for alert in report["alerts"]:
        style = COLOURS[alert["severity"]] if alert["state"] == "confirmed" else "dim strike"
        text = Text(f"      ▲ {alert['severity']} {alert['rule']}: {alert['message']['zh']}", style=style)
        if alert["review"]:
            text.append(f"  (for review: {REVIEW[alert['review']]})", style="not strike dim")
        lines.append((alert["at"], 2, text))
    for at, _, text in sorted(lines, key=lambda line: line[:2]):
        out.print(Text(f"{clock(at):>8}  ").append_text(text), soft_wrap=True)
    counts: dict[str, int] = {}
    for verdict in report["verdicts"]:
        counts[verdict["outcome"]] = counts.get(verdict["outcome"], 0) + 1
    say("verdicts: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())))


def _feed(
    file: Path,
    site: Config,
    server: str,
    token: str | None,
    speed: float,
    side: str,
    direction: str,
    signals: Path | None,
    packs: list[str] | None,
    rate: int | None,
    customer: str | None,
) -> None:
    """Feed a running server with the recording, as a live call."""
    source = Recording(file, side or site.agent, true_rate=rate)  # type: ignore[arg-type]
    info = source.probe()
    found = read_signals(signals, info.rate, info.seconds) if signals else source.signals()
    start: dict[str, Any] = {"direction": direction, "source": file.name, "signalled": bool(found), "agent": file.stem}
    if packs:
        start["packs"] = packs
    if info.channels == MONO:
        start["mixed"] = True
    if customer is not None:
        start["customer"] = customer
    feed = Feed(ingest_url(server), file.stem, info.rate, len(info.channels), start, speed=speed, token=token)
    try:
        done = asyncio.run(stream(feed, in_time(found, source.chunks(0.1))))
    except StreamError as error:
        remedy = "; is it running (monitor serve)? Check --server" if error.code == "unreachable" else ""
        fail(f"{file.name}: {error}{remedy}")
        return
    say(f"{file.name}: done, report at {server.rstrip('/')}{done.get('report', '')}")
