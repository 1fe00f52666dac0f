"""The report, schema 1, as other programs may rely on it: every field, its kind and its range."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(ge=0)]
Party = Literal["agent", "customer", "mixed"]
RuleId = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
Known = Literal["exact", "inferred", "unknown"]
Review = Literal["unheard_by_fast", "unheard_by_careful", "fast_ear_only"] | None


class Part(BaseModel):
    """A part of the report: no field too many, none of another kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Span(Part):
    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _forward(self) -> Span:
        assert self.start <= self.end
        return self


class Facts(Part):
    id: str
    source: str
    seconds: Seconds
    rate: Literal[8000, 16000]
    channels: list[Party]
    packs: list[str]
    model: str | None
    version: str


class Both(Part):
    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Evidence(Span):
    channel: Party
    text: str
    match: Literal["exact", "sound", "near"]


class Alert(Span):
    rule: RuleId
    occasion: Annotated[int, Field(ge=1)]
    severity: Literal["note", "warning", "critical"]
    state: Literal["confirmed", "cleared"]
    channel: Party | None
    at: Seconds
    raised_at: Seconds
    message: Both
    review: Review
    evidence: list[Evidence]


class Verdict(Part):
    rule: RuleId
    occasion: Annotated[int, Field(ge=0)]
    outcome: Literal["met", "broken", "cannot_tell", "not_applicable"]
    at: Seconds
    reason: str
    review: Review


class Value(Span):
    channel: Party | None
    value: float
    quality: Known


class Summary(Part):
    channel: Party | None
    count: Annotated[int, Field(ge=1)]
    mean: float
    min: float
    max: float


class Talked(Part):
    channel: Party
    seconds: Seconds


class Said(Part):
    phrase: str
    channel: Party
    count: Annotated[int, Field(ge=1)]


class Metric(Part):
    unit: str
    quality: Known
    summary: list[Summary] | list[Talked] | list[Said]
    values: list[Value] = []


class Turn(Span):
    channel: Party
    pace: float | None


class Word(Part):
    """A word may lie a little outside its line."""

    text: str
    start: Seconds
    end: Seconds


class Line(Span):
    channel: Party
    text: str
    words: list[Word]


class PhaseEntry(Part):
    phase: Literal["ringing", "talking", "held", "ended"]
    at: Seconds
    inferred: bool
    by: Party | None


class Gap(Span):
    reason: str


class Report(Part):
    """A whole report."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    call: Facts
    alerts: list[Alert]
    verdicts: list[Verdict]
    metrics: dict[str, Metric]
    turns: list[Turn]
    transcript: list[Line]
    phases: list[PhaseEntry]
    gaps: list[Gap]

    @model_validator(mode="after")
    def _within_the_call(self) -> Report:
        last = self.call.seconds + 0.02  # the last frame is filled up
        for part in (*self.alerts, *self.turns, *self.transcript, *self.gaps):
            assert part.end <= last, part
        for verdict in self.verdicts:
            assert verdict.at <= last, verdict
        return self
