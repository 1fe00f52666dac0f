"""How many live calls the ears of this machine follow: two-channel calls in real time, more and more of them, until
recognition falls behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from monitor.asr.ears import Ears
from monitor.asr.protocol import Engine
from monitor.bench.ears_engines import hints, is_streaming
from monitor.bench.ears_hear import PIECE, early
from monitor.bench.gauge import Figures, Plan, quantile
from monitor.bench.material import PACKS, Material, demo_calls, joined
from monitor.compose import make_engine, packs_and_book
from monitor.config import load_config
from monitor.core.call import Call
from monitor.core.types import STEREO, AsrRequest, Chunk, Hypothesis

CALLS = (4, 8, 12, 20, 32, 48, 64)
SECONDS = 30.0
QUICK_CALLS, QUICK_SECONDS = (2, 3), 3.0

MOST_LAG = 2.0
"""Seconds that finals of the last third of a step may take (p95), and that the oldest may wait when it ends."""

MOST_SKIPPED = 0.05
"""Share of early passes that may be left out."""

MOST_LATE = 1.0
"""Seconds that the audio itself may be fed late."""


def run(plan: Plan) -> Figures:
    """One series of steps for each model alone, and one for a fast and a careful one together."""
    calls, seconds = (QUICK_CALLS, QUICK_SECONDS) if plan.quick else (CALLS, SECONDS)
    seconds = plan.seconds or seconds
    material = joined("talk", demo_calls())
    fast = next((model for model in plan.models if is_streaming(model)), None)
    careful = next((model for model in plan.models if not is_streaming(model)), None)
    ways: list[tuple[str | None, str | None]] = [(model, None) for model in (fast,) if model]
    ways += [(None, model) for model in (careful,) if model]
    if fast and careful:
        ways.append((fast, careful))
    rows: list[Figures] = []
    limits: list[Figures] = []
    for way in ways:
        steps = _climb(plan, material, way, calls, seconds)
        rows += steps
        limits.append(
            {
                "ears": steps[0]["ears"],
                "follows": max((row["calls"] for row in steps if not row["behind"]), default=0),
                "behind_at": next((row["calls"] for row in steps if row["behind"]), None),
            }
        )
    return {"seconds_each": seconds, "rows": rows, "limits": limits}


def _climb(
    plan: Plan, material: Material, way: tuple[str | None, str | None], calls: Sequence[int], seconds: float
) -> list[Figures]:
    """Steps until one falls behind."""
    name = " + ".join(Path(model).name for model in way if model)
    rows: list[Figures] = []
    for count in calls:
        plan.tell(f"{name}: {count} calls for {seconds:g} s")
        fast, careful = (make_engine(model, hints=hints(plan)) if model else None for model in way)
        rows.append({"ears": name, **step(material, fast, careful, count, seconds)})
        if rows[-1]["behind"]:
            break
    return rows


@dataclass(slots=True)
class Watch:
    """What is seen of the answers: when each final was handed in (seconds of the clock) and how long it took."""

    begin: float
    delays: list[tuple[float, float]] = field(default_factory=list)
    partials: int = 0
    late: float = 0.0

    def last_third(self, seconds: float) -> list[float]:
        """Delays of the finals handed in during the last third of so many seconds."""
        return [delay for at, delay in self.delays if at - self.begin >= seconds * 2 / 3]


def why_behind(p95: float | None, waiting: float, skipped: float, late: float, alone: int) -> str | None:
    """Why recognition did not follow, or None: ``p95`` of the last third's finals, how long the oldest was
    ``waiting``, the share of partials ``skipped``, how ``late`` audio was fed, finals of the fast ear ``alone``."""
    if max(p95 or 0.0, waiting) > MOST_LAG:
        return "finals late"
    if alone:
        return "fast ear alone"
    if skipped > MOST_SKIPPED:
        return "partials skipped"
    return "audio late" if late > MOST_LATE else None


def step(material: Material, fast: Engine | None, careful: Engine | None, count: int, seconds: float) -> Figures:
    """So many calls for so long, each somewhere else in the material."""
    with _ears(fast, careful) as ears:
        feeds = [_Feed(n, material, n / count, fast is not None, ears) for n in range(count)]
        watch = Watch(time.monotonic())
        cpu = time.process_time()
        _drive(feeds, watch, seconds)
        cpu, wall = time.process_time() - cpu, time.monotonic() - watch.begin
        stats = ears.stats
        waiting = ears.lag
        ears.wait_idle(10.0)
        for feed in feeds:
            feed.take(watch)
    p95 = quantile(watch.last_third(seconds), 0.95)
    skipped = stats.skipped / watch.partials if watch.partials else 0.0
    why = why_behind(p95, waiting, skipped, watch.late, stats.fast_alone)
    return {
        "calls": count,
        "finals": len(watch.delays),
        "final_s": _rounded(quantile([delay for _, delay in watch.delays], 0.5)),
        "final_p95_s": _rounded(quantile([delay for _, delay in watch.delays], 0.95)),
        "last_third_p95_s": _rounded(p95),
        "waiting_s": round(waiting, 3),
        "partials": watch.partials,
        "skipped": round(skipped, 4),
        "fast_alone": stats.fast_alone,
        "fed_late_s": round(watch.late, 3),
        "cpu": round(cpu / wall, 3),
        "behind": why is not None,
        "why": why,
    }


@contextmanager
def _ears(fast: Engine | None, careful: Engine | None) -> Iterator[Ears]:
    ears = Ears(fast, careful)
    try:
        yield ears
    finally:
        ears.close(10.0)


class _Feed:
    """A live call: audio when it is due, answers as they come."""

    def __init__(self, number: int, material: Material, share: float, streaming: bool, ears: Ears) -> None:
        self.due = number * 0.0137  # calls do not all speak at once
        self._name = f"load-{number}"
        self._ears = ears
        self._rate = material.rate
        # Round and round from its own place on.
        self._samples = np.roll(material.samples, -round(share * len(material.samples)), axis=0)
        self._call = _new_call(material.rate, streaming)
        self._answers: SimpleQueue[tuple[Hypothesis, float, float, bool]] = SimpleQueue()

    def piece(self, watch: Watch) -> None:
        """The next piece of audio, and the requests that come of it."""
        start = self._call.position
        step = round(PIECE * self._rate)
        at = start % len(self._samples)
        self._call.feed(Chunk(start, self._samples[at : at + step]))
        self.due += PIECE
        for request in self._call.requests():
            self._ask(request, watch)

    def _ask(self, request: AsrRequest, watch: Watch) -> None:
        watch.partials += not request.final
        asked = time.monotonic()
        self._ears.submit(self._name, request, partial(self._answered, asked, request.final))

    def _answered(self, asked: float, final: bool, hypothesis: Hypothesis) -> None:
        """In a thread of the ears."""
        self._answers.put((hypothesis, asked, time.monotonic(), final))

    def take(self, watch: Watch) -> None:
        """Feed the answers that have come."""
        while not self._answers.empty():
            hypothesis, asked, at, final = self._answers.get()
            if final:
                watch.delays.append((asked, at - asked))
            self._call.feed(hypothesis)


def _new_call(rate: int, streaming: bool) -> Call:
    packs, book = packs_and_book(PACKS)
    hearing = {"partial_every": early(streaming)}
    return Call(load_config().setup(rate, STEREO, packs, recognise=True, book=book, hearing=hearing))


def _drive(feeds: Sequence[_Feed], watch: Watch, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Feed all calls in real time."""
    while (now := clock() - watch.begin) < seconds:
        for feed in feeds:
            feed.take(watch)
            if feed.due <= now:
                watch.late = max(watch.late, now - feed.due)
                feed.piece(watch)
        next_due = min(feed.due for feed in feeds)
        time.sleep(max(0.0, min(next_due - (clock() - watch.begin), PIECE / 5)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
