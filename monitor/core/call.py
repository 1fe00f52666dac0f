"""A call: audio, signals and recognised words go in, events come out.

``Call`` only connects the stages, in the order in which audio meets them: framing, voice and level of each channel,
transcript, phrases, and the engine that measures and judges. It reads no clock and knows no file; whoever owns it
feeds it from one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from monitor.core.desk import Doubt
from monitor.core.framing import Framer, Frames
from monitor.core.needs import patterns_of
from monitor.core.phrases import PhraseBook, is_faint
from monitor.core.review import Spotters, known_at
from monitor.core.rulebook import Happening, Occurrence, Pack
from monitor.core.rules import Engine
from monitor.core.sound import Sound, SoundEvent, SoundSettings
from monitor.core.transcript import Blind, Outcome, Transcript, TranscriptSettings
from monitor.core.types import (
    FRAMES_A_SECOND,
    MONO,
    RATES,
    STEREO,
    AsrRequest,
    Channel,
    Chunk,
    Event,
    Evidence,
    Gap,
    Heard,
    Hypothesis,
    Input,
    Lag,
    PhraseHit,
    Signal,
    SpeechEnded,
    SpeechStarted,
    ToneHeard,
    ToneKind,
)


@dataclass(frozen=True, slots=True)
class CallSetup:
    """What must be known before the first sample.

    ``signalled``: telephony will send signals, so nothing about ringing or answering is guessed. ``recognise``:
    somebody answers ``requests()``; without it rules about words say *cannot tell* where somebody spoke. ``tags``: what
    is known of the call from others (`repeat`, `callback`); rules may ask for them.
    """

    rate: int
    channels: tuple[Channel, ...] = STEREO
    packs: tuple[Pack, ...] = ()
    direction: str = "inbound"
    queue: str | None = None
    signalled: bool = False
    recognise: bool = False
    sound: SoundSettings = field(default_factory=SoundSettings)
    transcript: TranscriptSettings = field(default_factory=TranscriptSettings)
    tags: frozenset[str] = frozenset()
    book: PhraseBook | None = None
    """The packs' phrases, compiled once and shared by calls; made here when absent."""


def book_of(packs: tuple[Pack, ...]) -> PhraseBook:
    """The phrases that rules or measures of these packs listen for; phrases of the same name are one phrase.

    Packs also carry phrases of files that they include and use in part; looking for those would cost and tell nobody.
    """
    used = {name for pack in packs for rule in pack.rules for p in patterns_of(rule) for name in p.phrases}
    used.update(name for pack in packs for name in pack.roles)
    return PhraseBook(list({p.name: p for pack in packs for p in pack.phrases if p.name in used}.values()))


