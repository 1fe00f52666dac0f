"""Personal numbers in text and words, masked: telephone, identity and bank-card numbers, however they are spoken.

A number is seven or more digits said in a row, in any spelling (138, 一三八, 幺三八), with pauses, hesitations or
hyphens in between. Shorter ones (agent numbers, short codes, house numbers) stay, and so do quantities: what is said
with units (三百二十), what is written as an amount (1234567元, 1,234,567), and written dates (2026-01-31).

Each hidden digit becomes one ``*``, so that words and characters keep their places and times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.core.types import Word

MASK = "*"

LEAST = 7
"""Digits of the shortest number that is masked."""

LONG = 11
"""From here on the first digits tell the kind of number and little of the person, so they may stay."""

HEAD, TAIL = 3, 2
"""Digits that stay of a long number; of a shorter one the last alone."""

_VALUES = {
    char: str(value)
    for value, spellings in enumerate(
        ("零〇○", "一幺壹弌", "二两兩贰貳", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for char in spellings
}
_LIKE_DIGITS = {"洞": "0", "腰": "1", "妖": "1", "夭": "1", "邀": "1", "要": "1", "拐": "7", "勾": "9"}
"""Digits as some say them, or as recognisers write 幺; they count between two digits only."""

_BETWEEN = frozenset(" \t\u3000-－—–·.,，、。…~嗯呃啊哦唔额杠")
"""What may stand between the digits of one number."""

_AMID = ("个", "双", "然后")
"""The same, but only with a digit on either side: 三个八 is one, 三个月 is none."""

_MOST_BETWEEN = 6
_CHECK = frozenset("XxＸｘ叉")
_WITH_CHECK = (14, 17)
"""How many digits an identity number has before an X that stands for its last."""

_AFTER_ONE = frozenset("下个会些般样定直起共次点分位遍旦致律切种边方块")
"""一 before one of these begins a word and ends no number."""

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-/.]\d{1,2}(?:[-/.]\d{0,2})?(?!\d)")
_AMOUNT = re.compile(
    r"[¥￥$]\s*\d[\d,.]*|(?<![\d,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d[\d,.]*(?=\s*[元块圆万亿吨度方])"
)


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that belong together: where they stand in the text, and their values as 0-9 (an X is kept)."""

    places: tuple[int, ...]
    digits: str
    open: bool
    """Nothing but pauses follow: the number may go on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of a text, and the places that are to be hidden."""

    runs: tuple[Run, ...]
    hidden: frozenset[int]


def plan(text: str, *, provisional: bool = False, apart: bool = True) -> Plan:
    """What to hide in a text.

    ``provisional``: words that still grow. A number at their end is hidden from its seventh digit on, and the last
    digits of any number come with the settled words only, so that of a text that grows no hidden digit is ever shown.
    ``apart``: whether anything may stand between the digits.
    """
    found = _runs(text, apart)
    if provisional:
        hidden = [place for run in found for place in _while_growing(_without_last_one(text, run, growing=True))]
    else:
        amounts = [match.span() for match in _AMOUNT.finditer(text)]
        told = [run for run in found if not (len(run.places) < LONG and _inside(run, amounts))]
        hidden = [place for run in told for place in _when_settled(_without_last_one(text, run, growing=False))]
    return Plan(tuple(found), frozenset(hidden))


def hide(text: str, hidden: Iterable[int]) -> str:
    """The text with the characters at these places masked."""
    chars = list(text)
    for place in hidden:
        chars[place] = MASK
    return "".join(chars)


def mask_text(text: str, *, provisional: bool = False, apart: bool = True) -> str:
    """The text without its personal numbers; as long as before."""
    return hide(text, plan(text, provisional=provisional, apart=apart).hidden)


def mask_words(words: Sequence[Word], *, provisional: bool = False) -> tuple[Word, ...]:
    """The words without their personal numbers, which may go over several words; times stay."""
    return hide_words(words, plan(text_of(words), provisional=provisional).hidden)


