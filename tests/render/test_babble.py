"""Babble: every time is exact, and the monitor takes it for speech."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.call import Call, CallSetup
from monitor.core.types import Chunk, Event, Measured, SpeechEnded, SpeechStarted, ToneHeard
from monitor.render import babble
from monitor.render.dialogue import Answered, Dialogue, Item, Say, Silence
from monitor.render.render import Rendered, render
from monitor.render.speech import Voice

TEXT = "这个问题我来帮您查一下看看到底是什么情况"


def heard(*items: Item) -> tuple[Rendered, list[Event]]:
    made = render(Dialogue(items=(Answered(answered=True), *items, Silence(silence=3))), babble.utter)
    call = Call(CallSetup(made.rate))
    events = call.feed(Chunk(0, made.samples))
    return made, events + call.close_audio() + call.finish()


def measured(events: list[Event], name: str) -> list[float]:
    return [e.value for e in events if isinstance(e, Measured) and e.name == name]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("pace", [120, 190, 300])
def test_characters_are_evenly_spaced(rate: int, pace: int) -> None:
    spoken = babble.utter(TEXT, Voice(pace=pace), rate)
    starts = np.array([at for _, at in spoken.characters]) / rate
    assert np.diff(starts) == pytest.approx(60 / pace, abs=2 / rate)
    assert (spoken.first, spoken.last) == (0, spoken.samples.size)
    assert spoken.samples.size / rate == pytest.approx(len(TEXT) * 60 / pace, abs=2 / rate)
    assert "".join(char for char, _ in spoken.characters) == TEXT


def test_a_mark_is_a_pause_within_the_pace() -> None:
    spoken = babble.utter("您好，|请问您贵姓", Voice(pace=180, breath=0.5), 8000)
    ((start, end),) = spoken.pauses
    assert (end - start) / 8000 == pytest.approx(0.5, abs=0.001)
    assert not spoken.samples[start:end].any()
    assert spoken.samples.size / 8000 == pytest.approx(7 * 60 / 180, abs=0.001)
    assert spoken.characters[2][1] == end


def test_a_pause_that_ends_the_turn_is_not_in_the_pace() -> None:
    spoken = babble.utter("您好||请问您贵姓", Voice(pace=180, breath=0.6), 8000)
    assert spoken.samples.size / 8000 == pytest.approx(7 * 60 / 180 + 1.2, abs=0.001)


def test_no_room_for_pauses() -> None:
    with pytest.raises(ValueError, match="no room for its pauses"):
        babble.utter("好|好|好", Voice(pace=190, breath=0.6), 8000)


def test_the_same_text_sounds_the_same() -> None:
    one, again = babble.utter(TEXT, Voice(), 8000), babble.utter(TEXT, Voice(), 8000)
    other = babble.utter(TEXT[::-1], Voice(), 8000)
    assert np.array_equal(one.samples, again.samples)
    assert not np.array_equal(one.samples, other.samples)


@pytest.mark.parametrize("voice", ["f2", "m3"])
@pytest.mark.parametrize("level", [-40, -22, -9])
def test_it_is_heard_as_speech_from_start_to_end(voice: str, level: float) -> None:
    made, events = heard(Say(agent=TEXT, voice=voice, level=level))
    said = made.truth["utterances"][0]
    (start,) = [e.at / 8000 for e in events if isinstance(e, SpeechStarted)]
    (end,) = [e.at / 8000 for e in events if isinstance(e, SpeechEnded)]
    assert (start, end) == pytest.approx((said["start"], said["end"]), abs=0.05)
    assert measured(events, "turn_level") == pytest.approx([level], abs=0.5)
    assert max(measured(events, "clipping")) == 0
    assert not [e for e in events if isinstance(e, ToneHeard)]


@pytest.mark.parametrize("voice", ["f2", "m3"])
def test_the_pitch_moves_as_it_is_told(voice: str) -> None:
    flat, usual = (measured(heard(Say(agent=TEXT, voice=voice, liveliness=n))[1], "liveliness") for n in (0, 50))
    assert max(flat) < 1.2
    assert min(usual) > 2.5


@pytest.mark.parametrize("voice", ["f2", "m3"])
def test_a_syllable_can_be_held(voice: str) -> None:
    crisp, held = (measured(heard(Say(agent=TEXT, voice=voice, drawl=n))[1], "drawl") for n in (None, 1.3))
    assert max(crisp) < 0.7
    assert max(held) == pytest.approx(1.3, abs=0.1)


def test_too_loud_a_voice_clips() -> None:
    assert max(measured(heard(Say(agent=TEXT, level=-3))[1], "clipping")) > 0.01


def test_places_of_items_with_an_id() -> None:
    items = (Say(agent="您好", pause=1, id="hello"), Silence(silence=2, id="still"), Say(customer="喂"))
    made, _ = heard(*items)
    length = 2 * 60 / 190
    assert made.places.keys() == {"hello", "still"}
    assert made.places["hello"] == pytest.approx((1, 1 + length), abs=0.001)
    assert made.places["still"] == pytest.approx((1 + length, 3 + length), abs=0.001)
