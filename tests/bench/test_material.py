from __future__ import annotations

import numpy as np

from monitor.bench.material import Material, demo_call, demo_calls, joined
from monitor.core.types import Signal, SignalKind
from monitor.render.truth import Said


def _material() -> Material:
    samples = np.arange(8000 * 4, dtype=np.int16).reshape(-1, 1).repeat(2, axis=1)
    signals = (Signal(SignalKind.ANSWERED, 8000), Signal(SignalKind.HANGUP, 24000))
    said = (Said("agent", "您好", 1.5, 2.5, (("您", 1.5), ("好", 2.0))),)
    return Material("m", 8000, samples, signals, said)


def test_a_part_keeps_what_lies_in_it() -> None:
    part = _material().part(1.0, 2.75)
    assert part.seconds == 1.75
    assert part.samples[0, 0] == 8000
    assert [s.at for s in part.signals] == [0]
    assert part.said[0].spoken == (("您", 0.5), ("好", 1.0))
    assert not _material().part(2.0, 4.0).said


def test_joined_parts_move_their_truth() -> None:
    both = joined("both", [_material().part(0, 3), _material()])
    assert both.seconds == 7.0
    assert [s.at for s in both.signals] == [8000, 32000, 48000]
    assert [round(s.end, 3) for s in both.said] == [2.5, 5.5]
    assert both.said[1].spoken[1] == ("好", 5.0)


def test_the_demo_calls_have_truth() -> None:
    calls = demo_calls(quick=True)
    assert [call.seconds for call in calls] == [15.0, 15.0]
    assert all(call.signals for call in calls)
    assert demo_call("1-blameless").said
