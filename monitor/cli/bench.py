"""``monitor bench``: figures of this machine, measured side by side in one run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from monitor.bench.benches import BENCHES, NEED_MODEL
from monitor.bench.gauge import Figures, Plan, machine
from monitor.bench.serving import BenchError
from monitor.bench.show import tables
from monitor.cli.common import err, fail, out, plain_errors

ALL = "all"


def bench(
    which: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(BENCHES)}, or {ALL}")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="file for the figures")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="short and rough: shows that everything works")] = False,
    model: Annotated[str, typer.Option(help="speech model by name or folder; none leaves it out")] = "zh-careful",
) -> None:
    """Measure this machine: ratios side by side, medians, CPU time wherever possible."""
    names = chosen(which or [ALL])
    heard = None if model == "none" else model
    if heard is None:
        names = [name for name in names if name not in NEED_MODEL]
    if not names:
        fail("nothing to measure without a model: leave --model none out", 2)
    figures: Figures = {
        "schema": 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine(),
        "benches": {},
    }
    with plain_errors():
        _measure(names, Plan(quick, heard), figures, output)
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


def _measure(names: list[str], plan: Plan, figures: Figures, output: Path | None) -> None:
    """Run them one after another; what is measured is shown and written at once, in case a later one fails."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    for number, name in enumerate(names, 1):
        place = f"{name} ({number} of {len(names)})"
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task(place)
            tell = partial(_tell, bar, task, place)
            try:
                figures["benches"][name] = BENCHES[name](Plan(plan.quick, plan.model, tell))
            except BenchError as error:
                fail(f"{name}: {error}")
        for table in tables(name, figures["benches"][name]):
            out.print(table)
        if output:
            output.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _tell(bar: Progress, task: TaskID, place: str, what: str) -> None:
    bar.update(task, description=f"{place}: {what}")
