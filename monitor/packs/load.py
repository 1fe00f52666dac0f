"""From pack files to the packs of the engine; all errors of a file are reported at once."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from monitor.core import rulebook as rb
from monitor.core.patterns import CompiledPhrase, PatternError, compile_phrase
from monitor.core.types import Channel, Severity
from monitor.packs.model import (
    AnyRule,
    ExpectModel,
    KeepModel,
    NeverModel,
    PackModel,
    PatternModel,
    ReportModel,
    Side,
    StepsModel,
    TallyModel,
)
from monitor.paths import config_dir
from monitor.yamlfile import Place, Problem, YamlError, YamlFile

PackError = YamlError
"""A pack cannot be used; ``problems`` has every reason, each with file, line and field."""

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
        try:
            phrases[name] = compile_phrase(
                f"{model.pack}/{name}",
                phrase.say,
                by=phrase.by,
                alone=phrase.alone,
                leading=phrase.leading,
                not_in=phrase.not_in,
            )
        except PatternError as error:
            problems.append(file.problem(("phrases", name, "say"), str(error)))
            phrases[name] = CompiledPhrase(name, ())  # so that rules that use it are not wrong as well
        if phrase.role:
            roles[f"{model.pack}/{name}"] = phrase.role
    compiler = _Compiler(model.pack, phrases)
    rules: dict[str, rb.Rule] = {}
    for index, rule in enumerate(model.rules):
        if rule.id in rules:
            problems.append(file.problem(("rules", index, "id"), f"{rule.id!r} is used twice: rename one"))
            continue
        try:
            rules[rule.id] = compiler.rule(rule)
        except _Wrong as error:
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


class _Wrong(ValueError):
    """Something in a rule cannot be; ``place`` is the field, as seen from the rule."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


class _Compiler:
    """Models to the engine's nouns. ``phrases`` grows by what rules write in place."""

    def __init__(self, pack: str, phrases: dict[str, CompiledPhrase]) -> None:
        self.pack = pack
        self.phrases = phrases
        self._inline = 0

    def pattern(self, model: PatternModel, *place: str | int, may_wait: bool = False) -> rb.Pattern:
        if model.quiet and not may_wait:
            raise _Wrong((*place, "quiet"), "`quiet` belongs to the `when` of `expect` or `steps`: remove it here")
        names: list[str] = [h.value for h in model.event]
        for phrase in model.says:
            if phrase not in self.phrases:
                known = ", ".join(sorted(n for n in self.phrases if n[0] != ".")) or "none is defined"
                message = f"unknown phrase {phrase!r}: define it under `phrases` (there are: {known})"
                raise _Wrong((*place, "says"), message)
            names.append(f"say:{self.phrases[phrase].name}")
        if model.say:
            self._inline += 1
            name = f".{self._inline}"
            try:
                self.phrases[name] = compile_phrase(f"{self.pack}/{name}", model.say)
            except PatternError as error:
                raise _Wrong((*place, "say"), str(error)) from error
            names.append(f"say:{self.pack}/{name}")
        if model.measure is not None:
            names.append(_measure_name(model.measure, place))
        quiet = rb.Quiet(Channel(model.quiet.by), model.quiet.seconds, model.quiet.so_far) if model.quiet else None
        return rb.Pattern(tuple(names), _side(model.by), model.min, model.max, quiet)

    def patterns(self, models: list[PatternModel], *place: str | int) -> tuple[rb.Pattern, ...]:
        return tuple(self.pattern(m, *place, index) for index, m in enumerate(models))

    def rule(self, m: AnyRule) -> rb.Rule:
        title = m.title.model_dump()
        if any(e.after for e in m.unless) and not isinstance(m, NeverModel | TallyModel):
            message = f"`after` of `unless` is not for `{m.form}`, which does not wait: use `before`"
            raise _Wrong(("unless",), message)
        return rb.Rule(
            id=f"{self.pack}/{m.id}",
            form=self.form(m),
            title=title,
            advice=m.advice.model_dump(),
            message=m.message.model_dump() if m.message else _message(m, title),
            watches=tuple(m.watches),
            severity=m.severity,
            points=m.points,
            tell=frozenset(m.tell),
            frequency=rb.Frequency(m.limit.per_call, m.limit.every),
            direction=m.direction,
            queues=tuple(m.queues),
            excuses=tuple(rb.Excuse(self.pattern(e, "unless", k), e.before, e.after) for k, e in enumerate(m.unless)),
            sure=m.sure,
        )

    def form(self, m: AnyRule) -> rb.Form:
        match m:
            case KeepModel():
                own = rb.Limits(m.min, m.max, m.tolerance, m.sustained, m.severity)
                warn = m.warn and rb.Limits(
                    m.warn.min, m.warn.max, m.warn.tolerance, m.warn.sustained, m.warn.severity or Severity.NOTE
                )
                return rb.Keep(m.measure, _side(m.by), (warn, own) if warn else (own,))
            case NeverModel():
                return rb.Never(self.pattern(m.what, "what"))
            case ExpectModel():
                then = self.patterns(m.then, "then")
                when = self.pattern(m.when, "when", may_wait=True)
                return rb.Expect(when, then, m.within, m.before, m.once)
            case StepsModel():
                steps = tuple(
                    rb.Step(s.name, self.patterns(s.what, "steps", k, "what"), s.within, s.after, s.optional)
                    for k, s in enumerate(m.steps)
                )
                until = self.pattern(m.until, "until") if m.until else None
                return rb.Steps(self.pattern(m.when, "when", may_wait=True), steps, until, m.once)
            case TallyModel():
                window = self.pattern(m.window, "window") if m.window else None
                return rb.Tally(self.pattern(m.count, "count"), m.per, m.min, m.max, window, m.every, m.minutes_needed)
            case ReportModel():
                return rb.Report(m.figure)


