"""The two ears that all live calls share: a fast one for speech while it lasts, a careful one for what was said.

Each ear is a recogniser with a thread of its own, so the fast one never waits for the careful one. A finished segment
is heard by both, and what they heard is joined into one answer: the careful ear decides, the fast one's words go with
it. When the machine cannot follow, the fast ear answers alone (``monitor.asr.finals`` has the policy); every answer is
marked with the ear that decided it, and the state is told: ``stats``, ``listen``, the log. An ear that is the only one
does all of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from monitor.asr.backlog import Job, Reply
from monitor.asr.finals import Final, Finals, Todo
from monitor.asr.pair import Engines, marked
from monitor.asr.protocol import Engine
from monitor.asr.worker import Recogniser, Stats, deliver
from monitor.core.types import AsrRequest, Ear, Hypothesis

log = logging.getLogger(__name__)

PATIENCE = 6.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class EarsStats(Stats):
    """Where the ears stand, both taken together where nothing else is said: a request counts once for each ear that
    heard it, ``busy`` is the busier ear's, delays run to the joined answer."""

    fast_only: bool
    """The careful ear is behind: finals are answered by the fast one alone."""
    fast_alone: int
    """Finals so answered since the start."""
    times_behind: int
    """How often the careful ear fell behind."""
    fast: Stats | None
    careful: Stats | None


