"""Live calls without sockets: the order of writing, storage that fails, ends, and calls taken up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.core.types import Chunk, Event, Input, Signal, SignalKind
from monitor.live.calls import Calls
from monitor.live.hub import Hub
from monitor.live.journal import Journal, JournalError, read
from monitor.live.keep import Keeper, KeepError
from monitor.live.parts import CallsParts, Live
from monitor.live.runner import StorageFailed
from monitor.live.settings import LiveSettings
from monitor.live.setup import CallSetupRequest, RecogniserLike, SetupError
from monitor.live.writer import Writer
from monitor.store.engine import StoreError
from monitor.store.store import Store
from tests.live.fakes import (
    FakeCall,
    FakeRecogniser,
    alerts_of,
    all_events,
    cut,
    describe,
    make_call,
    make_report,
    request_for,
    voice,
)

SETTINGS = LiveSettings(resume_grace=30, finals_wait=5, linger=30, writer_queue=4)


class Bench:
    """What a server has, without the server."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.store: Any = more.get("store") or Store(f"sqlite:///{folder / 'm.sqlite'}")
        settings = more.get("settings", SETTINGS)
        self.hub = Hub(describe, settings, lambda: "now")
        self.writer = Writer(self.store, settings.writer_queue, asyncio.get_running_loop(), describe)
        make = more.get("make_call", make_call)
        ear: RecogniserLike | None = more.get("recogniser")
        self.folder = folder / "calls"
        self.calls = Calls(CallsParts(make, make_report, ear, self.hub, self.writer, self.folder, settings))

    async def flushed(self) -> None:
        """Everything submitted so far is in the store and on the hub."""
        await self.writer.run("c1", lambda _: None)


@asynccontextmanager
async def bench(folder: Path, **more: Any) -> AsyncIterator[Bench]:
    found = Bench(folder, **more)
    try:
        yield found
    finally:
        await found.calls.close()
        found.writer.close()
        found.store.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), 10)

    asyncio.run(limited())


def feed(live: Live, chunks: Sequence[Chunk]) -> None:
    for chunk in chunks:
        live.runner.audio(chunk.start, chunk.samples)


def test_audio_then_inputs_then_events_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a later step finds, the earlier one is on disk already."""
    order: list[str] = []

    def spy(owner: Any, name: str, word: str) -> None:
        real = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            order.append(word)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapped)

    spy(Keeper, "write", "pcm")
    spy(Journal, "input", "input")
    spy(Journal, "events", "events")
    spy(FakeCall, "feed", "call")
    spy(Store, "save_batches", "store")
    spy(Hub, "apply", "screens")

    async def script() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            order.clear()
            feed(live, [Chunk(0, voice(1))])
            await b.flushed()
            live.runner.signal(Signal(SignalKind.HOLD, 8000))
            await b.flushed()

    run(script)
    assert order[:5] == ["pcm", "call", "events", "store", "screens"]
    assert order[5:10] == ["input", "call", "events", "store", "screens"]


def test_a_call_ends_with_report_recording_and_row(tmp_path: Path) -> None:
    samples = voice(4)

    async def script() -> None:
        async with bench(tmp_path, recogniser=FakeRecogniser()) as b:
            live = await b.calls.open(request_for(recognise=True))
            feed(live, cut(samples, 800))
            await b.calls.end(live, "stopped")
            assert b.hub.views["c1"].phase == "ended"
            await b.calls.settled()
            await b.flushed()
            row = b.store.row("c1")
            assert (row.phase, row.position) == ("ended", 32000)
            assert Path(row.recording).read_bytes()[:4] == b"fLaC"
            assert row.journal_head
            wanted = alerts_of(all_events(request_for(recognise=True), samples))
            assert [(a["occasion"], a["at"]) for a in b.store.report("c1")["alerts"]] == [
                (occasion, at) for _, occasion, at, _ in wanted
            ]
            with pytest.raises(SetupError, match="over"):
                await b.calls.open(request_for())

    run(script)
    assert not (tmp_path / "calls" / "c1.pcm").exists()


def test_a_recording_that_is_not_kept_is_removed(tmp_path: Path) -> None:
    async def script() -> None:
        async with bench(tmp_path, settings=replace(SETTINGS, keep_recording=False)) as b:
            live = await b.calls.open(request_for())
            feed(live, [Chunk(0, voice(1))])
            await b.calls.end(live, "stopped")
            await b.calls.settled()

    run(script)
    assert sorted(path.suffix for path in (tmp_path / "calls").iterdir()) == [".jsonl"]


def test_the_same_signal_twice_is_one(tmp_path: Path) -> None:
    async def script() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            for _ in range(2):
                live.runner.signal(Signal(SignalKind.HOLD, 80))

    run(script)
    inputs = [line for line in read(tmp_path / "calls" / "c1.jsonl") if line.t == "input"]
    assert len(inputs) == 1


def test_a_dropped_call_waits_then_ends(tmp_path: Path) -> None:
    async def script() -> None:
        async with bench(tmp_path, settings=replace(SETTINGS, resume_grace=0.01)) as b:
            live = await b.calls.open(request_for())
            feed(live, [Chunk(0, voice(1))])
            b.calls.drop(live)
            assert b.hub.views["c1"].phase == "interrupted"
            while live.ending is None:
                await asyncio.sleep(0.005)
            await live.ending

    run(script)
    notes = [line.data for line in read(tmp_path / "calls" / "c1.jsonl") if line.t == "note"]
    assert notes[0] == {"name": "audio_closed", "data": {"reason": "interrupted"}}


@pytest.mark.parametrize("what", ["pcm", "journal"])
def test_a_full_disk_ends_the_feeding_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The client is told what it was heard up to; when there is room again it goes on there."""
    samples = voice(3)
    full = {"now": False}
    real_write, real_events = Keeper.write, Journal.events

    def write(self: Keeper, samples: Any) -> None:
        if full["now"] and what == "pcm":
            raise KeepError("c1.pcm: no space left; free some")
        real_write(self, samples)

    def events(self: Journal, events: Any, position: int) -> None:
        if full["now"] and what == "journal":
            raise JournalError("c1.jsonl: no space left; free some")
        real_events(self, events, position)

    monkeypatch.setattr(Keeper, "write", write)
    monkeypatch.setattr(Journal, "events", events)

    async def script() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            other = await b.calls.open(request_for("c2"))
            feed(live, [Chunk(0, samples[:8000])])
            full["now"] = True
            with pytest.raises(StorageFailed, match="free some") as caught:
                feed(live, [Chunk(8000, samples[8000:16000])])
            full["now"] = False
            b.calls.give_up("c1", caught.value)
            assert b.hub.views["c1"].phase == "interrupted"
            feed(other, [Chunk(0, samples)])
            again = await b.calls.open(request_for())
            heard = again.runner.position
            assert heard == (8000 if what == "pcm" else 16000), "what was kept need not come again"
            feed(again, [Chunk(heard, samples[heard:])])
            for call in (again, other):
                await b.calls.end(call, "stopped")
            wanted = [(o, at / 8000) for _, o, at, _ in alerts_of(all_events(request_for(), samples))]
            for call in ("c1", "c2"):
                assert sorted((a["occasion"], a["at"]) for a in b.store.alerts(call)) == wanted

    run(script)


