"""``monitor models``: which speech models are here, and how to get others."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from monitor.asr import models
from monitor.cli.common import out, plain_errors, say

app = typer.Typer(no_args_is_help=True, help="Speech models.")
Name = Annotated[str, typer.Argument(help="shipped name, faster-whisper name, or folder")]


@app.command("list")
def list_models() -> None:
    """Models on this machine, and the names that can be pulled."""
    table = Table("model", "origin", "size", "folder")
    for info in models.list_models():
        table.add_row(info.name, info.origin.value, f"{info.size / 1e6:.1f} MB", str(info.path))
    out.print(table)
    say("can be pulled: " + ", ".join(models.known_names()))


@app.command()
def pull(name: Name) -> None:
    """Fetch a model from its hub into the cache."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with plain_errors(), Progress(*columns, console=out) as bar:
        task = bar.add_task(name, total=None)
        info = models.pull(name, lambda done: bar.update(task, completed=done))
    say(f"{info.name} is in {info.path}")


@app.command()
def path(name: Name) -> None:
    """Where a model lies."""
    with plain_errors():
        typer.echo(models.path(name))


@app.command()
def check(name: Name) -> None:
    """Whether a model folder is whole."""
    with plain_errors():
        info = models.check(name)
    say(f"{info.name}: whole, {info.size / 1e6:.1f} MB, {info.path}")
