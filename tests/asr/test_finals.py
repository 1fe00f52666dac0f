"""When an answer of two ears goes out, and what it says; moments are handed in, so there is nothing to wait for."""

from __future__ import annotations

from itertools import permutations

import pytest

from monitor.asr.backlog import Job
from monitor.asr.finals import Final, Finals, Todo
from monitor.asr.pair import joined
from monitor.asr.scripted import spoken
from monitor.core.types import Ear, Hypothesis

FAST, CAREFUL = spoken("快耳", 0, 200), spoken("细耳", 0, 200)
SAID = {Ear.FAST: FAST, Ear.CAREFUL: CAREFUL}
PATIENCE = 6.0


class Table:
    """Finals whose numbers are their request ids; ``given`` are the answers so far."""

    def __init__(self, asking) -> None:
        self.asking = asking
        self.careful_lag = 0.0
        self.finals = Finals(PATIENCE, 0.0, lambda: self.careful_lag)
        self.by_number: dict[int, Final] = {}
        self.given: list[tuple[int, Ear, str | None, str | None]] = []
        self.spared: list[int] = []
        self.asked: list[int] = []
        self.turns = 0

    def come(self, number: int, now: float) -> bool:
        """A final comes; whether the careful ear is asked, too."""
        self._take(self.finals.review(now))
        job = Job("a", self.asking(number), lambda _: None, now)
        final = self.by_number[number] = self.finals.add(job)
        return not final.alone

    def hear(self, number: int, ear: Ear, now: float, failed: str | None = None) -> None:
        words = () if failed else SAID[ear]
        heard = Hypothesis(number, words, failed=failed)
        self._take(self.finals.heard(self.by_number[number], ear, heard, now))

    def look(self, now: float) -> None:
        self._take(self.finals.review(now))

    def _take(self, todo: Todo) -> None:
        self.spared += [final.job.request.id for final in todo.spared]
        self.asked += [final.job.request.id for final in todo.asked]
        self.turns += todo.turned
        for final, answer in todo.answers:
            words = "".join(word.text for word in answer.words) or answer.failed
            other = None if answer.other is None else "".join(word.text for word in answer.other)
            self.given.append((final.job.request.id, answer.ear, words, other))
        self.finals.gone([final for final, _ in todo.answers])


@pytest.fixture
def table(asking) -> Table:
    return Table(asking)


@pytest.mark.parametrize("order", list(permutations((Ear.FAST, Ear.CAREFUL))))
def test_both_ears_make_one_answer_whoever_is_first(table: Table, order: tuple[Ear, Ear]) -> None:
    assert table.come(1, 0.0)
    table.hear(1, order[0], 1.0)
    assert table.given == []
    assert table.finals.lag(3.0) == 3.0
    table.hear(1, order[1], 3.0)
    assert table.given == [(1, Ear.CAREFUL, "细耳", "快耳")]
    assert (len(table.finals), table.finals.lag(3.0), list(table.finals.delays)) == (0, 0.0, [3.0])


@pytest.mark.parametrize("order", list(permutations((Ear.FAST, Ear.CAREFUL))))
@pytest.mark.parametrize(
    ("failures", "answer"),
    [
        ({Ear.CAREFUL}, (1, Ear.FAST, "快耳", None)),
        ({Ear.FAST}, (1, Ear.CAREFUL, "细耳", None)),
        ({Ear.FAST, Ear.CAREFUL}, (1, Ear.CAREFUL, "careful", None)),
    ],
)
def test_an_ear_that_fails(
    table: Table, order: tuple[Ear, Ear], failures: set[Ear], answer: tuple[int, Ear, str, str | None]
) -> None:
    table.come(1, 0.0)
    for ear in order:
        table.hear(1, ear, 1.0, failed=ear.value if ear in failures else None)
    assert table.given == [answer]
    assert not table.finals.fast_only


def test_a_final_out_of_patience_gets_the_fast_words_and_the_careful_ear_is_spared_it(table: Table) -> None:
    table.come(1, 0.0)
    table.come(2, 4.0)
    table.hear(1, Ear.FAST, 0.5)
    table.hear(2, Ear.FAST, 4.5)
    table.look(5.9)
    assert (table.given, table.finals.fast_only) == ([], False)
    table.look(6.0)
    assert table.given == [(1, Ear.FAST, "快耳", None)]
    assert (table.spared, table.finals.fast_only, table.turns) == ([1], True, 1)
    table.hear(1, Ear.CAREFUL, 7.0)  # it was at it already: too late
    table.hear(2, Ear.CAREFUL, 7.5)  # this one has patience left
    assert table.given[1:] == [(2, Ear.CAREFUL, "细耳", "快耳")]
    assert (table.finals.fast_alone, table.finals.times_behind) == (1, 1)


