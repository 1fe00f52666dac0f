"""What a live call keeps in memory: a hundred calls fed a minute of talk each, in a process that does nothing else."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

from monitor.bench.gauge import Figures, Plan
from monitor.bench.material import Material, demo_call, joined, new_call
from monitor.bench.rss import resident
from monitor.bench.serving import BenchError
from monitor.core.call import Call
from monitor.core.types import Chunk, Hypothesis

TARGET_MIB = 3.0
CALLS = 100
SECONDS = 60


def run(plan: Plan) -> Figures:
    """Resident memory that a call adds, without and with recognition asked for (answered at once, with no words)."""
    calls, seconds = (10, 5) if plan.quick else (CALLS, SECONDS)
    rows = []
    for recognise in (False, True):
        plan.tell(f"{calls} calls of {seconds} s {'with' if recognise else 'without'} recognition")
        command = [sys.executable, "-m", "monitor.bench.memory", str(calls), str(seconds), str(int(recognise))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"memory could not be measured: {done.stderr.strip()[-500:]}")
        rows.append({"recognise": recognise, **json.loads(done.stdout)})
    return {"calls": calls, "seconds": seconds, "target": {"mib_a_call": TARGET_MIB}, "ways": rows}


def grow(calls: int, seconds: int, recognise: bool) -> Figures:
    """Feed the calls and keep them; MiB that each added."""
    talk = demo_call("2-fast-loud")
    material = joined("talk", [talk.part(3, 63)] * (1 + seconds // 60)).part(0, seconds)
    _feed(material, recognise)  # what is shared by all calls is not on their bill
    gc.collect()
    before = resident()
    kept = [_feed(material, recognise) for _ in range(calls)]
    gc.collect()
    after = resident()
    return {"mib_a_call": round((after - before) / len(kept) / 2**20, 3), "base_mib": round(before / 2**20, 1)}


def _feed(material: Material, recognise: bool) -> Call:
    """A call in the middle of its life."""
    call = new_call(material, recognise=recognise)
    step = material.rate // 10
    for start in range(0, len(material.samples), step):
        call.feed(Chunk(start, material.samples[start : start + step].copy()))
        for request in call.requests():
            call.feed(Hypothesis(request.id, ()))
    return call


if __name__ == "__main__":
    print(json.dumps(grow(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1")))  # noqa: T201  for ``run``
