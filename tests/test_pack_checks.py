"""Rule packs: windows, repetitions, lists and clauses; and rules that could never find anything are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core import rulebook as rb
from monitor.core.phrases import PhraseBook, Spotter
from monitor.core.types import Channel, Word
from monitor.packs import PackError, load_pack
from monitor.packs.clauses import read_register, register
from monitor.yamlfile import YamlError

HEAD = "pack: p\ntitle: {zh: 包, en: Pack}\n"
PHRASES = "phrases:\n  hello: {say: [您好]}\n  name: {say: [我姓X, 叫我X]}\n  part: {say: [我姓X, 姓名]}\n"
RULE = "rules:\n  - id: one\n    title: {zh: 题, en: Title}\n    advice: {zh: 议, en: Advice}\n"


def load(folder: Path, text: str) -> rb.Pack:
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return load_pack(path)


def with_rule(*lines: str) -> str:
    """A pack of one rule, whose own lines begin at line 11."""
    return HEAD + PHRASES + RULE + "".join(f"    {line}\n" for line in lines)


def form(folder: Path, *lines: str) -> rb.Form:
    return load(folder, with_rule(*lines)).rules[0].form


def problem(folder: Path, text: str) -> str:
    """The one problem, less its folder."""
    with pytest.raises(PackError) as error:
        load(folder, text)
    (found,) = error.value.problems
    return str(found).removeprefix(f"{folder}/")


# ---------------------------------------------------------------- what is compiled


def test_windows(tmp_path: Path) -> None:
    asked, bye = rb.Pattern(("say:p/hello",), Channel.CUSTOMER), rb.Pattern(("hangup",))
    during = "during: {after: {says: hello, by: customer}, seconds: 40, until: hangup}"
    keep = form(tmp_path, "form: keep", "measure: pace", "max: 180", during)
    assert isinstance(keep, rb.Keep)
    assert keep.during == rb.During(asked, 40, bye)
    never = form(tmp_path, "form: never", "what: interruption", "during: {after: answered, seconds: 8}")
    assert never == rb.Never(rb.Pattern(("interruption",)), rb.During(rb.Pattern(("answered",)), 8))
    tally = form(tmp_path, "form: tally", "count: {says: hello}", "max: 3", "during: {after: answered, until: hangup}")
    assert isinstance(tally, rb.Tally)
    assert tally.during == rb.During(rb.Pattern(("answered",)), None, bye)


def test_repetitions(tmp_path: Path) -> None:
    when = "when: {event: number, by: customer, min: 7}"
    expect = form(tmp_path, "form: expect", when, "then: {event: number, by: agent, same: true}", "within: 15")
    assert isinstance(expect, rb.Expect)
    assert expect.when == rb.Pattern(("number",), Channel.CUSTOMER, 7)
    assert expect.then == (rb.Pattern(("number",), Channel.AGENT, same=True),)
    steps = form(
        tmp_path, "form: steps", "when: {says: name}", "steps:", "  - {name: a, what: {says: name, same: true}}"
    )
    assert isinstance(steps, rb.Steps)
    assert steps.steps[0].what[0].same


# ---------------------------------------------------------------- lists


def test_words_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "jargon.txt").write_text("# ours\n\n调压箱  # in the cellar\n户内(管/阀)\n", encoding="utf-8")
    pack = load(tmp_path, HEAD + "phrases:\n  jargon: {list: jargon}\n  more: {say: [点火针], list: [jargon]}\n")
    spotter = Spotter(PhraseBook(pack.phrases), Channel.AGENT, 1000)
    words = [Word(c, 200 * n, 200 * n + 200) for n, c in enumerate("调压箱旁边的户内阀和点火针")]
    found = [(h.phrase, h.text) for h in spotter.settle(words, 0, words[-1].end)]
    assert sorted(found) == [
        ("p/jargon", "户内阀"), ("p/jargon", "调压箱"),
        ("p/more", "户内阀"), ("p/more", "点火针"), ("p/more", "调压箱"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "unknown list 'words': make lists/words.txt (there are: other)"),
        ("# nothing\n \n", "lists/words.txt is empty: write one pattern a line, or leave it out"),
        ("调压箱\n(管\n", "pattern '(管', column 1: this parenthesis is never closed; add )"),
    ],
)
def test_a_list_that_cannot_be_used(tmp_path: Path, content: str | None, expected: str) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "other.txt").write_text("管\n", encoding="utf-8")
    if content is not None:
        (tmp_path / "lists" / "words.txt").write_text(content, encoding="utf-8")
    found = problem(tmp_path, HEAD + "phrases:\n  x:\n    list: words\n")
    assert found.startswith("p.yaml:5: phrases.x.list: ")
    assert found.endswith(expected)


def test_a_phrase_without_words(tmp_path: Path) -> None:
    expected = "p.yaml:4: phrases.x: has no words: give `say`, `list` or both"
    assert problem(tmp_path, HEAD + "phrases:\n  x: {by: exact}\n") == expected


# ---------------------------------------------------------------- clauses


def test_the_register_that_ships() -> None:
    clauses = register().clauses
    assert set(register().manuals) == {"shunchuang", "qipaisong", "gas-hotline", "service-center", "five-elements"}
    assert clauses["service-center/greeting-2s"].heard == "both"
    assert all(c.form != "none" for c in clauses.values() if c.heard != "no")


def test_the_register_has_every_clause_of_the_manuals() -> None:
    folder = Path(__file__).resolve().parents[2] / "shared" / "clauses"
    if not folder.is_dir():
        pytest.skip("the manuals' clauses are not here")
    for manual in register().manuals.values():
        text = (folder / f"{manual.id}.yaml").read_text(encoding="utf-8")
        listed = [line.partition("id: ")[2].strip() for line in text.splitlines() if line.startswith("  - id: ")]
        assert [c.name for c in manual.clauses] == [f"{manual.id}/{clause}" for clause in listed]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (
            "gas-hotlin/pace",
            "unknown clause 'gas-hotlin/pace': write manual/clause, with one of the manuals shunchuang,",
        ),
        ("pace", "unknown clause 'pace': write manual/clause"),
        ("five-elements/pace", "unknown clause 'five-elements/pace': five-elements has greeting-with-name, never-wei"),
        ("qipaisong/no-yawning-eating", "cannot be heard in a call: no rule can watch it, remove it"),
    ],
)
def test_a_clause_that_cannot_be_watched(tmp_path: Path, clause: str, expected: str) -> None:
    found = problem(tmp_path, with_rule("form: never", "what: hangup", f"watches: [gas-hotline/pace, {clause}]"))
    assert found.startswith("p.yaml:13: rules.0.watches.1: rule 'one': ")
    assert expected in found


def test_a_register_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "clauses.yaml"
    path.write_text("m:\n  title: 手册\n  clauses:\n    a: {title: 题, form: limits, heard: audio}\n", encoding="utf-8")
    with pytest.raises(YamlError, match=r"clauses.yaml:4: m\.clauses\.a\.form: "):
        read_register(path)


# ---------------------------------------------------------------- what could never be found


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["form: keep", "measure: pace", "by: customer", "max: 200"],
            "rules.0: there is no pace of the customer: write `by: agent`",
        ),
        (
            ["form: expect", "when: {measure: turn_pace, by: customer, min: 300}", "then: {says: hello}"],
            "rules.0.when.by: rule 'one': there is no turn_pace of the customer: write `by: agent`",
        ),
        (
            ["form: keep", "measure: hold", "max: 60", "warn: {max: 70}"],
            "rules.0: `warn` lies beyond the limit itself: it must come before it",
        ),
        (
            ["form: never", "what: {says: hello, min: 3}"],
            "rules.0.what.min: rule 'one': words have no value, so `min` never holds: remove it",
        ),
        (
            ["form: expect", "when: {event: hangup, min: 3}", "then: {says: hello}", "before: 3"],
            "rules.0.when.min: rule 'one': hangup has no length, so `min` never holds: remove it",
        ),
        (
            ["form: never", "what: {measure: 'start:hold', min: 3}"],
            "rules.0.what.min: rule 'one': start:hold has no length, so `min` never holds: remove it",
        ),
        (
            ["form: never", "what: {event: number, max: 4}"],
            "rules.0.what.max: rule 'one': a number has at least 5 digits, so `max` never holds: raise it",
        ),
        (
            ["form: expect", "when: ended", "then: {says: hello}", "within: 3"],
            "rules.0.when: rule 'one': nothing follows ended: ask for it `before` that in an `expect`",
        ),
        (
            ["form: steps", "when: hangup", "steps: [{name: a, what: {says: hello}}]"],
            "rules.0.when: rule 'one': nothing follows hangup: use `ended`, with `before`",
        ),
        (
            ["form: expect", "when: {says: hello}", "then: {says: name, same: true}"],
            "rules.0.then.0.same: rule 'one': `same` has nothing to compare with, phrase 'hello' in `when` says no "
            "value: use a phrase with X in each wording, or `event: number`",
        ),
        (
            ["form: expect", "when: answered", "then: {event: number, same: true}"],
            "rules.0.then.0.same: rule 'one': `same` has nothing to compare with, event 'answered' in `when` says no "
            "value: use a phrase with X in each wording, or `event: number`",
        ),
        (
            ["form: expect", "when: {says: name}", "then: [{says: hello}, {says: part, same: true}]"],
            "rules.0.then.1.same: rule 'one': `same` has nothing to compare, phrase 'part' never fills a slot: put X "
            "into each wording, or use `event: number`",
        ),
        (
            ["form: steps", "when: {says: name}", "steps: [{name: a, what: {say: 是的, same: true}}]"],
            "rules.0.steps.0.what.0.same: rule 'one': `same` has nothing to compare, '是的' never fills a slot: put X "
            "into each wording, or use `event: number`",
        ),
        (
            ["form: never", "what: {event: number, same: true}"],
            "rules.0.what.same: rule 'one': `same` belongs to the `then` of `expect` or to the `what` of a step: "
            "remove it here",
        ),
        (
            ["form: never", "what: hangup", "during: {after: answered}"],
            "rules.0.during: never ends: give `seconds`, `until` or both (`until: ended` for the rest of the call)",
        ),
        (
            ["form: never", "what: hangup", "during: {after: {says: gone}, seconds: 3}"],
            "rules.0.during.after.says: rule 'one': unknown phrase 'gone': define it under `phrases` "
            "(there are: hello, name, part)",
        ),
        (
            ["form: expect", "when: answered", "then: {says: hello}", "during: {after: answered, seconds: 3}"],
            "rules.0.during: unknown key: check the spelling, or remove it",
        ),
        (
            ["form: report", "figure: happiness"],
            "rules.0.figure: unknown figure 'happiness': choose one of answer_rates, confidentiality, dropped_calls, "
            "promises, repeats",
        ),
        (["form: report", "figure: repeats", "values: {within: 24h}"], "(found '24h')"),
    ],
)
def test_a_rule_that_could_never_be(tmp_path: Path, lines: list[str], expected: str) -> None:
    found = problem(tmp_path, with_rule(*lines))
    assert found.endswith(expected), found
    assert found.startswith("p.yaml:")