def test_a_defect_in_one_call_leaves_the_others(tmp_path: Path) -> None:
    class Broken(FakeCall):
        def feed(self, item: Input) -> list[Event]:
            raise ZeroDivisionError

    def make(request: CallSetupRequest) -> FakeCall:
        return Broken(request) if request.id == "bad" else FakeCall(request)

    async def script() -> None:
        async with bench(tmp_path, make_call=make) as b:
            bad = await b.calls.open(request_for("bad"))
            good = await b.calls.open(request_for("good"))
            with pytest.raises(Exception, match="defect"):
                feed(bad, [Chunk(0, voice(1))])
            feed(good, [Chunk(0, voice(1))])
            await b.calls.end(good, "stopped")
            assert b.store.report("good")

    run(script)
    assert (tmp_path / "calls" / "bad.pcm").stat().st_size == 8000 * 4, "its audio is kept"


def test_a_store_that_is_behind_holds_the_readers_up_and_loses_nothing(tmp_path: Path) -> None:
    class Sick(Store):
        well = True

        def save_batches(self, *args: Any) -> None:
            if not Sick.well:
                raise StoreError("m.sqlite: the disk is full; free some")
            super().save_batches(*args)

    async def script() -> None:
        async with bench(tmp_path, store=Sick(f"sqlite:///{tmp_path / 's.sqlite'}")) as b:
            live = await b.calls.open(request_for())
            Sick.well = False
            feed(live, cut(voice(20), 8000))
            assert b.writer.waiting >= SETTINGS.writer_queue
            reader = asyncio.create_task(b.calls.room())
            while b.writer.failing is None:
                await asyncio.sleep(0.005)
            assert not reader.done()
            with pytest.raises(SetupError, match="free some"):
                await b.calls.open(request_for("c2"))
            assert not b.hub.views["c1"].counts()["warning"], "no screen shows what is not stored"
            Sick.well = True
            await reader
            await b.flushed()
            wanted = alerts_of(all_events(request_for(), voice(20)))
            assert b.hub.views["c1"].counts()["warning"] == len(wanted)
            assert len(b.store.alerts("c1")) == len(wanted)
            assert b.writer.failing is None

    run(script)


def test_a_stopped_server_leaves_calls_to_the_next(tmp_path: Path) -> None:
    samples = voice(4)

    async def first() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            feed(live, cut(samples[:16000], 800))

    async def second() -> None:
        async with bench(tmp_path) as b:
            assert b.calls.recover() == ["c1"]
            live = await b.calls.open(request_for())
            assert live.runner.position == 16000
            feed(live, cut(samples[16000:], 800, 16000))
            await b.calls.end(live, "stopped")
            found = sorted((a["occasion"], a["at"]) for a in b.store.alerts("c1"))
            assert found == [(o, at / 8000) for _, o, at, _ in alerts_of(all_events(request_for(), samples))]

    run(first)
    run(second)


