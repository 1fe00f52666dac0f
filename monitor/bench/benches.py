"""The benches by name, in the order in which ``all`` runs them."""

from __future__ import annotations

from collections.abc import Callable

from monitor.bench import ears, fanout, latency, load, memory, packs, signal_path, storage
from monitor.bench.gauge import Figures, Plan

BENCHES: dict[str, Callable[[Plan], Figures]] = {
    "signal": signal_path.run,
    "packs": packs.run,
    "memory": memory.run,
    "storage": storage.run,
    "fanout": fanout.run,
    "ears": ears.run,
    "load": load.run,
    "latency": latency.run,
}

NEED_MODEL = frozenset({"ears", "load"})
"""Benches that are nothing without recognition."""
