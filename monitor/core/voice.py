"""When a party speaks: from frames of 20 ms to speech that started and speech that ended.

webrtcvad looks at each frame; three things make its flickering answer usable. Hysteresis: a few frames must agree
before speech may have begun, and it has ended only when none came for the length of a hangover. Energy: the first and
last frame are found by level, because the detector is late at a soft consonant and hangs on after the last vowel.
And a second opinion (``likeness``): an onset stays tentative until its frames are known to move like a voice, and
speech that turns out to have become music is ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import numpy as np
import webrtcvad

from monitor.core.likeness import (
    BLOCK,
    HISTORY,
    NARROW,
    NARROW_FRAME,
    WINDOWS,
    Flags,
    Narrow,
    Seen,
    Spectra,
    speech_odds,
)
from monitor.core.tones import Foreign, Tones
from monitor.core.types import (
    FRAMES_A_SECOND,
    Channel,
    Samples,
    SpeechEnded,
    SpeechStarted,
    ToneHeard,
    ToneKind,
)

VoiceEvent = SpeechStarted | SpeechEnded | ToneHeard

_REACH: Final = 10  # frames an onset may lie before the frame that made it pending
_LOOK_BACK: Final = 25  # frames that speech after music may have lasted before it is recognised
_AGAIN: Final = 25  # frames from one check of open speech to the next
_ABOVE_FLOOR: Final = 4.0  # speech stands 6 dB above the background
_BELOW_PEAK: Final = 2.5e-4  # and not more than 36 dB below its own peak
_TAIL: Final = 1e-2  # 20 dB: what a soft ending has at least
_SURELY: Final = 0.25  # not more than 6 dB below the peak belongs to speech, whatever the background
_TONE_GATE: Final = 1000.0  # -60 dBFS: no tone of the line is so quiet
_UNHEARD: Final = 1e12
_CLICK: Final = 3  # frames a click lasts
_APART: Final = 5  # frames of quiet that keep it from belonging to a word


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How speech is told. Durations in seconds, odds as natural logarithms, power as mean square of int16 samples."""

    mode: int = 2
    """Aggressiveness of webrtcvad, 0 to 3."""
    hangover: float = 0.3
    """Speech has ended when nothing was heard for so long."""
    gate: float = 60.0
    """Quieter frames are silence without further question (about -72 dBFS)."""
    sure: tuple[float, float, float] = (1.0, 0.7, 0.0)
    """Odds that open speech 0.3, 0.5 and 1 s after its onset; a sound that fails all is no speech."""
    short: float = 0.0
    """Odds that a sound needs which ended before it was certain."""
    wary: float = 2.0
    """Added to the odds that are asked for while music was heard within the last ``memory`` seconds."""
    memory: float = 8.0
    """How long music is remembered."""
    music_odds: float = -1.5
    """Speech whose last second has lower odds, twice half a second apart, has become music."""
    music_least: float = 2.0
    """Sound that is nobody's voice is reported as music when it lasts so long."""
    music_pause: float = 1.0
    """Music is over when nothing was heard for so long."""


class _State(Enum):
    IDLE = 0
    PENDING = 1
    OPEN = 2
    FOREIGN = 3  # something sounds that is no voice


