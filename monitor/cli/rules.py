"""``monitor rules``: check packs, show what is in them, and try them on written and on old calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from monitor.audit.trial import Trial, journal_of, trial
from monitor.cli import proofs
from monitor.cli.common import ConfigOption, clock, err, out, plain_errors, say, settings
from monitor.compose import FORM_NAMES
from monitor.packs import PackError, available_packs, find_pack, load_pack, load_packs
from monitor.packs.show import HEADERS, markdown, rows

app = typer.Typer(no_args_is_help=True, help="Rule packs.")
app.command("test")(proofs.test)
app.command("spoken")(proofs.spoken)


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


@app.command()
def show(
    pack: Annotated[str, typer.Argument(help="pack by name or file")],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="for documents")] = False,
    english: Annotated[bool, typer.Option("--english", help="in English; else in Chinese")] = False,
) -> None:
    """A table of a pack's rules: clause, limits, what the agent hears and what the supervisor sees."""
    language = "en" if english else "zh"
    with plain_errors():
        found = load_pack(find_pack(pack))
        if as_markdown:
            say(markdown(found, language).rstrip("\n"))
            return
        columns = (Column(header, overflow="fold") for header in HEADERS[language])
        table = Table(*columns, title=f"{found.id}  {found.title[language]}", show_lines=True)
        for row in rows(found, language):
            table.add_row(*map(escape, row.cells))
        out.print(table, highlight=False)


@app.command("try")
def try_pack(
    pack: Annotated[str, typer.Argument(help="pack by name or file")],
    recordings: Annotated[
        list[Path], typer.Argument(metavar="RECORDING…", help="recordings or journals of live calls")
    ],
    config: ConfigOption = None,
) -> None:
    """What a changed pack says of old calls, beside what was said then. The words are those that were heard then."""
    with plain_errors():
        site = settings(config)
        found = load_pack(find_pack(pack))
        trials = []
        for recording in recordings:
            trials.append(trial(journal_of(recording), pack, found.id, site))
            _changes(trials[-1])
    done = [one.changes for one in trials]
    new, gone, moved = sum(len(c.new) for c in done), sum(len(c.gone) for c in done), sum(len(c.moved) for c in done)
    seconds = sum(one.seconds for one in trials)
    same = sum(c.same for c in done)
    audio = f"{len(trials)} calls ({seconds:.0f} s)"
    say(f"{found.id}: {audio}, {new} new, {gone} gone, {moved} moved, {same} as before")


def _changes(done: Trial) -> None:
    """What changed in one call, in order of time."""
    found = done.changes
    note = "" if done.had_pack else "; the pack did not watch it then"
    say(f"{done.journal}: {clock(done.seconds)}{note}")
    lines = [(a.at, f"new    {clock(a.at)}  {a.severity} {a.rule} {a.by}: {a.message}") for a in found.new]
    lines += [(a.at, f"gone   {clock(a.at)}  {a.severity} {a.rule} {a.by}: {a.message}") for a in found.gone]
    lines += [
        (b.at, f"moved  {clock(b.at)}  {b.severity} {b.rule} {b.by}: from {clock(a.at)} {a.severity}")
        for a, b in found.moved
    ]
    for _, line in sorted(lines):
        say(f"  {line}")
