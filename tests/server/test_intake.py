"""Messages become chunks: positions, sides, mixing, rates; and the clock against the declared rate."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.types import Chunk, Samples
from monitor.server.intake import Intake, IntakeError, RateCheck
from monitor.server.messages import MessageError, SignalMessage, Start, parse


def ramp(rows: int, start: int = 0) -> Samples:
    """Left counts up, right counts down."""
    count = np.arange(start, start + rows, dtype=np.int16)
    return np.stack([count, -count], axis=1)


def rows_of(chunks: list[Chunk]) -> dict[int, tuple[int, ...]]:
    """Every sample by its position; fails when two chunks overlap."""
    found: dict[int, tuple[int, ...]] = {}
    for chunk in chunks:
        for n, row in enumerate(chunk.samples):
            assert chunk.start + n not in found
            found[chunk.start + n] = tuple(int(value) for value in row)
    return found


def test_audio_continues_where_it_stood() -> None:
    intake = Intake(8000, 8000, 2)
    found = rows_of(intake.feed(ramp(5).tobytes()) + intake.feed(ramp(3, 5).tobytes()))
    assert found == {n: (n, -n) for n in range(8)}
    assert intake.heard == 8


def test_a_jump_ahead_leaves_a_gap_and_a_step_back_is_trimmed() -> None:
    intake = Intake(8000, 8000, 2)
    chunks = intake.feed(ramp(5).tobytes())
    intake.at(10)
    chunks += intake.feed(ramp(5, 10).tobytes())
    intake.at(12)
    chunks += intake.feed(ramp(6, 12).tobytes())
    intake.at(0)
    chunks += intake.feed(ramp(7).tobytes())
    assert rows_of(chunks) == {n: (n, -n) for n in [*range(5), *range(10, 18)]}
    assert intake.heard == 18


def test_a_stated_position_holds_for_one_message() -> None:
    intake = Intake(8000, 8000, 2)
    intake.at(10)
    assert intake.feed(b"") == []
    assert [chunk.start for chunk in intake.feed(ramp(2).tobytes())] == [0]


def test_the_agent_may_sit_on_the_right() -> None:
    assert rows_of(Intake(8000, 8000, 2, agent_right=True).feed(ramp(2, 1).tobytes())) == {0: (-1, 1), 1: (-2, 2)}


def test_two_mixed_channels_become_one_without_overflow() -> None:
    loud = np.full((2, 2), 32767, np.int16)
    assert rows_of(Intake(8000, 8000, 2, mixed=True).feed(loud.tobytes())) == {0: (32767,), 1: (32767,)}


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 44100, 48000])
def test_resampled_audio_is_as_long_as_it_was_and_stays_in_place(rate: int) -> None:
    intake = Intake(rate, 16000, 1)
    tone = (10000 * np.sin(np.arange(rate * 2) * 2 * np.pi * 300 / rate)).astype(np.int16)
    chunks = intake.feed(tone[:rate].tobytes())
    intake.at(rate + rate // 2)  # half a second was lost
    chunks += intake.feed(tone[rate + rate // 2 :].tobytes()) + intake.flush()
    found = rows_of(chunks)
    positions = sorted(found)
    assert (positions[0], positions[-1]) == (0, 31999)
    assert not any(16000 <= n < 23999 for n in positions)
    for n in (4000, 12345, 28000):  # away from the edges, where a filter has nothing to lean on
        assert found[n][0] == pytest.approx(10000 * np.sin(n * 2 * np.pi * 300 / 16000), abs=700), (
            "within half a sample"
        )


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_a_rebuilt_call_asks_for_what_the_resampler_had_swallowed(rate: int) -> None:
    call_rate = 8000 if rate == 8000 else 16000
    intake = Intake(rate, call_rate, 1)
    intake.go_on_at(12345)
    assert intake.heard * call_rate >= 12345 * rate > (intake.heard - 1) * call_rate
    assert (intake.feed(bytes(2 * rate)) + intake.flush())[0].start == 12345


def test_absurd_positions_and_halves_of_frames_are_refused() -> None:
    intake = Intake(8000, 8000, 2)
    with pytest.raises(IntakeError, match="hours"):
        intake.at(8000 * 3600 * 5)
    with pytest.raises(IntakeError, match="Resume at 0"):
        intake.feed(b"\0" * 6)


def told(speed: float, actual: list[float]) -> float | None:
    """What a check says of a client that declares ``speed``, each stretch of 10 s at its actual speed."""
    check = RateCheck(10.0, speed)
    audio = now = 0.0
    check.see(audio, now)
    for rate in actual:
        for _ in range(10):
            audio, now = audio + rate, now + 1.0
            if (ratio := check.see(audio, now)) is not None:
                return ratio
    return None


def test_two_stretches_far_off_contradict_the_declared_rate() -> None:
    assert told(1.0, [1.0, 2.0, 2.0]) == 2.0
    assert told(1.0, [0.5, 0.5, 0.5]) == 0.5
    assert told(4.0, [8.0, 8.0, 8.0]) == 2.0


def test_catching_up_jitter_and_clients_that_hurry_are_no_contradiction() -> None:
    assert told(1.0, [9.0, 1.0, 1.1, 0.9]) is None, "after a break a client sends what it kept"
    assert told(1.0, [1.0, 2.0, 1.0, 2.0]) is None
    assert told(0.0, [50.0, 50.0, 50.0]) is None


def test_messages_are_read_strictly() -> None:
    start = parse('{"type":"start","call":"a","rate":8000,"channels":1}')
    assert isinstance(start, Start)
    assert (start.direction, start.packs, start.speed) == ("inbound", None, 1.0)
    signal = parse('{"type":"signal","signal":"digit","digit":"#","at":2}')
    assert isinstance(signal, SignalMessage)
    assert signal.at == 2.0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[" * 100_000, "JSON"),
        ("7", "int"),
        ('{"type":"at"}', "frames"),
        ('{"type":"at","frames":-1}', "frames"),
        ('{"type":"at","frames":1.5}', "frames"),
        ('{"type":"signal","signal":"hangup","by":"thief"}', "by"),
        ('{"type":"signal","signal":"hold","at":NaN}', "at"),
        ('{"type":"start","call":"a","rate":8000,"channels":2,"direction":"up"}', "direction"),
    ],
)
def test_an_error_names_the_field(text: str, word: str) -> None:
    with pytest.raises(MessageError, match=word):
        parse(text)
