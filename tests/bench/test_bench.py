"""Every bench runs on tiny input and gives figures of the right shape; how good they are is not asked here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from monitor.bench import ears, fanout, latency, material, memory, signal_path, storage
from monitor.bench.benches import BENCHES
from monitor.bench.gauge import Plan
from monitor.bench.material import demo_call
from monitor.bench.show import SHOWN, tables
from monitor.cli.main import app

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


def test_ears() -> None:
    figures = ears.run(QUICK)
    ways = {row["way"]: row for row in figures["ways"]}
    assert ways["partials"]["partials"] > 0
    assert ways["finals only"]["partials"] == 0
    assert ways["finals only"]["finals"] == ways["partials"]["finals"] > 0
    _shown("ears", figures)


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


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nosuch"], "no bench 'nosuch'"), (["ears", "--model", "none"], "nothing to measure")]
)
def test_a_wrong_wish_is_told(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert done.exit_code == 2
    assert said in done.output


def test_a_model_that_is_none_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "ears", "--quick", "--model", str(tmp_path)])
    assert done.exit_code == 1
    assert str(tmp_path) in done.output.replace("\n", "")