def test_while_the_careful_ear_is_behind_new_finals_are_for_the_fast_one(table: Table) -> None:
    table.come(1, 0.0)
    table.hear(1, Ear.FAST, 0.5)
    assert not table.come(2, 6.0)
    assert table.given == [(1, Ear.FAST, "快耳", None)]
    table.hear(2, Ear.FAST, 6.5)
    assert table.given[1:] == [(2, Ear.FAST, "快耳", None)]


def test_it_comes_back_when_it_has_caught_up_and_not_before(table: Table) -> None:
    for number in range(3):
        table.come(number, 4.0 * number)
        table.hear(number, Ear.FAST, 4.0 * number)
    assert table.finals.fast_only  # since 8.0, when the third came; the first had waited since 0.0
    assert [number for number, *_ in table.given] == [0, 2]
    table.look(19.9)
    assert table.finals.fast_only  # the second was answered at 10.0; it stays twice the patience even so
    assert table.finals.next_look(19.9) == 1.0
    table.look(20.0)
    assert (table.finals.fast_only, table.turns) == (False, 2)
    assert table.come(3, 21.0)


def test_it_does_not_come_back_while_it_is_still_at_something_old(table: Table) -> None:
    table.come(1, 0.0)
    table.hear(1, Ear.FAST, 0.0)
    table.look(6.0)
    table.careful_lag = 3.0
    table.look(40.0)
    assert table.finals.fast_only
    table.careful_lag = 2.9
    table.look(40.0)
    assert not table.finals.fast_only


def test_a_late_fast_ear_holds_nothing_up(table: Table) -> None:
    table.come(1, 0.0)
    table.hear(1, Ear.CAREFUL, 1.0)
    table.look(6.0)
    assert table.given == [(1, Ear.CAREFUL, "细耳", None)]
    assert (table.finals.fast_only, table.spared) == (False, [])
    table.hear(1, Ear.FAST, 7.0)
    assert len(table.given) == 1


def test_when_both_are_late_the_first_that_comes_answers(table: Table) -> None:
    table.come(1, 0.0)
    table.come(2, 0.0)
    table.look(6.0)
    assert (table.given, table.spared) == ([], [1, 2])
    table.hear(1, Ear.CAREFUL, 7.0)
    table.hear(2, Ear.FAST, 7.0)
    assert table.given == [(1, Ear.CAREFUL, "细耳", None), (2, Ear.FAST, "快耳", None)]


def test_what_the_fast_ear_alone_fails_on_is_for_the_careful_one_after_all(table: Table) -> None:
    table.come(1, 0.0)
    table.look(6.0)
    table.come(2, 6.0)
    for number in (1, 2):
        table.hear(number, Ear.FAST, 7.0, failed="worn out")
    assert (table.given, table.asked) == ([], [1, 2])
    table.hear(1, Ear.CAREFUL, 8.0)
    table.hear(2, Ear.CAREFUL, 8.0, failed="too")
    assert table.given == [(1, Ear.CAREFUL, "细耳", None), (2, Ear.CAREFUL, "too", None)]


def test_a_final_that_the_fast_ear_failed_on_is_not_taken_from_the_careful_one(table: Table) -> None:
    table.come(1, 0.0)
    table.hear(1, Ear.FAST, 1.0, failed="worn out")
    table.look(6.0)
    assert (table.given, table.spared, table.asked) == ([], [], [])
    assert table.finals.fast_only
    assert table.finals.next_look(6.0) == 1.0  # and not at once, again and again
    table.hear(1, Ear.CAREFUL, 9.0)
    assert table.given == [(1, Ear.CAREFUL, "细耳", None)]


def test_a_careful_ear_that_fails_late_leaves_it_to_the_fast_one(table: Table) -> None:
    table.come(1, 0.0)
    table.hear(1, Ear.CAREFUL, 1.0, failed="worn out")
    table.look(6.0)
    assert (table.given, table.finals.fast_only) == ([], False)
    table.hear(1, Ear.FAST, 7.0)
    assert table.given == [(1, Ear.FAST, "快耳", None)]


def test_the_next_look_is_when_the_oldest_runs_out_of_patience(table: Table) -> None:
    assert table.finals.next_look(0.0) is None
    table.come(1, 1.0)
    table.come(2, 2.0)
    assert table.finals.next_look(3.0) == 4.0
    assert table.finals.next_look(9.0) == 0.0


def test_nobody_has_heard_anything() -> None:
    with pytest.raises(ValueError, match="nobody"):
        joined(None, None)
