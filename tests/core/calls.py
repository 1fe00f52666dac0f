"""Scripted calls that several tests of the core play."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from monitor.core.call import book_of
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Pack
from monitor.core.types import Channel, Word
from monitor.packs import load_packs
from tests.scripted import AGENT, CUSTOMER, Script


@cache
def gas() -> tuple[Pack, ...]:
    """The shipped starter pack."""
    return load_packs(["gas-hotline"])


@cache
def book() -> PhraseBook:
    return book_of(gas())


def blameless() -> Script:
    """Greeting, question, a hold with request and thanks, closing; the customer hangs up."""
    s = Script()
    s.ringing(0)
    s.answered(1.2)
    t = s.agent(2, "您好这里是燃气公司很高兴为您服务")
    t = s.customer(t + 0.5, "我家没有燃气了我想问一下怎么办")
    t = s.agent(t + 0.6, "好的请您稍等我帮您查询一下")
    t = s.agent(t + 8, "感谢您的等待已经帮您登记好了请问还有其他问题吗")
    t = s.customer(t + 0.5, "没有了谢谢")
    t = s.agent(t + 0.5, "不客气感谢您的来电祝您生活愉快再见")
    s.hangup(t + 1, CUSTOMER)
    return s


def faulty() -> Script:
    """No greeting, too fast, dead air, an interruption, an insult, overlap, no thanks, the agent hangs up."""
    s = Script()
    s.answered(0.4)
    t = s.agent(1, "喂什么事", pace=260)
    t = s.customer(t + 0.4, "我家的燃气表坏了上个星期开始就没有数字了")
    # cuts the customer off: speaks for 1.2 s before the customer gives way
    t = s.agent(t - 1.2, "你听不懂人话吗我怎么知道不归我们管你自己看着办好了不要再打过来", pace=290, level=-16)
    t = s.customer(t + 5, "那我应该找谁呢我的电话是一三五零零二二零零三三")
    t = s.agent(t + 4, "你打别的电话去问别的部门不要再问我了我也不清楚你问别人好了", pace=280)
    s.customer(t - 0.5, "嗯")
    t = s.customer(t + 1, "谢谢")
    s.hangup(t + 7, AGENT)
    s.quiet(t + 9)
    return s


def silent() -> Script:
    """Nobody answers the agent."""
    s = Script()
    s.answered(0.5)
    t = s.agent(1.5, "您好您的电话已接通请讲")
    t = s.agent(t + 5, "请问您能听到我说话吗")
    t = s.agent(t + 5, "听不到您的声音请您换一部电话再拨再见")
    s.hangup(t + 1, AGENT)
    return s


def unsignalled() -> Script:
    """Telephony says nothing: ring-back, then voices, music in between."""
    s = Script()
    s.ring(0.5, 2)
    t = s.agent(10.5, "您好燃气公司为您服务")
    t = s.customer(t + 0.4, "请帮我查一下账单谢谢")
    t = s.agent(t + 0.5, "请稍等不要挂机")
    s.music(t + 1, 9)
    t = s.agent(t + 11, "让您久等了您的账单是八十块")
    s.quiet(t + 4)
    return s


CALLS = {"blameless": blameless, "faulty": faulty, "silent": silent, "unsignalled": unsignalled}


def misheard(script: Script, seed: int) -> dict[Channel, list[Word]]:
    """The words of a call as a worse ear hears them: some characters are others, some are missing."""
    chance = random.Random(seed)
    others = "您好我怎么知道不归管再见请稍等谢"
    out: dict[Channel, list[Word]] = {}
    for channel, words in script.words.items():
        for word in words:
            kind = chance.random()
            text = word.text if kind > 0.15 else chance.choice(others) if kind > 0.05 else ""
            out.setdefault(channel, []).extend([replace(word, text=text)] if text else [])
    return out


SAYINGS = (
    "您好很高兴为您服务", "我怎么知道", "请您稍等我帮您查询一下", "感谢您的等待", "嗯", "好的好的", "谢谢", "不客气",
    "再见", "我的电话是一三五零零二二", "还有其他问题吗", "一二三四五六七八九十" * 3, "你听不懂人话吗不归我们管", "喂",
    "对不起", "好" * 50,
)  # fmt: skip


def anything(seed: int) -> Script:
    """A call made up at random: overlaps, loud and soft, music, holds, lost audio, with or without signals."""
    chance = random.Random(seed)
    s = Script()
    if chance.random() < 0.6:
        s.answered(chance.uniform(0, 2))
    t, length = 0.5, chance.choice([15, 30])
    while t < length:
        say = s.agent if chance.random() < 0.55 else s.customer
        at, text = max(0, t + chance.uniform(-1.5, 2)), chance.choice(SAYINGS)
        end = say(at, text, pace=chance.choice([150, 190, 300]), level=chance.choice([-30, -22, -12]))
        t = max(t, end) + chance.choice([0, 0.2, 0.5, 1.2, 3, 6])
        if chance.random() < 0.1:
            s.music(t, 4, by=chance.choice([AGENT, CUSTOMER]))
            t += 5
        if chance.random() < 0.08:
            s.hold(t, t + 3)
            t += 4
        if chance.random() < 0.15:
            lost = chance.uniform(0, t)
            s.gap(lost, lost + chance.choice([0.01, 0.05, 0.3, 1.1, 3]))
    if chance.random() < 0.6:
        s.hangup(t + chance.uniform(-1, 3), chance.choice([AGENT, CUSTOMER, None]))
    s.gaps = [gap for gap in s.gaps if gap[1] < s.length / s.rate]
    return s
