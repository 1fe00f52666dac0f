"""Requests that wait for the recogniser, and who is next. No threads and no clock in here.

Policy, in this order:

1. A final is never dropped. A partial is replaced by the next one of the same call and channel and keeps its
   place; it goes when a final of that channel comes; above ``max_partials`` the one that waited longest goes.
2. Finals go before partials.
3. Calls take turns, so that one with much to recognise does not hold up the others; within a call the oldest
   first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from monitor.core.types import AsrRequest, Channel, Hypothesis

Reply = Callable[[Hypothesis], None]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A request of a call that came ``since`` (seconds of the worker's clock)."""

    call: str
    request: AsrRequest
    reply: Reply
    since: float


class Backlog:
    """The waiting jobs of all calls."""

    def __init__(self, max_partials: int) -> None:
        self._most = max_partials
        self._finals: OrderedDict[str, deque[Job]] = OrderedDict()  # next call first
        self._partials: OrderedDict[tuple[str, Channel], Job] = OrderedDict()  # longest waiting first
        self.skipped = 0

    def put(self, job: Job) -> None:
        """Lets ``job`` wait. A partial that a newer one replaces, or for which there is no room, counts as ``skipped``;
        one whose final has come says nothing about being behind."""
        key = (job.call, job.request.channel)
        if job.request.final:
            self._finals.setdefault(job.call, deque()).append(job)
            waiting = self._partials.get(key)
            if waiting is not None and waiting.request.segment <= job.request.segment:
                del self._partials[key]
            return
        if key in self._partials:
            self.skipped += 1
        self._partials[key] = job
        if len(self._partials) > self._most:
            self._partials.popitem(last=False)
            self.skipped += 1

    def take(self, most: int) -> list[Job]:
        """Up to ``most`` jobs to do next, all finals or all partials; empty when nothing waits."""
        jobs: list[Job] = []
        while self._finals and len(jobs) < most:
            call, waiting = self._finals.popitem(last=False)
            jobs.append(waiting.popleft())
            if waiting:
                self._finals[call] = waiting  # goes to the end of the line
        while not jobs_are_final(jobs) and self._partials and len(jobs) < most:
            jobs.append(self._partials.popitem(last=False)[1])
        return jobs

    def withdraw(self, call: str, request: AsrRequest) -> bool:
        """Takes out the waiting final for ``request``; False when it does not wait here any more."""
        waiting = self._finals.get(call, deque())
        for job in waiting:
            if job.request.id == request.id:
                waiting.remove(job)
                if not waiting:
                    del self._finals[call]
                return True
        return False

    def clear(self) -> list[Job]:
        """Takes everything out, finals first."""
        jobs = [job for waiting in self._finals.values() for job in waiting] + list(self._partials.values())
        self._finals.clear()
        self._partials.clear()
        return jobs

    @property
    def finals(self) -> int:
        return sum(len(waiting) for waiting in self._finals.values())

    @property
    def partials(self) -> int:
        return len(self._partials)

    @property
    def oldest_final(self) -> float | None:
        """``since`` of the final that has waited longest."""
        return min((waiting[0].since for waiting in self._finals.values()), default=None)


def jobs_are_final(jobs: list[Job]) -> bool:
    """Whether these jobs, taken together, are finals."""
    return bool(jobs) and jobs[0].request.final
