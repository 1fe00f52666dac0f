"""Builders for tests of the core: calls written as who says what when, and occurrences for the rule engine alone.

All times are seconds from the beginning of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, cycle, repeat
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import soundfile

from monitor.asr.scripted import Scripted, spoken
from monitor.core import rulebook as rb
from monitor.core.call import Call, CallSetup
from monitor.core.desk import Doubt
from monitor.core.phrases import PhraseBook
from monitor.core.review import Split
from monitor.core.rules import Engine
from monitor.core.transcript import TranscriptSettings
from monitor.core.types import (
    MONO,
    STEREO,
    Alert,
    AlertState,
    AsrRequest,
    Channel,
    Chunk,
    Ear,
    Event,
    Evidence,
    Heard,
    Hypothesis,
    Lag,
    Match,
    Measured,
    Quality,
    Review,
    Samples,
    Severity,
    Signal,
    SignalKind,
    Verdict,
    Word,
)
from monitor.render.babble import VOICES

AGENT, CUSTOMER, MIXED = Channel.AGENT, Channel.CUSTOMER, Channel.MIXED
VOICES_LEVEL = -22.0
"""dBFS of the voices in ``render/voices.flac``."""


@cache
def voices(rate: int) -> npt.NDArray[np.float64]:
    """Speech without pauses, shape (n, 2): the agent's voice and the customer's (made with espeak-ng)."""
    samples, stored = soundfile.read(VOICES, dtype="int16")
    wide = samples.astype(np.float64)
    if rate == stored:
        return wide
    places = np.arange(len(wide) * rate // stored) * stored / rate
    return np.stack([np.interp(places, np.arange(len(wide)), wide[:, c]) for c in range(2)], axis=1)


@dataclass(slots=True)
class Script:
    """A call. ``agent`` and ``customer`` return the second at which they have finished."""

    rate: int = 8000
    mixed: bool = False
    signals: list[Signal] = field(default_factory=list)
    words: dict[Channel, list[Word]] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    _sounds: list[tuple[int, int, npt.NDArray[np.float64]]] = field(default_factory=list)
    _said: float = 0.0
    _until: float = 0.0

    # -- what is heard

    def agent(self, at: float, text: str, pace: float = 190, level: float = -22) -> float:
        """The agent says ``text`` (Han characters) from ``at`` on, at ``pace`` characters a minute, ``level`` dBFS."""
        return self._say(AGENT, at, text, pace, level)

    def customer(self, at: float, text: str, pace: float = 190, level: float = -22) -> float:
        return self._say(CUSTOMER, at, text, pace, level)

    def _say(self, by: Channel, at: float, text: str, pace: float, level: float) -> float:
        end = at + len(text) * 60 / pace
        low, high = round(at * self.rate), round(end * self.rate)
        column = 0 if by is AGENT else 1
        voice = voices(self.rate)[:, column]
        offset = round(self._said * self.rate)  # go on where the voice stopped, so that nothing sounds the same
        sound = voice[(offset + np.arange(high - low)) % len(voice)] * 10 ** ((level - VOICES_LEVEL) / 20)
        fade = min(self.rate // 200, len(sound) // 2)
        sound[:fade] *= np.arange(fade) / fade
        sound[len(sound) - fade :] *= np.arange(fade)[::-1] / fade
        self._said += end - at
        heard_as = MIXED if self.mixed else by
        self._put(0 if self.mixed else column, low, sound)
        self.words.setdefault(heard_as, []).extend(spoken(text, low, high))
        self.words[heard_as].sort(key=lambda w: w.start)
        return end

    def ring(self, at: float, count: int = 1) -> float:
        """Ring-back on the customer's side: 1 s of 450 Hz, 4 s of silence, so often."""
        for n in range(count):
            self.tone(at + 5 * n, 1.0, 450)
        return at + 5 * count

    def tone(self, at: float, seconds: float, *hertz: float, by: Channel = CUSTOMER) -> None:
        """Steady tones, -20 dBFS each."""
        t = np.arange(round(seconds * self.rate)) / self.rate
        wave = sum((np.sin(2 * np.pi * f * t) for f in hertz), np.zeros(len(t))) * 3277 * 2**0.5
        self._put(0 if self.mixed or by is AGENT else 1, round(at * self.rate), wave)

    def music(self, at: float, seconds: float, by: Channel = AGENT) -> None:
        """Held chords, changing twice a second."""
        for n in range(round(seconds * 2)):
            root = 220 * 2 ** ((n * 5 % 12) / 12)
            self.tone(at + n / 2, 0.5, root, root * 1.25, root * 1.5, root * 2, by=by)

    def quiet(self, until: float) -> None:
        """The audio lasts at least until then."""
        self._until = max(self._until, until)

    def gap(self, start: float, end: float) -> None:
        """Audio that is lost."""
        self.gaps.append((start, end))
        self.quiet(end)

    def _put(self, column: int, low: int, sound: npt.NDArray[np.float64]) -> None:
        self._sounds.append((column, low, sound))

    # -- what telephony says

    def signal(self, kind: SignalKind, at: float, by: Channel | None = None, digit: str | None = None) -> None:
        self.signals.append(Signal(kind, round(at * self.rate), by, digit))

    def ringing(self, at: float) -> None:
        self.signal(SignalKind.RINGING, at)

    def answered(self, at: float) -> None:
        self.signal(SignalKind.ANSWERED, at)

    def hold(self, start: float, end: float) -> None:
        self.signal(SignalKind.HOLD, start)
        self.signal(SignalKind.RESUME, end)

    def hangup(self, at: float, by: Channel | None = None) -> None:
        self.signal(SignalKind.HANGUP, at, by)
        self.quiet(at)

    # -- the recording

    @property
    def length(self) -> int:
        """Samples: a second more than the last sound, or as much as was asked for."""
        ends = [low + len(sound) + (0 if self._until else self.rate) for _, low, sound in self._sounds]
        return max([*ends, round(self._until * self.rate)])

    def audio(self) -> Samples:
        """int16 of shape (n, channels)."""
        out = np.zeros((self.length, 1 if self.mixed else 2))
        for column, low, sound in self._sounds:
            out[low : low + len(sound), column] += sound
        return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


