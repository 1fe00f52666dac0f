"""Scripted calls that several tests of the core play."""

from __future__ import annotations

from functools import cache

from monitor.core.call import book_of
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Pack
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
