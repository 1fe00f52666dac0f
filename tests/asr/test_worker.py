"""The shared recogniser: who is next, what is dropped, and what closing does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from monitor.asr.scripted import Scripted, spoken
from monitor.asr.worker import CLOSED, Recogniser, answer
from monitor.core.types import AsrRequest, Channel, Hypothesis

PATIENCE = 10.0


@dataclass
class Gated:
    """An engine that hears nothing, and only when it is let: ``step`` lets one pass through."""

    name: str = "gated"
    rate: int = 16000
    batch: int = 1
    passes: list[list[int]] = field(default_factory=list)
    began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    breaks: bool = False

    def load(self) -> None:
        pass

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        self.passes.append([request.id for request in requests])
        self.began.release()
        assert self.gate.acquire(timeout=PATIENCE)
        if self.breaks:
            raise RuntimeError("worn out")
        return [Hypothesis(request.id, ()) for request in requests]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A recogniser whose engine is busy with request 0, so that everything after it waits."""

    def __init__(self, asking, batch: int = 1, max_partials: int = 64) -> None:
        self.asking, self.clock, self.engine = asking, Clock(), Gated(batch=batch)
        self.answers: list[tuple[str, int, str | None]] = []
        self.recogniser = Recogniser(self.engine, max_partials=max_partials, clock=self.clock)
        self.submit("first", 0)
        assert self.engine.began.acquire(timeout=PATIENCE)

    def submit(self, call: str, number: int, **facts) -> None:
        def reply(hypothesis: Hypothesis) -> None:
            self.answers.append((call, hypothesis.request, hypothesis.failed))

        self.recogniser.submit(call, self.asking(number, **facts), reply)

    def finish(self) -> list[list[int]]:
        """Lets everything through and returns the passes after the first."""
        self.engine.gate.release(1000)
        assert self.recogniser.wait_idle(PATIENCE)
        return self.engine.passes[1:]


@pytest.fixture
def desk(asking) -> Iterator[Desk]:
    desk = Desk(asking)
    yield desk
    desk.engine.gate.release(1000)
    desk.recogniser.close(PATIENCE)


