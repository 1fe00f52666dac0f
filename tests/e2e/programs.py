"""The product's own programs, run as a user runs them: each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = ROOT / "tests" / "data" / "calls"
DEMO = ROOT / "demo"
BOTH_EARS = (ROOT / "models" / "zh-fast").is_dir()
MODELS = () if BOTH_EARS else ("--model", "zh-careful")
"""Options for the shipped models: none where both are there, since both are the default."""
MODEL = "zh-fast + zh-careful" if BOTH_EARS else "zh-careful"
STARTS_WITHIN = 90.0
"""Seconds; the first import of the recogniser on a busy machine takes a while."""


def environment() -> dict[str, str]:
    """Wide lines and no colours, so that what is printed can be read by a test."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    return plain | {"PYTHONPATH": str(ROOT), "COLUMNS": "400", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}


def monitor(*arguments: str | Path, timeout: float = 240, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``monitor`` to its end."""
    command = [sys.executable, "-m", "monitor", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=timeout, cwd=cwd, check=False
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """A running ``monitor serve``."""

    url: str
    data: Path
    pid: int

    @property
    def ingest(self) -> str:
        return f"ws{self.url.removeprefix('http')}/ws/ingest"


@contextmanager
def serving(data: Path, *options: str) -> Iterator[Serving]:
    """``monitor serve`` on a free port, until the test is done with it; it must end when it is asked to.

    After it has told its address it says little, so nobody reads on.
    """
    command = [sys.executable, "-m", "monitor", "serve", "--port", "0", "--data", str(data), *options]
    log = (data / "server.log").open("w")
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield Serving(_address(process, data / "server.log"), data, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            log.close()
            assert process.stdout is not None
            process.stdout.close()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Wait for the line that says where the server is; after it, its output is read and forgotten."""
    assert process.stdout is not None
    slow = threading.Timer(STARTS_WITHIN, process.kill)
    slow.start()
    try:
        for line in process.stdout:
            if found := re.search(r"(http://[\d.]+:\d+)", line):
                return found[1]
    finally:
        slow.cancel()
    raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}")


def flat(text: str) -> str:
    """Printed text as one line."""
    return " ".join(text.split())
