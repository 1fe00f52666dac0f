"""``monitor rules``: check packs and list what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import err, out, plain_errors, say
from monitor.compose import FORM_NAMES
from monitor.packs import PackError, available_packs, load_pack, load_packs

app = typer.Typer(no_args_is_help=True, help="Rule packs.")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="pack files")]) -> None:
    """Check pack files; every problem is told with file, line and field."""
    bad = 0
    for file in files:
        try:
            pack = load_pack(file)
        except PackError as error:
            bad += 1
            for problem in error.problems:
                err.print(str(problem), highlight=False, soft_wrap=True, markup=False)
        else:
            say(f"{file}: {pack.id}: {len(pack.rules)} rules, {len(pack.phrases)} phrases")
    if bad:
        raise typer.Exit(1)


@app.command("list")
def list_rules(
    packs: Annotated[list[str] | None, typer.Argument(help="packs by name or file; all that are shipped")] = None,
) -> None:
    """List packs and their rules."""
    with plain_errors():
        for pack in load_packs(packs or available_packs()):
            out.print(
                f"[bold]{pack.id}[/bold]  {pack.title['zh']}  {pack.title['en']}", highlight=False, soft_wrap=True
            )
            for rule in pack.rules:
                form = FORM_NAMES.get(type(rule.form), "report")
                title = f"{rule.title['zh']} {rule.title['en']}"
                clauses = f"  [dim]{', '.join(rule.watches)}[/dim]" if rule.watches else ""
                line = f"  {rule.id:<44}{form:<8}{rule.severity.value:<10}{title}{clauses}"
                out.print(line, highlight=False, soft_wrap=True)
