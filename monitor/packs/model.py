"""What a pack file may say: pydantic models that refuse everything else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from monitor.core import rulebook as rb
from monitor.core.desk import MEMORY_SECONDS
from monitor.core.types import Severity
from monitor.yamlfile import Strict

Seconds = Annotated[float, Field(gt=0, le=3600)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Side = Literal["agent", "customer"]


OF_EITHER = frozenset(name for name, m in rb.MEASURES.items() if m.two_channels and name not in rb.ONE_PARTY)
"""Measures that come for both parties."""


class TextModel(Strict):
    """A text in Chinese and English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class PhraseModel(Strict):
    """A phrase: any of the patterns in ``say`` and in the files ``list`` names (``lists/NAME.txt`` beside the pack)."""

    say: list[str] = Field(default=[], min_length=1)
    lists: list[Id] = Field(default=[], alias="list")
    by: Literal["near", "sound", "exact"] = "near"
    alone: bool = False
    leading: bool = False
    not_in: list[str] = []
    role: rb.Role | None = None

    @model_validator(mode="before")
    @classmethod
    def _one(cls, data: Any) -> Any:
        return _listed(data, "list")

    @model_validator(mode="after")
    def _something(self) -> PhraseModel:
        if not (self.say or self.lists):
            raise ValueError("has no words: give `say`, `list` or both")
        return self


class QuietModel(Strict):
    """A party keeps silent for so long afterwards; ``so_far``: and has not spoken in this call yet."""

    by: Side
    seconds: Seconds
    so_far: bool = False


class PatternModel(Strict):
    """One kind of occurrence: words (``says`` names phrases, ``say`` writes them here), an ``event`` or a measure.

    ``same``: a slot of it says what a slot of the rule's ``when`` said.
    """

    says: list[Id] = []
    say: list[str] = []
    event: list[rb.Happening] = []
    measure: str | None = None
    by: Side | None = None
    min: float | None = None
    max: float | None = None
    quiet: QuietModel | None = None
    same: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"event": [data]}
        if isinstance(data, dict):
            return {k: [v] if k in ("says", "say", "event") and isinstance(v, str) else v for k, v in data.items()}
        return data

    @model_validator(mode="after")
    def _something(self) -> PatternModel:
        if not (self.says or self.say or self.event or self.measure):
            raise ValueError("says nothing to look for: give `says`, `say`, `event` or `measure`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing lies between them")
        return self


class DuringModel(Strict):
    """When the rule looks at all: from the end of ``after`` for so many ``seconds``, or until ``until``."""

    after: PatternModel
    seconds: Seconds | None = None
    until: PatternModel | None = None

    @model_validator(mode="after")
    def _ends(self) -> DuringModel:
        if self.seconds is None and self.until is None:
            raise ValueError("never ends: give `seconds`, `until` or both (`until: ended` for the rest of the call)")
        return self


class ExcuseModel(PatternModel):
    """What lifts the rule when it happens so many seconds before or after."""

    before: float = Field(default=0.0, ge=0, le=MEMORY_SECONDS)
    after: float = Field(default=0.0, ge=0, le=60)


def _range(least: float | None, most: float | None) -> None:
    if least is None and most is None:
        raise ValueError("limits nothing: give `min`, `max` or both")
    if least is not None and most is not None and least > most:
        raise ValueError(f"min {least:g} is above max {most:g}: no value can be right")


class LimitsModel(Strict):
    min: float | None = None
    max: float | None = None
    tolerance: float = Field(default=0.0, ge=0)
    sustained: float = Field(default=0.0, ge=0, le=600)
    severity: Severity | None = None

    @model_validator(mode="after")
    def _possible(self) -> LimitsModel:
        _range(self.min, self.max)
        return self


class StepModel(Strict):
    name: Id
    what: list[PatternModel] = Field(min_length=1)
    within: Seconds | None = None
    after: float = Field(default=0.0, ge=0)
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one(cls, data: Any) -> Any:
        return _listed(data, "what")

    @model_validator(mode="after")
    def _possible(self) -> StepModel:
        if self.within is not None and self.after > self.within:
            raise ValueError(f"after {self.after:g} is beyond within {self.within:g}: the step can never be in time")
        return self


def _listed(data: Any, *names: str) -> Any:
    if not isinstance(data, dict):
        return data
    return {k: v if k not in names or isinstance(v, list) else [v] for k, v in data.items()}


