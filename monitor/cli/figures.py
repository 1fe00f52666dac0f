"""``monitor figures``: what the rules of form ``report`` count over many calls."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.common import ConfigOption, fail, plain_errors, say, settings
from monitor.compose import STORE_FILE, count_figures
from monitor.store.store import Store

SHOWN_APART = frozenset({"rule", "figure", "title", "watches", "values"})


def figures(
    since: Annotated[str | None, typer.Option("--from", help="day or ISO time; 30 days before --to")] = None,
    until: Annotated[str | None, typer.Option("--to", help="day (to its end) or ISO time; now when left out")] = None,
    pack: Annotated[str | None, typer.Option("--pack", help="one pack by its id; else all with figures")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, like GET /api/figures")] = False,
    data: Annotated[Path | None, typer.Option(help="folder of the store")] = None,
    config: ConfigOption = None,
) -> None:
    """Count over the calls in the store: promises kept, calls back after a break, repeats, answer rates."""
    with plain_errors():
        site = settings(config)
        file = (data or site.data_dir) / STORE_FILE
        if not file.is_file():
            fail(f"{file}: there is no store yet; it is made by monitor serve. Check --data")
        start, end = moment(since, "--from"), moment(until, "--to", whole_day=True)
        with Store(f"sqlite:///{file}") as store:
            try:
                found = count_figures(site, store, start, end, pack)
            except ValueError as error:
                fail(str(error), 2)
                return
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        show(found)


def moment(text: str | None, option: str, *, whole_day: bool = False) -> datetime | None:
    """A day or an ISO time, local where it has no offset; ``whole_day``: a day alone means its end."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option} {text}: write a day like 2026-03-01, or a time like 2026-03-01T08:00", 2)
        return None
    if whole_day and len(text) == len("2026-03-01"):
        found += timedelta(days=1)
    return found if found.tzinfo else found.astimezone()


def show(found: dict[str, Any]) -> None:
    """The figures for people: one rule a paragraph."""
    say(f"calls from {found['from']} to {found['to']}")
    for pack in found["packs"]:
        say(f"\n{pack['id']}  {pack['title']['zh']}")
        for figure in pack["figures"]:
            counted = (f"{name} {_told(value)}" for name, value in figure.items() if name not in SHOWN_APART)
            say(f"  {figure['rule']}  {figure['title']['zh']}\n    {', '.join(counted)}")


def _told(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(str(entry) for entry in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
