"""PCM of any chunk size becomes frames of 20 ms on an absolute grid; lost samples become a ``Gap``.

Frame number ``i`` covers the positions ``i * frame_len`` to ``(i + 1) * frame_len`` whatever the chunks look like,
so nothing is rounded and nothing drifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.core.types import FRAMES_A_SECOND, RATES, Chunk, Gap, Samples


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Consecutive whole frames. ``start`` is the position of the first sample, ``samples`` is int16 of shape
    (channels, frames, frame length): what one channel needs lies together in memory."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        """The position after the last sample."""
        _, count, length = self.samples.shape
        return self.start + int(count * length)


class Framer:
    """Cuts chunks into frames. Wholly lost frames are skipped, partly lost ones are zero where samples were lost."""

    def __init__(self, rate: int, channels: int) -> None:
        if rate not in RATES:
            raise ValueError(f"a call has {RATES[0]} or {RATES[1]} samples a second, not {rate}")
        if channels not in (1, 2):
            raise ValueError(f"a call has one or two channels, not {channels}")
        self.frame_len = rate // FRAMES_A_SECOND
        self.channels = channels
        self.position = 0
        """Samples seen or known to be lost so far."""
        self._begun = np.zeros((0, channels), np.int16)  # the frame that is not complete yet

    def feed(self, chunk: Chunk) -> list[Frames | Gap]:
        """What became complete, in the order of the audio. A chunk that starts before ``position`` is a ValueError."""
        samples = chunk.samples
        if samples.ndim != 2 or samples.shape[1] != self.channels:
            raise ValueError(f"a chunk has the shape (n, {self.channels}), not {samples.shape}")
        if samples.dtype != np.int16:
            raise ValueError(f"samples are int16, not {samples.dtype}")
        if chunk.start < self.position:
            raise ValueError(f"the chunk at {chunk.start} begins before {self.position}, which was already heard")
        out: list[Frames | Gap] = []
        if chunk.start > self.position:
            out += self._lose(chunk.start)
        if len(samples):
            out += self._cut(samples)
        return out

    def flush(self) -> list[Frames]:
        """The last frame, filled up with zeros, when the audio ended inside it. The framer then stands at its end."""
        missing = -len(self._begun) % self.frame_len
        return self._cut(np.zeros((missing, self.channels), np.int16)) if missing else []

    def _cut(self, samples: Samples) -> list[Frames]:
        start = self.position - len(self._begun)
        self.position += len(samples)
        joined = np.concatenate((self._begun, samples)) if len(self._begun) else samples
        count = len(joined) // self.frame_len
        whole = count * self.frame_len
        self._begun = joined[whole:].copy()  # copied here and below, because a source may reuse its buffer
        if not count:
            return []
        rows = joined[:whole].T.copy().reshape(self.channels, count, self.frame_len)
        return [Frames(start, rows)]

    def _lose(self, until: int) -> list[Frames | Gap]:
        gap = Gap(self.position, until)
        begun_at = self.position - len(self._begun)
        lost_in_begun = min(until, begun_at + self.frame_len) - self.position if len(self._begun) else 0
        frames = self._cut(np.zeros((lost_in_begun, self.channels), np.int16))
        if self.position < until:  # the grid goes on inside the frame in which the audio comes back
            self.position = until
            self._begun = np.zeros((until % self.frame_len, self.channels), np.int16)
        return [*frames, gap]
