"""From a streaming model's tokens to characters with times, whatever the tokens are.

A token may be a character, several, a piece of a word (``▁gas``, ``com@@``), a single byte (``<0xE4>``), a piece of
byte-level BPE (bytes written as the letters Ā to Ʀ), or a toneless or toned syllable (``ni3``).
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from monitor.asr.errors import NotWhole
from monitor.asr.timing import Timed
from monitor.core.fold import is_han, readings

BLANKS = ("<blk>", "<eps>", "<blank>")
LONGEST = 0.3
"""No character lasts longer than this (s): who speaks slower, pauses between the characters."""

FREQUENT = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
    "日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政"
    "美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员"
    "解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件"
    "计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象"
    "完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运请您喂嗯谢"
)
"""The most frequent characters of Chinese, the most frequent first."""

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPECIAL = re.compile(r"<[^<>]+>|#\d+|\[[A-Z]+\]")
_SYLLABLE = re.compile(
    r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    r"(iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|van|ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ui|un|uo|ue|ve|vn|[aeiouv])"
    r"[0-5]?"
)
_SYLLABIC = 0.5
"""A model whose tokens hold no Chinese character and so many syllables writes syllables."""


def read_tokens(file: Path) -> list[str]:
    """The tokens of ``tokens.txt``, whose lines are ``token number``.

    Raises ``NotWhole`` with the reason, ``OSError`` when the file cannot be read.
    """
    tokens: dict[int, str] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise NotWhole("it is no text in UTF-8") from None
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not parts[1].isdecimal():
            raise NotWhole(f"line {number} is not 'token number'")
        tokens[int(parts[1])] = parts[0]
    if len(tokens) < 2 or sorted(tokens) != list(range(len(tokens))):
        raise NotWhole("its numbers do not run from 0 without a gap")
    return [tokens[number] for number in range(len(tokens))]


class Tokens:
    """What a model's tokens mean. ``table`` are all its tokens."""

    def __init__(self, table: Iterable[str]) -> None:
        plain = [token for token in table if not _SPECIAL.fullmatch(token) and not _BYTE.fullmatch(token)]
        bare = [token.replace("▁", "").strip() for token in plain]
        self.characters = frozenset(bare)
        self.joined_by_at = any(token.endswith("@@") for token in plain)
        han = any(is_han(char) for token in bare for char in token)
        syllables = sum(1 for token in bare if _SYLLABLE.fullmatch(token))
        letters = _byte_letters()
        self.byte_bpe = any(char >= "\u0100" for token in bare for char in token) and all(
            char in letters for token in bare for char in token
        )
        self.syllabic = not han and not self.byte_bpe and syllables > max(100, _SYLLABIC * len(bare))

    def timed(self, tokens: Sequence[str], starts: Sequence[float], sure: Sequence[float], end: float) -> list[Timed]:
        """Characters of the heard ``tokens``, which begin at ``starts`` (s) and are ``sure`` (0..1).

        A character ends where the next one begins, at the latest after ``LONGEST`` seconds and at ``end``.
        """
        data, owner = bytearray(), []
        for number, token in enumerate(self._spelled(tokens)):
            data += token
            owner += [number] * len(token)
        found = list(_characters(bytes(data), owner))
        return list(_spread(found, starts, sure, end))

    def _spelled(self, tokens: Sequence[str]) -> Iterator[bytes]:
        joined = True  # nothing stands before the first token
        for token in tokens:
            if byte := _BYTE.fullmatch(token):
                yield bytes([int(byte[1], 16)])
            elif _SPECIAL.fullmatch(token.strip()):
                yield b" "
            elif self.byte_bpe:
                letters = _byte_letters()
                yield bytes(letters.get(char, 0x20) for char in token)
            elif self.syllabic and _SYLLABLE.fullmatch(token.strip("▁ ")):
                yield common_character(token.strip("▁ ").rstrip("012345")).encode()
            elif self.joined_by_at and token.isascii():
                yield (b"" if joined else b" ") + token.removesuffix("@@").encode()
                joined = token.endswith("@@")
                continue
            else:
                yield token.replace("▁", " ").encode()
            joined = False


def _characters(data: bytes, owner: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Each character of UTF-8 ``data`` with the token of its first byte; a last one that is incomplete is left out."""
    at = 0
    for char in data.decode("utf-8", errors="surrogateescape"):
        if "\udc80" <= char <= "\udcff":  # a byte that belongs to no character
            at += 1
            continue
        yield char, owner[at]
        at += len(char.encode())


def _spread(
    found: Sequence[tuple[str, int]], starts: Sequence[float], sure: Sequence[float], end: float
) -> Iterator[Timed]:
    """Characters that a token begins share the time until the next token evenly."""
    spoken = [number for char, number in found if not char.isspace()]
    share = Counter(spoken)
    order = sorted(share)
    until = {
        number: min(starts[number] + LONGEST * share[number], starts[after] if after is not None else end, end)
        for number, after in zip(order, [*order[1:], None], strict=True)
    }
    done: Counter[int] = Counter()
    for char, number in found:
        start = starts[number]
        if char.isspace():
            yield Timed(char, start, start, 1.0)
            continue
        step = max(until[number] - start, 0.0) / share[number]
        begin = start + done[number] * step
        done[number] += 1
        yield Timed(char, begin, begin + step, sure[number])


@cache
def _byte_letters() -> dict[str, int]:
    """The letters that byte-level BPE writes for the 256 bytes; a space is ▁."""
    skipped = {0x132, 0x133, 0x13F, 0x140, 0x149, 0x17F}  # compatibility letters, which NFKC would change
    letters = [chr(code) for code in range(0x100, 0x1A7) if code not in skipped]
    table = letters[:32] + [chr(code) for code in range(32, 127)] + letters[32:]
    return {letter: byte for byte, letter in enumerate(table)} | {"▁": 0x20, "⁇": 0x20}


@cache
def common_character(syllable: str) -> str:
    """The character that stands most often for a toneless syllable; the syllable itself where there is none.

    For models that hear syllables only: phrases are found by sound, and what is read has the right sound at least.
    """
    return _commonest().get(syllable.replace("ü", "v"), syllable)


@cache
def _commonest() -> dict[str, str]:
    """A frequent character for each syllable, and where none is frequent, the one that most words have."""
    table: dict[str, str] = {}
    for char in FREQUENT:
        table.setdefault(readings(char)[0], char)
    words = importlib.import_module("pypinyin.phrases_dict").phrases_dict
    toneless = cache(importlib.import_module("pypinyin.contrib.tone_convert").to_normal)
    counts: dict[str, Counter[str]] = {}
    for word, spoken in words.items():
        for char, tones in zip(word, spoken, strict=False):
            if is_han(char):
                counts.setdefault(toneless(tones[0]), Counter())[char] += 1
    return {syllable: chars.most_common(1)[0][0] for syllable, chars in counts.items()} | table
