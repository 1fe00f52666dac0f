"""The state of every call on the wall, and its delivery to screens: a snapshot first, then one message a tick.

The hub lives on the event loop; only the loop's thread may call it. Ticks are numbered; the last ones are kept so
that a screen that lost its connection goes on where it was. Each screen has its own bounded queue: when it is
full, the queue is emptied and the screen gets a fresh snapshot, so a slow screen costs nobody anything and never
shows old news as new.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from monitor.core.types import Alert, Event
from monitor.live.settings import LiveSettings
from monitor.live.setup import CallSetupRequest
from monitor.live.view import Describe, View, alert_id, alert_view, changes

REVIEW = ("ack", "comment", "right")
"""The fields of an alert that people write; a later state of the alert leaves them."""


def dumps(data: Any) -> str:
    """Compact JSON, Chinese readable."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


class Viewer:
    """One screen's queue: at most ``bound`` ticks; beyond that the screen is behind and needs a snapshot."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._queue: deque[str] = deque()
        self._behind = True
        self._ready = asyncio.Event()
        self._ready.set()
        self.snapshots = 0

    def offer(self, message: str) -> None:
        """Queue a tick; a full queue is dropped whole in favour of a snapshot."""
        if self._behind:
            return
        if len(self._queue) >= self._bound:
            self.fall_behind()
            return
        self._queue.append(message)
        self._ready.set()

    def fall_behind(self) -> None:
        """Forget what waits; the next message is a snapshot."""
        self._queue.clear()
        self._behind = True
        self._ready.set()

    def continue_with(self, missed: Sequence[str]) -> None:
        """The screen has a known state: these ticks bring it up to date."""
        if len(missed) > self._bound:
            self.fall_behind()
            return
        self._behind = False
        self._queue.extend(missed)
        if self._queue:
            self._ready.set()
        else:
            self._ready.clear()

    def __len__(self) -> int:
        return len(self._queue)

    async def next(self, snapshot: Callable[[], str]) -> str:
        """The next message to send, waiting for it; a snapshot is made only when it is about to be sent."""
        while True:
            await self._ready.wait()
            if self._behind:
                self._behind = False
                self._ready.clear()
                self.snapshots += 1
                return snapshot()
            if self._queue:
                return self._queue.popleft()
            self._ready.clear()


class Hub:
    """Views of all calls on the wall, the recent alerts, and the screens that look at them."""

    def __init__(self, describe: Describe, settings: LiveSettings, now: Callable[[], str]) -> None:
        self.epoch = uuid.uuid4().hex
        self.seq = 0
        self.views: dict[str, View] = {}
        self.viewers: set[Viewer] = set()
        self._describe = describe
        self._settings = settings
        self._now = now
        self._alerts: OrderedDict[str, dict[str, Any]] = OrderedDict()  # oldest first
        self._published: dict[str, dict[str, Any]] = {}
        self._ring: deque[tuple[int, str]] = deque(maxlen=settings.tick_ring)
        self._dirty: set[str] = set()
        self._changed_alerts: dict[str, dict[str, Any]] = {}
        self._gone: list[str] = []
        self._fast_only = False
        self._told_fast_only = False
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._snapshot: tuple[int, str] | None = None

    # ------------------------------------------------------------ state

    def open(self, info: CallSetupRequest) -> View:
        """Put a call on the wall (again, when it was rebuilt)."""
        view = self.views[info.id] = View(info, self._describe)
        self._touch(info.id)
        return view

    def apply(self, call: str, events: Sequence[Event], position: int) -> None:
        """Events of a call, whose alerts are in the store by now."""
        view = self.views.get(call)
        if view is None:
            return
        view.advance(position)
        view.apply(events)
        for event in events:
            if isinstance(event, Alert):
                self.put_alert(alert_view(view.info, event, self._describe))
        self._touch(call)

    def progress(self, call: str, position: int) -> None:
        """The audio of a call has got on; shown with the next tick."""
        if view := self.views.get(call):
            view.advance(position)
            self._touch(call)

    def interrupted(self, call: str, interrupted: bool) -> None:
        """The client of a call dropped, or came back."""
        if view := self.views.get(call):
            view.interrupted = interrupted
            self._touch(call)

    def note(self, call: str, note: dict[str, Any]) -> None:
        """Something about the call that people should know: ``{"code", "message": {zh, en}}``."""
        if view := self.views.get(call):
            view.notes = [*view.notes, note]
            self._touch(call)

    def ended(self, call: str) -> None:
        """The call is over; it stays on the wall until ``remove``."""
        if view := self.views.get(call):
            view.ended = True
            self._touch(call)

    def remove(self, call: str) -> None:
        """Take a call off the wall; its alerts stay in the feed."""
        if self.views.pop(call, None) is not None:
            self._dirty.discard(call)
            if self._published.pop(call, None) is not None:
                self._gone.append(call)
            self._wake.set()

    def put_alert(self, alert: dict[str, Any]) -> None:
        """Add or replace an alert of the feed, keeping what people wrote on it; the oldest leaves when full."""
        old = self._alerts.get(alert["id"])
        if old is not None:
            alert = {**alert, **{key: alert[key] if alert[key] is not None else old[key] for key in REVIEW}}
        self._alerts[alert["id"]] = alert
        while len(self._alerts) > self._settings.recent_alerts:
            self._alerts.popitem(last=False)
        self._changed_alerts[alert["id"]] = alert
        self._wake.set()
        self._urgent.set()

    def review(self, alert: dict[str, Any]) -> None:
        """Someone wrote on an alert: screens that show it take the change, also when it is older than the feed."""
        if alert["id"] in self._alerts:
            self._alerts[alert["id"]] = alert
        self._changed_alerts[alert["id"]] = alert
        self._wake.set()

    def seed(self, alerts: Iterable[dict[str, Any]]) -> None:
        """The feed as the store has it, newest first; used once at start."""
        for alert in reversed(list(alerts)):
            self._alerts.setdefault(alert["id"], alert)

    def hearing(self, *, fast_only: bool) -> None:
        """Whether the fast ear answers alone, because the careful one cannot follow."""
        self._fast_only = fast_only
        self._wake.set()

    def alert(self, call: str, rule: str, occasion: int) -> dict[str, Any] | None:
        """An alert of the feed."""
        return self._alerts.get(alert_id(call, rule, occasion))

    def _touch(self, call: str) -> None:
        self._dirty.add(call)
        self._wake.set()

    # ------------------------------------------------------------ delivery

    def tick(self) -> str | None:
        """Number and hand out what changed since the last tick; None when nothing did."""
        calls = []
        for call in self._dirty:
            whole = self.views[call].whole()
            if changed := changes(self._published.get(call, {}), whole):
                calls.append({**changed, "id": call})
                self._published[call] = whole
        alerts = list(self._changed_alerts.values())
        gone, self._gone = self._gone, []
        self._dirty.clear()
        self._changed_alerts.clear()
        state = {} if self._told_fast_only == self._fast_only else {"fast_only": self._fast_only}
        self._told_fast_only = self._fast_only
        if not (calls or alerts or gone or state):
            return None
        self.seq += 1
        message = dumps({"type": "tick", "seq": self.seq, "calls": calls, "alerts": alerts, "gone": gone, **state})
        self._ring.append((self.seq, message))
        for viewer in self.viewers:
            viewer.offer(message)
        return message

    def snapshot(self) -> str:
        """Everything a screen needs, as of the last tick; made once a tick however many screens ask."""
        if self._snapshot is None or self._snapshot[0] != self.seq:
            data = {
                "seq": self.seq,
                "epoch": self.epoch,
                "fast_only": self._told_fast_only,
                "calls": list(self._published.values()),
                "alerts": list(reversed(self._alerts.values())),
            }
            self._snapshot = (self.seq, dumps(data)[1:])
        return f'{{"type":"snapshot","now":{dumps(self._now())},{self._snapshot[1]}'

    def join(self, epoch: str | None = None, seq: int | None = None) -> Viewer:
        """A new screen. With the epoch and number it saw last it gets the ticks since, if they are still kept."""
        viewer = Viewer(self._settings.viewer_queue)
        if epoch == self.epoch and seq is not None and self._covers(seq):
            viewer.continue_with([message for number, message in self._ring if number > seq])
        self.viewers.add(viewer)
        return viewer

    def slowest(self) -> int:
        """The most ticks that wait for any screen."""
        return max(map(len, self.viewers), default=0)

    def leave(self, viewer: Viewer) -> None:
        """The screen is gone."""
        self.viewers.discard(viewer)

    def _covers(self, seq: int) -> bool:
        oldest = self._ring[0][0] if self._ring else self.seq + 1
        return oldest - 1 <= seq <= self.seq

    async def run(self) -> None:
        """Tick for ever: at once after a quiet time or for an alert, else as often as the settings say."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._urgent.clear()
            self.tick()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.tick):
                    await self._urgent.wait()
