"""Telephony signals written beside a recording: ``<stem>.signals.json``.

A list of ``{"signal": "ringing|answered|hold|resume|digit|hangup", "at": seconds, "by"?: "agent|customer",
"digit"?: "0-9*#A-D"}``.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from monitor.core.types import Channel, Chunk, Signal, SignalKind
from monitor.sources.errors import SourceError

FIELDS = {"signal", "at", "by", "digit"}
KINDS = [kind.value for kind in SignalKind]
PARTIES = [Channel.AGENT.value, Channel.CUSTOMER.value]
DIGITS = "0123456789*#ABCD"
SLACK = 1.0
"""Seconds by which a signal may come after the end of the audio: hanging up is reported late."""


def signals_path(recording: Path) -> Path:
    """Where the signals of a recording are looked for."""
    return recording.with_name(recording.stem + ".signals.json")


def signals_beside(recording: Path, rate: int, seconds: float | None = None) -> list[Signal]:
    """The signals of a recording at the call rate, in order of time; empty when there is no such file.

    ``seconds`` is the recording's length when known. Raises ``SourceError`` like ``read_signals``.
    """
    path = signals_path(recording)
    return read_signals(path, rate, seconds) if path.exists() else []


def read_signals(path: Path, rate: int, seconds: float | None = None) -> list[Signal]:
    """The signals of a file; raises ``SourceError`` naming file, entry (from 0) and field."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path}: could not read the signals ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON ({error})") from error
    if not isinstance(found, list):
        raise SourceError(f"{path}: expected a list of signals, found {_kind(found)}")
    signals = [_signal(f"{path}: signal {index}", entry, rate, seconds) for index, entry in enumerate(found)]
    return sorted(signals, key=lambda signal: signal.at)


def _signal(where: str, entry: Any, rate: int, seconds: float | None) -> Signal:
    if not isinstance(entry, dict):
        raise SourceError(f"{where}: expected an object, found {_kind(entry)}")
    if unknown := sorted(entry.keys() - FIELDS):
        raise SourceError(f"{where}: unknown field {unknown[0]!r}; the fields are {', '.join(sorted(FIELDS))}")
    if (kind := entry.get("signal")) not in KINDS:
        raise SourceError(f"{where}: field 'signal' is {kind!r}; use one of {', '.join(KINDS)}")
    by = entry.get("by")
    if by is not None and by not in PARTIES:
        raise SourceError(f"{where}: field 'by' is {by!r}; use agent or customer")
    digit = entry.get("digit")
    if (kind == SignalKind.DIGIT) != (digit is not None):
        need = "needs the key that was pressed" if digit is None else f"has no place in a signal {kind!r}"
        raise SourceError(f"{where}: field 'digit' {need}")
    if digit is not None and (not isinstance(digit, str) or len(digit) != 1 or digit not in DIGITS):
        raise SourceError(f"{where}: field 'digit' is {digit!r}; use one of {DIGITS}, in quotes")
    at = _seconds(where, entry.get("at"), seconds)
    return Signal(SignalKind(kind), round(at * rate), None if by is None else Channel(by), digit)


def _seconds(where: str, at: Any, seconds: float | None) -> float:
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at) or at < 0:
        raise SourceError(f"{where}: field 'at' is {at!r}; give the seconds since the recording began")
    if seconds is not None and at > seconds + SLACK:
        raise SourceError(
            f"{where}: field 'at' is {at} but the recording has only {seconds:.1f} s; "
            "these are signals of another call, or one of the two states a wrong rate"
        )
    return float(at)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def in_time(signals: Iterable[Signal], chunks: Iterable[Chunk]) -> Iterator[Chunk | Signal]:
    """Signals among the audio, each ahead of the chunk in which it takes effect; later ones come at the end."""
    waiting = deque(sorted(signals, key=lambda signal: signal.at))
    for chunk in chunks:
        while waiting and waiting[0].at < chunk.start + len(chunk.samples):
            yield waiting.popleft()
        yield chunk
    yield from waiting
