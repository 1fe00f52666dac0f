"""Random voices: what is drawn, the folder they stand in, and that broken ones are thrown out."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from monitor.render import espeak
from training import voices
from training.speech import TRAINING_VOICES, draw_manner
from training.voices import SAID, Cast, Checker, describe, link, make, unfit

needs_espeak = pytest.mark.skipif(espeak.missing() is not None, reason=str(espeak.missing()))
DRAWN = [describe(random.Random(f"{number}"), "r000") for number in range(600)]


def values(key: str) -> list[list[float]]:
    """The numbers after ``key`` in all drawn variants that have it."""
    lines = [line.split() for text in DRAWN for line in text.splitlines()]
    return [[float(part) for part in line[1:]] for line in lines if line[0] == key]


def test_a_voice_depends_on_its_stream_only() -> None:
    assert describe(random.Random("3"), "r000") == DRAWN[3] != DRAWN[4]
    assert DRAWN[3].startswith("language variant\nname r000\ngender ")


def test_the_ranges_hold_the_stock_voices_and_more() -> None:
    low, high = np.array(values("pitch")).T
    assert 65 <= low.min() < 70 and 300 < low.max() <= 320 and (high > low).all()
    hz, strength, width = np.array([row[1:] for row in values("formant") if 1 <= row[0] <= 5]).T
    assert 71 <= hz.min() < 80 and 125 < hz.max() <= 141
    assert 50 <= strength.min() < 55 and 155 < strength.max() <= 160
    assert 70 <= width.min() < 75 and 165 < width.max() <= 170
    for key, least, most in (("voicing", 30, 165), ("consonants", 40, 130), ("flutter", 0, 12), ("roughness", 0, 5)):
        found = np.array(values(key))
        assert len(found) == 600 and least <= found.min() <= least + 2 and most - 3 <= found.max() <= most, key


def test_formants_move_together() -> None:
    """A long throat lowers all of them: within a voice they differ by no more than the jitter."""
    rows = np.array([row[1] for row in values("formant")]).reshape(600, 9)
    assert (rows.max(axis=1) / rows.min(axis=1)).max() < 1.08 / 0.92 + 0.03
    assert rows.mean(axis=1).std() > 10


def test_what_only_some_voices_have_comes_as_often_as_wanted() -> None:
    shares = {key: len(values(key)) / 600 for key in ("klatt", "breath", "tone", "echo")}
    assert shares == pytest.approx({"klatt": 0.12, "breath": 0.20, "tone": 0.75, "echo": 0.08}, abs=0.05)
    assert sum("stress" in text for text in DRAWN) / 600 == pytest.approx(0.30, abs=0.05)
    short = [row for row in values("stressLength") if row == [0, 1, 2, 3, 4, 5, 6, 7]]
    assert len(short) > 40, (
        "lengths of a few milliseconds, to which stressAdd adds the rest, as in the fastest variants"
    )


def test_tones_keep_inside_the_spectrum_and_some_fall_steeply() -> None:
    falls = []
    for row in values("tone"):
        hz, heights = row[::2], row[1::2]
        assert hz == sorted(hz) and hz[-1] <= 5500 and len(hz) >= 2, "beyond it espeak ends the process"
        assert min(heights) >= 10 and max(heights) <= 255
        falls.append(heights[0] / heights[-1])
    assert min(falls) < 1 and max(falls) > 10


def test_no_drawn_manner_is_too_deep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The engine's own formula, over every voice at its worst."""
    folder = tmp_path / "voices" / "!v"
    folder.mkdir(parents=True)
    engine = object.__new__(espeak._Engine)
    engine.data, engine._pitches = tmp_path, {}
    for number, text in enumerate(DRAWN):
        (folder / str(number)).write_text(text, encoding="utf-8")
        assert engine.lowest_hz(str(number), 30, 50) > espeak.LOWEST_HZ
        assert engine.lowest_hz(str(number), 70, 70) > espeak.LOWEST_HZ


def test_a_cast_speaks_its_share_with_its_pitch_moved_less() -> None:
    draw = random.Random(1)
    cast = Cast(Path("data"), ("r000", "r001"), 0.6)
    manners = [draw_manner(draw, TRAINING_VOICES, cast) for _ in range(2000)]
    drawn = [manner for manner in manners if manner.variant in cast.names]
    assert len(drawn) / 2000 == pytest.approx(0.6, abs=0.04)
    assert {manner.variant for manner in drawn} == set(cast.names)
    assert min(manner.pitch for manner in drawn) >= 30 and max(manner.pitch for manner in drawn) <= 70
    assert all(manner.pitch_range <= 70 for manner in drawn)


