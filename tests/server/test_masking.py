"""A call full of personal numbers: nothing that leaves the core but the journal holds a whole one."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from monitor.asr.pair import Engines
from monitor.asr.scripted import Scripted
from monitor.compose import STORE_FILE, make_parts
from monitor.config import Config
from monitor.core.fold import digits
from monitor.live.client import Feed, stream
from tests.scripted import CUSTOMER, Script
from tests.server.serving import Served, serving
from tests.server.test_whole import Streaming, in_turn

READ_BACK = "一三五零零二二零零三三"
FORGOTTEN = "幺三六四五六七八九二四"
IDENTITY = "一一零一零一一九九三零三零七五八二六"
NUMBERS = tuple(digits(number) for number in (READ_BACK, FORGOTTEN, IDENTITY))
SPOKEN = str.maketrans("零一二三四五六七八九幺", "01234567891")
RULE = "gas-hotline/read-back-number"


def script() -> Script:
    """One number is read back, one is not, and one is said in two breaths; the second sentence is an amount."""
    s = Script()
    s.answered(0.2)
    t = s.customer(1, f"我的电话是{READ_BACK}")
    t = s.agent(t + 0.5, f"好的{READ_BACK}对吗")
    t = s.customer(t + 0.5, "对我交了三百二十五块工号一零零二三八给我办的")
    t = s.customer(t + 1.5, f"身份证是{IDENTITY[:9]}")
    t = s.customer(t + 1.2, f"{IDENTITY[9:]}好了")
    t = s.customer(t + 0.5, f"还有一个电话{FORGOTTEN}")
    t = s.agent(t + 0.6, "好的我知道了")
    s.hangup(t + 18, CUSTOMER)
    return s


def played(folder: Path, config: Config) -> dict[str, Any]:
    """The call through a server: what screens, pages and store have of it in the end, and the journal."""
    s = script()
    engines = Engines(Streaming(s.words, name="fast"), Scripted(s.words, name="careful"))
    messages: list[str] = []
    with serving(make_parts(config, engines=engines, token=None, data=folder)) as served:
        with connect(f"{served.ws}/ws/live", max_size=None) as screen:
            screen.send('{"type":"hello"}')
            listening = Thread(target=listen, args=(screen, messages))
            listening.start()
            feed = Feed(f"{served.ws}/ws/ingest", "m1", s.rate, 2, {"signalled": True}, speed=20)
            asyncio.run(stream(feed, in_turn(s.audio(), s.signals, 800)))
            served.settled()
        listening.join(10)
        return {"screens": messages, "store": dumped(folder), **pages(served)}


def listen(screen: Any, messages: list[str]) -> None:
    try:
        for message in screen:
            messages.append(message)
    except ConnectionClosed:
        pass


def dumped(folder: Path) -> list[str]:
    """The whole database as SQL."""
    with closing(sqlite3.connect(folder / STORE_FILE)) as database:
        return list(database.iterdump())


def pages(served: Served) -> dict[str, Any]:
    """What other programs fetch; the call also as it looks when it has left the wall."""
    found: dict[str, Any] = {"call": [served.get("/api/calls/m1").text]}
    served.on_loop(lambda: served.server.hub.remove("m1"))
    found["call"].append(served.get("/api/calls/m1").text)
    for name in ("report", "transcript", "verdicts", "journal"):
        found[name] = [served.get(f"/api/calls/m1/{name}").text]
    found["alerts"] = [served.get("/api/alerts").text]
    return found


def pieces(number: str, length: int) -> list[str]:
    return [number[at : at + length] for at in range(len(number) - length + 1)]


def holds(text: str, piece: str) -> bool:
    """Whether a text has these digits in a row, spoken or written, in JSON with or without escapes."""
    plain = re.sub(r"\\\\*u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return piece in plain.translate(SPOKEN)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return played(tmp_path_factory.mktemp("data"), Config())


@pytest.mark.parametrize("where", ["screens", "store", "call", "report", "transcript", "verdicts", "alerts"])
def test_no_number_is_whole_behind_the_border(told: dict[str, Any], where: str) -> None:
    longest = 6 if where == "screens" else 5  # a growing number shows its first six digits
    for number in NUMBERS:
        for piece in pieces(number, longest + 1):
            assert not [text for text in told[where] if holds(text, piece)], (where, piece)


def test_what_is_shown_of_them(told: dict[str, Any]) -> None:
    report = json.loads(told["report"][0])
    lines = [line["text"] for line in report["transcript"]]
    assert "我的电话是一三五******三三" in lines
    assert "好的一三五******三三对吗" in lines
    assert "对我交了三百二十五块工号一零零二三八给我办的" in lines
    assert [line["text"] for line in json.loads(told["transcript"][0])["lines"]] == lines
    assert "身份证是*********" in lines  # its end was shown before it went on
    assert "*******二六好了" in lines
    for line in [*report["transcript"], *json.loads(told["transcript"][0])["lines"]]:
        assert "".join(word["text"] for word in line["words"]) == line["text"]
        assert all(word["start"] < word["end"] for word in line["words"])


def test_the_core_compared_true_numbers_and_the_journal_has_them(told: dict[str, Any]) -> None:
    verdicts = json.loads(told["report"][0])["verdicts"]
    assert [v["outcome"] for v in verdicts if v["rule"] == RULE] == ["met", "broken"]
    (alert,) = [a for a in json.loads(told["alerts"][0])["alerts"] if a["rule"] == RULE]
    assert alert["evidence"][0]["text"] == "幺三六******二四"
    assert holds(told["journal"][0], NUMBERS[1])


def test_a_site_may_do_without(tmp_path: Path) -> None:
    told = played(tmp_path, Config(mask_numbers=False))
    for where in ("screens", "store", "call", "report", "transcript", "alerts"):
        assert any(holds(text, NUMBERS[1]) for text in told[where]), where
