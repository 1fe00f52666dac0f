"""Counted pace, with the words of the truth, so that only the counting and the timing are measured."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.asr.whisper import Whisper
from monitor.core.types import Heard as Words
from monitor.core.types import Word
from tests.accuracy.calls import DEMO, Heard, demo, distribution, hear
from tests.accuracy.corpus import LINES, Line, spoken_on

WITHIN = 0.03
TURN_PAUSE = 1.0
COUNTED_FROM = 6
"""Characters from which a turn has a pace."""


def turn_errors(heard: Heard) -> list[float]:
    """Error of each of the agent's turns as a share of the true pace; every turn long enough must have one."""
    paces = {m.start / heard.rate: m.value for m in heard.values("turn_pace") if m.channel == "agent"}
    errors = []
    for said in heard.said("agent"):
        if said["characters"] >= COUNTED_FROM:
            near = [pace for start, pace in paces.items() if abs(start - said["start"]) < 0.6]
            assert len(near) == 1, f"no pace of {said['text']!r} at {said['start']}"
            errors.append(near[0] / said["pace"] - 1)
    return errors


def true_pace(utterances: list[dict[str, Any]]) -> float:
    """Characters over the time of all turns."""
    characters = sum(u["characters"] for u in utterances)
    seconds = 0.0
    for said in utterances:
        long = sum(b - a for a, b in said["pauses"] if b - a > TURN_PAUSE)
        seconds += said["end"] - said["start"] - long
    return characters / seconds * 60


def call_error(heard: Heard) -> float:
    """Error of the whole call's pace as a share of the true one."""
    (found,) = heard.values("call_pace")
    return found.value / true_pace(heard.said("agent")) - 1


def test_pace_of_turns_and_calls_is_within_3_percent(clean: dict[Line, Heard]) -> None:
    turns = [error for heard in clean.values() for error in turn_errors(heard)]
    calls = [call_error(heard) for heard in clean.values()]
    print(f"turns, %  {distribution(turns, 100)}\ncalls, %  {distribution(calls, 100)}")
    assert max(map(abs, turns)) <= WITHIN
    assert max(map(abs, calls)) <= WITHIN


def test_pace_of_calls_in_an_office_is_within_5_percent(noisy: dict[Line, Heard]) -> None:
    """In noise the edges of turns are less sure; a click before a sentence makes it longer."""
    calls = {str(line): call_error(heard) for line, heard in noisy.items()}
    for line, error in calls.items():
        print(f"{line}: {error:+.1%}")
    quieter = [error for line, error in calls.items() if "20 dB" in line]
    assert max(map(abs, quieter)) <= 0.05


@pytest.mark.parametrize("stem", sorted(path.stem for path in DEMO.glob("*.flac")))
def test_pace_on_the_demo_calls_is_within_3_percent(stem: str) -> None:
    heard = hear(demo(stem))
    turns = turn_errors(heard)
    print(f"{stem}: call {call_error(heard):+.2%}; turns, %  {distribution(turns, 100)}")
    assert max(map(abs, turns)) <= WITHIN
    assert abs(call_error(heard)) <= WITHIN


def test_live_pace_follows_the_speaker(clean: dict[Line, Heard]) -> None:
    """Every live value lies between the slowest and the fastest utterance of its ten seconds."""
    seen = 0
    for heard in clean.values():
        for value in heard.values("pace"):
            start, end = value.start / heard.rate, value.end / heard.rate
            near = [u["pace"] for u in heard.said("agent") if u["start"] < end and u["end"] > start]
            assert min(near) * 0.85 <= value.value <= max(near) * 1.15
            seen += 1
    assert seen > 50


# ---------------------------------------------------------------- with the words of the shipped model

MODEL_LINES = (LINES[0], LINES[3], LINES[4], LINES[5])


@pytest.fixture(scope="module")
def recognised(voices: None) -> dict[Line, Heard]:
    model = Whisper("zh-careful", threads=1)
    return {line: hear(spoken_on(line), recogniser=model) for line in MODEL_LINES}


def words_of(heard: Heard, said: dict[str, Any]) -> list[Word]:
    """What was recognised of an utterance."""
    spans = [e for e in heard.events if isinstance(e, Words) and e.settled and e.channel == said["channel"]]
    near = [e for e in spans if e.start / heard.rate < said["end"] and e.end / heard.rate > said["start"]]
    return [word for event in near for word in event.words]


def spoken(words: list[Word]) -> int:
    """Characters, as pace counts them."""
    return sum("\u4e00" <= char <= "\u9fff" for word in words for char in word.text)


def test_pace_with_the_shipped_model(recognised: dict[Line, Heard]) -> None:
    """Pace is as good as the count of characters: where that is right, within 3 percent."""
    right, wrong, calls = [], [], []
    for line, heard in recognised.items():
        calls.append(call_error(heard))
        print(f"{line}: call {calls[-1]:+.1%}")
        said = [u for u in heard.said("agent") if u["characters"] >= COUNTED_FROM]
        for utterance, error in zip(said, turn_errors(heard), strict=True):
            words = words_of(heard, utterance)
            (right if spoken(words) == utterance["characters"] else wrong).append(error)
            print(f"   {utterance['pace']:5.0f} {error:+6.1%}  {utterance['text']} {''.join(w.text for w in words)}")
    print(f"turns counted rightly, %  {distribution(right, 100)}")
    if wrong:
        print(f"turns with characters missing or added, %  {distribution(wrong, 100)}")
    assert max(map(abs, right)) <= WITHIN
