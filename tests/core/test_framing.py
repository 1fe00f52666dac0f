"""Frames lie on an absolute grid, whatever the chunks look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.framing import Framer, Frames
from monitor.core.types import Chunk, Gap, Samples

FRAME = 160


def ramp(length: int, channels: int = 2) -> Samples:
    """Samples that tell where they stand."""
    column = (np.arange(length) % 30000 + 1).astype(np.int16)
    return np.stack([column * (1 - 2 * c) for c in range(channels)], axis=1)


def laid_out(items: list[Frames | Gap]) -> list[tuple[str, int, bytes]]:
    """One entry a frame or gap, so that it does not matter how frames were grouped."""
    out: list[tuple[str, int, bytes]] = []
    for item in items:
        if isinstance(item, Gap):
            out.append(("gap", item.start, str(item.end).encode()))
            continue
        length = item.samples.shape[2]
        for i in range(item.samples.shape[1]):
            out.append(("frame", item.start + i * length, item.samples[:, i].tobytes()))
    return out


def run(chunks: list[Chunk], channels: int = 2) -> list[tuple[str, int, bytes]]:
    framer = Framer(8000, channels)
    items: list[Frames | Gap] = []
    for chunk in chunks:
        items += framer.feed(chunk)
    items += framer.flush()
    return laid_out(items)


def test_whole_frames_come_out_and_the_rest_waits() -> None:
    framer = Framer(8000, 2)
    (frames,) = framer.feed(Chunk(0, ramp(500)))
    assert isinstance(frames, Frames)
    assert (frames.start, frames.end, frames.samples.shape) == (0, 480, (2, 3, FRAME))
    assert frames.samples[0].reshape(-1).tolist() == ramp(500)[:480, 0].tolist()
    assert frames.samples[1].reshape(-1).tolist() == ramp(500)[:480, 1].tolist()
    (last,) = framer.flush()
    assert last.start == 480
    assert last.samples[0, 0, :20].tolist() == ramp(500)[480:, 0].tolist()
    assert not last.samples[:, :, 20:].any()
    assert framer.flush() == []


def test_a_frame_of_a_16_khz_call_is_320_samples() -> None:
    (frames,) = Framer(16000, 1).feed(Chunk(0, ramp(640, 1)))
    assert isinstance(frames, Frames)
    assert frames.samples.shape == (1, 2, 320)


def test_a_gap_inside_a_frame_leaves_zeros_there() -> None:
    audio = ramp(320)
    items = run([Chunk(0, audio[:50]), Chunk(100, audio[100:])])
    assert [(kind, at) for kind, at, _ in items] == [("gap", 50), ("frame", 0), ("frame", 160)]
    expected = audio[:160].copy()
    expected[50:100] = 0
    assert items[1][2] == np.ascontiguousarray(expected.T).tobytes()


def test_wholly_lost_frames_are_skipped() -> None:
    audio = ramp(1000)
    items = run([Chunk(0, audio[:200]), Chunk(700, audio[700:960])])
    assert [(kind, at) for kind, at, _ in items] == [
        ("frame", 0), ("frame", 160), ("gap", 200), ("frame", 640), ("frame", 800),
    ]  # fmt: skip
    assert items[2][2] == b"700"


def test_a_gap_on_the_grid_needs_no_filling() -> None:
    audio = ramp(800)
    items = run([Chunk(0, audio[:160]), Chunk(640, audio[640:])])
    assert [(kind, at) for kind, at, _ in items] == [("frame", 0), ("gap", 160), ("frame", 640)]


def test_a_call_may_begin_with_a_gap() -> None:
    items = run([Chunk(170, ramp(150))])
    assert [(kind, at) for kind, at, _ in items] == [("gap", 0), ("frame", 160)]


def test_an_empty_chunk_may_tell_of_a_gap() -> None:
    framer = Framer(8000, 1)
    assert framer.feed(Chunk(400, np.zeros((0, 1), np.int16))) == [Gap(0, 400)]
    assert framer.position == 400


def test_the_source_may_reuse_its_buffer() -> None:
    buffer = ramp(200, 1)
    framer = Framer(8000, 1)
    (frames,) = framer.feed(Chunk(0, buffer))
    buffer[:] = 0
    assert isinstance(frames, Frames)
    assert frames.samples.all()
    (last,) = framer.flush()
    assert last.samples[0, 0, :40].all()


def test_positions_do_not_drift_over_hours() -> None:
    framer = Framer(8000, 1)
    silence = np.zeros((80077, 1), np.int16)
    position = 0
    for _ in range(2000):  # about five and a half hours
        for item in framer.feed(Chunk(position, silence)):
            assert isinstance(item, Frames)
            assert item.start % FRAME == 0
            last = item.end
        position += len(silence)
    assert last == position // FRAME * FRAME


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (Chunk(0, np.zeros((10, 1), np.int16)), "shape"),
        (Chunk(0, np.zeros(10, np.int16)), "shape"),
        (Chunk(0, np.zeros((10, 2), np.float32)), "int16"),  # type: ignore[arg-type]
    ],
)
def test_wrong_audio_is_refused(chunk: Chunk, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Framer(8000, 2).feed(chunk)


def test_going_back_is_refused() -> None:
    framer = Framer(8000, 2)
    framer.feed(Chunk(0, ramp(100)))
    with pytest.raises(ValueError, match="99 begins before 100"):
        framer.feed(Chunk(99, ramp(100)))


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (8000, 3)])
def test_wrong_calls_are_refused(rate: int, channels: int) -> None:
    with pytest.raises(ValueError):
        Framer(rate, channels)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=30),
    lost=st.lists(st.tuples(st.integers(0, 2900), st.integers(1, 500)), max_size=3),
)
def test_every_chunking_gives_the_same_frames(sizes: list[int], lost: list[tuple[int, int]]) -> None:
    total = 3000
    audio = ramp(total)
    heard = np.ones(total, bool)
    for at, length in lost:
        heard[at : at + length] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], heard, [False])).astype(int)))
    spans = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    whole = [Chunk(start, audio[start:end]) for start, end in spans]
    small: list[Chunk] = []
    n = 0
    for start, end in spans:
        at = start
        while at < end:
            size = min(sizes[n % len(sizes)], end - at)
            small.append(Chunk(at, audio[at : at + size]))
            at += size
            n += 1
    assert run(small) == run(whole)
