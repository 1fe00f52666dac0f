"""Utterances: joining, cutting, labels; sounds without speech."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from monitor.render import espeak
from training import compose
from training.augment import EVALUATION, TRAINING, Mix, Noises
from training.compose import LONGEST, SHORTEST, Session, Studio, cut, join
from training.features import RATE
from training.nothing import _MAKERS, make_nothing
from training.speech import TRAINING_VOICES, Manner, Sentence

needs_espeak = pytest.mark.skipif(espeak.missing() is not None, reason=str(espeak.missing()))
NOISES = Noises({"white": np.random.default_rng(1).standard_normal(RATE * 3).astype(np.float32)})
TEXTS = ("您好，请问有什么可以帮您？", "好的。", "请您稍等，我帮您查一下订单。")


def sentence(text: str, each: float = 0.2) -> Sentence:
    """A steady sound, so many seconds a character."""
    size = round(len(text) * each * RATE)
    characters = tuple((char, k * each, (k + 1) * each) for k, char in enumerate(text))
    return Sentence(np.full(size, 0.5, dtype=np.float32), RATE, characters)


def test_labels_lie_where_the_sound_is() -> None:
    for seed in range(30):
        samples, labels = join([sentence("您好"), sentence("再见")], random.Random(seed))
        assert [(char, number) for char, _, _, number in labels] == [("您", 0), ("好", 0), ("再", 1), ("见", 1)]
        sounding = np.zeros(samples.size, dtype=bool)
        for _, start, end, _ in labels:
            sounding[round(start * RATE) : round(end * RATE)] = True
        assert abs(int(sounding.sum()) - int((samples > 0).sum())) <= 4
        assert (sounding != (samples > 0)).sum() <= 8
        gap = labels[2][1] - labels[1][2]
        assert 0.15 - 1e-3 <= gap <= 1.3 + 1e-3


def test_utterances_are_neither_too_short_nor_too_long() -> None:
    for seed in range(30):
        short, _ = join([sentence("好", 0.1)], random.Random(seed))
        assert SHORTEST * RATE <= short.size <= 2.2 * RATE
        long, labels = join([sentence("好" * 40)] * 4, random.Random(seed))
        assert long.size <= LONGEST * RATE
        assert labels[-1][2] <= long.size / RATE + 1e-6 and len(labels) % 40 == 0


def test_a_cut_leaves_what_is_mostly_heard() -> None:
    ends = Counter[str]()
    for seed in range(200):
        whole, labels = join([sentence("一二三四五六七八九，", 0.3)], random.Random(seed))
        samples, kept = cut(whole, labels, random.Random(seed))
        text = "".join(label[0] for label in kept)
        assert text in "一二三四五六七八九，" and len(text) >= 4
        ends["first" if not text.startswith("一") else ""] += 1
        ends["last" if "九" not in text else ""] += 1
        assert samples.size < whole.size
        for _, start, end, _ in kept:
            assert -1e-6 <= start <= end <= samples.size / RATE + 1e-4
            assert end - start >= 0.6 * 0.3 - 1e-6
        # what was cut to less than that is not in the labels, so at most so much sound lies outside
        heard = float((samples > 0).sum()) / RATE - sum(end - start for _, start, end, _ in kept)
        assert heard < 0.6 * 0.3 + 0.31
    assert ends["first"] > 40 and ends["last"] > 40


def test_a_short_utterance_stays_whole() -> None:
    whole, labels = join([sentence("好的")], random.Random(1))
    samples, kept = cut(whole, labels, random.Random(1))
    assert samples is whole and kept == labels


def studio(mix: Mix = TRAINING) -> Studio:
    """Without recordings."""
    return Studio(lambda draw: draw.choice(TEXTS), TRAINING_VOICES[:3], NOISES, NOISES, None, 0.2, mix)


@needs_espeak
def test_utterances_by_espeak() -> None:
    with espeak.Speaker() as speaker:
        session = Session(studio(replace(TRAINING, nothing=0.2, cut=0.0)), speaker, "1")
        made = [session.utterance() for _ in range(80)]
    assert Counter(sound.kind for sound in made).keys() == {"espeak", "none"}
    for sound in made:
        text = "".join(label[0] for label in sound.labels)
        if sound.kind == "none":
            assert text == ""
            continue
        assert sound.voice in TRAINING_VOICES[:3]
        assert SHORTEST <= sound.seconds <= LONGEST
        rest = text
        while rest:  # whole sentences of the source, one after another
            found = next(candidate for candidate in TEXTS if rest.startswith(candidate))
            rest = rest[len(found) :]
        assert np.abs(sound.samples).max() <= 1.0
    numbers = Counter(sound.labels[-1][3] + 1 for sound in made if sound.labels)
    assert numbers[1] > numbers[2] > 0


@pytest.mark.parametrize(("mix", "fastest"), [(EVALUATION, 320.0), (TRAINING, 480.0)])
def test_nobody_speaks_faster_than_the_mix_allows(mix: Mix, fastest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice that came out too fast is exchanged."""
    assert mix.fastest == fastest
    paces: list[float] = []

    def say(_: object, text: str, manner: Manner) -> Sentence:
        made = sentence(text, 60.0 / (1.6 * manner.wpm))  # 176 to 528 characters a minute
        paces.append(made.pace)
        return made

    monkeypatch.setattr(compose, "say", say)
    monkeypatch.setattr(compose, "Speaker", object)
    session = Session(studio(replace(mix, nothing=0.0, cut=0.0)), object(), "1")  # type: ignore[arg-type]
    made = [session.utterance() for _ in range(60)]
    heard = [60.0 / (end - start) for sound in made for char, start, end, _ in sound.labels if espeak.is_han(char)]
    assert max(paces) > fastest >= max(heard) - 1e-6 and max(heard) > 0.9 * fastest


@needs_espeak
def test_a_source_without_anything_to_say_is_told() -> None:
    silent = replace(studio(replace(TRAINING, nothing=0.0)), sentence=lambda draw: "，。")
    with espeak.Speaker() as speaker:
        session = Session(silent, speaker, "1")
        with pytest.raises(ValueError, match="no sentence that can be spoken"):
            session.utterance()
    assert session.skipped["，。"] > 1


@pytest.mark.parametrize("name", list(_MAKERS))
def test_sounds_without_speech_have_their_length(name: str) -> None:
    for seed, seconds in enumerate((5.1, 6.21, 27.9)):
        made = _MAKERS[name][0](random.Random(seed), seconds, NOISES)
        assert made.size == round(seconds * RATE) and made.dtype == np.float32
        assert name == "silence" or np.abs(made).max() > 0


def test_all_kinds_without_speech_come_at_many_levels() -> None:
    draw = random.Random(4)
    made = [make_nothing(draw, TRAINING, NOISES, NOISES) for _ in range(150)]
    assert {name for _, name in made} >= {*_MAKERS, "white"}
    peaks = [20 * np.log10(float(np.abs(samples).max()) + 1e-9) for samples, _ in made]
    assert min(peaks) < -60 and max(peaks) > -12
    assert all(0.59 < samples.size / RATE < 28.01 and np.abs(samples).max() <= 1 for samples, _ in made)
