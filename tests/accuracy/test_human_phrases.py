"""Phrases that people said, found by sound in the noisy text of a third party's small model.

Phrases are cut from the transcripts of recordings by a plain rule: every stretch of each length, at every place. Each
is listened for in every recording, through the whole core. In its own it should be found; in any other a hit is a false
alarm, unless the matcher finds the phrase in that recording's transcript as well: then it was said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from monitor.bench.ears_hear import Clip
from monitor.bench.ears_material import people
from monitor.bench.ears_score import Char, align, syllables
from monitor.config import Config
from monitor.core.call import Call
from monitor.core.fold import is_han
from monitor.core.patterns import By, compile_phrase
from monitor.core.phrases import PhraseBook, Spotter, is_faint
from monitor.core.types import MONO, Channel, Heard, PhraseHit, Word
from tests.accuracy import fsmn
from tests.accuracy.calls import RECORDED, run

RATE = 16000
LENGTHS = range(4, 9)
"""Syllables of the phrases."""
LEAST_FOUND = 0.90
"""Of the phrases as heard, firmly or faintly."""
MOST_FALSE = 1.0
"""False alarms in a thousand trials; a trial is one phrase in one recording of some seconds."""
GARBLED = 0.5
"""Share of a phrase's syllables that are wrong or missing in the text, above which no matcher is to blame."""
SYLLABLE = RATE // 5
WAYS: tuple[By, ...] = ("near", "sound")


@dataclass(frozen=True, slots=True)
class Cut:
    """A phrase: characters ``place`` and following of the transcript of recording ``clip``."""

    text: str
    clip: int
    place: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was heard of one recording: the characters of its words, the phrases found in them, and those of them that
    were found firmly."""

    words: Sequence[Word]
    hits: frozenset[str]
    firm: frozenset[str]


@dataclass(slots=True)
class Score:
    """Trials by the length of the phrase. ``excluded`` are trials in recordings that do have the phrase."""

    said: Counter[int] = field(default_factory=Counter)
    found: Counter[int] = field(default_factory=Counter)
    trials: int = 0
    excluded: int = 0
    false: list[str] = field(default_factory=list)
    missed: list[Cut] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found.total() / self.said.total()

    @property
    def false_in_a_thousand(self) -> float:
        return len(self.false) / self.trials * 1000

    def told(self) -> str:
        """For people."""
        lengths = ", ".join(f"{n}: {self.found[n] / self.said[n]:.1%}" for n in sorted(self.said))
        return (
            f"recall {self.recall:.1%} of {self.said.total()} ({lengths}); {len(self.false)} false alarms in"
            f" {self.trials} trials, {self.false_in_a_thousand:.2f} in a thousand, {self.excluded} excluded"
        )


def cuts(texts: Sequence[str], lengths: Iterable[int]) -> list[Cut]:
    """All stretches of these lengths that are Chinese throughout; a text that comes again counts once."""
    found: dict[str, Cut] = {}
    for length in lengths:
        for number, text in enumerate(texts):
            for place in range(len(text) - length + 1):
                part = text[place : place + length]
                if all(map(is_han, part)):
                    found.setdefault(part, Cut(part, number, place))
    return list(found.values())


def said_in(text: str, book: PhraseBook) -> frozenset[str]:
    """Phrases that the matcher finds in a transcript, spoken at an even pace."""
    words = [Word(char, n * SYLLABLE, (n + 1) * SYLLABLE) for n, char in enumerate(text)]
    return frozenset(hit.phrase for hit in Spotter(book, Channel.MIXED, RATE).settle(words, 0, len(text) * SYLLABLE))


def recognised(clip: Clip, engine: fsmn.Fsmn, book: PhraseBook) -> Recognised:
    """A recording as a call of one channel, through everything a call goes through."""
    call = Call(Config().setup(RATE, MONO, (), recognise=True, book=book))
    events = run(call, clip.samples.reshape(-1, 1), [], engine)
    words = [word for event in events if isinstance(event, Heard) and event.settled for word in event.words]
    hits = [event for event in events if isinstance(event, PhraseHit) and event.settled]
    firm = frozenset(hit.phrase for hit in hits if not is_faint(hit))
    return Recognised(words, frozenset(hit.phrase for hit in hits), firm)


def score(phrases: Sequence[Cut], said: Sequence[frozenset[str]], heard: Sequence[frozenset[str]]) -> Score:
    """``said`` and ``heard``: for each recording the phrases found in its transcript and in its noisy text."""
    result = Score()
    for cut in phrases:
        for number, (truth, hits) in enumerate(zip(said, heard, strict=True)):
            hit = cut.text in hits
            if number == cut.clip:
                result.said[len(cut.text)] += 1
                result.found[len(cut.text)] += hit
                result.missed += [] if hit else [cut]
            elif cut.text in truth:
                result.excluded += 1
            else:
                result.trials += 1
                result.false += [f"{cut.text} in recording {number}"] if hit else []
    return result


def wrong_share(cut: Cut, text: str, words: Sequence[Word]) -> float:
    """Of the phrase's syllables the share that is not in the noisy text, by an alignment of the whole recording."""
    said = syllables([Char(char, 0.0, 0.0) for char in text])
    heard = syllables([Char(char, 0.0, 0.0) for word in words for char in word.text])
    right = {at for at, _ in align(said, heard).equal}
    return 1 - len(right.intersection(range(cut.place, cut.place + len(cut.text)))) / len(cut.text)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    if why := fsmn.missing():
        pytest.skip(why)
    if not (RECORDED / "MANIFEST.tsv").is_file():
        pytest.skip(f"no recordings of people in {RECORDED.parent.name}/{RECORDED.name} beside the repository")
    return people(RECORDED, RATE)


