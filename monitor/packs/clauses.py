"""The register of clauses: what the manuals ask for, by the names that rules watch (``config/clauses.yaml``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from monitor.paths import config_dir
from monitor.yamlfile import Strict, YamlError, YamlFile

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Form = Literal["limit", "never", "expect", "sequence", "tally", "report", "none"]
Heard = Literal["audio", "words", "both", "meta", "no"]


class _ClauseModel(Strict):
    title: str = Field(min_length=1)
    form: Form
    heard: Heard


class _ManualModel(Strict):
    title: str = Field(min_length=1)
    clauses: dict[Id, _ClauseModel]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a manual. ``heard`` is how it shows itself: ``audio``, ``words`` or ``both``; ``meta``: in the
    records of calls; ``no``: not at all, so nothing can watch it. ``form`` is the shape that a rule for it has."""

    name: str
    title: str
    form: Form
    heard: Heard


@dataclass(frozen=True, slots=True)
class Manual:
    """A service manual."""

    id: str
    title: str
    clauses: tuple[Clause, ...]


class Register:
    """All clauses of all manuals; ``name`` is ``manual/clause``."""

    def __init__(self, manuals: tuple[Manual, ...]) -> None:
        self.manuals = {m.id: m for m in manuals}
        self.clauses = {c.name: c for m in manuals for c in m.clauses}

    def problem(self, name: str) -> str:
        """Why no rule can watch ``name``, and what to do; empty when one can."""
        clause = self.clauses.get(name)
        if clause is not None:
            unheard = f"clause {name!r} cannot be heard in a call: no rule can watch it, remove it"
            return unheard if clause.heard == "no" else ""
        manual = self.manuals.get(name.partition("/")[0])
        if manual is None:
            known = ", ".join(self.manuals)
            return f"unknown clause {name!r}: write manual/clause, with one of the manuals {known}"
        known = ", ".join(c.name.partition("/")[2] for c in manual.clauses)
        return f"unknown clause {name!r}: {manual.id} has {known}"


def read_register(path: Path) -> Register:
    """Read a register; raises ``YamlError`` with file, line and field of everything that is wrong."""
    file = YamlFile(path)
    try:
        manuals = TypeAdapter(dict[Id, _ManualModel]).validate_python(file.data)
    except ValidationError as error:
        raise YamlError(file.problems(error)) from error
    return Register(
        tuple(
            Manual(
                m, model.title, tuple(Clause(f"{m}/{c}", k.title, k.form, k.heard) for c, k in model.clauses.items())
            )
            for m, model in manuals.items()
        )
    )


@cache
def register() -> Register:
    """The register that ships with the product, read once."""
    return read_register(config_dir() / "clauses.yaml")
