"""Two devices on one time line: places, losses, and what is given out of both."""

from __future__ import annotations

import numpy as np

from monitor.core.types import Chunk, Samples
from monitor.sources.legs import PATIENCE, Block, Leg, Pairs

RATE = 8000


def ramp(start: int, n: int) -> Samples:
    return (np.arange(start, start + n) % 30_000).astype(np.int16)


def block(start: int, n: int = 160, late: float = 0.0, lost: int = 0, overflow: bool = False) -> Block:
    """Samples that carry their own position, complete ``late`` seconds after their time."""
    return Block(0, ramp(start, n), 100.0 + (start + n) / RATE + late, lost, overflow)


def places(leg: Leg, blocks: list[Block]) -> list[tuple[int, int]]:
    """(position given, position carried) of each stretch that a leg of equal rates gives out."""
    found = [piece for one in blocks for piece in leg.feed(one, 100.0)] + leg.flush()
    return [(start, int(samples[0, 0])) for start, samples in found]


def test_the_count_of_samples_is_the_time_and_jitter_does_not_matter() -> None:
    blocks = [block(0), block(160, late=0.5), block(320, late=0.01), block(480)]
    assert places(Leg(RATE, RATE), blocks) == [(0, 0), (160, 160), (320, 320), (480, 480)]


def test_a_device_that_begins_later_is_placed_by_the_clock() -> None:
    assert places(Leg(RATE, RATE), [block(4000), block(4160)]) == [(4000, 4000), (4160, 4160)]


def test_blocks_that_found_no_room_are_counted() -> None:
    assert places(Leg(RATE, RATE), [block(0), block(480, late=0.3, lost=320)]) == [(0, 0), (480, 480)]


def test_an_overflow_is_measured_by_the_clock() -> None:
    assert places(Leg(RATE, RATE), [block(0), block(1000, overflow=True)]) == [(0, 0), (1000, 1000)]
    early = block(160, late=-0.5, overflow=True)  # a clock that says nothing was lost
    assert places(Leg(RATE, RATE), [block(0), early]) == [(0, 0), (160, 160)]


def test_a_device_of_another_rate_is_resampled_around_a_loss() -> None:
    leg = Leg(48000, 16000)
    loud = np.full(4800, 1000, np.int16)
    found = [*leg.feed(Block(0, loud, 0.1), 0.0), *leg.feed(Block(0, loud, 9.0, lost=4800), 0.0), *leg.flush()]
    covered = np.zeros(4800, int)
    for start, samples in found:
        covered[start : start + len(samples)] += 1
    assert covered.tolist() == [1] * 1600 + [0] * 1600 + [1] * 1600


def joined(pairs: Pairs, pieces: list[tuple[int, int, int]]) -> list[Chunk]:
    """Feed (leg, start, length) whose samples carry their position."""
    return [
        chunk
        for leg, start, n in pieces
        for chunk in pairs.feed(leg, start, ramp(start, n).reshape(-1, 1) * (1 if leg == 0 else -1))
    ]


def spans(chunks: list[Chunk]) -> list[tuple[int, int]]:
    for chunk in chunks:
        if chunk.samples.shape[1] == 2:
            np.testing.assert_array_equal(chunk.samples[:, 0], -chunk.samples[:, 1])  # side by side
    return [(chunk.start, chunk.start + len(chunk.samples)) for chunk in chunks]


def test_only_what_both_have_is_given_out() -> None:
    pieces = [(0, 0, 100), (0, 100, 100), (1, 0, 150), (1, 150, 200), (0, 200, 50)]
    assert spans(joined(Pairs(2, RATE), pieces)) == [(0, 100), (100, 150), (150, 200), (200, 250)]


def test_a_call_begins_where_both_are_there() -> None:
    chunks = joined(Pairs(2, RATE), [(0, 0, 300), (1, 120, 200)])
    assert spans(chunks) == [(0, 180)]
    assert chunks[0].samples[0].tolist() == [120, -120]


def test_a_loss_on_one_side_is_skipped_on_both() -> None:
    pieces = [(0, 0, 100), (1, 0, 1000), (0, 300, 400), (0, 700, 300)]
    assert spans(joined(Pairs(2, RATE), pieces)) == [(0, 100), (300, 700), (700, 1000)]


def test_audio_waits_for_the_other_side_only_so_long() -> None:
    pairs = Pairs(2, RATE)
    patience = round(PATIENCE * RATE)
    joined(pairs, [(0, 0, 160), (1, 0, 160)])
    joined(pairs, [(0, 160 + n * 160, 160) for n in range(3 * patience // 160)])
    waiting = sum(len(samples) for _, samples in pairs._waiting[0])
    assert waiting <= patience + 320
    late = joined(pairs, [(1, 160, 3 * patience)])  # comes after all, the older part has no partner any more
    assert spans(late)[0][0] >= 2 * patience - 320 and spans(late)[-1][1] == 160 + 3 * patience


def test_one_device_goes_straight_through() -> None:
    chunks = joined(Pairs(1, RATE), [(0, 50, 100), (0, 150, 10), (0, 200, 10)])
    assert spans(chunks) == [(0, 100), (100, 110), (150, 160)]
    assert chunks[0].samples.shape == (100, 1)
