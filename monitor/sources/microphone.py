"""The call at this desk: the agent on the microphone, the customer on a second device such as the headset's monitor.

sounddevice and PortAudio are needed only here and are imported when a device is used.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from monitor.core.types import MONO, RATES, STEREO, Channel, Chunk, Samples
from monitor.sources.errors import SourceError
from monitor.sources.legs import Block, Leg, Pairs

BLOCK = 0.02
"""Seconds in a block asked of a device."""

QUEUE = 1000
"""Blocks that may wait, 10 s of two devices; when it is full new blocks are lost, counted, and become a gap."""

SILENT_FOR = 3.0
"""Seconds without a block after which a device counts as unplugged."""

RETRIES = 5
"""Attempts to open an unplugged device again, one each time it stays silent for so long."""

Device = int | str | None
"""A device's number, a part of its name, or None for the system's default input."""

LOOPBACK_NAMES = ("monitor", "loopback", "stereo mix", "blackhole", "vb-cable", "cable output", "立体声混音")


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """An input device; ``loopback`` when its name says that it carries what the speaker plays."""

    number: int
    name: str
    host: str
    channels: int
    rate: int
    default: bool
    loopback: bool


def list_devices() -> list[DeviceInfo]:
    """The input devices of this machine. Raises ``SourceError`` when there is no PortAudio."""
    sd = _sounddevice()
    try:
        found, hosts = sd.query_devices(), sd.query_hostapis()
        default = sd.default.device[0]
    except sd.PortAudioError as error:
        raise SourceError(f"the audio system does not answer ({error}); is it running?") from error
    return [
        DeviceInfo(
            number,
            str(info["name"]),
            str(hosts[info["hostapi"]]["name"]),
            int(info["max_input_channels"]),
            int(info["default_samplerate"]),
            number == default,
            any(name in str(info["name"]).lower() for name in LOOPBACK_NAMES),
        )
        for number, info in enumerate(found)
        if info["max_input_channels"] > 0
    ]


class Microphone:
    """Live audio of one or two devices as chunks. ``stop`` ends it from any thread."""

    def __init__(
        self,
        agent: Device = None,
        customer: Device = None,
        rate: int = RATES[1],
        *,
        clock: Callable[[], float] = time.monotonic,
        poll: float = 0.5,
    ) -> None:
        """Without a ``customer`` device the microphone is one mixed channel. Raises ``SourceError``.

        ``clock`` gives seconds that never go back; ``poll`` is how often (s) a silent device is looked after.
        """
        self.rate = rate
        self.channels: tuple[Channel, ...] = MONO if customer is None else STEREO
        self.warnings: list[str] = []
        self._sd = _sounddevice()
        self._clock = clock
        self._poll = poll
        self._queue: queue.Queue[Block | None] = queue.Queue(QUEUE)
        devices = [agent] if customer is None else [agent, customer]
        self._inputs = [_Input(self._sd, leg, device, self._queue, clock) for leg, device in enumerate(devices)]
        if len({one.number for one in self._inputs}) < len(self._inputs):
            raise SourceError(
                f"{self._inputs[0].name!r} is named for both sides; the customer must come from another device, "
                "such as the monitor of the headset"
            )

    def stop(self) -> None:
        """Let the iteration end after what has arrived so far."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            with suppress(queue.Empty):
                self._queue.get_nowait()  # ending matters more than one block
            self._queue.put_nowait(None)

    def __iter__(self) -> Iterator[Chunk]:
        """Open the devices and give chunks until ``stop``; the devices are closed when the iteration ends.

        Raises ``SourceError`` when a device cannot be opened, or was unplugged and does not come back.
        """
        legs = [Leg(one.rate, self.rate) for one in self._inputs]
        pairs = Pairs(len(legs), self.rate)
        with ExitStack() as stack:
            zero = self._clock()
            for one in self._inputs:
                stack.callback(one.close)
                one.open()
            while (block := self._next_block()) is not None:
                for start, samples in legs[block.leg].feed(block, zero):
                    yield from pairs.feed(block.leg, start, samples)
            for number, leg in enumerate(legs):
                for start, samples in leg.flush():
                    yield from pairs.feed(number, start, samples)

    def _next_block(self) -> Block | None:
        """The next block of any device, None at the end; silent devices are opened again meanwhile."""
        while True:
            for one in self._inputs:
                if one.silent_for() > SILENT_FOR:
                    self.warnings.append(f"{one.name!r} went silent and was opened again")
                    one.reopen()
            try:
                block = self._queue.get(timeout=self._poll)
            except queue.Empty:
                continue
            if block is not None:
                self._inputs[block.leg].retries = 0
            return block


