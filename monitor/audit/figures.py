"""Figures over many calls: what the rules of form ``report`` count, from what the store knows of ended calls."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from monitor.core.rulebook import Keep, Pack, Report, Rule
from monitor.store.history import PastCall, PastPromise
from monitor.store.store import Store
from monitor.store.views import parse_time, utc_text

DAYS = 30
"""Figures are about the last so many days where nothing else is asked for."""

UNITS = {"within": 1, "within_seconds": 1, "within_minutes": 60, "within_hours": 3600, "within_days": 86400}
"""Values of a rule that limit a time, and their seconds."""

CALL_BACK_SECONDS = 180.0
"""A call that broke off should be called back in so much time, unless the rule says otherwise."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Calls that began from ``start`` to before ``end`` are counted, with what is known at ``now``."""

    start: datetime
    end: datetime
    now: datetime

    @classmethod
    def of(cls, start: datetime | None, end: datetime | None, now: datetime) -> Span:
        """The span asked for; raises ``ValueError`` when it ends before it begins."""
        until = end or now
        since = start or until - timedelta(days=DAYS)
        if since >= until:
            raise ValueError(f"from {since.isoformat()} is not before to {until.isoformat()}: exchange them")
        return cls(since, until, now)


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the product does for confidentiality. ``masking``: numbers of customers are masked in records, None where
    this is not set; ``recordings``: audio is kept; ``days`` after which calls are deleted, None for never."""

    masking: bool | None
    recordings: bool
    days: int | None = None


@dataclass(slots=True)
class History:
    """The calls of a span, and when customers were called from its beginning until now (wall times, sorted)."""

    span: Span
    calls: list[PastCall]
    promises: list[PastPromise]
    outbound: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store, span: Span) -> History:
        """All that the figures of a span need, for every pack."""
        history = cls(span, store.past_calls(span.start, span.end), store.past_promises(span.start, span.end))
        for call in store.past_calls(span.start, span.now, customers=True):
            if call.direction == "outbound" and call.customer is not None:
                history.outbound.setdefault(call.customer, []).append(call.started)
        return history

    def called(self, customer: str, after: str) -> str | None:
        """When the customer was called first after a time, None if never."""
        times = self.outbound.get(customer, [])
        at = bisect_left(times, after)
        return times[at] if at < len(times) else None


def figures(store: Store, packs: Sequence[Pack], span: Span, privacy: Privacy) -> Json:
    """The figures of every pack that has rules for them, ready for JSON."""
    history = History.read(store, span)
    shown = []
    for pack in packs:
        rules = [(rule, rule.form) for rule in pack.rules if isinstance(rule.form, Report)]
        if rules:
            found = [_figure(pack, rule, form, history, privacy) for rule, form in rules]
            shown.append({"id": pack.id, "title": pack.title, "figures": found})
    return {"from": utc_text(span.start), "to": utc_text(span.end), "packs": shown}


def _figure(pack: Pack, rule: Rule, form: Report, history: History, privacy: Privacy) -> Json:
    if form.figure == "confidentiality":
        counted = confidentiality(privacy)
    else:
        counted = COUNTS[form.figure](pack, form.values, history)
    return {
        "rule": rule.id,
        "figure": form.figure,
        "title": rule.title,
        "watches": list(rule.watches),
        "values": dict(form.values),
        **counted,
    }


def limit(values: Mapping[str, float]) -> float | None:
    """The seconds that a rule gives, None where it gives none."""
    return next((values[name] * unit for name, unit in UNITS.items() if name in values), None)


def promises(pack: Pack, values: Mapping[str, float], history: History) -> Json:
    """Promises are due at their own time, or at the rule's when that is earlier or the only one. An outbound call to
    the customer by then keeps one; without any time every later call does."""
    seconds = limit(values)
    now = utc_text(history.span.now)
    made = kept = missed = still = unknown = timeless = 0
    for promise in history.promises:
        if not promise.call.of_pack(pack.id):
            continue
        made += 1
        due = _due(promise, seconds)
        timeless += due is None
        if promise.call.customer is None:
            unknown += 1
            continue
        called = history.called(promise.call.customer, promise.made)
        if called is not None and (due is None or called <= due):
            kept += 1
        elif due is not None and due < now:
            missed += 1
        else:
            still += 1
    return {
        "made": made,
        "due": kept + missed,
        "kept": kept,
        "missed": missed,
        "open": still,
        "without_time": timeless,
        "cannot_tell": unknown,
        "share": share(kept, kept + missed),
    }


def _due(promise: PastPromise, seconds: float | None) -> str | None:
    ruled = None if seconds is None else _later(promise.made, seconds)
    return min((due for due in (promise.due, ruled) if due is not None), default=None)


def _later(moment: str, seconds: float) -> str:
    return utc_text(parse_time(moment) + timedelta(seconds=seconds))


def dropped_calls(pack: Pack, values: Mapping[str, float], history: History) -> Json:
    """Calls that broke off, and whether the customer was called back within the rule's seconds."""
    seconds = limit(values) or CALL_BACK_SECONDS
    now = utc_text(history.span.now)
    broke = in_time = late = never = waiting = unknown = unsure = 0
    for call in history.calls:
        if not call.of_pack(pack.id) or not call.answered:
            continue
        unsure += call.broke_off is None
        if not call.broke_off:
            continue
        broke += 1
        if call.customer is None:
            unknown += 1
            continue
        called, by = history.called(call.customer, call.ended), _later(call.ended, seconds)
        if called is None:
            waiting += by >= now
            never += by < now
        else:
            in_time += called <= by
            late += called > by
    return {
        "within_seconds": seconds,
        "broke_off": broke,
        "called_back": in_time,
        "late": late,
        "never": never,
        "waiting": waiting,
        "cannot_tell": unknown,
        "not_known_how_ended": unsure,
        "share": share(in_time, in_time + late + never),
    }


