"""How a call ended is told by its events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

from monitor.core.rulebook import Role
from monitor.core.types import STEREO, Channel, Event, Heard, Match, Measured, Phase, PhaseChanged, PhraseHit, Word
from monitor.live.ending import read_ending
from monitor.live.setup import CallSetupRequest
from monitor.store.history import Ending

RATE = 8000
REQUEST = CallSetupRequest("c1", RATE, STEREO, started="2026-03-05T06:00:00Z")
ROLES = {"p/bye": Role.FAREWELL, "p/promise": Role.PROMISE, "p/wait": Role.WAIT}
ZONE = timezone(timedelta(hours=8))
ANSWERED = PhaseChanged(Phase.TALKING, 0, 0)
SPOKEN = Heard(Channel.AGENT, 0, 0, RATE, (Word("好", 0, RATE),), settled=True)


def hit(phrase: str, second: float, text: str, *slots: str, by: Channel = Channel.AGENT, settled: bool = True) -> Event:
    at = round(second * RATE)
    return PhraseHit(phrase, by, at, at + RATE, text, Match.EXACT, 1.0, settled, slots)


def over(second: float, by: Channel | None = None) -> Event:
    return PhaseChanged(Phase.ENDED, round(second * RATE), round(second * RATE), by=by)


def ending(*events: Event) -> Ending:
    return read_ending(REQUEST, events, 120 * RATE, ROLES, ZONE)


def test_a_farewell_ends_a_call_well() -> None:
    found = ending(ANSWERED, SPOKEN, hit("p/bye", 95, "再见"), over(100, Channel.AGENT))
    assert (found.farewell, found.broke_off, found.hung_up) == (True, False, "agent")
    assert found.ended == "2026-03-05T06:01:40.000000Z"


def test_broke_off() -> None:
    assert ending(ANSWERED, SPOKEN, over(100)).broke_off is True
    assert ending(ANSWERED, SPOKEN, hit("p/bye", 10, "再见"), over(100)).broke_off is True  # long before the end
    assert ending(ANSWERED, SPOKEN, hit("p/bye", 99, "再见", settled=False), over(100)).broke_off is True
    assert ending(ANSWERED, SPOKEN, over(100, Channel.CUSTOMER)).broke_off is False
    assert ending(SPOKEN, over(100)).broke_off is False  # nobody answered
    assert ending(ANSWERED, over(100)).broke_off is None  # no words were heard: it is not known


def test_what_was_heard_faintly_does_not_count() -> None:
    bye, promise = hit("p/bye", 95, "再见"), hit("p/promise", 50, "我明天给您回电话", "明天")
    assert isinstance(bye, PhraseHit) and isinstance(promise, PhraseHit)
    found = ending(ANSWERED, SPOKEN, replace(promise, score=0.4), replace(bye, score=0.4), over(100, Channel.AGENT))
    assert (found.farewell, found.broke_off, found.promises) == (False, True, ())
    assert len(ending(ANSWERED, SPOKEN, promise, bye, over(100)).promises) == 1


def test_rings_are_those_that_were_measured() -> None:
    rings = Measured("rings", None, 0, RATE, 3.0, RATE)
    assert ending(rings, ANSWERED, over(9)).rings == 3
    assert ending(ANSWERED, over(9)).rings is None


def test_promises_with_their_times() -> None:
    found = ending(
        ANSWERED,
        hit("p/promise", 30, "二十四小时内给您答复", "二十四"),
        hit("p/promise", 20, "在明天之前回复", "明天"),
        hit("p/promise", 40, "二十四小时内给您答复", "二十四"),  # again the same
        hit("p/promise", 50, "二十四小时内给我答复", "二十四", by=Channel.CUSTOMER),
        hit("p/wait", 60, "两分钟内", "两"),
        over(100),
    ).promises
    assert [(promise.said, promise.due) for promise in found] == [
        ("明天之前", "2026-03-06T16:00:00.000000Z"),
        ("二十四小时内", "2026-03-06T06:00:31.000000Z"),
    ]
    assert found[0].made == "2026-03-05T06:00:21.000000Z"


def test_a_number_in_place_of_the_time_is_not_kept() -> None:
    number = "一三八零零一三八零零零"
    found = ending(ANSWERED, hit("p/promise", 30, f"在{number}前联系", number), over(100)).promises
    assert [(promise.said, promise.due) for promise in found] == [("", None)]