@needs_espeak
def test_the_folder_is_that_of_the_seed_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    assert make(a, 5, 3) == make(b, 5, 3) == ("r000", "r001", "r002")
    make(c, 6, 3)

    def texts(folder: Path) -> list[str]:
        return [(folder / voices.DATA / "voices" / "!v" / f"r{k:03d}").read_text() for k in range(3)]

    assert texts(a) == texts(b) != texts(c)
    with espeak.Speaker(a) as speaker:
        assert speaker.data == a / voices.DATA
        drawn = speaker.speak(SAID, variant="r001", wpm=190)
    assert drawn.samples.std() > 0.005
    ours = espeak.synthesize(SAID, variant="f2", wpm=190, data=a)
    np.testing.assert_array_equal(ours.samples, espeak.synthesize(SAID, variant="f2", wpm=190).samples)
    monkeypatch.setattr(voices, "_draw_all", lambda *_: pytest.fail("drawn again"))
    assert make(a, 5, 3) == ("r000", "r001", "r002")
    with pytest.raises(pytest.fail.Exception, match="drawn again"):
        make(a, 5, 4)


@needs_espeak
def test_more_voices_than_espeak_lists_can_be_chosen(tmp_path: Path) -> None:
    with espeak.Speaker() as speaker:
        installed = speaker.data
    folder = tmp_path / voices.DATA / "voices" / "!v"
    folder.mkdir(parents=True)
    link(installed, tmp_path / voices.DATA)
    link(installed, tmp_path / voices.DATA)  # what stands there is no hindrance
    for number in range(450):
        (folder / f"r{number:03d}").write_text(DRAWN[0], encoding="utf-8")
    assert espeak.synthesize("好。", variant="r449", wpm=190, data=tmp_path).samples.size
    assert (tmp_path / voices.DATA / "voices" / "!v" / "anika").is_symlink()


@needs_espeak
@pytest.mark.parametrize("name", ["nothing", "x" * 150])
def test_a_folder_without_data_is_told(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    if len(name) > 100:
        (folder / voices.DATA).mkdir(parents=True)
    with pytest.raises(espeak.EspeakError, match="holds no espeak-ng-data, or its path is too long"):
        espeak.Speaker(folder)
    with espeak.Speaker() as speaker:  # nothing is left locked
        assert speaker.data.is_dir()


def spoken(samples: np.ndarray, seconds: float = 2.4) -> espeak.Spoken:
    """SAID, its 11 characters spread evenly over so many seconds."""
    chars = [char for char in SAID if espeak.is_han(char)]
    bounds = [round(k * seconds * 16000 / len(chars)) for k in range(len(chars) + 1)]
    return espeak.Spoken(samples, 16000, tuple(zip(chars, bounds, strict=False)), tuple(bounds[1:]))


def test_broken_voices_are_known() -> None:
    sound = 0.2 * np.sin(np.arange(38400) / 10)
    assert unfit(spoken(sound)) == ""
    assert unfit(spoken(sound * 0.01)).startswith("silent")
    assert unfit(spoken(np.zeros(0))).startswith("silent")
    assert unfit(spoken(np.clip(sound * 6, -1, 1))).startswith("clipped")
    assert unfit(spoken(0.2 * np.sin(np.arange(38400) * 1.6))).startswith("hiss: 100%")
    assert unfit(spoken(sound, 1.4)).startswith("pace: 471")
    assert unfit(spoken(sound, 5.0)).startswith("pace: 132")


def check(folder: Path, name: str) -> str:
    """Every second voice is silent, and the first of them ends the process."""
    text = (folder / voices.DATA / "voices" / "!v" / name).read_text()
    marks = len(list(folder.glob("mark*")))
    (folder / f"mark{marks}").write_text(text)
    if marks == 1:
        os._exit(3)
    return "silent" if marks % 2 else ""


@needs_espeak
def test_broken_voices_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = voices.multiprocessing.get_context
    monkeypatch.setattr(voices.multiprocessing, "get_context", lambda method: real("fork"))
    monkeypatch.setattr(voices, "Checker", lambda folder: Checker(folder, check))
    assert make(tmp_path, 1, 3) == ("r000", "r001", "r002")
    index = json.loads((tmp_path / voices.INDEX).read_text())
    assert index["thrown_out"] == {"1": "ends the process with exit code 3", "3": "silent"}
    kept = (tmp_path / voices.DATA / "voices" / "!v" / "r001").read_text()
    assert kept == (tmp_path / "mark2").read_text() != (tmp_path / "mark1").read_text()
    monkeypatch.setattr(voices, "Checker", lambda folder: Checker(folder, lambda *_: "silent"))
    with pytest.raises(RuntimeError, match="6 of 6 random voices are broken"):
        make(tmp_path, 2, 2)
    assert not (tmp_path / voices.INDEX).exists()
