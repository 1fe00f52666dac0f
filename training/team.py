"""Worker processes that make shards: each shard depends on its job and its number only."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import random
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from monitor.render.espeak import Speaker
from training.augment import Mix, make_noises
from training.compose import Session, Studio
from training.human import Teller
from training.nothing import make_music
from training.recordings import load
from training.shards import Sound, complete, write
from training.voices import Cast

SHARD = 1000
"""Utterances a shard."""

_TRIES = 10
"""A shard is given up when so many workers have died of it."""

RECORDINGS = "recordings.npz"
"""File in the output folder that keeps the decoded recordings."""

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Source(Protocol):
    """Where sentences come from."""

    def sentence(self, rng: random.Random) -> str:
        """One sentence: Han characters and punctuation."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides what the shards hold, but for their number."""

    out: Path
    count: int
    seed: int
    sentences: Callable[[], Source]
    voices: tuple[str, ...]
    mix: Mix
    recordings: Path | None
    human_share: float
    keep_samples: bool
    cast: Cast | None = None

    @property
    def numbers(self) -> range:
        """The shards, the last one may be smaller."""
        return range(-(-self.count // SHARD))

    def name(self, number: int) -> str:
        """Of a shard; the seed in it keeps sets of several seeds apart in one folder."""
        return f"s{self.seed}-{number:05d}"


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a shard: utterances, seconds of sound and of processor time, sentences that could not be
    spoken; or the error."""

    number: int
    utterances: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    skipped: int = 0
    error: str = ""


def open_studio(job: Job) -> Studio:
    """What a worker needs for all its shards; the same in every worker."""
    source = job.sentences()
    teller = None
    if job.recordings is not None and job.human_share > 0:
        teller = Teller(load(job.recordings, job.out / RECORDINGS))
    noises, music = make_noises(job.seed, source.sentence), make_music(job.seed)
    return Studio(source.sentence, job.voices, noises, music, teller, job.human_share, job.mix, job.cast)


def make_shard(job: Job, studio: Studio, number: int) -> Made:
    """Make and write one shard. It depends on the job and the number only."""
    began = time.process_time()
    sounds: list[Sound] = []
    data = job.cast.data if job.cast is not None else None
    with Speaker(data) as speaker:  # loaded anew for each shard: its state is that of a fresh start
        session = Session(studio, speaker, f"{job.seed}/{number}")
        for _ in range(min(SHARD, job.count - number * SHARD)):
            sounds.append(session.utterance())
    write(job.out, job.name(number), sounds, keep_samples=job.keep_samples)
    seconds = sum(sound.seconds for sound in sounds)
    return Made(number, len(sounds), seconds, time.process_time() - began, session.skipped.total())


def _work(job: Job, pipe: Connection) -> None:
    """A worker process: makes the shards whose numbers arrive until None does."""
    faulthandler.enable()  # espeak-ng is C: should it crash, the place is told
    try:
        studio = open_studio(job)
        while (number := pipe.recv()) is not None:
            try:
                pipe.send(make_shard(job, studio, number))
            except Exception:
                pipe.send(Made(number, error=traceback.format_exc()))
    except (EOFError, KeyboardInterrupt):
        return


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    shard: int | None = None


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started inside use one thread each for linear algebra."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Team:
    """Workers, each with one shard at a time; one that dies is replaced and its shard made again."""

    def __init__(self, job: Job, size: int, tell: Callable[[str], None]) -> None:
        self._job, self._size, self._tell = job, size, tell
        self._context = multiprocessing.get_context("spawn")
        self._waiting = [number for number in reversed(job.numbers) if not complete(job.out, job.name(number))]
        self._died: dict[int, int] = {}
        self._began = time.monotonic()
        self._made: list[Made] = []

    def run(self) -> list[Made]:
        """Make all that is missing. Raises RuntimeError where a shard cannot be made."""
        workers = [self._hire() for _ in range(min(self._size, len(self._waiting)))]
        try:
            while workers:
                ready = wait([worker.pipe for worker in workers])
                workers = [after for worker in workers if (after := self._serve(worker, worker.pipe in ready))]
        finally:
            for worker in workers:
                worker.process.terminate()
                worker.process.join()
        return self._made

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self._job, theirs), daemon=True)
        with _one_thread_each():
            process.start()
        theirs.close()
        return self._give(_Worker(process, ours))

    def _give(self, worker: _Worker) -> _Worker:
        """Hand out the next shard, or the news that there is none."""
        worker.shard = self._waiting.pop() if self._waiting else None
        with contextlib.suppress(OSError):  # it may have died: then its pipe becomes ready to read and tells so
            worker.pipe.send(worker.shard)
        return worker

    def _serve(self, worker: _Worker, ready: bool) -> _Worker | None:
        """Take what a worker has to say; the worker that goes on, if any."""
        if not ready:
            return worker
        try:
            made: Made = worker.pipe.recv()
        except (EOFError, OSError):
            return self._bury(worker)
        if made.error:
            raise RuntimeError(f"shard {made.number} failed:\n{made.error}")
        self._made.append(made)
        self._report(made)
        return self._give(worker)

    def _bury(self, worker: _Worker) -> _Worker | None:
        worker.process.join()
        if worker.shard is None:
            return None
        self._died[worker.shard] = self._died.get(worker.shard, 0) + 1
        self._tell(f"a worker died with exit code {worker.process.exitcode} at shard {worker.shard}")
        if self._died[worker.shard] >= _TRIES:
            raise RuntimeError(f"{_TRIES} workers died at shard {worker.shard}; the last lines above tell how")
        self._waiting.append(worker.shard)
        return self._hire()

    def _report(self, made: Made) -> None:
        utterances = sum(each.utterances for each in self._made)
        hours = sum(each.seconds for each in self._made) / 3600
        rate = utterances / max(time.monotonic() - self._began, 1e-9)
        left = len(self._waiting)
        self._tell(
            f"shard {made.number}: {made.utterances} utterances, {made.utterances / max(made.processor, 1e-9):.1f} a"
            f" second a core, {made.skipped} sentences skipped; so far {utterances}, {hours:.2f} h,"
            f" {rate:.1f} utterances a second; {left} shards wait"
        )
