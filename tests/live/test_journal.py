"""The journal: chained lines that survive kills, torn ends, full disks and meddling."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.core.types import Channel, Gap, Hypothesis, Measured, Signal, SignalKind, Word
from monitor.live.journal import ZERO, Journal, JournalError, read, verify

HEADER = {"call": "c1", "rate": 8000, "channels": ["agent", "customer"]}
LEVEL = Measured("level", Channel.AGENT, 0, 8000, -20.5, 8000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls" / "c1.jsonl"


def written(path: Path, events: int = 3) -> Path:
    with Journal.create(path, HEADER) as journal:
        for at in range(events):
            journal.event(Gap(at, at + 1), at)
    return path


def test_what_is_written_is_read_back(path: Path) -> None:
    hypothesis = Hypothesis(7, (Word("您", 10, 20, 0.5), Word("好", 20, 30)))
    with Journal.create(path, HEADER) as journal:
        journal.event(LEVEL, 8000)
        journal.input(hypothesis, 8100)
        journal.input(Signal(SignalKind.HANGUP, 9000, Channel.AGENT), 9000)
        journal.note("end", {"why": "hangup"})
    header, event, words, hangup, note = read(path)
    assert (header.t, header.prev, header.data) == ("header", ZERO, HEADER)
    assert (event.at, event.event()) == (8000, LEVEL)
    assert words.input() == hypothesis
    assert hangup.input() == Signal(SignalKind.HANGUP, 9000, Channel.AGENT)
    assert (note.t, note.data) == ("note", {"name": "end", "data": {"why": "hangup"}})
    assert [line.n for line in read(path)] == [0, 1, 2, 3, 4]
    assert "您" in path.read_text()  # people read journals too


def test_a_batch_is_the_same_as_single_events(tmp_path: Path) -> None:
    events = [Gap(n, n + 1) for n in range(5)]
    with Journal.create(tmp_path / "a", HEADER) as one, Journal.create(tmp_path / "b", HEADER) as many:
        for event in events:
            one.event(event, 9)
        many.events(events, 9)
        many.events([], 9)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert one.head == many.head == verify(tmp_path / "a").head


def test_every_line_is_in_the_file_at_once(path: Path) -> None:
    journal = Journal.create(path, HEADER)
    journal.event(LEVEL, 1)
    assert len(list(read(path))) == 2
    journal.close()


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_torn_last_line_is_dropped_and_the_chain_goes_on(path: Path, cut: int) -> None:
    written(path)
    os.truncate(path, path.stat().st_size - cut)
    torn = verify(path)
    assert torn.ok and torn.torn
    before = len(list(read(path)))
    with Journal.open(path) as journal:
        assert journal.lines == before < 4
        journal.event(LEVEL, 5)
    assert verify(path).ok
    assert [line.n for line in read(path)] == list(range(before + 1))
    assert list(read(path))[-1].event() == LEVEL


def test_zeros_left_by_a_power_loss_are_a_torn_line(path: Path) -> None:
    written(path)
    with path.open("ab") as file:
        file.write(bytes(100_000))
    with Journal.open(path) as journal:
        assert journal.lines == 4
        journal.note("resumed", {}, 77)
    assert verify(path) == verify(path, journal.head)
    assert verify(path).ok and not verify(path).torn and list(read(path))[-1].at == 77


def change(line: int, edit: Callable[[dict[str, Any]], None]) -> Callable[[list[bytes]], None]:
    def meddle(lines: list[bytes]) -> None:
        data = json.loads(lines[line])
        edit(data)
        lines[line] = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()

    return meddle


@pytest.mark.parametrize(
    ("meddle", "first_bad", "says"),
    [
        (change(1, lambda d: d["data"].update(end=99)), 2, "does not fit"),
        (lambda lines: lines.pop(2), 2, "removed"),
        (lambda lines: lines.insert(2, lines[1]), 2, "doubled"),
        (lambda lines: lines.__setitem__(slice(1, 3), [lines[2], lines[1]]), 1, "reordered"),
        (lambda lines: lines.pop(0), 0, "numbered"),
        (lambda lines: lines.__setitem__(2, b"not json"), 2, "not JSON"),
        (lambda lines: lines.__setitem__(2, b'{"n":2}'), 2, "not a journal line"),
        (change(2, lambda d: d.update(t="gossip")), 2, "not a journal line"),
        (change(2, lambda d: d.update(t="header")), 2, "header must be the first"),
        (change(0, lambda d: d.update(t="note")), 0, "header must be the first"),
    ],
)
def test_verify_names_the_first_bad_line(
    path: Path, meddle: Callable[[list[bytes]], None], first_bad: int, says: str
) -> None:
    lines = written(path).read_bytes().splitlines()
    meddle(lines)
    path.write_bytes(b"\n".join(lines) + b"\n")
    found = verify(path)
    assert (found.ok, found.first_bad) == (False, first_bad)
    assert says in found.message
    with pytest.raises(JournalError, match="move the file aside"):
        Journal.open(path)
    assert path.read_bytes() == b"\n".join(lines) + b"\n"  # evidence is not touched


def test_a_kept_head_shows_that_the_end_was_changed_or_cut(path: Path) -> None:
    head = verify(written(path)).head
    assert verify(path, head).ok
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:-1]))
    assert verify(path).ok  # the chain alone cannot know
    assert "recorded end is missing" in verify(path, head).message
    path.write_bytes(b"".join(whole[:-1]) + whole[-1].replace(b'"end":3', b'"end":4'))
    assert not verify(path, head).ok
    path.write_bytes(b"".join(whole))
    with Journal.open(path) as journal:
        journal.event(LEVEL, 1)
    assert "after the recorded end" in verify(path, head).message


def test_an_existing_journal_is_not_overwritten(path: Path) -> None:
    content = written(path).read_bytes()
    with pytest.raises(JournalError, match="exists already"):
        Journal.create(path, HEADER)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b'{"n":0,"prev":"000'])
def test_a_file_without_a_header_cannot_be_opened(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalError, match="no header"):
        Journal.open(path)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    for action in (Journal.open, verify, lambda p: list(read(p))):
        with pytest.raises(JournalError, match=r"nothing\.jsonl.*No such file"):
            action(tmp_path / "nothing.jsonl")
    (tmp_path / "plain").write_text("")
    with pytest.raises(JournalError, match="could not create"):
        Journal.create(tmp_path / "plain" / "c1.jsonl", HEADER)


def test_a_line_without_end_does_not_fill_the_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.live.journal.MAX_LINE", 1000)
    written(path)
    with path.open("ab") as file:
        file.write(b"x" * 5000)
    with pytest.raises(JournalError, match="longer than 1000 bytes"):
        list(read(path))


def test_a_closed_journal_says_so(path: Path) -> None:
    journal = Journal.create(path, HEADER)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.event(LEVEL, 0)


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


def test_a_full_disk_harms_nothing_and_is_noted_when_there_is_room_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(path, HEADER)
    journal.event(Gap(0, 1), 1)
    before = path.read_bytes()
    disk = FullDisk(room=60)
    monkeypatch.setattr(os, "pwrite", disk)
    with pytest.raises(JournalError, match="No space left"):
        journal.events([Gap(1, 2), Gap(2, 3)], 2)
    with pytest.raises(JournalError, match="free space"):
        journal.event(Gap(3, 4), 3)
    assert path.read_bytes() == before and verify(path).ok
    assert journal.lost == 3
    disk.room = 10_000
    journal.event(Gap(4, 5), 4)
    journal.close()
    *_, note, last = read(path)
    assert note.data == {"name": "lost", "data": {"lines": 3}}
    assert last.event() == Gap(4, 5) and verify(path).ok and journal.lost == 0


def test_no_room_for_the_header_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "pwrite", FullDisk(room=10))
    with pytest.raises(JournalError, match="No space left"):
        Journal.create(path, HEADER)
    assert not path.exists()


WRITER = """
import sys
from pathlib import Path
from monitor.core.types import Gap
from monitor.live.journal import Journal
journal = Journal.create(Path(sys.argv[1]), {"call": "c1"})
for n in range(10**9):
    journal.events([Gap(n, n + 1)] * 3, n)
    print(n, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_wrote(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(200):
        told = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with Journal.open(path) as journal:
        assert journal.lines >= 1 + 3 * (int(told) + 1)
        journal.note("recovered", {})
    assert verify(path).ok
