"""From a cause to the screen, by the wall clock, through a real server and real sockets.

The moment of a cause is that at which the piece of audio with the last sample before it was sent. For an alert two
causes are told: ``at``, where the cause lies, and ``raised_at``, the end of what the finding needs by its definition
(an interruption is known only when the other has given way). One screen looks on in a process that does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.bench.gauge import Figures, Plan, spread
from monitor.bench.material import Material, demo_call, joined
from monitor.bench.sender import Feed, Sent, sending
from monitor.bench.serving import Usage, server
from monitor.bench.viewer import Message, watch
from monitor.core.fold import fold
from monitor.render.truth import Said

CALLS = 50
PHRASE_CALLS = 5
AUDIO_P95_MS = 150
PHRASE_P95_MS = 2000
STAGGER = 0.0137
"""Seconds between the beginnings of two calls: they spread over the tenth of a second between two pieces."""

REACH = 1.0
"""Seconds by which recognised words may lie beside where they were said."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the screen saw of the calls, when their pieces were sent, what the server cost."""

    seen: list[Message]
    sent: dict[str, Sent]
    before: Usage
    after: Usage


def run(plan: Plan) -> Figures:
    """Both scenes; the second needs a model."""
    figures = {"audio_rules": audio_rules(plan)}
    if plan.models:
        figures["phrases"] = phrases(plan)
    return figures


def audio_rules(plan: Plan) -> Figures:
    """Fifty live calls without recognition: what the sound alone tells."""
    count = 6 if plan.quick else CALLS
    materials = [demo_call("5-slow-absent"), demo_call("2-fast-loud")]
    if plan.quick:
        materials = [materials[0].part(0, 12), materials[1].part(0, 12)]
    feeds = [Feed(f"bench-{n}", materials[n % 2], n * STAGGER) for n in range(count)]
    plan.tell(f"{count} live calls without recognition for {max(m.seconds for m in materials):.0f} s")
    story = _play(feeds, ())
    found = list(_alerts(story))
    by_rule: dict[str, list[tuple[float, float]]] = {}
    for alert, at, raised in found:
        by_rule.setdefault(alert["rule"], []).append((at, raised))
    return {
        "calls": count,
        "target": {"p95_ms": AUDIO_P95_MS},
        "from_raised_at": spread([raised for _, _, raised in found]),
        "from_at": spread([at for _, at, _ in found]),
        "rules": {
            rule: {"from_raised_at": spread([r for _, r in pairs]), "from_at": spread([a for a, _ in pairs])}
            for rule, pairs in sorted(by_rule.items())
        },
        "metric": spread(list(_levels(story))),
        "server": _cost(story, count),
    }


def phrases(plan: Plan) -> Figures:
    """Five live calls with the shipped ears: from the last syllable to the alert, and to the words on the screen."""
    count = 2 if plan.quick else PHRASE_CALLS
    material = _forbidden(0 if plan.quick else 3)
    feeds = [Feed(f"bench-{n}", material, n * 1.37) for n in range(count)]
    models = " + ".join(plan.models)
    plan.tell(f"{count} live calls with {models} for {material.seconds:.0f} s")
    story = _play(feeds, plan.models)
    alerts = [
        (alert, arrived - story.sent[alert["call"]].when(last))
        for alert, arrived in _first_alerts(story)
        if alert["evidence"] and (last := last_syllable(material.said, alert["evidence"][-1])) is not None
    ]
    return {
        "calls": count,
        "model": models,
        "target": {"p95_ms": PHRASE_P95_MS},
        "alerts": spread([latency for _, latency in alerts]),
        "first_words": spread(list(_texts(story, material.said, settled=False))),
        "settled_words": spread(list(_texts(story, material.said, settled=True))),
        "utterances": len(material.said) * count,
        "server": _cost(story, count),
    }


