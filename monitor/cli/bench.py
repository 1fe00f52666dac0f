"""``monitor bench``: figures of this machine, measured side by side in one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from monitor.bench.benches import BENCHES, NEED_MODEL
from monitor.bench.ears import PARTS
from monitor.bench.ears_engines import shipped
from monitor.bench.gauge import Figures, Plan, machine
from monitor.bench.serving import BenchError
from monitor.bench.show import markdown as markdown_of
from monitor.bench.show import tables
from monitor.cli.common import err, fail, out, plain_errors, say

ALL = "all"


def bench(
    which: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(BENCHES)}, or {ALL}")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="file for the figures")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="short and rough: shows that everything works")] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(help="speech model by name or folder, may be repeated; none leaves recognition out"),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="print tables for a document")] = False,
    call: Annotated[list[Path] | None, typer.Option(help="ears: a recording with its .truth.json, repeatable")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=FOLDER", help="ears: an evaluation set, repeatable")
    ] = None,
    human: Annotated[Path | None, typer.Option(help="ears: folder of people's recordings with MANIFEST.tsv")] = None,
    part: Annotated[list[str] | None, typer.Option(help=f"ears: {', '.join(PARTS)}; repeatable, else all")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="load: length of each step")] = None,
    hints: Annotated[bool, typer.Option(help="give models that understand them the packs' words")] = True,
) -> None:
    """Measure this machine: ratios side by side, medians, CPU time wherever possible."""
    names = chosen(which or [ALL])
    models = () if model == ["none"] else tuple(model or shipped())
    if not models:
        names = [name for name in names if name not in NEED_MODEL]
    if not names:
        fail("nothing to measure without a model: leave --model none out", 2)
    for wish in part or []:
        if wish not in PARTS:
            fail(f"no part {wish!r} of ears: use {', '.join(PARTS)}", 2)
    plan = Plan(
        quick,
        models,
        calls=tuple(call or ()),
        sets=named_folders(sets or []),
        human=human,
        parts=tuple(part or ()),
        seconds=seconds,
        hints=hints,
    )
    figures: Figures = {
        "schema": 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine(),
        "benches": {},
    }
    with plain_errors():
        _measure(names, plan, figures, output, out.print if not markdown else _document)
    about = figures["machine"]
    load = f"load {about['load'][0]:g}, " if about["load"] else ""
    out.print(f"{about['cores']} cores, {about['processor']}; {load}Python {about['python']}", highlight=False)
    if quick:
        out.print("quick: these figures are rough", highlight=False)
    if output:
        out.print(f"figures: {output}", highlight=False, soft_wrap=True)


def chosen(which: list[str]) -> list[str]:
    """The benches meant, each once, in their own order."""
    for name in which:
        if name != ALL and name not in BENCHES:
            fail(f"no bench {name!r}: use {', '.join(BENCHES)}, or {ALL}", 2)
    return [name for name in BENCHES if ALL in which or name in which]


def named_folders(wishes: list[str]) -> dict[str, Path]:
    """Folders by their names, as ``NAME=FOLDER`` gives them."""
    found = {}
    for wish in wishes:
        name, _, folder = wish.partition("=")
        if not (name and folder):
            fail(f"--set {wish}: give it as NAME=FOLDER", 2)
        found[name] = Path(folder)
    return found


def _document(table: Table) -> None:
    say(markdown_of(table))


def _measure(
    names: list[str], plan: Plan, figures: Figures, output: Path | None, show: Callable[[Table], None]
) -> None:
    """Run them one after another; what is measured is shown and written at once, in case a later one fails."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    for number, name in enumerate(names, 1):
        place = f"{name} ({number} of {len(names)})"
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task(place)
            tell = partial(_tell, bar, task, place)
            try:
                figures["benches"][name] = BENCHES[name](replace(plan, tell=tell))
            except BenchError as error:
                fail(f"{name}: {error}")
        for table in tables(name, figures["benches"][name]):
            show(table)
        if output:
            output.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _tell(bar: Progress, task: TaskID, place: str, what: str) -> None:
    bar.update(task, description=f"{place}: {what}")