def test_a_call_whose_client_never_comes_back_is_ended_after_a_restart(tmp_path: Path) -> None:
    async def first() -> None:
        async with bench(tmp_path, recogniser=FakeRecogniser(eager=False)) as b:
            live = await b.calls.open(request_for(recognise=True))
            feed(live, [Chunk(0, voice(4))])

    async def second() -> None:
        settings = replace(SETTINGS, resume_grace=0.01)
        async with bench(tmp_path, settings=settings, recogniser=FakeRecogniser()) as b:
            b.calls.recover()
            while b.store.report("c1") is None:
                await asyncio.sleep(0.005)
            await b.calls.settled()
            words = [v for v in b.store.report("c1")["verdicts"] if v["rule"] == "test/words"]
            assert [v["outcome"] for v in words] == ["met"], "what was asked before is asked again"

    run(first)
    run(second)


@pytest.mark.parametrize("left", ["finished", "finishing", "empty"])
def test_a_kill_during_the_end(tmp_path: Path, left: str) -> None:
    """The report was stored but the audio not packed; the verdicts were begun; the call had no line yet."""
    folder = tmp_path / "calls"

    async def first() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            feed(live, [Chunk(0, voice(2))])
            await b.flushed()

    async def second() -> None:
        async with bench(tmp_path) as b:
            b.calls.recover()
            await b.calls.settled()
            await b.flushed()
            if left == "empty":
                assert not b.calls.live
                return
            assert b.store.row("c1").phase == "ended"

    run(first)
    if left == "empty":
        (folder / "c1.jsonl").unlink()
    else:
        with Journal.open(folder / "c1.jsonl") as journal:
            for name in ("audio_closed", "finishing", "finished")[: 3 if left == "finished" else 2]:
                journal.note(name, {"reason": "stopped", "missing": 0}, 16000)
    run(second)
    assert not (folder / "c1.pcm").exists()
    assert (folder / "c1.flac").exists() == (left != "empty")
    if left == "finishing":
        kinds = [json.loads(line)["data"].get("kind") for line in (folder / "c1.jsonl").read_text().splitlines()]
        assert kinds.count("verdict") == len(all_events(request_for(), voice(2))) - len(
            [e for e in all_events(request_for(), voice(2)) if e.kind != "verdict"]
        )


def test_a_damaged_journal_costs_only_its_call(tmp_path: Path) -> None:
    async def first() -> None:
        async with bench(tmp_path) as b:
            for call in ("bad", "good"):
                feed(await b.calls.open(request_for(call)), [Chunk(0, voice(1))])

    async def second() -> None:
        async with bench(tmp_path) as b:
            b.calls.recover()
            await b.calls.settled()
            assert list(b.calls.live) == ["good"]
            with pytest.raises(SetupError, match="another id"):
                await b.calls.open(request_for("bad"))

    run(first)
    path = tmp_path / "calls" / "bad.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"customer"', b'"stranger"', 1))
    run(second)
    assert (tmp_path / "calls" / "bad.pcm").exists()


def test_a_call_whose_end_the_store_missed_is_ended_there_too(tmp_path: Path) -> None:
    """A kill came after the recording was packed and before the store had the last row."""

    async def first() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            feed(live, [Chunk(0, voice(1))])
            await b.calls.end(live, "stopped")
            await b.calls.settled()
            await b.flushed()
            b.store.save_call(replace(b.store.row("c1"), phase="talking", position=0, recording=None))

    async def second() -> None:
        async with bench(tmp_path) as b:
            assert b.calls.recover() == []
            await b.calls.settled()
            row = b.store.row("c1")
            assert (row.phase, row.position) == ("ended", 8000)
            assert row.recording.endswith("c1.flac")

    run(first)
    run(second)


def test_many_calls_are_fed_in_gulps_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.live.calls.GULP_PER_CALL", 0.02)
    fed: list[int] = []
    real = FakeCall.feed

    def count(self: FakeCall, item: Input) -> list[Event]:
        if isinstance(item, Chunk):
            fed.append(len(item.samples))
        return real(self, item)

    monkeypatch.setattr(FakeCall, "feed", count)
    samples = voice(0.9)

    async def script() -> None:
        async with bench(tmp_path) as b:
            live = await b.calls.open(request_for())
            feed(live, cut(samples[:4800], 160))
            assert (live.runner.position, sum(fed)) == (4800, 160), "kept at once, fed when it is time"
            while sum(fed) < 4800:
                await asyncio.sleep(0.005)
            feed(live, cut(samples[4800:], 160, 4800))
            live.runner.signal(Signal(SignalKind.HOLD, 7200))
            assert sum(fed) == 7200, "a signal does not overtake the audio before it"

    run(script)
    assert len(fed) <= 5
