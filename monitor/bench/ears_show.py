"""The figures of ``ears`` and ``load`` as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rich.table import Table

from monitor.bench.gauge import Figures


def ears(figures: Figures) -> Iterator[Table]:
    """A table for each part."""
    yield _engines(figures)
    for part, show in PARTS.items():
        if part in figures:
            yield from show(figures[part])


def _engines(figures: Figures) -> Table:
    table = Table("engine", "kind", "MiB", "loads in s", "the first time", title="Ears, one thread each")
    for row in figures["engines"]:
        table.add_row(row["engine"], row["kind"], f"{row['mib']:g}", f"{row['load_s']:g}", f"{row['first_load_s']:g}")
    table.caption = figures.get("left_out")
    return table


def _recognition(rows: list[Figures]) -> Iterator[Table]:
    right = Table(
        "material", "engine", "chars", "CER", "syllable error", "start ms", "p95", "bias ms",
        title="What was heard", caption="start: of right characters, against the truth; bias: positive is late",
    )  # fmt: skip
    when = Table(
        "material", "engine", "commit s", "p95", "told s", "p95",
        title="When it was told",
        caption="commit: from a character's end until it was told for good; told: until it was told and stayed",
    )  # fmt: skip
    cost = Table(
        "material", "engine", "passes", "encoded s", "CPU s", "RTF", "final ms", "early ms",
        title="What it cost",
        caption="passes, seconds encoded, CPU seconds: each for a second of audio (both channels of a call); "
        "RTF: CPU for a second of speech; ms: CPU of a pass, median",
    )  # fmt: skip
    for row in rows:
        who = (row["material"], row["engine"])
        right.add_row(
            *who,
            str(row["characters"]),
            _percent(row["cer"]),
            _percent(row["syllable_error"]),
            *_texts(row, "start_off_ms", "start_off_p95_ms", "start_bias_ms"),
        )
        when.add_row(*who, *_texts(row, *TIMES))
        cost.add_row(*who, *_texts(row, *COST, "rtf", "final_ms", "partial_ms"))
    yield from (right, when, cost)


TIMES = ("commit_s", "commit_p95_s", "told_s", "told_p95_s")
COST = ("passes_a_second", "encoded_a_second", "cpu_a_second")


def _nothing(figures: Figures) -> Iterator[Table]:
    table = Table(
        "engine", "in calls, an hour", "bare, an hour", "where",
        title=f"Characters written into {figures['minutes']:g} min without speech",
        caption="in calls: through the whole pipeline; bare: the ear alone, in windows of 5 s",
    )  # fmt: skip
    for row in figures["engines"]:
        kinds = {**row["bare_kinds"]}
        shown = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        where = ", ".join(f"{kind} {count}" for kind, count in row["pipeline_kinds"].items())
        both = "; ".join(text for text in (where and f"in calls: {where}", shown and f"bare: {shown}") if text)
        table.add_row(row["engine"], *_texts(row, "pipeline_chars_an_hour", "bare_chars_an_hour"), both or "–")
    yield table


def _phrases(figures: Figures) -> Iterator[Table]:
    table = Table(
        "pack", "engine", "said", "recall", "precision", "false an hour",
        title=f"Phrases of the packs on {figures['calls']} calls, {figures['seconds'] / 60:.0f} min",
        caption="against the phrases in the truth's words, within a second",
    )  # fmt: skip
    for row in figures["rows"]:
        table.add_row(
            row["pack"],
            row["engine"],
            str(row["said"]),
            _percent(row["recall"]),
            _percent(row["precision"]),
            _text(row["false_an_hour"]),
        )
    yield table


def _baseline(figures: Figures) -> Iterator[Table]:
    right = Table(
        "way", "CER", "syllable error", "commit s", "p95", "told s", "p95",
        title=f"Against whisper_streaming's policy, {figures['model']} in all, {len(figures['calls'])} calls",
    )  # fmt: skip
    cost = Table("way", "passes", "encoded s", "CPU s", title="What it cost for a second of call")
    for row in figures["rows"]:
        errors = (_percent(row["cer"]), _percent(row["syllable_error"]))
        right.add_row(row["way"], *errors, *_texts(row, *TIMES))
        cost.add_row(row["way"], *_texts(row, *COST))
    yield from (right, cost)
    ratios = Table(
        "way", "CPU, times less", "told sooner s", "CER, times", "CPU, times less", "told sooner s", "CER, times",
        title="The same as ratios", caption="the first three against the policy without, the others with a voice gate",
    )  # fmt: skip
    for row in figures["against"]:
        names = ("times_less_cpu", "told_less_s", "cer_times")
        ratios.add_row(row["way"], *_texts(row, *names, *(f"{name}_gated" for name in names)))
    yield ratios


def _human(figures: Figures) -> Iterator[Table]:
    table = Table(
        "engine", "Hz", "CER", "syllable error", "CPU s",
        title=f"People, {figures['clips']} recordings", caption="8000 Hz: through the band of a telephone",
    )  # fmt: skip
    for row in figures["rows"]:
        errors = (_percent(row["cer"]), _percent(row["syllable_error"]))
        table.add_row(row["engine"], str(row["rate"]), *errors, _text(row["cpu_a_second"]))
    yield table


PARTS: dict[str, Callable[[Any], Iterator[Table]]] = {
    "recognition": _recognition,
    "nothing": _nothing,
    "phrases": _phrases,
    "baseline": _baseline,
    "human": _human,
}


def load(figures: Figures) -> Iterator[Table]:
    """Each step, and where each way falls behind."""
    table = Table(
        "ears", "calls", "final s", "p95", "skipped", "fast alone", "fed late s", "CPU", "follows",
        title=f"Live two-channel calls, {figures['seconds_each']:g} s a step",
        caption="; ".join(_limit(limit) for limit in figures["limits"]),
    )  # fmt: skip
    for row in figures["rows"]:
        table.add_row(
            row["ears"],
            str(row["calls"]),
            *_texts(row, "final_s", "final_p95_s"),
            f"{row['skipped']:.1%}",
            str(row["fast_alone"]),
            _text(row["fed_late_s"]),
            f"{row['cpu']:.0%}",
            f"no: {row['why']}" if row["behind"] else "yes",
        )
    yield table


def _limit(limit: Figures) -> str:
    behind = f", not {limit['behind_at']}" if limit["behind_at"] else ""
    return f"{limit['ears']}: {limit['follows']} calls{behind}"


def _texts(row: Figures, *names: str) -> list[str]:
    return [_text(row[name]) for name in names]


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:g}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
