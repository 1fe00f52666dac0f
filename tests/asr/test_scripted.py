"""The engine that says what it is told."""

from __future__ import annotations

import numpy as np

from monitor.asr.protocol import Engine
from monitor.asr.scripted import Scripted, spoken
from monitor.core.types import Channel, Word


def test_words_are_answered_where_their_middle_lies(asking):
    engine = Scripted({Channel.AGENT: spoken("您好请讲", 1000, 5000)})
    assert isinstance(engine, Engine)
    [heard] = engine.recognise([asking(4, np.zeros(2600, np.int16), start=1600)])
    assert heard.request == 4
    assert heard.words == (Word("好", 2000, 3000), Word("请", 3000, 4000))


def test_words_are_clipped_to_the_request(asking):
    engine = Scripted({Channel.AGENT: [Word("好", 900, 2000)]})
    [heard] = engine.recognise([asking(0, np.zeros(800, np.int16), start=1000)])
    assert heard.words == (Word("好", 1000, 1800),)


def test_another_channel_hears_nothing(asking):
    engine = Scripted({Channel.AGENT: spoken("您好", 0, 1000)})
    [heard] = engine.recognise([asking(0, channel=Channel.CUSTOMER)])
    assert heard.words == ()
    assert [request.id for request in engine.asked] == [0]
