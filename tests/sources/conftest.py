"""Audio files of every kind, written by the tests themselves."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from monitor.core.types import Samples

WriteAudio = Callable[..., Path]


def voices(rate: int, seconds: float = 4.0, turn: float = 1.0) -> Samples:
    """Two parties that speak in turns: int16 (n, 2), harmonic sounds of 120 and 210 Hz, never both at once."""
    t = np.arange(round(rate * seconds)) / rate
    columns = []
    for party, pitch in enumerate((120, 210)):
        sound = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
        columns.append(np.where((t // turn) % 2 == party, 5000 * sound, 0))
    return np.stack(columns, axis=1).astype(np.int16)


def write(path: Path, samples: Samples, rate: int, codec: str = "pcm_s16le", layout: str | None = None) -> Path:
    """Encode int16 (n, channels); the suffix names the container."""
    layout = layout or {1: "mono", 2: "stereo", 3: "2.1"}[samples.shape[1]]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.codec_context.layout = layout
        stream.codec_context.open()
        convert = av.AudioResampler(stream.codec_context.format, layout, rate)
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        for converted in convert.resample(frame):
            fifo.write(converted)
        size = stream.codec_context.frame_size or 4096
        while (block := fifo.read(size) or fifo.read(0, partial=True)) is not None:
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return path


def write_wav(path: Path, samples: Samples, rate: int) -> Path:
    """A plain 16-bit WAV of any rate and number of channels."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture
def write_audio() -> WriteAudio:
    return write


@pytest.fixture
def wav() -> WriteAudio:
    return write_wav


@pytest.fixture
def speak() -> Callable[..., Samples]:
    return voices


@pytest.fixture
def write_signals() -> Callable[[Path, Any], Path]:
    def write_json(path: Path, content: Any) -> Path:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_json
