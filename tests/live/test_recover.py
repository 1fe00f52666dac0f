"""A call cut off anywhere is rebuilt from its recording and journal, and says what it would have said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from monitor.core.types import Chunk, Event, Hypothesis, Signal, SignalKind
from monitor.live.journal import Journal, JournalError
from monitor.live.keep import Keeper
from monitor.live.recover import prepare, read_story, rebuild, unfinished, without_gaps
from monitor.live.runner import CallFiles, Note
from tests.live.fakes import FakeCall, alerts_of, all_events, answer_to, cut, request_for, voice

REQUEST = request_for(recognise=True)


class Script:
    """Writes a call's files as a runner does, step by step, so that a test can stop it anywhere."""

    def __init__(self, folder: Path) -> None:
        self.files = CallFiles(folder, REQUEST.id)
        self.keeper = Keeper(self.files.pcm, 8000, 2)
        self.journal = Journal.create(self.files.journal, REQUEST.header())
        self.call = FakeCall(REQUEST)
        self.events: list[Event] = []

    def audio(self, chunk: Chunk, *, until: str = "journal") -> None:
        """``until`` names the last thing that is done before the kill."""
        if chunk.start > self.call.position:
            gap = {"start": self.call.position, "end": chunk.start}
            self.journal.note(Note.GAP, gap, self.call.position)
            if until == "note":
                return
            self.keeper.gap(chunk.start - self.call.position)
            if until == "gap":
                return
        self.keeper.write(chunk.samples)
        if until == "pcm":
            return
        self._said(self.call.feed(chunk))

    def tell(self, item: Hypothesis | Signal, *, until: str = "journal") -> None:
        self.journal.input(item, self.call.position)
        if until == "input":
            return
        self._said(self.call.feed(item))

    def _said(self, events: list[Event]) -> None:
        self.journal.events(events, self.call.position)
        self.events += events

    def killed(self) -> tuple[FakeCall, list[Event], list[Event], list[int]]:
        """The rebuilt call, all it said, what of that the journal lacks, and the requests still open."""
        self.keeper.close()
        self.journal.close()
        story, _ = prepare(self.files)
        fresh = FakeCall(story.request)
        rebuilt = rebuild(fresh, story, self.files.pcm)
        assert rebuilt.contradicted == 0
        return fresh, rebuilt.events, rebuilt.missing, [request.id for request in rebuilt.requests]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


@pytest.mark.parametrize("until", ["pcm", "journal"])
def test_audio_that_was_kept_is_heard_again(script: Script, until: str) -> None:
    chunks = cut(voice(5), 1111)
    for chunk in chunks[:-1]:
        script.audio(chunk)
    script.audio(chunks[-1], until=until)
    call, events, missing, _ = script.killed()
    assert call.position == 40000
    assert Counter(script.events) + Counter(missing) == Counter(events)
    assert bool(missing) == (until == "pcm")
    whole = FakeCall(REQUEST)
    assert events == [event for chunk in chunks for event in whole.feed(chunk)]


@pytest.mark.parametrize("until", ["input", "journal"])
def test_words_are_fed_at_their_place_and_open_requests_are_asked_again(script: Script, until: str) -> None:
    for chunk in cut(voice(5), 800):
        script.audio(chunk)
    asked = script.call.requests()
    assert len(asked) > 2
    script.tell(answer_to(asked[0]))
    script.tell(answer_to(asked[1]), until=until)
    _, events, missing, still = script.killed()
    assert [event.segment for event in events if event.kind == "heard"] == [0, 1]
    assert [event.kind for event in missing] == (["heard"] if until == "input" else [])
    assert still == [request.id for request in asked[2:]]


def test_signals_are_remembered(script: Script) -> None:
    signal = Signal(SignalKind.HOLD, 80)
    script.audio(Chunk(0, voice(1)))
    script.tell(signal)
    script.killed()
    assert read_story(script.files.journal).signals == {signal}


