"""The two ears over real threads: who is asked what, falling back and coming back, closing. No clock but a fake one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from monitor.asr.ears import Ears
from monitor.asr.models import ModelError
from monitor.asr.pair import Engines, joined
from monitor.asr.scripted import Scripted, spoken
from monitor.asr.worker import CLOSED
from monitor.core.types import AsrRequest, Channel, Ear, Hypothesis, Word

PATIENCE = 10.0
"""Seconds that a test waits for another thread; nothing here takes that long unless it is broken."""


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Told:
    """An engine that says its own name, one pass for each ``let``; with ``free`` as fast as it is asked."""

    name: str
    free: bool = False
    rate: int = 16000
    batch: int = 4
    commits: bool = False
    breaks: bool = False
    passes: list[list[AsrRequest]] = field(default_factory=list)
    began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    loads: int = 0

    def load(self) -> None:
        self.loads += 1

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        self.passes.append(list(requests))
        self.began.release()
        if not self.free:
            assert self.gate.acquire(timeout=PATIENCE)
        if self.breaks:
            raise RuntimeError("worn out")
        return [Hypothesis(r.id, spoken(self.name, r.start, r.end), committed=self.commits) for r in requests]

    def let(self, passes: int = 1) -> None:
        self.gate.release(passes)

    @property
    def ids(self) -> list[list[int]]:
        return [[request.id for request in done] for done in self.passes]


class Desk:
    """Two ears and what they answered: (request, words or failure, the other's words, ear)."""

    def __init__(self, asking: Callable[..., AsrRequest], *, fast: Told | None = None, **options: Any) -> None:
        self.asking, self.clock = asking, Clock()
        self.fast = fast or Told("快", free=True, commits=True)
        self.careful = Told("细")
        self.ears = Ears(self.fast, self.careful, 6.0, clock=self.clock, watch=False, **options)
        self.answers: list[tuple[int, str, str | None, Ear]] = []
        self.answered = threading.Semaphore(0)

    def submit(self, number: int, call: str = "a", **facts: Any) -> None:
        def reply(heard: Hypothesis) -> None:
            words = "".join(word.text for word in heard.words) or str(heard.failed)
            other = None if heard.other is None else "".join(word.text for word in heard.other)
            self.answers.append((heard.request, words, other, heard.ear))
            self.answered.release()

        self.ears.submit(call, self.asking(number, **facts), reply)

    def wait(self, answers: int = 1) -> None:
        """Until so many more answers have come."""
        for _ in range(answers):
            assert self.answered.acquire(timeout=PATIENCE)

    def careful_begins(self) -> None:
        assert self.careful.began.acquire(timeout=PATIENCE)

    def fast_is_done(self) -> None:
        assert self.ears._fast is not None
        assert self.ears._fast.wait_idle(PATIENCE)

    def at(self, now: float) -> None:
        self.clock.now = now
        self.ears.look()

    def end(self) -> None:
        for engine in (self.fast, self.careful):
            engine.let(1000)
        self.ears.close(PATIENCE)


@pytest.fixture
def make_desk(asking) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(**options: Any) -> Desk:
        desks.append(Desk(asking, **options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.end()


@pytest.fixture
def desk(make_desk) -> Desk:
    return make_desk()


def test_a_final_is_heard_by_both_and_answered_once(desk: Desk) -> None:
    desk.submit(1)
    desk.careful_begins()
    desk.fast_is_done()
    assert desk.answers == []
    assert desk.ears.wait_idle(0) is False
    desk.careful.let()
    assert desk.ears.wait_idle(PATIENCE)
    assert desk.answers == [(1, "细", "快", Ear.CAREFUL)]


def test_the_careful_ear_may_be_first(make_desk) -> None:
    desk = make_desk(fast=Told("快"))
    desk.careful.free = True
    desk.submit(1)
    assert desk.fast.began.acquire(timeout=PATIENCE)
    assert desk.ears._careful.wait_idle(PATIENCE)
    assert desk.answers == []
    desk.fast.let()
    desk.wait()
    assert desk.answers == [(1, "细", "快", Ear.CAREFUL)]


def test_partials_are_for_the_fast_ear_and_never_wait_for_the_careful_one(desk: Desk) -> None:
    desk.submit(1)
    desk.careful_begins()  # and there it stays
    desk.submit(2, final=False)
    desk.wait()
    assert desk.answers == [(2, "快", None, Ear.FAST)]
    desk.fast_is_done()
    assert desk.careful.ids == [[1]]


def test_what_the_fast_ear_commits_stays_committed(make_desk, asking) -> None:
    desk = make_desk()
    heard: list[Hypothesis] = []
    desk.ears.submit("a", asking(1, final=False), heard.append)
    desk.fast_is_done()
    assert [(h.committed, h.ear) for h in heard] == [(True, Ear.FAST)]


@pytest.mark.parametrize("seat", ["fast", "careful"])
def test_an_ear_that_is_alone_hears_everything(asking, seat: str) -> None:
    engine = Told("独", free=True)
    ears = Ears(**{"fast": None, "careful": None, seat: engine})
    heard: list[Hypothesis] = []
    ears.submit("a", asking(1, final=False), heard.append)
    assert ears.wait_idle(PATIENCE)
    ears.submit("a", asking(2), heard.append)
    assert ears.wait_idle(PATIENCE)
    assert [(h.request, h.ear, h.other) for h in heard] == [(1, Ear.ONLY, None), (2, Ear.ONLY, None)]
    stats = ears.stats
    assert (stats.name, stats.answered, stats.waiting_finals, stats.fast_only, ears.lag) == ("独", 2, 0, False, 0.0)
    assert (stats.fast is None, stats.careful is None) == (seat == "careful", seat == "fast")
    ears.close(PATIENCE)


def test_no_ear_at_all() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Ears(None, None)


def test_an_engine_that_cannot_be_loaded_leaves_no_thread() -> None:
    class Missing(Told):
        def load(self) -> None:
            raise ModelError("no such model")

    before = threading.active_count()
    with pytest.raises(ModelError):
        Ears(Told("快"), Missing("细"))
    assert threading.active_count() == before


def test_requests_are_told_their_stream(desk: Desk) -> None:
    desk.careful.free = True
    desk.submit(1, call="c-7", segment=4, channel=Channel.CUSTOMER)
    desk.submit(2, call="c-7", segment=5, final=False)
    desk.wait(2)
    streams = {r.id: r.stream for engine in (desk.fast, desk.careful) for done in engine.passes for r in done}
    assert streams == {1: "c-7/customer/4", 2: "c-7/agent/5"}


def test_careful_passes_are_batched_across_calls(desk: Desk) -> None:
    desk.submit(0)
    desk.careful_begins()
    for number, call in enumerate("abcde", start=1):
        desk.submit(number, call=call)
    desk.careful.let(3)
    desk.wait(6)
    assert desk.careful.ids == [[0], [1, 2, 3, 4], [5]]


def test_under_load_the_fast_ear_answers_alone_and_both_again_later(desk: Desk, caplog) -> None:
    states: list[bool] = []
    desk.ears.listen(lambda: states.append(desk.ears.fast_only))
    desk.careful.batch = 1
    with caplog.at_level(logging.INFO, logger="monitor.asr.ears"):
        desk.submit(0)
        desk.careful_begins()  # the careful ear is at this one for 20 s
        for number in range(1, 4):
            desk.at(float(number))
            desk.submit(number, call=f"call {number}")
            desk.fast_is_done()
        desk.at(5.9)
        assert (desk.answers, desk.ears.lag) == ([], 5.9)
        desk.at(6.0)
        assert desk.answers == [(0, "快", None, Ear.FAST)]
        desk.at(8.0)
        assert [answer[0] for answer in desk.answers] == [0, 1, 2]
        desk.submit(4)
        desk.wait(4)
        assert desk.answers[-1] == (4, "快", None, Ear.FAST)  # at once
        desk.at(20.0)
        assert desk.ears.fast_only  # it is still at the first
        desk.careful.let()
        assert desk.ears._careful.wait_idle(PATIENCE)
        desk.at(20.0)
        stats = desk.ears.stats
        assert (stats.fast_only, stats.fast_alone, stats.times_behind) == (False, 5, 1)
        assert stats.careful is not None
        assert stats.careful.waiting_finals == 0  # it was spared what was answered
        desk.submit(5)
        desk.careful.let()
        desk.wait(2)
    assert desk.answers[-1] == (5, "细", "快", Ear.CAREFUL)
    assert sorted(answer[0] for answer in desk.answers) == list(range(6))
    assert desk.careful.ids == [[0], [5]]
    assert states == [True, False]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "behind" in caplog.records[0].message
    assert "caught up" in caplog.records[1].message


def test_a_watcher_looks_by_itself(asking) -> None:
    """With a real clock: a patience of a few milliseconds, and a careful ear that never answers in time."""
    careful = Told("细")
    ears = Ears(Told("快", free=True), careful, 0.01)
    heard: list[Hypothesis] = []
    done = threading.Event()
    ears.submit("a", asking(1), lambda h: (heard.append(h), done.set()))
    assert done.wait(PATIENCE)
    assert [h.ear for h in heard] == [Ear.FAST]
    careful.let(1000)
    ears.close(PATIENCE)
    assert ears._watcher is not None
    assert not ears._watcher.is_alive()


def test_a_careful_ear_that_breaks_leaves_the_fast_words_marked(desk: Desk) -> None:
    desk.careful.breaks = desk.careful.free = True
    desk.submit(1)
    desk.wait()
    assert desk.answers == [(1, "快", None, Ear.FAST)]
    assert desk.ears.stats.failed == 1


def test_what_the_fast_ear_fails_on_while_alone_is_not_lost(desk: Desk) -> None:
    desk.submit(0)
    desk.careful_begins()
    desk.fast_is_done()
    desk.at(6.0)
    desk.fast.breaks = True
    desk.submit(1)
    desk.fast_is_done()
    assert [answer[0] for answer in desk.answers] == [0]
    desk.careful.let(2)
    desk.wait(2)
    assert desk.answers[-1] == (1, "细", None, Ear.CAREFUL)


def test_a_reply_may_ask_again(desk: Desk, asking) -> None:
    desk.careful.free = True
    desk.ears.submit("a", asking(1), lambda _: desk.submit(2))
    assert desk.ears.wait_idle(PATIENCE)
    assert desk.answers == [(2, "细", "快", Ear.CAREFUL)]


def test_a_reply_that_raises_does_not_stop_the_others(desk: Desk, asking) -> None:
    def reply(_: Hypothesis) -> None:
        raise KeyError("gone")

    desk.careful.free = True
    desk.ears.submit("a", asking(1), reply)
    desk.submit(2)
    assert desk.ears.wait_idle(PATIENCE)
    assert desk.answers == [(2, "细", "快", Ear.CAREFUL)]


def test_closing_answers_what_waits(desk: Desk) -> None:
    desk.submit(0)
    desk.careful_begins()
    desk.submit(1, call="b")
    desk.submit(2, call="c")
    desk.fast_is_done()
    closing = threading.Thread(target=desk.ears.close)
    closing.start()
    desk.wait(2)  # the waiting ones at once
    desk.careful.let()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert sorted(desk.answers) == [
        (0, "细", "快", Ear.CAREFUL),
        (1, "快", None, Ear.FAST),
        (2, "快", None, Ear.FAST),
    ]
    desk.submit(3)
    desk.submit(4, final=False)
    assert desk.answers[3:] == [(3, CLOSED, None, Ear.CAREFUL), (4, CLOSED, None, Ear.FAST)]
    assert desk.ears.wait_idle(0)


def test_closing_before_anybody_has_heard(make_desk) -> None:
    desk = make_desk(fast=Told("快"))
    desk.submit(0)
    assert desk.fast.began.acquire(timeout=PATIENCE)
    desk.careful_begins()
    desk.submit(1, call="b")
    closing = threading.Thread(target=desk.ears.close)
    closing.start()
    desk.careful.let()
    desk.wait()
    assert desk.answers == [(1, CLOSED, None, Ear.CAREFUL)]
    desk.fast.let()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert desk.answers[1:] == [(0, "细", "快", Ear.CAREFUL)]


def test_statistics_of_both(desk: Desk) -> None:
    desk.submit(1)
    desk.careful_begins()
    desk.fast_is_done()
    desk.submit(2, call="b")
    desk.fast_is_done()
    desk.clock.now = 4.0
    stats = desk.ears.stats
    assert (stats.name, stats.waiting_finals, stats.lag) == ("快 + 细", 2, 4.0)
    assert stats.fast is not None
    assert stats.careful is not None
    assert (stats.fast.passes, stats.careful.passes, stats.careful.waiting_finals) == (2, 0, 1)
    desk.careful.let(2)
    assert desk.ears.wait_idle(PATIENCE)
    stats = desk.ears.stats
    assert (stats.waiting_finals, stats.lag, stats.delay_mean, stats.fast_alone) == (0, 0.0, 4.0, 0)
    assert (stats.answered, stats.passes, stats.audio_seconds) == (4, 4, 4.0)


# ---------------------------------------------------------------- without threads


def both(**failures: dict[int, str]) -> Engines:
    fast = Scripted({Channel.AGENT: spoken("里好", 0, 4000)}, failures=failures.get("fast", {}), name="zh-fast")
    careful = Scripted(
        {Channel.AGENT: spoken("您好", 0, 4000)}, failures=failures.get("careful", {}), name="zh-careful"
    )
    return Engines(fast, careful)


def heard_by(answers: Sequence[Hypothesis]) -> list[tuple[int, str, str | None, Ear]]:
    return [
        (
            heard.request,
            "".join(word.text for word in heard.words) or str(heard.failed),
            None if heard.other is None else "".join(word.text for word in heard.other),
            heard.ear,
        )
        for heard in answers
    ]


def test_a_replay_hears_with_both_at_once(asking) -> None:
    engines = both()
    answers = engines.answer([asking(1, final=False), asking(2), asking(3, final=False)], call_id="x")
    assert heard_by(answers) == [
        (1, "里好", None, Ear.FAST),
        (2, "您好", "里好", Ear.CAREFUL),
        (3, "里好", None, Ear.FAST),
    ]
    assert engines.name == "zh-fast + zh-careful"
    assert isinstance(engines.careful, Scripted)
    assert [(r.id, r.stream) for r in engines.careful.asked] == [(2, "x/agent/0")]


def test_failures_in_a_replay(asking) -> None:
    engines = both(fast={1: "f", 3: "f"}, careful={2: "c", 3: "c"})
    assert heard_by(engines.answer([asking(number) for number in (1, 2, 3)])) == [
        (1, "您好", None, Ear.CAREFUL),
        (2, "里好", None, Ear.FAST),
        (3, "c", None, Ear.CAREFUL),
    ]


@pytest.mark.parametrize("seat", ["fast", "careful"])
def test_a_replay_with_one_ear(asking, seat: str) -> None:
    engines = Engines(**{seat: getattr(both(), seat)})
    assert [a.ear for a in engines.answer([asking(1, final=False), asking(2)])] == [Ear.ONLY, Ear.ONLY]
    assert engines.name == f"zh-{seat}"


def test_nobody_to_ask(asking) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Engines()
    assert both().answer([]) == []


def test_what_both_wrote_is_surer() -> None:
    """Characters, not words: one ear's word may be two of the other's."""
    careful = (Word("一群", 0, 40, 0.4), Word("混", 40, 60, 0.4), Word("，", 60, 60, 0.1), Word("单", 60, 80, 0.6))
    fast = tuple(Word(char, n * 20, n * 20 + 20) for n, char in enumerate("一群混蛋"))
    answer = joined(Hypothesis(1, fast), Hypothesis(1, careful))
    assert [round(word.confidence, 2) for word in answer.words] == [0.94, 0.94, 0.1, 0.6]
    assert [replace(word, confidence=0) for word in answer.words] == [replace(word, confidence=0) for word in careful]
    assert answer.other == fast
    assert joined(None, Hypothesis(1, careful)).words == careful
    assert joined(Hypothesis(1, (), failed="f"), Hypothesis(1, careful)).words == careful
