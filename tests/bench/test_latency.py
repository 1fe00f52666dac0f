from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.bench.latency import Story, _alerts, _levels, _texts, last_syllable
from monitor.bench.sender import Sent
from monitor.bench.serving import Usage
from monitor.render.truth import Said

SAID = (
    Said("agent", "不归我们管。", 1.0, 2.2, (("不", 1.0), ("归", 1.2), ("我", 1.4), ("们", 1.6), ("管", 1.8))),
    Said("agent", "再见。", 5.0, 5.6, (("再", 5.0), ("见", 5.3))),
)


def _story(*ticks: tuple[float, dict[str, Any]]) -> Story:
    """Pieces of 0.1 s that went out at 100.1, 100.2, …"""
    sent = {"c": Sent(8000, 800, tuple(100.1 + n / 10 for n in range(100)))}
    seen = [(at, json.dumps({"type": "tick", "calls": [], "alerts": [], **tick})) for at, tick in ticks]
    return Story(seen, sent, Usage(0, 0, 0), Usage(0, 0, 1))


def _alert(state: str) -> dict[str, Any]:
    return {"alerts": [{"id": "c~r~1", "call": "c", "rule": "r", "state": state, "at": 2.0, "raised_at": 3.05}]}


def test_the_moment_of_a_sample_is_that_of_its_piece() -> None:
    sent = _story().sent["c"]
    assert sent.when(0.0) == pytest.approx(100.1)
    assert sent.when(0.1) == pytest.approx(100.1), "the sample before it is the last of the first piece"
    assert sent.when(0.1002) == pytest.approx(100.2)
    assert sent.when(99.0) == pytest.approx(110.0)


def test_an_alert_counts_once_when_it_is_first_seen() -> None:
    story = _story((103.2, _alert("raised")), (104.0, _alert("confirmed")))
    ((alert, at, raised),) = _alerts(story)
    assert alert["state"] == "raised"
    assert at == pytest.approx(103.2 - 102.0)
    assert raised == pytest.approx(103.2 - 103.1)


def test_a_level_is_late_from_the_last_sample_of_its_second() -> None:
    level = {"calls": [{"id": "c", "seconds": 3.0, "level": {"agent": -20.0, "customer": None}}]}
    nothing = {"calls": [{"id": "c", "seconds": 4.0, "level": {"agent": None, "customer": None}}]}
    assert list(_levels(_story((103.03, level), (104.0, nothing)))) == [pytest.approx(0.03)]


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("不归我们管", 2.15, 2.2),
        ("不归我们", 1.7, 1.8),
        ("补归我门", 1.75, 1.8),  # misheard: the syllable that ends next to it
        ("再见", 5.4, 5.6),
        ("再见", 9.0, None),
    ],
)
def test_the_last_syllable_is_that_of_the_truth(text: str, end: float, expected: float | None) -> None:
    found = last_syllable(SAID, {"channel": "agent", "text": text, "start": end - 0.5, "end": end})
    assert found == expected


def test_nobody_said_it_on_the_other_side() -> None:
    assert last_syllable(SAID, {"channel": "customer", "text": "再见", "start": 5.0, "end": 5.4}) is None


def test_words_are_late_from_their_utterance() -> None:
    early = {"channel": "agent", "start": 1.02, "end": 1.6, "text": "不归", "settled": False}
    final = {"channel": "agent", "start": 1.02, "end": 2.24, "text": "不归我们管", "settled": True}
    story = _story(
        (101.9, {"calls": [{"id": "c", "lines": [early]}]}), (102.8, {"calls": [{"id": "c", "lines": [final]}]})
    )
    assert list(_texts(story, SAID, settled=False)) == [pytest.approx(101.9 - 101.0)]
    assert list(_texts(story, SAID, settled=True)) == [pytest.approx(102.8 - 102.2)]
