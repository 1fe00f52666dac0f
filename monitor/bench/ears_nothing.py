"""What ears write where nobody speaks: in silence, noises, tones, ring-back and hold music."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.asr.worker import answer
from monitor.bench.ears_hear import Contestant, listen
from monitor.bench.ears_score import plain
from monitor.bench.gauge import Figures, Plan
from monitor.bench.material import Material
from monitor.core.types import AsrRequest, Channel, Samples
from monitor.render import music, sounds
from monitor.render.line import Signal, telephone_band, to_int16

RATE = 8000
MINUTES = 60.0
QUICK_MINUTES = 3.0
WINDOW = 5.0
"""Seconds that the bare ear is given at once."""

LEVELS = (-50.0, -35.0, -22.0)
"""dBFS of noises: a quiet line, a bad one, a loud room."""

KEYS = "0123456789*#"


@dataclass(frozen=True, slots=True, eq=False)
class Nothing:
    """A sound without speech: int16 ``samples`` of shape (n,) at ``RATE``."""

    kind: str
    samples: Samples


def nothings(minutes: float) -> list[Nothing]:
    """All kinds, each as long as the others, ``minutes`` in all."""
    makers = _makers()
    seconds = minutes * 60 / len(makers)
    return [Nothing(kind, _line(make(seconds))) for kind, make in makers]


def _makers() -> list[tuple[str, _Make]]:
    found = [("silence", _Make("digital")), ("line noise", _Make("line"))]
    found += [(f"{kind} noise", _Make("noise", kind)) for kind in sounds.NOISES]
    found += [(kind, _Make(kind)) for kind in ("ring-back", "busy", "keys")]
    return found + [(f"music: {style}", _Make("music", style)) for style in music.STYLES]


@dataclass(frozen=True, slots=True)
class _Make:
    what: str
    style: str = ""

    def __call__(self, seconds: float) -> Signal:
        rng = np.random.default_rng(11)
        match self.what:
            case "digital":
                return np.zeros(round(seconds * RATE))
            case "line":
                return rng.standard_normal(round(seconds * RATE)) * 10 ** (-72 / 20)
            case "noise":
                each = seconds / len(LEVELS)
                return np.concatenate([sounds.noise(self.style, each, RATE, level, rng) for level in LEVELS])
            case "music":
                return music.music(self.style, seconds, RATE, -22.0, 5)
            case "ring-back":
                return _cut(sounds.ring(1 + int(seconds / (sounds.RING_ON + sounds.RING_OFF)), RATE), seconds)
            case "busy":
                return sounds.busy(seconds, RATE)
            case _:
                return _cut(_keys(seconds), seconds)


def _keys(seconds: float) -> Signal:
    """Numbers dialled again and again: keys of 0.12 s, every twelfth followed by two seconds of silence."""
    number = [part for key in KEYS for part in (sounds.key(key, 0.12, RATE), np.zeros(RATE // 10))]
    dialled = np.concatenate([*number, np.zeros(2 * RATE)])
    return np.tile(dialled, 1 + int(seconds * RATE / dialled.size))


def _cut(signal: Signal, seconds: float) -> Signal:
    count = round(seconds * RATE)
    return np.pad(signal, (0, max(count - signal.size, 0)))[:count]


def _line(signal: Signal) -> Samples:
    """Through the telephone's band; digital silence stays what it is."""
    return to_int16(telephone_band(signal, RATE)) if signal.any() else signal.astype(np.int16)


def run(plan: Plan, ears: Sequence[Contestant]) -> Figures:
    """Characters an hour of each ear: through the whole pipeline, and bare in windows of five seconds."""
    found = nothings(QUICK_MINUTES if plan.quick else MINUTES)
    hours = sum(len(one.samples) for one in found) / RATE / 3600
    rows = []
    for ear in ears:
        through: dict[str, int] = {}
        bare: dict[str, int] = {}
        for one in found:
            plan.tell(f"{ear.name}: {one.kind}")
            through[one.kind] = in_a_call(one, ear)
            if len(ear.meters) == 1:  # together they are no other ears than alone
                bare[one.kind] = in_windows(one, ear)
        rows.append(
            {
                "engine": ear.name,
                "pipeline_chars": sum(through.values()),
                "pipeline_chars_an_hour": round(sum(through.values()) / hours, 1),
                "bare_chars_an_hour": round(sum(bare.values()) / hours, 1) if bare else None,
                "pipeline_kinds": {kind: count for kind, count in through.items() if count},
                "bare_kinds": {kind: count for kind, count in bare.items() if count},
            }
        )
    return {"minutes": round(hours * 60, 1), "kinds": [one.kind for one in found], "engines": rows}


def in_a_call(one: Nothing, ear: Contestant) -> int:
    """Characters that a call of nothing but this leaves in its transcript."""
    listened = listen(Material(one.kind, RATE, one.samples.reshape(-1, 1)), ear, run="nothing/")
    return len(listened.final[Channel.MIXED])


def in_windows(one: Nothing, ear: Contestant) -> int:
    """Characters that the ear writes when it is given all of it."""
    return sum(
        len(plain(word.text))
        for request in _windows(one.samples)
        for hypothesis in answer(ear.meters[0], [request], call_id=f"bare/{one.kind}")
        for word in hypothesis.words
    )


def _windows(samples: Samples) -> Iterator[AsrRequest]:
    step = round(WINDOW * RATE)
    for number, start in enumerate(range(0, len(samples), step)):
        part = samples[start : start + step]
        yield AsrRequest(number, Channel.MIXED, number, start, start + len(part), True, RATE, part)