class FrequencyModel(Strict):
    per_call: int = Field(default=20, ge=1)
    every: float = Field(default=0.0, ge=0)


class RuleModel(Strict):
    """What all forms share."""

    id: Id
    title: TextModel
    advice: TextModel
    message: TextModel | None = None
    watches: list[str] = []
    severity: Severity = Severity.WARNING
    points: float = Field(default=1.0, ge=0)
    tell: list[Literal["supervisor", "agent", "report"]] = ["supervisor", "report"]
    limit: FrequencyModel = FrequencyModel()
    direction: Literal["inbound", "outbound"] | None = None
    queues: list[str] = []
    tags: list[Id] = []
    unless: list[ExcuseModel] = []
    sure: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _one(cls, data: Any) -> Any:
        return _listed(data, "unless", "then", "watches", "queues", "tags")


class KeepModel(RuleModel):
    form: Literal["keep"]
    measure: str
    by: Side | None = None
    min: float | None = None
    max: float | None = None
    tolerance: float = Field(default=0.0, ge=0)
    sustained: float = Field(default=0.0, ge=0, le=600)
    warn: LimitsModel | None = None
    during: DuringModel | None = None

    @field_validator("measure")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in rb.MEASURES:
            raise ValueError(f"unknown measure {name!r}: choose one of {', '.join(sorted(rb.MEASURES))}")
        return name

    @model_validator(mode="after")
    def _possible(self) -> KeepModel:
        _range(self.min, self.max)
        if self.measure in OF_EITHER and self.by is None:
            raise ValueError(f"does not say whose {self.measure}: give `by`")
        if self.measure in rb.ONE_PARTY and self.by == "customer":
            raise ValueError(f"there is no {self.measure} of the customer: write `by: agent`")
        if self.warn is not None:
            self._earlier(self.warn)
        return self

    def _earlier(self, warn: LimitsModel) -> None:
        late_high = warn.max is not None and self.max is not None and warn.max > self.max
        late_low = warn.min is not None and self.min is not None and warn.min < self.min
        if late_high or late_low:
            raise ValueError("`warn` lies beyond the limit itself: it must come before it")


class NeverModel(RuleModel):
    form: Literal["never"]
    what: PatternModel
    during: DuringModel | None = None


class ExpectModel(RuleModel):
    form: Literal["expect"]
    when: PatternModel
    then: list[PatternModel] = Field(min_length=1)
    within: Seconds | None = None
    before: Annotated[float, Field(gt=0, le=MEMORY_SECONDS)] | None = None
    once: bool = False


class StepsModel(RuleModel):
    form: Literal["steps"]
    when: PatternModel
    steps: list[StepModel] = Field(min_length=1)
    until: PatternModel | None = None
    once: bool = False


class TallyModel(RuleModel):
    form: Literal["tally"]
    count: PatternModel
    per: rb.Per = rb.Per.CALL
    min: float | None = None
    max: float | None = None
    window: PatternModel | None = None
    every: Seconds | None = None
    minutes_needed: float = Field(default=0.5, ge=0)
    during: DuringModel | None = None

    @model_validator(mode="after")
    def _possible(self) -> TallyModel:
        if (self.window is not None) != (self.per is rb.Per.WINDOW):
            raise ValueError("`per: window` and `window` belong together")
        if self.every is not None and self.window is None:
            raise ValueError("`every` needs a `window`: give one, or use `per: minute`")
        if self.min is None and self.max is None and self.every is None:
            raise ValueError("counts without a limit: give `min`, `max` or `every`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: no count can be right")
        return self


class ReportModel(RuleModel):
    form: Literal["report"]
    figure: str
    values: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)], float] = {}

    @field_validator("figure")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in rb.FIGURES:
            raise ValueError(f"unknown figure {name!r}: choose one of {', '.join(sorted(rb.FIGURES))}")
        return name


AnyRule = Annotated[
    KeepModel | NeverModel | ExpectModel | StepsModel | TallyModel | ReportModel, Field(discriminator="form")
]


class PackModel(Strict):
    """A pack file. ``include`` names files (beside this one) whose phrases it may use."""

    pack: Id
    title: TextModel
    include: list[str] = []
    listening: list[str] = []
    phrases: dict[Id, PhraseModel] = {}
    rules: list[AnyRule] = []
