"""What is said on the rendered calls: many voices, paces, levels and lines."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.render.dialogue import Item, Noise, Say, Silence
from monitor.render.render import Rendered
from tests.accuracy.calls import call

TEXTS = (
    "您好，请问有什么可以帮您？",
    "我的热水器一直没有反应，我想预约维修。",
    "好的，已经为您查到了，您本月的账单是一百八十元。",
    "谢谢您的耐心等待，我帮您查询一下。",
    "请您提供一下您的会员编号。",
    "那我要等到什么时候？",
)
VOICES = ("f2", "m3", "Annie", "m1", "f5", "adam", "m7", "f3")
PACES = (120, 150, 180, 200, 240, 280, 320)
A_CALL = 8
"""Utterances in a call, agent and customer in turn."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line and how loud it is spoken on: dBFS; ``snr`` dB above the noise of an office, None on a quiet line."""

    rate: int
    level: float
    snr: int | None
    seed: int
    mulaw: bool = False

    def __str__(self) -> str:
        noise = f", office at {self.snr} dB SNR" if self.snr is not None else ""
        return f"{self.rate} Hz, {self.level:g} dBFS{', mu-law' if self.mulaw else ''}{noise}"


LINES = (
    Line(8000, -22, None, 1),
    Line(8000, -34, None, 2, mulaw=True),
    Line(8000, -10, None, 3),
    Line(8000, -22, None, 4, mulaw=True),
    Line(16000, -22, None, 5),
    Line(16000, -34, None, 6),
    Line(16000, -10, None, 7),
    Line(8000, -22, 20, 6),
    Line(8000, -30, 20, 10, mulaw=True),
    Line(16000, -22, 20, 8),
    Line(8000, -22, 15, 7),
    Line(16000, -22, 15, 9),
)


def spoken_on(line: Line) -> Rendered:
    """A call on this line; the seed turns voices, paces and texts against one another."""
    items: list[Item] = []
    if line.snr is not None:
        items.append(Noise(noise="office", level=line.level - line.snr))
    items.append(Silence(silence=1.0))
    for n in range(A_CALL):
        place = n + line.seed
        items.append(
            Say(
                **{("agent", "customer")[n % 2]: TEXTS[place % len(TEXTS)]},
                voice=VOICES[place % len(VOICES)],
                pace=PACES[(3 * n + line.seed) % len(PACES)],
                level=line.level,
                pause=0.9,
            )
        )
    items.append(Silence(silence=1.0))
    return call(*items, rate=line.rate, mulaw=line.mulaw, signals=False, seed=line.seed)