def repeats(pack: Pack, values: Mapping[str, float], history: History) -> Json:
    """Customers who called more than once on a day, by the local day of the span."""
    del values
    zone = history.span.start.tzinfo
    seen: set[tuple[str, str]] = set()
    calls = again = unknown = 0
    for call in history.calls:
        if not call.of_pack(pack.id) or call.direction != "inbound":
            continue
        if call.customer is None:
            unknown += 1
            continue
        calls += 1
        key = (call.customer, _day(call.started, zone))
        again += key in seen
        seen.add(key)
    return {"calls": calls, "repeats": again, "cannot_tell": unknown, "share": share(again, calls)}


def _day(moment: str, zone: tzinfo | None) -> str:
    return parse_time(moment).astimezone(zone).date().isoformat()


def answer_rates(pack: Pack, values: Mapping[str, float], history: History) -> Json:
    """Inbound calls that were answered, and those answered within the rings that the pack allows. What a machine
    answered or put through is not known here: those limits are named as such."""
    offered = [call for call in history.calls if call.of_pack(pack.id) and call.direction == "inbound"]
    answered = [call for call in offered if call.answered]
    counted = [call.rings for call in answered if call.rings is not None]
    rings = values.get("within_rings", _rings(pack))
    wanted = values.get("manual_answer")
    found = share(len(answered), len(offered))
    return {
        "offered": len(offered),
        "answered": len(answered),
        "unanswered": len(offered) - len(answered),
        "share": found,
        "enough": None if found is None or wanted is None else found >= wanted,
        "rings": rings,
        "rings_counted": len(counted),
        "within_rings": None if rings is None else sum(n <= rings for n in counted),
        "not_known": [name for name in values if name.startswith("auto_")],
    }


def _rings(pack: Pack) -> float | None:
    """How many rings the pack allows."""
    limits = (r.form.limits[-1].most for r in pack.rules if isinstance(r.form, Keep) and r.form.measure == "rings")
    return next((most for most in limits if most is not None), None)


def confidentiality(privacy: Privacy) -> Json:
    """What the product does, rather than a count."""
    return {
        "customer_ids": "keyed digests only",
        "masking": privacy.masking,
        "recordings": "kept" if privacy.recordings else "deleted when the call is over",
        "retention_days": privacy.days,
    }


def share(part: int, whole: int) -> float | None:
    """A part of a whole to four places, None of nothing."""
    return round(part / whole, 4) if whole else None


COUNTS: dict[str, Callable[[Pack, Mapping[str, float], History], Json]] = {
    "promises": promises,
    "dropped_calls": dropped_calls,
    "repeats": repeats,
    "answer_rates": answer_rates,
}
