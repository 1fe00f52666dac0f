"""What a rule listens to: every pattern it names, and whether it can be judged without words."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.rulebook import MEASURES, Expect, Happening, Keep, Never, Pattern, Rule, Steps, Tally

_WITH_WORDS = {
    Happening.HOLD_START,
    Happening.HOLD_END,
    Happening.INTERRUPTION,
    Happening.NUMBER,
    Happening.WORDS,
}

MEMORY_SECONDS = 180.0
"""How far back rules may look; longer than any window the packs use."""

Span = tuple[Pattern, float, float]
"""A pattern, and the seconds before and after a finding in which it counts."""


def _of_during(rule: Rule) -> list[Pattern]:
    during = rule.form.during if isinstance(rule.form, Keep | Never | Tally) else None
    return [p for p in (during.after, during.until) if p] if during else []


def _of_form(rule: Rule) -> list[Pattern]:
    form = rule.form
    own: list[Pattern | None]
    match form:
        case Never():
            own = [form.what]
        case Expect():
            own = [form.when, *form.then]
        case Steps():
            own = [form.when, form.until, *(p for s in form.steps for p in s.what)]
        case Tally():
            own = [form.what, form.window]
        case _:
            own = []
    return [p for p in own if p]


def patterns_of(rule: Rule) -> list[Pattern]:
    """Every pattern that a rule names."""
    return _of_form(rule) + _of_during(rule) + [e.pattern for e in rule.excuses]


def _by_words(pattern: Pattern) -> bool:
    bare = {n.removeprefix("start:").removeprefix("stop:") for n in pattern.names}
    by_words = {n for n in bare if n.startswith("say:") or (n in MEASURES and MEASURES[n].words)}
    return bool(by_words or set(pattern.names) & _WITH_WORDS)


def needs_words(rule: Rule) -> bool:
    """Whether the rule can only be judged once words are known."""
    if isinstance(rule.form, Keep) and MEASURES[rule.form.measure].words:
        return True
    return any(_by_words(p) for p in patterns_of(rule))


def turns_on(rule: Rule) -> tuple[Span, ...]:
    """The patterns through which words decide about a finding of the rule; each also names words as such."""
    spans = [(p, 0.0, 0.0) for p in _of_form(rule)] + [(e.pattern, e.before, e.after) for e in rule.excuses]
    during = rule.form.during if isinstance(rule.form, Keep | Never | Tally) else None
    reach = (during and during.seconds) or MEMORY_SECONDS
    spans += [(p, reach, 0.0) for p in _of_during(rule)]
    if isinstance(rule.form, Keep):
        spans.append((Pattern((rule.form.measure,), rule.form.by), 0.0, 0.0))
    words = str(Happening.WORDS)
    return tuple((replace(p, names=(*p.names, words)), low, high) for p, low, high in spans if _by_words(p))
