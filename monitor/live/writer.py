"""The one thread that writes the store: batches of many calls in one transaction, then word back to the loop.

Screens are told only after the commit, so an alert that anyone has seen is in the store. Nothing is ever dropped:
when ``bound`` batches wait, ``room`` makes the clients' readers wait, which slows their sockets down; the answers
of the recogniser are still taken, and they are bounded by the audio that was. While the store cannot be written,
the thread keeps its batches and tries again; a batch that the store will never take (a defect) is reported and
left to the journal, which holds it already.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from monitor.core.types import Event
from monitor.store.batch import Describe
from monitor.store.engine import NotFound, StoreError

log = logging.getLogger(__name__)

GROUP = 256
"""Batches in one transaction at most, so that the first of them is not late."""

RETRY = 0.5
"""Seconds between attempts while the store refuses."""


class StoreLike(Protocol):
    """What the writer needs of the store."""

    def save_batches(self, batches: Sequence[tuple[str, Sequence[Event]]], describe: Describe | None, /) -> None: ...


@dataclass(slots=True)
class Batch:
    """Something of one call for the store: its events, and other work in its turn.

    ``work`` runs in the writer's thread after the events are in; ``done`` on the loop after that. ``received`` is
    the loop's time at which the audio that caused it arrived, for the latency figure.
    """

    call: str
    events: Sequence[Event] = ()
    position: int = 0
    received: float | None = None
    work: Callable[[Any], object] | None = None
    done: Callable[[Batch], None] | None = None
    failure: Exception | None = field(default=None)


class Writer:
    """Start it on the loop whose thread will submit; ``close`` writes what waits and ends the thread."""

    def __init__(
        self, store: StoreLike, bound: int, loop: asyncio.AbstractEventLoop, describe: Describe | None = None
    ) -> None:
        self._store = store
        self._describe = describe
        self._bound = bound
        self._loop = loop
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.waiting = 0
        self.refused = 0
        self.failing: str | None = None
        self._thread = threading.Thread(
            target=write_store, args=(self._queue, self._save, self._landed), name="store-writer", daemon=True
        )
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Queue a batch; order is kept. Loop thread only."""
        self.waiting += 1
        if self.waiting >= self._bound:
            self._room.clear()
        self._queue.put(batch)

    async def room(self) -> None:
        """Wait until the queue is below its bound; readers of audio call it before each message."""
        await self._room.wait()

    async def run(self, call: str, work: Callable[[Any], object]) -> None:
        """Do ``work`` on the store in its turn and wait for it; everything submitted before is committed then.

        Raises what the store raised, unless it was worth trying again.
        """
        done: asyncio.Future[None] = self._loop.create_future()

        def landed(batch: Batch) -> None:
            if done.done():
                return
            if batch.failure is not None:
                done.set_exception(batch.failure)
            else:
                done.set_result(None)

        self.submit(Batch(call, work=work, done=landed))
        await done

    def close(self, timeout: float = 5.0) -> bool:
        """Write what waits, give up retrying, end the thread; False when it did not end in time."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # ------------------------------------------------------------ in the writer's thread

    def _save(self, batches: list[Batch]) -> None:
        """Write the batches in their order: events together up to a batch with work of its own, then the work."""
        start = 0
        for end, batch in enumerate(batches, 1):
            if batch.work is not None or end == len(batches):
                self._save_events(batches[start:end])
                start = end
                if batch.work is not None and batch.failure is None:
                    self._try([batch], partial(batch.work, self._store))

    def _save_events(self, batches: list[Batch]) -> None:
        """Commit the events in one transaction; what the store will never take is found one by one."""
        full = [batch for batch in batches if batch.events]
        if not full:
            return
        save = partial(self._store.save_batches, [(b.call, b.events) for b in full], self._describe)
        if not self._try(full, save) and len(full) > 1 and not self._closing.is_set():
            for batch in full:
                batch.failure = None
                self._save_events([batch])

    def _try(self, batches: list[Batch], save: Callable[[], object]) -> bool:
        """Do it, as long as it takes while the store is out of order; False with ``failure`` set when in vain."""
        while True:
            try:
                save()
                self.failing = None
                return True
            except NotFound as error:
                failure: Exception = error
            except StoreError as error:
                if self._wait_for_store(error):
                    continue
                failure = error
            except Exception as error:
                failure = error
            if len(batches) == 1:
                self.refused += 1
                log.error("call %s: the store cannot take a batch (%s)", batches[0].call, failure)
            for batch in batches:
                batch.failure = failure
            return False

    def _wait_for_store(self, error: StoreError) -> bool:
        """False when it is no use waiting."""
        if self.failing is None:
            log.error("the store cannot be written, batches wait: %s", error)
        self.failing = str(error)
        return not self._closing.wait(RETRY)

    def _landed(self, batches: list[Batch]) -> None:
        with suppress(RuntimeError):  # the loop is gone; so is everyone who would look
            self._loop.call_soon_threadsafe(self._tell, batches)

    # ------------------------------------------------------------ back on the loop

    def _tell(self, batches: list[Batch]) -> None:
        self.waiting -= len(batches)
        if self.waiting < self._bound:
            self._room.set()
        for batch in batches:
            if batch.done is not None:
                batch.done(batch)


def write_store(
    waiting: queue.SimpleQueue[Batch | None],
    save: Callable[[list[Batch]], None],
    landed: Callable[[list[Batch]], None],
) -> None:
    """The thread: take what waits, save it in one go, say so; ends on None."""
    ending = False
    while not ending:
        first = waiting.get()
        if first is None:
            return
        group = [first]
        while len(group) < GROUP:
            try:
                more = waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                ending = True
                break
            group.append(more)
        save(group)
        landed(group)
