"""Our way of hearing against whisper_streaming's, with the same model, on the same calls, in one run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from monitor.asr.whisper import Whisper
from monitor.asr.worker import answer
from monitor.bench.ears_engines import first
from monitor.bench.ears_hear import PIECE, Clock, Contestant, Listened, Meter, alone, costs, count, listen, together
from monitor.bench.ears_score import Tally, spoken
from monitor.bench.gauge import Figures, Plan
from monitor.bench.material import Material
from monitor.bench.whisper_streaming import Streaming
from monitor.config import load_config
from monitor.core.call import Call
from monitor.core.types import (
    STEREO,
    AsrRequest,
    Channel,
    Chunk,
    Event,
    Samples,
    SpeechEnded,
    SpeechStarted,
    Word,
)

PAD = 0.16
"""Seconds around speech that the gate lets through, as the product has it."""

BASELINE, GATED = "whisper_streaming", "whisper_streaming, voice gate"


@dataclass(slots=True)
class Way:
    """A way of hearing calls, and what has come of it."""

    name: str
    meters: tuple[Meter, ...]
    listen: Callable[[Material], Listened]
    tally: Tally = field(default_factory=Tally)


def run(plan: Plan, ears: Sequence[Contestant], calls: Sequence[Material]) -> Figures | None:
    """One row for each way; the ways take turns on every call. None without a Whisper model."""
    careful, fast = first(ears, streaming=False), first(ears, streaming=True)
    if careful is None or not isinstance(careful.meters[0].engine, Whisper):
        return None
    calls = [call for call in calls if call.samples.shape[1] == len(STEREO)]
    ways = _ways(careful.meters[0].engine, fast.meters[0] if fast else None)
    for call in calls:
        for way in ways:
            plan.tell(f"{call.name}: {way.name}")
            count(way.tally, call, way.listen(call))
    seconds = sum(call.seconds for call in calls)
    rows = [{"way": way.name, **way.tally.figures(), **costs(way.meters, seconds)} for way in ways]
    return {"model": careful.name, "calls": [call.name for call in calls], "rows": rows, "against": _against(rows)}


def _ways(engine: Whisper, fast: Meter | None) -> list[Way]:
    """The baseline has windows of 30 s, as Whisper was made for; all ways share one loaded model."""
    padded = copy.copy(engine)
    padded.card = engine.card.model_copy(update={"real_length_windows": False})
    plain, gated, early, late = Meter(padded), Meter(padded), alone(Meter(engine)), alone(Meter(engine))
    ways = [
        Way(BASELINE, (plain,), partial(stream, meter=plain, gated=False)),
        Way(GATED, (gated,), partial(stream, meter=gated, gated=True)),
        Way(early.name, early.meters, partial(listen, who=early, run="early/")),
        Way(f"{late.name}, finals only", late.meters, partial(listen, who=late, partial_every=0.0, run="late/")),
    ]
    if fast is not None:
        both = together(Meter(fast.engine, streaming=True), Meter(engine))
        ways.append(Way(both.name, both.meters, partial(listen, who=both, run="both/")))
    return ways


def _against(rows: Sequence[Figures]) -> list[Figures]:
    """Each of our ways against both forms of the baseline: how many times less CPU, lag and errors beside theirs."""
    base, gated, *ours = rows
    return [
        {
            "way": row["way"],
            "times_less_cpu": _times(base["cpu_a_second"], row["cpu_a_second"]),
            "times_less_cpu_gated": _times(gated["cpu_a_second"], row["cpu_a_second"]),
            "told_less_s": _less(base["told_s"], row["told_s"]),
            "told_less_s_gated": _less(gated["told_s"], row["told_s"]),
            "cer_times": _times(row["cer"], base["cer"]),
            "cer_times_gated": _times(row["cer"], gated["cer"]),
        }
        for row in ours
    ]


def _times(more: float | None, less: float | None) -> float | None:
    return round(more / less, 2) if more is not None and less else None


def _less(theirs: float | None, ours: float | None) -> float | None:
    return None if theirs is None or ours is None else round(theirs - ours, 3)


# ---------------------------------------------------------------- the baseline on a call


class _Side:
    """One channel of a call under the policy."""

    def __init__(self, channel: Channel, rate: int, meter: Meter, out: Listened, clock: Clock) -> None:
        self.channel, self.rate = channel, rate
        self._meter, self._out, self._clock = meter, out, clock
        self._asked = 0
        self.policy = Streaming(self._hear, rate)
        self.open = False

    def _hear(self, samples: Samples, start: int) -> Sequence[Word]:
        request = AsrRequest(
            self._asked, self.channel, self._asked, start, start + len(samples), True, self.rate, samples
        )
        self._asked += 1
        before = self._meter.cpu
        (hypothesis,) = answer(self._meter, [request])
        self._clock.spend(self._meter.cpu - before)
        return hypothesis.words

    def tell(self, words: Sequence[Word]) -> None:
        """Confirmed words."""
        self._out.final[self.channel] += spoken(words, self.rate, max(self._clock.free, self._clock.now))


def stream(material: Material, *, meter: Meter, gated: bool) -> Listened:
    """A two-channel call under the policy, live: both channels share one worker. ``gated``: only while the product's
    voice detector hears a voice, each stretch finished when it ends."""
    out, clock = Listened(material.rate), Clock()
    sides = [_Side(channel, material.rate, meter, out, clock) for channel in STEREO]
    gate = _gate(material) if gated else None
    step = round(PIECE * material.rate)
    for start in range(0, len(material.samples), step):
        stop = min(start + step, len(material.samples))
        clock.now = stop / material.rate
        events = gate.feed(Chunk(start, material.samples[start:stop])) if gate else []
        if gate and stop == len(material.samples):
            events += gate.close_audio()
        for column, side in enumerate(sides):
            if gate is None:
                side.tell(side.policy.feed(material.samples[start:stop, column]))
            else:
                _gated(side, material.samples[:stop, column], events)
    for side in sides:
        if gate is None or side.open:
            side.tell(side.policy.finish())
    return out


def _gate(material: Material) -> Call:
    """The product's voice detector; nobody asks it for words."""
    return Call(load_config().setup(material.rate, STEREO, (), signalled=bool(material.signals)))


def _gated(side: _Side, samples: Samples, events: Sequence[Event]) -> None:
    """Audio of a channel so far, and what the gate told with the newest piece."""
    pad = round(PAD * side.rate)
    for event in _of(side.channel, events):
        if isinstance(event, SpeechStarted):
            side.policy.begin(max(event.at - pad, side.policy.end, 0))
            side.open = True
        elif side.open:
            rest = samples[side.policy.end : max(event.at + pad, side.policy.end)]
            side.tell(side.policy.feed(rest))
            side.tell(side.policy.finish())
            side.open = False
    if side.open:
        side.tell(side.policy.feed(samples[side.policy.end :]))


def _of(channel: Channel, events: Sequence[Event]) -> Iterator[SpeechStarted | SpeechEnded]:
    for event in events:
        if isinstance(event, (SpeechStarted, SpeechEnded)) and event.channel is channel:
            yield event
