"""Every bench runs on tiny input and gives figures of the right shape; how good they are is not asked here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.table import Table
from typer.testing import CliRunner

from monitor.bench import (
    ears,
    ears_material,
    ears_nothing,
    fanout,
    latency,
    load,
    material,
    memory,
    packs,
    signal_path,
    storage,
)
from monitor.bench.benches import BENCHES
from monitor.bench.gauge import Plan
from monitor.bench.material import demo_call
from monitor.bench.show import SHOWN, markdown, tables
from monitor.cli.main import app
from monitor.render.files import write_flac
from tests.asr import tiny

QUICK = Plan(quick=True)


def _shown(bench: str, figures: dict[str, Any]) -> None:
    """The figures are JSON, and people get a table of them."""
    assert json.loads(json.dumps(figures)) == figures
    assert all(table.row_count for table in tables(bench, figures))


def test_every_bench_is_shown() -> None:
    assert SHOWN.keys() == BENCHES.keys()


def test_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal_path, "demo_calls", lambda quick: [demo_call("2-fast-loud").part(2.5, 5.5)])
    figures = signal_path.run(QUICK)
    assert [row["chunk_ms"] for row in figures["chunks"]] == [100, 500]
    assert all(row["calls_a_core"] > 0 and row["times_plain"] > 0 for row in figures["chunks"])
    assert figures["target"] == {"calls_a_core": 250, "times_plain": 2.0}
    _shown("signal", figures)


def test_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "demo_calls", lambda quick: [demo_call("2-fast-loud").part(2.5, 9)])
    figures = packs.run(QUICK)
    assert [(row["packs"], row["words"]) for row in figures["rows"]] == [
        (0, False), (1, False), (5, False), (0, True), (1, True), (5, True)
    ]  # fmt: skip
    assert all(row["cpu_ms_a_second"] > 0 for row in figures["rows"])
    found = figures["phrases"]
    assert found["words"] > 10 and found["wordings"] > 10_000
    assert 0 < found["ms_a_word"]["sure"] < found["ms_a_word"]["unsure"]
    _shown("packs", figures)


def test_storage() -> None:
    figures = storage.run(QUICK)
    assert figures["journal"]["lines_a_cpu_second"] > 0
    assert figures["store"]["rows"] == 200
    assert figures["recording"]["flac_times_real_time"] > 0
    _shown("storage", figures)


def test_the_rows_of_the_store_bench_are_all_different(tmp_path: Path) -> None:
    with storage._store_at(tmp_path / "s.sqlite") as store:
        store.save_batches(list(storage._rows(80)))
        verdicts = sum(len(store.verdicts(storage._call(n))) for n in range(storage.CALLS))
        lines = sum(len(store.transcript(storage._call(n))) for n in range(storage.CALLS))
    assert verdicts + lines == 80


def test_memory() -> None:
    figures = memory.grow(2, 2, recognise=True)
    assert figures.keys() == {"mib_a_call", "base_mib"}
    assert figures["base_mib"] > 1
    way = {"recognise": False, **figures}
    _shown("memory", {"calls": 2, "seconds": 2, "target": {"mib_a_call": 3.0}, "ways": [way]})


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of an hour."""
    call = material.demo_call("2-fast-loud").part(2.5, 5.5)
    monkeypatch.setattr(ears_material, "demo_calls", lambda: [call, call])
    monkeypatch.setattr(ears_material, "opening", lambda call, least: call)
    monkeypatch.setattr(ears_material, "spoken_dialogues", lambda plan: [])
    monkeypatch.setattr(ears_nothing, "QUICK_MINUTES", 0.2)


@pytest.mark.usefixtures("short")
def test_ears(tmp_path: Path) -> None:
    write_flac(tmp_path / "a.flac", np.zeros((8000, 1), np.int16), 8000)
    (tmp_path / "MANIFEST.tsv").write_text("file\ttranscript\na.flac\t您好\n", encoding="utf-8")
    figures = ears.run(Plan(quick=True, human=tmp_path))
    assert figures.keys() >= {"engines", "left_out", *ears.PARTS}
    (row,) = figures["recognition"]
    assert (row["material"], row["engine"]) == ("demo calls", "zh-careful")
    assert row["partials"] > row["finals"] > 0
    assert [row["rate"] for row in figures["human"]["rows"]] == [16000, 8000]
    assert figures["human"]["rows"][0]["cer"] == 1.0
    _shown("ears", figures)


@pytest.mark.usefixtures("short")
def test_a_part_of_ears() -> None:
    figures = ears.run(Plan(quick=True, parts=("nothing",)))
    assert figures.keys() == {"threads", "engines", "nothing"}
    _shown("ears", figures)


