"""How the benches measure: side by side, in turns, in CPU seconds of the process wherever that is possible.

A machine is never idle and never the same twice, so a figure of one run says little; the ratio of two things that
took turns within one run says much more. Medians, because the odd slow round tells about the neighbours.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from monitor import __version__

Figures = dict[str, Any]
"""What a bench returns: JSON-ready, seconds and counts as numbers."""


def _silent(_: str) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure. ``quick`` shows within a minute that everything works; its figures are rough.

    ``models``: the speech models of the benches that recognise, by name or folder; none leaves those out. ``calls``,
    ``sets`` and ``human`` are further material for the ears: recordings with their truth, folders of evaluation sets
    by name, a folder of people's recordings. ``parts``: which parts of a bench that has several; empty for all.
    ``seconds``: length of each step under load. ``hints``: models that understand them are given the packs' words.
    ``tell`` is given what is being done, for a person who waits.
    """

    quick: bool = False
    models: tuple[str, ...] = ("zh-careful",)
    tell: Callable[[str], None] = _silent
    calls: tuple[Path, ...] = ()
    sets: Mapping[str, Path] = field(default_factory=dict)
    human: Path | None = None
    parts: tuple[str, ...] = ()
    seconds: float | None = None
    hints: bool = True


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round took: CPU seconds of this process, and seconds by the clock on the wall."""

    cpu: float
    wall: float


def cost_of(task: Callable[[], object]) -> Cost:
    """Run it once; garbage of what went before is not on its bill."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def in_turns(
    tasks: Mapping[str, Callable[[], object]], rounds: int, tell: Callable[[str], None] = _silent
) -> dict[str, list[Cost]]:
    """A B A B …: the costs of every round of each task."""
    costs: dict[str, list[Cost]] = {name: [] for name in tasks}
    for turn in range(rounds):
        for name, task in tasks.items():
            tell(f"{name} ({turn + 1} of {rounds})")
            costs[name].append(cost_of(task))
    return costs


def cpu_median(costs: Sequence[Cost]) -> float:
    """The middle one, in CPU seconds."""
    return statistics.median(cost.cpu for cost in costs)


def wall_median(costs: Sequence[Cost]) -> float:
    """The middle one, in seconds by the wall clock."""
    return statistics.median(cost.wall for cost in costs)


def ratio(more: Sequence[Cost], less: Sequence[Cost]) -> float:
    """How many times ``less`` goes into ``more``: the median over rounds, each held against its own neighbour."""
    return statistics.median(a.cpu / b.cpu for a, b in zip(more, less, strict=True))


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` (0 to 1) of them lie, by nearest rank; None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))]


def spread(seconds: Sequence[float]) -> Figures:
    """Latencies given in seconds, as milliseconds."""
    figures: Figures = {"count": len(seconds)}
    for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95), ("max_ms", 1.0)):
        value = quantile(seconds, share)
        figures[name] = None if value is None else round(value * 1000, 1)
    return figures


def machine() -> Figures:
    """What the figures were measured on."""
    return {
        "version": __version__,
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123  a device of Linux, no file of ours
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
