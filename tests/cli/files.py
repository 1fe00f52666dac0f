"""Files that a user might hand to the program by mistake, and how to run it in this process."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from click.testing import Result
from typer.testing import CliRunner

from monitor.cli import app
from monitor.core.types import Samples

PACK = """
pack: {id}
title: {{zh: 试, en: Test}}
phrases:
  hello: {{say: [{phrase}]}}
rules:
  - id: greet
    form: expect
    when: answered
    then: {{says: hello, by: agent}}
    within: {within}
    severity: note
    title: {{zh: 问候, en: Greeting}}
    advice: {{zh: 先问候, en: Greet first}}
    message: {{zh: 没有问候, en: No greeting}}
{more}
"""


def pack(path: Path, **fields: Any) -> Path:
    """A small pack with one rule; ``more`` is appended."""
    path.write_text(
        PACK.format(**({"id": "tiny", "phrase": "您好", "within": 3, "more": ""} | fields)), encoding="utf-8"
    )
    return path


def murmur(seconds: float, channels: int, rate: int = 8000, seed: int = 1) -> Samples:
    """Noise; different on each channel."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(0, 1000, (round(seconds * rate), channels))).astype(np.int16)


def wav(path: Path, samples: npt.NDArray[Any], rate: int = 8000) -> Path:
    """Write int16 ``samples`` of shape (n, channels)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples, dtype="<i2").tobytes())
    return path


def run(*arguments: str | Path) -> tuple[Result, str]:
    """The command in this process; what it printed, as one line without colours. No error may escape it."""
    env = {"COLUMNS": "600", "NO_COLOR": "1", "TERM": "dumb"}
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=env)
    escaped = result.exception is not None and not isinstance(result.exception, SystemExit)
    assert not escaped, f"{arguments}: {result.exception!r}"
    assert "Traceback" not in result.output
    return result, " ".join(result.output.split())


def refused(*arguments: str | Path) -> str:
    """What a command that must fail says."""
    result, told = run(*arguments)
    assert result.exit_code != 0, told
    return told


def done(*arguments: str | Path) -> str:
    """What a command that must succeed says."""
    result, told = run(*arguments)
    assert result.exit_code == 0, told
    return told
