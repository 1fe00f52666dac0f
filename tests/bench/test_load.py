from __future__ import annotations

import pytest

from monitor.asr.scripted import Scripted
from monitor.bench import load
from monitor.bench.gauge import Plan
from monitor.bench.load import Watch, step, why_behind
from monitor.bench.material import demo_call


@pytest.mark.parametrize(
    ("p95", "waiting", "skipped", "late", "alone", "why"),
    [
        (0.5, 0.1, 0.01, 0.1, 0, None),
        (None, 0.0, 0.0, 0.0, 0, None),
        (2.1, 0.0, 0.0, 0.0, 0, "finals late"),
        (None, 2.1, 0.0, 0.0, 0, "finals late"),
        (0.5, 0.0, 0.06, 0.0, 0, "partials skipped"),
        (0.5, 0.0, 0.0, 1.1, 0, "audio late"),
        (0.5, 0.0, 0.0, 0.0, 1, "fast ear alone"),
    ],
)
def test_what_counts_as_behind(
    p95: float | None, waiting: float, skipped: float, late: float, alone: int, why: str | None
) -> None:
    assert why_behind(p95, waiting, skipped, late, alone) == why


def test_only_the_last_third_tells_whether_it_grows() -> None:
    watch = Watch(100.0, [(101.0, 0.1), (119.9, 0.2), (120.0, 0.3), (129.0, 0.4)])
    assert watch.last_third(30.0) == [0.3, 0.4]


def test_a_step_feeds_calls_in_real_time() -> None:
    figures = step(demo_call("2-fast-loud").part(3.0, 20.0), None, Scripted({}), 3, 1.5)
    assert figures["calls"] == 3
    assert figures["partials"] > 0
    assert not figures["behind"]
    assert figures["cpu"] > 0


def test_it_climbs_until_it_falls_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(material: object, fast: object, careful: object, count: int, seconds: float) -> dict[str, object]:
        return {"calls": count, "behind": count > 8, "why": None, "seconds": seconds}

    monkeypatch.setattr(load, "step", slow)
    figures = load.run(Plan(seconds=5.0))
    assert [row["calls"] for row in figures["rows"]] == [4, 8, 12]
    assert figures["limits"] == [{"ears": "zh-careful", "follows": 8, "behind_at": 12}]
    assert figures["seconds_each"] == 5.0
