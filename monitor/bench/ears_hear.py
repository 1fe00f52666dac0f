"""Calls and clips heard by an ear as they would be live, in audio time: what was told, when, and what it cost.

The delay of a word is that of the audio, as a live client sends it (pieces of 100 ms), and the CPU seconds of the
passes: the ear is one worker, so a pass begins when the one before it is over. How busy the machine is does not count.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.asr.pair import Engines
from monitor.asr.protocol import Engine
from monitor.asr.worker import recognise_safely
from monitor.bench.ears_score import Char, Tally, Telling, agreed, milliseconds, spoken, truth
from monitor.bench.gauge import Figures
from monitor.bench.material import Material
from monitor.config import WITH_FAST_EAR, WITHOUT, load_config
from monitor.core.call import Call
from monitor.core.types import MONO, STEREO, AsrRequest, Channel, Chunk, Event, Heard, Hypothesis, Samples, Word

PIECE = 0.1
"""Seconds of audio that a live client sends at once."""

WINDOW = 30.0
"""Seconds of an ordinary Whisper window."""


class Meter:
    """An engine that passes everything on and counts what it costs."""

    def __init__(self, engine: Engine, *, streaming: bool = False) -> None:
        self.name, self.rate, self.batch = engine.name, engine.rate, engine.batch
        self.engine = engine
        self.streaming = streaming
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.finals = self.partials = 0
        self.cpu = self.heard = self.encoded = 0.0
        self.final_cpu: list[float] = []
        self.partial_cpu: list[float] = []
        self._streams: dict[str, int] = {}

    def load(self) -> None:
        """See ``Engine.load``."""
        self.engine.load()

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """See ``Engine.recognise``."""
        begin = time.process_time()
        answers = recognise_safely(self.engine, list(requests))
        spent = time.process_time() - begin
        self.cpu += spent
        for request in requests:
            (self.final_cpu if request.final else self.partial_cpu).append(spent / len(requests))
            self.finals += request.final
            self.partials += not request.final
            encoded = self._encoded(request)
            self.encoded += encoded
            self.heard += encoded if self.streaming else (request.end - request.start) / request.rate
        return answers

    def _encoded(self, request: AsrRequest) -> float:
        """Seconds that the encoder went through: new audio of a stream; else a window, padded as the card has it."""
        if self.streaming:
            known = min(max(self._streams.get(request.stream, request.start), request.start), request.end)
            self._streams[request.stream] = request.end
            return (request.end - known) / request.rate
        card = getattr(self.engine, "card", None)
        seconds = (request.end - request.start) / request.rate
        if card is None:
            return seconds
        pieces = max(1, -int(-seconds // card.max_seconds))
        if not card.real_length_windows:
            return pieces * WINDOW
        tail = card.final_tail_seconds if request.final else card.partial_tail_seconds
        return float(pieces * min(WINDOW, -(-(seconds / pieces + tail) // 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """What takes part: an ear alone, or the two together. ``streaming``: its early words are said for good."""

    name: str
    meters: tuple[Meter, ...]
    engines: Engines

    @property
    def streaming(self) -> bool:
        return any(meter.streaming for meter in self.meters)

    @property
    def cpu(self) -> float:
        """CPU seconds of all passes since ``forget``."""
        return sum(meter.cpu for meter in self.meters)

    def forget(self) -> None:
        """Count anew."""
        for meter in self.meters:
            meter.forget()


def alone(meter: Meter) -> Contestant:
    """One ear that does all of it."""
    engines = Engines(fast=meter) if meter.streaming else Engines(careful=meter)
    return Contestant(meter.name, (meter,), engines)


def together(fast: Meter, careful: Meter) -> Contestant:
    """The live default: the fast ear while somebody speaks, both for what was said."""
    engines = Engines(fast, careful)
    return Contestant(engines.name, (fast, careful), engines)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One utterance, heard without a call around it: int16 ``samples`` of shape (n,)."""

    name: str
    rate: int
    samples: Samples
    chars: tuple[Char, ...]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


Piece = Material | Clip


@dataclass(slots=True)
class Listened:
    """What came of a piece, by channel: final characters, and those told before: for good, or agreed by two passes.
    ``settled`` are the segments in order."""

    rate: int
    final: dict[Channel, list[Char]] = field(default_factory=lambda: defaultdict(list))
    early: dict[Channel, list[Char]] = field(default_factory=lambda: defaultdict(list))
    agreed: dict[Channel, list[Char]] = field(default_factory=lambda: defaultdict(list))
    settled: list[Heard] = field(default_factory=list)


class Clock:
    """When answers come: ``now`` is how far the audio has got, ``free`` when the worker is done (seconds)."""

    def __init__(self) -> None:
        self.now = self.free = 0.0

    def spend(self, seconds: float) -> float:
        """A pass of so many seconds that is asked for now; returns when it is done."""
        self.free = max(self.free, self.now) + seconds
        return self.free


