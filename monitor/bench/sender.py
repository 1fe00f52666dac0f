"""Feeds many live calls to a server from a process of its own, and keeps the moment at which each piece went out.

Everything is prepared before the first piece, and each piece goes out when its last sample would have been spoken, so
that the sender adds nothing to what is measured. Moments are of ``time.monotonic``, which the processes of one machine
share.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

from monitor.bench.material import PACKS, Material
from monitor.bench.serving import BenchError

CHUNK = 0.1
"""Seconds of audio in one message."""

LEAD = 1.0
"""Seconds from the last connection to the first piece."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A call to be fed: its id, its audio, and how many seconds after the first one it begins."""

    call: str
    material: Material
    delay: float


@dataclass(frozen=True, slots=True)
class Sent:
    """When the pieces of a call went out. ``rate`` in samples a second, ``step`` in samples."""

    rate: int
    step: int
    times: tuple[float, ...]

    def when(self, second: float) -> float:
        """When the last sample before this second of the call went out."""
        piece = (round(second * self.rate) - 1) // self.step
        return self.times[min(max(piece, 0), len(self.times) - 1)]


@contextmanager
def sending(url: str, feeds: Sequence[Feed], folder: Path) -> Iterator[Sending]:
    """Start to feed the calls; the process ends with them, or is ended with the block."""
    calls, kept = [], dict[int, str]()
    for feed in feeds:
        key = id(feed.material)
        if key not in kept:
            kept[key] = str(folder / f"audio-{len(kept)}.npy")
            np.save(kept[key], feed.material.samples)
        calls.append(
            {
                "call": feed.call,
                "audio": kept[key],
                "rate": feed.material.rate,
                "delay": feed.delay,
                "signals": [[s.at, s.signal.value, s.by and s.by.value, s.digit] for s in feed.material.signals],
            }
        )
    job, out = folder / "job.json", folder / "sent.json"
    job.write_text(json.dumps({"url": url, "calls": calls}), encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "monitor.bench.sender", str(job), str(out)])
    try:
        yield Sending(process, out)
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Sending:
    """The sender at work."""

    process: subprocess.Popen[bytes]
    out: Path

    @property
    def done(self) -> bool:
        return self.process.poll() is not None

    def result(self) -> dict[str, Sent]:
        """The moments of each call, once it is done. Raises ``BenchError`` when a call failed."""
        if self.process.wait() != 0 or not self.out.is_file():
            raise BenchError("the calls could not be fed; what the sender wrote above says why")
        told = json.loads(self.out.read_text(encoding="utf-8"))
        return {call: Sent(e["rate"], e["step"], tuple(e["times"])) for call, e in told.items()}


# ---------------------------------------------------------------- in the process


def main(job: Path, out: Path) -> None:
    """Feed everything, then write down when."""
    told = asyncio.run(_feed_all(json.loads(job.read_text(encoding="utf-8"))))
    out.write_text(json.dumps(told), encoding="utf-8")


async def _feed_all(job: dict[str, Any]) -> dict[str, Any]:
    ready = asyncio.Barrier(len(job["calls"]))
    begin: list[float] = []
    told = await asyncio.gather(*[_feed(job["url"], call, ready, begin) for call in job["calls"]])
    return {call["call"]: entry for call, entry in zip(job["calls"], told, strict=True)}


async def _feed(url: str, call: dict[str, Any], ready: asyncio.Barrier, begin: list[float]) -> dict[str, Any]:
    pieces, step = _prepare(call)
    start = {
        "type": "start",
        "call": call["call"],
        "rate": call["rate"],
        "channels": 2,
        "packs": list(PACKS),
        "signalled": bool(call["signals"]),
    }
    times = []
    async with connect(f"{url}/ws/ingest", compression=None, max_queue=None, open_timeout=60) as socket:
        await socket.send(json.dumps(start))
        _check(json.loads(await socket.recv()))
        await ready.wait()
        if not begin:
            begin.append(time.monotonic() + LEAD)
        first = begin[0] + call["delay"]
        answers = asyncio.create_task(_until_done(socket))
        for number, (before, audio) in enumerate(pieces, 1):
            wait = first + number * step / call["rate"] - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            times.append(time.monotonic())
            for text in before:
                await socket.send(text)
            await socket.send(audio)
        await socket.send('{"type":"stop"}')
        await answers
    return {"rate": call["rate"], "step": step, "times": times}


def _prepare(call: dict[str, Any]) -> tuple[list[tuple[list[str], bytes]], int]:
    """The messages in order: the signals that belong before a piece, and the piece."""
    samples = np.load(call["audio"], mmap_mode="r")
    step = round(CHUNK * call["rate"])
    pieces: list[tuple[list[str], bytes]] = []
    left = list(call["signals"])
    for start in range(0, len(samples), step):
        before = []
        while left and (left[0][0] < start + step or start + step >= len(samples)):
            at, kind, by, digit = left.pop(0)
            facts = {"by": by, "digit": digit}
            told = {"type": "signal", "signal": kind, "at": at / call["rate"]}
            before.append(json.dumps(told | {key: value for key, value in facts.items() if value is not None}))
        pieces.append((before, np.ascontiguousarray(samples[start : start + step], "<i2").tobytes()))
    return pieces, step


async def _until_done(socket: Any) -> None:
    async for text in socket:
        message = json.loads(text)
        _check(message)
        if message["type"] == "done":
            return


def _check(message: dict[str, Any]) -> None:
    if message["type"] == "error":
        raise RuntimeError(f"the server refused: {message['message']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
