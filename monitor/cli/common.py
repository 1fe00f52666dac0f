"""What the commands share: output, options, and errors that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from monitor.asr.models import ModelError
from monitor.compose import DataInUse, with_models
from monitor.config import Config, load_config
from monitor.live.journal import JournalError
from monitor.live.setup import SetupError
from monitor.server.auth import AccessError
from monitor.sources.errors import SourceError
from monitor.store.store import StoreError
from monitor.yamlfile import YamlError

out = Console()
err = Console(stderr=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="settings file; else config/monitor.yaml")]
PackOption = Annotated[list[str] | None, typer.Option("--pack", help="rule pack by name or file; may be repeated")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="this speech model alone, by name or folder; none for no words")
]
FastOption = Annotated[str | None, typer.Option("--fast", help="the fast ear's model; none leaves it out")]
CarefulOption = Annotated[str | None, typer.Option("--careful", help="the careful ear's model; none leaves it out")]

EXPECTED = (SourceError, ModelError, YamlError, JournalError, AccessError, StoreError, SetupError, DataInUse)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors that the user can mend end the command with their message, not with a traceback."""
    try:
        yield
    except EXPECTED as error:
        fail(str(error))


def say(text: str) -> None:
    """A line for people and for pipes: as it is, never broken, nothing in it taken for markup."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def fail(message: str, code: int = 1) -> None:
    """End the command with a message."""
    err.print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings(
    path: Path | None,
    packs: list[str] | None = None,
    *,
    model: str | None = None,
    fast: str | None = None,
    careful: str | None = None,
) -> Config:
    """The configuration, with packs and models of the command line in place of its own."""
    if model is not None and (fast is not None or careful is not None):
        fail("--model is one model alone: leave it out, or leave out --fast and --careful", 2)
    config = with_models(load_config(path), model, fast=fast, careful=careful)
    return config.model_copy(update={"packs": packs}) if packs else config


def usable_folder(folder: Path, option: str) -> Path:
    """Make a folder that ``option`` names; said before the work that would go into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder}: this folder cannot be made ({error.strerror}): give another with {option}")
    return folder


def clock(seconds: float) -> str:
    """Seconds as m:ss.s, as recordings are usually read."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def ingest_url(server: str) -> str:
    """The socket that takes live calls, of a server given as people give it: ``http://host:port``."""
    scheme, _, rest = server.rpartition("://")
    secure = scheme in ("https", "wss")
    if scheme not in ("", "http", "https", "ws", "wss") or not rest:
        fail(f"{server}: give the server as http://host:port", 2)
    return f"{'wss' if secure else 'ws'}://{rest.rstrip('/').removesuffix('/ws/ingest')}/ws/ingest"
