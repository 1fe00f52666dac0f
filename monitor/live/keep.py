"""Keeps the audio of a call: raw PCM while it lives, FLAC when it is over.

The PCM file is interleaved 16-bit little-endian without a header (the journal knows rate and channels);
each write reaches the operating system at once, so a killed process loses nothing. Sample n of the call
stands at byte ``n * 2 * channels``, always: audio that was lost, or that found no room on the disk, is
silence of the same length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import av.error
import numpy as np

from monitor.core.types import Chunk, Samples
from monitor.live.journal import write_at

LAYOUTS = {1: "mono", 2: "stereo"}
BLOCK = 65536
"""Rows read at a time: bounds memory whatever the length of the call."""


class KeepError(Exception):
    """Audio could not be kept; the message names the file and the remedy."""


class Keeper:
    """The recording of one live call. Not thread-safe: it belongs to the thread that runs the call."""

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        """Begin the PCM file ``path``, or go on at the end of the one a killed process left there.

        ``position`` then tells how many samples it holds. Raises ``KeepError``.
        """
        if channels not in LAYOUTS:
            raise ValueError(f"a recording has 1 or 2 channels, not {channels}")
        self.path = path
        self.rate = rate
        self.channels = channels
        self.lost = 0
        self._row = 2 * channels
        self._fd: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
            self._fd = os.open(path, flags, 0o640)
            self.position = os.fstat(self._fd).st_size // self._row
            os.ftruncate(self._fd, self.position * self._row)  # a kill may leave half a row
        except OSError as error:
            self.close()
            raise _failed("begin", path, error) from error

    def write(self, samples: Samples) -> None:
        """Append int16 of shape (n, channels).

        When the disk is full: raises ``KeepError``, counts the samples in ``lost`` and leaves silence in
        their place, so that what was kept and what comes later stay where they belong.
        """
        if samples.ndim != 2 or samples.shape[1] != self.channels or samples.dtype != np.int16:
            raise ValueError(f"expected int16 of shape (n, {self.channels}), got {samples.dtype} {samples.shape}")
        fd = self._open_fd()
        data = np.ascontiguousarray(samples, dtype="<i2")
        start = self.position
        self.position += len(samples)
        try:
            write_at(fd, data.tobytes(), start * self._row)
        except OSError as error:
            self.lost += len(samples)
            with suppress(OSError):
                os.ftruncate(fd, start * self._row)
                os.ftruncate(fd, self.position * self._row)  # a hole reads as zeros and takes no room
            raise _failed("write", self.path, error) from error

    def gap(self, n: int) -> None:
        """Append ``n`` samples of silence for audio that never came; takes no room on the disk."""
        if n < 0:
            raise ValueError(f"a gap of {n} samples")
        fd = self._open_fd()
        self.position += n
        try:
            os.ftruncate(fd, self.position * self._row)
        except OSError as error:
            raise _failed("write", self.path, error) from error

    def finish(self) -> Path:
        """Turn the PCM into a FLAC of the same name, remove the PCM, and return the FLAC's path.

        Raises ``KeepError`` when it cannot be written (the PCM stays). Repeating it after a kill is safe:
        the FLAC appears under its name only when it is whole.
        """
        self.close()
        flac = self.path.with_suffix(".flac")
        part = flac.with_name(flac.name + ".part")
        try:
            _encode_flac(self.path, part, self.rate, self.channels)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(flac)
            self.path.unlink()
        except (OSError, av.error.FFmpegError, KeepError) as error:
            with suppress(OSError):
                part.unlink()
            raise _failed(f"pack (its audio stays in {self.path.name})", flac, error) from error
        return flac

    def close(self) -> None:
        """Close the PCM file without packing it; a second call does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open_fd(self) -> int:
        if self._fd is None:
            raise KeepError(f"{self.path}: this recording is closed")
        return self._fd


def read_pcm(path: Path, channels: int, start: int = 0, rows: int = BLOCK) -> Iterator[Chunk]:
    """The audio of a PCM file from sample ``start`` on, in chunks of at most ``rows``; half a last row is
    left out.

    Raises ``KeepError`` when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(start * 2 * channels)
            while data := file.read(rows * 2 * channels):
                whole = len(data) // (2 * channels)
                if whole:
                    samples = np.frombuffer(data, dtype="<i2", count=whole * channels).astype(np.int16)
                    yield Chunk(start, samples.reshape(whole, channels))
                start += whole
    except OSError as error:
        raise _failed("read", path, error) from error


def _encode_flac(pcm: Path, flac: Path, rate: int, channels: int) -> None:
    with av.open(str(flac), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate)
        stream.codec_context.layout = LAYOUTS[channels]
        stream.codec_context.format = "s16"
        stream.codec_context.open()
        rows = stream.codec_context.frame_size or 4096  # the encoder wants every frame but the last to be this long
        for chunk in read_pcm(pcm, channels, rows=rows * (BLOCK // rows or 1)):
            for at in range(0, len(chunk.samples), rows):
                block = chunk.samples[at : at + rows]
                frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout=LAYOUTS[channels])
                frame.sample_rate = rate
                frame.pts = chunk.start + at
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _failed(doing: str, path: Path, error: Exception) -> KeepError:
    reason = getattr(error, "strerror", None) or str(error)
    return KeepError(
        f"{path}: could not {doing} the recording ({reason}); check free space and the rights of its folder"
    )
