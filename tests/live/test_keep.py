"""Recordings: every sample in its place, through kills and full disks, and packed without loss."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from monitor.core.types import Samples
from monitor.live.keep import BLOCK, Keeper, KeepError, read_pcm


def noise(n: int, channels: int = 2, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(-32768, 32768, (n, channels)).astype(np.int16)


def unpacked(flac: Path, channels: int) -> tuple[int, Samples]:
    with av.open(str(flac)) as container:
        stream = container.streams.audio[0]
        blocks = [frame.to_ndarray().reshape(-1, channels) for frame in container.decode(stream)]
        return stream.codec_context.sample_rate, np.concatenate(blocks).astype(np.int16)


@pytest.mark.parametrize(("rate", "channels", "rows"), [(8000, 2, 100_003), (16000, 1, 4608), (16000, 2, 1)])
def test_flac_holds_every_sample(tmp_path: Path, rate: int, channels: int, rows: int) -> None:
    samples = noise(rows, channels)
    keeper = Keeper(tmp_path / "c1.pcm", rate, channels)
    for at in range(0, rows, 997):
        keeper.write(samples[at : at + 997])
    flac = keeper.finish()
    assert flac == tmp_path / "c1.flac"
    assert list(tmp_path.iterdir()) == [flac]
    found_rate, found = unpacked(flac, channels)
    assert found_rate == rate
    np.testing.assert_array_equal(found, samples)


def test_flac_tells_its_length(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    keeper.write(noise(20_000))
    with av.open(str(keeper.finish())) as container:
        assert container.streams.audio[0].duration == 20_000


def test_lost_audio_is_silence_of_the_same_length(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    keeper.write(noise(100))
    keeper.gap(50)
    keeper.write(noise(100, seed=1))
    assert keeper.position == 250
    _, found = unpacked(keeper.finish(), 2)
    np.testing.assert_array_equal(found, np.concatenate([noise(100), np.zeros((50, 2)), noise(100, seed=1)]))


def test_a_gap_at_the_end_counts(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 1)
    keeper.gap(8000 * 3600)  # an hour takes no room and no time
    keeper.close()
    assert (tmp_path / "c1.pcm").stat().st_size == 2 * 8000 * 3600
    assert (tmp_path / "c1.pcm").stat().st_blocks < 100


def test_an_interrupted_recording_goes_on_after_its_last_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "c1.pcm"
    path.write_bytes(noise(10).tobytes() + b"\x01\x02\x03")
    keeper = Keeper(path, 8000, 2)
    assert keeper.position == 10 and path.stat().st_size == 40
    keeper.write(noise(5, seed=1))
    keeper.close()
    found = np.concatenate([chunk.samples for chunk in read_pcm(path, 2)])
    np.testing.assert_array_equal(found, np.concatenate([noise(10), noise(5, seed=1)]))


def test_reading_back_gives_positions_from_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "c1.pcm"
    path.write_bytes(noise(1000).tobytes() + b"\x01")
    chunks = list(read_pcm(path, 2, start=100, rows=300))
    assert [(chunk.start, len(chunk.samples)) for chunk in chunks] == [(100, 300), (400, 300), (700, 300)]
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), noise(1000)[100:])
    assert list(read_pcm(path, 2, start=5000)) == []


def test_every_write_is_in_the_file_at_once(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    keeper.write(noise(3))
    assert (tmp_path / "c1.pcm").stat().st_size == 12
    keeper.close()


def test_an_empty_call_has_an_empty_recording(tmp_path: Path) -> None:
    flac = Keeper(tmp_path / "c1.pcm", 8000, 2).finish()
    with av.open(str(flac)) as container:
        assert list(container.decode(audio=0)) == []


def test_packing_again_after_a_kill_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "c1.pcm").write_bytes(noise(9000).tobytes())
    (tmp_path / "c1.flac.part").write_bytes(b"half a file")
    (tmp_path / "c1.flac").write_bytes(b"from before the pcm was removed")
    flac = Keeper(tmp_path / "c1.pcm", 8000, 2).finish()
    np.testing.assert_array_equal(unpacked(flac, 2)[1], noise(9000))
    assert list(tmp_path.iterdir()) == [flac]


class FullDisk:
    """Stands for ``os.pwrite`` on a disk with so much room left."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._pwrite = os.pwrite

    def __call__(self, fd: int, data: Any, offset: int) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._pwrite(fd, bytes(data)[: self.room], offset)
        self.room -= written
        return written


