"""Calls and alerts for the browser tests, in the shapes that the server sends to its screens."""

from __future__ import annotations

import random
from typing import Any

View = dict[str, Any]

STARTED = "2026-03-02T10:30:00+08:00"
NOW = "2026-03-02T10:32:00+08:00"

AGENTS = ("王芳", "李娜", "张伟", "刘洋", "陈静", "赵敏", "周杰", "吴秀英", "孙丽", "郑凯", "何雨桐", "欧阳明月")
SAID = (
    ("agent", "您好，燃气服务热线，请问有什么可以帮您？"),
    ("customer", "我家的燃气表好像不走字了。"),
    ("agent", "好的，麻烦您报一下用户号，我帮您查询一下。"),
    ("customer", "用户号是幺三八零零幺三八零零零。"),
    ("agent", "请您稍等，我为您核实一下信息。"),
    ("customer", "好的，谢谢。"),
)


def both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def lines(count: int = 3, *, settled: bool = False) -> list[View]:
    """The first ``count`` lines; the last one is still unsettled unless asked otherwise."""
    return [
        {
            "channel": channel,
            "segment": number,
            "start": 2.0 + 6 * number,
            "end": 6.5 + 6 * number,
            "text": text,
            "settled": settled or number < count - 1,
        }
        for number, (channel, text) in enumerate(SAID[:count])
    ]


def due(title: tuple[str, str], deadline: float | None, state: str = "pending") -> View:
    return {
        "rule": f"gas-hotline/{title[1]}",
        "occasion": 1,
        "title": both(*title),
        "at": 60.0,
        "deadline": deadline,
        "state": state,
    }


def call(number: int, **changed: Any) -> View:
    view: View = {
        "id": f"call-{number:03d}",
        "agent": AGENTS[number % len(AGENTS)],
        "direction": "outbound" if number % 4 == 3 else "inbound",
        "packs": ["gas-hotline"],
        "source": "ingest",
        "phase": "talking",
        "started": STARTED,
        "seconds": 75.0 + 7 * (number % 9),
        "lag": 0.0,
        "mixed": False,
        "speaking": {"agent": False, "customer": False},
        "level": {"agent": -52.0, "customer": -55.0},
        "pace": None,
        "pace_acoustic": None,
        "silence_since": None,
        "hold_since": None,
        "due": [],
        "counts": {"critical": 0, "warning": 0, "note": 0},
        "lines": [],
    }
    return view | changed


def alert(call_id: str, number: int = 1, **changed: Any) -> View:
    rule = changed.get("rule", "gas-hotline/pace")
    view: View = {
        "id": f"{call_id}~{rule}~{number}",
        "call": call_id,
        "rule": rule,
        "occasion": number,
        "severity": "warning",
        "state": "confirmed",
        "channel": "agent",
        "start": 30.0,
        "end": 42.0,
        "at": 30.0,
        "raised_at": 42.5,
        "review": None,
        "message": both("语速每分钟 236 字，超出 200 字持续 10 秒", "236 characters a minute, above 200 for 10 s"),
        "title": both("语速过快", "Speaking too fast"),
        "advice": both("放慢语速，报数字时逐个停顿。", "Slow down; pause between digits."),
        "clause": "gas-hotline/pace",
        "evidence": [],
        "ack": None,
        "comment": None,
        "right": None,
    }
    return view | changed


def forbidden(call_id: str, **changed: Any) -> View:
    return alert(
        call_id,
        **{
            "rule": "gas-hotline/forbidden",
            "severity": "critical",
            "at": 14.2,
            "start": 14.2,
            "end": 15.4,
            "title": both("服务禁语", "Forbidden phrase"),
            "message": both("对客户说了“你报一下用户号”类禁语", "Said a phrase that the manual forbids"),
            "advice": both("改说“麻烦您”，并致歉。", "Say “may I trouble you” and apologise."),
            "evidence": [{"channel": "agent", "text": "报一下用户号", "start": 15.0, "end": 16.8, "match": "sound"}],
            **changed,
        },
    )


