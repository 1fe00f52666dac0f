"""What screens cost: the same live calls, looked at by 0, 1, 20 and 100 screens in turn."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from monitor.bench.gauge import Figures, Plan, spread
from monitor.bench.material import demo_call, joined
from monitor.bench.sender import Feed, sending
from monitor.bench.serving import Served, server
from monitor.bench.viewer import look, stop

SCREENS = (0, 1, 20, 100)
CALLS = 20
STRETCH = 8.0
"""Seconds that each number of screens looks on."""

SETTLE = 1.5
"""Seconds until all have their snapshot."""


@dataclass(slots=True)
class Tally:
    """What all screens together got; ``arrivals`` has the moments at which each tick came, by its number."""

    counting: bool = False
    messages: int = 0
    bytes: int = 0
    snapshots: int = 0
    arrivals: dict[str, list[float]] = field(default_factory=dict)

    def take(self, text: str) -> None:
        """A message of any screen. Only its beginning is read, so that reading costs next to nothing."""
        if not self.counting:
            return
        self.messages += 1
        self.bytes += len(text.encode())
        head = text[:60]
        if '"snapshot"' in head:
            self.snapshots += 1
        else:
            self.arrivals.setdefault(head.partition('"seq":')[2].partition(",")[0], []).append(monotonic())


def run(plan: Plan) -> Figures:
    """One row for each number of screens."""
    count, stretch = (4, 2.0) if plan.quick else (CALLS, STRETCH)
    call = demo_call("2-fast-loud").part(3.0, 73.0)
    material = joined("talk", [call] * 2)
    feeds = [Feed(f"bench-{n}", material, n * 0.0137) for n in range(count)]
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as name:
        folder = Path(name)
        with server(folder / "data") as served, sending(served.ws, feeds, folder):
            rows = asyncio.run(_all(served, stretch, plan))
    return {"calls": count, "seconds_each": stretch, "screens": rows}


async def _all(served: Served, stretch: float, plan: Plan) -> list[Figures]:
    await _first_tick(served.ws)
    rows = []
    for screens in SCREENS:
        plan.tell(f"{screens} screens")
        rows.append(await _row(served, screens, stretch))
    return rows


async def _first_tick(url: str) -> None:
    """Wait until the calls are being fed."""
    fed = asyncio.Event()

    def take(text: str) -> None:
        data = json.loads(text)
        if any(call.get("seconds", 0) > 1 for call in data["calls"]):
            fed.set()

    looking = asyncio.create_task(look(url, take))
    waiting = asyncio.create_task(fed.wait())
    await asyncio.wait({looking, waiting}, return_when=asyncio.FIRST_COMPLETED)
    await stop([looking, waiting])


async def _row(served: Served, screens: int, stretch: float) -> Figures:
    tally = Tally()
    looking = [asyncio.create_task(look(served.ws, tally.take)) for _ in range(screens)]
    await asyncio.sleep(SETTLE)
    tally.counting = True
    before = await asyncio.to_thread(served.usage)
    await asyncio.sleep(stretch)
    after = await asyncio.to_thread(served.usage)
    tally.counting = False
    await stop(looking)
    seconds = after.at - before.at
    whole = [max(times) - min(times) for times in tally.arrivals.values() if len(times) == screens]
    return {
        "screens": screens,
        "ticks_a_second": round(len(tally.arrivals) / seconds, 1),
        "messages_a_second": round(tally.messages / seconds),
        "kib_a_second": round(tally.bytes / seconds / 1024, 1),
        "kib_a_second_each": round(tally.bytes / seconds / 1024 / max(screens, 1), 1),
        "server_cpu_share": round((after.cpu - before.cpu) / seconds, 3),
        "resyncs": tally.snapshots,
        "first_to_last_screen": spread(whole),
    }
