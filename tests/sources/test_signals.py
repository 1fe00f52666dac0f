"""Signals beside a recording: read in order, and every mistake named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.core.types import Channel, Signal, SignalKind
from monitor.sources.errors import SourceError
from monitor.sources.signals import read_signals, signals_beside

Write = Callable[[Path, Any], Path]


def test_signals_are_read_in_order_at_the_rate_of_the_call(tmp_path: Path, write_signals: Write) -> None:
    content = [
        {"signal": "hangup", "at": 60, "by": "customer"},
        {"signal": "ringing", "at": 0},
        {"signal": "answered", "at": 2.5},
        {"signal": "digit", "at": 10, "digit": "#", "by": "agent"},
    ]
    write_signals(tmp_path / "call.signals.json", content)
    assert signals_beside(tmp_path / "call.flac", 8000, seconds=60.0) == [
        Signal(SignalKind.RINGING, 0),
        Signal(SignalKind.ANSWERED, 20_000),
        Signal(SignalKind.DIGIT, 80_000, Channel.AGENT, "#"),
        Signal(SignalKind.HANGUP, 480_000, Channel.CUSTOMER),
    ]


def test_no_file_means_no_signals(tmp_path: Path) -> None:
    assert signals_beside(tmp_path / "call.flac", 8000) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"signal": "hold"}', "expected a list of signals, found an object"),
        ([{"signal": "hold", "at": 1}, "hold"], "signal 1: expected an object, found a text"),
        ([{"signal": "held", "at": 1}], "signal 0: field 'signal' is 'held'; use one of ringing, answered"),
        ([{"at": 1}], "signal 0: field 'signal' is None"),
        ([{"signal": "hold"}], "signal 0: field 'at' is None; give the seconds"),
        ([{"signal": "hold", "at": -1}], "signal 0: field 'at' is -1"),
        ([{"signal": "hold", "at": "1"}], "signal 0: field 'at' is '1'"),
        ([{"signal": "hold", "at": True}], "signal 0: field 'at' is True"),
        ('[{"signal": "hold", "at": NaN}]', "signal 0: field 'at' is nan"),
        ([{"signal": "hold", "at": 61.1}], "field 'at' is 61.1 but the recording has only 60.0 s.*wrong rate"),
        ([{"signal": "hold", "at": 1, "by": "boss"}], "field 'by' is 'boss'; use agent or customer"),
        ([{"signal": "hold", "at": 1, "who": "x"}], "unknown field 'who'; the fields are at, by, digit, signal"),
        ([{"signal": "digit", "at": 1}], "field 'digit' needs the key"),
        ([{"signal": "hold", "at": 1, "digit": "1"}], "field 'digit' has no place in a signal 'hold'"),
        ([{"signal": "digit", "at": 1, "digit": 5}], "field 'digit' is 5; use one of"),
        ([{"signal": "digit", "at": 1, "digit": "12"}], "field 'digit' is '12'"),
        ([{"signal": ["hold"], "at": 1}], "field 'signal' is"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, write_signals: Write, content: Any, says: str) -> None:
    path = write_signals(tmp_path / "call.signals.json", content)
    with pytest.raises(SourceError, match=rf"call\.signals\.json: .*{says}"):
        read_signals(path, 8000, seconds=60.0)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "call.signals.json").mkdir()
    with pytest.raises(SourceError, match="could not read the signals"):
        signals_beside(tmp_path / "call.flac", 8000)