T = TypeVar("T")

Sizes = float | Sequence[int]
"""Seconds of every chunk, or sizes in samples that are gone through again and again."""


@dataclass(slots=True)
class Ran:
    """What came of a call. ``arrivals`` is when the answers of the recogniser came, as (position, answer)."""

    call: Call
    events: list[Event]
    requests: list[AsrRequest]
    arrivals: list[tuple[int, Hypothesis]]

    def of(self, kind: type[T]) -> list[T]:
        """The events of one kind, in order."""
        return [e for e in self.events if isinstance(e, kind)]

    def seconds(self, position: int) -> float:
        return position / self.call.setup.rate

    def verdicts(self, rule: str) -> list[tuple[str, str]]:
        """Outcome and reason of each occasion of a rule, in order."""
        return [(v.outcome.value, v.reason) for v in self.of(Verdict) if v.rule == rule]

    def alerts(self, rule: str) -> list[Alert]:
        """What stands of a rule's alerts at the end: the last state of each occasion, unless it was cleared."""
        last = {a.occasion: a for a in self.of(Alert) if a.rule == rule}
        return [a for a in last.values() if a.state is not AlertState.CLEARED]

    def measured(self, name: str, by: Channel | None = None) -> list[Measured]:
        return [m for m in self.of(Measured) if m.name == name and by in (None, m.channel)]

    def text(self, channel: Channel) -> str:
        """The settled words of a channel."""
        return "".join(w.text for h in self.of(Heard) if h.settled and h.channel is channel for w in h.words)


def setup_of(
    script: Script,
    packs: Iterable[rb.Pack] = (),
    *,
    recognise: bool = True,
    direction: str = "inbound",
    transcript: TranscriptSettings | None = None,
    book: PhraseBook | None = None,
) -> CallSetup:
    signalled = any(s.signal in (SignalKind.RINGING, SignalKind.ANSWERED) for s in script.signals)
    return CallSetup(
        rate=script.rate,
        channels=MONO if script.mixed else STEREO,
        packs=tuple(packs),
        direction=direction,
        signalled=signalled,
        recognise=recognise,
        transcript=transcript or TranscriptSettings(),
        book=book,
    )