class _Input:
    """One PortAudio input stream that puts what it hears into a queue."""

    def __init__(
        self, sd: ModuleType, leg: int, device: Device, blocks: queue.Queue[Block | None], clock: Callable[[], float]
    ) -> None:
        info = _find(sd, device)
        self.name = str(info["name"])
        self.number = int(info["index"])
        self.rate = int(info["default_samplerate"])
        self.retries = 0
        self._channels = min(2, int(info["max_input_channels"]))
        self._sd, self._leg, self._blocks, self._clock = sd, leg, blocks, clock
        self._stream: Any = None
        self._lost = 0
        self._overflow = False
        self._last = 0.0

    def open(self) -> None:
        """Start listening; raises ``SourceError``."""
        self._last = self._clock()
        try:
            self._stream = self._sd.InputStream(
                device=self.number,
                samplerate=self.rate,
                channels=self._channels,
                dtype="int16",
                blocksize=round(BLOCK * self.rate),
                callback=self._heard,
            )
            self._stream.start()
        except self._sd.PortAudioError as error:
            self.close()
            raise SourceError(
                f"{self.name!r} could not be opened ({error}); plug it in, close programs that hold it, and allow "
                "the use of the microphone"
            ) from error

    def reopen(self) -> None:
        """Try again to listen to a device that went silent; raises ``SourceError`` after a few attempts."""
        self.retries += 1
        self.close()
        self._overflow = True  # the clock will tell how much is missing
        try:
            self.open()
        except SourceError:
            if self.retries >= RETRIES:
                raise
        if self.retries >= RETRIES:
            self.close()
            raise SourceError(f"{self.name!r} delivers no audio any more; plug it in again and start the call anew")

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def silent_for(self) -> float:
        """Seconds since the last block."""
        return self._clock() - self._last

    def _heard(self, samples: Samples, frames: int, _times: object, status: Any) -> None:
        """Called by PortAudio in a thread of its own, which must not wait."""
        self._last = self._clock()
        self._overflow = self._overflow or bool(status.input_overflow)
        mono: Samples = samples[:, 0].copy() if samples.shape[1] == 1 else _half_of_each(samples)
        try:
            self._blocks.put_nowait(Block(self._leg, mono, self._last, self._lost, self._overflow))
        except queue.Full:
            self._lost += frames
        else:
            self._lost, self._overflow = 0, False


def _half_of_each(samples: Samples) -> Samples:
    both = samples.astype(np.int32).sum(axis=1) >> 1
    mono: Samples = both.astype(np.int16)
    return mono


def _sounddevice() -> ModuleType:
    """The module, or a ``SourceError`` that says what to install."""
    try:
        import sounddevice
    except ImportError as error:
        raise SourceError("the microphone needs sounddevice: pip install sounddevice") from error
    except OSError as error:  # it is there, but not the library that it wraps
        raise SourceError(
            "the microphone needs the PortAudio library: apt install libportaudio2 (Debian, Ubuntu), "
            "dnf install portaudio (Fedora), brew install portaudio (macOS)"
        ) from error
    module: ModuleType = sounddevice
    return module


def _find(sd: ModuleType, device: Device) -> Any:
    """What PortAudio knows of an input device; raises ``SourceError`` with the ones that there are."""
    try:
        return sd.query_devices(device, "input")
    except (ValueError, sd.PortAudioError) as error:
        names = [f"{one.number} {one.name}" for one in list_devices()]
        there = "the inputs are: " + "; ".join(names) if names else "this machine has no input at all: plug one in"
        wanted = "no default input" if device is None else f"no single input {device!r}"
        raise SourceError(f"{wanted} ({error}); {there}") from error
