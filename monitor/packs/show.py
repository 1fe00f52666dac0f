"""A pack as a table for people: what each rule watches, its limits, and who is told what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core import rulebook as rb
from monitor.core.types import Channel
from monitor.packs.messages import UNITS

HEADERS = {
    "zh": ("条款", "规则", "形式", "界限", "对客服的提示", "主管看到", "级别"),
    "en": ("Clause", "Rule", "Form", "Threshold", "Advice to the agent", "What the supervisor sees", "Severity"),
}

_FORMS = {
    rb.Keep: ("keep", "保持"),
    rb.Never: ("never", "禁止"),
    rb.Expect: ("expect", "应当"),
    rb.Steps: ("steps", "步骤"),
    rb.Tally: ("tally", "计数"),
    rb.Report: ("report", "报表"),
}
_SEVERITY = {"note": "提示", "warning": "警告", "critical": "严重"}
_PARTY = {Channel.AGENT: ("agent", "客服"), Channel.CUSTOMER: ("customer", "客户")}


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, in the columns of ``HEADERS``."""

    clause: str
    rule: str
    form: str
    threshold: str
    advice: str
    seen: str
    severity: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.clause, self.rule, self.form, self.threshold, self.advice, self.seen, self.severity)


def rows(pack: rb.Pack, language: str = "zh") -> list[Row]:
    """The rules of a pack in their order; ``language`` is ``zh`` or ``en``."""
    return [_Words(language).row(rule) for rule in pack.rules]


def markdown(pack: rb.Pack, language: str = "zh") -> str:
    """The document of a pack: its title, how it is made, and the table."""
    lines = [HEADERS[language], tuple("---" for _ in HEADERS[language])]
    lines += [tuple(cell.replace("|", "\\|") for cell in row.cells) for row in rows(pack, language)]
    made = f"monitor rules show {pack.id} --markdown{' --english' if language == 'en' else ''}"
    told = {
        "zh": f"由 `{made}` 生成。词句见 `config/packs/{pack.id}.yaml`，写法见 [rules.md](../rules.md)。",
        "en": f"Printed by `{made}`. The words are in `config/packs/{pack.id}.yaml`; see [rules.md](../rules.md).",
    }
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"# {pack.title[language]}\n\n{told[language]}\n\n{table}\n"