Coming = tuple[int, int, Hypothesis]
"""When an answer comes, its rank among those that come at once, the answer."""


AFTER_THE_END = 2**62
"""The position of an answer that came when no audio followed any more."""


class _Driver:
    """Feeds one call in audio time. The order at one position: signals, answers, audio."""

    def __init__(self, script: Script, call: Call, answer: Callable[[AsrRequest, int], Coming | None]):
        self.script, self.call, self._answer = script, call, answer
        self.events: list[Event] = []
        self.requests: list[AsrRequest] = []
        self.arrivals: list[tuple[int, Hypothesis]] = []
        self._signals = sorted(script.signals, key=lambda s: s.at)
        self._coming: list[Coming] = []
        self._ended = False

    def _collect(self, events: list[Event]) -> None:
        self.events += events
        for request in self.call.requests():
            self.requests.append(request)
            answer = self._answer(request, self.call.position)
            if answer is not None:
                self._coming.append(answer)
        self._coming.sort(key=lambda c: c[:2])

    def _inputs(self, position: int, everything: bool = False) -> None:
        """Signals up to where the next audio begins, which may be after a gap, and answers that have come."""
        while self._signals and (everything or self._signals[0].at <= position):
            self._collect(self.call.feed(self._signals.pop(0)))
        while self._coming and (everything or self._coming[0][0] <= self.call.position):
            self._hear(self._coming.pop(0))

    def _hear(self, coming: Coming) -> None:
        # What came after the end of the audio comes after it again.
        self.arrivals.append((AFTER_THE_END if self._ended else self.call.position, coming[2]))
        self._collect(self.call.feed(coming[2]))

    def play(self, sizes: Iterator[int], stops: Iterable[int] = ()) -> None:
        audio = self.script.audio()
        edges = [s.at for s in self._signals] + list(stops)
        gaps = [(round(a * self.script.rate), round(b * self.script.rate)) for a, b in sorted(self.script.gaps)]
        edges += [p for gap in gaps for p in gap]
        position = target = 0
        while position < len(audio):
            lost = next((b for a, b in gaps if a <= position < b), None)
            if lost is not None:
                position = target = max(lost, position)
                continue
            self._inputs(position)
            if position >= target:
                target = position + next(sizes)
            later = (p for p in chain(edges, (c[0] for c in self._coming)) if p > position)
            end = min([target, len(audio), *later])
            self._collect(self.call.feed(Chunk(position, audio[position:end])))
            position = end
        self._inputs(position)
        self._collect(self.call.close_audio())
        self._ended = True
        self._inputs(position, everything=True)
        self._collect(self.call.finish())


Words = Mapping[Channel, Sequence[Word]]


@dataclass(slots=True)
class TwoEars:
    """The fast ear answers partials, and its words lie beside the careful one's in finals, or stand alone where
    ``late`` says that the careful one could not follow."""

    fast: Words
    late: Callable[[AsrRequest], bool] = lambda _: False

    def answer(self, request: AsrRequest, careful: Hypothesis) -> Hypothesis:
        (fast,) = Scripted(self.fast).recognise([request])
        if request.final and not self.late(request):
            return replace(careful, ear=Ear.CAREFUL, other=fast.words)
        return replace(fast, ear=Ear.FAST, committed=True)


