"""``monitor models``: which speech models are here, and how to get others."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from monitor.asr import catalog, models
from monitor.cli.common import out, plain_errors, say

app = typer.Typer(no_args_is_help=True, help="Speech models.")
Name = Annotated[str, typer.Argument(help="shipped name, name from 'models list', hub name owner/name, or folder")]


@app.command("list")
def list_models() -> None:
    """Models on this machine, and the names that can be pulled."""
    here = Table("model", "ear", "kind", "origin", "size", "folder")
    for info in models.list_models():
        size = f"{info.size / 1e6:.1f} MB"
        here.add_row(info.name, info.kind.ear, info.kind.value, info.origin.value, size, str(info.path))
    out.print(here)
    public = Table("can be pulled", "ear", "size", "licence", "what it is")
    for model in catalog.MODELS.values():
        size = f"{model.size / 1e6:.0f} MB" if model.size else ""
        public.add_row(model.name, models.ModelKind.SHERPA.ear, size, model.licence, model.about)
    out.print(public)
    whisper = [name for name in models.known_names() if name not in catalog.MODELS]
    say(f"for the {models.ModelKind.WHISPER.ear} ear also Whisper models: " + ", ".join(whisper))


@app.command()
def pull(name: Name) -> None:
    """Fetch a model from its hub into the cache; goes on where an earlier transfer broke off."""
    known = catalog.find(name)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with plain_errors(), Progress(*columns, console=out) as bar:
        task = bar.add_task(name, total=known.size or None if known else None)
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
    what = f"{info.kind.value} model for the {info.kind.ear} ear"
    say(f"{info.name}: whole, {what}, {info.size / 1e6:.1f} MB, {info.path}")
