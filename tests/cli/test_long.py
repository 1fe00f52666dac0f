"""A recording of an hour is replayed in the memory that one of minutes needs."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from monitor.sources.recording import Recording
from tests.e2e.programs import DEMO, environment

MORE = 40.0
"""MB that an hour may need more than some minutes: its findings, which are kept for the report."""

STATUS = Path("/proc/self/status")

MEASURED = """
import pathlib, re, sys
from monitor.cli import app
try:
    app(sys.argv[1:])
finally:
    print("peak", re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""
"""Not getrusage: its peak is inherited from the process that started this one."""


def repeated(path: Path, minutes: float) -> Path:
    """A demo call again and again."""
    audio = np.concatenate([chunk.samples for chunk in Recording(DEMO / "1-blameless.flac")])
    left = round(minutes * 60 * 8000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        while left > 0:
            file.writeframes(audio[:left].astype("<i2").tobytes())
            left -= len(audio)
    return path


def peak(file: Path) -> tuple[float, float]:
    """Peak of the memory of a replay in MB, and the seconds of audio in its report."""
    command = [sys.executable, "-c", MEASURED, "replay", str(file), "--model", "none", "--out", str(file.parent)]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=110, check=False)
    assert result.returncode == 0, result.stderr
    report = json.loads(file.with_suffix(".report.json").read_text(encoding="utf-8"))
    return int(result.stdout.split("peak ")[-1]) / 1e3, report["call"]["seconds"]


@pytest.mark.timeout(240)
@pytest.mark.skipif(not STATUS.exists(), reason=f"the peak of memory is read from {STATUS}")
def test_an_hour_needs_hardly_more_memory_than_minutes(tmp_path: Path) -> None:
    few, seconds = peak(repeated(tmp_path / "minutes.wav", 3))
    assert seconds == 180
    hour, seconds = peak(repeated(tmp_path / "hour.wav", 60))
    assert seconds == 3600
    print(f"3 minutes: {few:.0f} MB, an hour: {hour:.0f} MB")
    assert hour - few < MORE