class _Ear:
    """Answers requests of one piece, and keeps what was told when."""

    def __init__(self, who: Contestant, name: str, out: Listened) -> None:
        self.clock = Clock()
        self._who, self._name, self._out = who, name, out
        self._committed: dict[tuple[Channel, int], Telling] = defaultdict(Telling)
        self._agreed: dict[tuple[Channel, int], Telling] = defaultdict(Telling)
        self._last: dict[tuple[Channel, int], Sequence[Word]] = {}

    def answer(self, request: AsrRequest) -> Hypothesis:
        """One pass."""
        before = self._who.cpu
        (hypothesis,) = self._who.engines.answer([request], call_id=self._name)
        at = self.clock.spend(self._who.cpu - before)
        key = (request.channel, request.segment)
        if not request.final and not hypothesis.failed:
            same = agreed(self._last.get(key, ()), hypothesis.words)
            if hypothesis.committed:
                same = hypothesis.words
                self._committed[key].tell(spoken(same, request.rate), at)
            self._agreed[key].tell(spoken(same, request.rate), at)
            self._last[key] = hypothesis.words
        return hypothesis

    def final(self, channel: Channel, words: Sequence[Word]) -> None:
        """Words that will not change any more."""
        self._out.final[channel] += spoken(words, self._out.rate, self.clock.free)

    def close(self) -> None:
        """Put what was told before the finals into the result."""
        for tellings, kept in ((self._committed, self._out.early), (self._agreed, self._out.agreed)):
            for (channel, _), telling in tellings.items():
                kept[channel] += telling.chars
            for channel in kept:
                kept[channel].sort(key=lambda char: char.start)


def listen(material: Material, who: Contestant, *, partial_every: float | None = None, run: str = "") -> Listened:
    """A call through the core, with no rules. ``partial_every``: seconds between early passes, 0 for none, None for
    what the ear is used with; ``run`` tells hearings of one call by one ear apart."""
    out = Listened(material.rate)
    ear = _Ear(who, f"{run}{material.name}", out)
    call = _call(material, who.streaming, partial_every)
    for signal in material.signals:
        call.feed(signal)
    step = round(PIECE * material.rate)
    for start in range(0, len(material.samples), step):
        chunk = Chunk(start, material.samples[start : start + step])
        ear.clock.now = (start + len(chunk.samples)) / material.rate
        call.feed(chunk)
        _answer(call, ear, out)
    call.close_audio()
    _answer(call, ear, out)
    call.finish()
    ear.close()
    return out


def _call(material: Material, streaming: bool, partial_every: float | None) -> Call:
    channels = STEREO if material.samples.shape[1] == len(STEREO) else MONO
    every = early(streaming) if partial_every is None else partial_every
    hearing = {"partial_every": every}
    signalled = bool(material.signals)
    return Call(load_config().setup(material.rate, channels, (), signalled=signalled, recognise=True, hearing=hearing))


def early(streaming: bool) -> float:
    """Seconds of speech between two early passes, as a site has them that says nothing of it."""
    return WITH_FAST_EAR if streaming else WITHOUT


def _answer(call: Call, ear: _Ear, out: Listened) -> None:
    while requests := call.requests():
        for request in requests:
            events: list[Event] = call.feed(ear.answer(request))
            for event in events:
                if isinstance(event, Heard) and event.settled:
                    out.settled.append(event)
                    ear.final(event.channel, event.words)


def listen_to_clip(clip: Clip, who: Contestant, *, run: str = "") -> Listened:
    """An utterance as one segment: early passes for a streaming ear, then the final one."""
    out = Listened(clip.rate)
    ear = _Ear(who, f"{run}{clip.name}", out)
    ends = [len(clip.samples)]
    if who.streaming:
        step = round(WITH_FAST_EAR * clip.rate)
        ends = [*range(step, len(clip.samples), step), len(clip.samples)]
    for number, end in enumerate(ends):
        final = number == len(ends) - 1
        ear.clock.now = end / clip.rate
        request = AsrRequest(number, Channel.MIXED, 1, 0, end, final, clip.rate, clip.samples[:end])
        hypothesis = ear.answer(request)
        if final:
            ear.final(Channel.MIXED, hypothesis.words)
    ear.close()
    return out


def hear(pieces: Sequence[Piece], who: Contestant, *, partial_every: float | None = None, run: str = "") -> Figures:
    """All pieces through one contestant: what was right and when, and what it cost for a second of audio."""
    who.forget()
    tally = Tally()
    for number, piece in enumerate(pieces):
        place = f"{run}/{number}/"
        if isinstance(piece, Clip):
            tally.add(piece.chars, *_of(listen_to_clip(piece, who, run=place), Channel.MIXED))
        else:
            count(tally, piece, listen(piece, who, partial_every=partial_every, run=place))
    return {**tally.figures(), **costs(who.meters, sum(piece.seconds for piece in pieces))}


def count(tally: Tally, material: Material, listened: Listened) -> None:
    """Both channels of a call; on a mixed line everything said is one text."""
    if material.samples.shape[1] == 1:
        tally.add(truth(material.said), *_of(listened, Channel.MIXED))
        return
    for channel in STEREO:
        said = truth(one for one in material.said if one.channel == channel.value)
        tally.add(said, *_of(listened, channel))


def _of(listened: Listened, channel: Channel) -> tuple[list[Char], list[Char], list[Char]]:
    return listened.final[channel], listened.early[channel], listened.agreed[channel]


def costs(meters: Sequence[Meter], seconds: float) -> Figures:
    """What the ears did for each of the ``seconds`` of audio; CPU seconds of their passes alone. ``rtf`` is CPU for a
    second of new audio through the encoder where it streams, for a second handed in where it does not."""
    passes = sum(meter.finals + meter.partials for meter in meters)
    cpu, heard = sum(meter.cpu for meter in meters), sum(meter.heard for meter in meters)
    return {
        "audio_seconds": round(seconds, 1),
        "finals": sum(meter.finals for meter in meters),
        "partials": sum(meter.partials for meter in meters),
        "passes_a_second": round(passes / seconds, 2),
        "encoded_a_second": round(sum(meter.encoded for meter in meters) / seconds, 2),
        "cpu_a_second": round(cpu / seconds, 4),
        "rtf": round(cpu / heard, 4) if heard else None,
        "final_ms": milliseconds([spent for meter in meters for spent in meter.final_cpu], 0.5),
        "partial_ms": milliseconds([spent for meter in meters for spent in meter.partial_cpu], 0.5),
    }
