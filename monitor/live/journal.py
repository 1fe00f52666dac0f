"""The journal of a call: one append-only file of JSON lines, each carrying the hash of the line before it.

A line is ``{"n", "prev", "at", "t", "data"}``: its number from 0, the SHA-256 of the previous line's bytes
without their newline (64 zeros in the first line), the position in samples up to which the call had been
fed, what it is (``header``, ``event``, ``input`` or ``note``), and the content. Every write goes to the
operating system at once, so a killed process loses nothing that was written; a line cut short by the end of
the machine is dropped on ``open``.

The chain shows that no line was changed, removed or inserted in the middle. Lines cut off at the end leave
a valid chain behind: keep ``Journal.head`` elsewhere (the store does) and give it to ``verify`` to notice
that too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast

from monitor.core.types import Event, Hypothesis, Signal
from monitor.wire import event_from_json, event_to_json, input_from_json, input_to_json

LineType = Literal["header", "event", "input", "note"]
ZERO = "0" * 64
MAX_LINE = 16 * 1024 * 1024
"""Bytes; a longer line is damage, and reading it must not fill the memory."""

_FIELDS = {"n", "prev", "at", "t", "data"}
_TYPES = ("header", "event", "input", "note")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class JournalError(Exception):
    """A journal could not be written or read; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as read back; ``at`` in samples. A note's data is ``{"name": ..., "data": {...}}``."""

    n: int
    prev: str
    at: int
    t: LineType
    data: dict[str, Any]

    def event(self) -> Event:
        """The event of an ``event`` line; raises ``JournalError`` on any other."""
        if self.t != "event":
            raise JournalError(f"journal line {self.n} is no event but {self.t}")
        return event_from_json(self.data)

    def input(self) -> Hypothesis | Signal:
        """The input of an ``input`` line; raises ``JournalError`` on any other."""
        if self.t != "input":
            raise JournalError(f"journal line {self.n} is no input but {self.t}")
        return input_from_json(self.data)


@dataclass(frozen=True, slots=True)
class Verified:
    """What ``verify`` found. ``first_bad`` is the number of the first bad line, counted from 0; ``head``
    the hash of the last good line; ``torn`` when an unfinished line follows it (the writer lives or was
    killed)."""

    ok: bool
    lines: int
    first_bad: int | None
    message: str
    head: str
    torn: bool = False


