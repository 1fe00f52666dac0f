"""Everything that is heard on one channel without understanding a word: voice, tones, level, pace, pitch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from monitor.core.level import Levels
from monitor.core.pitch import Pitch, PitchSettings
from monitor.core.syllables import Syllables, SyllableSettings
from monitor.core.types import FRAMES_A_SECOND, Channel, Measured, Samples, SpeechEnded, SpeechStarted, ToneHeard
from monitor.core.voice import Voice, VoiceEvent, VoiceSettings

SoundEvent = SpeechStarted | SpeechEnded | ToneHeard | Measured


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """Settings of the stages that listen. ``baseline``: the agent's usual level in dBFS, where it is known."""

    voice: VoiceSettings = field(default_factory=VoiceSettings)
    syllables: SyllableSettings = field(default_factory=SyllableSettings)
    pitch: PitchSettings = field(default_factory=PitchSettings)
    baseline: float | None = None


class Sound:
    """The listening stages of one channel, in the order in which they need each other.

    Events come ordered by ``known``: what is told of a stretch of audio is the same for every chunk size.
    """

    def __init__(self, channel: Channel, rate: int, settings: SoundSettings) -> None:
        self._frame_len = rate // FRAMES_A_SECOND
        self._voice = Voice(channel, rate, settings.voice)
        self._levels = Levels(channel, rate, settings.baseline if channel is Channel.AGENT else None)
        self._syllables = Syllables(channel, rate, settings.syllables)
        self._pitch = Pitch(channel, rate, settings.pitch)

    @property
    def settled(self) -> int:
        """The position before which speech can no longer begin."""
        return self._voice.settled

    def feed(self, start: int, frames: Samples) -> list[SoundEvent]:
        """Take int16 frames of shape (n, frame length)."""
        heard = self._voice.feed(start, frames)
        return self._with_shapes(heard, self._levels.feed(start, frames, self._voice.voiced))

    def gap(self, start: int, end: int) -> list[SoundEvent]:
        """Audio was lost; what was open across it ends."""
        heard = self._voice.gap(start, end)
        # The seconds that lie in it are over now, and not only when audio comes again.
        nothing = np.zeros((0, self._frame_len), np.int16)
        return self._with_shapes(heard, self._levels.feed(end, nothing, np.zeros(0, np.bool_)))

    def flush(self, end: int) -> list[SoundEvent]:
        """The audio is over."""
        heard = self._voice.flush(end)
        seen = self._voice.seen
        return _in_order(
            heard, self._levels.flush(end), self._syllables.flush(end, seen, heard), self._pitch.flush(end, seen, heard)
        )

    def _with_shapes(self, heard: list[VoiceEvent], levels: Iterable[Measured]) -> list[SoundEvent]:
        seen = self._voice.seen
        return _in_order(heard, levels, self._syllables.feed(seen, heard), self._pitch.feed(seen, heard))


def _in_order(*parts: Iterable[SoundEvent]) -> list[SoundEvent]:
    return sorted((event for part in parts for event in part), key=lambda event: event.known)
