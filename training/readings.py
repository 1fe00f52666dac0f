"""How characters sound: initial, final and tone of each, the targets of the auxiliary losses."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pypinyin import Style, lazy_pinyin

INITIALS = ("", "zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
FINALS = (
    "", "a", "o", "e", "i", "u", "v", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "ong", "er",
    "ia", "ie", "iao", "iu", "iou", "ian", "in", "iang", "ing", "iong",
    "ua", "uo", "uai", "ui", "uei", "uan", "un", "uen", "uang", "ueng", "ue", "ve", "van", "vn", "io",
    "ê", "m", "n", "ng", "hm", "hng",
)  # fmt: skip
TONES = 6
"""0: no speech, 1 to 4, 5: neutral."""

SIZES = (len(INITIALS) + 1, len(FINALS), TONES)
"""Classes of initial, final and tone; class 0 of each stands for no speech."""


def _unread(rest: str) -> Any:
    """One entry for each character that nobody reads; the library's types know of one for all only."""
    return ["_"] * len(rest)


def readings(text: str) -> npt.NDArray[np.int64]:
    """Classes of shape (len(text), 3); zeros where a character is not spoken. Readings depend on the neighbours."""
    found: list[str] = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors=_unread)
    if len(found) != len(text):
        found = [_alone(char) for char in text]
    return np.array([_classes(pinyin) for pinyin in found], dtype=np.int64).reshape(-1, 3)


@cache
def _alone(char: str) -> str:
    return str(lazy_pinyin(char, style=Style.TONE3, neutral_tone_with_five=True, errors=_unread)[0])


@cache
def _classes(pinyin: str) -> tuple[int, int, int]:
    if not pinyin[-1].isdigit():
        return 0, 0, 0
    sound, tone = pinyin[:-1].replace("ü", "v"), int(pinyin[-1])
    initial = next(start for start in (sound[:2], sound[:1], "") if start in INITIALS)
    final = sound[len(initial) :]
    return INITIALS.index(initial) + 1, FINALS.index(final) if final in FINALS else 0, tone
