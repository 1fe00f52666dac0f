"""Everything that is heard on one channel without understanding a word: voice, tones, level."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from monitor.core.level import Levels
from monitor.core.types import FRAMES_A_SECOND, Channel, Event, Samples
from monitor.core.voice import Voice, VoiceSettings


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """Settings of the stages that listen."""

    voice: VoiceSettings = field(default_factory=VoiceSettings)


class Sound:
    """The listening stages of one channel, in the order in which they need each other."""

    def __init__(self, channel: Channel, rate: int, settings: SoundSettings) -> None:
        self._frame_len = rate // FRAMES_A_SECOND
        self._voice = Voice(channel, rate, settings.voice)
        self._levels = Levels(channel, rate)

    @property
    def settled(self) -> int:
        """The position before which speech can no longer begin."""
        return self._voice.settled

    def feed(self, start: int, frames: Samples) -> list[Event]:
        """Take int16 frames of shape (n, frame length); events come ordered by ``known``."""
        events: list[Event] = list(self._voice.feed(start, frames))
        return events + list(self._levels.feed(start, frames, self._voice.voiced))

    def gap(self, start: int, end: int) -> list[Event]:
        """Audio was lost; what was open across it ends."""
        events: list[Event] = list(self._voice.gap(start, end))
        nothing = np.zeros((0, self._frame_len), np.int16)
        return events + list(self._levels.feed(end, nothing, np.zeros(0, np.bool_)))

    def flush(self, end: int) -> list[Event]:
        """The audio is over."""
        events: list[Event] = list(self._voice.flush(end))
        return events + list(self._levels.flush(end))
