"""Sentences to train on: hand-written families, their patterns filled in, and variants with other words.

A text file holds families (``[name]``, held out of training when it begins with ``!``), lines of plain sentences or
patterns (``(a|b|)`` alternatives, ``{slot}``), file-local slots (``= part: 阀门|软管``) and comments (``#``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from training import slots
from training.words import Words

LONGEST = 60
"""Characters of one sentence."""

SHORTEST_KEPT, SHORTEST_FORBIDDEN = 4, 6
"""Characters; everybody says 好的 and 请您稍等, and those must be trained."""

ONE_IN = 40
"""Of the sentences of known families one in so many is kept for evaluation, by its digest."""

DIALOGUES = tuple(Path(__file__).parent.parent / folder for folder in ("demo", "tests/accuracy/dialogues"))
"""Written calls that models are measured on: no sentence of theirs is ever trained on."""

_PART = re.compile(r"\(([^()]*)\)|\{([a-z0-9_]+)\}")
_ALLOWED = re.compile(r"[\u4e00-\u9fff，。？！、]+")

SHARES = (("written", 0.44), ("varied", 0.28), ("reworded", 0.14), ("assembled", 0.07), ("numbers", 0.07))
"""How often each way of making a sentence is taken."""


class TextError(ValueError):
    """A text file breaks the format; the message says file and line."""


@dataclass(frozen=True, slots=True)
class Family:
    """Lines about one situation, with the slots of their file."""

    name: str
    held_out: bool
    lines: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def write(self, r: Random) -> str:
        """One sentence of the family."""
        return self.fill(r.choice(self.lines), r)

    def fill(self, line: str, r: Random) -> str:
        """The line with alternatives chosen and slots filled, inner ones too."""
        for _ in range(4):
            line, count = _PART.subn(lambda match: self._part(match, r), line)
            if not count:
                break
        return line

    def _part(self, match: re.Match[str], r: Random) -> str:
        alternatives, slot = match.groups()
        if slot is None:
            return r.choice(str(alternatives).split("|"))
        return r.choice(self.lists[slot]) if slot in self.lists else slots.SLOTS[slot](r)


def read_families(folder: Path) -> list[Family]:
    """All families of the ``*.txt`` files of a folder. Raises ``TextError``."""
    families = [family for file in sorted(folder.glob("*.txt")) for family in _read_file(file)]
    if not families:
        raise TextError(f"no families in {folder}: give a folder of text files")
    return families


def _read_file(file: Path) -> Iterator[Family]:
    lists: dict[str, list[str]] = {}
    family: Family | None = None
    for number, raw in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("="):
            key, colon, values = line[1:].partition(":")
            if not colon:
                raise TextError(f"{file.name}:{number}: a slot is '= name: a|b|c'")
            lists[key.strip()] = [value.strip() for value in values.split("|") if value.strip()]
            for value in lists[key.strip()]:
                _check(file, number, value, lists)
        elif line.startswith("["):
            if family is not None and family.lines:
                yield family
            name = line.strip("[] ")
            family = Family(f"{file.stem}/{name.lstrip('! ')}", name.startswith("!"), lists=lists)
        elif family is None:
            raise TextError(f"{file.name}:{number}: a sentence stands before the first [family]")
        else:
            _check(file, number, line, lists)
            family.lines.append(line)
    if family is not None and family.lines:
        yield family


def _check(file: Path, number: int, line: str, lists: dict[str, list[str]]) -> None:
    for name in re.findall(r"\{([^}]*)\}", line):
        if name not in lists and name not in slots.SLOTS:
            raise TextError(f"{file.name}:{number}: unknown slot {{{name}}}")
    shape, parts = line, 1
    while parts:
        shape, parts = _PART.subn("", shape)
    if set(shape) & set("(){}|"):
        raise TextError(f"{file.name}:{number}: brackets do not match, or a | stands outside of them: {line}")
    wrong = _ALLOWED.sub("", re.sub(r"\{[^}]*\}|[()|]", "", line))
    if wrong:
        raise TextError(f"{file.name}:{number}: not Han characters and ，。？！、: {wrong}")


def kept_for_evaluation(sentence: str) -> bool:
    """Whether a sentence of a known family is never trained on."""
    return int.from_bytes(hashlib.sha256(bare(sentence).encode()).digest()[:4]) % ONE_IN == 0


def bare(sentence: str) -> str:
    """Without punctuation."""
    return re.sub(r"[^\u4e00-\u9fff]", "", sentence)


def clauses(text: str) -> list[str]:
    """The stretches between punctuation marks."""
    return [part for part in re.split(r"[^\u4e00-\u9fff]+", text) if part]


def spoken_in(folders: Iterable[Path]) -> frozenset[str]:
    """The lines of the written calls (YAML) in these folders, without punctuation."""
    lines: set[str] = set()
    for file in (file for folder in folders for file in sorted(folder.glob("*.yaml"))):
        for party in re.findall(r"(?:agent|customer): *([^{\n]+)", file.read_text(encoding="utf-8")):
            lines.add(bare(party))
            lines.update(bare(sentence) for sentence in re.split(r"[。？！]", party))
    return frozenset(line for line in lines if len(line) >= SHORTEST_FORBIDDEN)


class Sentences:
    """A source of sentences that leaves out those of the calls that models are measured on.

    ``held_out`` False: for training. True: for evaluation, the held-out families alone.
    """

    def __init__(self, folder: Path, *, held_out: bool = False, dialogues: Sequence[Path] = DIALOGUES) -> None:
        families = read_families(folder)
        self.families = [family for family in families if family.held_out == held_out]
        self.held_out = held_out
        unseen = {bare(line) for family in families if family.held_out for line in family.lines}
        self._forbidden = spoken_in(dialogues) | unseen
        self._weights = [len(family.lines) ** 0.75 for family in self.families]
        self._words: Words | None = None

    def sentence(self, r: Random) -> str:
        """One sentence: Han characters and ，。？！、, at most ``LONGEST`` of them."""
        while True:
            text = self._make(r).strip("，、")
            if not 1 <= len(text) <= LONGEST or not _ALLOWED.fullmatch(text) or not bare(text):
                continue
            if self.held_out or self.may_train(text):
                return text

    def may_train(self, text: str) -> bool:
        """Whether training may hold this sentence, and each sentence that it consists of."""
        parts = {bare(text), *(bare(part) for part in re.split(r"[。？！]", text))}
        return not kept_for_evaluation(text) and not parts & self._forbidden

    def _make(self, r: Random) -> str:
        if self.held_out:
            return self.written(r)
        kind = r.choices([name for name, _ in SHARES], [share for _, share in SHARES])[0]
        match kind:
            case "varied":
                return self.words.vary(self._trainable(r), r, share=0.3)
            case "reworded":
                return self.words.vary(self._trainable(r), r, share=0.9)
            case "assembled":
                return self.words.string(r)
            case "numbers":
                return _numbers(r)
            case _:
                return self._trainable(r)

    def written(self, r: Random) -> str:
        """A hand-written sentence with its slots filled, or a stretch of one."""
        return _stretch(self._line(r), r)

    def _line(self, r: Random) -> str:
        return r.choices(self.families, self._weights)[0].write(r)

    def _trainable(self, r: Random) -> str:
        """As ``written``; neither variants nor stretches of what must not be trained."""
        text = self._line(r)
        while not self.may_train(text):
            text = self._line(r)
        return _stretch(text, r)

    @property
    def words(self) -> Words:
        """General vocabulary, read when it is first needed."""
        if self._words is None:
            self._words = Words()
        return self._words


class Kept:
    """Sentences of known patterns that training never sees, for evaluation: what a pattern gives, kept by digest.

    A plain line that is kept is a wording never met, as those of held-out families are; it does not belong here.
    """

    def __init__(self, folder: Path) -> None:
        families = [family for family in read_families(folder) if not family.held_out]
        self._lines = [(family, line) for family in families for line in family.lines if _PART.search(line)]
        if not self._lines:
            raise TextError(f"no patterns in {folder}: they are the lines with (a|b) or {{slot}}")

    def sentence(self, r: Random) -> str:
        """One of them."""
        while True:
            family, line = r.choice(self._lines)
            text = family.fill(line, r)
            if SHORTEST_KEPT <= len(text) <= LONGEST and _ALLOWED.fullmatch(text) and kept_for_evaluation(text):
                return text


@dataclass(frozen=True, slots=True)
class FromKept:
    """Makes ``Kept`` of a folder, in whatever process."""

    folder: Path

    def __call__(self) -> Kept:
        """The source."""
        return Kept(self.folder)


def _stretch(text: str, r: Random) -> str:
    """A longer sentence is now and then only a stretch of it, as a cut segment has it."""
    parts = re.split(r"(?<=[，。？！])", text)
    if len(parts) > 2 and r.random() < 0.15:
        start = r.randrange(len(parts) - 1)
        text = "".join(parts[start : r.randint(start + 1, len(parts))])
    return text


_BEFORE_NUMBERS = (
    "", "", "", "号码是", "是", "嗯，", "我的电话是", "尾号", "工号", "一共", "就是", "对，", "单号",
    "我重复一遍，",
)  # fmt: skip
_AFTER_NUMBERS = ("", "", "。", "，对吗？", "，是吗？", "，对不对？", "，没错。")


def _numbers(r: Random) -> str:
    """Digits in strings, short and long, alone or with few words around them."""
    kind = r.random()
    if kind < 0.55:
        text = slots.spelled(r, r.choice((2, 3, 4, 4, 6, 8, 11, 11, 12, 16, 18)))
    else:
        text = r.choice(list(slots.SLOTS.values()))(r)
    return r.choice(_BEFORE_NUMBERS) + text + r.choice(_AFTER_NUMBERS)
