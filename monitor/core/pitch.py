"""How lively a party speaks, and how long syllables are held.

- ``liveliness``: standard deviation of the pitch over a turn, in semitones. A monotone voice has less than 1, lively
  Mandarin 3 to 5: the tones alone move the pitch by several semitones.
- ``drawl``: the longest held syllable of a turn in seconds: the longest stretch in which a periodic sound goes on
  without changing its shape or losing its strength.

Both are told once a turn, when a pause of a second has ended it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.core.likeness import NARROW, Seen
from monitor.core.types import FRAMES_A_SECOND, Channel, Measured, Quality, SpeechEnded, SpeechStarted
from monitor.core.voice import VoiceEvent


@dataclass(frozen=True, slots=True)
class PitchSettings:
    """What counts as pitch and as one held sound."""

    pause: float = 1.0
    """Seconds of silence that end a turn."""
    voicing: float = 0.65
    """How periodic a frame is whose pitch counts."""
    least: int = 25
    """Frames with pitch that a turn needs for its liveliness."""
    most: int = 3000
    """Frames with pitch that are kept of a turn (a minute)."""
    octave: float = 9.0
    """Semitones from the median beyond which a pitch is taken for an error of an octave."""
    held_voicing: float = 0.5
    held_change: float = 0.12
    """A held sound changes its spectrum less than this within 40 ms."""
    held_share: float = 0.6
    """And keeps this share of the loudness that it had."""


class Pitch:
    """Measures one channel."""

    def __init__(self, channel: Channel, rate: int, settings: PitchSettings | None = None) -> None:
        self._settings = settings or PitchSettings()
        self._channel = channel
        self._frame_len = rate // FRAMES_A_SECOND
        self._pause = round(self._settings.pause * FRAMES_A_SECOND)
        self._waiting: deque[VoiceEvent] = deque()  # events that lie beyond what was seen
        self._known = 0
        self._start = -1  # first frame of the turn, -1 outside
        self._end = 0
        self._open = False
        self._next = 0
        self._pitches: list[float] = []
        self._held = 0
        self._loudest = 0.0
        self._longest = 0

    def feed(self, seen: Sequence[Seen], events: Iterable[VoiceEvent]) -> list[Measured]:
        """Takes what ``Voice.feed`` saw, and the events that became known by it."""
        out: list[Measured] = []
        self._waiting.extend(events)
        for part in seen:
            first = part.start // self._frame_len
            self._known = part.start + len(part.voiced) * self._frame_len
            if self._open or self._waiting:
                self._walk(first, part, out)
                continue
            self._next = first + len(part.voiced)
            self._held = 0
            out += self._over()
        return out

    def _walk(self, first: int, part: Seen, out: list[Measured]) -> None:
        waiting = self._waiting
        voicing, period = part.voicing.tolist(), part.period.tolist()
        change, loudness = part.change.tolist(), part.loudness.tolist()
        for i, heard in enumerate(part.voiced.tolist()):
            self._next = first + i + 1
            while waiting and waiting[0].known <= self._next * self._frame_len:
                out += self._note(waiting.popleft())
            if heard:
                self._voice(voicing[i], period[i])
            self._hold(voicing[i], change[i], loudness[i])
            out += self._over()

    def flush(self, end: int, seen: Sequence[Seen], events: Iterable[VoiceEvent]) -> list[Measured]:
        """The audio is over at ``end``; ``seen`` and ``events`` became known by that."""
        out = self.feed(seen, events)
        self._known = end
        while self._waiting:
            out += self._note(self._waiting.popleft())
        return out + (self._tell() if self._start >= 0 else [])

    def _note(self, event: VoiceEvent) -> list[Measured]:
        out: list[Measured] = []
        if isinstance(event, SpeechStarted):
            start = event.at // self._frame_len
            if self._start >= 0 and start - self._end > self._pause:
                out = self._tell()
            if self._start < 0:
                self._start = start
            self._open = True
        elif isinstance(event, SpeechEnded):
            self._open = False
            self._end = event.at // self._frame_len
        return out

    def _voice(self, voicing: float, period: float) -> None:
        if voicing >= self._settings.voicing and len(self._pitches) < self._settings.most:
            self._pitches.append(12 * math.log2(NARROW / period))

    def _hold(self, voicing: float, change: float, loudness: float) -> None:
        self._loudest = max(self._loudest, loudness)
        steady = voicing >= self._settings.held_voicing and change <= self._settings.held_change
        if not (self._open and steady and loudness >= self._settings.held_share * self._loudest):
            self._held, self._loudest = 0, loudness
            return
        self._held += 1
        self._longest = max(self._longest, self._held)

    def _over(self) -> list[Measured]:
        """Tells the turn when the pause after it has become long enough, whatever the chunks."""
        if self._start < 0 or self._open or self._next - self._end <= self._pause:
            return []
        return self._tell()

    def _tell(self) -> list[Measured]:
        known = self._known
        start, end = self._start * self._frame_len, self._end * self._frame_len
        out: list[Measured] = []
        if len(self._pitches) >= self._settings.least:
            value = self._spread()
            out.append(Measured("liveliness", self._channel, start, end, value, known, Quality.INFERRED))
        held = self._longest / FRAMES_A_SECOND
        out.append(Measured("drawl", self._channel, start, end, held, known, Quality.INFERRED))
        self._start, self._pitches, self._longest, self._held = -1, [], 0, 0
        return out

    def _spread(self) -> float:
        """Standard deviation around the mean, without errors of an octave."""
        middle = sorted(self._pitches)[len(self._pitches) // 2]
        kept = [p for p in self._pitches if abs(p - middle) <= self._settings.octave]
        mean = sum(kept) / len(kept)
        return math.sqrt(sum((p - mean) ** 2 for p in kept) / len(kept))
