"""Pace without words: syllables a minute, from the rise and fall of loudness.

Every Mandarin character is one syllable and every syllable has a nucleus that is louder than its edges. Nuclei are
counted as in Mermelstein (1975, automatic segmentation of speech into syllabic units) and de Jong & Wempe (2009): a
peak of the smoothed loudness counts when the loudness falls by a certain share on both sides of it and the peak is
voiced. ``pace_acoustic`` is told every second while speech goes on and when it ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.core.likeness import Seen
from monitor.core.types import FRAMES_A_SECOND, Channel, Measured, Quality, SpeechEnded, SpeechStarted
from monitor.core.voice import VoiceEvent


@dataclass(frozen=True, slots=True)
class SyllableSettings:
    """Seconds, unless said otherwise."""

    window: float = 10.0
    """Pace is taken over the last so much turn time: speech with its inner pauses."""
    least: float = 2.0
    """No pace is told for less."""
    pause: float = 1.0
    """A longer pause belongs to no turn."""
    dip: float = 0.11
    """Share by which loudness falls between two nuclei."""
    weak: float = 0.25
    """A nucleus has this share of the loudness of its surroundings at least."""
    voicing: float = 0.3
    """How periodic a nucleus is."""
    merged: float = 0.0004
    """Fast syllables run together: the share that is missing for each syllable a minute above ``unmerged``."""
    unmerged: float = 170.0


class Nuclei:
    """Finds syllable nuclei in the loudness of successive frames."""

    def __init__(self, settings: SyllableSettings) -> None:
        self._settings = settings
        self._before = [0.0, 0.0]  # loudness of the last two frames
        self._voicing = [0.0, 0.0]
        self._around = 0.0  # loudness of the surroundings: falls by a fifth a second
        self._rising = True
        self._top = 0.0
        self._top_at = 0
        self._top_voicing = 0.0
        self._bottom = 0.0

    def step(self, frame: int, loudness: float, voicing: float) -> int | None:
        """The next frame. Returns the number of an earlier frame that turns out to be a nucleus."""
        older, old = self._before
        level = (older + 2 * old + loudness) / 4
        strength = max(*self._voicing, voicing)
        self._before = [old, loudness]
        self._voicing = [self._voicing[1], voicing]
        self._around = max(level, self._around * 0.995)
        keep = 1 - self._settings.dip
        if not self._rising:
            self._bottom = min(self._bottom, level)
            if level * keep > self._bottom and level - self._bottom > 0.03 * self._around:
                self._rising = True
                self._top = 0.0
        if not self._rising:
            return None
        if level > self._top:
            self._top, self._top_at, self._top_voicing = level, frame - 1, strength
            return None
        if level >= self._top * keep:
            return None
        self._rising, self._bottom = False, level
        strong = self._top > self._settings.weak * self._around
        return self._top_at if strong and self._top_voicing > self._settings.voicing else None


class Syllables:
    """Measures the pace of one channel."""

    def __init__(self, channel: Channel, rate: int, settings: SyllableSettings | None = None) -> None:
        self._settings = settings or SyllableSettings()
        self._channel = channel
        self._frame_len = rate // FRAMES_A_SECOND
        self._window = round(self._settings.window * FRAMES_A_SECOND)
        self._least = round(self._settings.least * FRAMES_A_SECOND)
        self._pause = round(self._settings.pause * FRAMES_A_SECOND)
        self._nuclei = Nuclei(self._settings)
        self._waiting: deque[VoiceEvent] = deque()  # events that lie beyond what was seen
        self._known = 0
        self._found: deque[int] = deque()
        self._spans: deque[list[int]] = deque()  # [first frame, frame after the last] of turns, oldest first
        self._open = False

    def feed(self, seen: Sequence[Seen], events: Iterable[VoiceEvent]) -> list[Measured]:
        """Takes what ``Voice.feed`` saw, and the events that became known by it."""
        out: list[Measured] = []
        self._waiting.extend(events)
        for part in seen:
            first = part.start // self._frame_len
            self._known = part.start + len(part.voiced) * self._frame_len
            if self._open or self._waiting or part.loudness.any():
                self._walk(first, part, out)
        return out

    def _walk(self, first: int, part: Seen, out: list[Measured]) -> None:
        waiting = self._waiting
        loudness, voicing, voiced = part.loudness.tolist(), part.voicing.tolist(), part.voiced.tolist()
        for frame, (level, periodic, heard) in enumerate(zip(loudness, voicing, voiced, strict=True), first):
            # Frame by frame, so that silence is skipped alike however much comes at once.
            nucleus = self._nuclei.step(frame, level, periodic) if self._open or level else None
            if nucleus is not None:
                self._found.append(nucleus)
            end = (frame + 1) * self._frame_len
            while waiting and waiting[0].known <= end:
                out += self._note(waiting.popleft())
            if self._open and heard:
                self._spans[-1][1] = frame + 1
            if self._open and (frame + 1) % FRAMES_A_SECOND == 0:
                out += self._tell()

    def flush(self, end: int, seen: Sequence[Seen], events: Iterable[VoiceEvent]) -> list[Measured]:
        """The audio is over at ``end``; ``seen`` and ``events`` became known by that."""
        out = self.feed(seen, events)
        self._known = end
        while self._waiting:
            out += self._note(self._waiting.popleft())
        return out

    def _note(self, event: VoiceEvent) -> list[Measured]:
        if isinstance(event, SpeechStarted):
            start = event.at // self._frame_len
            if self._spans and start - self._spans[-1][1] <= self._pause:
                self._spans[-1][1] = max(self._spans[-1][1], start)
            else:
                self._spans.append([start, event.known // self._frame_len])
            self._open = True
        elif isinstance(event, SpeechEnded):
            self._open = False
            self._spans[-1][1] = event.at // self._frame_len
            return self._tell()
        return []

    def _tell(self) -> list[Measured]:
        """The pace over the last turn time."""
        left = self._window
        start = self._spans[-1][1]
        parts: list[tuple[int, int]] = []
        for first, end in reversed(self._spans):
            start = max(first, end - left)
            parts.append((start, end))
            left -= end - start
            if left <= 0:
                break
        while self._spans[0][1] <= start:
            self._spans.popleft()
        while self._found and self._found[0] < start:
            self._found.popleft()
        time = self._window - left
        if time < self._least:
            return []
        count = sum(any(a <= nucleus < b for a, b in parts) for nucleus in self._found)
        pace = count * 60 * FRAMES_A_SECOND / time
        pace *= 1 + self._settings.merged * (pace - self._settings.unmerged)
        end = self._spans[-1][1] * self._frame_len
        quality = Quality.INFERRED
        return [Measured("pace_acoustic", self._channel, start * self._frame_len, end, pace, self._known, quality)]
