"""Every measure that rules may name, with its unit and its shape."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """How a measure comes: values one after another, or a clock that starts and stops."""

    SERIES = "series"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that rules may name. ``words``: it needs recognised words (or depends on what does)."""

    name: str
    unit: str
    shape: Shape
    words: bool
    two_channels: bool


MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        Measure("answer_latency", "s", Shape.CLOCK, words=False, two_channels=False),
        Measure("rings", "rings", Shape.SERIES, words=False, two_channels=False),
        Measure("greeting_latency", "s", Shape.CLOCK, words=False, two_channels=True),
        Measure("response_latency", "s", Shape.CLOCK, words=True, two_channels=True),
        Measure("dead_air", "s", Shape.CLOCK, words=True, two_channels=False),
        Measure("hold", "s", Shape.CLOCK, words=True, two_channels=False),
        Measure("duration", "s", Shape.CLOCK, words=False, two_channels=False),
        Measure("turn", "s", Shape.CLOCK, words=False, two_channels=True),
        Measure("pace", "characters/min", Shape.SERIES, words=True, two_channels=True),
        Measure("turn_pace", "characters/min", Shape.SERIES, words=True, two_channels=True),
        Measure("call_pace", "characters/min", Shape.SERIES, words=True, two_channels=True),
        Measure("pace_change", "share", Shape.SERIES, words=True, two_channels=True),
        Measure("pace_acoustic", "syllables/min", Shape.SERIES, words=False, two_channels=True),
        Measure("level", "dBFS", Shape.SERIES, words=False, two_channels=True),
        Measure("level_relative", "dB", Shape.SERIES, words=False, two_channels=True),
        Measure("turn_level", "dBFS", Shape.SERIES, words=False, two_channels=True),
        Measure("level_change", "dB", Shape.SERIES, words=False, two_channels=True),
        Measure("clipping", "share", Shape.SERIES, words=False, two_channels=True),
        Measure("loudness", "LKFS", Shape.SERIES, words=False, two_channels=True),
        Measure("liveliness", "semitones", Shape.SERIES, words=False, two_channels=True),
        Measure("drawl", "s", Shape.SERIES, words=False, two_channels=True),
        Measure("overlap", "s", Shape.SERIES, words=False, two_channels=True),
        Measure("non_talk", "s", Shape.SERIES, words=True, two_channels=False),
        Measure("farewell_wait", "s", Shape.SERIES, words=True, two_channels=False),
    )
}
"""Every measure by name; ``docs/rules.md`` lists them."""

ONE_PARTY = frozenset({"greeting_latency", "response_latency", "pace", "turn_pace", "call_pace", "pace_change"})
"""Measures that there are of the agent only."""