@pytest.mark.parametrize("by", WAYS)
def test_phrases_of_people_in_a_third_partys_text(by: By, clips: list[Clip]) -> None:
    engine = fsmn.Fsmn()
    engine.load()
    texts = ["".join(char.text for char in clip.chars) for clip in clips]
    phrases = cuts(texts, LENGTHS)
    book = PhraseBook(compile_phrase(cut.text, [cut.text], by=by) for cut in phrases)
    said = [said_in(text, book) for text in texts]
    assert all(cut.text in said[cut.clip] for cut in phrases), "a phrase must be found where it stands"
    heard = [recognised(clip, engine, book) for clip in clips]
    result = score(phrases, said, [one.hits for one in heard])
    shares = [wrong_share(cut, texts[cut.clip], heard[cut.clip].words) for cut in result.missed]
    garbled = sum(share > GARBLED for share in shares)
    print(f"\nby {by}, {len(clips)} recordings, {len(phrases)} phrases: {result.told()}")
    firm = sum(cut.text in heard[cut.clip].firm for cut in phrases)
    print(f"found firmly {firm}, only faintly {result.found.total() - firm}")
    print(f"of {len(shares)} missed, {garbled} have more than {GARBLED:.0%} of their syllables wrong in the text")
    assert result.false_in_a_thousand <= MOST_FALSE, result.false
    if by == "near":
        assert result.recall >= LEAST_FOUND


def test_phrases_are_cut_at_every_place() -> None:
    found = cuts(["今天很好吗", "今天很好A"], [4])
    assert found == [Cut("今天很好", 0, 0), Cut("天很好吗", 0, 1)]


def test_a_hit_elsewhere_is_false_unless_it_was_said_there() -> None:
    phrases = [Cut("今天很好", 0, 0), Cut("明天再说", 1, 0)]
    said = [frozenset({"今天很好"}), frozenset({"明天再说", "今天很好"}), frozenset[str]()]
    heard = [frozenset({"今天很好"}), frozenset({"今天很好"}), frozenset({"明天再说"})]
    result = score(phrases, said, heard)
    assert (result.recall, result.trials, result.excluded) == (0.5, 3, 1)
    assert result.false == ["明天再说 in recording 2"]
    assert result.missed == [phrases[1]]


def test_how_much_of_a_phrase_the_text_has() -> None:
    words = [Word(char, n, n + 1) for n, char in enumerate("金天狠快")]
    assert wrong_share(Cut("天很好", 0, 1), "今天很好", words) == pytest.approx(1 / 3)


def test_confidences_are_the_peaks_of_their_runs() -> None:
    odds = [[0.6, 0.4], [0.1, 0.9], [0.3, 0.7], [0.8, 0.2]]
    found = fsmn.confidences(np.log(np.array(odds, np.float32)))
    assert found == pytest.approx([0.6, 0.9, 0.9, 0.8])
