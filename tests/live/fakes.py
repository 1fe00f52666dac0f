"""A small deterministic call and recogniser, so that the live side is tested without the core's opinions.

``FakeCall`` hears the agent: each stretch louder than ``SPEECH`` is a segment, each segment that reaches ``SHOUT``
raises one alert at the end of its first such frame, and each segment is asked of the recogniser once it is over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitor.core.types import (
    STEREO,
    Alert,
    AlertState,
    AsrRequest,
    Channel,
    Chunk,
    Event,
    Gap,
    Heard,
    Hypothesis,
    Input,
    Measured,
    Outcome,
    Samples,
    Severity,
    Signal,
    SpeechEnded,
    SpeechStarted,
    Verdict,
    Word,
)
from monitor.live.setup import CallSetupRequest, SetupError

SPEECH, SHOUT = 500, 6000
"""Mean absolute sample values of a frame."""

RULE = "test/loud"
WORDS = "test/words"


class FakeCall:
    """See the module."""

    def __init__(self, request: CallSetupRequest) -> None:
        self.rate = request.rate
        self.recognise = request.recognise
        self.position = 0
        self._frame = request.rate // 50
        self._rest = np.zeros((0, len(request.channels)), np.int16)
        self._at = 0  # where _rest begins
        self._since: int | None = None
        self._shouted = False
        self._segment = 0
        self._audio: list[Samples] = []
        self._requests: list[AsrRequest] = []
        self._open: dict[int, tuple[int, int]] = {}  # request -> segment bounds
        self._raised: dict[int, Alert] = {}
        self._ids = 0

    def feed(self, item: Input) -> list[Event]:
        if isinstance(item, Hypothesis):
            return self._answer(item)
        if isinstance(item, Signal):
            return [item]
        return self._listen(item)

    def _listen(self, chunk: Chunk) -> list[Event]:
        assert chunk.start >= self.position
        events: list[Event] = []
        if chunk.start > self.position:
            events += self._flush()
            events.append(Gap(self.position, chunk.start))
            self._at = chunk.start
        self.position = chunk.start + len(chunk.samples)
        samples = np.concatenate([self._rest, chunk.samples])
        whole = len(samples) // self._frame * self._frame
        for row in range(0, whole, self._frame):
            events += self._look(samples[row : row + self._frame, 0], self._at + row)
        self._rest = samples[whole:]
        self._at += whole
        return events

    def _look(self, frame: Samples, at: int) -> list[Event]:
        events: list[Event] = []
        loud = int(np.abs(frame.astype(np.int64)).sum()) // len(frame)
        end = at + len(frame)
        if loud >= SPEECH:
            if self._since is None:
                self._since, self._shouted = at, False
                events.append(SpeechStarted(Channel.AGENT, at, end))
            self._audio.append(frame)
            if loud >= SHOUT and not self._shouted:
                self._shouted = True
                alert = self._alert(AlertState.RAISED, at, end)
                self._raised[self._segment] = alert
                events.append(alert)
        elif self._since is not None:
            events += self._end_segment(at)
        if end // self.rate != at // self.rate:
            events.append(Measured("level", Channel.AGENT, end - self.rate, end, -20.0 - loud / 1000, end))
        return events

    def _end_segment(self, at: int) -> list[Event]:
        assert self._since is not None
        events: list[Event] = [SpeechEnded(Channel.AGENT, self._since, at, at)]
        if self.recognise:
            audio = np.concatenate(self._audio)
            request = AsrRequest(self._ids, Channel.AGENT, self._segment, self._since, at, True, self.rate, audio)
            self._open[self._ids] = (self._segment, at)
            self._requests.append(request)
            self._ids += 1
        self._audio = []
        self._since = None
        self._segment += 1
        return events

    def _alert(self, state: AlertState, at: int, known: int) -> Alert:
        message = {"zh": f"声音太大（第 {self._segment} 句）", "en": f"too loud (segment {self._segment})"}
        return Alert(RULE, self._segment, Severity.WARNING, state, Channel.AGENT, at, known, at, known, message)

    def _answer(self, hypothesis: Hypothesis) -> list[Event]:
        found = self._open.get(hypothesis.request)
        if found is None:
            return []
        del self._open[hypothesis.request]
        segment, end = found
        start = hypothesis.words[0].start if hypothesis.words else end
        return [Heard(Channel.AGENT, segment, start, end, hypothesis.words, settled=True)]

    def _flush(self) -> list[Event]:
        self._at += len(self._rest)
        self._rest = self._rest[:0]
        return self._end_segment(self.position) if self._since is not None else []

    def requests(self) -> list[AsrRequest]:
        drained, self._requests = self._requests, []
        return drained

    def close_audio(self) -> list[Event]:
        return self._flush()

    def finish(self) -> list[Event]:
        words = Outcome.CANNOT_TELL if self._open else Outcome.MET
        events: list[Event] = [Verdict(WORDS, 0, words, self.position, "no_words" if self._open else "")]
        for segment in range(self._segment):
            broken = segment in self._raised
            events.append(Verdict(RULE, segment, Outcome.BROKEN if broken else Outcome.MET, self.position))
        return events


def make_call(request: CallSetupRequest) -> FakeCall:
    """A ``FakeCall``; the only packs are ``test`` and ``other``."""
    for pack in request.packs:
        if pack not in ("test", "other"):
            raise SetupError("unknown_pack", f"there is no pack {pack!r}; the packs are test, other")
    return FakeCall(request)


class FakeRecogniser:
    """Answers in a thread of its own when told to (``release``), or at once with ``eager``."""

    name = "fake"

    def __init__(self, *, eager: bool = True) -> None:
        self.asked: list[tuple[str, AsrRequest]] = []
        self.lag = 0.0
        self._eager = eager
        self._waiting: deque[tuple[AsrRequest, Callable[[Hypothesis], None]]] = deque()

    def submit(self, call_id: str, request: AsrRequest, reply: Callable[[Hypothesis], None]) -> None:
        self.asked.append((call_id, request))
        self._waiting.append((request, reply))
        if self._eager:
            self.release()

    def release(self) -> None:
        """Answer everything that waits, from another thread, and wait until it has."""

        def answer() -> None:
            while self._waiting:
                request, reply = self._waiting.popleft()
                reply(answer_to(request))

        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()


def answer_to(request: AsrRequest) -> Hypothesis:
    """One word over the whole segment."""
    return Hypothesis(request.id, (Word(f"第{request.segment}句", request.start, request.end),))


def describe(rule: str) -> dict[str, Any]:
    """The text of any rule."""
    return {"title": {"zh": rule, "en": rule}, "advice": {"zh": "轻声", "en": "softer"}, "clause": "test/1"}


def make_report(request: CallSetupRequest, events: Sequence[Event], position: int) -> dict[str, Any]:
    """A report small enough to look at."""
    alerts = [e for e in events if isinstance(e, Alert)]
    verdicts = [e for e in events if isinstance(e, Verdict)]
    return {
        "schema": 1,
        "call": {"id": request.id, "seconds": position / request.rate},
        "alerts": [{"rule": a.rule, "occasion": a.occasion, "at": a.at, "raised_at": a.raised_at} for a in alerts],
        "verdicts": [{"rule": v.rule, "occasion": v.occasion, "outcome": v.outcome.value} for v in verdicts],
    }


def voice(seconds: float, *, rate: int = 8000, seed: int = 1, channels: int = 2) -> Samples:
    """Stretches of 0.2 to 0.6 s, shouted, spoken or silent by turns; the customer is silent."""
    random = np.random.default_rng(seed)
    agent = np.zeros(int(seconds * rate), np.int16)
    at = rate // 10
    while at < len(agent):
        length = int(random.integers(rate // 5, rate * 3 // 5))
        agent[at : at + length] = random.choice([12000, 2000])
        at += length + int(random.integers(rate // 5, rate * 3 // 5))
    agent[np.arange(len(agent)) // 8 % 2 == 1] *= -1
    samples = np.zeros((len(agent), channels), np.int16)
    samples[:, 0] = agent
    return samples


def cut(samples: Samples, rows: int, start: int = 0) -> list[Chunk]:
    """Chunks of ``rows``."""
    return [Chunk(start + at, samples[at : at + rows]) for at in range(0, len(samples), rows)]


def request_for(call: str = "c1", **more: Any) -> CallSetupRequest:
    """A two-sided call at 8000 Hz."""
    fields: dict[str, Any] = {
        "rate": 8000,
        "channels": STEREO,
        "agent": "小王",
        "packs": ("test",),
        "source": "test",
        "started": "2026-01-31T08:00:00.000Z",
    }
    return CallSetupRequest(id=call, **(fields | more))


def all_events(request: CallSetupRequest, samples: Samples, rows: int = 160) -> list[Event]:
    """What an uninterrupted call says, its words answered at once."""
    call = FakeCall(request)
    events: list[Event] = []
    for chunk in cut(samples, rows):
        events += call.feed(chunk)
        for asked in call.requests():
            events += call.feed(answer_to(asked))
    events += call.close_audio()
    for asked in call.requests():
        events += call.feed(answer_to(asked))
    return events + call.finish()


def alerts_of(events: Iterable[Event]) -> list[tuple[str, int, int, int]]:
    """Rule, occasion, cause and raising position of the alerts."""
    return [(e.rule, e.occasion, e.at, e.raised_at) for e in events if isinstance(e, Alert)]


def journal_of(folder: Path, call: str) -> Path:
    """Where a server with this data folder keeps a call's journal."""
    return folder / "calls" / f"{call}.jsonl"