def test_a_full_disk_leaves_silence_and_what_follows_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    keeper.write(noise(100))
    disk = FullDisk(room=10)
    monkeypatch.setattr(os, "pwrite", disk)
    with pytest.raises(KeepError, match=r"c1\.pcm.*No space left.*free space"):
        keeper.write(noise(40, seed=1))
    disk.room = 10_000
    keeper.write(noise(7, seed=2))
    assert (keeper.position, keeper.lost) == (147, 40)
    _, found = unpacked(keeper.finish(), 2)
    np.testing.assert_array_equal(found, np.concatenate([noise(100), np.zeros((40, 2)), noise(7, seed=2)]))


def test_a_call_that_ends_on_a_full_disk_keeps_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    keeper.write(noise(100))
    monkeypatch.setattr(os, "pwrite", FullDisk(room=10))
    with pytest.raises(KeepError):
        keeper.write(noise(40, seed=1))
    keeper.close()
    assert Keeper(tmp_path / "c1.pcm", 8000, 2).position == 140


def test_a_disk_too_full_to_pack_keeps_the_pcm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    keeper.write(noise(100))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(KeepError, match=r"stays in c1\.pcm"):
            keeper.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["c1.pcm"]
    np.testing.assert_array_equal(unpacked(Keeper(tmp_path / "c1.pcm", 8000, 2).finish(), 2)[1], noise(100))


def test_wrong_audio_is_refused(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c1.pcm", 8000, 2)
    wrongs: list[Any] = [noise(5, 1), noise(5).astype(np.float32), noise(5)[:, 0]]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="expected int16"):
            keeper.write(wrong)
    with pytest.raises(ValueError, match="gap of -1"):
        keeper.gap(-1)
    assert keeper.position == 0
    keeper.close()
    with pytest.raises(KeepError, match="closed"):
        keeper.write(noise(1))
    with pytest.raises(ValueError, match="1 or 2 channels"):
        Keeper(tmp_path / "c2.pcm", 8000, 3)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(KeepError, match=r"plain.*could not begin"):
        Keeper(tmp_path / "plain" / "c1.pcm", 8000, 2)
    with pytest.raises(KeepError, match="could not read"):
        list(read_pcm(tmp_path / "none.pcm", 2))


def test_packing_takes_bounded_memory(tmp_path: Path) -> None:
    with (tmp_path / "c1.pcm").open("wb") as file:
        file.truncate(4 * 16000 * 1800)  # half an hour: 115 MB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Keeper(tmp_path / "c1.pcm", 16000, 2).finish()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40_000  # KiB; blocks are 256 KiB
    assert BLOCK * 4 < 2**20


WRITER = """
import sys
import numpy as np
from pathlib import Path
from monitor.live.keep import Keeper
keeper = Keeper(Path(sys.argv[1]), 8000, 2)
for n in range(10**9):
    keeper.write(np.full((160, 2), n % 30000, np.int16))
    print(n, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "c1.pcm"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(200):
        told = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    keeper = Keeper(path, 8000, 2)
    assert keeper.position >= 160 * (int(told) + 1)
    whole = keeper.position - keeper.position % 160
    _, found = unpacked(keeper.finish(), 2)
    np.testing.assert_array_equal(found[:whole:160, 0], np.arange(whole // 160))