def run(
    script: Script,
    packs: Iterable[rb.Pack] = (),
    *,
    chunk: Sizes = 0.1,
    delay: float | Callable[[AsrRequest], float] = 0.0,
    drop_partials: float = 0.0,
    seed: int = 0,
    fail: Callable[[AsrRequest], str | None] = lambda _: None,
    words: Words | None = None,
    ears: TwoEars | None = None,
    arrivals: Sequence[tuple[int, Hypothesis]] | None = None,
    recognise: bool = True,
    direction: str = "inbound",
    transcript: TranscriptSettings | None = None,
    book: PhraseBook | None = None,
) -> Ran:
    """Play a call: requests are answered from the scripted words, ``delay`` seconds of audio after they were made.

    ``drop_partials`` is the share of partials that get no answer. With ``arrivals`` (of an earlier run) answers come
    at the very same positions. ``fail`` gives the reason why a request fails. ``ears``: the scripted words are those
    of the careful one of two.
    """
    call = Call(setup_of(script, packs, recognise=recognise, direction=direction, transcript=transcript, book=book))
    ear = Scripted(script.words if words is None else words)
    chance = np.random.default_rng(seed)
    known = {h.request: (at, rank, h) for rank, (at, h) in enumerate(arrivals or ())}

    def answer(request: AsrRequest, position: int) -> Coming | None:
        if arrivals is not None:
            return known.get(request.id)
        late = delay(request) if callable(delay) else delay
        if not request.final and chance.random() < drop_partials:
            return None
        reason = fail(request)
        heard = ear.recognise([request])[0]
        if ears is not None:
            heard = ears.answer(request, heard)
        if reason:
            heard = Hypothesis(request.id, (), reason)
        return position + round(late * script.rate), len(driver.requests), heard

    sizes = repeat(round(chunk * script.rate)) if isinstance(chunk, float | int) else cycle(chunk)
    driver = _Driver(script, call, answer)
    driver.play(iter(sizes), [at for at, _ in arrivals or ()])
    return Ran(call, driver.events, driver.requests, driver.arrivals)


def by_stream(events: Iterable[Event]) -> dict[tuple[str, ...], list[Event]]:
    """Events by the stage that tells them; within each the order is fixed, between them it is not.

    ``Lag`` is left out: how often it is told depends on how often the call is asked.
    """
    out: dict[tuple[str, ...], list[Event]] = {}
    for event in events:
        if isinstance(event, Lag):
            continue
        key: tuple[str, ...] = (event.kind,)
        for name in ("channel", "by", "rule", "name"):
            key += (str(getattr(event, name, "")),)
        out.setdefault(key, []).append(event)
    for key, found in out.items():
        if key[0] == "phase_changed":  # told by two stages
            found.sort(key=lambda e: getattr(e, "at", 0))
    return out


# ---------------------------------------------------------------- the rule engine alone


def on(*names: str, by: Channel | None = None, least: float | None = None, most: float | None = None) -> rb.Pattern:
    """A pattern of occurrences."""
    return rb.Pattern(names, by, least, most)


def rule(form: rb.Form, name: str = "r", **more: object) -> rb.Rule:
    """A rule ``p/NAME``."""
    text = {"zh": "题", "en": "title"}
    message = {"zh": "{value}/{limit}/{text}/{step}", "en": "m"}
    fields: dict[str, object] = {"title": text, "advice": text, "message": message, "watches": ()}
    fields |= {"severity": Severity.WARNING} | more
    return rb.Rule(id=f"p/{name}", form=form, **fields)  # type: ignore[arg-type]


def pack(*rules: rb.Rule, **more: object) -> rb.Pack:
    fields: dict[str, object] = {"phrases": ()} | more
    return rb.Pack(id="p", title={"zh": "包", "en": "pack"}, rules=rules, **fields)  # type: ignore[arg-type]