class Ears:
    """Recognises for many calls at once, like ``Recogniser``. All methods may be called from any thread.

    ``patience``: seconds a final waits for the careful ear. Loads the engines, which may raise ``ModelError``;
    ``ValueError`` when there is none. ``watch`` False leaves it to the caller to ``look`` when time has passed.
    """

    def __init__(  # keywords that a configuration and the tests set
        self,
        fast: Engine | None,
        careful: Engine | None,
        patience: float = PATIENCE,
        *,
        max_partials: int = 64,
        clock: Callable[[], float] = time.monotonic,
        watch: bool = True,
    ) -> None:
        engines = Engines(fast, careful)
        engines.load()
        self.name = engines.name
        self._patience = patience
        self._clock = clock
        self._fast = Recogniser(fast, max_partials=max_partials, clock=clock) if fast else None
        self._careful = Recogniser(careful, max_partials=max_partials, clock=clock) if careful else None
        self._changed = threading.Condition()
        self._finals = Finals(patience, clock(), lambda: self._careful.lag if self._careful else 0.0)
        self._listeners: list[Callable[[], None]] = []
        self._closing = False
        self._watcher: threading.Thread | None = None
        if watch and self._fast and self._careful:
            self._watcher = threading.Thread(target=self._watch, name="ears", daemon=True)
            self._watcher.start()

    # ------------------------------------------------------------ asking

    def submit(self, call_id: str, request: AsrRequest, reply: Reply) -> None:
        """Asks for ``request``; ``reply`` gets the answer, from a thread of the ears, and must be quick.

        A partial that is replaced by a newer one is never answered; a final always is, once.
        """
        if self._fast is None or self._careful is None:
            self._present[0].submit(call_id, request, lambda heard: reply(marked(heard, Ear.ONLY)))
        elif not request.final:
            self._fast.submit(call_id, request, lambda heard: reply(marked(heard, Ear.FAST)))
        else:
            job = Job(call_id, request, reply, self._clock())
            with self._changed:
                todo = self._finals.review(job.since)
                final = self._finals.add(job)
                both = not final.alone
                self._changed.notify_all()
            self._do(todo)
            self._fast.submit(call_id, request, partial(self._heard, final, Ear.FAST))
            if both:
                self._careful.submit(call_id, request, partial(self._heard, final, Ear.CAREFUL))

    def _heard(self, final: Final, ear: Ear, hypothesis: Hypothesis) -> None:
        """In the thread of the ear that answers."""
        with self._changed:
            todo = self._finals.heard(final, ear, hypothesis, self._clock())
        self._do(todo)

    # ------------------------------------------------------------ telling

    @property
    def fast_only(self) -> bool:
        """Whether the careful ear is behind, so that finals are answered by the fast one alone."""
        with self._changed:
            return self._finals.fast_only

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called, in a thread of the ears, whenever ``fast_only`` has changed. It must be quick."""
        self._listeners.append(listener)

    @property
    def lag(self) -> float:
        """How long (s) the oldest unanswered final has waited; 0 when there is none."""
        if self._fast is None or self._careful is None:
            return self._present[0].lag
        with self._changed:
            return self._finals.lag(self._clock())

    @property
    def stats(self) -> EarsStats:
        """Where the ears stand now."""
        fast = self._fast.stats if self._fast else None
        careful = self._careful.stats if self._careful else None
        each = [stats for stats in (fast, careful) if stats is not None]
        only = each[0] if len(each) == 1 else None
        with self._changed:
            finals = self._finals
            delays = sorted(finals.delays)
            mean = sum(delays) / len(delays) if delays else 0.0
            late = delays[int(0.95 * (len(delays) - 1))] if delays else 0.0
            return EarsStats(
                name=self.name,
                waiting_finals=only.waiting_finals if only else len(finals),
                waiting_partials=sum(stats.waiting_partials for stats in each),
                lag=only.lag if only else finals.lag(self._clock()),
                busy=max(stats.busy for stats in each),
                passes=sum(stats.passes for stats in each),
                answered=sum(stats.answered for stats in each),
                failed=sum(stats.failed for stats in each),
                skipped=sum(stats.skipped for stats in each),
                audio_seconds=sum(stats.audio_seconds for stats in each),
                delay_mean=only.delay_mean if only else mean,
                delay_95=only.delay_95 if only else late,
                fast_only=finals.fast_only,
                fast_alone=finals.fast_alone,
                times_behind=finals.times_behind,
                fast=fast,
                careful=careful,
            )

    # ------------------------------------------------------------ waiting and ending

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Waits until everything handed in is answered; False when ``timeout`` seconds were not enough."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            for recogniser in self._present:
                if not recogniser.wait_idle(_left(until)):
                    return False
            with self._changed:
                if not self._changed.wait_for(lambda: not len(self._finals), _left(until)):
                    return False
            if all(recogniser.wait_idle(0) for recogniser in self._present):
                return True  # a reply may have asked again meanwhile

    def close(self, timeout: float | None = None) -> None:
        """Ends the threads after their present passes (waiting ``timeout`` seconds at most for them).

        What still waits is answered with the fast ear's words where it has heard them, else as failed. Call
        ``wait_idle`` first to have it recognised.
        """
        until = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for recogniser in reversed(self._present):  # the careful one first: the fast one may still be of use
            recogniser.close(_left(until))
        if self._watcher is not None and self._watcher is not threading.current_thread():
            self._watcher.join(_left(until))

    @property
    def _present(self) -> list[Recogniser]:
        return [recogniser for recogniser in (self._fast, self._careful) if recogniser is not None]

    # ------------------------------------------------------------ as time passes

    def look(self) -> None:
        """Do what the time asks for: answer finals that have waited too long, see whether the careful ear is back."""
        with self._changed:
            todo = self._finals.review(self._clock())
        self._do(todo)

    def _watch(self) -> None:
        """The thread that looks when a final runs out of patience."""
        while self._wait_to_look():
            self.look()

    def _wait_to_look(self) -> bool:
        with self._changed:
            if not self._closing:
                self._changed.wait(self._finals.next_look(self._clock()))
            return not self._closing

    def _do(self, todo: Todo) -> None:
        """Without the lock: whoever gets an answer may ask again."""
        if todo.turned:
            self._tell()
        for final in todo.spared:
            if self._careful is not None:
                self._careful.withdraw(final.job.call, final.job.request)
        for final, hypothesis in todo.answers:
            deliver(final.job, hypothesis)
        if todo.answers:
            with self._changed:
                self._finals.gone([final for final, _ in todo.answers])
                self._changed.notify_all()
        for final in todo.asked:
            if self._careful is not None:
                heard = partial(self._heard, final, Ear.CAREFUL)
                self._careful.submit(final.job.call, final.job.request, heard)

    def _tell(self) -> None:
        if self.fast_only:
            log.warning("the careful ear is more than %.3g s behind: the fast ear answers alone", self._patience)
        else:
            log.info("the careful ear has caught up: both ears answer again")
        for listener in self._listeners:
            listener()


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - time.monotonic())
