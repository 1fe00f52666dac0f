"""Journal, store and recording: what they take in a second, and what writing in groups is worth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from monitor.bench.gauge import Cost, Figures, Plan, cpu_median, in_turns, ratio, wall_median
from monitor.bench.material import Material, demo_call, new_call
from monitor.core.types import Channel, Chunk, Event, Heard, Outcome, Verdict, Word
from monitor.live.journal import Journal, verify
from monitor.live.keep import Keeper
from monitor.live.writer import GROUP
from monitor.store.store import Store
from monitor.store.views import CallRow

CALLS = 20


def run(plan: Plan) -> Figures:
    """Every part in a folder of its own among the system's temporary ones."""
    material = demo_call("2-fast-loud")
    if plan.quick:
        material = material.part(0, 10)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as name:
        folder = Path(name)
        return {
            "folder": tempfile.gettempdir(),
            "journal": _journal(plan, folder, material),
            "store": _store(plan, folder),
            "recording": _recording(plan, folder, material),
        }


# ---------------------------------------------------------------- journal


def _journal(plan: Plan, folder: Path, material: Material) -> Figures:
    batches = _batches(material)
    lines = sum(map(len, batches))
    times = 2 if plan.quick else 10
    names = (folder / f"{n}.jsonl" for n in count())
    last: list[Path] = []

    def whole() -> None:
        with _journal_at(next(names)) as journal:
            for batch in batches * times:
                journal.events(batch, 0)
            last[:] = [journal.path]

    def one_by_one() -> None:
        with _journal_at(next(names)) as journal:
            for batch in batches * times:
                for event in batch:
                    journal.event(event, 0)

    def check() -> None:
        verify(last[0])

    tasks: dict[str, Callable[[], object]] = {"batch": whole, "line": one_by_one, "verify": check}
    costs = in_turns(tasks, 1 if plan.quick else 5, plan.tell)
    return {
        "lines": lines * times,
        "lines_a_write": round(lines / len(batches), 1),
        "lines_a_cpu_second": round(lines * times / cpu_median(costs["batch"])),
        "lines_a_cpu_second_one_a_write": round(lines * times / cpu_median(costs["line"])),
        "times_one_a_write": round(ratio(costs["line"], costs["batch"]), 2),
        "cpu_us_a_line": round(cpu_median(costs["batch"]) / (lines * times) * 1e6, 1),
        "lines_verified_a_cpu_second": round(lines * times / cpu_median(costs["verify"])),
    }


def _batches(material: Material) -> list[list[Event]]:
    """The events of a call as a live runner writes them: those of one chunk in one go."""
    call = new_call(material)
    batches = [call.feed(signal) for signal in material.signals]
    step = material.rate // 10
    for start in range(0, len(material.samples), step):
        batches.append(call.feed(Chunk(start, material.samples[start : start + step])))
    batches.append(call.finish())
    return [batch for batch in batches if batch]


@contextmanager
def _journal_at(path: Path) -> Iterator[Journal]:
    with Journal.create(path, {"call": path.stem}) as journal:
        yield journal


# ---------------------------------------------------------------- store


def _store(plan: Plan, folder: Path) -> Figures:
    rows = 200 if plan.quick else 3000
    names = (folder / f"{n}.sqlite" for n in count())

    def grouped() -> None:
        with _store_at(next(names)) as store:
            batches = list(_rows(rows))
            for first in range(0, rows, GROUP):
                store.save_batches(batches[first : first + GROUP])

    def single() -> None:
        with _store_at(next(names)) as store:
            for call, events in _rows(rows):
                store.save_batch(call, events)

    def opened() -> None:
        with _store_at(next(names)):
            pass

    tasks: dict[str, Callable[[], object]] = {"group": grouped, "row": single, "open": opened}
    costs = in_turns(tasks, 1 if plan.quick else 5, plan.tell)
    group, row = (_less(costs[name], costs["open"]) for name in ("group", "row"))
    return {
        "rows": rows,
        "rows_a_commit": GROUP,
        "rows_a_second": _rate(rows, group),
        "rows_a_second_one_a_commit": _rate(rows, row),
        "times_one_a_commit": round(wall_median(row) / wall_median(group), 1),
        "cpu_us_a_row": round(cpu_median(group) / rows * 1e6, 1),
        "cpu_us_a_row_one_a_commit": round(cpu_median(row) / rows * 1e6, 1),
    }


@contextmanager
def _store_at(path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{path}") as store:
        for number in range(CALLS):
            started = "2026-01-01T00:00:00.000000Z"
            store.save_call(CallRow(_call(number), started, 8000, (Channel.AGENT, Channel.CUSTOMER)))
        yield store


def _call(number: int) -> str:
    return f"bench-{number % CALLS}"


def _rows(rows: int) -> Iterator[tuple[str, list[Event]]]:
    """One event that the store keeps, as a live call brings them: lines of words and verdicts."""
    words = tuple(Word(char, 1600 * n, 1600 * n + 1500, 0.9) for n, char in enumerate("您好请问有什么可以帮您"))
    heard = Heard(Channel.AGENT, 0, 0, 17600, words, settled=True)
    for n in range(rows):
        turn = n // CALLS
        event: Event = Verdict("gas-hotline/dead-air", turn, Outcome.MET, n)
        yield _call(n), [replace(heard, segment=turn) if turn % 2 else event]


# ---------------------------------------------------------------- recording


def _recording(plan: Plan, folder: Path, material: Material) -> Figures:
    names = (folder / f"{n}.pcm" for n in count())
    kept: list[Keeper] = []

    def write() -> None:
        keeper = Keeper(next(names), material.rate, 2)
        step = material.rate // 10
        for start in range(0, len(material.samples), step):
            keeper.write(material.samples[start : start + step])
        kept.append(keeper)

    def pack() -> None:
        kept.pop().finish()

    costs = in_turns({"write": write, "pack": pack}, 1 if plan.quick else 5, plan.tell)
    return {
        "seconds": round(material.seconds, 1),
        "pcm_times_real_time": round(material.seconds / wall_median(costs["write"])),
        "flac_times_real_time": round(material.seconds / wall_median(costs["pack"])),
        "pcm_cpu_us_a_second": round(cpu_median(costs["write"]) / material.seconds * 1e6),
        "flac_cpu_us_a_second": round(cpu_median(costs["pack"]) / material.seconds * 1e6),
    }


def _rate(things: int, costs: Sequence[Cost]) -> int:
    return round(things / wall_median(costs))


def _less(costs: Sequence[Cost], base: Sequence[Cost]) -> list[Cost]:
    """Without what it takes to open the store."""
    return [Cost(c.cpu - b.cpu, c.wall - b.wall) for c, b in zip(costs, base, strict=True)]
