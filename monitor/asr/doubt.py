"""Signs that a recogniser wrote what nobody said.

Doubtful words are kept with a low confidence instead of being dropped: a rule may then answer "cannot tell",
and a person can see what was written.
"""

from __future__ import annotations

import re
import zlib

DOUBTFUL = 0.3
"""Words of a doubtful stretch are never more certain than this."""

NO_SPEECH = 0.6
LEAST_LOGPROB = -1.0
"""Whisper's own limits: the mean log probability of a token, and the probability that nobody speaks."""

MOST_CHARACTERS_A_SECOND = 12.0
"""Twice what a very fast speaker of Mandarin says."""

MOST_COMPRESSION = 2.4
LONG_ENOUGH_TO_COMPRESS = 60  # bytes; shorter text says nothing about repetition

CREDITS = re.compile(
    "字幕(?:由|製作|制作|志愿者|組|组|by)|谢谢(?:观看|收看|大家观看)|謝謝(?:觀看|收看|大家觀看)"
    "|请不吝点赞|請不吝點贊|订阅.{0,4}(?:转发|频道)|優優獨播|优优独播|明鏡與點點|明镜与点点|下期(?:再见|再見)",
    re.IGNORECASE,
)
"""What models trained on films and videos write into silence."""

_LOOP = re.compile(r"(?P<one>.)(?P=one){7,}|(?P<phrase>.{2,8}?)(?P=phrase){3,}")
_DIGITS = frozenset("0123456789零〇幺一二两三四五六七八九")  # numbers do repeat: 八八八八八八
_PAUSES = re.compile(r"[\s，。？！、,.?!]")


def nobody_spoke(no_speech: float, logprob: float) -> bool:
    """Whisper's test for silence: it believes nobody speaks, and is not sure of the words either."""
    return no_speech > NO_SPEECH and logprob < LEAST_LOGPROB


def doubt(text: str, seconds: float, logprob: float) -> str | None:
    """A short code for why ``text`` heard in ``seconds`` is doubtful, or None.

    ``logprob`` is the mean natural log probability of its tokens.
    """
    bare = _PAUSES.sub("", text)
    if not bare:
        return None
    if logprob < LEAST_LOGPROB:
        return "uncertain"
    if CREDITS.search(bare):
        return "credits"
    if len(bare) > 4 + MOST_CHARACTERS_A_SECOND * seconds:
        return "too_fast"
    if _loops(bare) or _compression(bare) > MOST_COMPRESSION:
        return "repeated"
    return None


def _loops(text: str) -> bool:
    return any(not _DIGITS.issuperset(found.group()) for found in _LOOP.finditer(text))


def _compression(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if len(data) >= LONG_ENOUGH_TO_COMPRESS else 1.0