@pytest.mark.parametrize("until", ["note", "gap", "pcm", "journal"])
def test_a_gap_is_a_gap_again_only_when_audio_followed_it(script: Script, until: str) -> None:
    samples = voice(3)
    script.audio(Chunk(0, samples[:8000]))
    script.audio(Chunk(12000, samples[12000:]), until=until)
    call, events, _, _ = script.killed()
    gaps = [(event.start, event.end) for event in events if event.kind == "gap"]
    if until in ("note", "gap"):
        assert (gaps, call.position) == ([], 8000), "the client is asked for it again"
        assert script.files.pcm.stat().st_size == 8000 * 4
    else:
        assert (gaps, call.position) == ([(8000, 12000)], 24000)


def test_a_void_gap_stays_void_after_a_second_kill(script: Script) -> None:
    script.audio(Chunk(0, voice(1)))
    script.audio(Chunk(12000, voice(1)), until="gap")
    script.killed()
    again = Journal.open(script.files.journal)
    again.note(Note.GAP_VOID, {"start": 8000, "end": 12000}, 8000)
    again.close()
    keeper = Keeper(script.files.pcm, 8000, 2)
    keeper.write(voice(2))  # the client had it after all
    keeper.close()
    story, void = prepare(script.files)
    assert (story.gaps, void) == ([], [])


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_steps_of_the_end_are_taken_again(script: Script, steps: int) -> None:
    samples = voice(4)
    for chunk in cut(samples, 800):
        script.audio(chunk)
    script.journal.note(Note.CLOSED, {"reason": "stopped"}, script.call.position)
    if steps > 1:
        script.call.close_audio()
        for request in script.call.requests():
            script.tell(answer_to(request))
    if steps > 2:
        script.journal.note(Note.FINISHING, {"missing": 0}, script.call.position)
    _, events, _, still = script.killed()
    wanted = all_events(REQUEST, samples)
    assert sorted(alerts_of(events)) == sorted(alerts_of(wanted))
    verdicts = [event for event in events if event.kind == "verdict"]
    if steps > 2:
        assert verdicts == [event for event in wanted if event.kind == "verdict"]
    else:
        assert verdicts == []
    assert bool(still) == (steps == 1)


def test_gaps_are_left_out_wherever_they_lie() -> None:
    samples = np.arange(200, dtype=np.int16).reshape(100, 2)
    gaps = [(10, 15), (30, 60), (95, 99)]
    for rows in (1, 7, 25, 100):
        found = list(without_gaps(iter(cut(samples, rows)), gaps))
        kept = np.concatenate([np.arange(c.start, c.start + len(c.samples)) for c in found])
        assert list(kept) == [n for n in range(100) if not any(a <= n < b for a, b in gaps)]
        assert all((c.samples[:, 0] == 2 * np.arange(c.start, c.start + len(c.samples))).all() for c in found)


def test_events_of_another_version_are_counted(script: Script) -> None:
    script.audio(Chunk(0, voice(2)))
    script.journal.event(Signal(SignalKind.HANGUP, 5), 5)  # the fake would never say this by itself
    script.keeper.close()
    script.journal.close()
    story, _ = prepare(script.files)
    assert rebuild(FakeCall(REQUEST), story, script.files.pcm).contradicted == 1


def test_a_damaged_journal_is_left_alone(script: Script) -> None:
    script.audio(Chunk(0, voice(2)))
    script.journal.close()
    text = script.files.journal.read_bytes()
    script.files.journal.write_bytes(text.replace(b'"loud"', b'"soft"').replace(b"agent", b"thief", 5))
    with pytest.raises(JournalError, match="move"):
        prepare(script.files)
    assert script.files.pcm.exists()


def test_unfinished_calls_are_those_with_raw_audio(tmp_path: Path) -> None:
    for name in ("a.pcm", "a.jsonl", "b.jsonl", "b.flac"):
        (tmp_path / name).touch()
    assert [files.pcm.stem for files in unfinished(tmp_path)] == ["a"]
