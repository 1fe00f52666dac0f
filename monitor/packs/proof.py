"""Proof calls: written calls with what a pack must say of them, and whether it does.

A proof file names its pack and holds calls by name: each is a dialogue (``monitor.render.dialogue``) with ``alerts``,
which are exactly those that must come, and ``met``, the rules that must be met at least once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from monitor.audit.standing import Came, standing
from monitor.core import rulebook as rb
from monitor.core.fold import is_han
from monitor.core.types import Event, Outcome, SignalKind, Verdict
from monitor.paths import data_root
from monitor.render import dialogue
from monitor.render.render import Rendered
from monitor.render.truth import said_of
from monitor.yamlfile import Place, Problem, Strict, YamlError, YamlFile

CALL = "call"
"""In place of an item's id: the call from its first sample to the hang-up, or to its last where none is signalled."""

SLACK = 0.3
"""Seconds by which an alert may miss its time, unless the proof allows more."""


class ExpectedAlert(Strict):
    """An alert of a rule, by whom it is (anybody if left out), ``plus`` seconds after the ``start`` or the ``end`` of
    an item (``ID.start``, ``ID.end``) or of the call (``call.end``), ``about`` so many seconds early or late. ``said``:
    the time is that of these characters of the item."""

    rule: dialogue.Id
    by: Literal["agent", "customer"] | None = None
    at: str
    said: str | None = None
    plus: float = 0.0
    about: Annotated[float, Field(gt=0, le=600)] = SLACK

    @field_validator("at")
    @classmethod
    def _an_edge(cls, at: str) -> str:
        if at.rpartition(".")[2] not in ("start", "end") or not at.rpartition(".")[0]:
            raise ValueError(f"{at!r} is no time: write ID.start or ID.end of an item's `id`, or {CALL}.end")
        return at

    @property
    def item(self) -> str:
        """The id of the item that the time is counted from."""
        return self.at.rpartition(".")[0]

    def seconds(self, rendered: Rendered) -> float:
        """The time in the rendered call."""
        start, end = rendered.places.get(self.item) or (0.0, _end(rendered))
        if self.said:
            words = said_of([u for u in rendered.truth["utterances"] if u.get("id") == self.item])
            start, end = words[0].part(self.said) or (start, end)
        return (start if self.at.endswith(".start") else end) + self.plus


def _end(rendered: Rendered) -> float:
    """When the call ends, s."""
    hangups = (float(signal["at"]) for signal in rendered.signals if signal["signal"] == SignalKind.HANGUP)
    return next(hangups, len(rendered.samples) / rendered.rate)


class ProofCall(dialogue.Dialogue):
    """A call and what its pack says of it."""

    alerts: tuple[ExpectedAlert, ...] = ()
    met: tuple[dialogue.Id, ...] = ()


