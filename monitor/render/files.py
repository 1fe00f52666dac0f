"""Writes a rendered call: FLAC, truth and signals beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np

from monitor.core.types import Samples
from monitor.render.render import Rendered

TRUTH, SIGNALS = ".truth.json", ".signals.json"


def write(rendered: Rendered, path: Path) -> tuple[Path, Path, Path]:
    """Write ``path`` (FLAC), its ``.truth.json`` and its ``.signals.json``; returns the three paths."""
    write_flac(path, rendered.samples, rendered.rate)
    truth, signals = path.with_suffix(TRUTH), path.with_suffix(SIGNALS)
    truth.write_text(_json(rendered.truth), encoding="utf-8")
    signals.write_text(_json(rendered.signals), encoding="utf-8")
    return path, truth, signals


def write_flac(path: Path, samples: Samples, rate: int) -> None:
    """Write int16 ``samples`` of shape (n, channels), 1 or 2 channels."""
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        densest = {"compression_level": "12"}
        stream = container.add_stream("flac", rate=rate, options=densest, layout=layout, format="s16")
        packed = np.ascontiguousarray(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _json(data: Any) -> str:
    """JSON with one line an entry of each list, so that a changed call reads well in a diff."""
    if isinstance(data, dict):
        fields = (f"{json.dumps(key)}: {_json(value)}" for key, value in data.items())
        return "{\n" + ",\n".join(fields) + "\n}\n"
    if isinstance(data, list) and data:
        return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in data) + "\n]\n"
    return json.dumps(data, ensure_ascii=False)
