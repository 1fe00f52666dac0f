"""``monitor journal``: check that a journal is whole, and play it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.audit.rerun import Difference, rerun
from monitor.cli.common import ConfigOption, fail, plain_errors, say, settings
from monitor.live.journal import verify as check

app = typer.Typer(no_args_is_help=True, help="Journals of live calls.")
Files = Annotated[list[Path], typer.Argument(help="journal files (.jsonl)")]


@app.command()
def verify(files: Files) -> None:
    """Check the chain of hashes from the first line to the last."""
    bad = 0
    with plain_errors():
        for file in files:
            found = check(file)
            bad += not found.ok
            say(f"{file}: {'whole' if found.ok else 'BROKEN'}, {found.lines} lines. {found.message}")
    if bad:
        raise typer.Exit(1)


@app.command()
def replay(files: Files, config: ConfigOption = None) -> None:
    """Feed a new call with a journal's recording and inputs; its events must be those of the journal."""
    with plain_errors():
        site = settings(config)
        differences: list[Difference] = []
        for file in files:
            found = rerun(file, site)
            say(f"{file}: {found.events} events, {len(found.differences)} differ")
            for one in found.differences[:5]:
                say(f"  event {one.number}: journal {one.then}\n             now {one.now}")
            differences += found.differences
    if differences:
        fail("the journal and its replay differ: another version or other packs, or the recording was changed")
