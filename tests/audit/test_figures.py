"""Figures over a small store made by hand: each count has a call that must not be in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.audit.figures import Privacy, Span, figures
from monitor.core.rulebook import Keep, Limits, Pack, Report, Rule
from monitor.core.types import Severity
from monitor.store.history import Ending, Promise
from monitor.store.store import Store
from monitor.store.views import CallRow, utc_text

DAY = datetime(2026, 3, 5, tzinfo=UTC)
TEXT = {"zh": "规则", "en": "rule"}


def rule(name: str, form: Report | Keep) -> Rule:
    return Rule(f"p/{name}", form, TEXT, TEXT, {}, (), Severity.NOTE)


def pack(*forms: Report | Keep) -> Pack:
    return Pack("p", TEXT, (), tuple(rule(f"r{n}", form) for n, form in enumerate(forms)))


class Made:
    """A store, and calls put into it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._calls = 0

    def call(
        self,
        hour: float,
        direction: str = "inbound",
        customer: str | None = "c",
        *,
        packs: tuple[str, ...] = ("p",),
        promised: list[tuple[str, float | None]] | None = None,
        **ending: Any,
    ) -> None:
        """``promised``: words and the hour of the day by which; a call lasts a minute, promises come at its end."""
        self._calls += 1
        begun = DAY + timedelta(hours=hour)
        name = f"call-{self._calls}"
        row = CallRow(name, begun.isoformat(), 8000, ("agent", "customer"), None, direction, packs, customer=customer)
        self.store.save_call(row)
        end = utc_text(begun + timedelta(minutes=1))
        found = tuple(
            Promise(n, n + 1, "p/x", said, end, None if due is None else utc_text(DAY + timedelta(hours=due)))
            for n, (said, due) in enumerate(promised or [])
        )
        fields = {"ended": end, "answered": True, "broke_off": False, "promises": found} | ending
        self.store.save_ending(name, Ending(**fields))

    def figure(self, *forms: Report | Keep, now: float = 48.0, end: float = 24.0) -> dict[str, Any]:
        span = Span(DAY, DAY + timedelta(hours=end), DAY + timedelta(hours=now))
        found = figures(self.store, [pack(*forms)], span, Privacy(True, False, 90))
        figure: dict[str, Any] = found["packs"][0]["figures"][0]
        return figure


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with Store(f"sqlite:///{tmp_path}/monitor.sqlite") as store:
        yield Made(store)


def test_promises(made: Made) -> None:
    made.call(8, customer="kept", promised=[("十点", 10)])
    made.call(9.5, "outbound", "kept")
    made.call(8, customer="late", promised=[("十点", 10)])
    made.call(10.5, "outbound", "late")
    made.call(9, "inbound", "late")  # the customer had to call: keeps nothing
    made.call(8, customer="open", promised=[("后天", 72)])
    made.call(7, "outbound", "open")  # before the promise
    made.call(8, customer="any", promised=[("", None)])
    made.call(30, "outbound", "any")  # after the span, still known
    made.call(8, customer=None, promised=[("十点", 10)])
    made.call(8, customer="kept", packs=("other",), promised=[("十点", 10)])
    found = made.figure(Report("promises"))
    assert {name: found[name] for name in ("made", "due", "kept", "missed", "open", "cannot_tell")} == {
        "made": 5, "due": 3, "kept": 2, "missed": 1, "open": 1, "cannot_tell": 1,
    }  # fmt: skip
    assert found["without_time"] == 1
    assert found["share"] == round(2 / 3, 4)


def test_the_rules_time_counts_when_it_is_earlier(made: Made) -> None:
    made.call(8, promised=[("明天", 48)])
    made.call(9, "outbound")
    assert made.figure(Report("promises", {"within_minutes": 30}))["missed"] == 1
    assert made.figure(Report("promises", {"within_hours": 2}))["kept"] == 1


def test_dropped_calls(made: Made) -> None:
    made.call(8, customer="soon", broke_off=True)
    made.call(8.04, "outbound", "soon")  # 84 s after the end
    made.call(8, customer="late", broke_off=True)
    made.call(9, "outbound", "late")
    made.call(8, customer="never", broke_off=True)
    made.call(8, customer=None, broke_off=True)
    made.call(8, customer="unsure", broke_off=None)
    made.call(23.98, customer="now", broke_off=True)
    found = made.figure(Report("dropped_calls", {"within_seconds": 180}), now=24)
    names = ("broke_off", "called_back", "late", "never", "waiting", "cannot_tell", "not_known_how_ended")
    assert [found[name] for name in names] == [5, 1, 1, 1, 1, 1, 1]
    assert found["share"] == round(1 / 3, 4)
    assert made.figure(Report("dropped_calls", {"within": 60}), now=24)["called_back"] == 0


def test_repeats_are_of_one_day(made: Made) -> None:
    for hour in (8, 9, 10, 30):
        made.call(hour)
    made.call(11, "outbound")
    made.call(8, customer="once")
    made.call(8, customer=None)
    found = made.figure(Report("repeats"), end=48)
    assert (found["calls"], found["repeats"], found["cannot_tell"], found["share"]) == (5, 2, 1, 0.4)


def test_answer_rates(made: Made) -> None:
    made.call(8, rings=2)
    made.call(8, rings=5)
    made.call(8)
    made.call(8, answered=False)
    made.call(8, "outbound", answered=False)
    rings = Keep("rings", None, (Limits(None, 3.0),))
    found = made.figure(Report("answer_rates", {"manual_answer": 0.9, "auto_answer": 0.98}), rings)
    assert (found["offered"], found["answered"], found["unanswered"], found["share"]) == (4, 3, 1, 0.75)
    assert (found["rings"], found["rings_counted"], found["within_rings"]) == (3.0, 2, 1)
    assert found["enough"] is False
    assert found["not_known"] == ["auto_answer"]


def test_an_empty_store_has_no_shares(made: Made) -> None:
    assert made.figure(Report("answer_rates", {"manual_answer": 0.9}))["share"] is None
    assert made.figure(Report("answer_rates", {"manual_answer": 0.9}))["enough"] is None


def test_confidentiality_states_what_the_product_does(made: Made) -> None:
    found = made.figure(Report("confidentiality"))
    assert (found["masking"], found["retention_days"]) == (True, 90)
    assert found["recordings"].startswith("deleted")


def test_packs_without_figures_are_left_out(made: Made) -> None:
    span = Span.of(None, DAY, DAY)
    assert figures(made.store, [pack()], span, Privacy(None, True))["packs"] == []
    assert span.start == DAY - timedelta(days=30)
    with pytest.raises(ValueError, match="exchange them"):
        Span.of(DAY, DAY, DAY)