@pytest.fixture
def make_desk(asking):
    desks: list[Desk] = []

    def make(**options) -> Desk:
        desks.append(Desk(asking, **options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.engine.gate.release(1000)
        desk.recogniser.close(PATIENCE)


def test_a_partial_replaces_the_waiting_one_of_its_channel(desk):
    desk.submit("a", 1, final=False)
    desk.submit("a", 2, final=False, channel=Channel.CUSTOMER)
    desk.submit("b", 3, final=False)
    desk.submit("a", 4, final=False)
    assert desk.finish() == [[4], [2], [3]]
    assert desk.recogniser.stats.skipped == 1
    assert [number for _, number, _ in desk.answers] == [0, 4, 2, 3]


def test_finals_are_never_dropped_and_go_first(desk):
    desk.submit("a", 1, final=False)
    for number in range(2, 102):
        desk.submit("b", number)
    assert desk.finish() == [[number] for number in [*range(2, 102), 1]]


def test_a_final_makes_the_partial_of_its_segment_superfluous(desk):
    desk.submit("a", 1, final=False, segment=3)
    desk.submit("a", 2, final=False, segment=3, channel=Channel.CUSTOMER)
    desk.submit("a", 3, segment=3)
    assert desk.finish() == [[3], [2]]


def test_a_late_final_leaves_the_partial_of_a_newer_segment(desk):
    desk.submit("a", 1, final=False, segment=4)
    desk.submit("a", 2, segment=3)
    assert desk.finish() == [[2], [1]]


def test_calls_take_turns(desk):
    for number in range(1, 5):
        desk.submit("archive", number)
    desk.submit("live", 5)
    desk.submit("other", 6)
    desk.submit("live", 7)
    assert desk.finish() == [[1], [5], [6], [2], [7], [3], [4]]


def test_waiting_partials_are_bounded(make_desk):
    desk = make_desk(max_partials=3)
    for number in range(1, 6):
        desk.submit(f"call {number}", number, final=False)
    assert desk.recogniser.stats.waiting_partials == 3
    assert desk.finish() == [[3], [4], [5]]


def test_a_batch_holds_finals_or_partials_not_both(make_desk):
    desk = make_desk(batch=3)
    desk.submit("a", 1, final=False)
    for number, call in enumerate("abcd", start=2):
        desk.submit(call, number)
    desk.submit("e", 6, final=False)
    assert desk.finish() == [[2, 3, 4], [5], [6]]


def test_lag_is_the_age_of_the_oldest_unanswered_final(desk):
    desk.clock.now = 2.0
    desk.submit("a", 1, final=False)
    desk.submit("a", 2)
    desk.clock.now = 5.0
    assert desk.recogniser.lag == 5.0  # request 0 is still being worked on
    desk.engine.gate.release()
    assert desk.engine.began.acquire(timeout=PATIENCE)
    assert desk.recogniser.lag == 3.0
    desk.finish()
    assert desk.recogniser.lag == 0.0


def test_statistics(desk):
    desk.clock.now = 4.0
    desk.submit("a", 1)
    before = desk.recogniser.stats
    assert (before.waiting_finals, before.passes, before.busy) == (1, 0, 0.0)
    desk.engine.gate.release()
    assert desk.engine.began.acquire(timeout=PATIENCE)
    desk.clock.now = 8.0
    desk.finish()
    stats = desk.recogniser.stats
    assert (stats.name, stats.passes, stats.answered, stats.failed) == ("gated", 2, 2, 0)
    assert stats.audio_seconds == 2.0
    assert stats.delay_mean == 4.0  # 0 → 4 and 4 → 8
    assert stats.busy == 1.0
    desk.clock.now = 64.0
    assert desk.recogniser.stats.busy == pytest.approx(4.0 / 60.0)
    desk.clock.now = 100.0
    assert desk.recogniser.stats.busy == 0.0


def test_an_engine_that_raises_fails_its_requests_and_the_worker_lives_on(desk):
    desk.engine.breaks = True
    desk.engine.gate.release()
    assert desk.recogniser.wait_idle(PATIENCE)
    desk.engine.breaks = False
    desk.submit("a", 1)
    desk.finish()
    assert desk.answers == [("first", 0, "RuntimeError"), ("a", 1, None)]
    assert desk.recogniser.stats.failed == 1


def test_a_reply_that_raises_does_not_stop_the_others(desk, asking):
    def reply(_: Hypothesis) -> None:
        raise KeyError("gone")

    desk.recogniser.submit("a", asking(1), reply)
    desk.submit("a", 2)
    desk.finish()
    assert desk.answers[-1] == ("a", 2, None)


def test_a_reply_may_submit_again(desk, asking):
    desk.recogniser.submit("a", asking(1), lambda _: desk.submit("a", 2))
    desk.finish()
    assert desk.answers[-1] == ("a", 2, None)


def test_closing_answers_what_waits_as_failed(desk):
    desk.submit("a", 1)
    desk.submit("a", 2, final=False)
    closing = threading.Thread(target=desk.recogniser.close)
    closing.start()
    assert desk.recogniser.wait_idle(0) is False  # request 0 is still with the engine
    desk.engine.gate.release()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert sorted(desk.answers, key=lambda given: given[1]) == [
        ("first", 0, None),
        ("a", 1, CLOSED),
        ("a", 2, CLOSED),
    ]
    desk.submit("a", 3)
    assert desk.answers[-1] == ("a", 3, CLOSED)


def test_wait_idle_gives_up(desk):
    assert desk.recogniser.wait_idle(0) is False


def test_replay_answers_in_order_at_once(asking):
    engine = Scripted({Channel.AGENT: spoken("您好", 0, 4000)}, failures={3: "broken"})
    requests = [asking(1), asking(2, final=False), asking(3)]
    assert [(a.request, len(a.words), a.failed) for a in answer(engine, requests)] == [
        (1, 2, None),
        (2, 2, None),
        (3, 0, "broken"),
    ]
    assert [a.request for a in answer(engine, requests, partials=False)] == [1, 3]


def test_wrong_answers_of_an_engine_are_not_handed_on(asking):
    class Confused(Scripted):
        def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
            return [Hypothesis(99, spoken("谢谢", 0, 100))]

    assert answer(Confused({}), [asking(1)]) == [Hypothesis(1, (), failed="wrong answer")]
