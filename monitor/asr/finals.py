"""Finals that two ears hear: what each has heard, who is still waited for, and when an answer goes out.

No threads and no clock in here: moments (s) are handed in, and what has to be done comes back as ``Todo``. The policy:

1. A final waits for both ears; the careful one decides (``monitor.asr.pair``).
2. After ``patience`` seconds it is answered with what there is: the fast ear's words, when the careful ear has not
   heard it, and the careful ear is then spared it.
3. When that happens the careful ear is behind: finals that come go to the fast ear alone, until the careful one has
   caught up (the oldest final that it has to hear, or is hearing, came less than half the patience ago). It stays that
   way for twice the patience at least, so that screens do not flicker.
4. A final is answered exactly once; one that the fast ear alone fails on goes to the careful ear after all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.asr.backlog import Job
from monitor.asr.pair import joined
from monitor.asr.worker import DELAYS_KEPT
from monitor.core.types import Ear, Hypothesis

CAUGHT_UP = 0.5
"""Share of the patience."""

LEAST_STAY = 2.0
"""Times the patience."""

LOOK_EVERY = 1.0
"""Seconds between two looks whether the careful ear has caught up while nobody speaks."""


@dataclass(slots=True, eq=False)
class Final:
    """A final and what has been heard of it. ``alone``: the careful ear is not waited for any more."""

    job: Job
    alone: bool
    fast: Hypothesis | None = None
    careful: Hypothesis | None = None
    answered: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be answered with what is there."""
        if self.fast is None:
            return self.alone and self.careful is not None and not self.careful.failed
        return self.careful is not None or (self.alone and not self.fast.failed)


@dataclass(slots=True)
class Todo:
    """What follows from a moment or an answer: answers to give, finals to spare the careful ear or to ask it for
    after all, and whether ``fast_only`` has changed."""

    answers: list[tuple[Final, Hypothesis]] = field(default_factory=list)
    spared: list[Final] = field(default_factory=list)
    asked: list[Final] = field(default_factory=list)
    turned: bool = False


class Finals:
    """All finals that are not answered. For one thread at a time.

    ``careful_lag`` tells how long (s) the oldest final has waited that the careful ear has yet to hear out.
    """

    def __init__(self, patience: float, now: float, careful_lag: Callable[[], float]) -> None:
        self.fast_only = False
        self.fast_alone = 0
        """Finals answered with the fast ear's words alone."""
        self.times_behind = 0
        self.delays: deque[float] = deque(maxlen=DELAYS_KEPT)
        self._patience = patience
        self._careful_lag = careful_lag
        self._turned_at = now
        self._pending: dict[Final, None] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, job: Job) -> Final:
        """A final that came just now; it is for the fast ear, and unless ``alone`` for the careful one."""
        final = Final(job, alone=self.fast_only)
        self._pending[final] = None
        return final

    def heard(self, final: Final, ear: Ear, hypothesis: Hypothesis, now: float) -> Todo:
        """An ear has answered."""
        nobody_else = final.alone and final.careful is None
        if ear is Ear.FAST:
            final.fast = hypothesis
        else:
            final.careful = hypothesis
        todo = self.review(now)
        self._settle(final, todo, now)
        if nobody_else and ear is Ear.FAST and hypothesis.failed:
            todo.asked.append(final)
        return todo

    def review(self, now: float) -> Todo:
        """What the present moment asks for."""
        todo = Todo()
        late = [final for final in self._waiting() if now - final.job.since >= self._patience]
        behind = any(final.careful is None for final in late)
        for final in late:
            final.alone = True
            if final.careful is None and not (final.fast and final.fast.failed):
                todo.spared.append(final)
            self._settle(final, todo, now)
        if behind and not self.fast_only:
            self.times_behind += 1
            self._turn(todo, now)
        elif self.fast_only and self._caught_up(now):
            self._turn(todo, now)
        return todo

    def _caught_up(self, now: float) -> bool:
        stayed = now - self._turned_at >= LEAST_STAY * self._patience
        return stayed and self._careful_lag() < CAUGHT_UP * self._patience

    def gone(self, finals: list[Final]) -> None:
        """These answers have been given."""
        for final in finals:
            self._pending.pop(final, None)

    def lag(self, now: float) -> float:
        """How long (s) the oldest unanswered final has waited; 0 when there is none."""
        oldest = next((final.job.since for final in self._pending if not final.answered), now)
        return max(0.0, now - oldest)

    def next_look(self, now: float) -> float | None:
        """Seconds until ``review`` may have something to do; None when only a new final can change that."""
        looks = [LOOK_EVERY] if self.fast_only else []
        if waiting := self._waiting():
            looks.append(max(0.0, waiting[0].job.since + self._patience - now))
        return min(looks, default=None)

    def _waiting(self) -> list[Final]:
        """Finals for which the careful ear is waited for, oldest first."""
        return [final for final in self._pending if not (final.answered or final.alone)]

    def _settle(self, final: Final, todo: Todo, now: float) -> None:
        if final.answered or not final.ready:
            return
        final.answered = True
        hypothesis = joined(final.fast, final.careful)
        self.fast_alone += hypothesis.ear is Ear.FAST
        self.delays.append(now - final.job.since)
        todo.answers.append((final, hypothesis))

    def _turn(self, todo: Todo, now: float) -> None:
        self.fast_only = not self.fast_only
        self._turned_at, todo.turned = now, True
