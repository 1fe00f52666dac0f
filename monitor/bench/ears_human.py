"""Recordings of people: how much of what they say an ear writes down, in wide band and over a telephone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monitor.bench.ears_hear import Contestant, hear
from monitor.bench.ears_material import people
from monitor.bench.gauge import Figures, Plan

RATES = (16000, 8000)
KEPT = ("characters", "cer", "syllable_error", "audio_seconds", "cpu_a_second")


def run(plan: Plan, ears: Sequence[Contestant], folder: Path) -> Figures:
    """One row for each ear and rate; clips have no times, so there are none. Raises ``SourceError``."""
    rows = []
    count = 0
    for rate in RATES:
        clips = people(folder, rate, quick=plan.quick)
        count = len(clips)
        for ear in ears:
            if len(ear.meters) > 1:  # whole clips are the careful ear's
                continue
            plan.tell(f"{ear.name}: people at {rate} Hz")
            figures = hear(clips, ear, run=f"human/{rate}")
            rows.append({"engine": ear.name, "rate": rate, **{name: figures[name] for name in KEPT}})
    return {"clips": count, "rows": rows}