def showcase() -> tuple[list[View], list[View]]:
    """A wall on which every state of a call is seen, and its alerts, newest first."""
    speaking = {"agent": True, "customer": False}
    calls = [
        call(
            0,
            speaking=speaking,
            level={"agent": -19.0, "customer": -54.0},
            pace=192.0,
            pace_acoustic=188.0,
            due=[due(("致谢", "Thanks"), 78.2)],
            lines=lines(3),
        ),
        call(
            1,
            speaking={"agent": False, "customer": True},
            level={"agent": -50.0, "customer": -24.0},
            pace=236.0,
            pace_acoustic=229.0,
            counts={"critical": 1, "warning": 2, "note": 0},
            due=[
                due(("核对号码", "Read back"), 99.0),
                due(("报姓名", "Name"), 90.0, "heard"),
                due(("结束语", "Closing"), None),
            ],
            lines=lines(4),
        ),
        call(
            2,
            phase="held",
            hold_since=37.0,
            pace=171.0,
            counts={"critical": 0, "warning": 1, "note": 0},
            due=[due(("回线致谢", "Thanks on return"), 97.0)],
            lines=lines(5, settled=True),
        ),
        call(
            3,
            silence_since=93.6,
            lag=3.4,
            counts={"critical": 0, "warning": 0, "note": 2},
            lines=lines(2, settled=True),
        ),
        call(4, phase="ringing", seconds=4.0, level={"agent": None, "customer": None}),
        call(5, mixed=True, speaking=speaking, level={"agent": -22.0, "customer": None}, pace=184.0, lines=lines(1)),
        call(6, phase="interrupted", lines=lines(2, settled=True)),
        call(
            7,
            phase="ended",
            seconds=312.0,
            counts={"critical": 0, "warning": 1, "note": 0},
            lines=lines(6, settled=True),
        ),
    ]
    alerts = [
        forbidden("call-001", state="raised"),
        alert("call-001"),
        alert(
            "call-002",
            rule="gas-hotline/hold-60s",
            at=97.0,
            title=both("保持超时", "Held too long"),
            message=both("客户已等待 60 秒，没有回线说明", "The customer waited 60 s without a word"),
            advice=both("先回线致歉，再继续查询。", "Return, apologise, then go on."),
        ),
        alert(
            "call-003",
            rule="gas-hotline/dead-air",
            severity="note",
            at=61.0,
            title=both("冷场", "Dead air"),
            message=both("双方静默 2.4 秒", "Nobody spoke for 2.4 s"),
            state="cleared",
        ),
        alert("call-007", ack={"by": "林主管", "at": NOW}, right=True, comment="已提醒坐席。"),
    ]
    return calls, alerts


def crowd(count: int) -> list[View]:
    """Many calls in the midst of talking."""
    return [call(number, pace=190.0, pace_acoustic=186.0, lines=lines(3)) for number in range(count)]


def crowd_tick(calls: list[View], dice: random.Random, elapsed: float) -> list[View]:
    """What changes on a busy wall within a tenth of a second: clocks, levels and now and then words."""
    changes: list[View] = []
    for view in calls:
        talks = dice.random() < 0.5
        change: View = {
            "id": view["id"],
            "seconds": view["seconds"] + elapsed,
            "speaking": {"agent": talks, "customer": not talks},
            "level": {"agent": -20 - 35 * dice.random(), "customer": -20 - 35 * dice.random()},
        }
        if dice.random() < 0.1:
            change["pace"] = 170 + 50 * dice.random()
            change["lines"] = lines(3 + dice.randrange(3))
        changes.append(change)
    return changes


def summary(view: View) -> View:
    kept = ("id", "agent", "direction", "packs", "source", "started", "seconds", "phase", "counts")
    broken = view["counts"]["critical"] + view["counts"]["warning"]
    return {key: view[key] for key in kept} | {"outcome": {"met": 14, "broken": broken, "cannot_tell": 1}}


def report(view: View) -> View:
    said = lines(6, settled=True)
    outcomes = ("broken", "met", "met", "cannot_tell", "met", "not_applicable")
    rules = ("pace", "greeting", "volume", "interruption", "closing", "hold-60s")
    return {
        "schema": 1,
        "call": {"id": view["id"], "seconds": view["seconds"], "model": "zh-careful", "version": "1"},
        "verdicts": [
            {"rule": f"gas-hotline/{rule}", "outcome": outcome, "at": 5.0 * place, "reason": reason}
            for place, (rule, outcome, reason) in enumerate(
                zip(rules, outcomes, ("", "", "", "audio_lost", "", ""), strict=True)
            )
        ],
        "turns": [
            {
                "channel": line["channel"],
                "start": line["start"],
                "end": line["end"],
                "pace": 172.0 + 22 * place if line["channel"] == "agent" else None,
            }
            for place, line in enumerate(said)
        ],
        "transcript": [],
    }


PACKS = [
    {
        "id": "gas-hotline",
        "title": both("燃气热线", "Gas hotline"),
        "rules": [
            {"id": "gas-hotline/pace", "title": both("语速 180–200", "Pace 180–200"), "severity": "warning"},
            {"id": "gas-hotline/greeting", "title": both("首问语", "Greeting"), "severity": "warning"},
            {"id": "gas-hotline/volume", "title": both("音量适中", "Volume"), "severity": "note"},
            {"id": "gas-hotline/interruption", "title": both("不抢话", "No interruption"), "severity": "warning"},
            {"id": "gas-hotline/closing", "title": both("结束语", "Closing"), "severity": "warning"},
            {"id": "gas-hotline/hold-60s", "title": both("保持不超 60 秒", "Hold up to 60 s"), "severity": "warning"},
        ],
    }
]
