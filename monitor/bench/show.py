"""The figures of a bench as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from monitor.bench import ears_show
from monitor.bench.gauge import Figures


def tables(bench: str, figures: Figures) -> Iterator[Table]:
    """The tables of one bench; a figure that misses its target is red."""
    yield from SHOWN[bench](figures)


def markdown(table: Table) -> str:
    """The same table for a document: its title, its rows, and its caption."""
    head = [Text.from_markup(str(column.header)).plain for column in table.columns]
    rows = zip(*([Text.from_markup(str(cell)).plain for cell in column.cells] for column in table.columns), strict=True)
    lines = [head, ["---"] * len(head), *rows]
    shown = "\n".join("| " + " | ".join(cell.replace("|", "\\|") or " " for cell in line) + " |" for line in lines)
    parts = [
        f"**{table.title}**" if table.title else "",
        shown,
        Text.from_markup(str(table.caption)).plain if table.caption else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _judged(value: float | None, target: float, *, least: bool) -> str:
    if value is None:
        return "–"
    good = value >= target if least else value <= target
    sign = "≥" if least else "≤"
    colour, mark = ("green", "✓") if good else ("red", "✗")
    return f"[{colour}]{value:g} {mark}[/] ({sign} {target:g})"


def _signal(figures: Figures) -> Iterator[Table]:
    target = figures["target"]
    table = Table(
        "chunks", "calls a core", "plain", "times plain", "CPU ms a second", "plain",
        title=f"Signal path, two channels at {figures['rate']} Hz, {figures['audio_seconds']:g} s, "
        f"{figures['rounds']} rounds",
    )  # fmt: skip
    for row in figures["chunks"]:
        table.add_row(
            f"{row['chunk_ms']:g} ms",
            _judged(row["calls_a_core"], target["calls_a_core"], least=True),
            f"{row['plain_calls_a_core']:g}",
            _judged(row["times_plain"], target["times_plain"], least=True),
            f"{row['cpu_ms_a_second']:g}",
            f"{row['plain_cpu_ms_a_second']:g}",
        )
    yield table


def _packs(figures: Figures) -> Iterator[Table]:
    target = figures["target"]
    table = Table(
        "packs", "words", "CPU ms a second", "more than without packs",
        title=f"Rule packs, {figures['audio_seconds']:g} s of calls, {figures['rounds']} rounds",
    )  # fmt: skip
    for row in figures["rows"]:
        judged = row["packs"] == figures["packs"] and not row["words"]
        more = f"{row['more']:.1%}" if row["packs"] else ""
        table.add_row(
            str(row["packs"]),
            "heard" if row["words"] else "no",
            f"{row['cpu_ms_a_second']:g}",
            _judged(round(100 * row["more"], 1), 100 * target["more"], least=False) + " %" if judged else more,
        )
    phrases = figures["phrases"]
    table.caption = (
        f"{phrases['phrases']} phrases, {phrases['wordings']:,} wordings, {phrases['words']:,} words; "
        f"packs loaded in {figures['load_seconds']:g} s of CPU"
    )
    yield table
    each = phrases["ms_a_word"]
    table = Table("ear", "CPU ms a word", title="Search for every phrase of all packs")
    judged = "ears" if "ears" in each else "sure"
    for name, what in {"sure": "sure of all words", "ears": "the configured ones", "unsure": "unsure of all"}.items():
        if name in each:
            shown = _judged(each[name], target["ms_a_word"], least=False) if name == judged else f"{each[name]:g}"
            table.add_row(what, shown)
    yield table


def _latency(figures: Figures) -> Iterator[Table]:
    audio = figures["audio_rules"]
    table = _latencies(f"Alerts of audio rules on a screen, {audio['calls']} live calls, no recognition", "from cause")
    whole = {"from_raised_at": audio["from_raised_at"], "from_at": audio["from_at"]}
    for name, pair in {"all alerts": whole, **audio["rules"]}.items():
        target = audio["target"]["p95_ms"] if pair is whole else None
        _add(table, name, pair["from_raised_at"], target, _text(pair["from_at"]["p95_ms"]))
    _add(table, "a level, each second", audio["metric"])
    server = audio["server"]
    table.caption = (
        "from the last sample that the finding needs; p95 from its cause beside it; "
        f"server: {server['cpu_share']:.0%} of a core, {server['mib_a_call']:g} MiB a call"
    )
    yield table
    if words := figures.get("phrases"):
        table = _latencies(f"Words on a screen, {words['calls']} live calls, model {words['model']}")
        _add(table, "phrase alerts, from the last syllable", words["alerts"], words["target"]["p95_ms"])
        _add(table, "first words, from the first syllable", words["first_words"])
        _add(table, "settled words, from the last syllable", words["settled_words"])
        share = words["server"]["cpu_share"]
        table.caption = f"{words['utterances']} utterances; server: {share:.0%} of a core"
        yield table


def _latencies(title: str, *more: str) -> Table:
    return Table("what", "count", "p50 ms", "p95 ms", "max ms", *more, title=title)


def _add(table: Table, what: str, spread: Figures, target: float | None = None, *more: str) -> None:
    p95 = spread["p95_ms"]
    shown = _text(p95) if target is None else _judged(p95, target, least=False)
    table.add_row(what, str(spread["count"]), _text(spread["p50_ms"]), shown, _text(spread["max_ms"]), *more)


def _fanout(figures: Figures) -> Iterator[Table]:
    table = Table(
        "screens", "ticks a second", "messages a second", "KiB a second", "each", "server CPU", "first to last p95 ms",
        "resyncs", title=f"Screens that look at {figures['calls']} live calls",
    )  # fmt: skip
    for row in figures["screens"]:
        table.add_row(
            str(row["screens"]),
            _text(row["ticks_a_second"]),
            str(row["messages_a_second"]),
            _text(row["kib_a_second"]),
            _text(row["kib_a_second_each"]),
            f"{row['server_cpu_share']:.1%}",
            _text(row["first_to_last_screen"]["p95_ms"]),
            str(row["resyncs"]),
        )
    yield table


def _storage(figures: Figures) -> Iterator[Table]:
    journal, store, recording = figures["journal"], figures["store"], figures["recording"]
    table = Table("what", "in groups", "one by one", "times", "CPU", title=f"Storage in {figures['folder']}")
    table.add_row(
        f"journal, lines a CPU second ({journal['lines_a_write']:g} a write)",
        f"{journal['lines_a_cpu_second']:,}",
        f"{journal['lines_a_cpu_second_one_a_write']:,}",
        f"{journal['times_one_a_write']:g}",
        f"{journal['cpu_us_a_line']:g} µs a line",
    )
    table.add_row("journal, lines verified a CPU second", f"{journal['lines_verified_a_cpu_second']:,}", "", "", "")
    table.add_row(
        f"store, rows a second ({store['rows_a_commit']} a commit)",
        f"{store['rows_a_second']:,}",
        f"{store['rows_a_second_one_a_commit']:,}",
        f"{store['times_one_a_commit']:g}",
        f"{store['cpu_us_a_row']:g} against {store['cpu_us_a_row_one_a_commit']:g} µs a row",
    )
    for name in ("pcm", "flac"):
        table.add_row(
            f"recording, {name.upper()}, times real time",
            f"{recording[f'{name}_times_real_time']:,}",
            "",
            "",
            f"{recording[f'{name}_cpu_us_a_second']:,} µs a second of call",
        )
    yield table


def _memory(figures: Figures) -> Iterator[Table]:
    title = f"Memory of a live call, {figures['calls']} calls fed {figures['seconds']} s each"
    table = Table("way", "MiB a call", "process before, MiB", title=title)
    for row in figures["ways"]:
        value, target = row["mib_a_call"], figures["target"]["mib_a_call"]
        shown = f"{value:g}" if row["recognise"] else _judged(value, target, least=False)
        table.add_row("with recognition" if row["recognise"] else "without recognition", shown, f"{row['base_mib']:g}")
    yield table


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:g}"


SHOWN: dict[str, Callable[[Figures], Iterator[Table]]] = {
    "signal": _signal,
    "packs": _packs,
    "latency": _latency,
    "fanout": _fanout,
    "storage": _storage,
    "ears": ears_show.ears,
    "load": ears_show.load,
    "memory": _memory,
}