class Journal:
    """Appends to one journal. Not thread-safe: it belongs to the thread that runs the call."""

    def __init__(self, path: Path, fd: int, lines: int, head: str, end: int) -> None:
        """Use ``create`` or ``open``. ``end`` is the size in bytes of the whole lines in the file."""
        self.path = path
        self.lines = lines
        self.head = head
        self.lost = 0
        self._fd: int | None = fd
        self._end = end

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Self:
        """Start a journal with its header; raises ``JournalError`` when the file exists or cannot be made."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o640)
        except FileExistsError as error:
            if not path.exists():
                raise _failed("create", path, error) from error  # something else stands where the folder should
            raise JournalError(f"{path}: this journal exists already; open it to go on with it") from None
        except OSError as error:
            raise _failed("create", path, error) from error
        journal = cls(path, fd, 0, ZERO, 0)
        try:
            journal._append("header", [header], 0)
        except JournalError:
            journal._shut()
            with suppress(OSError):
                path.unlink()  # a journal without a header would only be in the way of the next attempt
            raise
        return journal

    @classmethod
    def open(cls, path: Path) -> Self:
        """Go on with a journal: a torn last line is dropped and the chain continues after the last whole one.

        Raises ``JournalError`` when the file is missing, has no header, or a line in it is damaged.
        """
        found = verify(path)
        if not found.ok:
            raise JournalError(f"{path}: {found.message}; move the file aside to keep it, it was not changed")
        try:
            fd = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
            end = _whole_bytes(fd)
            os.ftruncate(fd, end)
        except OSError as error:
            raise _failed("open", path, error) from error
        return cls(path, fd, found.lines, found.head, end)

    def event(self, event: Event, position: int) -> None:
        """Append one event. Raises ``JournalError`` when it could not be written whole; see ``events``."""
        self._append("event", [event_to_json(event)], position)

    def events(self, events: Iterable[Event], position: int) -> None:
        """Append events in one write. On failure none of them is in the file, what was there is unharmed,
        and the next write that succeeds is preceded by a note ``lost`` with the number of lines that are
        missing."""
        self._append("event", [event_to_json(event) for event in events], position)

    def input(self, item: Hypothesis | Signal, position: int) -> None:
        """Append an input; ``position`` is how many samples the call had been fed when it got the item."""
        self._append("input", [input_to_json(item)], position)

    def note(self, name: str, data: dict[str, Any], position: int | None = None) -> None:
        """Append a remark of the runner (an end, a lost connection); ``position`` in samples when it has
        one."""
        self._append("note", [{"name": name, "data": data}], position or 0)

    def sync(self) -> None:
        """Have the operating system put the lines on the disk, which only a loss of power makes necessary."""
        if self._fd is not None:
            try:
                os.fsync(self._fd)
            except OSError as error:
                raise _failed("sync", self.path, error) from error

    def close(self) -> None:
        """Sync and close; a second call does nothing. The file is closed even when the sync fails."""
        try:
            self.sync()
        finally:
            self._shut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, t: LineType, contents: list[dict[str, Any]], at: int) -> None:
        if not contents:
            return
        if self._fd is None:
            raise JournalError(f"{self.path}: this journal is closed")
        batch = [(t, at, data) for data in contents]
        if self.lost:
            batch.insert(0, ("note", at, {"name": "lost", "data": {"lines": self.lost}}))
        n, head, block = self.lines, self.head, bytearray()
        for kind, position, data in batch:
            text = _encode({"n": n, "prev": head, "at": position, "t": kind, "data": data}).encode(
                "utf-8", "surrogatepass"
            )
            head = hashlib.sha256(text).hexdigest()
            block += text + b"\n"
            n += 1
        try:
            write_at(self._fd, block, self._end)
        except OSError as error:
            self.lost += len(contents)
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)  # a half-written line would break the chain for good
            raise _failed("write", self.path, error) from error
        self.lines, self.head, self.lost = n, head, 0
        self._end += len(block)

    def _shut(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def write_at(fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of ``data`` at ``offset``; a short write goes on, an error is raised after part of it may
    stand."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view = view[written:]
        offset += written


def read(path: Path) -> Iterator[Line]:
    """The whole lines of a journal in order; an unfinished last line is left out.

    Does not check the chain (``verify`` does); raises ``JournalError`` on a line that is not a journal line.
    """
    for n, text in _raw_lines(path):
        yield _parse(path, n, text)


def verify(path: Path, head: str | None = None) -> Verified:
    """Check the chain from the first line to the last, and that it ends in ``head`` when one is given.

    Raises ``JournalError`` only when the file cannot be read at all.
    """
    previous, count = ZERO, 0
    seen_head = head is None
    for n, text in _raw_lines(path):
        try:
            line = _parse(path, n, text)
        except JournalError as error:
            return Verified(False, count, n, str(error).removeprefix(f"{path}: "), previous)
        if problem := _broken_link(line, n, previous):
            return Verified(False, count, n, f"line {n}: {problem}", previous)
        previous = hashlib.sha256(text).hexdigest()
        count = n + 1
        seen_head = seen_head or previous == head
    torn = _is_torn(path)
    if not count:
        return Verified(False, 0, 0, "there is no header; the call was never begun", previous, torn)
    if not seen_head or (head is not None and previous != head):
        what = "lines after the recorded end" if seen_head else "the recorded end is missing or was changed"
        return Verified(False, count, count if seen_head else count - 1, what, previous, torn)
    return Verified(True, count, None, "the chain is whole", previous, torn)


def _broken_link(line: Line, n: int, previous: str) -> str | None:
    if line.n != n:
        return f"it is numbered {line.n}; lines were removed, doubled or reordered"
    if line.prev != previous:
        return f"it does not fit the line before it; line {n - 1} or this one was changed"
    if (line.t == "header") != (n == 0):
        return "the header must be the first line and stand nowhere else"
    return None


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, bytes without the newline) of each whole line."""
    try:
        with path.open("rb") as file:
            n = 0
            while text := file.readline(MAX_LINE):
                if not text.endswith(b"\n"):
                    if len(text) == MAX_LINE:
                        raise JournalError(f"{path}: line {n} is longer than {MAX_LINE} bytes")
                    return
                yield n, text[:-1]
                n += 1
    except OSError as error:
        raise _failed("read", path, error) from error


def _parse(path: Path, n: int, text: bytes) -> Line:
    try:
        found = json.loads(text)
    except ValueError:
        raise JournalError(f"{path}: line {n} is not JSON") from None
    good = (
        isinstance(found, dict)
        and found.keys() == _FIELDS
        and type(found["n"]) is int
        and type(found["at"]) is int
        and isinstance(found["prev"], str)
        and found["t"] in _TYPES
        and isinstance(found["data"], dict)
    )
    if not good:
        raise JournalError(f"{path}: line {n} is not a journal line")
    return Line(found["n"], found["prev"], found["at"], cast("LineType", found["t"]), found["data"])


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"


def _whole_bytes(fd: int) -> int:
    """The size of the file up to and including its last newline."""
    end = os.fstat(fd).st_size
    while end:
        start = max(0, end - 65536)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _failed(doing: str, path: Path, error: OSError) -> JournalError:
    reason = error.strerror or str(error)
    remedy = "check the path and its rights" if doing == "read" else "check the free space and the rights of its folder"
    return JournalError(f"{path}: could not {doing} the journal ({reason}); {remedy}")
