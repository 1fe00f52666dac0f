"""YAML files that people write: read with the line of every field, checked by pydantic, with errors to act on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError


class Strict(BaseModel):
    """Unknown keys are errors: a mistyped threshold must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. ``line`` counts from 1."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.message}"


class YamlError(Exception):
    """A file cannot be used; ``problems`` has every reason, each with file, line and field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


Place = tuple[str | int, ...]


@lru_cache(maxsize=16)
def _parsed(text: str) -> Any:
    """What a text says, never to be changed. To know the line of every field takes a second for a large pack, and packs
    are read again and again: one that several include, or one that is looked at while it is written."""
    return YAML(typ="rt").load(text)


class YamlFile:
    """A YAML mapping and where each of its fields stands. Raises ``YamlError`` when there is none.

    ``hidden`` are the tags that tell the members of a list apart: they are no fields.
    """

    def __init__(self, path: Path, hidden: frozenset[str] = frozenset()) -> None:
        self.path = path
        self._hidden = hidden
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise YamlError([Problem(str(path), 1, "file", f"cannot be read ({error}): check the path")]) from error
        try:
            data = _parsed(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = str(error.problem or error.context)
            line = mark.line + 1 if mark else 1
            raise YamlError([Problem(str(path), line, "yaml", f"{what}: mend the YAML")]) from error
        except YAMLError as error:
            raise YamlError([Problem(str(path), 1, "yaml", f"{error}: mend the YAML")]) from error
        self.data: Any = {} if data is None else data
        if not isinstance(self.data, dict):
            raise YamlError([Problem(str(path), 1, "file", "holds no settings: write `name: value` lines")])

    def line(self, where: Place) -> int:
        """The line (from 1) of the field at this place, or of the nearest one above it."""
        node, line = self.data, 1
        for key in where:
            try:
                place = node.lc.data[key]
                node = node[key]
            except (AttributeError, KeyError, TypeError, IndexError):
                continue
            line = place[0] + 1
        return line

    def problem(self, where: Place, message: str) -> Problem:
        """A problem with the field at this place."""
        return Problem(str(self.path), self.line(where), ".".join(map(str, where)) or "file", message)

    def problems(self, error: ValidationError) -> list[Problem]:
        """What pydantic found, in words."""
        return [self.problem(self._field(e["loc"]), _plain(e)) for e in error.errors()]

    def _field(self, where: Place) -> Place:
        """The place without the tag of a union, which pydantic puts right after the index of the item."""
        tags = {n for n, w in enumerate(where) if n and w in self._hidden and isinstance(where[n - 1], int)}
        return tuple(w for n, w in enumerate(where) if n not in tags)


def _plain(error: Any) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "unknown key: check the spelling, or remove it"
        case "missing":
            return "is missing: add it"
        case "value_error":
            return str(error["ctx"]["error"])
        case "union_tag_invalid":
            return f"`{_tag(error)}` is none of {error['ctx']['expected_tags']}: write one of them"
        case "union_tag_not_found":
            return f"`{_tag(error)}` is missing: say which kind it is"
        case _:
            found = error["input"]
            kind = "a list" if isinstance(found, list) else "a mapping" if isinstance(found, dict) else repr(found)
            return f"{error['msg']} (found {kind})"


def _tag(error: Any) -> str:
    """The field that tells the kinds of a thing apart."""
    return str(error["ctx"]["discriminator"]).strip("'")
