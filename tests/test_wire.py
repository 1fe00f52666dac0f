"""Events and inputs as JSON, one for one."""

from __future__ import annotations

import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.core import types as t
from monitor.wire import event_from_json, event_to_json, input_from_json, input_to_json

positions = st.integers(0, 2**40)
channels = st.sampled_from(list(t.Channel))
texts = st.text(max_size=12)
words = st.lists(
    st.builds(t.Word, texts, positions, positions, st.floats(0, 1)), max_size=4
).map(tuple)  # fmt: skip
ears, others, reviews = st.sampled_from(list(t.Ear)), st.none() | words, st.none() | st.sampled_from(list(t.Review))
proofs = st.lists(
    st.builds(t.Evidence, channels, texts, positions, positions, st.sampled_from(list(t.Match))), max_size=3
).map(tuple)
numbers = st.floats(allow_nan=False, allow_infinity=False)

EVENTS: dict[type, st.SearchStrategy[typing.Any]] = {
    t.Gap: st.builds(t.Gap, positions, positions, texts),
    t.SpeechStarted: st.builds(t.SpeechStarted, channels, positions, positions),
    t.SpeechEnded: st.builds(t.SpeechEnded, channels, positions, positions, positions),
    t.ToneHeard: st.builds(
        t.ToneHeard, channels, st.sampled_from(list(t.ToneKind)), positions, positions, positions,
        st.none() | st.sampled_from("0123456789*#"), st.booleans(),
    ),
    t.TurnEnded: st.builds(t.TurnEnded, channels, positions, positions, positions, positions),
    t.Overlap: st.builds(t.Overlap, channels, positions, positions, positions, st.booleans(), positions),
    t.Measured: st.builds(
        t.Measured, texts, st.none() | channels, positions, positions, numbers, positions,
        st.sampled_from(list(t.Quality)),
    ),
    t.PhaseChanged: st.builds(
        t.PhaseChanged, st.sampled_from(list(t.Phase)), positions, positions, st.booleans(), st.none() | channels
    ),
    t.Heard: st.builds(t.Heard, channels, positions, positions, positions, words, st.booleans(), ears, others),
    t.Lag: st.builds(t.Lag, channels, positions, positions),
    t.PhraseHit: st.builds(
        t.PhraseHit, texts, channels, positions, positions, texts, st.sampled_from(list(t.Match)), st.floats(0, 1),
        st.booleans(), st.lists(texts, max_size=3).map(tuple),
    ),
    t.Due: st.builds(
        t.Due, texts, positions, positions, st.none() | positions, st.sampled_from(list(t.DueState))
    ),
    t.Alert: st.builds(
        t.Alert, texts, positions, st.sampled_from(list(t.Severity)), st.sampled_from(list(t.AlertState)),
        st.none() | channels, positions, positions, positions, positions,
        st.dictionaries(st.sampled_from(["zh", "en"]), texts), proofs, reviews,
    ),
    t.Verdict: st.builds(t.Verdict, texts, positions, st.sampled_from(list(t.Outcome)), positions, texts, reviews),
    t.Signal: st.builds(
        t.Signal, st.sampled_from(list(t.SignalKind)), positions, st.none() | channels, st.none() | texts, st.booleans()
    ),
}  # fmt: skip


def test_every_kind_of_event_is_tried() -> None:
    assert set(EVENTS) == set(typing.get_args(t.Event))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda k: k.__name__)
def test_events_come_back_equal(kind: type) -> None:
    @given(EVENTS[kind])
    def check(event: t.Event) -> None:
        data = event_to_json(event)
        back = event_from_json(json.loads(json.dumps(data, ensure_ascii=False)))
        assert back == event
        assert type(back) is kind
        assert data["kind"] == event.kind

    check()


@given(
    st.builds(t.Hypothesis, positions, words, st.none() | texts, st.booleans(), ears, others)
    | EVENTS[t.Signal]
)  # fmt: skip
def test_inputs_come_back_equal(item: t.Hypothesis | t.Signal) -> None:
    assert input_from_json(json.loads(json.dumps(input_to_json(item)))) == item


def test_what_was_written_before_there_were_two_ears_is_read() -> None:
    old = {"channel": "agent", "segment": 1, "start": 0, "end": 9, "words": [], "settled": True, "kind": "heard"}
    assert event_from_json(dict(old)) == t.Heard(t.Channel.AGENT, 1, 0, 9, (), True, t.Ear.ONLY, None)
    answer = {"request": 3, "words": [], "failed": None, "kind": "hypothesis"}
    assert input_from_json(answer) == t.Hypothesis(3, ())


@pytest.mark.parametrize("data", [{}, {"kind": "laughter"}, {"kind": "gap", "start": "soon", "end": 3}])
def test_anything_else_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        event_from_json(data)
    with pytest.raises(ValidationError):
        input_from_json(data)
