"""From pack files to the packs of the engine; all errors of a file are reported at once."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from monitor.core import rulebook as rb
from monitor.core.patterns import CompiledPhrase, PatternError, compile_phrase
from monitor.packs.checks import Wrong
from monitor.packs.compiler import Compiler
from monitor.packs.model import PackModel, PhraseModel
from monitor.paths import config_dir
from monitor.yamlfile import Problem, YamlError, YamlFile

PackError = YamlError
"""A pack cannot be used; ``problems`` has every reason, each with file, line and field."""

LISTS = "lists"
"""The folder beside a pack file in which the word lists of a site lie."""

FORMS = frozenset({"keep", "never", "expect", "steps", "tally", "report"})


def load_pack(path: Path, _seen: tuple[Path, ...] = ()) -> rb.Pack:
    """Read, check and compile one pack file; raises ``PackError`` with everything that is wrong in it."""
    file = YamlFile(path, hidden=FORMS)
    try:
        model = PackModel.model_validate(file.data)
    except ValidationError as error:
        raise PackError(file.problems(error)) from error
    phrases, roles, listening = _included(file, model, (*_seen, path.resolve()))
    problems: list[Problem] = []
    for name, phrase in model.phrases.items():
        compiled = _phrase(file, model.pack, name, phrase, problems)
        # A phrase that is wrong stands empty, so that rules that use it are not wrong as well.
        phrases[name] = compiled or CompiledPhrase(f"{model.pack}/{name}", ())
        if phrase.role:
            roles[f"{model.pack}/{name}"] = phrase.role
    compiler = Compiler(model.pack, phrases)
    rules: dict[str, rb.Rule] = {}
    for index, rule in enumerate(model.rules):
        if rule.id in rules:
            problems.append(file.problem(("rules", index, "id"), f"{rule.id!r} is used twice: rename one"))
            continue
        try:
            rules[rule.id] = compiler.rule(rule)
        except Wrong as error:
            problems.append(file.problem(("rules", index, *error.place), f"rule {rule.id!r}: {error}"))
    if problems:
        raise PackError(problems)
    return rb.Pack(
        id=model.pack,
        title=model.title.model_dump(),
        phrases=tuple(phrases.values()),
        rules=tuple(rules.values()),
        roles=roles,
        listening=frozenset([*listening, *model.listening]),
    )


def _phrase(
    file: YamlFile, pack: str, name: str, phrase: PhraseModel, problems: list[Problem]
) -> CompiledPhrase | None:
    """A phrase with the words of its lists; None, and what is wrong in ``problems``, when it cannot be."""
    say = list(phrase.say)
    for entry in phrase.lists:
        say += _listed(file, name, entry, problems)
    if not say:
        return None  # its lists were wrong, and that is told
    try:
        return compile_phrase(
            f"{pack}/{name}",
            say,
            by=phrase.by,
            alone=phrase.alone,
            leading=phrase.leading,
            not_in=phrase.not_in,
        )
    except PatternError as error:
        listed = bool(phrase.lists) and error.pattern in say and error.pattern not in phrase.say
        field = "list" if listed else "not_in" if error.pattern in phrase.not_in else "say"
        problems.append(file.problem(("phrases", name, field), str(error)))
        return None


def _listed(file: YamlFile, phrase: str, name: str, problems: list[Problem]) -> list[str]:
    """The patterns of a list that a site edits: one a line, ``#`` begins a comment."""
    path = file.path.parent / LISTS / f"{name}.txt"
    where = ("phrases", phrase, "list")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt"))) or "none yet"
        problems.append(file.problem(where, f"unknown list {name!r}: make {LISTS}/{name}.txt (there are: {there})"))
        return []
    except (OSError, UnicodeDecodeError) as error:
        problems.append(file.problem(where, f"{path} cannot be read ({error}): save it as UTF-8 text"))
        return []
    found = [line for line in (raw.partition("#")[0].strip() for raw in text.splitlines()) if line]
    if not found:
        problems.append(file.problem(where, f"{LISTS}/{name}.txt is empty: write one pattern a line, or leave it out"))
    return found


def _included(
    file: YamlFile, model: PackModel, seen: tuple[Path, ...]
) -> tuple[dict[str, CompiledPhrase], dict[str, rb.Role], frozenset[str]]:
    phrases: dict[str, CompiledPhrase] = {}
    roles: dict[str, rb.Role] = {}
    listening: frozenset[str] = frozenset()
    for index, name in enumerate(model.include):
        path = (file.path.parent / name).resolve()
        if path in seen:
            raise PackError([file.problem(("include", index), f"{name} includes itself in a circle: remove it")])
        if not path.is_file():
            raise PackError([file.problem(("include", index), f"{name} is not beside this file: check the name")])
        pack = load_pack(path, seen)
        phrases |= {p.name.partition("/")[2]: p for p in pack.phrases}
        roles |= pack.roles
        listening |= pack.listening
    return phrases, roles, listening


def find_pack(name: str) -> Path:
    """The file of a pack given by name (from ``config/packs``) or by path; raises ``PackError`` when there is none."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return path
    shipped = config_dir() / "packs" / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    known = ", ".join(available_packs())
    raise PackError([Problem(name, 1, "pack", f"there is no such pack: choose one of {known}, or give a file")])


def available_packs() -> list[str]:
    """Names of the packs that ship with the product (files that only hold shared phrases are not among them)."""
    folder = config_dir() / "packs"
    return sorted(p.stem for p in folder.glob("*.yaml") if not p.stem.startswith("_"))


def load_packs(names: list[str] | tuple[str, ...]) -> tuple[rb.Pack, ...]:
    """Load packs by name or path, in order; raises ``PackError`` for a pack that is given twice."""
    packs: dict[str, rb.Pack] = {}
    for name in names:
        path = find_pack(name)
        pack = load_pack(path)
        if pack.id in packs:
            raise PackError([Problem(str(path), 1, "pack", f"{pack.id!r} is given twice: leave one out")])
        packs[pack.id] = pack
    return tuple(packs.values())
