"""What the measures of a call share: they see occurrences in stream order and derive further ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.core.rulebook import Occurrence
from monitor.core.stream import Stream
from monitor.core.types import Channel, Event, Measured, Quality


@dataclass(frozen=True, slots=True)
class Context:
    """Where a deriver lives: ``emit`` dispatches an occurrence at once, ``say`` publishes an event."""

    rate: int
    mixed: bool
    stream: Stream
    emit: Callable[[Occurrence], None]
    say: Callable[[Event], None]

    def samples(self, seconds: float) -> int:
        return round(seconds * self.rate)

    def seconds(self, samples: int) -> float:
        return samples / self.rate


class Deriver:
    """One measure. It sees every occurrence of its stream and derives further ones."""

    def __init__(self, context: Context) -> None:
        self.c = context

    def see(self, seen: Occurrence) -> None:
        """Take one occurrence, in stream order."""

    def close(self, end: int) -> None:
        """The call is over at ``end``."""

    def clock_start(self, name: str, by: Channel | None, start: int) -> Occurrence:
        """Start a clock; returns what ``clock_stop`` wants."""
        started = Occurrence(f"start:{name}", by, start, start, self.c.stream.position)
        self.c.emit(started)
        return started

    def clock_stop(self, started: Occurrence, end: int, *, quality: Quality = Quality.EXACT) -> None:
        """Stop a clock and publish its value; ``Quality.UNKNOWN`` calls it off without a value."""
        name = started.name.removeprefix("start:")
        value = self.c.seconds(end - started.start)
        now = self.c.stream.position
        self.c.emit(Occurrence(f"stop:{name}", started.by, started.start, end, now, value, quality))
        if quality is not Quality.UNKNOWN:
            self.c.say(Measured(name, started.by, started.start, end, value, now, quality))

    def measured(
        self,
        name: str,
        by: Channel | None,
        start: int,
        end: int,
        value: float,
        quality: Quality = Quality.EXACT,
    ) -> None:
        """Publish one value of a series."""
        now = self.c.stream.position
        self.c.say(Measured(name, by, start, end, value, now, quality))
        self.c.emit(Occurrence(name, by, start, end, now, value, quality))
