"""A recogniser that all calls share: one thread, one engine, a bounded backlog."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from monitor.asr.backlog import Backlog, Job, Reply
from monitor.asr.protocol import Engine
from monitor.core.types import AsrRequest, Hypothesis

log = logging.getLogger(__name__)

CLOSED = "recogniser closed"
WINDOW_SECONDS = 60.0
"""Busy share is over the last minute."""

DELAYS_KEPT = 512


@dataclass(frozen=True, slots=True)
class Stats:
    """Where the recogniser stands. Delays (s) run from handing in a final to its answer (latest 512)."""

    name: str
    waiting_finals: int
    waiting_partials: int
    lag: float
    """How long (s) the oldest unanswered final has waited; 0 when there is none."""
    busy: float
    """Share of the last minute, 0..1, spent recognising."""
    passes: int
    """Batches done."""
    answered: int
    failed: int
    skipped: int
    """Partials dropped because something newer made them superfluous or too many waited."""
    audio_seconds: float
    """Audio recognised, all passes counted."""
    delay_mean: float
    delay_95: float


class Recogniser:
    """Recognises for many calls at once. All methods may be called from any thread.

    ``max_partials`` bounds the waiting partials of all calls; ``max_batch`` the requests of one pass (by
    default what the engine likes). Loads the engine, which may raise ``ModelError``.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_partials: int = 64,
        max_batch: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        engine.load()
        self._engine = engine
        self._batch = max_batch or engine.batch
        self._clock = clock
        self._changed = threading.Condition()
        self._backlog = Backlog(max_partials)
        self._working: list[Job] = []
        self._closing = False
        self._passes = self._answered = self._failed = 0
        self._audio = 0.0
        self._delays: deque[float] = deque(maxlen=DELAYS_KEPT)
        self._spells: deque[tuple[float, float]] = deque()  # (begin, end) of the passes of the last minute
        self._began = clock()
        self._thread = threading.Thread(target=self._work, name=f"recogniser {engine.name}", daemon=True)
        self._thread.start()

    def submit(self, call_id: str, request: AsrRequest, reply: Reply) -> None:
        """Asks for ``request``; ``reply`` gets the answer, from the recogniser's thread, and must be quick.

        A partial that is replaced by a newer one is never answered; a final always is.
        """
        job = Job(call_id, in_stream(call_id, request), reply, self._clock())
        with self._changed:
            if not self._closing:
                self._backlog.put(job)
                self._changed.notify_all()
                return
        deliver(job, Hypothesis(request.id, (), failed=CLOSED))

    def withdraw(self, call_id: str, request: AsrRequest) -> bool:
        """Takes back a final that still waits; it is then never answered. False when it is too late for that."""
        with self._changed:
            done = self._backlog.withdraw(call_id, request)
            self._changed.notify_all()
        return done

    @property
    def lag(self) -> float:
        """How long (s) the oldest unanswered final has waited; 0 when there is none."""
        with self._changed:
            return self._lag()

    @property
    def stats(self) -> Stats:
        """Where the recogniser stands now."""
        with self._changed:
            delays = sorted(self._delays)
            return Stats(
                name=self._engine.name,
                waiting_finals=self._backlog.finals,
                waiting_partials=self._backlog.partials,
                lag=self._lag(),
                busy=self._busy(),
                passes=self._passes,
                answered=self._answered,
                failed=self._failed,
                skipped=self._backlog.skipped,
                audio_seconds=self._audio,
                delay_mean=sum(delays) / len(delays) if delays else 0.0,
                delay_95=delays[int(0.95 * (len(delays) - 1))] if delays else 0.0,
            )

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Waits until everything handed in is answered; False when ``timeout`` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._working or self._backlog.finals or self._backlog.partials), timeout
            )

    def close(self, timeout: float | None = None) -> None:
        """Ends the thread after its present pass (waiting ``timeout`` seconds at most for it).

        What still waits is answered as failed. Call ``wait_idle`` first to have it recognised.
        """
        with self._changed:
            self._closing = True
            left = self._backlog.clear()
            self._changed.notify_all()
        for job in left:
            deliver(job, Hypothesis(job.request.id, (), failed=CLOSED))
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    # ------------------------------------------------------------ the thread

    def _work(self) -> None:
        while jobs := self._next():
            begin = self._clock()
            answers = recognise_safely(self._engine, [job.request for job in jobs])
            self._note(jobs, answers, begin, self._clock())
            for job, hypothesis in zip(jobs, answers, strict=True):
                deliver(job, hypothesis)
            with self._changed:
                self._working = []
                self._changed.notify_all()

    def _next(self) -> list[Job]:
        """The next batch, waited for; empty when the recogniser closes."""
        with self._changed:
            while not self._closing:
                self._working = self._backlog.take(self._batch)
                if self._working:
                    return self._working
                self._changed.wait()
            return []

    def _note(self, jobs: list[Job], answers: list[Hypothesis], begin: float, end: float) -> None:
        with self._changed:
            self._passes += 1
            self._answered += len(jobs)
            self._failed += sum(answer.failed is not None for answer in answers)
            self._audio += sum((job.request.end - job.request.start) / job.request.rate for job in jobs)
            self._delays.extend(end - job.since for job in jobs if job.request.final)
            self._spells.append((begin, end))
            self._forget_old()

    # ------------------------------------------------------------ under the lock

    def _lag(self) -> float:
        since = [job.since for job in self._working if job.request.final]
        if (waiting := self._backlog.oldest_final) is not None:
            since.append(waiting)
        return max(0.0, self._clock() - min(since)) if since else 0.0

    def _forget_old(self) -> None:
        while self._spells and self._spells[0][1] < self._clock() - WINDOW_SECONDS:
            self._spells.popleft()

    def _busy(self) -> float:
        now = self._clock()
        first = max(self._began, now - WINDOW_SECONDS)
        self._forget_old()
        spent = sum(end - max(begin, first) for begin, end in self._spells)
        return min(1.0, spent / (now - first)) if now > first else 0.0


def in_stream(call_id: str, request: AsrRequest) -> AsrRequest:
    """The request with its segment's name among those of all calls."""
    return replace(request, stream=f"{call_id}/{request.channel.value}/{request.segment}")


def answer(
    engine: Engine, requests: Sequence[AsrRequest], *, partials: bool = True, call_id: str = ""
) -> list[Hypothesis]:
    """Recognises drained requests of a call at once, for replaying a recording; answers in the order of the requests.

    Without ``partials`` only finals are recognised and answered. Calls that take turns with one engine need ids.
    """
    engine.load()
    asked = [in_stream(call_id, request) for request in requests if request.final or partials]
    return recognise_safely(engine, asked)


def recognise_safely(engine: Engine, requests: list[AsrRequest]) -> list[Hypothesis]:
    """The engine's answers; if it breaks its promise never to raise, every request has failed."""
    try:
        answers = engine.recognise(requests)
    except Exception as problem:
        log.exception("the engine %s broke down", engine.name)
        return [Hypothesis(request.id, (), failed=type(problem).__name__) for request in requests]
    if [answer.request for answer in answers] != [request.id for request in requests]:
        log.error("the engine %s answered other requests than it was given", engine.name)
        return [Hypothesis(request.id, (), failed="wrong answer") for request in requests]
    return answers


def deliver(job: Job, hypothesis: Hypothesis) -> None:
    """Gives the answer to whoever asked; what goes wrong there is logged and stops nobody else."""
    try:
        job.reply(hypothesis)
    except Exception:
        log.exception("the answer to a request of call %s could not be delivered", job.call)
