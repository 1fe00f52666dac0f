from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor.core.types import Channel
from monitor.render import dialogue as dialogues
from monitor.render.dialogue import Dialogue, Hangup, Hold, Music, Ring, Say
from monitor.yamlfile import YamlError

CALL = """\
title: a call
agent: {voice: f3, pace: 185}
items:
  - ring: 2
  - agent: 您好，请问有什么可以帮您？
    pause: 0.8
  - {customer: 我要投诉, overlap: 0.5}
  - {hold: 20, music: piano}
  - {digits: "12#"}
  - {music: pop, seconds: 3}
  - {hangup: customer}
"""


def read(tmp_path: Path, text: str) -> Dialogue:
    path = tmp_path / "call.yaml"
    path.write_text(text, encoding="utf-8")
    return dialogues.read(path)


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(YamlError) as caught:
        read(tmp_path, text)
    return str(caught.value).replace(str(tmp_path) + "/", "")


def test_every_item_becomes_its_own_kind(tmp_path: Path) -> None:
    dialogue = read(tmp_path, CALL)

    assert [type(item).__name__ for item in dialogue.items] == [
        "Ring", "Say", "Say", "Hold", "Digits", "Music", "Hangup",
    ]  # fmt: skip
    assert dialogue.agent.pace == 185
    assert dialogue.customer.pace == 190
    said = dialogue.items[2]
    assert isinstance(said, Say)
    assert (said.channel, said.text, said.overlap) == (Channel.CUSTOMER, "我要投诉", 0.5)


def test_python_builds_the_same_as_yaml(tmp_path: Path) -> None:
    built = Dialogue(items=(Ring(ring=1), Say(agent="您好"), Hold(hold=5, music="piano"), Hangup(hangup="agent")))
    written = read(tmp_path, "items: [{ring: 1}, {agent: 您好}, {hold: 5, music: piano}, {hangup: agent}]")

    assert built == written


@pytest.mark.parametrize(
    ("line", "instead", "says"),
    [
        ("    pause: 0.8", "    paus: 0.8", "call.yaml:6: items.1.paus: unknown key"),
        ("    pause: 0.8", "    pause: -1", "call.yaml:6: items.1.pause: "),
        ("  - ring: 2", "  - rings: 2", "call.yaml:4: items.0: no known item"),
        ("title: a call", "titel: a call", "call.yaml:1: titel: unknown key"),
        ("agent: {voice: f3, pace: 185}", "agent: {voice: f3, pace: 20}", "call.yaml:2: agent.pace: "),
        ("music: piano", "music: jazz", "unknown music 'jazz'"),
        ("overlap: 0.5", "overlap: 0.5, at: 3", "only one of pause, overlap and at"),
        ("我要投诉", "我要投诉100次", "as it is spoken"),
        ("我要投诉", "……", "nothing to speak"),
        ("customer: 我要投诉", "customer: 我要投诉, agent: 您好", "either agent or customer"),
        ('"12#"', '"12X"', "call.yaml:9: items.4.digits: "),
        ("music: pop, seconds: 3", "music: pop", "call.yaml:10: items.5.seconds: is missing"),
        ("  - {hangup: customer}", "  - {hangup: customer}\n  - {silence: 1}", "but 1 more follow"),
        ("title: a call", "title: a call\ntitle: b", "call.yaml:2: yaml: "),
        ("items:", "items: [", "yaml: "),
    ],
)
def test_faults_are_named_with_file_line_and_field(tmp_path: Path, line: str, instead: str, says: str) -> None:
    assert line in CALL
    assert says in fault(tmp_path, CALL.replace(line, instead, 1))


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    faults = fault(tmp_path, "items:\n  - {ring: 0}\n  - {silence: -2}\n  - {hangup: nobody}\n")

    assert [line.split(" ")[0] for line in faults.splitlines()] == [
        "call.yaml:2:",
        "call.yaml:3:",
        "call.yaml:4:",
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match=r"nowhere\.yaml"):
        dialogues.read(tmp_path / "nowhere.yaml")


def test_wrong_values_from_python_are_refused() -> None:
    with pytest.raises(ValidationError, match="unknown music"):
        Music(music="jazz", seconds=1)
