"""From speech to words: what is asked, which answers stand."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.asr.scripted import spoken
from monitor.core.transcript import Blind, Transcript, TranscriptSettings
from monitor.core.types import AsrRequest, Ear, Heard, Hypothesis, Samples, SpeechEnded, SpeechStarted, Word
from tests.scripted import AGENT, CUSTOMER

RATE = 8000
FRAME = 160
PAD = 1280


def sound(seconds: float, seed: int = 1) -> Samples:
    """Frames of noise, (n, 160)."""
    n = round(seconds * 50)
    return np.random.default_rng(seed).integers(500, 2000, (n, FRAME)).astype(np.int16)


class Played:
    """A channel fed from the beginning; ``loud`` frames, and then what the voice detector says."""

    def __init__(self, seconds: float = 60, recognise: bool = True, **settings: float) -> None:
        self.t = Transcript(AGENT, RATE, TranscriptSettings(**settings), recognise=recognise)
        self.frames = sound(seconds)
        self.at = 0

    def to(self, seconds: float, speaking: bool = True) -> list[AsrRequest]:
        end = round(seconds * 50)
        for n in range(self.at, end):
            self.t.audio(n * FRAME, self.frames[n : n + 1])
            if speaking:
                self.t.reached((n + 1) * FRAME)
        self.at = end
        return self.t.requests()

    def start(self, at: float) -> None:
        self.t.reached(self.at * FRAME)
        self.t.started(SpeechStarted(AGENT, round(at * RATE), self.at * FRAME))

    def end(self, at: float) -> list[AsrRequest]:
        self.t.reached(self.at * FRAME)
        self.t.ended(SpeechEnded(AGENT, 0, round(at * RATE), self.at * FRAME))
        return self.t.requests()

    def say(self, start: float, end: float) -> AsrRequest:
        """A whole short segment; its final request."""
        self.to(start + 0.3)
        self.start(start)
        self.to(end + 0.3)
        return self.end(end)[-1]


def spans(requests: list[AsrRequest]) -> list[tuple[float, float, bool]]:
    return [(r.start / RATE, r.end / RATE, r.final) for r in requests]


# ---------------------------------------------------------------- what is asked


def test_partials_by_new_speech_and_one_final() -> None:
    p = Played(partial_every=0.7, first_partial=0.5)
    p.to(1.3)
    p.start(1.0)
    asked = p.to(3.3)
    assert spans(asked) == [(0.84, 1.5, False), (0.84, 2.2, False), (0.84, 2.9, False)]
    final = p.end(3.0)
    assert spans(final) == [(0.84, 3.16, True)]
    everything = asked + final
    assert [r.id for r in everything] == sorted({r.id for r in everything})
    assert {r.segment for r in everything} == {1}
    whole = p.frames.reshape(-1)
    for r in everything:
        assert np.array_equal(r.samples, whole[r.start : r.end])
        assert (r.channel, r.rate) == (AGENT, RATE)


def test_no_partials_when_none_are_wanted() -> None:
    p = Played(partial_every=0, first_partial=0)
    p.to(1.3)
    p.start(1.0)
    assert p.to(8) == []
    assert spans(p.end(8)) == [(0.84, 8.0, True)], "the padding ends with the audio"


def test_nothing_is_asked_in_silence() -> None:
    assert Played().to(10) == []


def test_the_beginning_of_the_call_has_no_padding() -> None:
    p = Played()
    p.to(0.3)
    p.start(0.0)
    assert spans(p.to(0.8)) == [(0.0, 0.7, False)]


def test_a_late_onset_still_has_its_audio() -> None:
    p = Played()
    p.to(10)
    p.start(8.5)
    asked = p.to(10.1)
    assert spans(asked)[0] == (8.34, 9.2, False)
    assert np.array_equal(asked[0].samples, p.frames.reshape(-1)[round(8.34 * RATE) : round(9.2 * RATE)])


def test_lost_audio_is_silence_in_a_request() -> None:
    t = Transcript(AGENT, RATE, TranscriptSettings(), recognise=True)
    t.audio(0, sound(0.5))
    t.started(SpeechStarted(AGENT, 0, 4000))
    t.audio(4000 + 1600, sound(0.5))
    t.ended(SpeechEnded(AGENT, 0, 8000, 9600))
    (final,) = [r for r in t.requests() if r.final]
    assert len(final.samples) == final.end - final.start == 8000 + PAD
    assert not final.samples[4000:5600].any()
    assert final.samples[5600:].all()


def test_a_request_without_any_audio_is_empty() -> None:
    t = Transcript(AGENT, RATE, TranscriptSettings(), recognise=True)
    t.audio(0, np.zeros((0, FRAME), np.int16))
    t.started(SpeechStarted(AGENT, 1600, 3200))
    t.ended(SpeechEnded(AGENT, 1600, 3000, 5000))
    (final,) = t.requests()
    assert final.end - final.start == len(final.samples) == 0


def test_numbers_do_not_depend_on_the_other_channel() -> None:
    ids = set()
    for channel in (AGENT, CUSTOMER):
        t = Transcript(channel, RATE, TranscriptSettings(), recognise=True)
        t.audio(0, sound(3))
        t.started(SpeechStarted(channel, 0, 800))
        t.ended(SpeechEnded(channel, 0, 20000, 22000))
        ids |= {r.id for r in t.requests()}
    assert len(ids) == 2


def test_old_audio_is_forgotten() -> None:
    p = Played(seconds=60)
    p.to(60)
    assert sum(len(s) for _, s in p.t._audio) < 3 * RATE
    assert len(p.t._energy) < 150


# ---------------------------------------------------------------- long segments


def test_a_long_segment_is_cut_at_its_quietest_place() -> None:
    p = Played(longest=10, search=3, partial_every=0)
    p.frames[round(8.22 * 50) : round(8.40 * 50)] //= 100
    p.frames[round(9.0 * 50)] = 0  # quieter, but a single frame: a stop inside a word
    p.frames[round(6.0 * 50) : round(6.4 * 50)] = 0  # quieter, but too early
    p.to(0.3)
    p.start(0)
    assert spans(p.to(10.14)) == []
    assert spans(p.to(10.2)) == [(0.0, 8.3 + 0.16, True)]
    assert p.t.heard_until(10**9) == 0
    assert spans(p.end(10.2)) == [(round(8.3 - 0.16, 2), 10.2, True)]


def test_cuts_go_on() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    asked = p.to(9)
    assert len(asked) >= 4
    assert all(r.final for r in asked)
    assert [r.segment for r in asked] == list(range(1, len(asked) + 1))


def test_at_a_cut_each_word_belongs_to_one_side() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    first = p.to(2.2)[0]
    place = first.end - PAD
    second = p.end(2.1)[0]
    words = tuple(Word(c, place + d - 40, place + d + 40) for c, d in (("左", -400), ("右", 400)))
    heard = []
    for request in (first, second):
        out = p.t.answer(Hypothesis(request.id, words))
        assert out is not None
        heard += [w.text for h in out.heard for w in h.words]
    assert heard == ["左", "右"]


def test_words_that_both_sides_of_a_cut_heard_count_once() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    first = p.to(2.2)[0]
    place = first.end - PAD
    second = p.end(2.1)[0]

    def said(text: str, at: int) -> tuple[Word, ...]:
        return tuple(Word(c, at + 400 * i, at + 400 * i + 300) for i, c in enumerate(text))

    heard = []
    for request, words in ((first, said("我帮您查", place - 1600)), (second, said("您查询", place + 100))):
        out = p.t.answer(Hypothesis(request.id, words))
        assert out is not None
        heard += [w.text for h in out.heard for w in h.words]
    assert "".join(heard) == "我帮您查询"


def test_a_word_said_twice_is_heard_twice() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    first = p.to(2.2)[0]
    place = first.end - PAD
    second = p.end(2.1)[0]
    later = place + PAD + 400
    heard = []
    for request, word in ((first, Word("看", place - 400, place - 100)), (second, Word("看", later, later + 300))):
        out = p.t.answer(Hypothesis(request.id, (word,)))
        assert out is not None
        heard += [w.text for h in out.heard for w in h.words]
    assert heard == ["看", "看"]


def test_a_digit_said_twice_across_a_cut_is_kept() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    first = p.to(2.2)[0]
    place = first.end - PAD
    second = p.end(2.1)[0]
    heard = ""
    for request, at in ((first, place - 1400), (second, place + 200)):
        out = p.t.answer(Hypothesis(request.id, (Word("零", at, at + 1200),)))
        assert out is not None
        heard += "".join(w.text for h in out.heard for w in h.words)
    assert heard == "零零", "0.2 s apart: two syllables"


def test_a_cut_in_what_turns_out_to_be_silence() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    (first,) = p.to(2.2)
    place = first.end - PAD
    assert p.end(place / RATE) == []
    p.t.answer(Hypothesis(first.id, ()))
    assert p.t.heard_until(99_999) == 99_999


# ---------------------------------------------------------------- answers


def settled(p: Played, request: AsrRequest, text: str, start: float, end: float) -> list[Heard]:
    out = p.t.answer(Hypothesis(request.id, spoken(text, round(start * RATE), round(end * RATE))))
    assert out is not None
    return out.heard


def test_a_final_settles_its_segment() -> None:
    p = Played()
    request = p.say(1, 2)
    (heard,) = settled(p, request, "您好", 1, 2)
    assert (heard.segment, heard.start, heard.end, heard.settled) == (1, 8000, 16000, True)
    assert "".join(w.text for w in heard.words) == "您好"


def test_finals_settle_in_the_order_of_speech() -> None:
    p = Played()
    one, two = p.say(1, 2), p.say(4, 5)
    assert p.t.waiting_since == 16000
    assert p.t.heard_until(10**9) == 8000
    assert settled(p, two, "二", 4, 5) == []
    assert p.t.heard_until(10**9) == 8000
    assert [h.segment for h in settled(p, one, "一", 1, 2)] == [1, 2]
    assert p.t.waiting_since is None
    assert p.t.heard_until(77_777) == 77_777


def test_open_speech_holds_back_what_was_heard() -> None:
    p = Played()
    p.to(2)
    p.start(1.5)
    assert p.t.heard_until(16000) == 12000
    assert p.t.heard_until(8000) == 8000


def test_partials_are_told_and_what_two_agree_on() -> None:
    p = Played()
    p.to(1.3)
    p.start(1)
    first, second, third = p.to(3.2)
    out = p.t.answer(Hypothesis(first.id, spoken("您号", 8000, 12000)))
    assert out is not None
    assert [h.settled for h in out.heard] == [False] and out.agreed == []
    out = p.t.answer(Hypothesis(second.id, spoken("您好请", 8000, 18000)))
    assert out is not None
    assert ["".join(w.text for w in h.words) for h in out.agreed] == ["您"]
    out = p.t.answer(Hypothesis(third.id, ()))
    assert out is not None
    assert out.agreed == [] and out.heard[0].words == () and out.heard[0].end == 8000


def test_what_a_streaming_ear_commits_needs_no_second_look() -> None:
    p = Played()
    p.to(1.3)
    p.start(1)
    first, second, third = p.to(3.2)
    told = []
    for request, text, end in ((first, "您号", 12000), (second, "您号", 12000), (third, "您号请", 14000)):
        out = p.t.answer(Hypothesis(request.id, spoken(text, 8000, end), committed=True, ear=Ear.FAST))
        assert out is not None and out.heard == out.agreed
        told.append(["".join(w.text for w in h.words) for h in out.agreed])
        assert all(h.ear is Ear.FAST and not h.settled for h in out.heard)
    assert told == [["您号"], [], ["您号请"]], "only when there is something new"


def test_committed_silence_is_not_told() -> None:
    p = Played()
    p.to(1.3)
    p.start(1)
    (first,) = p.to(1.8)
    out = p.t.answer(Hypothesis(first.id, (), committed=True))
    assert out is not None and out.heard == out.agreed == []


def both(p: Played, request: AsrRequest, words: tuple[Word, ...], other: tuple[Word, ...] | None) -> Heard:
    ear = Ear.FAST if other is None else Ear.CAREFUL
    out = p.t.answer(Hypothesis(request.id, words, ear=ear, other=other))
    assert out is not None
    return out.heard[0]


def test_the_other_ear_is_kept_where_it_differs() -> None:
    p = Played()
    words, same = spoken("您好", 8000, 16000), spoken("您好", 8100, 15000)
    assert both(p, p.say(1, 2), words, same).other is None
    heard = both(p, p.say(3, 4), spoken("您好", 24000, 32000), spoken("您号", 24000, 31000))
    assert (heard.ear, heard.other) == (Ear.CAREFUL, spoken("您号", 24000, 31000))
    assert both(p, p.say(5, 6), spoken("您好", 40000, 48000), ()).other == ()
    outside = (*spoken("您好", 56000, 64000), Word("谢", 72000, 72800))
    assert both(p, p.say(7, 8), spoken("您好", 56000, 64000), outside).other is None
    alone = both(p, p.say(9, 10), spoken("您好", 72000, 80000), None)
    assert (alone.ear, alone.other, alone.settled) == (Ear.FAST, None, True)


def test_what_the_other_ear_heard_on_both_sides_of_a_cut_counts_once() -> None:
    p = Played(longest=2, search=0.5, partial_every=0)
    p.to(0.3)
    p.start(0)
    first = p.to(2.2)[0]
    place = first.end - PAD
    second = p.end(2.1)[0]
    assert both(p, first, (), (Word("请", place - 400, place + 200),)).other
    heard = both(p, second, (), (Word("请", place - 100, place + 300), Word("稍", place + 300, place + 700)))
    assert [w.text for w in heard.other or ()] == ["稍"]


def test_failed_and_late_partials_are_nothing() -> None:
    p = Played()
    p.to(1.3)
    p.start(1)
    first, second = p.to(2.5)
    (final,) = p.end(2.3)
    out = p.t.answer(Hypothesis(first.id, (), failed="busy"))
    assert out is not None and out.heard == out.agreed == out.blind == []
    settled(p, final, "好", 1, 2)
    assert p.t.answer(Hypothesis(second.id, spoken("好", 8000, 9000))) is None


def test_a_partial_after_its_final_waits_for_earlier_ones() -> None:
    p = Played()
    p.say(1, 2)
    p.to(4.3)
    p.start(4)
    (partial,) = p.to(5)
    (final,) = p.end(4.8)
    settled(p, final, "好", 4, 5)
    out = p.t.answer(Hypothesis(partial.id, spoken("号", 32000, 33000)))
    assert out is not None and out.heard == []


def test_an_answer_for_the_other_channel_or_twice_is_none() -> None:
    p = Played()
    request = p.say(1, 2)
    assert p.t.answer(Hypothesis(request.id + 1, ())) is None
    settled(p, request, "好", 1, 2)
    assert p.t.answer(Hypothesis(request.id, ())) is None


def test_words_beside_the_speech_are_dropped() -> None:
    p = Played()
    request = p.say(1, 2)
    words = (
        Word("早", 6400, 6500),  # 0.19 s before the speech
        Word("近", 6600, 7000),
        Word("中", 9000, 9500),
        Word("边", 17200, 17600),
        Word("晚", 17500, 17900),
    )
    out = p.t.answer(Hypothesis(request.id, words))
    assert out is not None
    assert "".join(w.text for w in out.heard[0].words) == "近中边"


def test_a_failed_final_is_blind_and_holds_nobody_up() -> None:
    p = Played()
    one, two = p.say(1, 2), p.say(4, 5)
    settled(p, two, "二", 4, 5)
    out = p.t.answer(Hypothesis(one.id, (), failed="broke"))
    assert out is not None
    assert out.blind == [Blind(AGENT, 8000, 16000, "recogniser_failed")]
    assert [h.segment for h in out.heard] == [2]


def test_what_never_came_is_blind_at_the_end() -> None:
    p = Played()
    request = p.say(1, 2)
    assert p.t.unheard() == [Blind(AGENT, 8000, 16000, "recogniser_behind")]
    assert p.t.answer(Hypothesis(request.id, ())) is None
    assert p.t.unheard() == []


# ---------------------------------------------------------------- without a recogniser


def test_without_recogniser_speech_is_blind_while_it_lasts() -> None:
    p = Played(recognise=False)
    p.to(1.3)
    p.start(1)
    assert p.to(2) == []
    assert p.t.without_recogniser(16000) == [Blind(AGENT, 8000, 16000, "no_recogniser")]
    assert p.t.heard_until(16000) == 16000
    p.to(2.3)
    assert p.end(2) == []
    assert p.t.without_recogniser(20000) == [Blind(AGENT, 8000, 18400, "no_recogniser")]
    assert p.t.without_recogniser(20000) == []


def test_with_recogniser_nothing_is_blind_yet() -> None:
    p = Played()
    p.say(1, 2)
    assert p.t.without_recogniser(20000) == []


def asked_in_blocks(block: int) -> list[tuple[int, int, int, bool, bytes]]:
    """A long speech that was certain a second after it began, its frames coming ``block`` at a time."""
    frames = sound(20)
    t = Transcript(AGENT, RATE, TranscriptSettings(longest=4, search=1), recognise=True)
    started = False
    for n in range(0, len(frames), block):
        part = frames[n : n + block]
        t.audio(n * FRAME, part)
        end = (n + len(part)) * FRAME
        if not started and end >= 3 * RATE:
            t.reached(3 * RATE)
            t.started(SpeechStarted(AGENT, 2 * RATE, 3 * RATE))
            started = True
        t.reached(end)
    return [(r.id, r.start, r.end, r.final, r.samples.tobytes()) for r in t.requests()]


@pytest.mark.parametrize("block", [3, 50, 10**6])
def test_requests_do_not_depend_on_how_much_audio_comes_at_once(block: int) -> None:
    assert len(asked_in_blocks(1)) > 20
    assert asked_in_blocks(block) == asked_in_blocks(1)
