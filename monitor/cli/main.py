"""The commands by name; each subject has a module of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor import __version__
from monitor.cli import bench, devices, figures, journal, live, models, replay, rules, serve

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Speech compliance monitor for Mandarin service calls."
)
app.command("demo")(serve.demo)
app.command("serve")(serve.serve)
app.command("replay")(replay.replay)
app.command("live")(live.live)
app.command("devices")(devices.devices)
app.command("figures")(figures.figures)
app.command("bench")(bench.bench)
app.add_typer(rules.app, name="rules")
app.add_typer(models.app, name="models")
app.add_typer(journal.app, name="journal")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"monitor {__version__}")
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False) -> None:
    """Listen to service calls, measure how the agent speaks, and hold it against the manual."""
    del version
