"""The signal path, framing to rules without recognition, against the plain per-frame reference in the same run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from monitor.bench.gauge import Figures, Plan, cpu_median, in_turns, ratio
from monitor.bench.material import Material, demo_calls, feed_all, new_call
from monitor.bench.plain import PlainCall

CALLS_A_CORE = 250
TIMES_PLAIN = 2.0
CHUNKS = (0.1, 0.5)
"""Seconds: what a live client sends, and a lazy one."""


def run(plan: Plan) -> Figures:
    """CPU time of both over the same audio; ``calls_a_core`` are two-channel calls that one core keeps up with."""
    calls = demo_calls(plan.quick)
    seconds = sum(call.seconds for call in calls)
    tasks: dict[str, Callable[[], object]] = {}
    for chunk in CHUNKS:
        tasks[f"product, {chunk * 1000:g} ms"] = partial(_product, calls, chunk)
        tasks[f"plain, {chunk * 1000:g} ms"] = partial(_plain, calls, chunk)
    _product([call.part(0, 5) for call in calls], 0.1)  # tables and imports are made once a process
    _plain([call.part(0, 5) for call in calls], 0.1)
    costs = in_turns(tasks, 1 if plan.quick else 5, plan.tell)
    rows = []
    for chunk in CHUNKS:
        product, plain = costs[f"product, {chunk * 1000:g} ms"], costs[f"plain, {chunk * 1000:g} ms"]
        rows.append(
            {
                "chunk_ms": chunk * 1000,
                "calls_a_core": round(seconds / cpu_median(product), 1),
                "calls_a_core_best": round(seconds / min(cost.cpu for cost in product), 1),
                "plain_calls_a_core": round(seconds / cpu_median(plain), 1),
                "times_plain": round(ratio(plain, product), 2),
                "cpu_ms_a_second": round(cpu_median(product) / seconds * 1000, 2),
                "plain_cpu_ms_a_second": round(cpu_median(plain) / seconds * 1000, 2),
            }
        )
    return {
        "rate": calls[0].rate,
        "audio_seconds": round(seconds, 1),
        "rounds": len(next(iter(costs.values()))),
        "target": {"calls_a_core": CALLS_A_CORE, "times_plain": TIMES_PLAIN},
        "chunks": rows,
    }


def _product(calls: list[Material], chunk: float) -> None:
    for material in calls:
        feed_all(new_call(material), material, chunk)


def _plain(calls: list[Material], chunk: float) -> None:
    for material in calls:
        call = PlainCall(material.rate)
        step = round(chunk * material.rate)
        for start in range(0, len(material.samples), step):
            call.feed(material.samples[start : start + step])
