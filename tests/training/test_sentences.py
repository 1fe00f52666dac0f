"""Sentences: the format of the text files, and what is never trained on."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from monitor.render import dialogue
from training import sentences
from training.cli import TEXTS
from training.sentences import (
    DIALOGUES,
    LONGEST,
    ONE_IN,
    SHORTEST_FORBIDDEN,
    FromKept,
    Kept,
    Sentences,
    TextError,
    bare,
    clauses,
    kept_for_evaluation,
    read_families,
    spoken_in,
)

ALLOWED = re.compile(r"[\u4e00-\u9fff，。？！、]+")


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("您好。\n", r"a\.txt:1: a sentence stands before the first \[family\]"),
        ("[one]\n您好。\n= part 阀门\n", r"a\.txt:3: a slot is"),
        ("[one]\n# comment\n\n请看{nothing}。\n", r"a\.txt:4: unknown slot \{nothing\}"),
        ("[one]\n您好OK。\n", r"a\.txt:2: not Han characters and ，。？！、: OK"),
        ("[one]\n您好,请讲。\n", r"a\.txt:2: not Han characters and ，。？！、: ,"),
        ("[one]\n(您好|x)。\n", r"a\.txt:2: not Han"),
        ("[one]\n(您好|你好。\n", r"a\.txt:2: brackets do not match"),
        ("[one]\n您好|你好。\n", r"a\.txt:2: brackets do not match, or a \| stands outside"),
        ("= part: 阀门|hose\n[one]\n您好。\n", r"a\.txt:1: not Han characters and ，。？！、: hose"),
        ("# nothing\n", "no families"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        read_families(folder(tmp_path, a=text))


def test_families_have_names_lines_and_the_slots_of_their_file(tmp_path: Path) -> None:
    texts = folder(
        tmp_path, a="= part: 阀门|软管\n[one]\n换{part}。\n您好。\n[! two]\n# held out\n再见。\n", b="[three]\n喂？\n"
    )
    one, two, three = read_families(texts)
    assert [family.name for family in (one, two, three)] == ["a/one", "a/two", "b/three"]
    assert [family.held_out for family in (one, two, three)] == [False, True, False]
    assert one.lines == ["换{part}。", "您好。"] and one.lists == {"part": ["阀门", "软管"]} and three.lists == {}


def test_patterns_are_filled_inside_out(tmp_path: Path) -> None:
    (family,) = read_families(
        folder(tmp_path, a="= size: 大|小\n= part: {size}阀门|软管\n[one]\n(请|)换(一个{part}|(旧|新)的)。\n")
    )
    r = Random(1)
    drawn = {family.write(r) for _ in range(300)}
    inner = ("一个大阀门", "一个小阀门", "一个软管", "旧的", "新的")
    assert drawn == {f"{first}换{second}。" for first in ("请", "") for second in inner}


def test_slots_of_the_package_are_filled(tmp_path: Path) -> None:
    (family,) = read_families(folder(tmp_path, a="[one]\n尾号{digits4}。\n"))
    assert re.fullmatch(r"尾号[零一二三四五六七八九幺]{4}。", family.write(Random(1)))


TWO_FAMILIES = (
    "[known]\n{count}号师傅下午{time}上门。\n[!kept]\n阀门关不上怎么办？\n= place: 厨房|阳台\n{place}有一股怪味道。\n"
)


def test_held_out_families_are_for_evaluation_only(tmp_path: Path) -> None:
    texts = folder(tmp_path, a=TWO_FAMILIES, b="[again]\n阀门关不上怎么办？\n阀门关不上怎么办？好的。\n请讲。\n")
    training, evaluation = Sentences(texts, dialogues=()), Sentences(texts, held_out=True, dialogues=())
    assert [family.name for family in training.families] == ["a/known", "b/again"]
    r = Random(1)
    drawn = {training.sentence(r) for _ in range(400)}
    assert len(drawn) > 100 and not any("阀门关不上" in text or "怪味道" in text for text in drawn)
    held_out = {evaluation.sentence(r) for _ in range(100)}
    assert {"阀门关不上怎么办？", "厨房有一股怪味道。"} <= held_out
    assert {bare(part) for text in held_out for part in clauses(text)} <= {
        "阀门关不上怎么办", "厨房有一股怪味道", "阳台有一股怪味道",
    }  # fmt: skip


def test_one_sentence_in_forty_is_kept_for_evaluation(tmp_path: Path) -> None:
    texts = folder(tmp_path, a="[one]\n我的号码是{phone}。\n")
    kept, training, r = FromKept(texts)(), Sentences(texts, dialogues=()), Random(1)
    assert isinstance(kept, Kept)
    evaluated = {kept.sentence(r) for _ in range(50)}
    assert all(kept_for_evaluation(text) and not training.may_train(text) for text in evaluated)
    trained = [training.sentence(r) for _ in range(300)]
    assert not any(kept_for_evaluation(text) for text in trained)
    share = sum(kept_for_evaluation(f"第{number}句" + "好" * number) for number in range(4000)) / 4000
    assert share == pytest.approx(1 / ONE_IN, abs=0.01)
    assert kept_for_evaluation("您好请讲") == kept_for_evaluation("您好，请讲。")


def written_calls() -> list[str]:
    """What is said in the calls that models are measured on, sentence by sentence, breaths taken out."""
    files = [file for place in DIALOGUES for file in sorted(place.glob("*.yaml"))]
    lines = [turn.text for file in files for turn in dialogue.read(file).items if isinstance(turn, dialogue.Say)]
    return [part for line in lines for part in re.findall(r"[^。？！]+[。？！]?", line.replace("|", ""))]


def test_sentences_of_written_calls_are_never_trained_on() -> None:
    source, lines = Sentences(TEXTS), written_calls()
    long = [line for line in lines if len(bare(line)) >= SHORTEST_FORBIDDEN]
    assert len(long) > 100
    assert not [line for line in long if source.may_train(line)]
    assert not [line for line in long if source.may_train("好的。" + line)]


def test_a_source_of_nothing_else_gives_the_other_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "SHARES", (("written", 1.0),))
    plain = [line for line in written_calls() if ALLOWED.fullmatch(line) and len(bare(line)) >= SHORTEST_FORBIDDEN]
    texts = folder(tmp_path, a="[one]\n" + "\n".join([*plain[:30], "这一句可以。", "好的。"]) + "\n")
    source, r = Sentences(texts), Random(1)
    assert {bare(source.sentence(r)) for _ in range(100)} <= {"这一句可以", "好的"}


def test_lines_of_written_calls_are_found(tmp_path: Path) -> None:
    call = "items:\n- agent: 您好，很高兴为您服务。请讲！\n- {customer: 我家没有气了, pause: 1}\n- agent: 好的。\n"
    (tmp_path / "a.yaml").write_text(call, encoding="utf-8")
    assert spoken_in([tmp_path]) == {"您好很高兴为您服务请讲", "您好很高兴为您服务", "我家没有气了"}


def test_sources_repeat_with_their_random_source() -> None:
    source = Sentences(TEXTS)
    first, second = ([source.sentence(r) for _ in range(60)] for r in (Random(5), Random(5)))
    assert first == second and len(set(first)) > 50
    assert all(ALLOWED.fullmatch(text) and 1 <= len(text) <= LONGEST for text in first)
    assert all(source.may_train(text) for text in first)


def test_every_line_of_the_texts_can_be_said() -> None:
    r = Random(1)
    families = read_families(TEXTS)
    assert sum(len(family.lines) for family in families) > 5000
    assert sum(family.held_out for family in families) >= 8
    for family in families:
        for line in family.lines:
            assert ALLOWED.fullmatch(family.fill(line, r)), (family.name, line)