def _side(name: Side | None) -> Channel | None:
    return Channel(name) if name else None


def _measure_name(name: str, place: Place) -> str:
    bare = name.removeprefix("start:").removeprefix("stop:")
    if bare not in rb.MEASURES:
        message = f"unknown measure {bare!r}: choose one of {', '.join(sorted(rb.MEASURES))}"
        raise _Wrong((*place, "measure"), message)
    clock = rb.MEASURES[bare].shape is rb.Shape.CLOCK
    if bare != name and not clock:
        raise _Wrong((*place, "measure"), f"{bare} neither starts nor stops: write `measure: {bare}`")
    return f"stop:{bare}" if clock and bare == name else name


UNITS = {
    "characters/min": ("字/分", "characters/min"),
    "syllables/min": ("音节/分", "syllables/min"),
    "s": ("秒", "s"),
    "dBFS": ("dBFS", "dBFS"),
    "dB": ("dB", "dB"),
    "rings": ("声", "rings"),
}


def _message(m: AnyRule, title: rb.Text) -> rb.Text:
    """What an alert says when the pack writes nothing of its own."""
    match m:
        case KeepModel():
            zh, en = UNITS.get(rb.MEASURES[m.measure].unit, ("", ""))
            wanted = "–".join(f"{v:g}" for v in (m.min, m.max) if v is not None)
            return {
                "zh": f"{title['zh']}：{{value}} {zh}（要求 {wanted}）",
                "en": f"{title['en']}: {{value}} {en} (wanted {wanted})",
            }
        case NeverModel() if m.what.says or m.what.say:
            return {"zh": f"{title['zh']}：“{{text}}”", "en": f"{title['en']}: “{{text}}”"}
        case ExpectModel() if m.within:
            return {
                "zh": f"{title['zh']}：{m.within:g} 秒内没有做到",
                "en": f"{title['en']}: not done within {m.within:g} s",
            }
        case StepsModel():
            return {"zh": f"{title['zh']}：缺少步骤 {{step}}", "en": f"{title['en']}: step {{step}} is missing"}
        case TallyModel():
            return {
                "zh": f"{title['zh']}：{{value}} 次（界限 {{limit}}）",
                "en": f"{title['en']}: {{value}} times (limit {{limit}})",
            }
        case _:
            return title


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
