"""What a recording's channels hold: who is heard at all, and whether both channels are one and the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.core.types import Samples

AUDIBLE = 20.0
"""Root mean square, in steps of 16 bits (-64 dBFS), from which 100 ms count as sound; the idle noise of
G.711 is 8."""

ALIKE = 0.01
"""Energy of the difference over energy of both channels, below which they carry the same sound (-20 dB):
coding and slightly different gain stay under it, one party speaking is at 1."""

LOW = 2000
"""Hz up to which the channels are compared: coders put noise of their own, another on each channel, above 4
kHz."""

ENOUGH = 20
"""Blocks of 100 ms in which the channels differ, after which they are two parties whatever comes later."""

STRAY = 0.05
"""Share of the audible blocks that may differ in channels that are still the same (a click, a beep on one
side)."""


class Survey:
    """Looks at int16 audio of 1 or 2 channels, in pieces, until it has seen enough or the file ends."""

    def __init__(self, rate: int, channels: int) -> None:
        self._channels = channels
        self._block = rate // 10
        self._wide = max(1, rate // LOW)
        self._rest = np.zeros((0, channels), np.int16)
        self._audible = np.zeros(channels, np.int64)
        self._sounding = 0
        self._differing = 0

    def look(self, samples: Samples) -> bool:
        """Take int16 (n, channels); True when the rest of the file can change nothing."""
        rows = np.concatenate([self._rest, samples])
        whole = len(rows) - len(rows) % self._block
        self._rest = rows[whole:]
        if whole:
            self._count(rows[:whole].reshape(-1, self._block, self._channels))
        return bool((self._audible > 0).all()) and (self._channels == 1 or self._differing >= ENOUGH)

    def finish(self) -> None:
        """Count what is left of the file, less than a block."""
        if len(self._rest):
            filled = np.zeros((1, self._block, self._channels), np.int16)
            filled[0, : len(self._rest)] = self._rest
            self._count(filled)
            self._rest = self._rest[:0]

    @property
    def silent(self) -> list[bool]:
        """Of each channel, whether nothing was ever heard on it."""
        return [bool(count == 0) for count in self._audible]

    @property
    def same(self) -> bool:
        """Whether two channels carry the same sound; two silent ones tell nothing and are not the same."""
        return self._channels == 2 and self._sounding > 0 and self._differing <= STRAY * self._sounding

    def _count(self, blocks: Samples) -> None:
        """Take int16 (blocks, rows, channels)."""
        wide: npt.NDArray[np.float64] = blocks.astype(np.float64)
        audible = (wide**2).mean(axis=1) >= AUDIBLE**2
        self._audible += audible.sum(axis=0)
        self._sounding += int(audible.any(axis=1).sum())
        if self._channels == 2:
            rows = blocks.shape[1] - blocks.shape[1] % self._wide
            low = wide[:, :rows].reshape(len(blocks), -1, self._wide, 2).mean(axis=2)  # keeps what is below LOW
            energy = (low**2).mean(axis=1).sum(axis=1)
            apart = ((low[:, :, 0] - low[:, :, 1]) ** 2).mean(axis=1)
            differing = audible.any(axis=1) & (apart > ALIKE * energy) & (apart >= AUDIBLE**2)
            self._differing += int(differing.sum())
