"""What people write, for the language model beside ``zh-careful``: sentences, far more than are ever spoken."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from monitor.asr.ngrams import Ngrams
from training.ngrams import estimate
from training.sentences import Sentences, bare

log = logging.getLogger(__name__)

FILE = "characters.npz"
SHARD = 50_000
"""Sentences in a file."""

LEAST = (1, 2, 3, 4)
"""How often characters, and sequences of two to four, must be met to be kept."""


@dataclass(frozen=True, slots=True)
class Shard:
    """``count`` sentences of the families in ``text``, in a file named after their seed."""

    folder: Path
    text: Path
    seed: int
    number: int
    count: int

    @property
    def file(self) -> Path:
        return self.folder / f"s{self.seed}-{self.number:04d}.txt"

    def write(self) -> Path:
        """Write the file, unless it is there already."""
        if not self.file.exists():
            source, r = Sentences(self.text), random.Random(f"{self.seed} {self.number}")
            lines = "".join(source.sentence(r) + "\n" for _ in range(self.count))
            part = self.file.with_suffix(".part")
            part.write_text(lines, encoding="utf-8")
            part.rename(self.file)
        return self.file


def make(folder: Path, text: Path, characters: str, count: int, seed: int, workers: int) -> Ngrams:
    """The language model of ``count`` sentences, which ``folder`` keeps, and its file there."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [min(SHARD, count - start) for start in range(0, count, SHARD)]
    shards = [Shard(folder, text, seed, number, size) for number, size in enumerate(sizes)]
    begin = time.monotonic()
    files: list[Path] = []
    with ProcessPoolExecutor(workers) as pool:
        for file in pool.map(Shard.write, shards):
            files.append(file)
            log.info("%d of %d files of sentences, %.1f min", len(files), len(shards), (time.monotonic() - begin) / 60)
    model = estimate(_sentences(files), characters, LEAST)
    model.save(folder / FILE)
    held = ", ".join(f"{len(order.keys)}" for order in model.orders)
    log.info("n-grams kept, by length: %s; %.1f MB", held, (folder / FILE).stat().st_size / 1e6)
    return model


def _sentences(files: list[Path]) -> Iterator[str]:
    for file in files:
        with file.open(encoding="utf-8") as lines:
            yield from map(bare, lines)
