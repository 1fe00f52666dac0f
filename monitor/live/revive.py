"""Taking up calls that a kill, or a full disk, cut off: rebuilt beside the live ones, then live again themselves."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.live.journal import Journal, JournalError, read, verify
from monitor.live.keep import Keeper, KeepError
from monitor.live.parts import CallsParts, Live, call_row
from monitor.live.recover import Rebuilt, Story, prepare, rebuild, unfinished
from monitor.live.runner import CallFiles, Note
from monitor.live.setup import CallLike, SetupError

if TYPE_CHECKING:
    from monitor.live.calls import Calls

log = logging.getLogger(__name__)


class Revival:
    """Rebuilds calls one after another in a worker thread, while the others go on.

    ``damaged`` holds the calls that cannot be rebuilt in this process, with the reason; their files are untouched.
    """

    def __init__(self, calls: Calls, parts: CallsParts) -> None:
        self.damaged: dict[str, str] = {}
        self._calls = calls
        self._parts = parts
        self._running: dict[str, asyncio.Task[None]] = {}
        self._one = asyncio.Semaphore(1)

    def recover(self) -> list[str]:
        """Begin with every call that a kill cut off; returns their ids."""
        found = [files.pcm.stem for files in unfinished(self._parts.folder)]
        for call in found:
            self.begin(call)
        self._calls.chores.begin(self._parts.writer.run("*", partial(end_rows, folder=self._parts.folder)))
        return found

    def begin(self, call: str) -> asyncio.Task[None]:
        """The rebuild of a call; the one under way when there is one."""
        if (running := self._running.get(call)) is not None:
            return running
        task = self._running[call] = self._calls.chores.begin(self._rebuild(call))
        task.add_done_callback(lambda _: self._running.pop(call, None))
        return task

    def again(self, call: str) -> None:
        """Try a call again whose storage failed, unless its client has come back already."""
        if call not in self._calls.live and CallFiles(self._parts.folder, call).pcm.exists():
            self.begin(call)

    async def _rebuild(self, call: str) -> None:
        files = CallFiles(self._parts.folder, call)
        self.damaged.pop(call, None)
        try:
            async with self._one:
                if not files.journal.exists():  # killed before its first line: nothing was heard
                    files.pcm.unlink(missing_ok=True)
                    return
                await self._take_up(call, files)
        except (KeepError, OSError, _NoRoom) as error:
            log.error("call %s: could not be rebuilt, tried again later: %s", call, error)
            self._calls.chores.later(self._parts.settings.resume_grace, partial(self.again, call))
        except Exception as error:
            known = isinstance(error, (JournalError, SetupError))
            log.error("call %s: could not be rebuilt: %s", call, error, exc_info=None if known else error)
            self.damaged[call] = str(error)

    async def _take_up(self, call: str, files: CallFiles) -> None:
        story, void = await asyncio.to_thread(prepare, files)
        if story.finished:
            await self._pack(story, files)
            return
        fresh = self._parts.make_call(story.request)
        rebuilt = await asyncio.to_thread(rebuild, fresh, story, files.pcm)
        try:
            live = self._revive(story, files, fresh, void, rebuilt)
        except JournalError as error:
            raise _NoRoom(str(error)) from error
        self._calls.drop(live)
        if story.audio_closed:
            self._calls.end(live, "interrupted")

    def _revive(
        self, story: Story, files: CallFiles, call: CallLike, void: list[tuple[int, int]], rebuilt: Rebuilt
    ) -> Live:
        """Make a rebuilt call live again: what the journal lacks is appended, everything goes to the store."""
        request = story.request
        journal = Journal.open(files.journal)
        for start, end in void:
            journal.note(Note.GAP_VOID, {"start": start, "end": end}, call.position)
        if rebuilt.contradicted:
            log.warning("call %s: %d events did not come again", request.id, rebuilt.contradicted)
            journal.note(Note.DIVERGED, {"events": rebuilt.contradicted}, call.position)
        journal.events(rebuilt.missing, call.position)
        keeper = Keeper(files.pcm, request.rate, len(request.channels))
        live = self._calls.add(request, call, files, journal, keeper, connected=False)
        for remark in story.remarks:
            self._parts.hub.note(request.id, remark)
        self._calls.save(call_row(request, files))
        self._calls.publish(request.id, rebuilt.events, call.position, None)
        live.runner.restore(rebuilt.requests, story.signals, not story.audio_closed, story.finishing)
        log.info("call %s: rebuilt, the kill cut off %d events", request.id, len(rebuilt.missing))
        return live

    async def _pack(self, story: Story, files: CallFiles) -> None:
        """The call was over, only the recording was not packed."""
        request = story.request
        keeper = await asyncio.to_thread(Keeper, files.pcm, request.rate, len(request.channels))
        head = (await asyncio.to_thread(verify, files.journal)).head
        row = replace(call_row(request, files), phase="ended", position=keeper.position, journal_head=head)
        keep = self._parts.settings.keep_recording
        self._calls.pack(keeper.finish if keep else partial(_discard, keeper), row)


class _NoRoom(Exception):
    """The journal of a rebuilt call could not be continued."""


def end_rows(store: Any, folder: Path) -> None:
    """Calls of ``folder`` that the store believes to run though their recording is packed: a kill came between the
    two. In the writer's thread."""
    for row in store.unfinished():
        files = CallFiles(folder, row.id)
        if row.journal != str(files.journal) or files.pcm.exists() or not files.journal.exists():
            continue
        position = max((line.at for line in read(files.journal)), default=row.position)
        recording = str(files.flac) if files.flac.exists() else None
        store.save_call(replace(row, phase="ended", position=position, recording=recording))


def _discard(keeper: Keeper) -> None:
    keeper.close()
    keeper.path.unlink(missing_ok=True)
