"""One live call: audio to the recording, through the core, into journal and store, out to the screens.

A runner is used by the event loop's thread only. The order makes a kill at any moment harmless: audio is in the
recording before the core hears it, other inputs are in the journal before the core gets them, events are in the
journal before the store, and in the store before any screen. A restart rebuilds the call from recording and
journal (``monitor.live.recover``).

Audio is kept as it comes, and fed in gulps when many calls share the machine (``pace``): a longer stretch costs the
core little more than a short one. What waits to be fed is on disk already.

When recording or journal cannot be written (a full disk), the runner gives up its call at once: what is on disk
stays, nothing is claimed about audio that was not kept, and the client may resume when there is room again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import numpy as np

from monitor.core.types import AsrRequest, Chunk, Event, Hypothesis, Samples, Signal
from monitor.live.journal import Journal, JournalError
from monitor.live.keep import Keeper, KeepError
from monitor.live.settings import LiveSettings
from monitor.live.setup import CallLike, CallSetupRequest, RecogniserLike

log = logging.getLogger(__name__)

Publish = Callable[[Sequence[Event], int, float | None], None]
"""Takes events, the position, and the loop time at which their cause arrived."""


class Note(StrEnum):
    """The remarks in a journal that a rebuild needs, besides inputs."""

    GAP = "gap"  # {"start", "end"}: this audio never came
    GAP_VOID = "gap_void"  # the same: a kill came before the audio that follows the gap; the gap never was
    CLOSED = "audio_closed"  # {"reason"}: no audio follows
    FINISHING = "finishing"  # {"missing"}: finals that were not waited for any longer
    FINISHED = "finished"  # everything is in the store
    DIVERGED = "diverged"  # {"events"}: so many events before this did not come again in a rebuild


class CallFiles:
    """Where the files of a call lie."""

    def __init__(self, folder: Path, call: str) -> None:
        self.journal = folder / f"{call}.jsonl"
        self.pcm = folder / f"{call}.pcm"
        self.flac = folder / f"{call}.flac"


class CallFailed(Exception):
    """A call cannot go on in this process; what is on disk stays. The message names the cause and the remedy."""


class StorageFailed(CallFailed):
    """Recording or journal could not be written; the call can be taken up again when there is room."""


class Runner:
    """Feeds one call. ``pace`` says how many seconds should lie between two feedings at present. ``failed`` is called
    when the call had to be given up outside of its client's own message."""

    def __init__(
        self,
        request: CallSetupRequest,
        call: CallLike,
        journal: Journal,
        keeper: Keeper,
        publish: Publish,
        recogniser: RecogniserLike | None,
        settings: LiveSettings,
        failed: Callable[[CallFailed], None],
        pace: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.request = request
        self.call = call
        self.journal = journal
        self.closed = False
        self.failure: CallFailed | None = None
        self._keeper = keeper
        self._publish = publish
        self._recogniser = recogniser
        self._settings = settings
        self._failed = failed
        self._pace = pace
        self._waiting: list[Chunk] = []  # kept, not yet fed
        self._waiting_since: float | None = None
        self._fed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._finals: set[int] = set()
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        self._signals: set[Signal] = set()
        self._audio_open = True
        self._verdicts_given = False

    @property
    def position(self) -> int:
        """Samples of the call that are kept; all of them are fed within moments."""
        return self._keeper.position

    @property
    def outstanding(self) -> int:
        """Finals that the recogniser still owes."""
        return len(self._finals)

    # ------------------------------------------------------------ inputs

    def audio(self, start: int, samples: Samples, received: float | None = None) -> None:
        """Take int16 of shape (n, channels) from position ``start``; a jump ahead is lost audio.

        Raises ``CallFailed``, after which the runner is of no more use.
        """
        position = self.position
        try:
            if start > position:
                self.journal.note(Note.GAP, {"start": position, "end": start}, position)
                self._keeper.gap(start - position)
            self._keeper.write(samples)
        except (JournalError, KeepError) as error:
            raise self._give_up(error, position) from error
        self._waiting.append(Chunk(start, samples))
        if self._waiting_since is None:
            self._waiting_since = received
        wait = self._fed_at + self._pace() - self._loop.time()
        if wait <= 0 or self.position - self.call.position >= self.request.rate:
            self.catch_up()
        elif self._timer is None:
            self._timer = self._loop.call_later(wait, self._catch_up_later)

    def catch_up(self) -> None:
        """Feed what waits. Raises ``CallFailed``."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        received, self._waiting_since = self._waiting_since, None
        self._fed_at = self._loop.time()
        try:
            for chunk in joined(waiting):
                self._take(self.call.feed(chunk), received)
        except Exception as error:
            raise self._give_up(error) from error

    def _catch_up_later(self) -> None:
        self._timer = None
        if self.closed:
            return
        try:
            self.catch_up()
        except CallFailed as error:
            self._failed(error)

    def signal(self, signal: Signal, received: float | None = None) -> None:
        """Feed a telephony fact; the same fact again (a client that resumed) changes nothing."""
        if signal in self._signals:
            return
        self._signals.add(signal)
        self.catch_up()
        self._input(signal, received)

    def answer(self, hypothesis: Hypothesis) -> None:
        """Feed the recogniser's answer; one that comes after the call is over is of no use."""
        if self.closed:
            return
        self._settle(hypothesis.request)
        try:
            self._input(hypothesis, None)
        except CallFailed as error:
            self._failed(error)

    def _settle(self, request: int) -> None:
        self._finals.discard(request)
        if not self._finals:
            self._all_answered.set()

    def _input(self, item: Hypothesis | Signal, received: float | None) -> None:
        try:
            self.journal.input(item, self.call.position)
            self._take(self.call.feed(item), received)
        except Exception as error:
            raise self._give_up(error) from error

    def remark(self, name: str, data: dict[str, object]) -> None:
        """Write something about the call into its journal that is no input."""
        try:
            self.journal.note(name, data, self.call.position)
        except JournalError as error:
            raise self._give_up(error) from error

    # ------------------------------------------------------------ outputs

    def _take(self, events: list[Event], received: float | None) -> None:
        """Journal the events, hand them to the store, and pass new requests on."""
        position = self.call.position
        if events:
            self.journal.events(events, position)
            self._publish(events, position, received)
        self.ask(self.call.requests())

    def ask(self, requests: Sequence[AsrRequest]) -> None:
        """Submit requests; answers come back to the loop."""
        if self._recogniser is None:
            return
        for request in requests:
            if request.final:
                self._finals.add(request.id)
                self._all_answered.clear()
            self._recogniser.submit(self.request.id, request, self._reply)

    def _reply(self, hypothesis: Hypothesis) -> None:
        """In the recogniser's thread."""
        with suppress(RuntimeError):  # the loop is closed: a restart asks again
            self._loop.call_soon_threadsafe(self.answer, hypothesis)

    def restore(self, requests: Sequence[AsrRequest], signals: set[Signal], audio_open: bool, over: bool) -> None:
        """After a rebuild: remember which signals came and which end was begun, ask again what was not answered."""
        self._signals |= signals
        self._audio_open = audio_open
        self._verdicts_given = over
        if not over:
            self.ask(requests)

    # ------------------------------------------------------------ end

    async def finish(self, reason: str) -> None:
        """End the call: no audio follows, the last finals are waited for, every rule gives its verdict.

        Raises ``CallFailed``. The files stay open for ``seal``.
        """
        self.catch_up()
        try:
            if self._audio_open:
                self._audio_open = False
                self.journal.note(Note.CLOSED, {"reason": reason}, self.call.position)
                self._take(self.call.close_audio(), None)
            if self._finals:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._all_answered.wait(), self._settings.finals_wait)
            if self.closed:  # storage failed meanwhile, on an answer
                raise self.failure or CallFailed(f"call {self.request.id}: given up while its last words were awaited")
            if self._finals:
                log.warning("call %s: ended with %d finals missing", self.request.id, len(self._finals))
            self.closed = True
            if not self._verdicts_given:
                self.journal.note(Note.FINISHING, {"missing": len(self._finals)}, self.call.position)
                self._take(self.call.finish(), None)
        except CallFailed:
            raise
        except Exception as error:
            raise self._give_up(error) from error

    def seal(self) -> str:
        """Everything is in the store: say so in the journal and close it. Returns the hash of its last line.

        Blocks on the disk, so it is for a worker thread; nobody else uses the runner by then.
        """
        self.journal.note(Note.FINISHED, {}, self.call.position)
        self.journal.close()
        return self.journal.head

    def pack(self) -> Path | None:
        """Make the FLAC, or remove the audio where none is kept. Blocks for as long as it takes to encode."""
        if self._settings.keep_recording:
            return self._keeper.finish()
        self._keeper.close()
        self._keeper.path.unlink(missing_ok=True)
        return None

    def abandon(self) -> None:
        """Close the files as they are; a rebuild goes on from them."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._keeper.close()
        with suppress(JournalError):
            self.journal.close()

    def _give_up(self, error: Exception, kept: int | None = None) -> CallFailed:
        """Close the files; after a failure of the recording it is cut to the ``kept`` samples, so that the client
        is asked for the rest again."""
        self.abandon()
        if isinstance(error, (JournalError, KeepError)):
            if kept is not None:
                with suppress(OSError):
                    cut_pcm(self._keeper.path, kept, len(self.request.channels))
            self.failure = StorageFailed(str(error))
        else:
            log.error("call %s: a defect of the program", self.request.id, exc_info=error)
            self.failure = CallFailed(
                f"the call was given up at {self.position / self.request.rate:.1f} s for a defect of the monitor "
                f"({type(error).__name__}); its recording is kept, please report it with the journal"
            )
        return self.failure


def joined(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The same audio with neighbours put together."""
    runs: list[list[Chunk]] = []
    end = -1
    for chunk in chunks:
        if chunk.start != end:
            runs.append([])
        runs[-1].append(chunk)
        end = chunk.start + len(chunk.samples)
    return [
        run[0] if len(run) == 1 else Chunk(run[0].start, np.concatenate([chunk.samples for chunk in run]))
        for run in runs
    ]


def cut_pcm(path: Path, position: int, channels: int) -> None:
    """Shorten a recording to ``position`` samples, if it is longer."""
    size = position * 2 * channels
    if path.stat().st_size > size:
        with path.open("r+b") as file:
            file.truncate(size)
