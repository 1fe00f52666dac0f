"""Two devices as one call: each device's audio on one time line, and the two of them side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.core.types import Chunk, Samples
from monitor.sources.resample import Stretches

TOLERANCE = 0.02
"""Seconds by which the arrival of a block may differ from its place without meaning lost audio."""

PATIENCE = 2.0
"""Seconds for which one side's audio waits for the other's; older audio is given up."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What a device delivered: mono int16 ``samples`` of shape (n,), the clock's time (s) when they were complete,
    the samples known to be lost right before, and whether the device lost an unknown number there."""

    leg: int
    samples: Samples
    arrived: float
    lost: int = 0
    overflow: bool = False


class Leg:
    """One device: puts its blocks at positions of the call's rate.

    Between losses a device's own count of samples is the time; the clock only says where it begins and how much an
    overflow cost. (A correction of drift between two devices belongs here: it would steer the resampling.)
    """

    def __init__(self, device_rate: int, rate: int) -> None:
        self._rate = device_rate
        self._stretches = Stretches(device_rate, rate, 1)
        self._next: int | None = None

    def feed(self, block: Block, zero: float) -> list[tuple[int, Samples]]:
        """Take a block; ``zero`` is the clock's time of position 0. Returns (start, int16 (m, 1)) at the call rate."""
        by_clock = round((block.arrived - zero) * self._rate) - len(block.samples)
        if self._next is None:
            self._next = max(0, by_clock)
        self._next += block.lost
        if block.overflow and by_clock - self._next > TOLERANCE * self._rate:
            self._next = by_clock
        start = self._next
        self._next += len(block.samples)
        return self._stretches.feed(start, block.samples.reshape(-1, 1))

    def flush(self) -> list[tuple[int, Samples]]:
        """What the resampling still held back, at the end."""
        return self._stretches.flush()


class Pairs:
    """Joins the legs of a call into chunks of one column each; only what every leg has is given out.

    Where one side lost audio the chunks skip that stretch, and the call reports a gap.
    """

    def __init__(self, legs: int, rate: int) -> None:
        self._waiting: list[deque[tuple[int, Samples]]] = [deque() for _ in range(legs)]
        self._patience = round(PATIENCE * rate)
        self._begin: int | None = None

    def feed(self, leg: int, start: int, samples: Samples) -> Iterator[Chunk]:
        """Take int16 (n, 1) of one leg, in order; the first chunk that comes out is at position 0."""
        self._waiting[leg].append((start, samples))
        end = start + len(samples)
        for queue in self._waiting:
            while queue and queue[0][0] + len(queue[0][1]) < end - self._patience:
                queue.popleft()
        while all(self._waiting):
            yield from self._next_chunk()

    def _next_chunk(self) -> list[Chunk]:
        """Take from each queue's first piece what is not after the common end; all of them are there."""
        heads = [queue.popleft() for queue in self._waiting]
        start = max(at for at, _ in heads)
        end = min(at + len(samples) for at, samples in heads)
        for queue, (at, samples) in zip(self._waiting, heads, strict=True):
            if at + len(samples) > end:
                keep = max(end, at)
                queue.appendleft((keep, samples[keep - at :]))
        if end <= start:
            return []
        if self._begin is None:
            self._begin = start
        columns = [samples[start - at : end - at] for at, samples in heads]
        return [Chunk(start - self._begin, np.concatenate(columns, axis=1))]
