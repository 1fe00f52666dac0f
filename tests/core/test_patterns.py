from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from monitor.core.align import Piece, Tolerance
from monitor.core.patterns import EXPANSIONS, Blank, CompiledPhrase, PatternError, compile_phrase

CLAUSES = Path(__file__).parents[3] / "shared" / "clauses"


def wordings(phrase: CompiledPhrase) -> set[str]:
    """Phrasings as text again: … for a gap, X for a slot."""
    signs = {Blank.GAP: "…", Blank.SLOT: "X", None: ""}
    return {
        "".join(signs[blank] + piece.text for blank, piece in zip(line.blanks, line.pieces, strict=False))
        + signs[line.blanks[-1]]
        for line in phrase.phrasings
    }


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("您好", {"您好"}),
        ("您好，请问 有什么？", {"您好请问有什么"}),
        ("您好/你好", {"您好", "你好"}),
        ("帮(到/助)您", {"帮到您", "帮助您"}),
        ("帮(到/助/)您", {"帮到您", "帮助您", "帮您"}),
        ("感谢您的(耐心)等待", {"感谢您的耐心等待", "感谢您的等待"}),
        ("(请(再)说/讲)一遍", {"请再说一遍", "请说一遍", "讲一遍"}),
        ("您好X客服部", {"您好X客服部"}),
        ("X先生", {"X先生"}),
        ("工号X", {"工号X"}),
        ("您是…对吗", {"您是…对吗"}),
        ("您是...对吗", {"您是…对吗"}),
        ("您是……对吗", {"您是…对吗"}),
        ("（谢谢／感谢）Ｘ先生", {"谢谢X先生", "感谢X先生"}),
        ("請撥10086", {"请拨一零零八六"}),
        ("(请问)…对吗", {"请问…对吗", "对吗"}),
        ("谢谢…(您)…再见", {"谢谢…您…再见", "谢谢…再见"}),
        ("(谢谢/谢谢)您", {"谢谢您"}),
        ("打开WiFi", {"打开wifi"}),
    ],
)
def test_patterns_stand_for_these_wordings(pattern: str, expected: set[str]) -> None:
    assert wordings(compile_phrase("p", [pattern])) == expected


@pytest.mark.parametrize(
    ("pattern", "column", "problem"),
    [
        ("", 1, "match nothing"),
        ("，", 1, "match nothing"),
        ("您好/", 1, "match nothing"),
        ("(您好)", 1, "match nothing"),
        ("您好(请问", 3, "never closed"),
        ("您好请问)", 5, "never opened"),
        ("您好()", 3, "empty"),
        ("…", 1, "no words"),
        ("X", 1, "no words"),
        ("您好/X", 4, "no words"),
        ("我是X…你好", 4, "no clear end"),
        ("我是…X号", 4, "no clear end"),
        ("我是XX号", 4, "no clear end"),
        ("我是X(请问)…您", 8, "no clear end"),
        ("好👍", 2, "never recognised"),
        ("好*", 2, "never recognised"),
        ("您好\U00030000", 3, "no known reading"),
        ("(a/b)" * 9, 45, f"more than {EXPANSIONS}"),
    ],
)
def test_phrases_that_cannot_work_are_refused(pattern: str, column: int, problem: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_phrase("greeting", [pattern])
    assert (caught.value.phrase, caught.value.pattern, caught.value.column) == ("greeting", pattern, column)
    assert problem in caught.value.problem
    assert f"phrase 'greeting', pattern {pattern!r}, column {column}: " in str(caught.value)
    assert caught.value.remedy in str(caught.value)


def test_a_mistake_in_what_cancels_is_reported_too() -> None:
    with pytest.raises(PatternError, match="never closed"):
        compile_phrase("wait", ["请稍等"], not_in=["(稍等"])


def test_alone_takes_words_only() -> None:
    assert compile_phrase("wei", ["(喂/嘿)"], alone=True, leading=True).leading
    with pytest.raises(PatternError, match="no slot"):
        compile_phrase("wei", ["喂X"], alone=True)
    with pytest.raises(PatternError, match="not_in"):
        compile_phrase("wei", ["喂"], alone=True, not_in=["喂奶"])
    with pytest.raises(PatternError, match="belongs to `alone`"):
        compile_phrase("wei", ["喂"], leading=True)
    with pytest.raises(PatternError, match="has no pattern"):
        compile_phrase("wei", [])


def test_tolerance_goes_with_length_and_wish() -> None:
    def pieces(pattern: str, by: Any) -> tuple[Piece, ...]:
        return compile_phrase("p", [pattern], by=by).phrasings[0].pieces

    assert [(piece.tolerance, piece.limit) for piece in pieces("号…再见…对不起…请您稍等…有什么可以帮到您", "near")] == [
        (Tolerance.EXACT, 0),
        (Tolerance.READING, 0),
        (Tolerance.NEAR, 0),
        (Tolerance.NEAR, 1),
        (Tolerance.NEAR, 2),
    ]
    assert pieces("请您将刚才反映的问题再复述一遍好吗", "near")[0].limit == 3
    assert pieces("请您稍等", "sound") == (Piece("请您稍等", Tolerance.SOUND, 0),)
    assert pieces("再见", "exact") == (Piece("再见", Tolerance.EXACT, 0),)


def test_reach_is_the_longest_that_a_phrasing_can_be() -> None:
    assert compile_phrase("p", ["您好X客服…对不起"]).phrasings[0].reach == 2 + 24 + 2 + 16 + 3


@given(st.text(alphabet="您好请(/)…X，a1👍", max_size=14))
def test_every_pattern_compiles_or_is_refused_in_words(pattern: str) -> None:
    try:
        phrase = compile_phrase("p", [pattern])
    except PatternError as error:
        assert 1 <= error.column <= max(1, len(pattern))
        assert error.problem
        assert error.remedy
    else:
        assert phrase.phrasings
        for line in phrase.phrasings:
            assert line.pieces
            assert len(line.blanks) == len(line.pieces) + 1
            assert all(line.blanks[1:-1])
            assert Blank.GAP not in (line.blanks[0], line.blanks[-1])


# ---------------------------------------------------------------- the clause register

# The register writes alternatives loosely; packs put them in parentheses.
LOOSE = {
    "X…": "X",
    "先生/小姐/女士": "(先生/小姐/女士)",
    "先生/女士": "(先生/女士)",
    "先生/小姐": "(先生/小姐)",
    "你/您": "(你/您)",
    "对不起/很抱歉这里": "(对不起/很抱歉)这里",
    "对不起/抱歉/不好意思 …": "(对不起/抱歉/不好意思)…",
    "您好/早上好/上午好/中午好/下午好/晚上好": "(您好/早上好/上午好/中午好/下午好/晚上好)",
}


def said(node: Any) -> list[str]:
    """All detection targets below a node of the register."""
    if isinstance(node, list):
        return [pattern for item in node for pattern in said(item)]
    if not isinstance(node, dict):
        return []
    here = [str(pattern) for pattern in node.get("say", ())]
    return here + [pattern for item in node.values() for pattern in said(item)]


def tidy(pattern: str) -> str:
    for loose, strict in LOOSE.items():
        pattern = pattern.replace(loose, strict)
    return pattern


def test_every_target_of_the_clause_register_compiles() -> None:
    files = sorted(CLAUSES.glob("*.yaml"))
    if not files:
        pytest.skip(f"the clause register is not at {CLAUSES}")
    patterns = [pattern for file in files for pattern in said(YAML(typ="safe").load(file))]
    assert len(patterns) > 150
    for pattern in patterns:
        assert compile_phrase(pattern, [tidy(pattern)]).phrasings
