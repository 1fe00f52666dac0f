"""Where both speak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitor.render.dialogue import Item, Say, Silence
from tests.accuracy.calls import DEMO, Heard, Span, call, demo, hear

SHORTEST = 0.1
"""Seconds; shorter ones are not counted, on either side."""

HANGOVER = 0.3
"""Seconds; a pause up to this is inside speech, in the truth as in the detector."""

FULL = "我的热水器一直没有反应，我想预约维修，请问怎么操作？"
REPLY = "请您提供一下您的会员编号，我帮您查询账单。"


def talking_over(seed: int, **settings: Any) -> Heard:
    """A call of overlaps of many lengths, either side first, and of short words within the other's speech."""
    lengths = (0.2, 0.35, 0.5, 0.8, 1.2, 2.0, 3.0)
    items: list[Item] = [Silence(silence=1.0)]
    for n, length in enumerate(lengths):
        first, second = ("customer", "agent") if (n + seed) % 2 else ("agent", "customer")
        items.append(Say(**{first: FULL}, pause=1.2))
        items.append(Say(**{second: REPLY}, overlap=length))
    made = call(*items, Silence(silence=1.0), signals=False, seed=seed, **settings)
    begin = made.truth["utterances"][0]["start"] + made.truth["seconds"]
    items.append(Say(customer=FULL, pause=1.2))
    items += [Say(agent="好的。", at=begin + at) for at in (1.4, 3.0)]
    return hear(call(*items, Silence(silence=1.0), signals=False, seed=seed, **settings), words=False)


def speech(said: dict[str, Any]) -> list[Span]:
    """Sounding stretches of an utterance."""
    cuts = [pause for pause in said["pauses"] if pause[1] - pause[0] > HANGOVER]
    starts = [said["start"], *(b for _, b in cuts)]
    return list(zip(starts, [*(a for a, _ in cuts), said["end"]], strict=True))


def true_overlaps(heard: Heard) -> list[Span]:
    both = [[span for said in heard.said(channel) for span in speech(said)] for channel in ("agent", "customer")]
    met = [(max(a[0], b[0]), min(a[1], b[1])) for a in both[0] for b in both[1]]
    return sorted(span for span in met if span[1] - span[0] >= SHORTEST)


def alike(a: Span, b: Span) -> bool:
    """At least half of both together is in both."""
    both = min(a[1], b[1]) - max(a[0], b[0])
    return both >= 0.5 * (max(a[1], b[1]) - min(a[0], b[0]))


def counts(heard: Heard) -> tuple[int, int, int]:
    """Overlaps found rightly, found wrongly, and missed."""
    truth = true_overlaps(heard)
    found = [span for _, span in heard.overlaps() if span[1] - span[0] >= SHORTEST]
    right = sum(any(alike(f, t) for f in found) for t in truth)
    wrong = sum(not any(alike(f, t) for t in truth) for f in found)
    return right, wrong, len(truth) - right


def f1(right: int, wrong: int, missed: int) -> float:
    return 2 * right / (2 * right + wrong + missed) if right else 0.0


def shared_time(heard: Heard) -> tuple[int, int, int]:
    """The same in steps of 10 ms."""
    grid = [np.zeros(round(heard.truth["seconds"] * 100) + 100, np.bool_) for _ in range(2)]
    for marks, spans in zip(grid, ([span for _, span in heard.overlaps()], true_overlaps(heard)), strict=True):
        for start, end in spans:
            marks[round(start * 100) : round(end * 100)] = True
    found, truth = grid
    return int((found & truth).sum()), int((found & ~truth).sum()), int((truth & ~found).sum())


@pytest.fixture(scope="module")
def calls(voices: None) -> list[Heard]:
    return [
        talking_over(1),
        talking_over(2, rate=16000, agent={"voice": "f5"}, customer={"voice": "adam"}),
        talking_over(3, mulaw=True, agent={"voice": "Annie", "pace": 260}, customer={"voice": "m1", "level": -30}),
    ]


def test_overlaps_are_found(calls: list[Heard]) -> None:
    total = np.sum([counts(heard) for heard in calls], axis=0)
    time = np.sum([shared_time(heard) for heard in calls], axis=0)
    print(f"right, wrong, missed: {total.tolist()}, F1 {f1(*total):.3f}; of the time F1 {f1(*time):.3f}")
    assert sum(total) >= 25
    assert f1(*total) >= 0.95
    assert f1(*time) >= 0.95


def test_who_came_second_is_known(calls: list[Heard]) -> None:
    for heard in calls:
        for by, span in heard.overlaps():
            starts = {c: [u["start"] for u in heard.said(c) if u["start"] < span[1]] for c in ("agent", "customer")}
            latest = max(starts, key=lambda channel: max(starts[channel]))
            if span[1] - span[0] >= SHORTEST:
                assert by == latest, f"{span} in {heard.truth['title']}"


def test_the_demo_calls_have_their_overlaps_and_no_others() -> None:
    for path in sorted(DEMO.glob("*.flac")):
        heard = hear(demo(path.stem), words=False)
        right, wrong, missed = counts(heard)
        assert (wrong, missed) == (0, 0), path.stem
        assert right == (2 if path.stem == "2-fast-loud" else 0)
