"""A recording as a call: chunks at the call's rate with the agent in column 0, in bounded memory.

Whether both channels of a "stereo" file are one and the same must be known before the first chunk, since
the call is set up with its channels. So ``probe`` reads ahead until both parties were heard apart: seconds
in an ordinary call, the whole file only where the channels really are the same or one of them stays silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from monitor.core.types import MONO, STEREO, Channel, Chunk, Samples, Signal
from monitor.sources.decode import AudioFormat, Piece, read_format, read_pieces
from monitor.sources.errors import SourceError
from monitor.sources.resample import LOWEST, Stretches, call_rate
from monitor.sources.signals import signals_beside
from monitor.sources.survey import Survey
from monitor.sources.wav_header import read_wav_header

Side = Literal["left", "right", "mixed"]
"""Where the agent is heard in a stereo file; ``mixed`` puts both sides on one channel."""

SIDES = ("left", "right", "mixed")
CHUNK = 0.5
"""Seconds in a chunk unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What ``probe`` found. ``rate`` and ``channels`` are the call's, ``file_rate`` and ``file_channels``
    the file's; ``seconds`` is what the file declares, None when it does not say; ``warnings`` are for the
    user."""

    path: Path
    rate: int
    channels: tuple[Channel, ...]
    seconds: float | None
    codec: str
    file_rate: int
    file_channels: int
    same_channels: bool
    warnings: tuple[str, ...]


class Recording:
    """One audio or video file. Iterating yields its chunks, each time from the beginning."""

    def __init__(
        self,
        path: Path | str,
        agent: Side = "left",
        *,
        true_rate: int | None = None,
        detect_same: bool = True,
    ) -> None:
        """``agent`` is the side of a stereo file that carries the agent; a mono file is mixed whatever it
        says.

        ``true_rate`` overrides the rate that the file declares, for files that are known to declare a wrong
        one. ``detect_same`` is switched off for recordings of our own, whose channels are known.
        """
        if agent not in SIDES:
            raise SourceError(f"agent side {agent!r}: use one of {', '.join(SIDES)}")
        self.path = Path(path)
        self.agent: Side = agent
        self.position = 0
        self.late_warnings: tuple[str, ...] = ()
        self._true_rate = true_rate
        self._detect_same = detect_same
        self._info: RecordingInfo | None = None

    def probe(self) -> RecordingInfo:
        """Rate, channels and warnings; read once and remembered. Raises ``SourceError``."""
        if self._info is None:
            self._info = self._look()
        return self._info

    def signals(self) -> list[Signal]:
        """The signals written beside the file, empty when there are none. Raises ``SourceError``."""
        info = self.probe()
        return signals_beside(self.path, info.rate, info.seconds)

    def __iter__(self) -> Iterator[Chunk]:
        return self.chunks()

    def chunks(self, seconds: float = CHUNK) -> Iterator[Chunk]:
        """Chunks of ``seconds`` each, shorter before lost audio and at the end. Raises ``SourceError``.

        ``position`` follows as the number of samples given out; ``late_warnings`` is complete at the end.
        """
        info = self.probe()
        found: list[str] = []
        cutter = _Cutter(max(1, round(seconds * info.rate)), len(info.channels))
        self.position = 0
        for start, samples in self._resampled(info, found):
            for chunk in cutter.feed(start, samples):
                self.position = chunk.start + len(chunk.samples)
                yield chunk
        for chunk in cutter.flush():
            self.position = chunk.start + len(chunk.samples)
            yield chunk
        self.late_warnings = tuple(warning for warning in found if warning not in info.warnings)

    def _resampled(self, info: RecordingInfo, found: list[str]) -> Iterator[tuple[int, Samples]]:
        """Audio at the call's rate with its position."""
        stretches = Stretches(info.file_rate, info.rate, len(info.channels))
        for piece in self._pieces(found):
            yield from stretches.feed(piece.start, self._arranged(info, piece.samples))
        yield from stretches.flush()

    def _arranged(self, info: RecordingInfo, samples: Samples) -> Samples:
        """The call's channels from the file's: agent first, or both sides on one."""
        if info.file_channels == 1:
            return samples
        if info.channels == STEREO:
            swapped: Samples = samples[:, ::-1]
            return samples if self.agent == "left" else swapped
        if info.same_channels:
            left: Samples = samples[:, :1]
            return left
        both = samples.astype(np.int32).sum(axis=1, keepdims=True) >> 1  # half of each: the sum may exceed 16 bits
        mixed: Samples = both.astype(np.int16)
        return mixed

    def _pieces(self, found: list[str]) -> Iterator[Piece]:
        return read_pieces(self.path, self._declared(), found)

    def _declared(self) -> AudioFormat:
        return read_format(self.path)

    def _look(self) -> RecordingInfo:
        declared = self._declared()
        rate = self._checked(declared)
        warnings = self._header_warnings(declared)
        survey = Survey(rate, declared.channels)
        heard = False
        for piece in self._pieces(warnings):
            heard = heard or len(piece.samples) > 0
            if survey.look(piece.samples):
                break
        survey.finish()
        if not heard:
            raise SourceError(f"{self.path}: there is a header but no audio; record or copy it again")
        same = self._detect_same and self.agent != "mixed" and survey.same
        warnings += self._channel_warnings(survey, same)
        stereo = declared.channels == 2 and not same and self.agent != "mixed"
        seconds = None if declared.seconds is None else declared.seconds * declared.rate / rate
        channels = STEREO if stereo else MONO
        return RecordingInfo(
            path=self.path,
            rate=call_rate(rate),
            channels=channels,
            seconds=seconds,
            codec=declared.codec,
            file_rate=rate,
            file_channels=declared.channels,
            same_channels=same,
            warnings=tuple(warnings),
        )

    def _checked(self, declared: AudioFormat) -> int:
        """The true rate of the file; raises ``SourceError`` for what cannot be a call."""
        if declared.channels > 2:
            raise SourceError(
                f"{self.path}: {declared.channels} channels, but a call has an agent and a customer; keep "
                f'the two that carry them: ffmpeg -i {self.path.name} -af "pan=stereo|c0=c0|c1=c1" two.flac'
            )
        header = read_wav_header(self.path)
        if self._true_rate is None and header and header.other_rate:
            raise SourceError(
                f"{self.path}: the header says {header.rate} Hz, but its {header.byte_rate} bytes a second "
                f"make it {header.other_rate} Hz; export it again, or state the true rate"
            )
        if self._true_rate is None and declared.contradicts_itself:
            raise SourceError(
                f"{self.path}: the header says {declared.header_rate} Hz, but the audio in it {declared.rate} Hz; "
                "export it again, or state the true rate"
            )
        rate = self._true_rate or declared.rate
        if rate < LOWEST:
            raise SourceError(
                f"{self.path}: {rate} Hz is too low, speech needs {LOWEST} Hz or more; "
                "export the call at its original rate"
            )
        return rate

    def _header_warnings(self, declared: AudioFormat) -> list[str]:
        warnings = []
        header = read_wav_header(self.path)
        if header and header.missing_seconds > 0.05:
            warnings.append(f"the file is truncated: the last {header.missing_seconds:.1f} s are missing")
        if declared.tracks > 1:
            warnings.append(f"there are {declared.tracks} audio tracks; only the first is heard")
        return warnings

    def _channel_warnings(self, survey: Survey, same: bool) -> list[str]:
        if all(survey.silent):
            return ["the recording is silent from beginning to end"]
        if same:
            return ["both channels carry the same sound; taken as one mixed channel"]
        if any(survey.silent) and self.agent != "mixed":
            side = ("left", "right")[survey.silent.index(True)]
            who = Channel.AGENT if side == self.agent else Channel.CUSTOMER
            return [f"the {side} channel ({who}) is silent from beginning to end"]
        return []


class _Cutter:
    """Cuts a stream of audio into chunks of one length."""

    def __init__(self, rows: int, channels: int) -> None:
        self._rows = rows
        self._start = 0
        self._waiting = np.zeros((0, channels), np.int16)

    def feed(self, start: int, samples: Samples) -> Iterator[Chunk]:
        """Take audio at ``start``; what waits is given out short when the new audio does not follow it."""
        if not len(samples):
            return
        if start != self._start + len(self._waiting):
            yield from self.flush()
            self._start = start
        self._waiting = np.concatenate([self._waiting, samples])
        whole = len(self._waiting) - len(self._waiting) % self._rows
        for at in range(0, whole, self._rows):
            yield Chunk(self._start + at, self._waiting[at : at + self._rows])
        self._start += whole
        self._waiting = self._waiting[whole:].copy()

    def flush(self) -> Iterator[Chunk]:
        """What is left."""
        if len(self._waiting):
            yield Chunk(self._start, self._waiting)
        self._start += len(self._waiting)
        self._waiting = self._waiting[:0]