class Call:
    """One call. Raises ``ValueError`` for a rate or channels it cannot have, and for audio that goes back in time."""

    def __init__(self, setup: CallSetup) -> None:
        if setup.rate not in RATES:
            raise ValueError(f"a call has {RATES[0]} or {RATES[1]} samples a second, not {setup.rate}: resample it")
        if setup.channels not in (STEREO, MONO):
            raise ValueError("a call has an agent and a customer channel, or one mixed channel")
        self.setup = setup
        self.position = 0
        mixed = setup.channels == MONO
        self._framer = Framer(setup.rate, len(setup.channels))
        self._sounds = [Sound(c, setup.rate, setup.sound) for c in setup.channels]
        self._transcripts = [
            Transcript(c, setup.rate, setup.transcript, recognise=setup.recognise) for c in setup.channels
        ]
        book = setup.book or book_of(setup.packs)
        self._spotters = [Spotters(book, c, setup.rate) for c in setup.channels]
        self._settled_end = [0 for _ in setup.channels]
        self._gaps: list[Gap] = []
        self._lag_told = [0 for _ in setup.channels]
        self._engine = Engine(
            setup.rate,
            setup.packs,
            mixed=mixed,
            direction=setup.direction,
            queue=setup.queue,
            signalled=setup.signalled,
            recognise=setup.recognise,
            tags=setup.tags,
        )
        self._closed = False
        self._finished = False

    # -- in

    def feed(self, item: Input) -> list[Event]:
        """Take a chunk of audio, an answer of the recogniser or a signal; returns what became known by it."""
        if isinstance(item, Chunk):
            events = self._audio(item)
        elif isinstance(item, Hypothesis):
            events = self._hypothesis(item)
        else:
            events = self._signal(item)
        return events + self._advance(0 if isinstance(item, Chunk) else self.position)

    def requests(self) -> list[AsrRequest]:
        """Speech to recognise, since the last call. Empty when the setup has no recogniser."""
        return [r for t in self._transcripts for r in t.requests()]

    def close_audio(self) -> list[Event]:
        """No audio will follow. The last finals are in ``requests()`` afterwards."""
        if self._closed:
            return []
        self._closed = True
        events = self._frames(self._framer.flush())
        for index, sound in enumerate(self._sounds):
            events += self._sounded(index, sound.flush(self.position))
        self._unrecognised()
        return events + self._advance(0)

    def finish(self) -> list[Event]:
        """The call is over and no more words will come: every rule gets its verdict. Again, it says nothing."""
        if self._finished:
            return []
        events = self.close_audio()
        self._finished = True
        for transcript in self._transcripts:
            self._blind(transcript.unheard())
        return events + self._advance(self.position) + self._engine.close(self._end)

    @property
    def _end(self) -> int:
        """The end of the last frame, which may lie a little after the last sample."""
        frame = self.setup.rate // FRAMES_A_SECOND
        return -(-self.position // frame) * frame

    @property
    def heard_until(self) -> dict[Channel, int]:
        """For each channel the position before which no word can change any more."""
        pairs = zip(self._transcripts, self._sounds, strict=True)
        return {t.channel: t.heard_until(self._settled(s)) for t, s in pairs}

    # -- audio

    def _audio(self, chunk: Chunk) -> list[Event]:
        if self._closed:
            raise ValueError("audio came after the end of the call")
        if chunk.start < self.position:
            raise ValueError(f"audio goes back from {self.position} to {chunk.start}: trim it at the source")
        events = self._frames(self._framer.feed(chunk))
        self.position = chunk.start + len(chunk.samples)
        self._unrecognised()
        return events

    def _unrecognised(self) -> None:
        for transcript in self._transcripts:
            self._blind(transcript.without_recogniser(self.position))

    def _frames(self, items: list[Frames | Gap] | list[Frames]) -> list[Event]:
        events: list[Event] = []
        for item in items:
            if isinstance(item, Gap):
                events.append(item)
                self._gap(item, events)
                continue
            for index, sound in enumerate(self._sounds):
                frames = item.samples[index]
                self._transcripts[index].audio(item.start, frames)
                events += self._sounded(index, sound.feed(item.start, frames))
                self._transcripts[index].reached(item.start + frames.size)
        return events

    def _gap(self, gap: Gap, events: list[Event]) -> None:
        self._gaps.append(gap)
        self._engine.lost(Doubt(gap.start, gap.end, None, words=False, reason="audio_lost"))
        for index, sound in enumerate(self._sounds):
            events += self._sounded(index, sound.gap(gap.start, gap.end))

    def _sounded(self, index: int, found: Sequence[SoundEvent]) -> Sequence[SoundEvent]:
        """Hand what a channel's sound told to the transcript and to the engine."""
        transcript = self._transcripts[index]
        for event in found:
            match event:
                case SpeechStarted():
                    transcript.reached(event.known)
                    transcript.started(event)
                    self._put(Happening.SPEECH_START, event.channel, event.at, event.at, event.at)
                case SpeechEnded():
                    transcript.reached(event.known)
                    transcript.ended(event)
                    self._put(Happening.SPEECH_END, event.channel, event.start, event.at, event.known)
                case ToneHeard():
                    self._tone(event)
                case _:
                    seen = Occurrence(
                        event.name,
                        event.channel,
                        event.start,
                        event.end,
                        event.known,
                        event.value,
                        event.quality,
                    )
                    self._engine.put(seen)
        return found

    def _put(self, name: Happening, by: Channel | None, start: int, end: int, known: int) -> None:
        value = (end - start) / self.setup.rate
        self._engine.put(Occurrence(name, by, start, end, known, value))

    def _tone(self, tone: ToneHeard) -> None:
        match tone.tone:
            case ToneKind.RINGBACK:
                self._put(Happening.RING, None, tone.start, tone.end, tone.known)
            case ToneKind.DTMF:
                self._put(Happening.DIGIT, tone.channel, tone.start, tone.end, tone.known)
            case _:  # music
                name = Happening.MUSIC if tone.ongoing else Happening.MUSIC_END
                self._put(name, tone.channel, tone.start, tone.end, tone.known)

    # -- signals

    def _signal(self, signal: Signal) -> list[Event]:
        if self._finished:
            raise ValueError("a signal came after the end of the call")
        at = max(signal.at, self._engine.audio.stream.position)
        name = Happening.DIGIT if signal.digit is not None else f"signal:{signal.signal.value}"
        self._engine.put(Occurrence(name, signal.by, at, at, at))
        return [Signal(signal.signal, at, signal.by, signal.digit, signal.inferred)]

    # -- words

    def _hypothesis(self, hypothesis: Hypothesis) -> list[Event]:
        for index, transcript in enumerate(self._transcripts):
            outcome = transcript.answer(hypothesis)
            if outcome is not None:
                return self._words(index, outcome)
        return []

    def _words(self, index: int, outcome: Outcome) -> list[Event]:
        events: list[Event] = []
        self._blind(outcome.blind)
        for heard in outcome.heard:
            events.append(heard)
            if heard.settled:
                events += self._settle(index, heard)
        for heard in outcome.agreed:
            for hit in self._spotters[index].peek(heard):
                if not is_faint(hit):  # what may have been said is nothing to be early with
                    self._engine.early(_occurrence(hit, heard), self.position)
        return events

    def _settle(self, index: int, heard: Heard) -> list[Event]:
        spotter = self._spotters[index]
        before = self._settled_end[index]
        if any(g.start < heard.start and g.end > before for g in self._gaps):
            spotter.reset()
        self._settled_end[index] = heard.end
        known = heard.end - 1
        words = Occurrence(Happening.WORDS, heard.channel, heard.start, heard.end, known, words=heard.words)
        self._engine.put_words(words)
        hits, splits = spotter.settle(heard)
        for split in splits:
            self._engine.split(split)
        for hit in hits:
            seen = _occurrence(hit, heard)
            self._engine.put_words(seen)
            if not seen.faint:
                self._engine.early(seen, self.position)
        return list(hits)

    def _blind(self, stretches: list[Blind]) -> None:
        for b in stretches:
            self._engine.lost(Doubt(b.start, b.end, b.channel, words=True, reason=b.reason))

    # -- onward

    def _settled(self, sound: Sound) -> int:
        return self._end + 1 if self._closed else sound.settled

    def _advance(self, now: int) -> list[Event]:
        audio = min(self._settled(s) for s in self._sounds)
        heard = min(self.heard_until.values())
        return self._engine.advance(now, audio, heard) + self._lags()

    def _lags(self) -> list[Event]:
        """Tell where the recogniser is, at most once a second and only while it is behind or has just caught up."""
        events: list[Event] = []
        for index, transcript in enumerate(self._transcripts):
            waiting = transcript.waiting_since
            behind = waiting is not None and self.position - waiting > self.setup.rate
            told = self._lag_told[index]
            if behind and self.position - told >= self.setup.rate and waiting is not None:
                self._lag_told[index] = self.position
                events.append(Lag(transcript.channel, waiting, self.position))
            elif told and not behind:
                self._lag_told[index] = 0
                events.append(Lag(transcript.channel, self.position, self.position))
        return events


def _occurrence(hit: PhraseHit, heard: Heard) -> Occurrence:
    proof = Evidence(hit.channel, hit.text, hit.start, hit.end, hit.match)
    overlapped = [w.confidence for w in heard.words if w.start < hit.end and w.end > hit.start]
    confidence = float(np.mean(overlapped)) if overlapped else 1.0
    return Occurrence(
        f"say:{hit.phrase}",
        hit.channel,
        hit.start,
        hit.end,
        known_at(hit, heard),
        score=min(hit.score, confidence),
        evidence=(proof,),
        slots=hit.slots,
        faint=is_faint(hit),
    )
