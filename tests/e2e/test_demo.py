"""``monitor demo --once``: the reports of the five demo calls, held against what their dialogues say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.core.rulebook import MEASURES
from monitor.packs import load_pack
from monitor.paths import config_dir
from tests.accuracy.calls import distribution
from tests.e2e.programs import DEMO, MODEL, MODELS, flat, monitor
from tests.e2e.schema import Report

pytestmark = pytest.mark.timeout(300)  # seven minutes of calls are recognised

Json = dict[str, Any]
STEMS = sorted(path.stem for path in DEMO.glob("*.flac"))
PACK = "gas-hotline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports; the demo must say where they are, and nothing must go wrong."""
    out = tmp_path_factory.mktemp("demo")
    result = monitor("demo", "--once", *MODELS, "--out", out)
    assert result.returncode == 0, result.stderr
    for stem in STEMS:
        assert f"{stem}.report.json" in flat(result.stdout).replace(" ", "")
    return out


@pytest.fixture(scope="module")
def reports(folder: Path) -> dict[str, Json]:
    files = sorted(folder.glob("*.report.json"))
    return {file.name.removesuffix(".report.json"): json.loads(file.read_text(encoding="utf-8")) for file in files}


def truth(stem: str) -> Json:
    data: Json = json.loads((DEMO / f"{stem}.truth.json").read_text(encoding="utf-8"))
    return data


def watched() -> dict[str, set[str]]:
    """The rules of the pack by the clause that they watch."""
    found: dict[str, set[str]] = {}
    for rule in load_pack(config_dir() / "packs" / f"{PACK}.yaml").rules:
        for clause in rule.watches:
            found.setdefault(clause, set()).add(rule.id)
    return found


def outcomes(report: Json, rules: set[str]) -> set[str]:
    return {verdict["outcome"] for verdict in report["verdicts"] if verdict["rule"] in rules}


def confirmed(report: Json) -> list[tuple[str, float]]:
    """Rules and times of the alerts that stood."""
    return [(a["rule"].removeprefix(f"{PACK}/"), a["at"]) for a in report["alerts"] if a["state"] == "confirmed"]


def test_there_are_five_reports(reports: dict[str, Json]) -> None:
    assert sorted(reports) == STEMS
    assert len(STEMS) == 5


@pytest.mark.parametrize("stem", STEMS)
def test_a_report_keeps_its_schema(reports: dict[str, Json], stem: str) -> None:
    report = Report.model_validate(reports[stem])
    assert report.call.id == stem
    assert report.call.packs == [PACK]
    assert report.call.model == MODEL
    assert set(MEASURES) - {"turn"} <= set(report.metrics)
    keys = [(verdict.rule, verdict.occasion) for verdict in report.verdicts]
    assert len(keys) == len(set(keys))
    assert {verdict.rule for verdict in report.verdicts} >= {alert.rule for alert in report.alerts}


@pytest.mark.parametrize("stem", STEMS)
def test_what_the_dialogue_breaks_is_found_broken(reports: dict[str, Json], stem: str) -> None:
    rules = watched()
    for clause in truth(stem)["findings"]["broken"]:
        if clause in rules:
            assert "broken" in outcomes(reports[stem], rules[clause]), clause


@pytest.mark.parametrize("stem", STEMS)
def test_what_the_dialogue_keeps_is_not_found_broken(reports: dict[str, Json], stem: str) -> None:
    rules = watched()
    kept = [clause for clause in truth(stem)["findings"]["met"] if clause in rules]
    assert kept, "the dialogue names nothing that is kept"
    for clause in kept:
        assert "broken" not in outcomes(reports[stem], rules[clause]), clause
        assert "met" in outcomes(reports[stem], rules[clause]), clause


