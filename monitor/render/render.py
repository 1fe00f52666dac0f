"""Renders a dialogue: lays every item on the time axis, mixes both channels, and writes down what is where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from monitor.core.types import STEREO, Channel, Samples, SignalKind
from monitor.render import line, music, sounds, speech
from monitor.render.dialogue import (
    Answered,
    Dialogue,
    Digits,
    Hangup,
    Hold,
    Item,
    Music,
    Noise,
    Party,
    Ring,
    Say,
    Silence,
)

KEY_SECONDS, KEY_GAP = 0.12, 0.1
_DECIMALS = 4


class RenderError(ValueError):
    """A dialogue cannot be laid out; the message names the item."""


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A rendered call: int16 ``samples`` of shape (n, 2), agent left, at ``rate``; ``truth`` as it is written to the
    truth file; ``signals`` with times in seconds, as a source reads them; ``places`` has the start and end, in
    seconds, of the items that have an id."""

    samples: Samples
    rate: int
    truth: dict[str, Any]
    signals: list[dict[str, Any]]
    places: dict[str, tuple[float, float]] = field(default_factory=dict)


class Speaker(Protocol):
    """Who speaks the texts: ``speech.utter`` (espeak-ng) or ``babble.utter``."""

    def __call__(self, text: str, voice: speech.Voice, rate: int, *, telephone: bool) -> speech.Utterance:
        """One utterance; ValueError for what cannot be spoken so."""


def render(dialogue: Dialogue, speaker: Speaker = speech.utter) -> Rendered:
    """Render a dialogue; the same dialogue always gives the same samples on one machine.

    Raises RenderError where items collide, EspeakError where the engine is missing or cannot speak a text.
    """
    stage = _Stage(dialogue, speaker)
    for number, item in enumerate(dialogue.items, 1):
        try:
            stage.add(number, item)
        except (ValueError, KeyError) as error:
            raise RenderError(f"item {number}: {error}") from error
    return stage.finish()


@dataclass(frozen=True, slots=True, eq=False)
class _Stem:
    """A sound on a channel, from sample ``start``."""

    channel: Channel
    start: int
    samples: line.Signal


