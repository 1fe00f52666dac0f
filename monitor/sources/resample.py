"""Bringing a stream of audio to the rate of a call, whatever the size of the pieces it arrives in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from monitor.core.types import RATES, Samples

LOWEST, HIGHEST = RATES
BLOCKS_A_SECOND = 10
"""The filter works on blocks of 100 ms: shorter ones cost many times more."""


def call_rate(file_rate: int) -> int:
    """The rate of a call whose source has ``file_rate``: 8000 stays, everything higher becomes 16000.

    Raises ``ValueError`` below 8000: what a telephone does not carry cannot be measured fairly.
    """
    if file_rate < LOWEST:
        raise ValueError(f"{file_rate} Hz is below the {LOWEST} Hz of a telephone line")
    return LOWEST if file_rate == LOWEST else HIGHEST


class Resampler:
    """A stream of int16 at one rate to int16 at another; the output does not depend on the sizes fed.

    Blocks of one fixed length go through the filter, so the same samples see the same arithmetic in any
    chunking. Output sample n stands where input sample ``n * rate_in / rate_out`` stood: the filter's delay
    is taken out.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._filter = (
            None
            if rate_in == rate_out
            else soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="HQ")
        )
        self._block = max(1, rate_in // BLOCKS_A_SECOND)
        self._waiting: list[Samples] = []
        self._rows_waiting = 0
        self._none = np.zeros((0, channels), np.int16)
        self._in = 0
        self._out = 0

    def feed(self, samples: Samples) -> Samples:
        """Take int16 (n, channels), return int16 (m, channels): what is certain so far, often nothing."""
        if self._filter is None:
            return samples
        self._in += len(samples)
        self._waiting.append(samples)
        self._rows_waiting += len(samples)
        if self._rows_waiting < self._block:
            return self._none
        whole = self._rows_waiting - self._rows_waiting % self._block
        rows = np.concatenate(self._waiting)
        self._waiting = [rows[whole:]]
        self._rows_waiting = len(rows) - whole
        done = [self._through(rows[at : at + self._block], False) for at in range(0, whole, self._block)]
        result = np.concatenate(done)
        self._out += len(result)
        return result

    def flush(self) -> Samples:
        """The rest; the whole output is then as long as the input to half a sample. The stream ends here."""
        if self._filter is None:
            return self._none
        rows = np.concatenate([self._none, *self._waiting])
        self._waiting, self._rows_waiting = [], 0
        rest = self._through(rows, True)
        missing = (2 * self._in * self.rate_out + self.rate_in) // (2 * self.rate_in) - self._out
        rest = np.concatenate([rest, np.zeros((max(0, missing - len(rest)), rest.shape[1]), np.int16)])
        self._out += missing
        return rest[:missing]

    def _through(self, rows: Samples, last: bool) -> Samples:
        assert self._filter is not None
        scaled: npt.NDArray[np.float32] = rows.astype(np.float32) / np.float32(32768.0)
        out = self._filter.resample_chunk(scaled, last=last)
        return to_int16(out).reshape(-1, rows.shape[1])


class Stretches:
    """Resamples audio that may have holes: positions stay true, and the filter begins anew after each hole."""

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self._rates = (rate_in, rate_out, channels)
        self._filter = Resampler(*self._rates)
        self._next_in = 0
        self._next_out = 0

    def feed(self, start: int, samples: Samples) -> list[tuple[int, Samples]]:
        """Take int16 (n, channels) at ``start``, not before the last end; return what is certain with its starts.

        ``start`` counts at the rate of the input, the starts returned at that of the output.
        """
        done = []
        if start != self._next_in:
            done = self.flush()
            rate_in, rate_out, _ = self._rates
            self._next_out = max(self._next_out, start * rate_out // rate_in)
            self._filter = Resampler(*self._rates)
        self._next_in = start + len(samples)
        return done + self._placed(self._filter.feed(samples))

    def flush(self) -> list[tuple[int, Samples]]:
        """The rest of the stretch."""
        return self._placed(self._filter.flush())

    def _placed(self, samples: Samples) -> list[tuple[int, Samples]]:
        if not len(samples):
            return []
        start = self._next_out
        self._next_out += len(samples)
        return [(start, samples)]


def to_int16(values: npt.NDArray[np.floating]) -> Samples:
    """Floats of full scale 1 as int16, rounded, and clipped where they exceed it; no number becomes
    silence."""
    scaled = np.rint(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=-1.0) * 32768.0)
    clipped: Samples = np.clip(scaled, -32768, 32767).astype(np.int16)
    return clipped
