"""What lasts: rings, answer, greeting, response, dead air, hold. Against the truth, within 60 ms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from monitor.render import music
from monitor.render.dialogue import Answered, Hangup, Hold, Item, Ring, Say
from tests.accuracy.calls import DEMO, Heard, Span, call, demo, distribution, hear

WITHIN = 0.06
ANSWERABLE = 0.8
SHORTEST_SILENCE = 1.0
ENQUIRY = "您好，我想查询余额。"

rendered = pytest.mark.usefixtures("voices")


def agree(found: list[Span], truth: list[Span], name: str) -> None:
    """The same spans in the same order."""
    assert len(found) == len(truth), f"{name}: {found} is not {truth}"
    if not truth:
        return
    off = [value - wanted for f, t in zip(found, truth, strict=True) for value, wanted in zip(f, t, strict=True)]
    print(f"{name}, ms  {distribution(off)}")
    assert max(map(abs, off)) <= WITHIN, f"{name}: {found} is not {truth}"


def silences(heard: Heard, *, held: Sequence[Span] = ()) -> list[Span]:
    """Where neither party speaks for a second or more, between the first word of the customer and the last word."""
    said = heard.said()
    first = next((u["end"] for u in said if u["channel"] == "customer"), float("inf"))
    gaps: list[Span] = []
    until = 0.0
    for utterance in said:
        gaps.append((until, utterance["start"]))
        until = max(until, utterance["end"])
    return [
        gap
        for gap in gaps
        if gap[0] >= first
        and gap[1] - gap[0] >= SHORTEST_SILENCE
        and not any(gap[0] < end and gap[1] > start for start, end in held)
    ]


def answers(heard: Heard) -> list[Span]:
    """From the end of each turn of the customer that can be answered to the agent's answer."""
    found = []
    for before, after in pairwise(heard.said()):
        if before["channel"] == "customer" and after["channel"] == "agent":
            if before["end"] - before["start"] >= ANSWERABLE and after["start"] > before["end"]:
                found.append((before["end"], after["start"]))
    return found


def waiting_call(**settings: Any) -> Heard:
    """An agent who takes longer and longer to answer."""
    items: list[Item] = [Ring(ring=1), Say(agent="您好，燃气公司为您服务。")]
    for pause in (0.3, 1.3, 2.1, 3.2, 5.0, 8.0):
        items += [Say(customer=ENQUIRY, pause=0.5), Say(agent="请您提供一下您的订单号。", pause=pause)]
    items += [Say(customer="我的热水器漏水。"), Say(customer="请问有人吗？你们听得见吗？", pause=4)]
    items += [Say(agent="听得见。", pause=2.5), Hangup(hangup="customer")]
    return hear(call(*items, **settings))


@rendered
@pytest.mark.parametrize("signals", [True, False])
@pytest.mark.parametrize("side", ["agent", "customer", "both"])
@pytest.mark.parametrize("rings", [1, 2, 3, 5])
def test_rings_are_counted(rings: int, side: str, signals: bool) -> None:
    made = call(Ring(ring=rings, side=side), Say(agent="您好。"), signals=signals, rate=16000 if rings == 2 else 8000)
    heard = hear(made, words=False)
    assert [m.value for m in heard.values("rings")] == [rings]
    (answer,) = heard.values("answer_latency")
    truth = heard.said("agent")[0]["start"] if not signals else (rings - 1) * 5 + 1 + 1.5
    assert answer.value == pytest.approx(truth, abs=WITHIN)


@rendered
@pytest.mark.parametrize(
    "settings",
    [{}, {"rate": 16000, "mulaw": True, "customer": {"voice": "f3"}}, {"agent": {"voice": "adam", "level": -32}}],
)
def test_response_latency_and_dead_air(settings: dict[str, Any]) -> None:
    heard = waiting_call(**settings)
    agree(heard.spans("response_latency"), answers(heard), "response latency")
    agree(heard.spans("dead_air"), silences(heard), "dead air")
    ((_, spoke),) = heard.spans("greeting_latency")
    assert spoke == pytest.approx(heard.said("agent")[0]["start"], abs=WITHIN)


def held_call(style: str | bool, *, signals: bool, pause: float) -> Heard:
    """A hold of 20 s after it was asked for and granted; the music begins ``pause`` after the customer's word."""
    return hear(
        call(
            *([Answered(answered=True)] if signals else []),
            Say(agent="您好，燃气公司为您服务。"),
            Say(customer=ENQUIRY),
            Say(agent="请您稍等，我帮您查询一下。"),
            Say(customer="好的。"),
            Hold(hold=20, music=style, side="customer", signal=signals, pause=pause),
            Say(agent="感谢您的耐心等待。", pause=0.5),
            Say(customer="没关系。"),
            Hangup(hangup="customer"),
            signals=signals,
        ),
        packs=("gas-hotline",),
    )


@rendered
@pytest.mark.parametrize("style", [False, "piano", "pop"])
def test_a_signalled_hold_is_where_it_was_signalled(style: str | bool) -> None:
    heard = held_call(style, signals=True, pause=0.4)
    truth = [(s["start"], s["end"]) for s in heard.truth["sounds"] if s["sound"] == "hold"]
    agree(heard.spans("hold"), truth, "signalled hold")
    assert heard.spans("dead_air") == []


@rendered
def test_a_silent_hold_is_inferred_from_the_agents_words_to_the_agents_return() -> None:
    heard = held_call(False, signals=False, pause=0.4)
    _, asked, back = heard.said("agent")
    agree(heard.spans("hold"), [(asked["end"], back["start"])], "inferred silent hold")
    assert heard.spans("dead_air") == []


@rendered
@pytest.mark.parametrize("style", sorted(music.STYLES))
def test_a_hold_with_music_is_inferred_from_the_music_to_the_agents_return(style: str) -> None:
    heard = held_call(style, signals=False, pause=0.8)
    (start,) = [s["start"] for s in heard.truth["sounds"] if s["sound"] == "music"]
    agree(heard.spans("hold"), [(start, heard.said("agent")[-1]["start"])], f"inferred hold with {style}")
    assert heard.spans("dead_air") == []


@pytest.mark.parametrize("stem", sorted(path.stem for path in DEMO.glob("*.flac")))
def test_the_clocks_of_the_demo_calls(stem: str) -> None:
    heard = hear(demo(stem), packs=("gas-hotline",))
    held = [(s["start"], s["end"]) for s in heard.truth["sounds"] if s["sound"] == "hold"]
    silent = silences(heard, held=held)
    agree(heard.spans("hold"), held, f"{stem}: hold")
    agree(heard.spans("dead_air"), silent, f"{stem}: dead air")
    bursts = [(s["end"] - s["start"] + 4) / 5 for s in heard.truth["sounds"] if s["sound"] == "ringback"]
    assert [m.value for m in heard.values("rings")] == pytest.approx(bursts)
