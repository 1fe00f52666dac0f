"""From a client's binary messages to chunks of a call: positions, sides, mixing, rate. No socket here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.core.types import Chunk, Samples
from monitor.sources.resample import Resampler

LONGEST_GAP = 4 * 3600
"""Seconds of audio that a client may declare lost at once; more is a mistake in its count."""


class IntakeError(Exception):
    """A message cannot be audio of this call; ``code`` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Intake:
    """Turns little-endian int16 into ``Chunk`` at the call's rate.

    ``heard`` counts the frames (one sample of every channel) taken so far at the client's rate; it is where the
    client goes on after a break. Survives a break of the connection, so the resampler loses nothing.
    """

    def __init__(
        self, rate: int, call_rate: int, columns: int, *, agent_right: bool = False, mixed: bool = False
    ) -> None:
        self.rate = rate
        self.call_rate = call_rate
        self.columns = columns
        self.heard = 0
        self._agent_right = agent_right
        self._mix = mixed and columns > 1
        self._stated: int | None = None
        self._place = 0  # call position of the next sample that comes out
        self._filter = self._fresh()

    def go_on_at(self, position: int) -> None:
        """A rebuilt call has ``position`` samples: what the old resampler still held must be sent again."""
        self._place = position
        self.heard = -(-position * self.rate // self.call_rate)
        self._filter = self._fresh()

    def at(self, frames: int) -> None:
        """The next message begins at ``frames``; raises ``IntakeError`` when that is absurd."""
        if frames > self.heard + LONGEST_GAP * self.rate:
            raise IntakeError(
                "bad_position",
                f"at {frames} is more than {LONGEST_GAP // 3600} hours ahead of the {self.heard} frames heard; "
                "count frames (one sample of every channel) since the call began",
            )
        self._stated = frames

    def feed(self, data: bytes) -> list[Chunk]:
        """Take a message; what the call has already is dropped, a jump ahead ends one stretch and begins another."""
        width = 2 * self.columns
        if len(data) % width:
            raise IntakeError(
                "odd_bytes",
                f"a message of {len(data)} bytes does not divide into frames of {width} bytes "
                f"({self.columns} x 16 bit); send whole frames. Resume at {self.heard}",
            )
        samples = np.frombuffer(data, "<i2").reshape(-1, self.columns)
        begin = self.heard if self._stated is None else self._stated
        self._stated = None
        chunks: list[Chunk] = []
        if begin > self.heard and len(samples):
            chunks += self.flush()
            self._place = max(self._place, round(begin * self.call_rate / self.rate))
            self.heard = begin
        fresh = samples[max(0, self.heard - begin) :]
        self.heard += len(fresh)
        return chunks + self._placed(self._filter.feed(self._sides(fresh)))

    def flush(self) -> list[Chunk]:
        """What the resampler still holds; a new stretch begins after it."""
        rest = self._placed(self._filter.flush())
        self._filter = self._fresh()
        return rest

    def _sides(self, samples: Samples) -> Samples:
        if self._mix:
            total: npt.NDArray[np.int32] = samples.sum(axis=1, keepdims=True, dtype=np.int32)
            mean: Samples = (total // samples.shape[1]).astype(np.int16)
            return mean
        turned = samples[:, ::-1] if self._agent_right else samples
        return np.ascontiguousarray(turned, dtype=np.int16)

    def _placed(self, samples: Samples) -> list[Chunk]:
        if not len(samples):
            return []
        chunk = Chunk(self._place, samples)
        self._place += len(samples)
        return [chunk]

    def _fresh(self) -> Resampler:
        return Resampler(self.rate, self.call_rate, 1 if self._mix else self.columns)


class RateCheck:
    """Holds the declared rate against the clock: two stretches in a row that are far off make a finding.

    ``speed`` is what the client declared (1 is live, 0 is as fast as it can: nothing to hold it against). The first
    stretch after a break does not count, since a client then sends what it had kept.
    """

    LOW, HIGH = 0.8, 1.25

    def __init__(self, stretch: float, speed: float) -> None:
        self._stretch = stretch
        self._speed = speed
        self._since: tuple[float, float] | None = None
        self._off = -1  # the first stretch is not judged
        self.told = False

    def see(self, audio: float, now: float) -> float | None:
        """Audio seconds received by ``now`` (seconds of any steady clock); the ratio to tell about, once."""
        if self.told or not self._speed:
            return None
        if self._since is None:
            self._since = (audio, now)
            return None
        elapsed = now - self._since[1]
        if elapsed < self._stretch:
            return None
        ratio = (audio - self._since[0]) / (elapsed * self._speed)
        self._since = (audio, now)
        if self._off < 0:
            self._off = 0
            return None
        self._off = 0 if self.LOW <= ratio <= self.HIGH else self._off + 1
        if self._off < 2:
            return None
        self.told = True
        return ratio
