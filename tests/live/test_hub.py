"""Snapshots, ticks, screens that come back and screens that are slow; no sockets here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any

from monitor.core.types import Alert, AlertState, Channel, Severity
from monitor.live.hub import Hub, Viewer
from monitor.live.settings import LiveSettings
from tests.live.fakes import describe, request_for

SETTINGS = LiveSettings(viewer_queue=3, tick_ring=5, recent_alerts=3)


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 5))

    del run.__wrapped__  # type: ignore[attr-defined]
    return run


def new_hub() -> Hub:
    return Hub(describe, SETTINGS, lambda: "2026-01-31T08:00:00Z")


def alert(occasion: int, state: AlertState = AlertState.RAISED) -> Alert:
    return Alert("p/r", occasion, Severity.NOTE, state, Channel.AGENT, 0, 8, 0, 8, {"zh": "x", "en": "x"})


async def message(viewer: Viewer, hub: Hub) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await asyncio.wait_for(viewer.next(hub.snapshot), 1))
    return found


def move(hub: Hub, seconds: float) -> None:
    hub.progress("c1", round(seconds * 8000))
    assert hub.tick() is not None


@on_a_loop
async def test_a_snapshot_first_then_what_changed() -> None:
    hub = new_hub()
    hub.open(request_for())
    hub.tick()
    viewer = hub.join()
    first = await message(viewer, hub)
    assert (first["type"], first["seq"], first["epoch"]) == ("snapshot", 1, hub.epoch)
    assert first["now"] == "2026-01-31T08:00:00Z"
    assert [call["id"] for call in first["calls"]] == ["c1"]
    move(hub, 1.0)
    tick = await message(viewer, hub)
    assert tick == {"type": "tick", "seq": 2, "calls": [{"seconds": 1.0, "id": "c1"}], "alerts": [], "gone": []}


@on_a_loop
async def test_nothing_new_is_no_tick() -> None:
    hub = new_hub()
    hub.open(request_for())
    assert hub.tick() is not None
    hub.progress("c1", 1)  # less than is shown
    assert hub.tick() is None
    hub.progress("unknown", 8000)
    assert hub.tick() is None


@on_a_loop
async def test_all_changes_of_a_tick_are_one_message() -> None:
    hub = new_hub()
    for call in ("a", "b"):
        hub.open(request_for(call))
        hub.apply(call, [alert(0), alert(0, AlertState.CONFIRMED)], 8000)
    found = json.loads(hub.tick() or "")
    assert sorted(call["id"] for call in found["calls"]) == ["a", "b"]
    assert [(a["id"], a["state"]) for a in found["alerts"]] == [("a~p/r~0", "confirmed"), ("b~p/r~0", "confirmed")]


@on_a_loop
async def test_screens_are_told_when_the_fast_ear_answers_alone() -> None:
    hub = new_hub()
    hub.hearing(fast_only=False)
    assert hub.tick() is None
    viewer = hub.join()
    assert (await message(viewer, hub))["fast_only"] is False
    hub.hearing(fast_only=True)
    assert hub.tick() is not None
    tick = await message(viewer, hub)
    assert tick == {"type": "tick", "seq": 1, "calls": [], "alerts": [], "gone": [], "fast_only": True}
    assert (await message(hub.join(), hub))["fast_only"] is True
    hub.hearing(fast_only=True)
    assert hub.tick() is None


@on_a_loop
async def test_a_screen_that_comes_back_gets_what_it_missed() -> None:
    hub = new_hub()
    hub.open(request_for())
    for second in range(4):
        move(hub, second + 1)
    viewer = hub.join(hub.epoch, 2)
    assert [(await message(viewer, hub))["seq"] for _ in range(2)] == [3, 4]
    move(hub, 9)
    assert (await message(viewer, hub))["seq"] == 5


@on_a_loop
async def test_a_screen_that_missed_nothing_just_goes_on() -> None:
    hub = new_hub()
    hub.open(request_for())
    move(hub, 1)
    viewer = hub.join(hub.epoch, 1)
    waiting = asyncio.create_task(message(viewer, hub))
    await asyncio.sleep(0)
    assert not waiting.done()
    move(hub, 2)
    assert (await waiting)["seq"] == 2


@on_a_loop
async def test_a_screen_that_was_away_too_long_or_knew_another_server_gets_a_snapshot() -> None:
    hub = new_hub()
    hub.open(request_for())
    for second in range(9):
        move(hub, second + 1)
    for epoch, seq in ((hub.epoch, 1), ("other", 9), (hub.epoch, 99), (hub.epoch, 5)):
        # 5 is kept, but four ticks are more than a screen's queue
        assert (await message(hub.join(epoch, seq), hub))["type"] == "snapshot"


@on_a_loop
async def test_a_slow_screen_gets_a_snapshot_and_no_backlog() -> None:
    hub = new_hub()
    hub.open(request_for())
    hub.tick()
    slow, quick = hub.join(), hub.join()
    await message(slow, hub)
    await message(quick, hub)
    for second in range(1, 6):
        move(hub, second)
        assert (await message(quick, hub))["calls"][0]["seconds"] == second
        assert len(slow) <= SETTINGS.viewer_queue
    caught_up = await message(slow, hub)
    assert (caught_up["type"], caught_up["seq"]) == ("snapshot", hub.seq)
    assert caught_up["calls"][0]["seconds"] == 5.0
    move(hub, 6)
    assert (await message(slow, hub))["type"] == "tick"
    assert (slow.snapshots, quick.snapshots) == (2, 1)


@on_a_loop
async def test_the_feed_keeps_the_newest_and_what_people_wrote() -> None:
    hub = new_hub()
    hub.open(request_for())
    hub.apply("c1", [alert(n) for n in range(5)], 8)
    hub.tick()
    feed = json.loads(hub.snapshot())["alerts"]
    assert [a["occasion"] for a in feed] == [4, 3, 2]
    hub.review({**feed[0], "ack": {"by": "老张", "at": "2026-01-31T08:00:00Z"}})
    hub.apply("c1", [alert(4, AlertState.CLEARED)], 8)
    told = json.loads(hub.tick() or "")["alerts"]
    assert [(a["state"], a["ack"]["by"]) for a in told] == [("cleared", "老张")]


@on_a_loop
async def test_a_review_of_an_old_alert_is_told_and_does_not_enter_the_feed() -> None:
    hub = new_hub()
    hub.seed([{"id": "new"}, {"id": "old"}])
    hub.review({"id": "ancient", "right": True})
    assert json.loads(hub.tick() or "")["alerts"] == [{"id": "ancient", "right": True}]
    assert [a["id"] for a in json.loads(hub.snapshot())["alerts"]] == ["new", "old"]


@on_a_loop
async def test_a_call_that_leaves_the_wall_is_gone_once() -> None:
    hub = new_hub()
    hub.open(request_for())
    hub.tick()
    hub.ended("c1")
    assert json.loads(hub.tick() or "")["calls"] == [{"phase": "ended", "id": "c1"}]
    hub.remove("c1")
    hub.remove("c1")
    assert json.loads(hub.tick() or "")["gone"] == ["c1"]
    assert json.loads(hub.snapshot())["calls"] == []
    assert hub.tick() is None


@on_a_loop
async def test_the_first_change_after_quiet_is_told_at_once() -> None:
    hub = Hub(describe, replace(SETTINGS, tick=60.0), lambda: "now")
    viewer = hub.join()
    await message(viewer, hub)
    running = asyncio.create_task(hub.run())
    hub.open(request_for())
    assert (await message(viewer, hub))["seq"] == 1  # long before the next tick's time
    running.cancel()
