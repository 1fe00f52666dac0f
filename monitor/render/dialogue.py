"""Written dialogues: the YAML that ``scripts/make_call`` reads, and the same built from Python.

Unknown keys are refused; every error names file, line and field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from monitor.core.types import Channel
from monitor.render import music, sounds, speech
from monitor.yamlfile import Strict, YamlError, YamlFile

Side = Literal["agent", "customer", "both"]
Level = Annotated[float, Field(ge=-90, le=-1, description="dBFS, RMS")]
Pitch = Annotated[int, Field(ge=0, le=99)]
Pace = Annotated[float, Field(ge=90, le=500, description="characters a minute")]
Pause = Annotated[float, Field(ge=0, le=600, description="seconds after everything before has ended")]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]


class Party(Strict):
    """How one side speaks unless an utterance says otherwise."""

    voice: str = "f2"
    pitch: Pitch = 50
    liveliness: Annotated[Pitch, Field(description="how far the pitch moves; 0 is flat")] = 50
    pace: Pace = 190
    level: Level = -22
    breath: Annotated[float, Field(gt=0, le=10, description="seconds of a | in the text")] = 0.4


class Placed(Strict):
    """What takes its place in the call. Others may name it by its ``id``."""

    id: Id | None = None


class Say(Placed):
    """One utterance. Starts ``pause`` after everything before has ended, or ``overlap`` seconds before that end, or
    ``at`` so many seconds of the call. ``drawl``: the last syllable is held on for so long (babble only)."""

    agent: str | None = None
    customer: str | None = None
    pause: Pause = 0.6
    overlap: Seconds | None = None
    at: Annotated[float, Field(ge=0)] | None = None
    voice: str | None = None
    pitch: Pitch | None = None
    liveliness: Pitch | None = None
    pace: Pace | None = None
    level: Level | None = None
    drawl: Annotated[float, Field(ge=0.1, le=5)] | None = None

    @model_validator(mode="after")
    def _one_place_one_text(self) -> Self:
        if (self.agent is None) == (self.customer is None):
            raise ValueError("an utterance needs either agent or customer")
        if len(self.model_fields_set & {"pause", "overlap", "at"}) > 1:
            raise ValueError("only one of pause, overlap and at can say when an utterance starts")
        speech.check_text(self.text)
        return self

    @property
    def channel(self) -> Channel:
        return Channel.CUSTOMER if self.agent is None else Channel.AGENT

    @property
    def text(self) -> str:
        return self.agent or self.customer or ""


class Ring(Placed):
    """So many bursts of ring-back; the call is answered ``answer`` seconds after the last one ends."""

    ring: Annotated[int, Field(ge=1, le=30)]
    answer: Pause = 1.5
    level: Level = -18
    side: Side = "both"


class Answered(Placed):
    """The call is answered here, for calls without ring-back."""

    answered: Literal[True]
    pause: Pause = 0.0


class Hold(Placed):
    """The agent leaves the line for so many seconds, with music or in silence; signalled unless ``signal: false``."""

    hold: Seconds
    music: str | bool = False
    side: Side = "both"
    level: Level = -24
    signal: bool = True
    pause: Pause = 0.4

    @model_validator(mode="after")
    def _known_style(self) -> Self:
        if isinstance(self.music, str):
            _known("music", self.music, list(music.STYLES))
        return self


class Digits(Placed):
    """Keys pressed, 0.12 s each with 0.1 s between."""

    digits: Annotated[str, Field(min_length=1, pattern=r"^[0-9A-D*#]+$")]
    side: Literal["agent", "customer"] = "customer"
    level: Level = -14
    pause: Pause = 0.5


class Music(Placed):
    """Music that is no hold; ``behind`` plays it under what follows instead of before it."""

    music: str
    seconds: Seconds
    side: Side = "both"
    level: Level = -24
    behind: bool = False
    pause: Pause = 0.0

    @model_validator(mode="after")
    def _known_style(self) -> Self:
        _known("music", self.music, list(music.STYLES))
        return self


class Noise(Placed):
    """Background sound under what follows, for ``seconds`` or to the end of the call."""

    noise: str
    seconds: Seconds | None = None
    side: Side = "both"
    level: Level = -50
    behind: bool = True
    pause: Pause = 0.0

    @model_validator(mode="after")
    def _known_kind(self) -> Self:
        _known("noise", self.noise, list(sounds.NOISES))
        if not self.behind and self.seconds is None:
            raise ValueError("noise that is not behind needs seconds")
        return self


class Silence(Placed):
    """Nobody says anything for so long."""

    silence: Seconds


class Hangup(Placed):
    """The end of the call, ``pause`` after the last sound; the recording runs on for ``tail`` seconds, with busy tone
    if asked for."""

    hangup: Literal["agent", "customer"]
    pause: Pause = 1.0
    tail: Annotated[float, Field(ge=0, le=60)] = 0.5
    busy: bool = False


def _known(what: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}; there are {', '.join(names)}")


_KINDS = ("ring", "answered", "hold", "digits", "silence", "hangup", "agent", "customer", "noise", "music")
"""The key that says what an item is; the first one found counts, so a hold may carry music."""

_TAGS = {kind: f"<{'say' if kind in ('agent', 'customer') else kind}>" for kind in _KINDS}
"""Tags of the item union; no key of a file can look like one, so errors can leave them out."""

TAGS = frozenset(_TAGS.values())
"""What a ``YamlFile`` that holds dialogues hides."""


def _tag(item: Any) -> str | None:
    has = item if isinstance(item, dict) else getattr(item, "model_fields_set", ())
    return next((tag for kind, tag in _TAGS.items() if kind in has), None)


Item = Annotated[
    Annotated[Say, Tag("<say>")]
    | Annotated[Ring, Tag("<ring>")]
    | Annotated[Answered, Tag("<answered>")]
    | Annotated[Hold, Tag("<hold>")]
    | Annotated[Digits, Tag("<digits>")]
    | Annotated[Music, Tag("<music>")]
    | Annotated[Noise, Tag("<noise>")]
    | Annotated[Silence, Tag("<silence>")]
    | Annotated[Hangup, Tag("<hangup>")],
    Discriminator(
        _tag,
        custom_error_type="no_kind",
        custom_error_message=f"no known item: write one of the keys {', '.join(_KINDS)}",
    ),
]

Clause = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", description="manual/clause")]


class Findings(Strict):
    """What a monitor should say of the call: clauses that it breaks and clauses that it keeps."""

    broken: tuple[Clause, ...] = ()
    met: tuple[Clause, ...] = ()


class Dialogue(Strict):
    """A call. ``floor`` is the noise of the line in dBFS, null for none; ``signals: false`` leaves the signal list
    empty, so that a monitor has to infer from what it hears. ``tags``: what is known of it before it begins."""

    title: str = ""
    rate: Literal[8000, 16000] = 8000
    direction: Literal["inbound", "outbound"] = "inbound"
    agent: Party = Party(voice="f2")
    customer: Party = Party(voice="m3")
    band: Literal["telephone", "wide"] = "telephone"
    mulaw: bool = False
    floor: Annotated[float, Field(ge=-96, le=-20)] | None = -72
    signals: bool = True
    seed: int = 1
    tags: tuple[Id, ...] = ()
    findings: Findings = Findings()
    items: tuple[Item, ...]

    @model_validator(mode="after")
    def _ends_once(self) -> Self:
        if not self.items:
            raise ValueError("a call needs at least one item")
        for number, item in enumerate(self.items[:-1], 1):
            if isinstance(item, Hangup):
                raise ValueError(f"item {number} hangs up, but {len(self.items) - number} more follow")
        ids = [item.id for item in self.items if item.id is not None]
        if twice := next((name for name in ids if ids.count(name) > 1), None):
            raise ValueError(f"the id {twice!r} is used twice: rename one")
        return self


def read(path: Path) -> Dialogue:
    """Read a dialogue from a YAML file. Raises YamlError with file, line and field of every fault."""
    file = YamlFile(path, hidden=TAGS)
    try:
        return Dialogue.model_validate(file.data)
    except ValidationError as error:
        raise YamlError(file.problems(error)) from error
