"""Proof calls are read with every fault told, and compared with what the monitor says."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.audit.standing import Came, changes
from monitor.core.rulebook import Pack
from monitor.packs import load_pack
from monitor.packs.proof import Proved, read_file, read_proofs
from monitor.packs.prove import Prover
from monitor.yamlfile import YamlError
from tests.cli.files import pack as write_pack

CALL = """
    items:
      - {{ring: 1, id: ring}}
      - {{agent: {words}, id: first, pause: 0.5}}
      - {{customer: 我想问一下账单, id: asks}}
      - {{silence: 4}}
      - {{hangup: customer}}
"""
GOOD = "calls:\n  greets:" + CALL.format(words="您好，请讲") + "    met: [greet]\n"
BAD = "calls:\n  silent:" + CALL.format(words="喂什么事情")
EXPECTED = "    alerts:\n      - {rule: greet, by: agent, at: ring.end, plus: 3}\n"


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return load_pack(write_pack(tmp_path / "tiny.yaml"))


def written(tmp_path: Path, text: str, name: str = "calls") -> Path:
    folder = tmp_path / "proofs"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text if text.startswith("pack:") else f"pack: tiny\n{text}", encoding="utf-8")
    return path


def tried(tmp_path: Path, pack: Pack, text: str) -> Proved:
    (proof,) = read_file(written(tmp_path, text), pack)
    return Prover.of(pack).prove(proof)


def test_a_call_that_is_as_its_proof_says(tmp_path: Path, pack: Pack) -> None:
    assert tried(tmp_path, pack, GOOD).faults == ()
    broken = tried(tmp_path, pack, BAD + EXPECTED)
    assert broken.faults == ()
    assert broken.alerts == 1


def test_an_alert_that_nobody_expected(tmp_path: Path, pack: Pack) -> None:
    (fault,) = tried(tmp_path, pack, BAD).faults
    assert fault.rule == "greet"
    assert fault.message.startswith("not expected: an alert at 5.5")
    assert fault.verdicts == ("5.50 s broken",)


def test_an_alert_that_did_not_come(tmp_path: Path, pack: Pack) -> None:
    (fault,) = tried(tmp_path, pack, GOOD + EXPECTED).faults
    assert fault.message == "expected an alert at 5.50 s (ring.end +3, within 0.3 s) by agent; it did not come"
    assert fault.alerts == ()
    assert fault.verdicts == ("3.00 s met",)


@pytest.mark.parametrize(
    ("plus", "about", "found"),
    [(3.25, "", True), (3.4, "", False), (4, ", about: 1", True), (4, ", about: 0.9", False)],
)
def test_when_an_alert_comes(tmp_path: Path, pack: Pack, plus: float, about: str, found: bool) -> None:
    text = BAD + EXPECTED.replace("plus: 3", f"plus: {plus}{about}")
    faults = tried(tmp_path, pack, text).faults
    assert [f.message.endswith("it came at 5.50 s") for f in faults] == ([] if found else [True])


def test_an_alert_against_the_other_party(tmp_path: Path, pack: Pack) -> None:
    faults = tried(tmp_path, pack, BAD + EXPECTED.replace("by: agent", "by: customer")).faults
    assert [f.message.partition(":")[0].partition(" ")[0] for f in faults] == ["expected", "not"]


def test_a_rule_that_is_not_met(tmp_path: Path, pack: Pack) -> None:
    (fault,) = tried(tmp_path, pack, BAD + EXPECTED + "    met: [greet]\n").faults
    assert fault.message == "expected to be met; it was not"
    assert fault.verdicts == ("5.50 s broken",)


def test_without_signals_the_monitor_has_to_infer(tmp_path: Path, pack: Pack) -> None:
    assert tried(tmp_path, pack, GOOD.replace("    items:", "    signals: false\n    items:")).faults == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BAD + EXPECTED.replace("greet", "great"), 11, "alerts.0.rule: tiny has no rule 'great': `monitor rules list"),
        (BAD + EXPECTED.replace("ring.end", "rung.end"), 11, "alerts.0.at: no item has the id 'rung': use one of asks"),
        (BAD + EXPECTED.replace("ring.end", "ring"), 11, "alerts.0.at: 'ring' is no time: write ID.start or ID.end"),
        (BAD + "    met: [great]\n", 10, "met.0: tiny has no rule 'great'"),
        (BAD.replace("asks", "first"), 3, "the id 'first' is used twice"),
        (BAD + "    alarms: []\n", 10, "alarms: unknown key"),
        (BAD.replace("喂什么", "喂123"), 6, "items.1: write '1' as it is spoken"),
        ("pack: other\n" + BAD, 1, "pack: 'other' is not the pack that is tested, 'tiny'"),
        ("calls: {}\n", 2, "calls: "),
    ],
)
def test_faults_in_a_file(tmp_path: Path, pack: Pack, text: str, line: int, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(YamlError) as caught:
        read_file(path, pack)
    told = str(caught.value)
    assert words in told
    assert told.startswith(f"{path}:{line}: ")


def test_all_files_of_a_folder_and_all_their_faults(tmp_path: Path, pack: Pack) -> None:
    folder = written(tmp_path, GOOD, "b").parent
    written(tmp_path, BAD, "a")
    assert [proof.name for proof in read_proofs(folder, pack)] == ["silent", "greets"]
    written(tmp_path, GOOD, "c")
    written(tmp_path, BAD + "    met: [x]\n", "d")
    with pytest.raises(YamlError) as caught:
        read_proofs(folder, pack)
    assert len(caught.value.problems) == 2
    assert "there is a call 'greets' in b.yaml as well: rename one" in str(caught.value)


def test_a_folder_without_calls(tmp_path: Path, pack: Pack) -> None:
    with pytest.raises(YamlError, match="holds no proof calls"):
        read_proofs(tmp_path / "none", pack)


def alert(at: float, rule: str = "p/a", by: str = "agent", severity: str = "note") -> Came:
    return Came(rule, by, at, severity, "m")


def test_what_became_of_alerts() -> None:
    then = [alert(1), alert(10), alert(30), alert(50, by="customer"), alert(70)]
    now = [alert(1.2), alert(12), alert(48), alert(50), alert(70, severity="critical")]
    found = changes(then, now)
    assert found.same == 1
    assert found.moved == ((then[1], now[1]), (then[4], now[4]))
    assert found.gone == (then[2], then[3])
    assert found.new == (now[2], now[3])