class ProofFile(Strict):
    """Calls of one pack by name."""

    pack: str
    calls: Annotated[dict[dialogue.Id, ProofCall], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Proof:
    """A call of a proof file and where it stands."""

    pack: str
    name: str
    call: ProofCall
    file: Path
    line: int


def proofs_folder(pack: str) -> Path:
    """Where the proof calls of a pack lie in a checkout. Raises ``YamlError`` where there are none."""
    folder = data_root() / "tests" / "packs" / pack
    if folder.is_dir() and any(folder.glob("*.yaml")):
        return folder
    remedy = "the proof calls come with a checkout of the sources; write some there, or name a folder with --calls"
    raise YamlError([Problem(str(folder), 1, "calls", f"holds no proof calls of {pack}: {remedy}")])


def read_proofs(folder: Path, pack: rb.Pack) -> list[Proof]:
    """All proof calls of a folder, files in order of their names. Raises ``YamlError`` with everything wrong."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise YamlError([Problem(str(folder), 1, "calls", "holds no proof calls (*.yaml): name another with --calls")])
    proofs: dict[str, Proof] = {}
    problems: list[Problem] = []
    for path in files:
        try:
            found = read_file(path, pack)
        except YamlError as error:
            problems += error.problems
            continue
        for proof in found:
            if first := proofs.get(proof.name):
                message = f"there is a call {proof.name!r} in {first.file.name} as well: rename one"
                problems.append(Problem(str(path), proof.line, f"calls.{proof.name}", message))
            proofs.setdefault(proof.name, proof)
    if problems:
        raise YamlError(problems)
    return list(proofs.values())


def read_file(path: Path, pack: rb.Pack) -> list[Proof]:
    """The proof calls of one file. Raises ``YamlError`` with file, line and field of everything wrong."""
    file = YamlFile(path, hidden=dialogue.TAGS)
    try:
        model = ProofFile.model_validate(file.data)
    except ValidationError as error:
        raise YamlError(file.problems(error)) from error
    problems = [file.problem(place, message) for place, message in _wrong(model, pack)]
    if problems:
        raise YamlError(problems)
    return [Proof(pack.id, name, call, path, file.line(("calls", name))) for name, call in model.calls.items()]


def _wrong(model: ProofFile, pack: rb.Pack) -> Iterator[tuple[Place, str]]:
    """What cannot be known from the file alone."""
    if model.pack != pack.id:
        yield ("pack",), f"{model.pack!r} is not the pack that is tested, {pack.id!r}: move the file or mend the name"
        return
    rules = {rule.id.partition("/")[2] for rule in pack.rules}
    for name, call in model.calls.items():
        place = ("calls", name)
        texts = {item.id: item.text if isinstance(item, dialogue.Say) else "" for item in call.items if item.id}
        ids = {*texts, CALL}
        for number, alert in enumerate(call.alerts):
            if alert.rule not in rules:
                yield (*place, "alerts", number, "rule"), _unknown_rule(alert.rule, pack)
            if alert.item not in ids:
                known = ", ".join(sorted(ids))
                yield (*place, "alerts", number, "at"), f"no item has the id {alert.item!r}: use one of {known}"
            elif alert.said is not None and alert.said not in "".join(filter(is_han, texts.get(alert.item, ""))):
                message = f"{alert.item!r} does not say {alert.said!r}: write characters as they stand there, no pauses"
                yield (*place, "alerts", number, "said"), message
        for number, rule in enumerate(call.met):
            if rule not in rules:
                yield (*place, "met", number), _unknown_rule(rule, pack)


def _unknown_rule(name: str, pack: rb.Pack) -> str:
    return f"{pack.id} has no rule {name!r}: `monitor rules list {pack.id}` shows what there is"


# ---------------------------------------------------------------- what came of a call


@dataclass(frozen=True, slots=True)
class Fault:
    """What is not as a proof says: the rule, which kind of fault, in words, what came instead, the rule's verdicts."""

    rule: str
    kind: Literal["missing", "false", "unmet"]
    message: str
    alerts: tuple[Came, ...]
    verdicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof that was tried: ``seconds`` of audio, how many alerts came, and what was not as it should be. An alert
    at a wrong time is missing, and not false as well."""

    proof: Proof
    seconds: float
    alerts: int
    faults: tuple[Fault, ...]


def compare(proof: Proof, rendered: Rendered, events: Sequence[Event], slack: float = SLACK) -> Proved:
    """Hold what came of a call against its proof. ``slack``: the least tolerance of all times, in seconds."""
    came = [alert for alert in standing(events, rendered.rate) if alert.rule.startswith(f"{proof.pack}/")]
    left = list(came)
    missing = [alert for alert in proof.call.alerts if not _found(alert, proof.pack, rendered, left, slack)]
    wrong: list[tuple[str, Literal["missing", "false", "unmet"], str]] = []
    for alert in missing:
        other = _nearest(alert, proof.pack, rendered, left)
        if other is not None:
            left.remove(other)
        instead = f"it came at {other.at:.2f} s" if other else "it did not come"
        wrong.append((alert.rule, "missing", f"expected an alert {_place(alert, rendered, slack)}; {instead}"))
    wrong += [(a.rule.partition("/")[2], "false", f"not expected: an alert at {a}") for a in left]
    met = {v.rule for v in events if isinstance(v, Verdict) and v.outcome is Outcome.MET}
    wrong += [(r, "unmet", "expected to be met; it was not") for r in proof.call.met if f"{proof.pack}/{r}" not in met]
    faults = tuple(
        Fault(rule, kind, message, *_beside(f"{proof.pack}/{rule}", came, events, rendered.rate))
        for rule, kind, message in wrong
    )
    return Proved(proof, len(rendered.samples) / rendered.rate, len(came), faults)


def _found(alert: ExpectedAlert, pack: str, rendered: Rendered, left: list[Came], slack: float) -> bool:
    """Whether the alert is there at its time; then it is taken out of those that are ``left``."""
    near = _nearest(alert, pack, rendered, left)
    if near is None or abs(near.at - alert.seconds(rendered)) > max(alert.about, slack) + 1e-6:
        return False
    left.remove(near)
    return True


def _nearest(alert: ExpectedAlert, pack: str, rendered: Rendered, left: list[Came]) -> Came | None:
    """Of the rule's alerts against this party the one nearest in time."""
    same = [a for a in left if a.rule == f"{pack}/{alert.rule}" and alert.by in (None, a.by)]
    return min(same, key=lambda a: abs(a.at - alert.seconds(rendered)), default=None)


def _place(alert: ExpectedAlert, rendered: Rendered, slack: float) -> str:
    plus = f" {alert.plus:+g}" if alert.plus else ""
    by = f" by {alert.by}" if alert.by else ""
    return f"at {alert.seconds(rendered):.2f} s ({alert.at}{plus}, within {max(alert.about, slack):g} s){by}"


def _beside(
    rule: str, came: list[Came], events: Sequence[Event], rate: int
) -> tuple[tuple[Came, ...], tuple[str, ...]]:
    """All alerts and verdicts of a rule."""
    verdicts = tuple(
        f"{v.at / rate:.2f} s {v.outcome.value}{f' ({v.reason})' if v.reason else ''}"
        for v in events
        if isinstance(v, Verdict) and v.rule == rule
    )
    return tuple(alert for alert in came if alert.rule == rule), verdicts
