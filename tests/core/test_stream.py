"""The order of a call does not depend on when things became known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.rulebook import Occurrence
from monitor.core.stream import Stream
from tests.scripted import AGENT, CUSTOMER


def at(position: int, name: str = "x") -> Occurrence:
    return Occurrence(name, None, position, position, position)


def names(stream: Stream, until: int) -> list[str]:
    return [o.name for o in stream.until(until)]


def test_only_what_lies_before_the_watermark_is_given_out() -> None:
    s = Stream()
    s.put(at(10, "b"))
    s.put(at(5, "a"))
    assert names(s, 10) == ["a"]
    assert names(s, 11) == ["b"]
    assert s.position == 11


def test_what_happens_on_a_deadline_is_before_its_timer() -> None:
    s = Stream()
    told: list[str] = []
    s.wake(5, "r", lambda p: told.append(f"timer {p}"))
    s.put(at(5, "word"))
    for seen in s.until(6):
        told.append(seen.name)
    assert told == ["word", "timer 5"]


def test_what_comes_late_keeps_its_own_positions_and_takes_a_later_place() -> None:
    s = Stream()
    assert names(s, 20) == []
    told: list[tuple[int, int]] = []
    s.wake(3, "r", lambda p: told.append((p, s.position)))
    s.put(at(4, "late"))
    assert names(s, 20) == []
    assert names(s, 21) == ["late"]
    assert told == [(3, 20)]


def test_a_timer_may_set_a_timer() -> None:
    s = Stream()
    told: list[int] = []

    def again(p: int) -> None:
        told.append(p)
        if len(told) < 3:
            s.wake(p + 2, "r", again)

    s.wake(1, "r", again)
    assert names(s, 4) == []
    assert told == [1, 3]
    assert names(s, 100) == []
    assert told == [1, 3, 5]


def test_occurrences_of_one_place_that_come_in_order_keep_it_and_come_first() -> None:
    s = Stream()
    s.put(at(5, "a"))
    s.put(at(5, "z"), in_order=True)
    s.put(at(5, "b"), in_order=True)
    assert names(s, 6) == ["z", "b", "a"]


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc"), st.sampled_from([AGENT, CUSTOMER]))),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 25)),
)
def test_neither_the_order_of_arrival_nor_the_watermarks_matter(
    seen: list[tuple[int, str, object]], chance: object, marks: list[int]
) -> None:
    items = [Occurrence(n, by, p, p, p) for p, n, by in seen]  # type: ignore[arg-type]
    one, other = Stream(), Stream()
    for item in items:
        one.put(item)
    chance.shuffle(items)  # type: ignore[attr-defined]
    for item in items:
        other.put(item)
    got = [o for mark in [*sorted(marks), 30] for o in other.until(mark)]
    assert got == list(one.until(30))
    assert [o.known for o in got] == sorted(o.known for o in got)
