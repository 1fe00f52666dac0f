"""One spelling for everything that is matched: what the recogniser wrote and what the phrases ask for.

Folding goes character by character, so that a character means the same wherever words and segments are cut,
and each folded character knows where it came from: traditional to simplified, full width to half width, Latin
letters in lower case, Arabic digits as they are spoken (10086 is 一零零八六, and 幺 is 一), the rest dropped.

A folded character also has sounds: its toneless syllables, with those made equal that speakers and
recognisers confuse (zh/z, ch/c, sh/s, n/l, -ng/-n, f/h).
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import Any

SPOKEN_DIGITS = "零一二三四五六七八九"
NUMERALS = frozenset(SPOKEN_DIGITS + "两十百千万亿")
"""Folded characters that numbers are made of."""

_VARIANTS = {"〇": "零", "○": "零", "幺": "一", "妳": "你"}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_NUMBER = re.compile(f"[{''.join(sorted(NUMERALS))}]+")
_BARE_NASALS = frozenset({"n", "ng", "m", "hm", "hng"})
_RARE = 0.03  # share of a character's words that a reading must have to count
_CHARACTERS = 32768  # bound of the per-character caches: all characters in use, and no more


@cache
def _simplifier() -> Any:
    # Loaded on first use: the tables take a while, and programs that match nothing need none of them.
    return importlib.import_module("opencc").OpenCC("t2s")


@cache
def _pinyin() -> tuple[Any, Any]:
    module = importlib.import_module("pypinyin")
    return module.pinyin, module.Style.NORMAL


@cache
def _in_use() -> dict[str, Counter[str]]:
    """How often each reading of each character occurs in the dictionary of words."""
    words = importlib.import_module("pypinyin.phrases_dict").phrases_dict
    toneless = lru_cache(maxsize=None)(importlib.import_module("pypinyin.contrib.tone_convert").to_normal)
    counts: dict[str, Counter[str]] = {}
    for word, spoken in words.items():
        for char, tones in zip(word, spoken, strict=False):
            counts.setdefault(char, Counter())[toneless(tones[0])] += 1
    return counts


def is_han(char: str) -> bool:
    """Whether a single character is a Chinese one."""
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


@lru_cache(maxsize=_CHARACTERS)
def fold_char(char: str) -> str:
    """The folded form of a character: usually one, none for punctuation, seldom several (㎡ is m二)."""
    if "a" <= char <= "z":
        return char
    return "".join(_fold_plain(part) for part in unicodedata.normalize("NFKC", char).lower())


def _fold_plain(char: str) -> str:
    if char in _VARIANTS:
        return _VARIANTS[char]
    if char.isdecimal():
        return SPOKEN_DIGITS[unicodedata.decimal(char)]
    if is_han(char):
        return str(_simplifier().convert(char))
    return char if char.isalpha() else ""


def spell(text: str) -> list[tuple[str, int]]:
    """Every folded character of ``text`` with the index of the character it came from."""
    return [(folded, index) for index, char in enumerate(text) for folded in fold_char(char)]


def fold(text: str) -> str:
    """``text`` in the one spelling that is matched."""
    return "".join(map(fold_char, text))


@lru_cache(maxsize=_CHARACTERS)
def readings(char: str) -> tuple[str, ...]:
    """All toneless readings in use of one folded character; a Latin letter is read as itself.

    Readings that hardly any word has are left out: by them 核对 would sound like 不对. A Chinese character of
    unknown reading has none, so only the very character matches it.
    """
    if not is_han(char):
        return (char,) if char else ()
    pinyin, style = _pinyin()
    groups = pinyin(char, style=style, heteronym=True, errors="ignore")
    found = list(dict.fromkeys(reading for group in groups for reading in group if reading))
    counts = _in_use().get(char, Counter())
    enough = _RARE * counts.total()
    return tuple(found[:1] + [reading for reading in found[1:] if counts[reading] > enough])


@lru_cache(maxsize=_CHARACTERS)
def syllables(char: str) -> tuple[str, ...]:
    """All sounds of one folded character, confusable ones made equal."""
    sounds = readings(char)
    return tuple(dict.fromkeys(map(fold_syllable, sounds))) if is_han(char) else sounds


def fold_syllable(syllable: str) -> str:
    """A toneless syllable with its usual confusions made equal: shuang and suan are both suan."""
    if syllable in _BARE_NASALS:  # 嗯 is written like 恩
        return "en"
    if syllable[1:2] == "h" and syllable[0] in "zcs":
        syllable = syllable[0] + syllable[2:]
    elif syllable[0] == "n":
        syllable = "l" + syllable[1:]
    if syllable.endswith("ng"):
        syllable = syllable[:-1]
    return "f" + _after_h(syllable[1:]) if syllable[0] == "h" else syllable


def _after_h(final: str) -> str:
    # f stands before no glide: who confuses f and h says fei for hui, fan for huan, fen for hun and hong.
    if final in ("un", "on", "ui"):  # ui is short for uei
        return "ei" if final == "ui" else "en"
    return final[1:] if final[0] == "u" and len(final) > 1 else final


def sounds_like(one: str, other: str) -> bool:
    """Whether two folded characters share a sound."""
    return not set(syllables(one)).isdisjoint(syllables(other))


def digits(text: str, shortest: int = 1) -> str:
    """All numbers in ``text`` as 0-9, to compare a number with its read-back.

    Digits said one by one stay so (幺三八 is 138, 两 counts among digits only); numbers said with their units
    are written out (二十五 is 25, 一百零三 is 103, 一千五 is 1500). Numbers shorter than ``shortest`` are
    left out.
    """
    numbers = (_number(run.group()) for run in _NUMBER.finditer(fold(text)))
    return "".join(number for number in numbers if len(number) >= shortest)


def _number(run: str) -> str:
    if run in ("两", "万", "亿") or (run[0] in _UNITS and run[0] != "十"):  # 万一, 千万: no numbers
        run = run.lstrip("两百千万亿")
        return _number(run) if run else ""
    if not _UNITS.keys().isdisjoint(run):
        value = _value(run)
        if value is not None:
            return str(value)
    return "".join(str(_digit(char)) for char in run if char not in _UNITS)


def _digit(char: str) -> int:
    return 2 if char == "两" else SPOKEN_DIGITS.index(char)


def _value(run: str) -> int | None:
    """The value of a number with units, None when it is no well-formed one (digits said in a row)."""
    total, section, digit, unit = 0, 0, -1, 1
    for char in run:
        size = _UNITS.get(char)
        if size is None:
            if digit > 0 or (digit == 0 and char == "零"):
                return None
            digit = _digit(char)
            unit = 1 if digit == 0 else unit
        elif size >= _UNITS["万"]:
            group = section + max(digit, 0)
            total = (total + group) * size if size == _UNITS["亿"] else total + group * size
            section, digit, unit = 0, -1, size
        else:
            if digit <= 0 and not (size == _UNITS["十"] and section == 0):
                return None
            section += (digit if digit > 0 else 1) * size
            digit, unit = -1, size
    if digit > 0:  # 一百二 is 120, 一百零二 and 十二 end with ones
        section += digit * (unit // 10 if unit > _UNITS["十"] else 1)
    return total + section
