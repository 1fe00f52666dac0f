from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest

from monitor.render import espeak, line, speech
from monitor.render.speech import Voice

GREETING = "您好，燃气公司客服中心，工号幺零二四为您服务，请问有什么可以帮您？"

pytestmark = pytest.mark.usefixtures("voices")


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("variant", ["f2", "m3", "Annie"])
@pytest.mark.parametrize("pace", [100, 185, 200, 290, 330])
def test_the_pace_asked_for_is_spoken(pace: float, variant: str, rate: int) -> None:
    spoken = speech.utter(GREETING, Voice(variant, pace=pace), rate)

    assert len(spoken.characters) == 29
    measured = 29 * 60 * rate / (spoken.last - spoken.first)
    assert measured == pytest.approx(pace, rel=0.012)
    assert spoken.pace == pytest.approx(measured, rel=1e-6)


def test_pauses_within_a_turn_count_into_the_pace_longer_ones_do_not() -> None:
    short = speech.utter("请您稍等一下。|我帮您查询。", Voice(pace=190, breath=0.6), 8000)
    long = speech.utter("请您稍等一下。|我帮您查询。", Voice(pace=190, breath=3.0), 8000)

    assert short.pace == pytest.approx(190, rel=0.012)
    assert long.pace == pytest.approx(190, rel=0.012)
    assert 60 * 11 * 8000 / (long.last - long.first) < 110
    lengths = [(end - start) / 8000 for start, end in long.pauses]
    assert max(lengths) == pytest.approx(3.0, abs=0.06)


@pytest.mark.parametrize("level", [-35.0, -22.0, -8.0])
def test_the_level_asked_for_is_spoken(level: float) -> None:
    spoken = speech.utter("请您提供一下您的订单号。", Voice(level=level), 8000)

    assert line.to_dbfs(line.spoken_rms(spoken.samples, 8000)) == pytest.approx(level, abs=0.05)
    assert spoken.level == pytest.approx(level, abs=0.05)


def test_characters_begin_in_order_within_the_utterance() -> None:
    spoken = speech.utter(GREETING, Voice(), 8000)
    starts = [at for _, at in spoken.characters]

    assert "".join(char for char, _ in spoken.characters) == "".join(filter(espeak.is_han, GREETING))
    assert starts == sorted(starts)
    assert starts[0] == pytest.approx(spoken.first, abs=160)
    assert starts[-1] < spoken.last
    assert all(0.05 < (b - a) / 8000 < 0.8 for a, b in pairwise(starts))


def test_characters_after_a_pause_begin_with_the_sound() -> None:
    spoken = speech.utter("请您稍等一下。|我帮您查询。", Voice(breath=1.0), 8000)
    pause = max(spoken.pauses, key=lambda span: span[1] - span[0])

    assert spoken.characters[6][0] == "我"
    assert spoken.characters[6][1] == pytest.approx(pause[1], abs=240)


def test_the_same_words_sound_the_same_whatever_was_spoken_before() -> None:
    def digest() -> str:
        return hashlib.sha256(speech.utter(GREETING, Voice("f3"), 8000).samples.tobytes()).hexdigest()

    first = digest()
    speech.utter("我怎么知道。", Voice("m3", pace=280), 8000)

    assert digest() == first


def test_higher_pitch_is_higher() -> None:
    def period(pitch: int) -> int:
        """Length of a glottal cycle in samples, by the strongest repetition between 55 and 245 Hz."""
        samples = espeak.synthesize("啊啊啊", variant="m3", wpm=150, pitch=pitch).samples[3000:9000]
        lags = np.correlate(samples, samples, "full")[samples.size - 1 :]
        return int(lags[90:400].argmax()) + 90

    assert period(80) < period(20)


@pytest.mark.parametrize("text", ["工号1024", "OK好的", "您好…", "，。"])
def test_what_cannot_be_spoken_as_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"spoken|speak"):
        speech.check_text(text)


def test_an_unknown_voice_is_named_with_the_known_ones() -> None:
    with pytest.raises(espeak.EspeakError, match=r"'nobody'; known are .*'f2'"):
        espeak.synthesize("您好", variant="nobody", wpm=180)


def test_a_pace_that_the_pauses_forbid_is_refused() -> None:
    with pytest.raises(espeak.EspeakError, match="pauses take too much"):
        speech.utter("好|好|好|好|好|好", Voice(pace=300, breath=0.9), 8000)
