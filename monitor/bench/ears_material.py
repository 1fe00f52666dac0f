"""What ears are measured on: demo calls, written dialogues spoken anew, calls and sets of clips that were given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from monitor.bench.ears_hear import Clip, Piece
from monitor.bench.ears_score import Char, plain
from monitor.bench.gauge import Plan
from monitor.bench.material import Material, demo_calls, read
from monitor.core.types import Channel, Samples, Signal, SignalKind
from monitor.paths import data_root
from monitor.render import dialogue as dialogues
from monitor.render import espeak
from monitor.render.line import telephone_band, to_int16
from monitor.render.render import Rendered, render
from monitor.render.truth import said_of
from monitor.sources.errors import SourceError
from monitor.sources.recording import Recording

CLIP_RATE = 16000
"""Of the sounds in a set's shards."""

QUICK_SECONDS = 12.0
QUICK_CLIPS = 5
QUICK_ITEMS = 6
"""How much of a call, a set and a dialogue a quick look takes."""

DEMO, DIALOGUES, GIVEN = "demo calls", "dialogues", "given calls"


def calls(plan: Plan) -> dict[str, list[Material]]:
    """Calls with their truth by the name of their kind. Raises ``SourceError`` for one that has none."""
    if plan.calls:
        given = [read(file) for file in plan.calls]
        for file, call in zip(plan.calls, given, strict=True):
            if not call.said:
                raise SourceError(f"{file}: no {file.stem}.truth.json lies beside it; scripts/make_call writes both")
        return {GIVEN: given}
    demo = demo_calls()
    if plan.quick:
        demo = [opening(call, QUICK_SECONDS) for call in demo[1:2]]
    found = {DEMO: demo}
    if written := spoken_dialogues(plan):
        found[DIALOGUES] = written
    return found


def opening(call: Material, least: float) -> Material:
    """The beginning of a call, up to the first moment after ``least`` seconds at which nobody is in mid-sentence."""
    said = sorted(call.said, key=lambda one: one.start)
    starts = [one.start for one in said[1:]] + [call.seconds]
    for number, after in enumerate(starts[: len(said)]):
        end = max(one.end for one in said[: number + 1])
        if end >= least and after > end:
            return call.part(0.0, (end + after) / 2)
    return call


def spoken_dialogues(plan: Plan) -> list[Material]:
    """The written dialogues, spoken now; none without espeak-ng or outside of a checkout, which is told."""
    files = sorted((data_root() / "tests" / "accuracy" / "dialogues").glob("*.yaml"))
    why = espeak.missing() if files else "the written dialogues come with a checkout only"
    if why:
        plan.tell(why)
        return []
    found = []
    for file in files[:1] if plan.quick else files:
        plan.tell(f"speaking {file.stem}")
        dialogue = dialogues.read(file)
        if plan.quick:
            dialogue = dialogue.model_copy(update={"items": dialogue.items[:QUICK_ITEMS]})
        found.append(_material(file.stem, render(dialogue)))
    return found


def why_no_dialogues() -> str | None:
    """Why the written dialogues cannot be spoken here, or None."""
    there = (data_root() / "tests" / "accuracy" / "dialogues").is_dir()
    return espeak.missing() if there else "the written dialogues come with a checkout only"


def _material(name: str, rendered: Rendered) -> Material:
    signals = tuple(_signal(entry, rendered.rate) for entry in rendered.signals)
    return Material(name, rendered.rate, rendered.samples, signals, said_of(rendered.truth["utterances"]))


def _signal(entry: Mapping[str, Any], rate: int) -> Signal:
    by = Channel(entry["by"]) if "by" in entry else None
    return Signal(SignalKind(entry["signal"]), round(entry["at"] * rate), by, entry.get("digit"))


def clips(folder: Path, *, quick: bool = False) -> list[Clip]:
    """An evaluation set: shards NAME.json and NAME.wav.npy, as ``python -m training.generate --held-out`` makes them.

    Raises ``SourceError`` for a folder that holds none, and for shards without their sound.
    """
    indexes = sorted(folder.glob("*.json"))
    found = [clip for index in indexes for clip in _shard(index)]
    if not found:
        raise SourceError(f"{folder} is no evaluation set: make one with python -m training.generate --held-out")
    return found[:QUICK_CLIPS] if quick else found


def _shard(index: Path) -> Iterator[Clip]:
    content = json.loads(index.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "labels" not in content:
        return  # some other file
    if "lengths_wav" not in content:
        raise SourceError(f"{index} has no sound: make the set with --held-out")
    sound = np.load(index.with_suffix(".wav.npy"), mmap_mode="r")
    if len(sound) != sum(content["lengths_wav"]):
        raise SourceError(f"{index.with_suffix('.wav.npy')} is not whole: make the set again")
    start = 0
    for number, (length, labels) in enumerate(zip(content["lengths_wav"], content["labels"], strict=True)):
        samples: Samples = np.array(sound[start : start + length], dtype=np.int16)
        chars = tuple(Char(char, begin, end) for text, begin, end, _ in labels for char in plain(text))
        yield Clip(f"{index.stem}/{number}", CLIP_RATE, samples, chars)
        start += length


def pieces(plan: Plan) -> dict[str, Sequence[Piece]]:
    """All that is recognised, by name. Raises ``SourceError``."""
    found: dict[str, Sequence[Piece]] = dict(calls(plan))
    for name, folder in plan.sets.items():
        found[name] = clips(folder, quick=plan.quick)
    return found


def people(folder: Path, rate: int, *, quick: bool = False) -> list[Clip]:
    """Recordings of people with a MANIFEST.tsv (columns file and transcript): at ``rate``, 8000 a second through the
    band of a telephone. Raises ``SourceError``."""
    manifest = folder / "MANIFEST.tsv"
    if not manifest.is_file():
        raise SourceError(f"{folder} has no MANIFEST.tsv with the columns file and transcript")
    head, *lines = [line.split("\t") for line in manifest.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not {"file", "transcript"} <= set(head):
        raise SourceError(f"{manifest} lacks the columns file and transcript in its first line")
    rows = [dict(zip(head, line, strict=False)) for line in lines]
    found = []
    for row in rows[:QUICK_CLIPS] if quick else rows:
        recording = Recording(folder / row["file"])
        own = recording.probe().rate
        samples = np.concatenate([chunk.samples for chunk in recording.chunks()])[:, 0]
        if own != rate:
            samples = soxr.resample(samples / 32768.0, own, rate, quality="HQ") * 32768.0
        if rate == 8000:
            samples = to_int16(telephone_band(samples / 32768.0, rate)).astype(np.float64)
        kept = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
        # Where its characters lie nobody has written down: only the text counts.
        found.append(Clip(row["file"], rate, kept, tuple(Char(c, 0.0, 0.0) for c in plain(row["transcript"]))))
    return found
