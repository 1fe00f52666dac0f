"""One open stream of a sherpa-onnx recogniser: samples of a call go in, tokens with their times come out.

Samples are handed on in blocks of 20 ms counted from the start of the stream, and every step is decoded as soon as
it can be. So what comes out depends on the samples alone, never on how they came in pieces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.asr.audio import FRAME_SECONDS, Floats, hiss
from monitor.core.types import Samples

RATE = 16000
"""Samples a second that the recogniser takes."""

BLOCK = round(RATE * FRAME_SECONDS)
"""Samples that are handed on at a time."""

_HALF = 16  # samples: half the width of the filter that doubles the rate
_ONE = 1 << 15
PARAFORMER_LOOK_AHEAD = 0.18
"""A paraformer writes the tokens of a step only when it has heard so much (s) after it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, the second of the stream at which it came, and how sure the model was (0..1)."""

    text: str
    at: float
    sure: float


class Doubler:
    """8 kHz to 16 kHz, sample by sample and 2 ms late; exact integers, so that pieces make no difference."""

    def __init__(self) -> None:
        place = np.arange(-_HALF + 0.5, _HALF)
        taps = np.sinc(place) * np.kaiser(2 * _HALF + 1, 7.0)[:-1]
        self._taps = np.rint(taps / taps.sum() * _ONE)
        self._past = np.zeros(2 * _HALF - 1)

    def feed(self, samples: Samples) -> Floats:
        """int16 (n,) to float32 (2 n,) in -1..1."""
        if not len(samples):
            return np.zeros(0, dtype=np.float32)
        known = np.concatenate([self._past, samples.astype(np.float64)])
        self._past = known[len(samples) :]
        doubled = np.empty(2 * len(samples))
        doubled[0::2] = known[_HALF - 1 : _HALF - 1 + len(samples)] * _ONE
        doubled[1::2] = np.convolve(known, self._taps, mode="valid")
        return (doubled / (_ONE * 32768.0)).astype(np.float32)


class Stream:
    """``handle`` is a new stream of ``recogniser`` (both sherpa-onnx's); ``start`` is where it lies in its call.

    ``hiss_dbfs`` is the level of noise to add, ``stretch`` corrects the times of a model whose frames are no 40 ms;
    one that is not ``timed`` tells no times at all.
    """

    def __init__(
        self,
        recogniser: Any,
        handle: Any,
        start: int,
        rate: int,
        *,
        hiss_dbfs: float | None,
        stretch: float,
        timed: bool,
    ) -> None:
        if rate not in (RATE, RATE // 2):
            raise ValueError(f"a stream has {RATE // 2} or {RATE} samples a second, not {rate}")
        self.start, self.rate, self.fed = start, rate, 0
        self._recogniser, self._handle = recogniser, handle
        self._hiss, self._stretch, self._timed = hiss_dbfs, stretch, timed
        self._block = round(rate * FRAME_SECONDS)
        self._doubler = Doubler() if rate != RATE else None
        self._handed = 0  # samples that the recogniser has, at its rate
        self._steps: list[tuple[int, float]] = []  # tokens after a step, and the second it was heard up to

    def feed(self, samples: Samples) -> None:
        """Takes int16 ``samples`` counted from the start of the stream, of which the first ``fed`` are known."""
        whole = (len(samples) - self.fed) // self._block * self._block
        self._hand(samples[self.fed : self.fed + whole])
        self.fed += whole

    def finish(self, samples: Samples, tail: float) -> None:
        """Takes the rest of ``samples`` and ``tail`` seconds of silence; nothing can be fed afterwards."""
        self.feed(samples)
        self._hand(samples[self.fed :])
        self.fed = len(samples)
        self._hand(np.zeros(math.ceil(tail / FRAME_SECONDS) * self._block, np.int16))
        self._handle.input_finished()
        self._decode()

    def _hand(self, samples: Samples) -> None:
        """Hands ``samples`` on in blocks, the last of which may be shorter."""
        if self._doubler is None:
            sound = samples.astype(np.float32) / np.float32(32768.0)
        else:
            sound = self._doubler.feed(samples)
        if self._hiss is not None:
            sound = sound + hiss(self._handed, len(sound), self._hiss)
        values = sound.tolist()  # which sherpa-onnx takes faster than an array
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK]
            self._handle.accept_waveform(RATE, block)
            self._handed += len(block)
            self._decode()

    def _decode(self) -> None:
        while self._recogniser.is_ready(self._handle):
            self._recogniser.decode_stream(self._handle)
            if not self._timed:
                count = len(self._recogniser.get_result_all(self._handle).tokens)
                self._steps.append((count, self._handed / RATE))

    def tokens(self) -> list[Token]:
        """What was heard so far."""
        result = self._recogniser.get_result_all(self._handle)
        texts: list[str] = list(result.tokens)
        times = [time * self._stretch for time in result.timestamps] if self._timed else self._guessed(len(texts))
        sure: list[float] = list(result.ys_probs)
        if len(sure) != len(texts):
            sure = [0.0] * len(texts)  # natural logarithms
        return [Token(text, at, math.exp(min(log, 0.0))) for text, at, log in zip(texts, times, sure, strict=True)]

    def _guessed(self, count: int) -> list[float]:
        """Times for a model that tells none: a step's tokens are spread evenly over the sound of the step."""
        times: list[float] = []
        before = 0.0
        for total, heard in self._steps:
            until = max(heard - PARAFORMER_LOOK_AHEAD, before)
            fresh = total - len(times)
            times += [before + (until - before) * n / fresh for n in range(fresh)]
            before = until
        return times + [before] * (count - len(times))
