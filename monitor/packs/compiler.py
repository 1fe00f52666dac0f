"""From the models of a pack file to the engine's nouns."""

from __future__ import annotations

from monitor.core import rulebook as rb
from monitor.core.patterns import CompiledPhrase, PatternError, compile_phrase
from monitor.core.types import Channel, Severity
from monitor.packs.checks import LAST, Wrong, check_pattern, check_same, measure_name
from monitor.packs.clauses import register
from monitor.packs.messages import default_message
from monitor.packs.model import (
    AnyRule,
    DuringModel,
    ExpectModel,
    KeepModel,
    NeverModel,
    PatternModel,
    ReportModel,
    Side,
    StepsModel,
    TallyModel,
)
from monitor.yamlfile import Place


class Compiler:
    """Compiles the rules of one pack; raises `Wrong`. ``phrases`` grows by what rules write in place."""

    def __init__(self, pack: str, phrases: dict[str, CompiledPhrase]) -> None:
        self.pack = pack
        self.phrases = phrases
        self._inline = 0

    def pattern(
        self, model: PatternModel, *place: str | int, may_wait: bool = False, may_repeat: bool = False
    ) -> rb.Pattern:
        """A pattern. ``may_wait``: silence may be asked for after it; ``may_repeat``: ``same`` has a meaning here."""
        if model.quiet and not may_wait:
            raise Wrong((*place, "quiet"), "`quiet` belongs to the `when` of `expect` or `steps`: remove it here")
        if model.same and not may_repeat:
            message = "`same` belongs to the `then` of `expect` or to the `what` of a step: remove it here"
            raise Wrong((*place, "same"), message)
        names: list[str] = [h.value for h in model.event]
        for phrase in model.says:
            if phrase not in self.phrases:
                known = ", ".join(sorted(n for n in self.phrases if n[0] != ".")) or "none is defined"
                message = f"unknown phrase {phrase!r}: define it under `phrases` (there are: {known})"
                raise Wrong((*place, "says"), message)
            names.append(f"say:{self.phrases[phrase].name}")
        if model.say:
            names.append(f"say:{self._in_place(model.say, place)}")
        if model.measure is not None:
            names.append(measure_name(model.measure, place))
        check_pattern(model, place)
        quiet = rb.Quiet(Channel(model.quiet.by), model.quiet.seconds, model.quiet.so_far) if model.quiet else None
        return rb.Pattern(tuple(names), _side(model.by), model.min, model.max, quiet, model.same)

    def _in_place(self, say: list[str], place: tuple[str | int, ...]) -> str:
        self._inline += 1
        name = f".{self._inline}"
        try:
            self.phrases[name] = compile_phrase(f"{self.pack}/{name}", say)
        except PatternError as error:
            raise Wrong((*place, "say"), str(error)) from error
        return f"{self.pack}/{name}"

    def patterns(
        self, models: list[PatternModel], *place: str | int, may_repeat: bool = False
    ) -> tuple[rb.Pattern, ...]:
        return tuple(self.pattern(m, *place, index, may_repeat=may_repeat) for index, m in enumerate(models))

    def during(self, m: DuringModel | None) -> rb.During | None:
        if m is None:
            return None
        until = self.pattern(m.until, "during", "until") if m.until else None
        return rb.During(self.pattern(m.after, "during", "after"), m.seconds, until)

    def rule(self, m: AnyRule) -> rb.Rule:
        title = m.title.model_dump()
        for index, name in enumerate(m.watches):
            problem = register().problem(name)
            if problem:
                raise Wrong(("watches", index), problem)
        if any(e.after for e in m.unless) and not isinstance(m, NeverModel | TallyModel):
            message = f"`after` of `unless` is not for `{m.form}`, which does not wait: use `before`"
            raise Wrong(("unless",), message)
        return rb.Rule(
            id=f"{self.pack}/{m.id}",
            form=self.form(m),
            title=title,
            advice=m.advice.model_dump(),
            message=m.message.model_dump() if m.message else default_message(m, title),
            watches=tuple(m.watches),
            severity=m.severity,
            points=m.points,
            tell=frozenset(m.tell),
            frequency=rb.Frequency(m.limit.per_call, m.limit.every),
            direction=m.direction,
            queues=tuple(m.queues),
            tags=frozenset(m.tags),
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
                return rb.Keep(m.measure, _side(m.by), (warn, own) if warn else (own,), self.during(m.during))
            case NeverModel():
                return rb.Never(self.pattern(m.what, "what"), self.during(m.during))
            case ExpectModel():
                return self._expect(m)
            case StepsModel():
                return self._steps(m)
            case TallyModel():
                window = self.pattern(m.window, "window") if m.window else None
                count, during = self.pattern(m.count, "count"), self.during(m.during)
                return rb.Tally(count, m.per, m.min, m.max, window, m.every, m.minutes_needed, during)
            case ReportModel():
                return rb.Report(m.figure, dict(m.values))

    def _expect(self, m: ExpectModel) -> rb.Expect:
        then = self.patterns(m.then, "then", may_repeat=True)
        when = self.pattern(m.when, "when", may_wait=True)
        if m.before is None:
            _something_follows(m.when)
        check_same(m.when, [(p, ("then", k)) for k, p in enumerate(m.then)], self.phrases)
        return rb.Expect(when, then, m.within, m.before, m.once)

    def _steps(self, m: StepsModel) -> rb.Steps:
        steps = tuple(
            rb.Step(s.name, self.patterns(s.what, "steps", k, "what", may_repeat=True), s.within, s.after, s.optional)
            for k, s in enumerate(m.steps)
        )
        until = self.pattern(m.until, "until") if m.until else None
        when = self.pattern(m.when, "when", may_wait=True)
        _something_follows(m.when)
        places: list[tuple[PatternModel, Place]]
        places = [(p, ("steps", k, "what", n)) for k, s in enumerate(m.steps) for n, p in enumerate(s.what)]
        check_same(m.when, places, self.phrases)
        return rb.Steps(when, steps, until, m.once)


def _side(name: Side | None) -> Channel | None:
    return Channel(name) if name else None


def _something_follows(when: PatternModel) -> None:
    if when.event and LAST.issuperset(when.event) and not (when.says or when.say or when.measure):
        remedy = "ask for it `before` that in an `expect`" if "ended" in when.event else "use `ended`, with `before`"
        raise Wrong(("when",), f"nothing follows {when.event[0].value}: {remedy}")
