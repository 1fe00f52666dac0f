"""What a rule is: the pure form of a pack, as the loader hands it to the engine.

Everything a rule can react to is an ``Occurrence``; everything it waits for is a ``Pattern`` of occurrences. The
YAML language and its checks live in ``monitor.packs``; here stand only the nouns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.core.fold import NUMERALS, digits, fold
from monitor.core.measures import MEASURES as MEASURES
from monitor.core.measures import ONE_PARTY as ONE_PARTY
from monitor.core.measures import Measure as Measure
from monitor.core.measures import Shape as Shape
from monitor.core.patterns import CompiledPhrase
from monitor.core.types import Channel, Evidence, Quality, Severity, Word

Text = dict[str, str]
"""A text in several languages: ``zh`` and ``en``."""


class Happening(StrEnum):
    """The kinds of occurrence that are neither words nor measures."""

    RINGING = "ringing"
    ANSWERED = "answered"
    HOLD_START = "hold_start"
    HOLD_END = "hold_end"
    HANGUP = "hangup"
    ENDED = "ended"
    SPEECH_START = "speech_start"
    SPEECH_END = "speech_end"
    TURN_END = "turn_end"
    OVERLAP = "overlap"
    INTERRUPTION = "interruption"
    BARGE_IN = "barge_in"  # an overlap that is an interruption if the words bear it out
    DIGIT = "digit"
    NUMBER = "number"  # at least five digits said in a row; its value is how many
    RING = "ring"
    MUSIC = "music"
    MUSIC_END = "music_end"
    WORDS = "words"


LEAST_DIGITS = 5
"""Fewer digits in a row are no number that somebody would dictate."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened from ``start`` to ``end`` and took its place in the stream at ``known``.

    ``name`` is a ``Happening``, a phrase name prefixed ``say:``, a measure's name, or a clock's name prefixed
    ``start:``/``stop:``. ``value`` is in the measure's unit, seconds for things that last. ``faint``: a phrase that may
    have been said; rules know it by its ``score``.
    """

    name: str
    by: Channel | None
    start: int
    end: int
    known: int
    value: float = 0.0
    quality: Quality = Quality.EXACT
    score: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    slots: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """``by`` says nothing for ``seconds`` after the occurrence; with ``so_far`` it has not spoken before either."""

    by: Channel
    seconds: float
    so_far: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """Matches an occurrence whose name is one of ``names``, of the party ``by``, with a value inside the bounds.

    With ``quiet`` it holds only once that party has kept silent for the time given. With ``same`` a slot of it must
    say what a slot of its cause said.
    """

    names: tuple[str, ...]
    by: Channel | None = None
    least: float | None = None
    most: float | None = None
    quiet: Quiet | None = None
    same: bool = False

    def matches(self, seen: Occurrence) -> bool:
        """Whether the occurrence is of this kind (silence afterwards is the engine's to watch)."""
        if seen.name not in self.names:
            return False
        if self.by is not None and seen.by is not None and seen.by not in (self.by, Channel.MIXED):
            return False
        if self.least is not None and seen.value < self.least:
            return False
        return self.most is None or seen.value <= self.most

    def answers(self, causes: Iterable[Occurrence], seen: Occurrence) -> bool:
        """Whether the occurrence is of this kind and, with ``same``, repeats what one of its causes said."""
        return self.matches(seen) and (not self.same or any(repeats(c, seen) for c in causes))

    @property
    def phrases(self) -> tuple[str, ...]:
        """Names of the phrases it listens for."""
        return tuple(n.removeprefix("say:") for n in self.names if n.startswith("say:"))


def repeats(one: Occurrence, other: Occurrence) -> bool:
    """Whether a slot of the one says the same as a slot of the other: numbers digit for digit, else as folded."""
    return not {_said(s) for s in one.slots}.isdisjoint(_said(s) for s in other.slots)


def _said(slot: str) -> str:
    folded = fold(slot)
    return digits(folded) if folded and NUMERALS.issuperset(folded) else folded


@dataclass(frozen=True, slots=True)
class During:
    """When a rule looks at all: from the end of ``after`` for ``seconds``, or until ``until``, whichever is first."""

    after: Pattern
    seconds: float | None = None
    until: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Excuse:
    """A pattern that lifts a rule when it is met up to ``before`` seconds before or ``after`` seconds after."""

    pattern: Pattern
    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """A range, in the measure's unit, and how it is held. ``tolerance`` widens the range before anything is said
    and is given up again (hysteresis) before an alert may end; ``sustained`` seconds must pass outside it."""

    least: float | None
    most: float | None
    tolerance: float = 0.0
    sustained: float = 0.0
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class Keep:
    """A measure of a party stays within limits. The last limit is the rule; those before it only warn."""

    measure: str
    by: Channel | None
    limits: tuple[Limits, ...]
    during: During | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """Must not happen."""

    what: Pattern
    during: During | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """After ``when``, one of ``then`` follows within ``within`` seconds (None: before the call ends), or stood at
    most ``before`` seconds ahead of it. ``once``: only the first occasion of a call counts."""

    when: Pattern
    then: tuple[Pattern, ...]
    within: float | None
    before: float | None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step: any of ``what``, at least ``after`` and at most ``within`` seconds after the step before."""

    name: str
    what: tuple[Pattern, ...]
    within: float | None
    after: float = 0.0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """After ``when`` the steps follow in order; ``until`` ends the run without a finding."""

    when: Pattern
    steps: tuple[Step, ...]
    until: Pattern | None = None
    once: bool = False


class Per(StrEnum):
    CALL = "call"
    MINUTE = "minute"  # of the party's speech
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happens: in a call, per minute of speech, or inside each ``window`` occurrence, where
    ``every`` asks for one in so many seconds."""

    what: Pattern
    per: Per
    least: float | None = None
    most: float | None = None
    window: Pattern | None = None
    every: float | None = None
    minutes_needed: float = 0.5
    during: During | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A figure over many calls; the engine watches nothing, the reports do. ``values`` are the figure's own limits."""

    figure: str
    values: dict[str, float] = field(hash=False, default_factory=dict)


FIGURES = frozenset({"promises", "dropped_calls", "repeats", "answer_rates", "confidentiality"})
"""What reports know how to count."""

Form = Keep | Never | Expect | Steps | Tally | Report


@dataclass(frozen=True, slots=True)
class Frequency:
    """At most ``per_call`` alerts of a rule, and ``every`` seconds between two."""

    per_call: int = 20
    every: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``id`` is ``pack/name``; ``watches`` names the clauses (``manual/clause``)."""

    id: str
    form: Form
    title: Text
    advice: Text
    message: Text
    watches: tuple[str, ...]
    severity: Severity
    points: float = 0.0
    tell: frozenset[str] = frozenset({"supervisor", "report"})
    frequency: Frequency = Frequency()
    direction: str | None = None
    queues: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    """The rule counts only in calls that carry all of them."""
    excuses: tuple[Excuse, ...] = ()
    sure: float = 0.5
    """Hits that score less are no proof: the verdict is *cannot tell*."""


class Role(StrEnum):
    """What measures and reports need to know about a phrase."""

    WAIT = "wait"  # asks the customer to wait: silence after it is a hold
    FAREWELL = "farewell"  # silence after it is nobody's fault
    PROMISE = "promise"  # says by when something will be done


@dataclass(frozen=True, slots=True)
class Pack:
    """A manual as rules. ``roles`` maps phrase names to what the measures take them for; ``listening`` are the
    words that a listener says without interrupting."""

    id: str
    title: Text
    phrases: tuple[CompiledPhrase, ...]
    rules: tuple[Rule, ...]
    roles: dict[str, Role] = field(hash=False, default_factory=dict)
    listening: frozenset[str] = frozenset()
