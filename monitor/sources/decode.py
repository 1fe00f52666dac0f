"""An audio or video file as pieces of 16-bit audio at its own rate, in bounded memory.

Whatever PyAV decodes is read, except playlists and other formats that make the decoder open further files or
addresses: a recording may come from a stranger.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext
from av.container import InputContainer

from monitor.core.types import Samples
from monitor.sources.errors import SourceError
from monitor.sources.resample import to_int16

FORMATS = (
    "3gp,aac,ac3,aiff,alaw,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,gsm,matroska,mov,mp3,mp4,mpeg,"
    "mpegts,mpegvideo,mulaw,nistsphere,ogg,oma,rm,sds,sox,tak,tta,voc,w64,wav,webm,wv,xwma"
)

RAW_SUFFIXES = {
    ".al": "alaw",
    ".alaw": "alaw",
    ".pcma": "alaw",
    ".ul": "mulaw",
    ".ulaw": "mulaw",
    ".pcmu": "mulaw",
}
"""Names of telephony audio without a header."""

EXACT_JUMP = 0.01
"""Seconds that such time stamps must jump ahead to mean lost audio; less is where files were joined."""

JUMP = 0.2
"""Seconds that time stamps must jump ahead to mean lost audio in the other formats; less is the jitter of recorders."""

COUNTING = ("aiff", "au", "caf", "flac", "w64", "wav")
"""Formats whose clock ticks once a sample at the declared rate."""

EXACT_STAMPS = (*COUNTING, "mp3", "ogg", "wv")
"""Formats whose time stamps count samples, so that the smallest jump is a loss."""

ESTIMATING = ("mp3", "aac", "amr", "mpeg", "mpegts")
"""Formats without a declared length: what they tell is guessed from the size of the file."""

SHORT = 0.5
"""Seconds by which the length may differ from the declared one."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What a file declares: its codec, samples a second, channels, audio tracks, and seconds if it knows
    them."""

    codec: str
    container: str
    header_rate: int
    rate: int
    channels: int
    tracks: int
    seconds: float | None

    @property
    def contradicts_itself(self) -> bool:
        """Whether header and frames tell different rates; some codecs double it rightfully, these formats never."""
        return self.header_rate != self.rate and self.container in COUNTING


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """int16 ``samples`` of shape (n, channels); ``start`` in rows of the file, ahead of the last end after
    a loss."""

    start: int
    samples: Samples


def read_format(path: Path) -> AudioFormat:
    """What the file is; raises ``SourceError`` when it cannot be a recording.

    Rate and channels are those of the first frame that decodes: some codecs announce half of what they carry.
    """
    with _opened(path) as container:
        stream = container.streams.audio[0]
        seconds = None
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / av.time_base
        context = stream.codec_context
        codec, tracks = context.name, len(container.streams.audio)
        rate, channels = context.sample_rate, context.channels
        header_rate = rate
        if container.format.name in COUNTING and stream.time_base:
            header_rate = round(1 / stream.time_base)  # the library corrects the rate itself, but not its clock
        first = next(_frames(container, lambda _: None), None)
        if first is not None:
            rate, channels = first.sample_rate, len(first.layout.channels)
        return AudioFormat(codec, container.format.name, header_rate, rate, channels, tracks, seconds)


def read_pieces(path: Path, expected: AudioFormat, warnings: list[str]) -> Iterator[Piece]:
    """The audio of the first track in order. Damage that can be stepped over is added to ``warnings``.

    Raises ``SourceError`` when the file changes its rate or channels on the way, or cannot be opened.
    """
    with _opened(path) as container:
        track = _Track(path, expected)
        for frame in _frames(container, track.damage):
            start = track.place(frame)
            yield Piece(start, _int16(frame, expected.channels))
    warnings.extend(track.warnings())


class _Track:
    """Where the frames of a track belong, and what was wrong with it."""

    def __init__(self, path: Path, expected: AudioFormat) -> None:
        self.path = path
        self.expected = expected
        self.damaged = 0
        self.first_damage: float | None = None
        self.missing = 0
        self.first_missing: float | None = None
        self._jump = (EXACT_JUMP if expected.container in EXACT_STAMPS else JUMP) * expected.rate
        self._position = 0
        self._offset: float | None = None  # rows to take from a time stamp to get a position
        self._just_damaged = False
        self._end: str | None = None

    @property
    def seconds(self) -> float:
        """How long the track is so far, lost audio included."""
        return self._position / self.expected.rate

    def damage(self, end: str | None) -> None:
        """A packet that did not decode, or the reason why reading had to end."""
        if end is not None:
            self._end = end
            return
        self.damaged += 1
        self._just_damaged = True
        if self.first_damage is None:
            self.first_damage = self.seconds

    def place(self, frame: av.AudioFrame) -> int:
        """The position of a frame: right after the last one unless its time stamp says that audio is
        missing."""
        rate, channels = self.expected.rate, self.expected.channels
        if frame.sample_rate != rate or len(frame.layout.channels) != channels:
            raise SourceError(
                f"{self.path}: at {self.seconds:.1f} s it changes from {rate} Hz, {channels} channels to "
                f"{frame.sample_rate} Hz, {len(frame.layout.channels)} channels; split or convert it first"
            )
        if frame.pts is not None and frame.time_base is not None and not self.expected.contradicts_itself:
            stamp = float(frame.pts * frame.time_base) * rate
            if self._offset is None:
                self._offset = stamp - self._position
            ahead = stamp - self._offset - self._position
            if ahead > (0.001 * rate if self._just_damaged else self._jump):
                if self.first_missing is None:
                    self.first_missing = self.seconds
                self.missing += round(ahead)
                self._position += round(ahead)
            elif ahead < -JUMP * rate:
                self._offset = stamp - self._position  # stamps began anew, as where files were joined
        self._just_damaged = False
        start = self._position
        self._position += frame.samples
        return start

    def warnings(self) -> list[str]:
        """What the user should know of the track, once it was read to its end."""
        found = []
        if self.damaged:
            found.append(f"{self.damaged} damaged packets were skipped, the first at {self.first_damage:.1f} s")
        if self._end is not None:
            found.append(f"what follows {self.seconds:.1f} s could not be read ({self._end}); convert the file first")
        if self.first_missing is not None:
            lost = self.missing / self.expected.rate
            found.append(f"{lost:.1f} s of audio are missing inside the file, first at {self.first_missing:.1f} s")
        declared = self.expected.seconds
        apart = 0.0 if declared is None else declared - self.seconds
        if abs(apart) > max(SHORT, 0.01 * self.seconds) and self.expected.container not in ESTIMATING:
            reason = "it is truncated" if apart > 0 else "it was joined from several"
            found.append(
                f"the file declares {declared:.1f} s but holds {self.seconds:.1f} s of audio: {reason}, "
                "or declares a wrong rate"
            )
        return found


def _frames(container: InputContainer, damage: Callable[[str | None], None]) -> Iterator[av.AudioFrame]:
    """The decoded frames. ``damage`` is called with None for each packet that does not decode, whereupon reading
    goes on, and with the reason where the container cannot be read any further."""
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError) as error:
            damage(getattr(error, "strerror", None) or str(error))
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            damage(None)
            continue
        yield from frames


def _opened(path: Path) -> InputContainer:
    """The file, opened, with at least one audio track; the caller closes it."""
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(f"{path}: could not be read ({error.strerror}); check its name and rights") from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path}: not a file; name a recording")
    if not status.st_size:
        raise SourceError(f"{path}: the file is empty; record or copy it again")
    raw = RAW_SUFFIXES.get(path.suffix.lower())
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    if raw:
        options["sample_rate"] = "8000"  # G.711 without a header has no other rate
    try:
        # "file:" keeps names like "concat:..." from being taken for addresses
        container = av.open(f"file:{path}", format=raw, options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(
            f"{path}: not a recording we can read ({reason}); it may be truncated, or of another kind: "
            "convert it to WAV or FLAC"
        ) from error
    problem = _unusable(container)
    if problem:
        container.close()
        raise SourceError(f"{path}: {problem}")
    return container


def _unusable(container: InputContainer) -> str | None:
    if not container.streams.audio:
        return "there is no audio in it; name a recording of a call"
    context: AudioCodecContext | None = container.streams.audio[0].codec_context
    if context is None:
        return "its audio is of a kind that cannot be decoded here; convert it to WAV or FLAC"
    if not context.sample_rate or not context.channels:
        return "its header does not tell rate and channels; it is damaged, or raw audio without a header"
    return None


def _int16(frame: av.AudioFrame, channels: int) -> Samples:
    """A frame of any sample format as int16 of shape (n, channels)."""
    raw = frame.to_ndarray()
    rows: npt.NDArray[np.generic] = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    if rows.dtype == np.int16:
        return np.ascontiguousarray(rows, dtype=np.int16)
    if rows.dtype == np.uint8:
        return (rows.astype(np.int16) - 128) * 256
    if rows.dtype == np.int32:
        return to_int16(rows.astype(np.float64) / 2**31)
    if rows.dtype == np.int64:
        return to_int16(rows.astype(np.float64) / 2**63)
    return to_int16(rows.astype(np.float64))
