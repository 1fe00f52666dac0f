"""What both trainings share: a clock, a loop over the corpus, reports, and checkpoints from which it goes on."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training import crew, vocabulary
from training.batches import Corpus, Example
from training.optimiser import Optimiser

log = logging.getLogger(__name__)

REPORT_EVERY = 50
"""Steps."""

Learn = Callable[[list[Example], int, float], tuple[float, ...]]
"""One step: examples, number of the step, share of the time gone; returns figures for the report."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What every training is told: ``data`` is a folder of shards, ``out`` gets the checkpoint and the vocabulary that
    ``texts`` ask for; ``minutes`` are wall time. A process trains with one thread; ``crew`` makes it several."""

    data: Path
    out: Path
    texts: Path
    minutes: float
    seed: int = 7
    save_every: float = 5.0


@dataclass(slots=True)
class Progress:
    """How far a training is: ``seen`` utterances, by each member of a crew, ``spent`` seconds."""

    step: int = 0
    seen: int = 0
    spent: float = 0.0


@dataclass(slots=True)
class Run:
    """A training of ``minutes`` of wall time, with a checkpoint in ``file`` every ``save_every`` minutes.

    ``content`` is what belongs into the checkpoint besides progress and the optimiser's state; ``figures`` are the
    names of what a step returns.
    """

    file: Path
    minutes: float
    save_every: float
    optimiser: Optimiser
    content: Callable[[], dict[str, Any]]
    figures: Sequence[str]
    progress: Progress = field(default_factory=Progress)

    def resume(self, model: nn.Module) -> bool:
        """Take weights and progress from the checkpoint; False where there is none."""
        if not self.file.exists():
            return False
        state = torch.load(self.file, weights_only=True)
        model.load_state_dict(state["weights"])
        self.optimiser.load(state["optimiser"])
        self.progress = Progress(state["step"], state["seen"], state["spent"])
        log.info("going on from %s: %d steps, %.1f minutes", self.file, state["step"], state["spent"] / 60)
        return True

    def streams(self, seed: int) -> tuple[random.Random, np.random.Generator]:
        """Random streams from the seed, the steps done and the member of the crew, torch's own too: a training that
        goes on does not meet the same batches in the same order again, and no two members meet the same."""
        from_all = [seed, self.progress.step, *([crew.number()] if crew.number() else [])]
        drawn = np.random.SeedSequence(from_all).generate_state(1, np.uint64)
        torch.manual_seed(int(drawn[0]))
        return random.Random(int(drawn[0])), np.random.default_rng(from_all)

    def save(self, **more: Any) -> None:
        """Write the checkpoint, of a crew once; whoever interrupts this leaves the one before."""
        if crew.number():
            return
        partial = self.file.with_suffix(".part")
        torch.save({**self.content(), **asdict(self.progress), "optimiser": self.optimiser.state(), **more}, partial)
        partial.replace(self.file)

    def go(self, corpus: Corpus, batches: Callable[[], Iterator[list[Example]]], learn: Learn) -> None:
        """Learn until the time is over; ``batches`` gives the corpus once. Raises ValueError for an empty one."""
        if not corpus.examples:
            raise ValueError(f"no complete shard in {corpus.folder}: make the data first")
        self.optimiser.begin()
        progress, recent = self.progress, list[tuple[float, ...]]()
        saved = time.monotonic()
        began = saved - progress.spent
        while True:
            corpus.refresh()
            for examples in batches():
                progress.spent = crew.mean(time.monotonic() - began)  # all stop at the same step
                if progress.spent >= self.minutes * 60:
                    log.info("done: %d steps, %d utterances, %.1f minutes", *self._so_far())
                    return
                recent.append(learn(examples, progress.step, progress.spent / (self.minutes * 60)))
                progress.step, progress.seen = progress.step + 1, progress.seen + len(examples)
                if progress.step % REPORT_EVERY == 0:
                    self._report(recent, len(corpus.examples))
                    recent.clear()
                if time.monotonic() - saved > self.save_every * 60:
                    saved = time.monotonic()
                    self.save()

    def _so_far(self) -> tuple[int, int, float]:
        return self.progress.step, self.progress.seen, self.progress.spent / 60

    def _report(self, recent: list[tuple[float, ...]], examples: int) -> None:
        means = zip(self.figures, np.mean(recent, axis=0), strict=True)
        figures = ", ".join(f"{name} {mean:.4f}" for name, mean in means)
        log.info("step %d, %d utterances seen, %.1f min, %d in all: %s", *self._so_far(), examples, figures)


def vocabulary_beside(out: Path, texts: Path) -> vocabulary.Vocabulary:
    """The vocabulary of a training folder; built from the texts when the training begins, and kept."""
    file = out / "vocabulary.json"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        vocabulary.build(texts).save(file)
    return vocabulary.load(file)