@pytest.mark.usefixtures("short")
def test_both_ears_take_part_where_there_are_two(tmp_path: Path) -> None:
    tiny.wenet_ctc(tmp_path)
    figures = ears.run(Plan(quick=True, models=("zh-careful", str(tmp_path)), parts=("recognition", "phrases")))
    names = ["zh-careful", tmp_path.name, f"{tmp_path.name} + zh-careful"]
    assert [row["engine"] for row in figures["recognition"]] == names
    assert [row["kind"] for row in figures["engines"]] == ["whisper", "sherpa"]
    assert figures["recognition"][0]["cer"] == figures["recognition"][2]["cer"], "the careful ear decides"
    _shown("ears", figures)


def test_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "QUICK_CALLS", (1,))
    monkeypatch.setattr(load, "demo_calls", lambda: [demo_call("2-fast-loud").part(2.5, 9.0)])
    figures = load.run(Plan(quick=True, seconds=1.0))
    assert figures["limits"] == [{"ears": "zh-careful", "follows": 1, "behind_at": None}]
    _shown("load", figures)


def test_tables_can_be_put_into_a_document() -> None:
    table = Table("way", "CPU", title="Cost", caption="a|b")
    table.add_row("one|two", "[green]3 ✓[/] (≥ 2)")
    lines = markdown(table).splitlines()
    assert lines == ["**Cost**", "", "| way | CPU |", "| --- | --- |", "| one\\|two | 3 ✓ (≥ 2) |", "", "a|b"]


def test_latency_of_audio_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "demo_call", lambda stem: material.demo_call(stem).part(2.5, 9.5))
    figures = latency.audio_rules(QUICK)
    assert figures["calls"] == 6
    assert "gas-hotline/volume" in figures["rules"]
    assert figures["from_at"]["count"] == figures["from_raised_at"]["count"] > 0
    assert figures["metric"]["count"] > 0
    assert figures["from_raised_at"]["max_ms"] > 0, "an alert cannot come before its cause"
    _shown("latency", {"audio_rules": figures})


def test_latency_of_phrases() -> None:
    figures = latency.phrases(QUICK)
    assert figures["alerts"]["count"] > 0
    assert 0 < figures["settled_words"]["count"] <= figures["utterances"]
    assert figures["first_words"]["count"] > 0


def test_fanout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "SCREENS", (0, 2))
    monkeypatch.setattr(fanout, "SETTLE", 0.3)
    figures = fanout.run(QUICK)
    none, two = figures["screens"]
    assert (none["messages_a_second"], none["kib_a_second"]) == (0, 0)
    assert two["messages_a_second"] > 0
    assert two["resyncs"] == 0
    _shown("fanout", figures)


def test_the_command_writes_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BENCHES, "storage", lambda plan: storage.run(Plan(quick=True)))
    file = tmp_path / "figures.json"
    done = CliRunner().invoke(app, ["bench", "storage", "--quick", "--json", str(file)])
    assert done.exit_code == 0, done.output
    data = json.loads(file.read_text(encoding="utf-8"))
    assert data["schema"] == 1
    assert data["quick"] is True
    assert data["machine"]["cores"] >= 1
    assert data["benches"].keys() == {"storage"}


def test_the_command_hands_its_wishes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Plan] = []

    def note(plan: Plan) -> dict[str, Any]:
        plans.append(plan)
        return {"seconds_each": 1.0, "rows": [], "limits": []}

    monkeypatch.setitem(BENCHES, "load", note)
    folder = str(tmp_path)
    wishes = [
        "--model",
        "a",
        "--model",
        "b",
        "--set",
        f"x={folder}",
        "--human",
        folder,
        "--part",
        "human",
        "--call",
        "c",
    ]
    done = CliRunner().invoke(app, ["bench", "load", *wishes, "--seconds", "5", "--no-hints", "--markdown"])
    assert done.exit_code == 0, done.output
    assert "| ears | calls |" in done.output
    (plan,) = plans
    assert (plan.models, plan.sets, plan.human) == (("a", "b"), {"x": tmp_path}, tmp_path)
    assert (plan.parts, plan.calls, plan.seconds, plan.hints) == (("human",), (Path("c"),), 5.0, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "no bench 'nosuch'"),
        (["ears", "--model", "none"], "nothing to measure"),
        (["ears", "--part", "noses"], "no part 'noses'"),
        (["ears", "--set", "folder"], "NAME=FOLDER"),
    ],
)
def test_a_wrong_wish_is_told(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert done.exit_code == 2
    assert said in done.output


def test_a_model_that_is_none_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "ears", "--quick", "--model", str(tmp_path)])
    assert done.exit_code == 1
    assert str(tmp_path) in done.output.replace("\n", "")
