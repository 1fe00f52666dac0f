"""Generation: repeatable, resumable, dead workers."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from monitor.render import espeak
from training import augment, cli, generate, nothing, team, voices
from training.augment import EVALUATION, TRAINING
from training.features import MEL_HOP, MEL_RATE
from training.generate import FromFolder, Listed
from training.shards import read
from training.speech import HELD_OUT_VOICES, TRAINING_VOICES
from training.team import Job, Made, Team, make_shard, open_studio
from training.voices import make

pytestmark = pytest.mark.skipif(espeak.missing() is not None, reason=str(espeak.missing()))
TEXTS = Listed(("您好，请问有什么可以帮您？", "好的。", "请您稍等。"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shards, little noise and music."""
    monkeypatch.setattr(team, "SHARD", 4)
    monkeypatch.setattr(augment, "_BANK_SECONDS", 4)
    monkeypatch.setattr(nothing, "_TUNES", 1)
    monkeypatch.setattr(nothing, "_MUSIC_SECONDS", 2.0)


def job(out: Path, count: int = 10, seed: int = 1) -> Job:
    """Without recordings."""
    out.mkdir(exist_ok=True)
    return Job(out, count, seed, TEXTS, TRAINING_VOICES, TRAINING, None, 0.0, False)


def shards_only(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_shard_depends_on_seed_and_number_only(tmp_path: Path) -> None:
    forth, back, other = job(tmp_path / "a"), job(tmp_path / "b"), job(tmp_path / "c", seed=2)
    studio = open_studio(forth)
    made = [make_shard(forth, studio, number) for number in forth.numbers]
    studio = open_studio(back)
    for number in reversed(back.numbers):
        make_shard(back, studio, number)
    assert content(forth.out) == content(back.out)
    assert [each.utterances for each in made] == [4, 4, 2]
    assert len(read(forth.out)) == 10
    assert sum(each.seconds for each in made) == pytest.approx(
        sum(len(u.mel) for u in read(forth.out)) / MEL_RATE, abs=0.3
    )
    make_shard(other, open_studio(other), 0)
    first, different = read(forth.out)[0], read(other.out)[0]
    assert first.mel.shape != different.mel.shape or not np.array_equal(first.mel, different.mel)


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    plan = job(tmp_path / "a")
    studio = open_studio(plan)
    for number in (0, 2):
        make_shard(plan, studio, number)
    assert Team(plan, 2, str)._waiting == [1]


@dataclass(frozen=True)
class Dies:
    """A factory that ends its process as often as its folder lets it, then gives the texts."""

    folder: Path
    times: int
    how: int

    def __call__(self) -> Listed:
        """Leaves a mark and ends, or gives the texts."""
        marks = len(list(self.folder.glob("mark*")))
        if marks < self.times:
            (self.folder / f"mark{marks}").touch()
            os.kill(os.getpid(), self.how)
        return TEXTS


def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are forked: they know this module and the small sizes."""
    real = team.multiprocessing.get_context
    monkeypatch.setattr(team.multiprocessing, "get_context", lambda method: real("fork"))


def test_a_worker_that_dies_is_told_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_process(monkeypatch)
    out, marks = tmp_path / "out", tmp_path / "marks"
    marks.mkdir()
    said: list[str] = []
    made = generate.generate(out, 6, 1, 2, Dies(marks, 1, signal.SIGKILL), random_voices=0.0, tell=said.append)
    assert sorted(each.number for each in made) == [0, 1]
    assert sum("died with exit code -9" in line for line in said) == 1
    assert len(read(out)) == 6
    assert any("utterances a second" in line and " h," in line for line in said)
    plain = job(tmp_path / "plain", 6)
    studio = open_studio(plain)
    for number in plain.numbers:
        make_shard(plain, studio, number)
    assert content(plain.out) == content(out), "two workers, one of them dead, make what one makes"


def test_a_shard_that_kills_every_worker_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_process(monkeypatch)
    monkeypatch.setattr(team, "_TRIES", 2)
    with pytest.raises(RuntimeError, match="2 workers died at shard 0"):
        generate.generate(tmp_path, 2, 1, 1, Dies(tmp_path, 9, signal.SIGKILL), random_voices=0.0, tell=str)


def test_an_error_in_a_worker_is_raised_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_process(monkeypatch)

    def fails(*_: object) -> Made:
        raise ArithmeticError("seven")

    monkeypatch.setattr(team, "make_shard", fails)
    with pytest.raises(RuntimeError, match=r"(?s)shard 0 failed.*ArithmeticError: seven"):
        generate.generate(tmp_path, 2, 1, 1, TEXTS, random_voices=0.0, tell=str)


def captured(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that would be run."""
    jobs: list[Job] = []

    class Idle:
        def __init__(self, job: Job, size: int, tell: Callable[[str], None]) -> None:
            jobs.append(job)

        def run(self) -> list[Made]:
            return []

    monkeypatch.setattr(generate, "Team", Idle)
    return jobs


def test_the_command_line_says_what_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = captured(monkeypatch)
    made: list[tuple[Path, int]] = []
    monkeypatch.setattr(generate, "make", lambda folder, seed: made.append((folder, seed)) or ("r000",))
    generate.main([str(tmp_path), "--count", "5", "--seed", "3", "--text", "t", "--human-share", "0.3"])
    generate.main([str(tmp_path), "--count", "5", "--held-out"])
    generate.main([str(tmp_path), "--count", "5", "--voices", "m3"])
    generate.main([str(tmp_path), "--count", "5", "--random-voices", "0"])
    train, held, voice, stock = jobs
    assert made == [(tmp_path / "voices-s3", 3)]
    assert train.cast == voices.Cast(tmp_path / "voices-s3", ("r000",), 0.6)
    assert held.cast is voice.cast is stock.cast is None and stock.voices == TRAINING_VOICES
    assert (train.count, train.seed, train.human_share) == (5, 3, 0.3)
    assert train.sentences == FromFolder(Path("t")) and not train.keep_samples
    assert train.voices == TRAINING_VOICES and train.mix == TRAINING
    assert held.voices == HELD_OUT_VOICES and held.mix == EVALUATION and held.keep_samples
    assert held.sentences == FromFolder(Path(generate.__file__).parent / "text", held_out=True)
    assert voice.voices == ("m3",)


def test_the_share_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1\.5 is no share"):
        generate.generate(tmp_path, 2, 1, 1, TEXTS, random_voices=1.5, tell=str)


def test_all_in_one_passes_the_share_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr(generate, "generate", lambda *_, **named: given.append(named))
    monkeypatch.setattr(cli, "FromKept", lambda text: TEXTS)
    assert cli.main(["data", "--work", str(tmp_path)]) == 0
    assert cli.main(["data", "--work", str(tmp_path), "--random-voices", "0"]) == 0
    assert [named.get("random_voices") for named in given] == [generate.RANDOM_VOICES, None, None, 0.0, None, None]
    assert [named.get("held_out") for named in given] == [None, True, True] * 2


def test_random_voices_speak_their_share_whoever_makes_the_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voices.make, "__defaults__", (4,))
    in_process(monkeypatch)
    out, alone = tmp_path / "out", tmp_path / "alone"
    generate.generate(out, 24, 2, 2, TEXTS, tell=str)
    generate.generate(alone, 24, 2, 1, TEXTS, tell=str)
    assert shards_only(out) == shards_only(alone)
    utterances = read(out)  # the folder of the voices is no shard
    assert len(utterances) == 24
    spoken = [utterance.voice for utterance in utterances if utterance.kind == "espeak"]
    drawn = set(spoken) & set(make(out / "voices-s2", 2, 4))
    assert len(drawn) > 1 and set(spoken) - drawn <= set(TRAINING_VOICES) and set(spoken) > drawn


def test_an_evaluation_set_keeps_its_sound(tmp_path: Path) -> None:
    plan = Job(tmp_path, 3, 1, TEXTS, HELD_OUT_VOICES, EVALUATION, None, 0.0, True)
    make_shard(plan, open_studio(plan), 0)
    for utterance in read(tmp_path):
        assert utterance.voice in HELD_OUT_VOICES and utterance.kind == "espeak"
        assert utterance.samples is not None and utterance.samples.size // MEL_HOP == len(utterance.mel)


def test_listed_draws_from_all() -> None:
    draw = random.Random(1)
    assert {TEXTS().sentence(draw) for _ in range(50)} == set(TEXTS.sentences)
