"""What a pattern can never be: told when a pack is loaded, since in a call it would only be silent."""

from __future__ import annotations

from monitor.core import rulebook as rb
from monitor.core.patterns import Blank, CompiledPhrase
from monitor.packs.model import PatternModel
from monitor.yamlfile import Place

LASTING = frozenset(
    {
        rb.Happening.HOLD_END, rb.Happening.SPEECH_END, rb.Happening.TURN_END, rb.Happening.OVERLAP,
        rb.Happening.INTERRUPTION, rb.Happening.BARGE_IN, rb.Happening.RING, rb.Happening.MUSIC,
        rb.Happening.MUSIC_END, rb.Happening.NUMBER,
    }
)  # fmt: skip
"""Events that have a value."""

LAST = frozenset({rb.Happening.HANGUP, rb.Happening.ENDED})
"""Events that nothing follows."""


class Wrong(ValueError):
    """Something in a rule cannot be; ``place`` is the field, as seen from the rule."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def measure_name(name: str, place: Place) -> str:
    """The occurrence that stands for a measure in a pattern."""
    bare = _bare(name)
    if bare not in rb.MEASURES:
        message = f"unknown measure {bare!r}: choose one of {', '.join(sorted(rb.MEASURES))}"
        raise Wrong((*place, "measure"), message)
    clock = rb.MEASURES[bare].shape is rb.Shape.CLOCK
    if bare != name and not clock:
        raise Wrong((*place, "measure"), f"{bare} neither starts nor stops: write `measure: {bare}`")
    return f"stop:{bare}" if clock and bare == name else name


def check_pattern(model: PatternModel, place: Place) -> None:
    """Raise `Wrong` for a pattern that nothing can match."""
    if model.measure is not None and _bare(model.measure) in rb.ONE_PARTY and model.by == "customer":
        raise Wrong((*place, "by"), f"there is no {model.measure} of the customer: write `by: agent`")
    bound = "min" if model.min is not None else "max" if model.max is not None else ""
    if bound and (model.says or model.say):
        raise Wrong((*place, bound), f"words have no value, so `{bound}` never holds: remove it")
    if model.min is not None and model.min > 0:
        without = [str(e) for e in model.event if e not in LASTING]
        if model.measure and model.measure.startswith("start:"):
            without.append(model.measure)
        if without:
            raise Wrong((*place, "min"), f"{without[0]} has no length, so `min` never holds: remove it")
    if rb.Happening.NUMBER in model.event and model.max is not None and model.max < rb.LEAST_DIGITS:
        message = f"a number has at least {rb.LEAST_DIGITS} digits, so `max` never holds: raise it"
        raise Wrong((*place, "max"), message)


def check_same(when: PatternModel, then: list[tuple[PatternModel, Place]], phrases: dict[str, CompiledPhrase]) -> None:
    """Raise `Wrong` where ``same`` has nothing to compare; ``then`` are the patterns of the rule with their places."""
    wanted = [(model, place) for model, place in then if model.same]
    if not wanted:
        return
    bare = _without_slot(when, phrases)
    if bare:
        raise Wrong(
            (*wanted[0][1], "same"),
            f"`same` has nothing to compare with, {bare} in `when` says no value: "
            "use a phrase with X in each wording, or `event: number`",
        )
    for model, place in wanted:
        bare = _without_slot(model, phrases)
        if bare:
            message = f"`same` has nothing to compare, {bare} never fills a slot: put X into each wording, "
            raise Wrong((*place, "same"), message + "or use `event: number`")


def _without_slot(model: PatternModel, phrases: dict[str, CompiledPhrase]) -> str:
    """What in a pattern has no value to compare; empty when all has."""
    for name in model.says:
        if name in phrases and not _slotted(phrases[name]):
            return f"phrase {name!r}"
    for event in model.event:
        if event is not rb.Happening.NUMBER:
            return f"event {event.value!r}"
    if model.measure is not None:
        return f"measure {model.measure!r}"
    return f"{model.say[0]!r}" if model.say and not all("X" in s or "Ｘ" in s for s in model.say) else ""


def _slotted(phrase: CompiledPhrase) -> bool:
    return all(Blank.SLOT in phrasing.blanks for phrasing in phrase.phrasings)


def _bare(name: str) -> str:
    return name.removeprefix("start:").removeprefix("stop:")
