from __future__ import annotations

import pytest

from monitor.bench.gauge import Cost, cpu_median, in_turns, quantile, ratio, spread, wall_median


def test_tasks_take_turns() -> None:
    done: list[str] = []
    told: list[str] = []
    costs = in_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 3, told.append)
    assert done == ["a", "b"] * 3
    assert told[0] == "a (1 of 3)"
    assert [len(costs["a"]), len(costs["b"])] == [3, 3]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.95, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.95, 95.0),
        ([float(n) for n in range(1, 21)], 0.95, 19.0),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_a_quantile_is_one_of_the_values(values: list[float], share: float, expected: float | None) -> None:
    assert quantile(values, share) == expected


def test_spread_is_in_milliseconds() -> None:
    assert spread([0.002, 0.001, 0.1]) == {"count": 3, "p50_ms": 2.0, "p95_ms": 100.0, "max_ms": 100.0}
    assert spread([]) == {"count": 0, "p50_ms": None, "p95_ms": None, "max_ms": None}


def test_medians_leave_the_odd_round_out() -> None:
    slow = [Cost(2.0, 4.0), Cost(90.0, 4.0), Cost(2.2, 4.0)]
    quick = [Cost(1.0, 1.0), Cost(1.0, 1.0), Cost(1.0, 50.0)]
    assert ratio(slow, quick) == 2.2
    assert cpu_median(slow) == 2.2
    assert wall_median(quick) == 1.0