EXPECTED: dict[str, list[tuple[str, float]]] = {
    "1-blameless": [],
    "2-fast-loud": [
        ("tone", 5.0),
        ("volume", 6.0),
        ("no-interrupting", 19.26),
        ("pace", 22.08),
        ("no-interrupting", 45.5),
    ],
    "3-hold-faults": [
        ("hold-request", 18.49),
        ("hold-too-long-callback", 78.49),
        ("brush-off", 93.14),
        ("brush-off", 97.48),
        ("hold-return", 98.49),
        ("anything-else", 103.45),
        ("customer-hangs-up-first", 103.45),
    ],
    "4-silent-call": [("silent-call", 37.02), ("customer-hangs-up-first", 59.42)],
    "5-slow-absent": [
        ("greeting-latency", 9.8),
        ("pace", 23.5),
        ("tone-flat", 24.0),
        ("dead-air", 30.8),
        ("dead-air", 44.14),
        ("response-latency", 44.14),
        ("dead-air", 57.84),
        ("response-latency", 57.84),
        ("answer-thanks", 58.64),
    ],
}
"""What an auditor notes who hears the calls with the manual at hand, and the second at which each happens."""


@pytest.mark.parametrize("stem", STEMS)
def test_the_alerts_are_those_of_an_auditor(reports: dict[str, Json], stem: str) -> None:
    found, wanted = sorted(confirmed(reports[stem])), sorted(EXPECTED[stem])
    assert [rule for rule, _ in found] == [rule for rule, _ in wanted]
    for (rule, at), (_, when) in zip(found, wanted, strict=True):
        assert at == pytest.approx(when, abs=0.3), rule
    for alert in reports[stem]["alerts"]:
        assert alert["raised_at"] >= alert["at"], "nobody knows what has not been heard"


def test_a_forbidden_sentence_is_shown_with_its_words(reports: dict[str, Json]) -> None:
    proofs = [e for a in reports["3-hold-faults"]["alerts"] if a["rule"].endswith("brush-off") for e in a["evidence"]]
    assert [(proof["channel"], proof["text"]) for proof in proofs] == [("agent", "不归我们管"), ("agent", "我怎么知道")]
    for proof in proofs:
        said = next(u for u in truth("3-hold-faults")["utterances"] if proof["text"] in u["text"])
        assert said["start"] - 0.1 <= proof["start"] < proof["end"] <= said["end"] + 0.1


def recognised(report: Json, said: Json) -> str:
    """What was recognised of an utterance."""
    lines = [line for line in report["transcript"] if line["channel"] == said["channel"]]
    return "".join(line["text"] for line in lines if said["start"] - 0.2 <= line["start"] < said["end"])


def test_pace_with_the_shipped_model_is_within_3_percent(reports: dict[str, Json]) -> None:
    """On the demo calls, whose agents are recognised cleanly, for each turn and each call."""
    turns, calls = [], []
    for stem, report in reports.items():
        agent = [u for u in truth(stem)["utterances"] if u["channel"] == "agent"]
        for said in agent:
            found = [t["pace"] for t in report["turns"] if abs(t["start"] - said["start"]) < 0.5 and t["pace"]]
            if said["characters"] >= 6:
                assert len(found) == 1, f"{stem}: no pace of {said['text']} ({recognised(report, said)})"
                turns.append(found[0] / said["pace"] - 1)
        seconds = sum(u["end"] - u["start"] for u in agent)
        (call,) = report["metrics"]["call_pace"]["values"]
        calls.append(call["value"] / (sum(u["characters"] for u in agent) / seconds * 60) - 1)
    print(f"turns, %  {distribution(turns, 100)}\ncalls, %  {distribution(calls, 100)}")
    assert max(map(abs, turns)) <= 0.03
    assert max(map(abs, calls)) <= 0.03


@pytest.mark.parametrize("stem", STEMS)
def test_rings_of_the_reports_are_those_of_the_calls(reports: dict[str, Json], stem: str) -> None:
    rings = [round((s["end"] - s["start"] + 4) / 5) for s in truth(stem)["sounds"] if s["sound"] == "ringback"]
    assert [value["value"] for value in reports[stem]["metrics"]["rings"]["values"]] == rings
