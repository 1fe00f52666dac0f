"""Rule packs: what is wrong is told with file, line, field and remedy; what is right is compiled."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from monitor.core import rulebook as rb
from monitor.core.types import Channel, Severity
from monitor.packs import PackError, available_packs, find_pack, load_pack, load_packs

HEAD = "pack: p\ntitle: {zh: 包, en: Pack}\n"
TEXTS = "    title: {zh: 题, en: Title}\n    advice: {zh: 议, en: Advice}\n"
PHRASES = "phrases:\n  hello: {say: [您好]}\n  bye: {say: [再见], role: farewell}\n"


def write(folder: Path, text: str, name: str = "p.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def with_rule(rule: str) -> str:
    """A pack of one rule, whose own lines begin at line 9."""
    return HEAD + PHRASES + "rules:\n  - id: one\n" + TEXTS + indent(dedent(rule).strip("\n"), "    ") + "\n"


def load(folder: Path, text: str) -> rb.Pack:
    return load_pack(write(folder, text))


def problem(folder: Path, text: str) -> str:
    """The one problem, less its folder."""
    with pytest.raises(PackError) as error:
        load(folder, text)
    (found,) = error.value.problems
    assert str(found) == str(error.value)
    return str(found).removeprefix(f"{folder}/")


# ---------------------------------------------------------------- what ships


def test_the_shipped_packs_load() -> None:
    assert "gas-hotline" in available_packs()
    for pack in load_packs(available_packs()):
        assert pack.rules
        assert len({r.id for r in pack.rules}) == len(pack.rules)
        for rule in pack.rules:
            assert rule.id.startswith(f"{pack.id}/")
            for text in (rule.title, rule.advice, rule.message):
                assert text["zh"] and text["en"]


def test_the_starter_pack_watches_what_it_must() -> None:
    (pack,) = load_packs(["gas-hotline"])
    clauses = {clause.partition("/")[2] for rule in pack.rules for clause in rule.watches}
    assert clauses >= {
        "inbound-greeting", "pace", "volume", "hold-request", "hold-return", "no-quarrel", "no-particles",
        "no-interrupting", "complaint-closing", "customer-hangs-up-first", "silent-call",
    }  # fmt: skip
    measures = {r.form.measure for r in pack.rules if isinstance(r.form, rb.Keep)}
    assert measures >= {"pace", "level", "dead_air", "hold", "duration", "greeting_latency", "response_latency"}


def test_clauses_that_are_watched_exist() -> None:
    folder = Path(__file__).resolve().parents[2] / "shared" / "clauses"
    if not folder.is_dir():
        pytest.skip("the manuals' clauses are not here")
    for pack in load_packs(available_packs()):
        text = (folder / f"{pack.id}.yaml").read_text(encoding="utf-8")
        for rule in pack.rules:
            for clause in rule.watches:
                assert clause.partition("/")[2] in text, clause


# ---------------------------------------------------------------- what is compiled


def test_each_form(tmp_path: Path) -> None:
    def form(text: str) -> rb.Form:
        return load(tmp_path, with_rule(text)).rules[0].form

    hello, bye = rb.Pattern(("say:p/hello",), Channel.AGENT), rb.Pattern(("say:p/bye",))
    assert form("form: keep\nmeasure: pace\nmin: 180\nmax: 200\ntolerance: 20\nsustained: 5") == rb.Keep(
        "pace", None, (rb.Limits(180, 200, 20, 5, Severity.WARNING),)
    )
    assert form("form: keep\nmeasure: hold\nmax: 60\nwarn: {max: 50}\nseverity: critical") == rb.Keep(
        "hold", None, (rb.Limits(None, 50, severity=Severity.NOTE), rb.Limits(None, 60, severity=Severity.CRITICAL))
    )
    assert form("form: never\nwhat: {says: hello, by: agent}") == rb.Never(hello)
    assert form("form: expect\nwhen: answered\nthen: {says: hello, by: agent}\nwithin: 2\nonce: true") == rb.Expect(
        rb.Pattern(("answered",)), (hello,), 2, None, True
    )
    assert form(
        "form: steps\nwhen: {event: answered, quiet: {by: customer, seconds: 6}}\nuntil: hangup\n"
        "steps:\n  - {name: a, what: {says: hello, by: agent}, within: 5}\n"
        "  - {name: b, what: [{says: bye}], after: 3, optional: true}"
    ) == rb.Steps(
        rb.Pattern(("answered",), quiet=rb.Quiet(Channel.CUSTOMER, 6)),
        (rb.Step("a", (hello,), 5), rb.Step("b", (bye,), None, 3, True)),
        rb.Pattern(("hangup",)),
    )
    assert form("form: tally\ncount: {says: hello, by: agent}\nper: minute\nmax: 3") == rb.Tally(
        hello, rb.Per.MINUTE, most=3
    )
    assert form("form: tally\ncount: {says: [hello, bye]}\nper: window\nwindow: hold_end\nevery: 20") == rb.Tally(
        rb.Pattern(("say:p/hello", "say:p/bye")), rb.Per.WINDOW, window=rb.Pattern(("hold_end",)), every=20
    )
    assert form("form: report\nfigure: answer_rates\nvalues: {within_hours: 24}") == rb.Report(
        "answer_rates", {"within_hours": 24}
    )


def test_measures_in_patterns(tmp_path: Path) -> None:
    def names(measure: str) -> tuple[str, ...]:
        form = load(tmp_path, with_rule(f"form: never\nwhat: {{measure: {measure}, max: 3}}")).rules[0].form
        assert isinstance(form, rb.Never)
        assert form.what.most == 3
        return form.what.names

    assert names("level") == ("level",)
    assert names("hold") == ("stop:hold",)
    assert names("'start:hold'") == ("start:hold",)


def test_words_written_in_place(tmp_path: Path) -> None:
    pack = load(tmp_path, with_rule("form: never\nwhat: {say: 我怎么知道, by: agent}"))
    form = pack.rules[0].form
    assert isinstance(form, rb.Never)
    (phrase,) = form.what.phrases
    assert phrase in {p.name for p in pack.phrases}


def test_the_rest_of_a_rule(tmp_path: Path) -> None:
    (rule,) = load(
        tmp_path,
        with_rule(
            """
            form: never
            what: {says: hello}
            watches: [gas-hotline/pace, service-center/hold-60s]
            points: 5
            tell: [agent]
            limit: {per_call: 3, every: 30}
            direction: inbound
            queues: vip
            tags: repeat
            sure: 0.8
            unless: {says: bye, before: 20, after: 5}
            """
        ),
    ).rules
    assert rule.watches == ("gas-hotline/pace", "service-center/hold-60s")
    assert (rule.points, rule.tell, rule.direction, rule.queues, rule.sure) == (
        5, frozenset({"agent"}), "inbound", ("vip",), 0.8,
    )  # fmt: skip
    assert rule.frequency == rb.Frequency(3, 30)
    assert rule.tags == {"repeat"}
    assert rule.excuses == (rb.Excuse(rb.Pattern(("say:p/bye",)), 20, 5),)


@pytest.mark.parametrize(
    ("rule", "zh"),
    [
        ("form: keep\nmeasure: pace\nmin: 180\nmax: 200", "题：{value} 字/分（要求 180–200）"),
        ("form: keep\nmeasure: clipping\nby: agent\nmax: 0.1", "题：{value} （要求 0.1）"),
        ("form: never\nwhat: {says: hello}", "题：“{text}”"),
        ("form: never\nwhat: hangup", "题"),
        ("form: expect\nwhen: answered\nthen: {says: hello}\nwithin: 2.5", "题：2.5 秒内没有做到"),
        ("form: expect\nwhen: ended\nthen: {says: hello}\nbefore: 20", "题"),
        ("form: steps\nwhen: answered\nsteps: [{name: a, what: {says: hello}}]", "题：缺少步骤 {step}"),
        ("form: tally\ncount: {says: hello}\nmin: 1", "题：{value} 次（界限 {limit}）"),
        ("form: never\nwhat: hangup\nmessage: {zh: 自己写的, en: own}", "自己写的"),
    ],
)
def test_messages(tmp_path: Path, rule: str, zh: str) -> None:
    assert load(tmp_path, with_rule(rule)).rules[0].message["zh"] == zh


# ---------------------------------------------------------------- include


def test_phrases_of_another_file(tmp_path: Path) -> None:
    write(tmp_path, "pack: shared\ntitle: {zh: 共, en: S}\nlistening: [嗯]\n" + PHRASES, "_shared.yaml")
    text = with_rule("form: never\nwhat: {says: hello}").replace(PHRASES, "include: [_shared.yaml]\n")
    pack = load(tmp_path, text)
    assert pack.roles == {"shared/bye": rb.Role.FAREWELL}
    assert pack.listening == {"嗯"}
    assert pack.rules[0].form == rb.Never(rb.Pattern(("say:shared/hello",)))


def test_the_same_name_in_two_packs_is_two_phrases(tmp_path: Path) -> None:
    one = write(tmp_path, with_rule("form: never\nwhat: {says: hello}"))
    two = write(tmp_path, one.read_text("utf-8").replace("pack: p", "pack: q").replace("您好", "喂"), "q.yaml")
    names = [p.name for pack in load_packs([str(one), str(two)]) for p in pack.phrases]
    assert len(set(names)) == 4


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "form: never\nwhat: {says: hello}\nseverty: note",
            "p.yaml:12: rules.0.severty: unknown key: check the spelling, or remove it",
        ),
        (
            "form: keep\nmeasure: pace\nmin: 200\nmax: 180",
            "p.yaml:7: rules.0: min 200 is above max 180: no value can be right",
        ),
        (
            "form: keep\nmeasure: pace",
            "p.yaml:7: rules.0: limits nothing: give `min`, `max` or both",
        ),
        (
            "form: keep\nmeasure: hold\nmax: 60\nwarn: {min: 9, max: 5}",
            "p.yaml:13: rules.0.warn: min 9 is above max 5: no value can be right",
        ),
        ("form: keep\nmeasure: level\nmax: -12", "p.yaml:7: rules.0: does not say whose level: give `by`"),
        (
            "form: never\nwhat: {measure: level, min: 5, max: 3}",
            "p.yaml:11: rules.0.what: min 5 is above max 3: nothing lies between them",
        ),
        (
            "form: never\nwhat: {by: agent}",
            "p.yaml:11: rules.0.what: says nothing to look for: give `says`, `say`, `event` or `measure`",
        ),
        (
            "form: never\nwhat: {says: helo}",
            "p.yaml:11: rules.0.what.says: rule 'one': unknown phrase 'helo': define it under `phrases` "
            "(there are: bye, hello)",
        ),
        (
            "form: never\nwhat: {says: hello, quiet: {by: agent, seconds: 3}}",
            "p.yaml:11: rules.0.what.quiet: rule 'one': `quiet` belongs to the `when` of `expect` or `steps`: "
            "remove it here",
        ),
        (
            "form: never\nwhat: {measure: 'start:level'}",
            "p.yaml:11: rules.0.what.measure: rule 'one': level neither starts nor stops: write `measure: level`",
        ),
        (
            "form: keep\nmeasure: hold\nmax: 60\nunless: {says: hello, after: 5}",
            "p.yaml:13: rules.0.unless: rule 'one': `after` of `unless` is not for `keep`, which does not wait: "
            "use `before`",
        ),
        (
            "form: steps\nwhen: answered\nsteps:\n  - {name: a, what: {says: hello}, within: 3, after: 5}",
            "p.yaml:13: rules.0.steps.0: after 5 is beyond within 3: the step can never be in time",
        ),
        (
            "form: steps\nwhen: answered\nsteps:\n  - {name: a, what: [{says: hello}, {says: gone}]}",
            "p.yaml:13: rules.0.steps.0.what.1.says: rule 'one': unknown phrase 'gone': define it under `phrases` "
            "(there are: bye, hello)",
        ),
        (
            "form: tally\ncount: {says: hello}",
            "p.yaml:7: rules.0: counts without a limit: give `min`, `max` or `every`",
        ),
        (
            "form: tally\ncount: {says: hello}\nmin: 3\nmax: 1",
            "p.yaml:7: rules.0: min 3 is above max 1: no count can be right",
        ),
        (
            "form: tally\ncount: {says: hello}\nmin: 3\nper: window",
            "p.yaml:7: rules.0: `per: window` and `window` belong together",
        ),
        (
            "form: tally\ncount: {says: hello}\nevery: 20",
            "p.yaml:7: rules.0: `every` needs a `window`: give one, or use `per: minute`",
        ),
    ],
)
def test_a_rule_that_cannot_be(tmp_path: Path, rule: str, expected: str) -> None:
    assert problem(tmp_path, with_rule(rule)) == expected


@pytest.mark.parametrize(
    ("rule", "where", "words"),
    [
        ("form: keep\nmeasure: speed\nmax: 3", "p.yaml:11: rules.0.measure", "unknown measure 'speed': choose one of"),
        ("form: keep\nmeasure: 'start:hold'\nmax: 3", "p.yaml:11: rules.0.measure", "unknown measure 'start:hold'"),
        ("form: never\nwhat: {measure: speed}", "p.yaml:11: rules.0.what.measure", "unknown measure 'speed'"),
        ("form: never\nwhat: laughter", "p.yaml:11: rules.0.what.event.0", "'speech_start'"),
        ("form: expect\nwhen: answered\nthen: {says: hello}\nwithin: 0", "p.yaml:13: rules.0.within", "greater than 0"),
        ("form: expect\nwhen: ended\nthen: {says: hello}\nbefore: 900", "p.yaml:13: rules.0.before", "equal to 180"),
        ("form: expect\nwhen: ended\nthen: []", "p.yaml:12: rules.0.then", "at least 1 item"),
        ("form: expect\nthen: {says: hello}", "p.yaml:7: rules.0.when", "is missing: add it"),
        ("form: sometimes", "p.yaml:7: rules.0", "'keep', 'never', 'expect'"),
        ("what: hangup", "p.yaml:7: rules.0", "`form` is missing: say which kind it is"),
        ("form: never\nwhat: {says: hello}\nlimit: {per_call: 0}", "p.yaml:12: rules.0.limit.per_call", "(found 0)"),
        ("form: never\nwhat: {says: hello}\nsure: high", "p.yaml:12: rules.0.sure", "(found 'high')"),
        ("form: never\nwhat: {say: ……}", "p.yaml:11: rules.0.what.say", "no words, only gaps"),
        (
            "form: never\nwhat: {says: hello}\nunless: {say: (, before: 3}",
            "p.yaml:12: rules.0.unless.0.say",
            "never closed",
        ),
        ("form: never\nwhat: [hangup]", "p.yaml:11: rules.0.what", "(found a list)"),
        ("form: keep\nmeasure: hold\nmax: {a: 1}", "p.yaml:12: rules.0.max", "(found a mapping)"),
    ],
)
def test_a_field_that_cannot_be(tmp_path: Path, rule: str, where: str, words: str) -> None:
    found = problem(tmp_path, with_rule(rule))
    assert found.startswith(f"{where}: ")
    assert words in found


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (HEAD + "colour: red\n", "p.yaml:3: colour", "unknown key"),
        ("pack: p\n", "p.yaml:1: title", "is missing: add it"),
        (HEAD.replace("p\n", "'Gas Hotline'\n", 1), "p.yaml:1: pack", "should match pattern"),
        (HEAD + "phrases:\n  x: {say: []}\n", "p.yaml:4: phrases.x.say", "at least 1 item"),
        (HEAD + "phrases:\n  x: {say: ['@@']}\n", "p.yaml:4: phrases.x.say", "never recognised in speech; remove it"),
        (
            HEAD + "phrases:\n  x: {say: ['(您']}\n",
            "p.yaml:4: phrases.x.say",
            "column 1: this parenthesis is never closed",
        ),
        (HEAD + "phrases:\n  x: {say: [您], leading: true}\n", "p.yaml:4: phrases.x.say", "set `alone` as well"),
        (HEAD + "phrases:\n  x: {say: [您], by: heart}\n", "p.yaml:4: phrases.x.by", "'near', 'sound' or 'exact'"),
        (HEAD + "pack: q\n", "p.yaml:3: yaml", 'found duplicate key "pack"'),
        (HEAD + "phrases:\n  a: {say: [您]}\n  a: {say: [你]}\n", "p.yaml:5: yaml", "duplicate key"),
        (HEAD + "rules: [\n", "p.yaml:4: yaml", "mend the YAML"),
        ("- a\n- b\n", "p.yaml:1: file", "write `name: value` lines"),
        (HEAD + "include: [gone.yaml]\n", "p.yaml:3: include.0", "is not beside this file: check the name"),
        (HEAD + "include: [p.yaml]\n", "p.yaml:3: include.0", "in a circle: remove it"),
    ],
)
def test_a_pack_that_cannot_be(tmp_path: Path, text: str, where: str, words: str) -> None:
    found = problem(tmp_path, text)
    assert found.startswith(f"{where}: ")
    assert words in found


def test_a_circle_of_two_files(tmp_path: Path) -> None:
    write(tmp_path, HEAD.replace("pack: p", "pack: q") + "include: [p.yaml]\n", "q.yaml")
    assert problem(tmp_path, HEAD + "include: [q.yaml]\n").startswith("q.yaml:3: include.0: p.yaml includes itself")


def test_a_fault_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    write(tmp_path, HEAD + "phrases:\n  x: {say: ['(']}\n", "q.yaml")
    assert problem(tmp_path, HEAD + "include: [q.yaml]\n").startswith("q.yaml:4: phrases.x.say: ")


def test_duplicate_rule_ids(tmp_path: Path) -> None:
    text = with_rule("form: never\nwhat: hangup")
    text += "  - id: one\n" + TEXTS + "    form: never\n    what: hangup\n"
    assert problem(tmp_path, text) == "p.yaml:12: rules.1.id: 'one' is used twice: rename one"


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = with_rule("form: never\nwhat: {says: gone}").replace("say: [您好]", "say: ['(']")
    text += "  - id: two\n" + TEXTS + "    form: never\n    what: {says: hello}\n"
    with pytest.raises(PackError) as error:
        load(tmp_path, text)
    assert [(p.line, p.field) for p in error.value.problems] == [(4, "phrases.hello.say"), (11, "rules.0.what.says")]
    text = HEAD + "colour: red\nrules:\n  - {id: A}\n  - {id: b, form: keep}\n"
    with pytest.raises(PackError) as error:
        load(tmp_path, text)
    assert len(error.value.problems) > 4


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"gone\.yaml:1: file: cannot be read .*: check the path"):
        load_pack(tmp_path / "gone.yaml")
    (tmp_path / "b.yaml").write_bytes(b"pack: \xff\xfe\n")
    with pytest.raises(PackError, match="cannot be read"):
        load_pack(tmp_path / "b.yaml")


# ---------------------------------------------------------------- by name


def test_packs_are_found_by_name_or_path(tmp_path: Path) -> None:
    assert find_pack("gas-hotline").name == "gas-hotline.yaml"
    assert find_pack(str(tmp_path / "x.yml")) == tmp_path / "x.yml"
    with pytest.raises(PackError, match=r"no such pack: choose one of .*gas-hotline"):
        find_pack("gas-hotlin")


def test_a_pack_given_twice() -> None:
    with pytest.raises(PackError, match="'gas-hotline' is given twice: leave one out"):
        load_packs(["gas-hotline", "gas-hotline"])