def _forbidden(times: int) -> Material:
    """A call in which forbidden sentences come again and again: the faulty demo call without its minute of hold.

    0 ``times`` is only the first of them, once.
    """
    call = demo_call("3-hold-faults")
    hold, resume = (s.at / call.rate for s in call.signals if s.signal.value in ("hold", "resume"))
    opening = call.part(0.0, hold)
    bad = call.part(resume, call.said[-1].start)
    return joined("forbidden", [opening, *[bad] * times]) if times else bad.part(0.0, bad.said[1].start)


def _play(feeds: Sequence[Feed], models: Sequence[str]) -> Story:
    """Feed the calls to a server of their own while a screen looks on."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as name:
        folder = Path(name)
        with server(folder / "data", models) as served:
            before = served.usage()
            with sending(served.ws, feeds, folder) as sender:
                seen = asyncio.run(watch(served.ws, lambda: sender.done, after=0.5))
                after = served.usage()
                return Story(seen, sender.result(), before, after)


def _cost(story: Story, calls: int) -> Figures:
    wall = story.after.at - story.before.at
    return {
        "cpu_share": round((story.after.cpu - story.before.cpu) / wall, 3),
        "mib_a_call": round((story.after.rss - story.before.rss) / calls / 2**20, 2),
    }


# ---------------------------------------------------------------- what the screen saw


def _ticks(story: Story) -> Iterator[tuple[float, dict[str, Any]]]:
    for arrived, text in story.seen:
        message = json.loads(text)
        if message["type"] == "tick":
            yield arrived, message


def _first_alerts(story: Story) -> Iterator[tuple[dict[str, Any], float]]:
    """Each alert when it was first seen."""
    known: set[str] = set()
    for arrived, tick in _ticks(story):
        for alert in tick["alerts"]:
            if alert["id"] not in known:
                known.add(alert["id"])
                yield alert, arrived


def _alerts(story: Story) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Each alert with its latencies from ``at`` and from ``raised_at``."""
    for alert, arrived in _first_alerts(story):
        sent = story.sent[alert["call"]]
        yield alert, arrived - sent.when(alert["at"]), arrived - sent.when(alert["raised_at"])


def _levels(story: Story) -> Iterator[float]:
    """From the last sample of a second to its level on the screen."""
    for arrived, tick in _ticks(story):
        for call in tick["calls"]:
            if any(value is not None for value in call.get("level", {}).values()) and "seconds" in call:
                sent = story.sent[call["id"]]
                whole = int(call["seconds"])
                if arrived < sent.times[-1]:  # what the end of a call tells is no whole second
                    yield arrived - sent.when(whole)


def _texts(story: Story, said: Sequence[Said], *, settled: bool) -> Iterator[float]:
    """From the last syllable of an utterance to its settled words, or from its first one to its first words."""
    for call, sent in story.sent.items():
        left = list(said)
        for arrived, tick in _ticks(story):
            lines = [line for c in tick["calls"] if c["id"] == call for line in c.get("lines", ())]
            for one in list(left):
                if any(_shows(line, one, settled) for line in lines):
                    left.remove(one)
                    yield arrived - sent.when(one.end if settled else one.spoken[0][1])


def _shows(line: dict[str, Any], said: Said, settled: bool) -> bool:
    if line["channel"] != said.channel:
        return False
    if settled:
        return bool(line["settled"] and abs(line["end"] - said.end) < REACH / 2)
    return bool(abs(line["start"] - said.start) < REACH / 2)


def last_syllable(said: Sequence[Said], evidence: dict[str, Any]) -> float | None:
    """Where the last syllable of recognised words ended, by the truth: where the next begins, or the utterance ends.

    None when nothing was said there.
    """
    near = [s for s in said if s.channel == evidence["channel"] and s.start - REACH < evidence["end"] < s.end + REACH]
    if not near:
        return None
    one = min(near, key=lambda s: abs((s.start + s.end) / 2 - evidence["end"]))
    ends = [at for _, at in one.spoken[1:]] + [one.end]
    place = fold("".join(char for char, _ in one.spoken)).find(fold(evidence["text"]))
    if place >= 0:
        return ends[min(place + len(fold(evidence["text"])), len(ends)) - 1]
    return min(ends, key=lambda end: abs(end - evidence["end"]))