class _Stage:
    """The call as far as it has been written. ``end`` is where everything so far has ended, in samples."""

    def __init__(self, dialogue: Dialogue, speaker: Speaker) -> None:
        self.dialogue = dialogue
        self.speaker = speaker
        self.rate: int = dialogue.rate
        self.end = 0
        self.stems: list[_Stem] = []
        self.open_noises: list[tuple[int, int, Noise]] = []
        self.utterances: list[dict[str, Any]] = []
        self.sounds: list[dict[str, Any]] = []
        self.signals: list[dict[str, Any]] = []
        self.places: dict[str, tuple[float, float]] = {}
        self.spoken_until = dict.fromkeys(STEREO, 0)

    def add(self, number: int, item: Item) -> None:
        """Lay the next item down."""
        start, end = self._lay_item(number, item)
        if item.id is not None:
            self.places[item.id] = (self._seconds(start), self._seconds(end))

    def _lay_item(self, number: int, item: Item) -> tuple[int, int]:
        """Returns where it starts and ends, in samples."""
        match item:
            case Say():
                return self._say(item)
            case Ring():
                return self._ring(item)
            case Answered():
                self.end += self._samples(item.pause)
                self._signal(SignalKind.ANSWERED)
                return self.end, self.end
            case Hold():
                return self._hold(number, item)
            case Digits():
                return self._digits(item)
            case Music():
                return self._music(number, item)
            case Noise():
                return self._noise(number, item)
            case Silence():
                self.end += self._samples(item.silence)
                return self.end - self._samples(item.silence), self.end
            case Hangup():
                return self._hangup(item)

    def finish(self) -> Rendered:
        """Mix, and write the truth."""
        for number, start, noise in self.open_noises:
            self._lay_noise(number, noise, start, self.end)
        mixed = np.zeros((self.end, 2))
        for stem in self.stems:
            column = STEREO.index(stem.channel)
            room = max(min(stem.samples.size, self.end - stem.start), 0)
            mixed[stem.start : stem.start + room, column] += stem.samples[:room]
        if self.dialogue.floor is not None:
            rng = np.random.default_rng(self.dialogue.seed)
            mixed += rng.standard_normal(mixed.shape) * 10 ** (self.dialogue.floor / 20)
        samples = line.to_int16(mixed)
        if self.dialogue.mulaw:
            samples = line.through_mu_law(samples)
        signals = sorted(self.signals, key=lambda signal: float(signal["at"]))
        return Rendered(samples, self.rate, self._truth(), signals if self.dialogue.signals else [], self.places)

    def _truth(self) -> dict[str, Any]:
        return {
            "title": self.dialogue.title,
            "rate": self.rate,
            "seconds": self._seconds(self.end),
            "direction": self.dialogue.direction,
            "findings": self.dialogue.findings.model_dump(mode="json"),
            "utterances": sorted(self.utterances, key=lambda spoken: float(spoken["start"])),
            "sounds": sorted(self.sounds, key=lambda sound: (float(sound["start"]), str(sound["channel"]))),
        }

    # ------------------------------------------------------------ items

    def _say(self, item: Say) -> tuple[int, int]:
        party = self.dialogue.agent if item.channel is Channel.AGENT else self.dialogue.customer
        spoken = self.speaker(item.text, _voice(party, item), self.rate, telephone=self.dialogue.band == "telephone")
        if item.at is not None:
            start = self._samples(item.at)
        elif item.overlap is not None:
            start = self.end - self._samples(item.overlap)
        else:
            start = self.end + self._samples(item.pause)
        if start < 0:
            raise ValueError(f"{item.text!r} would start before the call")
        if start < self.spoken_until[item.channel]:
            raise ValueError(f"the {item.channel} would speak {item.text!r} into an own utterance")
        before = max(spoken.first - start, 0)  # what stands before the voice and before the call
        self.stems.append(_Stem(item.channel, start - spoken.first + before, spoken.samples[before:]))
        stop = start + spoken.last - spoken.first
        self.spoken_until[item.channel] = stop
        self.end = max(self.end, stop)
        self.utterances.append(self._spoken(item, spoken, start))
        return start, stop

    def _spoken(self, item: Say, spoken: speech.Utterance, start: int) -> dict[str, Any]:
        offset = start - spoken.first
        return {
            **({"id": item.id} if item.id else {}),
            "channel": item.channel.value,
            "text": item.text,
            "start": self._seconds(start),
            "end": self._seconds(spoken.last + offset),
            "characters": len(spoken.characters),
            "pace": round(spoken.pace, 2),
            "level": round(spoken.level, 2),
            "pauses": [[self._seconds(a + offset), self._seconds(b + offset)] for a, b in spoken.pauses],
            "spoken": [[char, self._seconds(at + offset)] for char, at in spoken.characters],
        }

    def _ring(self, item: Ring) -> tuple[int, int]:
        start = self.end
        self._signal(SignalKind.RINGING)
        self._lay("ringback", item.side, self.end, sounds.ring(item.ring, self.rate, item.level))
        self.end += self._samples(item.answer)
        self._signal(SignalKind.ANSWERED)
        return start, self.end

    def _hold(self, number: int, item: Hold) -> tuple[int, int]:
        self.end += self._samples(item.pause)
        start = self.end
        if item.signal:
            self._signal(SignalKind.HOLD, by="agent")
        style = "chords" if item.music is True else item.music
        if style:
            played = music.music(style, item.hold, self.rate, item.level, self.dialogue.seed + number)
            self._lay("music", item.side, start, played)
        self.end = max(self.end, start + self._samples(item.hold))
        self._note("hold", "both", start, self.end)
        if item.signal:
            self._signal(SignalKind.RESUME, by="agent")
        return start, self.end

    def _digits(self, item: Digits) -> tuple[int, int]:
        self.end += self._samples(item.pause)
        start = self.end
        for index, digit in enumerate(item.digits):
            if index:
                self.end += self._samples(KEY_GAP)
            self._signal(SignalKind.DIGIT, by=item.side, digit=digit)
            pressed = sounds.key(digit, KEY_SECONDS, self.rate, item.level)
            self._lay("dtmf", item.side, self.end, pressed, digit=digit)
        return start, self.end

    def _music(self, number: int, item: Music) -> tuple[int, int]:
        start = self.end + self._samples(item.pause)
        played = music.music(item.music, item.seconds, self.rate, item.level, self.dialogue.seed + number)
        self._lay("music", item.side, start, played, behind=item.behind)
        return start, start + played.size

    def _noise(self, number: int, item: Noise) -> tuple[int, int]:
        start = self.end + self._samples(item.pause)
        if item.seconds is None:
            self.open_noises.append((number, start, item))
            return start, start
        stop = start + self._samples(item.seconds)
        self._lay_noise(number, item, start, stop)
        if not item.behind:
            self.end = max(self.end, stop)
        return start, stop

    def _lay_noise(self, number: int, item: Noise, start: int, stop: int) -> None:
        for channel in _sides(item.side):  # two rooms never sound the same
            rng = np.random.default_rng((self.dialogue.seed, number, STEREO.index(channel)))
            heard = sounds.noise(item.noise, max(stop - start, 0) / self.rate, self.rate, item.level, rng)
            self._lay("noise", channel.value, start, heard, behind=True)

    def _hangup(self, item: Hangup) -> tuple[int, int]:
        self.end += self._samples(item.pause)
        self._signal(SignalKind.HANGUP, by=item.hangup)
        start, stop = self.end, self.end + self._samples(item.tail)
        if item.busy:
            other = Channel.AGENT if item.hangup == "customer" else Channel.CUSTOMER
            self._lay("busy", other.value, self.end, sounds.busy(item.tail, self.rate))
        self.end = stop
        return start, stop

    # ------------------------------------------------------------ helpers

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.rate)

    def _seconds(self, samples: int) -> float:
        return round(samples / self.rate, _DECIMALS)

    def _signal(self, kind: SignalKind, **more: str) -> None:
        self.signals.append({"signal": kind.value, "at": self._seconds(self.end), **more})

    def _lay(self, kind: str, side: str, start: int, heard: line.Signal, *, behind: bool = False, **more: str) -> None:
        """A sound through the line; unless ``behind``, what follows waits for its end."""
        if self.dialogue.band == "telephone":
            heard = line.telephone_band(heard, self.rate)
        self.stems += [_Stem(channel, start, heard) for channel in _sides(side)]
        self._note(kind, side, start, start + heard.size, **more)
        if not behind:
            self.end = max(self.end, start + heard.size)

    def _note(self, kind: str, side: str, start: int, stop: int, **more: str) -> None:
        times = {"start": self._seconds(start), "end": self._seconds(stop)}
        self.sounds.append({"sound": kind, "channel": side, **times, **more})


def _sides(side: str) -> tuple[Channel, ...]:
    return STEREO if side == "both" else (Channel(side),)


def _voice(party: Party, item: Say) -> speech.Voice:
    """The party's voice with what the utterance asks for instead."""
    return speech.Voice(
        variant=party.voice if item.voice is None else item.voice,
        pitch=party.pitch if item.pitch is None else item.pitch,
        pitch_range=party.liveliness if item.liveliness is None else item.liveliness,
        pace=party.pace if item.pace is None else item.pace,
        level=party.level if item.level is None else item.level,
        breath=party.breath,
        drawl=item.drawl or 0.0,
    )
