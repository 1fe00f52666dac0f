"""Events and inputs as JSON, one for one: what is written is read back equal.

Positions stay integer samples here; seconds are for people and appear in reports and on the screens' socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from monitor.core.mask import MASK
from monitor.core.types import Event, Hypothesis, Signal, Word

_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
_input: TypeAdapter[Hypothesis | Signal] = TypeAdapter(Annotated[Hypothesis | Signal, Field(discriminator="kind")])


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as JSON-ready data (enums as strings, tuples as lists)."""
    data: dict[str, Any] = _event.dump_python(event, mode="json")
    return data


def event_from_json(data: dict[str, Any]) -> Event:
    """The event that ``event_to_json`` wrote; raises ``pydantic.ValidationError`` on anything else."""
    return _event.validate_python(data)


def input_to_json(item: Hypothesis | Signal) -> dict[str, Any]:
    """A non-audio input of a call as JSON-ready data."""
    data: dict[str, Any] = _input.dump_python(item, mode="json")
    return data


def input_from_json(data: dict[str, Any]) -> Hypothesis | Signal:
    """The input that ``input_to_json`` wrote."""
    return _input.validate_python(data)


def join_words(words: Sequence[Word]) -> str:
    """Words as a line of text: Han characters stand together, as masked digits do, Latin words get a space between
    them."""
    text = ""
    for word in words:
        if text and word.text and _spaced(text[-1]) and _spaced(word.text[0]):
            text += " "
        text += word.text
    return text


def _spaced(char: str) -> bool:
    return char.isascii() and char != MASK