@dataclass(frozen=True, slots=True)
class _Words:
    """A rule in one language."""

    language: str

    def row(self, rule: rb.Rule) -> Row:
        silent = "" if "agent" in rule.tell else self.choose("(not told) ", "（不提示）")
        title, message = rule.title[self.language], rule.message[self.language]
        english, chinese = _FORMS[type(rule.form)]
        return Row(
            clause="; ".join(rule.watches) or "–",
            rule=rule.id.partition("/")[2],
            form=self.choose(english, chinese),
            threshold="; ".join(filter(None, (*self.form(rule.form), *self.conditions(rule)))) or "–",
            advice=f"{silent}{rule.advice[self.language]}",
            seen=message if message.startswith(title) else f"{title}: {message}",
            severity=self.choose(rule.severity.value, _SEVERITY[rule.severity.value]),
        )

    def choose(self, english: str, chinese: str) -> str:
        return chinese if self.language == "zh" else english

    def party(self, by: Channel | None) -> str:
        return self.choose(*_PARTY[by]) if by in _PARTY else ""

    def seconds(self, value: float, chinese: str, english: str) -> str:
        return self.choose(f"{english} {value:g} s", f"{chinese} {value:g} 秒")

    def form(self, form: rb.Form) -> Iterable[str]:
        match form:
            case rb.Keep():
                return self._keep(form)
            case rb.Never():
                return (self.pattern(form.what), self.during(form.during))
            case rb.Expect():
                return self._expect(form)
            case rb.Steps():
                return self._steps(form)
            case rb.Tally():
                return self._tally(form)
            case rb.Report():
                return (form.figure, *(f"{name} {value:g}" for name, value in form.values.items()))

    def _keep(self, form: rb.Keep) -> Iterable[str]:
        zh, en = UNITS.get(rb.MEASURES[form.measure].unit, ("", ""))
        limit = form.limits[-1]
        yield f"{self.party(form.by)} {form.measure} {_range(limit.least, limit.most)} {self.choose(en, zh)}".strip()
        if limit.tolerance:
            yield f"±{limit.tolerance:g}"
        if limit.sustained:
            yield self.seconds(limit.sustained, "持续", "for")
        for warn in form.limits[:-1]:
            severity = self.choose(warn.severity.value, _SEVERITY[warn.severity.value])
            yield f"{severity} {_range(warn.least, warn.most)}"
        yield self.during(form.during)

    def _expect(self, form: rb.Expect) -> Iterable[str]:
        yield f"{self.pattern(form.when)} → {self.patterns(form.then)}"
        if form.within is not None:
            yield self.seconds(form.within, "≤", "within")
        elif form.before is None:
            yield self.choose("before the call ends", "通话结束前")
        if form.before is not None:
            first = form.within is None
            yield self.seconds(form.before, "之前" if first else "或之前", "in the last" if first else "or in the last")
        if form.once:
            yield self.choose("once", "仅首次")

    def _steps(self, form: rb.Steps) -> Iterable[str]:
        yield self.pattern(form.when)
        for number, step in enumerate(form.steps, 1):
            time = "" if step.within is None else self.seconds(step.within, " ≤", " within")
            least = self.seconds(step.after, " ≥", " not before") if step.after else ""
            may = self.choose(" (may be left out)", "（可省）") if step.optional else ""
            yield f"{number}. {step.name}{least}{time}{may}"
        if form.until:
            yield f"{self.choose('until', '直到')} {self.pattern(form.until)}"

    def _tally(self, form: rb.Tally) -> Iterable[str]:
        per = {
            rb.Per.CALL: self.choose("a call", "每通"),
            rb.Per.MINUTE: self.choose("a minute of speech", "每分钟说话"),
            rb.Per.WINDOW: self.pattern(form.window) if form.window else "",
        }[form.per]
        limit = _range(form.least, form.most)
        if form.every is not None:
            limit = f"{limit} {self.seconds(form.every, '每', 'one every')}".strip()
        yield f"{self.pattern(form.what)} {limit} / {per}"
        yield self.during(form.during)

    def conditions(self, rule: rb.Rule) -> Iterable[str]:
        """When the rule counts, and what excuses."""
        if rule.direction:
            yield self.choose(rule.direction, {"inbound": "呼入", "outbound": "呼出"}[rule.direction])
        yield ", ".join(rule.queues)
        yield ", ".join(sorted(rule.tags))
        if rule.excuses:
            excuses = self.patterns(e.pattern for e in rule.excuses)
            yield f"{self.choose('unless', '除非')} {excuses}"

    def during(self, during: rb.During | None) -> str:
        if during is None:
            return ""
        length = "" if during.seconds is None else self.seconds(during.seconds, " 后", " for")
        until = f" {self.choose('until', '直到')} {self.pattern(during.until)}" if during.until else ""
        return f"{self.choose('after', '自')} {self.pattern(during.after)}{length}{until}"

    def patterns(self, patterns: Iterable[rb.Pattern]) -> str:
        return " / ".join(self.pattern(p) for p in patterns)

    def pattern(self, pattern: rb.Pattern) -> str:
        """What it reacts to, the phrases by their names."""
        names = ", ".join(_name(name) for name in pattern.names)
        value = _range(pattern.least, pattern.most)
        quiet = pattern.quiet
        parts = [self.party(pattern.by), names, value, self.choose("(the same)", "（相同）") if pattern.same else ""]
        if quiet:
            parts.append(f"+ {self.party(quiet.by)} {self.seconds(quiet.seconds, '沉默', 'silent')}")
        return " ".join(filter(None, parts))


def _name(name: str) -> str:
    """Phrases in quotation marks without their pack, clocks by what they measure."""
    if not name.startswith("say:"):
        return name.removeprefix("stop:")
    phrase = name.partition("/")[2]
    return f"“{'…' if phrase.startswith('.') else phrase}”"


def _range(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"{least:g}" if least == most else f"{least:g}–{most:g}"
    return f"≥ {least:g}" if least is not None else f"≤ {most:g}" if most is not None else ""
