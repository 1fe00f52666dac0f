"""From speech to words: what to ask the recogniser, and which of its answers stand.

A segment is the speech of one party between two silences, cut at its quietest place when it grows too long for the
recogniser. While it lasts, partial passes are asked for after so much new speech; when it ends, one final pass.
Passes are scheduled in audio time only, so a replay asks for the same. Finals decide: words of a final are settled
and never change. What two successive partials agree on (local agreement: Liu et al., Low-Latency Sequence-to-Sequence
Speech Recognition, 2020) is told early, to be confirmed by the final. A streaming ear commits its words itself: all of
them are told early, and only when there are new ones.

With two ears the careful one's words settle a segment, and what the fast one heard is kept where it differs.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from monitor.core.types import (
    FRAMES_A_SECOND,
    AsrRequest,
    Channel,
    Heard,
    Hypothesis,
    Samples,
    SpeechEnded,
    SpeechStarted,
    Word,
)

LOOK_BACK_SECONDS = 2.0
"""Speech may have begun so long before it was certain that it is speech."""


@dataclass(frozen=True, slots=True)
class TranscriptSettings:
    """Seconds throughout. ``longest`` is what the model can take; ``partial_every`` 0 asks for no partials."""

    longest: float = 12.0
    partial_every: float = 0.7
    first_partial: float = 0.7
    pad: float = 0.16
    search: float = 3.0
    """A segment that is too long is cut at the quietest frame of its last ``search`` seconds."""


QUIET_FRAMES = 9
REPEATED = 3
"""Words that both sides of a cut may have heard."""


@dataclass(slots=True)
class _Segment:
    number: int
    start: int
    asked_until: int
    end: int | None = None
    answer: Hypothesis | None = None
    last_partial: tuple[Word, ...] = ()
    goes_on_from: bool = False
    """The segment before was cut here, in the middle of speech."""
    goes_on: bool = False
    """It was cut at its end."""


@dataclass(frozen=True, slots=True)
class Blind:
    """Speech from ``start`` to ``end`` whose words nobody will ever know."""

    channel: Channel
    start: int
    end: int
    reason: str


@dataclass(slots=True)
class Outcome:
    """What an answer led to: segments settled in order, an early text, speech left unheard."""

    heard: list[Heard] = field(default_factory=list)
    agreed: list[Heard] = field(default_factory=list)
    blind: list[Blind] = field(default_factory=list)


class Transcript:
    """The words of one channel. With ``recognise`` False it asks nothing and every segment is ``Blind``."""

    def __init__(self, channel: Channel, rate: int, settings: TranscriptSettings, *, recognise: bool) -> None:
        self.channel = channel
        self._rate = rate
        self._set = settings
        self._recognise = recognise
        self._frame = rate // FRAMES_A_SECOND
        self._open: _Segment | None = None
        self._waiting: deque[_Segment] = deque()  # closed, not settled, in order
        self._count = 0
        self._requests: list[AsrRequest] = []
        self._asked = 0
        self._by_request: dict[int, tuple[_Segment, bool]] = {}
        self._audio: deque[tuple[int, Samples]] = deque()  # (start, samples), contiguous or with gaps
        self._energy: deque[tuple[int, int]] = deque()  # (frame start, sum of squares)
        self._last_words: tuple[Word, ...] = ()
        self._last_other: tuple[Word, ...] = ()

    # -- audio

    def audio(self, start: int, frames: Samples) -> None:
        """Keep frames of shape (n, frame length) as long as a segment may need them."""
        if not self._recognise or not len(frames):
            return
        self._forget(start)
        self._audio.append((start, np.ascontiguousarray(frames).reshape(-1)))
        energies = np.einsum("ij,ij->i", frames, frames, dtype=np.int64).tolist()
        for i, energy in enumerate(energies):
            self._energy.append((start + i * self._frame, energy))

    def _forget(self, now: int) -> None:
        segment = self._open
        keep = segment.start if segment else now - self._samples(LOOK_BACK_SECONDS)
        keep -= self._samples(self._set.pad)
        while self._audio and self._audio[0][0] + len(self._audio[0][1]) < keep:
            self._audio.popleft()
        while self._energy and self._energy[0][0] < keep:
            self._energy.popleft()

    # -- speech

    def started(self, event: SpeechStarted) -> None:
        """The channel's party began to speak."""
        self._begin(event.at)

    def ended(self, event: SpeechEnded) -> None:
        """The party stopped; the rest of the open segment is asked for, finally."""
        segment = self._open
        # Nobody knows words that nobody recognises: they are unknown up to where speech was known to be over.
        at = event.at if self._recognise else event.known
        assert segment is not None
        if at <= segment.start:
            self._open = None  # a long segment was cut in what turned out to be the silence after it
        else:
            self._finish(at)

    def reached(self, position: int) -> None:
        """The audio has got to ``position`` with the party still speaking: long segments are cut, partials asked."""
        every = self._samples(self._set.partial_every)
        longest = self._samples(self._set.longest)
        while (segment := self._open) is not None:
            cut_at = segment.start + longest
            step = self._samples(self._set.first_partial) if segment.asked_until == segment.start else every
            next_partial = segment.asked_until + step if every else cut_at
            # A cut waits for the audio of its padding, so that what is asked for never depends on chunk sizes.
            if min(cut_at + self._samples(self._set.pad), next_partial) > position:
                return
            if cut_at <= next_partial:
                if cut_at + self._samples(self._set.pad) > position:
                    return
                place = self._quietest(segment, cut_at)
                segment.goes_on = True
                self._finish(place)
                self._begin(place, goes_on=True)
            else:
                segment.asked_until = next_partial
                self._ask(segment, next_partial, final=False)

    def _begin(self, at: int, *, goes_on: bool = False) -> None:
        self._count += 1
        self._open = _Segment(self._count, at, at, goes_on_from=goes_on)

    def _finish(self, at: int) -> None:
        segment = self._open
        assert segment is not None
        self._open = None
        segment.end = at
        self._waiting.append(segment)
        self._ask(segment, at, final=True)

    def _quietest(self, segment: _Segment, cut_at: int) -> int:
        """The middle of the quietest stretch of ``QUIET_FRAMES``: one quiet frame may be a stop inside a word."""
        first = cut_at - self._samples(self._set.search)
        window: deque[int] = deque(maxlen=QUIET_FRAMES)
        least, place = None, cut_at
        for start, energy in self._energy:
            if not first <= start < cut_at:
                continue
            window.append(energy)
            total = sum(window)
            if len(window) == QUIET_FRAMES and (least is None or total < least):
                least, place = total, start - QUIET_FRAMES // 2 * self._frame
        return max(place, segment.start + self._frame)

    def _ask(self, segment: _Segment, end: int, *, final: bool) -> None:
        if not self._recognise:
            return
        pad = self._samples(self._set.pad)
        if final:
            # As far as the last partial at least: a streaming ear then only goes on, and need not begin anew.
            end = end + pad if segment.goes_on else max(end + pad, segment.asked_until)
        samples, low = self._cut(max(segment.start - pad, 0), end)
        # Numbers depend on the channel's own passes only, not on what the other channel asks meanwhile.
        number = self._asked * len(Channel) + list(Channel).index(self.channel)
        self._asked += 1
        self._by_request[number] = (segment, final)
        high = low + len(samples)
        self._requests.append(AsrRequest(number, self.channel, segment.number, low, high, final, self._rate, samples))

    # -- requests and answers

    def requests(self) -> list[AsrRequest]:
        """What to recognise, since the last call; the audio is a copy, so the recogniser may take its time."""
        out, self._requests = self._requests, []
        return out

    def _cut(self, start: int, end: int) -> tuple[Samples, int]:
        """The kept audio from ``start`` to ``end``, silence where it was lost, and where it really begins."""
        if self._audio:
            start = max(start, self._audio[0][0])
        last = self._audio[-1][0] + len(self._audio[-1][1]) if self._audio else start
        end = max(min(end, last), start)
        out = np.zeros(end - start, np.int16)
        for at, samples in self._audio:
            low, high = max(at, start), min(at + len(samples), end)
            if low < high:
                out[low - start : high - start] = samples[low - at : high - at]
        return out, start

    def answer(self, hypothesis: Hypothesis) -> Outcome | None:
        """Take an answer; None when the request is not this channel's. Answers may come in any order."""
        found = self._by_request.pop(hypothesis.request, None)
        if found is None:
            return None
        segment, final = found
        if final:
            segment.answer = hypothesis
            return self._settle()
        out = Outcome()
        if segment.answer is None and not hypothesis.failed:
            self._early(segment, hypothesis, out)
        return out

    def _early(self, segment: _Segment, hypothesis: Hypothesis, out: Outcome) -> None:
        words, before = hypothesis.words, segment.last_partial
        if hypothesis.committed and words == before:
            return
        segment.last_partial = words
        agreed = words if hypothesis.committed else _common(before, words)
        end = words[-1].end if words else segment.start
        at = (self.channel, segment.number, segment.start, end)
        out.heard.append(Heard(*at, words, settled=False, ear=hypothesis.ear))
        if agreed:
            out.agreed.append(Heard(*at, agreed, settled=False, ear=hypothesis.ear))

    def _settle(self) -> Outcome:
        out = Outcome()
        while self._waiting and (answer := self._waiting[0].answer) is not None:
            segment = self._waiting.popleft()
            assert segment.end is not None
            self._drop_partials(segment)
            if answer.failed:
                out.blind.append(Blind(self.channel, segment.start, segment.end, "recogniser_failed"))
                continue
            words = self._own(segment, answer.words, self._last_words)
            other = words if answer.other is None else self._own(segment, answer.other, self._last_other)
            self._last_words, self._last_other = words[-REPEATED:], other[-REPEATED:]
            span = (self.channel, segment.number, segment.start, segment.end)
            differs = _text(other) != _text(words)
            out.heard.append(Heard(*span, words, True, answer.ear, other if differs else None))
        return out

    def _own(self, segment: _Segment, words: tuple[Word, ...], before: tuple[Word, ...]) -> tuple[Word, ...]:
        """Those of the words that were said in the segment; ``before`` are the last ones of the segment before."""
        inside = tuple(w for w in words if self._inside(segment, w))
        return self._not_again(inside, before, segment.start) if segment.goes_on_from else inside

    def _not_again(self, words: tuple[Word, ...], before: tuple[Word, ...], cut: int) -> tuple[Word, ...]:
        """Without the words that both sides of a cut heard: the end of one is then the beginning of the other."""
        if not words or words[0].start - cut > self._samples(self._set.pad):
            return words
        for count in range(min(len(before), len(words)), 0, -1):
            if all(self._same(a, b) for a, b in zip(before[-count:], words, strict=False)):
                return words[count:]
        return words

    def _same(self, one: Word, other: Word) -> bool:
        """One word heard twice, not a word said twice (好好, 零零): it lies at the same place."""
        apart = abs(one.start + one.end - other.start - other.end) // 2
        return one.text == other.text and apart <= self._samples(self._set.pad)

    def _drop_partials(self, segment: _Segment) -> None:
        for request in [r for r, (s, _) in self._by_request.items() if s is segment]:
            del self._by_request[request]

    def _inside(self, segment: _Segment, word: Word) -> bool:
        """Words count only where speech was heard; at a cut each word belongs to one side."""
        assert segment.end is not None
        near = self._samples(self._set.pad) + self._frame
        low = segment.start - (0 if segment.goes_on_from else near)
        high = segment.end + (0 if segment.goes_on else near + 1)
        return low <= (word.start + word.end) // 2 < high

    def unheard(self) -> list[Blind]:
        """Give up what is still waiting: the recogniser never answered. Called once, at the end of the call."""
        reason = "recogniser_behind" if self._recognise else "no_recogniser"
        out = [Blind(self.channel, s.start, s.end or s.start, reason) for s in self._waiting]
        self._waiting.clear()
        self._by_request.clear()
        return out

    def without_recogniser(self, position: int) -> list[Blind]:
        """Speech up to ``position`` that nobody will recognise."""
        if self._recognise:
            return []
        out = self.unheard()
        if self._open:
            out.append(Blind(self.channel, self._open.start, position, "no_recogniser"))
        return out

    @property
    def waiting_since(self) -> int | None:
        """Where the oldest speech ended that still waits for its final words; None when nothing waits."""
        return self._waiting[0].end if self._waiting else None

    def heard_until(self, settled: int) -> int:
        """The position before which no word can change; ``settled`` is how far the voice detector has decided."""
        if self._waiting:
            return self._waiting[0].start
        return min(self._open.start, settled) if self._open and self._recognise else settled

    def _samples(self, seconds: float) -> int:
        return round(seconds * self._rate / self._frame) * self._frame


def _common(before: tuple[Word, ...], after: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words on which two successive hypotheses agree, from the beginning."""
    count = 0
    for a, b in zip(before, after, strict=False):
        if a.text != b.text:
            break
        count += 1
    return after[:count]


def _text(words: tuple[Word, ...]) -> str:
    return "".join(w.text for w in words)
