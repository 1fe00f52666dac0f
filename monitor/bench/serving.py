"""A real server in a process of its own, as ``monitor serve`` makes it, that tells what it costs.

The process says where it listens, answers every line on its standard input with its CPU seconds and memory, and stops
when the input ends: also when whoever measures is gone.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from monitor.bench.rss import resident

STOP = 20.0
"""Seconds for a server to end."""


class BenchError(Exception):
    """Something could not be measured; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start, resident bytes, and when that was (``time.monotonic``)."""

    cpu: float
    rss: int
    at: float


@dataclass(frozen=True, slots=True)
class Served:
    """The running server."""

    port: int
    process: subprocess.Popen[str]

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def usage(self) -> Usage:
        """What it has cost so far."""
        _inlet(self.process).write("?\n")
        _inlet(self.process).flush()
        told = json.loads(_line(self.process))
        return Usage(told["cpu"], told["rss"], time.monotonic())


@contextmanager
def server(folder: Path, models: Sequence[str] = ()) -> Iterator[Served]:
    """Serve from ``folder`` until done, with these models, one an ear. Raises ``BenchError`` when it does not come up,
    ``ModelError`` for names that mean nothing."""
    from monitor.compose import NO_MODEL, streams  # the process that is measured imports what it needs itself

    fast = next((model for model in models if streams(model)), None)
    careful = next((model for model in models if not streams(model)), None)
    command = [sys.executable, "-m", "monitor.bench.serving", str(folder), fast or NO_MODEL, careful or NO_MODEL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Served(int(json.loads(_line(process))["port"]), process)
        finally:
            _inlet(process).close()
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def _inlet(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdin is not None
    return process.stdin


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise BenchError("the server ended before its time; what it wrote above says why")
    return line


# ---------------------------------------------------------------- in the process


def main(folder: Path, fast: str, careful: str) -> None:
    """Serve until the input ends."""
    from monitor.compose import make_engines, make_parts, with_models
    from monitor.config import load_config
    from monitor.server.app import serve

    config = with_models(load_config(), fast=fast, careful=careful)
    parts = make_parts(config, engines=make_engines(config), token=None, data=folder)

    def listening(_: str, port: int) -> None:
        _say({"port": port})
        threading.Thread(target=answer, args=(sys.stdin,), daemon=True).start()

    with suppress(KeyboardInterrupt):  # the signal by which ``answer`` ends it
        serve(parts, "127.0.0.1", 0, listening)


def answer(questions: IO[str]) -> None:
    """The thread: a line in, a line of figures out; at the end of the input the server is told to stop."""
    for _ in questions:
        _say({"cpu": time.process_time(), "rss": resident()})
    signal.raise_signal(signal.SIGINT)


def _say(data: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