class Voice:
    """Watches one channel. Feed frames in order; every event carries the position at which it was certain."""

    def __init__(self, channel: Channel, rate: int, settings: VoiceSettings | None = None) -> None:
        self._settings = settings or VoiceSettings()
        self._channel = channel
        self._frame_len = rate // FRAMES_A_SECOND
        self._vad = webrtcvad.Vad(self._settings.mode)
        self._narrow = Narrow(rate)
        self._tones = Tones(channel, rate)
        self._music = Foreign(
            round(self._settings.music_least * FRAMES_A_SECOND),
            round(self._settings.music_pause * FRAMES_A_SECOND),
            round(self._settings.memory * FRAMES_A_SECOND),
        )
        self._floor = _Floor()
        self.spectra = Spectra()
        self._hangover = round(self._settings.hangover * FRAMES_A_SECOND)
        self._next = 0  # number of the frame to come
        self._state = _State.IDLE
        self._start = 0  # first frame of the pending or open speech
        self._base = 0  # frame before the first hit: where the windows of the second opinion begin
        self._best = 0.0  # highest odds while pending
        self._hits = 0  # one bit a frame, newest lowest
        self._last_hit = -1000
        self._doubts = 0
        self._run = 0  # frames above the gate without a break
        self._settled = 0
        self.voiced: Flags = np.zeros(0, np.bool_)
        """Of the frames last fed: those in which a voice was heard while speech was open."""
        self.seen: list[Seen] = []
        """Stretches of half a second that became complete by the last feed, gap or flush, for pace and pitch."""
        self._voiced: list[bool] = []  # of the stretch that is not complete

    @property
    def speaking(self) -> bool:
        """Speech is open."""
        return self._state is _State.OPEN

    @property
    def settled(self) -> int:
        """No later ``SpeechStarted`` lies before this position: held back while an onset is pending."""
        return self._settled * self._frame_len

    def feed(self, start: int, frames: Samples) -> list[VoiceEvent]:
        """Takes int16 frames (n, frame length) from position ``start`` on; skipped positions are lost audio."""
        index = start // self._frame_len
        if index < self._next:
            raise ValueError(f"the frame at {start} was already heard")
        self.seen = []
        events = self._skip(index)
        voiced: list[bool] = []
        done = 0
        while done < len(frames):  # stretches lie on an absolute grid
            part = frames[done : done + BLOCK - self._next % BLOCK]
            self._block(part, events, voiced)
            done += len(part)
        self.voiced = np.array(voiced, np.bool_)
        return events

    def gap(self, start: int, end: int) -> list[VoiceEvent]:
        """Audio from ``start`` to ``end`` was lost; speech does not last across more than a hangover of it."""
        del start  # what was heard before it is known
        self.seen = []
        return self._skip(end // self._frame_len)

    def flush(self, end: int) -> list[VoiceEvent]:
        """The audio is over at ``end``: what is pending is decided, what is open ends."""
        events: list[VoiceEvent] = []
        self.seen = []
        self._part()
        row = self.spectra.end - 1
        last = self._next - 1
        if self._state is _State.PENDING:
            self._end_burst(events, last, row)
        elif self._state is _State.OPEN:
            self._close(events, last, row)
        self._state = _State.IDLE
        events += self._told(self._music.stop(), last)
        self._settled = max(self._settled, -(-end // self._frame_len))
        return [_within(event, end) for event in events]

    def _skip(self, index: int) -> list[VoiceEvent]:
        """Frames up to number ``index`` were lost: they are silence, and nothing is joined across them."""
        events: list[VoiceEvent] = []
        lost = index - self._next
        if lost <= 0:
            return events
        self._narrow.reset()
        self._tones.skip()
        if self._state is _State.IDLE:  # what is pending may still begin where it was found
            self._settled = max(self._settled, self._next - _REACH)
        count = min(lost, HISTORY)  # long enough for everything to end
        while count:
            part = min(count, BLOCK - self._next % BLOCK)
            self._block(np.zeros((part, self._frame_len), np.int16), events, [])
            count -= part
        if self._next < index:
            self._part()
            self._next = index
        self._settled = max(self._settled, index) if self._state is _State.IDLE else self._settled
        return events

    def _block(self, frames: Samples, events: list[VoiceEvent], voiced: list[bool]) -> None:
        """Up to ``BLOCK`` frames: what can be computed for all at once, then frame by frame."""
        gate = self._settings.gate
        wide = frames.astype(np.float64)
        power = np.einsum("ij,ij->i", wide, wide) / self._frame_len  # whole numbers: exact in any order
        loud = power >= gate
        narrow = self._narrow.feed(frames)
        tones, tonal = self._tones.feed(self._next, narrow, power >= _TONE_GATE)
        events += tones
        data = narrow.tobytes()
        is_speech, size = self._vad.is_speech, 2 * NARROW_FRAME
        hits = [
            bool(ok and not tone and is_speech(data[i * size : (i + 1) * size], NARROW, NARROW_FRAME))
            for i, (ok, tone) in enumerate(zip(loud.tolist(), tonal, strict=True))
        ]
        look: list[bool] = []
        recent = self._next - self._last_hit
        for hit in hits:
            recent = 0 if hit else recent + 1
            look.append(recent < self._hangover)
        row = self.spectra.feed(narrow, power, np.array(look, np.bool_))
        before = len(voiced)
        for i, level in enumerate(power.tolist()):
            self._step(self._next, row + i, level, hits[i], tonal[i], events)
            self._next += 1
            voiced.append(hits[i] and self._state is _State.OPEN)
        self._voiced += voiced[before:]
        if self._next % BLOCK == 0:
            self._part()

    def _part(self) -> None:
        """A stretch is complete."""
        count = len(self._voiced)
        if count:
            start = (self._next - count) * self._frame_len
            self.seen.append(self.spectra.last(count, start, np.array(self._voiced, np.bool_)))
            self._voiced = []

    def _step(self, frame: int, row: int, level: float, hit: bool, tonal: bool, events: list[VoiceEvent]) -> None:
        """One frame."""
        self._floor.step(level)
        self._hits = (self._hits << 1 | hit) & 0xF
        self._run = self._run + 1 if level >= self._settings.gate else 0
        if self._state is _State.IDLE and not hit and not self._music.pending:
            self._settle(frame)
            return
        if hit:
            self._last_hit = frame
        quiet = frame - self._last_hit > self._hangover
        match self._state:
            case _State.IDLE:
                if hit and (self._hits & 0b111).bit_count() >= 2:
                    self._suspect(frame, row)
            case _State.PENDING:
                if tonal:
                    self._state = _State.IDLE
                elif quiet:
                    self._end_burst(events, frame, row)
                else:
                    self._ask(events, frame, row)
            case _State.OPEN:
                if quiet:
                    self._close(events, frame, row)
                else:
                    self._doubt(events, frame, row)
            case _State.FOREIGN:
                if quiet:
                    self._state = _State.IDLE
                else:
                    self._reconsider(events, frame, row)
        foreign = hit and self._state is _State.FOREIGN
        events += self._told(self._music.step(frame, foreign, self._state is _State.OPEN), frame)
        self._settle(frame)

    def _settle(self, frame: int) -> None:
        match self._state:
            case _State.IDLE:
                limit = frame + 1 - min(self._run, _REACH)
            case _State.PENDING:
                limit = self._start
            case _State.OPEN:
                limit = frame + 1
            case _State.FOREIGN:
                limit = frame + 1 - _LOOK_BACK
        self._settled = max(self._settled, limit)

    def _suspect(self, frame: int, row: int) -> None:
        """Speech may have begun: find where, by level."""
        first = frame - (2 if self._hits & 0b100 else 1)
        power = self.spectra.power
        peak = float(power[row - (frame - first) : row + 1].max())
        least = self._least(peak)
        start = first
        while start > frame + 1 - _REACH and power[row - (frame - start) - 1] >= least:
            start -= 1
        self._start = max(start, self._settled)
        self._base = first - 1
        self._best = -99.0
        self._state = _State.PENDING

    def _ask(self, events: list[VoiceEvent], frame: int, row: int) -> None:
        """At certain ages a pending onset is held against the second opinion."""
        age = frame - self._base
        if age not in WINDOWS:
            return
        odds = speech_odds(self.spectra, row, age)
        self._best = max(self._best, odds)
        if odds >= self._settings.sure[WINDOWS.index(age)] + self._wary():
            self._open(events, frame, row)
        elif age == WINDOWS[-1]:
            self._state = _State.FOREIGN
            self._music.burst(self._start, frame)

    def _end_burst(self, events: list[VoiceEvent], frame: int, row: int) -> None:
        """The sound was over before it was certain: a short word, or a click, a cough, a note."""
        if self._best >= self._settings.short + self._wary():
            self._open(events, frame, row)
            self._close(events, frame, row)
        else:
            self._music.burst(self._start, self._last_hit)
            self._state = _State.IDLE

    def _wary(self) -> float:
        return self._settings.wary if self._music.lately(self._next) else 0.0

    def _open(self, events: list[VoiceEvent], frame: int, row: int) -> None:
        self._state = _State.OPEN
        self._start = self._after_clicks(frame, row)
        self._doubts = 0
        events.append(SpeechStarted(self._channel, self._start * self._frame_len, self._known(frame)))

    def _after_clicks(self, frame: int, row: int) -> int:
        """Where speech begins that was taken to begin at ``_start``: clicks that stand apart before it are left out."""
        first = max(self._start, frame - row)
        power = self.spectra.power[row - (frame - first) : row + 1].tolist()
        least = self._least(max(power))
        start = burst = 0
        was_loud, quiet = False, 0
        for place, level in enumerate(power):
            loud = level >= least
            if loud and not was_loud and burst <= _CLICK and quiet >= _APART:
                start, burst = place, 0  # all before it was a click, or nothing
            burst += loud
            quiet = 0 if loud else quiet + 1
            was_loud = loud
        return first + start

    def _close(self, events: list[VoiceEvent], frame: int, row: int) -> None:
        """Nothing was heard for a while: the end lies at the last frame that was loud enough."""
        power = self.spectra.power
        ago = row - frame
        last = self._last_hit
        peak = float(power[last + ago - 20 : last + ago + 1].max())
        least = self._least(peak)
        while last > max(self._start, self._last_hit - _REACH) and power[last + ago] < least:
            last -= 1
        if last == self._last_hit:  # the detector may lose a soft ending
            least = max(least, peak * _TAIL)
            while last < min(frame, self._last_hit + _REACH) and power[last + 1 + ago] >= least:
                last += 1
        self._end(events, last + 1, frame)
        self._state = _State.IDLE

    def _least(self, peak: float) -> float:
        """The power that the first and last frame of speech have at least."""
        above = min(_ABOVE_FLOOR * self._floor.level, peak * _SURELY)
        return max(self._settings.gate, above, peak * _BELOW_PEAK)

    def _end(self, events: list[VoiceEvent], end: int, frame: int) -> None:
        start, at = self._start * self._frame_len, end * self._frame_len
        events.append(SpeechEnded(self._channel, start, at, self._known(frame)))

    def _doubt(self, events: list[VoiceEvent], frame: int, row: int) -> None:
        """Twice a second: is it still speech?"""
        age = frame - self._base
        if age % _AGAIN or age < WINDOWS[-1]:
            return
        if speech_odds(self.spectra, row, WINDOWS[-1]) >= self._settings.music_odds:
            self._doubts = 0
            return
        self._doubts += 1
        if self._doubts == 2:
            end = max(self._start + 1, frame - _AGAIN - WINDOWS[-1] // 2)
            self._end(events, end, frame)
            self._state = _State.FOREIGN
            self._music.burst(end, frame)

    def _reconsider(self, events: list[VoiceEvent], frame: int, row: int) -> None:
        """Something else sounded: has a voice begun over it or after it?"""
        if (frame - self._base) % 10:
            return
        least = self._settings.sure[1] + self._wary()
        if speech_odds(self.spectra, row, _LOOK_BACK) < least or speech_odds(self.spectra, row, 50) < least:
            return
        self._start = max(self._settled, frame + 1 - _LOOK_BACK)
        self._base = self._start - 1
        self._open(events, frame, row)

    def _told(self, music: tuple[int, int, bool] | None, frame: int) -> list[VoiceEvent]:
        if music is None:
            return []
        start, end, ongoing = music
        length = self._frame_len
        known = self._known(frame)
        return [ToneHeard(self._channel, ToneKind.MUSIC, start * length, end * length, known, ongoing=ongoing)]

    def _known(self, frame: int) -> int:
        return (frame + 1) * self._frame_len


def _within(event: VoiceEvent, end: int) -> VoiceEvent:
    """The last frame may have been filled up beyond the end of the audio."""
    known = min(event.known, end)
    if isinstance(event, SpeechEnded):
        return replace(event, at=min(event.at, end), known=known)
    if isinstance(event, ToneHeard):
        return replace(event, end=min(event.end, end), known=known)
    return replace(event, known=known)


class _Floor:
    """The level of the background: the quietest of short stretches over the last one to two seconds."""

    def __init__(self) -> None:
        self._minima = [_UNHEARD] * 8
        self._count = 0
        self._smooth = 0.0
        self.level = 200.0
        """Mean square of int16 samples."""

    def step(self, level: float) -> None:
        self._smooth = (level + self._smooth) / 2 if self._count else level
        if self._count % 10 == 0:
            self._minima = [*self._minima[1:], self._smooth]
        self._count += 1
        if self._smooth < self._minima[-1]:
            self._minima[-1] = self._smooth
        self.level = min(self._minima)
