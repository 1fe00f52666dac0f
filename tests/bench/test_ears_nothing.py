from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from monitor.bench import ears_nothing
from monitor.bench.ears_hear import Meter, alone, together
from monitor.bench.ears_nothing import RATE, Nothing, in_a_call, in_windows, nothings
from monitor.bench.gauge import Plan
from monitor.bench.material import demo_call
from monitor.core.types import AsrRequest, Hypothesis, Word


@dataclass
class Babbler:
    """Writes 嗯。 whatever it is given."""

    name: str = "babbler"
    rate: int = 8000
    batch: int = 1
    asked: int = 0

    def load(self) -> None:
        """Nothing to load."""

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        self.asked += len(requests)
        return [Hypothesis(one.id, (Word("嗯。", one.start, one.end),)) for one in requests]


def test_all_kinds_are_equally_long() -> None:
    found = nothings(2.0)
    lengths = {len(one.samples) for one in found}
    assert max(lengths) - min(lengths) <= RATE
    assert sum(len(one.samples) for one in found) / RATE == pytest.approx(120, rel=0.03)
    kinds = [one.kind for one in found]
    assert {"silence", "line noise", "pink noise", "ring-back", "busy", "keys", "music: piano"} <= set(kinds)
    assert len(set(kinds)) == len(kinds)
    assert all(one.samples.any() == (one.kind != "silence") for one in found)


def test_the_bare_ear_is_given_all_of_it() -> None:
    one = Nothing("pink", nothings(0.5)[2].samples.repeat(10))
    babbler = Babbler()
    written = in_windows(one, alone(Meter(babbler)))
    assert written == babbler.asked == -(-len(one.samples) // (5 * RATE)) > 1


def test_in_a_call_nothing_is_asked_where_nobody_speaks() -> None:
    babbler = Babbler()
    assert in_a_call(next(one for one in nothings(2.0) if one.kind == "ring-back"), alone(Meter(babbler))) == 0
    assert babbler.asked == 0


def test_in_a_call_what_passes_for_speech_counts() -> None:
    voice = demo_call("1-blameless").part(8.0, 12.0).samples[:, 0]
    assert in_a_call(Nothing("voice", voice), alone(Meter(Babbler()))) > 0


def test_figures_are_characters_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears_nothing, "QUICK_MINUTES", 0.5)
    one, other = Meter(Babbler()), Meter(Babbler(), streaming=True)
    figures = ears_nothing.run(Plan(quick=True), [alone(one), together(other, one)])
    bare, both = figures["engines"]
    assert figures["minutes"] == pytest.approx(0.5, abs=0.1)
    assert bare["bare_chars_an_hour"] == pytest.approx(
        sum(bare["bare_kinds"].values()) / figures["minutes"] * 60, rel=0.2
    )
    assert both["bare_chars_an_hour"] is None
    assert bare["pipeline_chars"] == 0