class Bench:
    """The rule engine without audio: say what happens, then ``to`` a second, then ``close``.

    One second is 1000 positions.
    """

    RATE = 1000
    HANGOVER = 0.3

    def __init__(
        self,
        *rules: rb.Rule,
        mixed: bool = False,
        recognise: bool = True,
        signalled: bool = True,
        direction: str = "inbound",
        queue: str | None = None,
        tags: frozenset[str] = frozenset(),
        **more: object,
    ) -> None:
        self.engine = Engine(
            self.RATE,
            [pack(*rules, **more)],
            mixed=mixed,
            direction=direction,
            queue=queue,
            signalled=signalled,
            recognise=recognise,
            tags=tags,
        )
        self.events: list[Event] = []

    def p(self, seconds: float) -> int:
        return round(seconds * self.RATE)

    def happen(
        self,
        name: str,
        at: float,
        end: float | None = None,
        *,
        by: Channel | None = None,
        known: float | None = None,
        value: float = 0.0,
        quality: Quality = Quality.EXACT,
    ) -> Bench:
        """A sound or a signal."""
        end = at if end is None else end
        place = self.p(end if known is None else known)
        self.engine.put(rb.Occurrence(name, by, self.p(at), self.p(end), place, value, quality))
        return self

    def speech(self, by: Channel, start: float, end: float, text: str | None = None) -> Bench:
        """A party speaks; with ``text`` its words are known (spread evenly)."""
        self.happen(rb.Happening.SPEECH_START, start, by=by)
        self.happen(rb.Happening.SPEECH_END, start, end, by=by, known=end + self.HANGOVER, value=end - start)
        if text is not None:
            low, high = self.p(start), self.p(end)
            words = spoken(text, low, high)
            self.engine.put_words(rb.Occurrence(rb.Happening.WORDS, by, low, high, high - 1, words=words))
        return self

    def begins(self, by: Channel, start: float) -> Bench:
        """A party begins to speak and goes on."""
        return self.happen(rb.Happening.SPEECH_START, start, by=by)

    def heard(
        self,
        phrase: str,
        start: float,
        end: float,
        by: Channel = AGENT,
        score: float = 1.0,
        early: bool = False,
        faint: bool = False,
    ) -> Bench:
        """A phrase; ``early``: it is not settled yet; ``faint``: perhaps it was not said."""
        low, high = self.p(start), self.p(end)
        proof = (Evidence(by, phrase, low, high, Match.EXACT),)
        score = min(score, 0.4) if faint else score
        seen = rb.Occurrence(f"say:{phrase}", by, low, high, high, score=score, evidence=proof, faint=faint)
        if early:
            self.engine.early(seen, high)
            self.events += self.engine.take()
        else:
            self.engine.put_words(seen)
        return self

    def split(
        self, name: str, start: float, end: float, by: Channel = AGENT, review: Review = Review.UNHEARD_BY_CAREFUL
    ) -> Bench:
        """One ear alone heard an occurrence ``name``."""
        low, high = self.p(start), self.p(end)
        self.engine.split(Split(name, by, low, high, high, review))
        return self

    def reviews(self, name: str = "r") -> list[tuple[str, str | None]]:
        """What was found, and why it should be reviewed: alerts by their state, verdicts by their outcome."""
        alerts = [(a.state.value, a.review) for a in self.of(Alert) if a.rule == f"p/{name}"]
        return alerts + [(v.outcome.value, v.review) for v in self.of(Verdict) if v.rule == f"p/{name}"]

    def measure(self, name: str, start: float, end: float, value: float, by: Channel | None = AGENT) -> Bench:
        return self.happen(name, start, end, by=by, value=value)

    def clock(self, name: str, start: float, end: float | None = None, by: Channel | None = None) -> Bench:
        """A clock runs, and stops at ``end`` if given."""
        self.happen(f"start:{name}", start, by=by)
        if end is not None:
            self.happen(f"stop:{name}", start, end, by=by, value=end - start)
        return self

    def lost(
        self, start: float, end: float, by: Channel | None = None, words: bool = False, why: str = "audio_lost"
    ) -> Bench:
        self.engine.lost(Doubt(self.p(start), self.p(end), by, words, why))
        return self

    def to(self, seconds: float, heard: float | None = None) -> Bench:
        """All is known up to this second; words only up to ``heard`` when given."""
        until = self.p(seconds)
        self.events += self.engine.advance(0, until, until if heard is None else self.p(heard))
        return self

    def close(self, end: float) -> Bench:
        self.to(end)
        self.events += self.engine.close(self.p(end))
        return self

    def of(self, kind: type[T]) -> list[T]:
        return [e for e in self.events if isinstance(e, kind)]

    def verdicts(self, name: str = "r") -> list[tuple[float, str, str]]:
        """When, outcome, reason."""
        return [(v.at / self.RATE, v.outcome.value, v.reason) for v in self.of(Verdict) if v.rule == f"p/{name}"]

    def alerts(self, name: str = "r") -> list[tuple[float, str, int]]:
        """When, state, occasion: every change."""
        return [(a.at / self.RATE, a.state.value, a.occasion) for a in self.of(Alert) if a.rule == f"p/{name}"]

    def measured(self, name: str) -> list[tuple[float, float, float, str]]:
        """Start, end, value, quality."""
        found = [m for m in self.of(Measured) if m.name == name]
        return [(m.start / self.RATE, m.end / self.RATE, round(m.value, 4), m.quality.value) for m in found]
