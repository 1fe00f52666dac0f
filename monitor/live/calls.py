"""All live calls of this process: begun, resumed, dropped, rebuilt, ended. Everything here is on the event loop.

A call is connected (a client feeds it), waiting (its client dropped; after the grace it is ended as interrupted) or
ending. A call that exists only on disk, after a kill or a failure of storage, is rebuilt first and then waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from monitor.core.masker import Masker, masked
from monitor.core.types import Alert, Event
from monitor.live.chores import Chores
from monitor.live.ending import read_ending
from monitor.live.journal import Journal, JournalError
from monitor.live.keep import Keeper, KeepError
from monitor.live.parts import CallsParts, Live, call_row
from monitor.live.recover import read_story
from monitor.live.revive import Revival
from monitor.live.runner import CallFailed, CallFiles, Runner, StorageFailed
from monitor.live.setup import CallLike, CallSetupRequest, SetupError
from monitor.live.writer import Batch
from monitor.store.history import Ending
from monitor.store.views import CallRow

log = logging.getLogger(__name__)

GULP_PER_CALL = 0.0012
"""Seconds of pause between two feedings of a call, for each live call: 60 ms for fifty."""

LONGEST_GULP = 0.1
"""Seconds; beyond it alerts would come too late, and little more is saved."""


class Calls:
    """The registry; one per process, used by the loop's thread only."""

    def __init__(self, parts: CallsParts) -> None:
        self._parts = parts
        self.live: dict[str, Live] = {}
        self.chores = Chores()
        self._revival = Revival(self, parts)
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="pack")
        self._packing: set[str] = set()  # calls that are over but for their recording
        parts.folder.mkdir(parents=True, exist_ok=True)

    # ------------------------------------------------------------ begin and resume

    async def open(self, request: CallSetupRequest) -> Live:
        """A call for a client that wants to feed it: a new one, or the one that it was cut off from.

        Raises ``SetupError``.
        """
        call = request.id
        if self.chores.closing:
            raise SetupError("restarting", "the server is stopping; connect again in a moment to go on")
        files = CallFiles(self._parts.folder, call)
        if request.find_tags and call not in self.live and not files.journal.exists():
            request = await self._tagged(request)
        if call not in self.live and call not in self._packing and files.pcm.exists() and files.journal.exists():
            await asyncio.shield(self._revival.begin(call))
        if (live := self.live.get(call)) is not None:
            return self._resume(live, request)
        if (damage := self._revival.damaged.get(call)) is not None:
            raise SetupError("call_damaged", f"call {call} cannot go on ({damage}); use another id")
        if files.journal.exists():
            raise SetupError("call_over", f"call {call} is over; give the new call an id of its own")
        return await self._begin(request, files)

    async def _tagged(self, request: CallSetupRequest) -> CallSetupRequest:
        """The request with the tags that the store knows; in the writer's turn, so that calls just over count."""
        customer, writer = request.customer, self._parts.writer
        if customer is None or writer.failing is not None:
            return request
        found: list[tuple[str, ...]] = []
        now = datetime.fromisoformat(request.started).astimezone()
        try:
            await writer.run(request.id, lambda s: found.append(s.find_tags(customer, request.direction, now)))
        except Exception as error:
            raise SetupError("storage_failed", str(error)) from error
        return replace(request, tags=found[0], find_tags=False)

    def _resume(self, live: Live, request: CallSetupRequest) -> Live:
        if live.connected:
            raise SetupError(
                "call_live",
                f"call {request.id} is being fed by another connection; close that one first or use another id",
            )
        if live.ending is not None or live.runner.closed:
            raise SetupError("call_over", f"call {request.id} is over; give the new call an id of its own")
        if live.request.client != request.client:
            raise SetupError(
                "changed",
                f"call {request.id} was begun with {live.request.client} and cannot go on with {request.client}; "
                "resume with the same rate, channels and sides, or use another id",
            )
        if live.grace is not None:
            live.grace.cancel()
            live.grace = None
        live.connected = True
        self._parts.hub.interrupted(request.id, False)
        return live

    async def _begin(self, request: CallSetupRequest, files: CallFiles) -> Live:
        parts = self._parts
        if parts.writer.failing is not None:
            raise SetupError("storage_failed", f"no new calls while the store fails: {parts.writer.failing}")
        call = parts.make_call(request)
        try:
            files.pcm.unlink(missing_ok=True)  # left by a kill before its journal was begun: nothing was heard
            keeper = Keeper(files.pcm, request.rate, len(request.channels))
            journal = Journal.create(files.journal, request.header())
        except (KeepError, JournalError, OSError) as error:
            raise SetupError("storage_failed", str(error)) from error
        live = self.add(request, call, files, journal, keeper, connected=True)
        try:
            row = call_row(request, files)
            await parts.writer.run(request.id, lambda store: store.save_call(row))
        except Exception as error:
            self._forget(live)
            raise SetupError("storage_failed", str(error)) from error
        return live

    def add(
        self,
        request: CallSetupRequest,
        call: CallLike,
        files: CallFiles,
        journal: Journal,
        keeper: Keeper,
        *,
        connected: bool,
    ) -> Live:
        """Make a call live: a runner for it, and a place on the wall."""
        parts = self._parts
        runner = Runner(
            request,
            call,
            journal,
            keeper,
            partial(self.publish, request.id),
            parts.recogniser,
            parts.settings,
            partial(self.give_up, request.id),
            self._pace,
        )
        live = self.live[request.id] = Live(runner, files, connected)
        live.masker = Masker(request.rate) if parts.mask_numbers else None
        parts.hub.open(request)
        return live

    def _pace(self) -> float:
        """Seconds between two feedings of a call: none for a few calls, longer ones as more share the machine."""
        return min(LONGEST_GULP, GULP_PER_CALL * len(self.live))

    # ------------------------------------------------------------ events on their way out

    def publish(self, call: str, events: Sequence[Event], position: int, received: float | None) -> None:
        """Events on their way to the store, and from there to the screens: the one place that all of them pass, and
        where personal numbers are masked. The journal has them already, as they are."""
        if (masker := self.live[call].masker) is not None:
            events = masker.apply(events)
        self._parts.writer.submit(Batch(call, events, position, received, done=self._show))

    def _show(self, batch: Batch) -> None:
        """The events are in the store: let screens have them."""
        if batch.failure is not None:
            return
        parts = self._parts
        parts.hub.apply(batch.call, batch.events, batch.position)
        if parts.meter is None:
            return
        alerts = [event for event in batch.events if isinstance(event, Alert)]
        for alert in alerts:
            parts.meter.alert(alert)
        if alerts and batch.received is not None:
            parts.meter.latency(asyncio.get_running_loop().time() - batch.received)

    async def room(self) -> None:
        """Wait while the store is behind; whoever reads audio does so before each message."""
        await self._parts.writer.room()

    def outstanding(self) -> int:
        """Finals that the recogniser owes to all calls."""
        return sum(live.runner.outstanding for live in self.live.values())

    # ------------------------------------------------------------ drop and end

    def drop(self, live: Live) -> None:
        """The client is gone without a stop: wait for it, then end the call as interrupted."""
        live.connected = False
        if live.ending is not None or live.runner.closed or self.live.get(live.request.id) is not live:
            return
        self._parts.hub.interrupted(live.request.id, True)
        live.grace = self.chores.later(self._parts.settings.resume_grace, partial(self.end, live, "interrupted"))

    def end(self, live: Live, reason: str) -> asyncio.Task[None]:
        """End a call; the task is done when its report is in the store. Again the same task when asked again.

        The task raises ``CallFailed`` when the end could not be written; the call is then taken up again later.
        """
        if live.grace is not None:
            live.grace.cancel()
            live.grace = None
        if live.ending is None:
            live.ending = self.chores.begin(self._end(live, reason))
        return live.ending

    async def _end(self, live: Live, reason: str) -> None:
        parts, request = self._parts, live.request
        try:
            for chunk in live.tail() if live.tail is not None else ():
                live.runner.audio(chunk.start, chunk.samples)
            await live.runner.finish(reason)
            position = live.runner.position
            await self._report(live, position)
            head = await asyncio.to_thread(live.runner.seal)
        except (CallFailed, JournalError) as error:
            failure = error if isinstance(error, CallFailed) else StorageFailed(str(error))
            self.give_up(request.id, failure)
            raise failure from error
        self.live.pop(request.id, None)
        row = replace(call_row(request, live.files), phase="ended", position=position, journal_head=head)
        self.pack(live.runner.pack, row)
        parts.hub.ended(request.id)
        self.chores.later(parts.settings.linger, partial(parts.hub.remove, request.id))

    async def _report(self, live: Live, position: int) -> None:
        """Make the report and store it with how the call ended, after everything else of the call. A report that
        cannot be made costs the call nothing else: the journal can tell it again."""
        call = live.request.id
        try:
            report, ending = await asyncio.to_thread(conclude, self._parts, live.files, position)
        except Exception:
            log.exception("call %s: no report could be made", call)
            await self._parts.writer.run(call, lambda _: None)
            return
        await self._parts.writer.run(call, lambda store: store.save_ending(call, ending))
        await self._parts.writer.run(call, lambda store: store.save_report(call, report))

    def pack(self, pack: Callable[[], Path | None], row: CallRow) -> None:
        """The call is over: store its row, then have its recording packed in the background."""
        self.save(row)
        self._packing.add(row.id)
        self.chores.begin(self._pack(pack, row))

    async def _pack(self, pack: Callable[[], Path | None], row: CallRow) -> None:
        try:
            flac = await asyncio.get_running_loop().run_in_executor(self._packer, pack)
        except (KeepError, OSError) as error:
            log.error("call %s: %s; it is tried again at the next start", row.id, error)
            return
        self._packing.discard(row.id)
        if flac is not None:
            self.save(replace(row, recording=str(flac)))

    def save(self, row: CallRow) -> None:
        """Store a call's row in its turn."""
        self._parts.writer.submit(Batch(row.id, work=lambda store: store.save_call(row)))

    def give_up(self, call: str, error: CallFailed) -> None:
        """The files of a call are closed as they are. After a failure of storage it is taken up again from them
        after the grace, or sooner when its client comes back; after a defect at the next start."""
        log.error("call %s: %s", call, error)
        live = self.live.pop(call, None)
        if live is None:
            return
        live.runner.abandon()
        if live.grace is not None:
            live.grace.cancel()
        self._parts.hub.interrupted(call, True)
        if isinstance(error, StorageFailed):
            self.chores.later(self._parts.settings.resume_grace, partial(self._revival.again, call))
        else:
            self._revival.damaged[call] = str(error)

    def _forget(self, live: Live) -> None:
        """Undo the beginning of a call that never was."""
        self.live.pop(live.request.id, None)
        self._parts.hub.remove(live.request.id)
        live.runner.abandon()
        for path in (live.files.journal, live.files.pcm):
            with suppress(OSError):
                path.unlink()

    # ------------------------------------------------------------ the process begins and ends

    def recover(self) -> list[str]:
        """Take up every call that a kill cut off; returns their ids."""
        return self._revival.recover()

    async def settled(self) -> None:
        """Wait until no end, rebuild or packing is under way (tests, and a server that is drained)."""
        await self.chores.settled()

    async def close(self) -> None:
        """Leave every call on disk so that the next start, or another process, takes it up where it stands."""
        await self.chores.close()
        for live in self.live.values():
            live.runner.abandon()
        if self.live:
            log.info("%d calls are left to be resumed at the next start", len(self.live))
        await asyncio.to_thread(self._packer.shutdown, wait=True, cancel_futures=True)


def conclude(parts: CallsParts, files: CallFiles, position: int) -> tuple[dict[str, Any], Ending]:
    """The report of a call that is over and how it ended, from its journal; reads the whole file."""
    story = read_story(files.journal)
    told = masked(story.events, story.request.rate) if parts.mask_numbers else story.events
    ending = read_ending(story.request, told, position, parts.roles(story.request.packs))
    return parts.make_report(story.request, story.events, position), ending