def text_of(words: Iterable[Word]) -> str:
    """The characters of the words, as `plan` counts them."""
    return "".join(word.text for word in words)


def hide_words(words: Sequence[Word], hidden: Iterable[int], offset: int = 0) -> tuple[Word, ...]:
    """Words whose first character stands at ``offset``, with the characters at these places masked."""
    places = set(hidden)
    out: list[Word] = []
    for word in words:
        end = offset + len(word.text)
        here = [place - offset for place in range(offset, end) if place in places]
        out.append(replace(word, text=hide(word.text, here)) if here else word)
        offset = end
    return tuple(out)


# ---------------------------------------------------------------- runs of digits


def value_of(char: str) -> str | None:
    """The digit that a character stands for, as 0-9; None for anything else."""
    if char.isdecimal():
        return str(int(char))
    return _VALUES.get(char)


def _runs(text: str, apart: bool) -> list[Run]:
    values = [value_of(char) for char in text]
    dates = dict(match.span() for match in _DATE.finditer(text))
    runs: list[Run] = []
    places: list[int] = []
    digits, at = "", 0

    def close(*, still_open: bool) -> None:
        nonlocal places, digits
        if places:
            runs.append(Run(tuple(places), digits, still_open))
        places, digits = [], ""

    while at < len(text):
        step, value = 1, values[at] or _like_a_digit(text, values, at)
        if not places and at in dates:  # within a number the year alone was hidden before the rest of the date came
            step = dates[at] - at
        elif value is not None:
            places.append(at)
            digits += value
        elif places and text[at] in _CHECK and len(places) in _WITH_CHECK:
            places.append(at)
            digits += "X"
            close(still_open=False)
        elif places:
            step = _between(text, values, at) if apart else 0
            if not step or at + step - places[-1] - 1 > _MOST_BETWEEN:
                close(still_open=False)
                step = 1
        at += step
    close(still_open=True)
    return runs


def _like_a_digit(text: str, values: Sequence[str | None], at: int) -> str | None:
    near = 0 < at < len(text) - 1 and values[at - 1] is not None and values[at + 1] is not None
    return _LIKE_DIGITS.get(text[at]) if near else None


def _between(text: str, values: Sequence[str | None], at: int) -> int:
    """How many characters from ``at`` on may stand between two digits; 0 for none. At the end of the text a digit may
    follow yet."""
    rest = text[at : at + 3]
    for word in (*_AMID, *_LIKE_DIGITS):
        if word.startswith(rest) or (word in _AMID and rest.startswith(word) and _is_digit(values, at + len(word))):
            return min(len(word), len(rest))
    return 1 if text[at] in _BETWEEN else 0


def _is_digit(values: Sequence[str | None], at: int) -> bool:
    return at < len(values) and values[at] is not None


def _without_last_one(text: str, run: Run, *, growing: bool) -> Run:
    """一 that begins the next word (一下, 一共) is none of the number; while words grow one cannot know yet."""
    last = run.places[-1]
    following = text[last + 1 : last + 2]
    if text[last] == "一" and (following in _AFTER_ONE if following else growing):
        return replace(run, places=run.places[:-1], digits=run.digits[:-1])
    return run


def _inside(run: Run, spans: Iterable[tuple[int, int]]) -> bool:
    return any(first <= run.places[0] and run.places[-1] < end for first, end in spans)


def _when_settled(run: Run) -> tuple[int, ...]:
    count = len(run.places)
    if count < LEAST:
        return ()
    return run.places[HEAD if count >= LONG else 0 : -TAIL]


def _while_growing(run: Run) -> tuple[int, ...]:
    count = len(run.places)
    if count < LEAST:
        return ()
    if count >= LONG:
        return run.places[HEAD:]
    return run.places[LEAST - 1 :] if run.open else run.places
