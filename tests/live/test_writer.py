"""The store's thread: order, groups, a store that is out of order, a batch that it will never take."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from monitor.core.types import Event, Gap
from monitor.live.writer import Batch, Writer
from monitor.store.engine import NotFound, StoreError


class Memory:
    """A store that remembers what came in which transaction, and can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[tuple[str, int]]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.troubles: list[Exception] = []

    def save_batches(self, batches: Sequence[tuple[str, Sequence[Event]]], describe: Any) -> None:
        self.gate.wait(5)
        if any(call == "unknown" for call, _ in batches):
            raise NotFound("there is no call unknown")
        if self.troubles:
            raise self.troubles.pop()
        self.groups.append([(call, event.start) for call, events in batches for event in events if event.kind == "gap"])


def run(test: Callable[[Memory, Writer], Awaitable[None]], bound: int = 100) -> Memory:
    memory = Memory()

    async def script() -> None:
        writer = Writer(memory, bound, asyncio.get_running_loop())
        try:
            await asyncio.wait_for(test(memory, writer), 5)
        finally:
            memory.gate.set()
            assert await asyncio.to_thread(writer.close)

    asyncio.run(script())
    return memory


def batch(n: int, call: str = "c", **more: Any) -> Batch:
    return Batch(call, [Gap(n, n + 1)], n, **more)


def test_what_waits_goes_in_one_transaction_in_order() -> None:
    async def script(memory: Memory, writer: Writer) -> None:
        memory.gate.clear()
        writer.submit(batch(0))
        for n in range(1, 5):
            writer.submit(batch(n))
        memory.gate.set()
        await writer.run("c", lambda _: None)
        assert writer.waiting == 0

    memory = run(script)
    assert [start for group in memory.groups for _, start in group] == [0, 1, 2, 3, 4]
    assert len(memory.groups) <= 3


def test_work_stands_in_its_turn() -> None:
    """A call's row is stored before its events even when both wait together."""

    async def script(memory: Memory, writer: Writer) -> None:
        memory.gate.clear()
        writer.submit(batch(0))
        writer.submit(batch(1, work=lambda store: store.groups.append([("work", -1)])))
        writer.submit(batch(2))
        memory.gate.set()
        await writer.run("c", lambda _: None)

    order = [start for group in run(script).groups for _, start in group]
    assert order == [0, 1, -1, 2]


def test_nobody_is_told_before_the_commit() -> None:
    async def script(memory: Memory, writer: Writer) -> None:
        told: list[int] = []
        memory.gate.clear()
        writer.submit(batch(0, done=lambda b: told.append(b.position)))
        await asyncio.sleep(0)
        assert told == []
        memory.gate.set()
        await writer.run("c", lambda _: None)
        assert told == [0]

    run(script)


def test_a_full_queue_makes_readers_wait() -> None:
    async def script(memory: Memory, writer: Writer) -> None:
        memory.gate.clear()
        for n in range(3):
            await writer.room()
            writer.submit(batch(n))
        waiting = asyncio.create_task(writer.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        memory.gate.set()
        await waiting

    run(script, bound=3)


def test_a_store_out_of_order_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.live.writer.RETRY", 0.001)

    async def script(memory: Memory, writer: Writer) -> None:
        memory.troubles = [StoreError("the disk is full; free some")] * 3
        failures: list[Exception | None] = []
        writer.submit(batch(0, done=lambda b: failures.append(b.failure)))
        await writer.run("c", lambda _: None)
        assert failures == [None]
        assert writer.failing is None

    assert run(script).groups == [[("c", 0)]]


@pytest.mark.parametrize("bad", ["unknown", "defect"])
def test_a_batch_that_cannot_be_stored_costs_no_other(bad: str) -> None:
    async def script(memory: Memory, writer: Writer) -> None:
        failures: dict[int, Exception | None] = {}

        def done(b: Batch) -> None:
            failures[b.position] = b.failure

        memory.gate.clear()
        writer.submit(batch(0, done=done))
        if bad == "defect":
            memory.troubles = [TypeError("what is this")] * 2  # for the group and for its first batch
        writer.submit(batch(1, "unknown" if bad == "unknown" else "c", done=done))
        writer.submit(batch(2, done=done))
        memory.gate.set()
        await writer.run("c", lambda _: None)
        assert sum(failure is not None for failure in failures.values()) == 1
        assert len(failures) == 3
        assert writer.refused == 1

    assert sum(map(len, run(script).groups)) == 2


def test_failed_work_is_told_to_who_asked() -> None:
    async def script(memory: Memory, writer: Writer) -> None:
        def fail(_: Any) -> None:
            raise ValueError("no such thing")

        with pytest.raises(ValueError, match="no such thing"):
            await writer.run("c", fail)

    run(script)
