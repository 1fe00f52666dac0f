"""How far one Mandarin syllable is from another, by how they are spoken: what an ear that is unsure takes for what.

A syllable is an initial, a glide, a vowel and an ending. The initial makes half of the distance, the rest the other
half. Initials differ by breath, by the way and by the place they are made; the table says how much.
"""

from __future__ import annotations

from functools import cache

from monitor.core.fold import fold_syllable

WHOLE = 100
"""The distance of syllables that have nothing in common; the unit of all distances is a hundredth of a syllable."""
_HALF = WHOLE // 2

Parts = tuple[str, str, str, str]
"""Initial, glide, vowel, ending; any may be empty."""

# Confusions that folding makes equal (zh/z, n/l, -ng/-n) are gone before anything is looked up here; f/h is not.
_INITIALS = {
    0: "f/h",
    18: "b/p d/t g/k j/q z/c",  # only the breath differs
    20: "z/s c/s j/x q/x j/z q/c x/s",  # one place, two ways; or one way, two places side by side
    25: "b/d b/g d/g p/t p/k t/k m/l r/l r/z r/s",  # one way, places further apart
    30: "g/j k/q h/x d/j t/q d/z t/c b/m d/l /r /l /m /h /f b/f p/f t/f k/f g/h k/h t/h p/h",  # a trace in common
    35: "s/h s/f x/f",
}
_GLIDES = {15: "i/v", 25: "u/v /u /i", 35: "/v i/u"}
_VOWELS = {5: "e/o", 15: "a/o /e /o", 20: "a/e", 30: "/a"}
_ENDINGS = {15: "/i /u /r", 20: "/n", 25: "i/n n/u", 30: "n/r i/r r/u", 35: "i/u"}

_SPOKEN_OUT = {
    "iu": "iou", "ui": "uei", "un": "uen", "vn": "ven", "in": "ien", "ing": "ieng", "ong": "ueng", "iong": "veng",
}  # fmt: skip


def _pairs(table: dict[int, str]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for distance, pairs in table.items():
        for pair in pairs.split():
            one, _, other = pair.partition("/")
            found[one, other] = found[other, one] = distance
    return found


_INITIAL, _GLIDE, _VOWEL, _ENDING = map(_pairs, (_INITIALS, _GLIDES, _VOWELS, _ENDINGS))


@cache
def parts(syllable: str) -> Parts:
    """The parts of a toneless syllable in pinyin (ü is v), its usual confusions made equal but for f/h."""
    rest = syllable.replace("zh", "z").replace("ch", "c").replace("sh", "s")
    initial = rest[0] if rest[:1] in tuple("bpmfdtnlgkhjqxrzcs") else ""
    rest = rest[len(initial) :]
    if not initial and rest[:1] in ("y", "w"):
        glide = "v" if rest.startswith("yu") else {"y": "i", "w": "u"}[rest[0]]
        rest = glide + rest[1:].removeprefix("u" if glide == "v" else glide)
    elif initial in ("j", "q", "x") and rest.startswith("u"):
        rest = "v" + rest[1:]
    elif initial in ("l", "n") and rest == "ue":
        rest = "ve"
    elif initial and rest == "o":
        rest = "uo"
    return ("l" if initial == "n" else initial, *_final(_SPOKEN_OUT.get(rest, rest)))


def _final(rest: str) -> tuple[str, str, str]:
    """Glide, vowel and ending of a final that is written out."""
    if rest == "er":
        return "", "e", "r"
    ending = "n" if rest.endswith(("n", "ng")) else ""
    rest = rest.removesuffix("g").removesuffix("n") if ending else rest
    glide = rest[0] if rest[:1] in tuple("iuv") else ""
    rest = rest[len(glide) :]
    if not ending and len(rest) == 2:  # ai, ei, ao, ou
        ending = "u" if rest[1] in "ou" else "i"
        rest = rest[0]
    return glide, rest, ending


def distance(one: str, other: str) -> int:
    """0 for syllables that folding makes equal, up to `WHOLE`."""
    if one == other or fold_syllable(one) == fold_syllable(other):
        return 0
    (initial, *final), (initial_2, *final_2) = parts(one), parts(other)
    begins = 0 if initial == initial_2 else _INITIAL.get((initial, initial_2), _HALF)
    ends = sum(
        0 if mine == theirs else table.get((mine, theirs), 25)
        for mine, theirs, table in zip(final, final_2, (_GLIDE, _VOWEL, _ENDING), strict=True)
    )
    return max(1, begins + min(ends, _HALF))
