"""Trains the CTC form: CTC, the frame at which each character shows, and the sound of every frame."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training import ctc_loss
from training.batches import Corpus, Example
from training.ctc_form import FRAME_SECONDS, CtcForm, Shape, state_for_saving
from training.ctc_targets import Batch, Targets, ctc_tokens
from training.features import FBANK_OFFSET, FBANK_SPAN
from training.optimiser import Group, Optimiser, Pace
from training.readings import SIZES
from training.run import Run, TrainingPlan, vocabulary_beside

log = logging.getLogger(__name__)

SPIKE_WEIGHT, BLANK_WEIGHT, SOUND_WEIGHT = 0.5, 0.3, 0.3
CHECKPOINT = "ctc.pt"
FIGURES = ("ctc", "spike", "blank", "sound", "syllables right")
CTC_WARM_UP = 300
"""Steps over which the CTC loss gains weight: before it knows the characters it settles on writing all at the end."""
MEASURED = 400
"""Utterances from which the features' mean and spread, and at the end the bias of starts, are taken."""


@dataclass(frozen=True, slots=True)
class Plan(TrainingPlan):
    """``frames`` (10 ms) of a batch; ``begin`` a checkpoint to go on from with a new schedule; ``long_share`` as for
    Corpus."""

    rate: float = 2e-3
    matrix_rate: float = 4e-3
    frames: int = 8000
    begin: Path | None = None
    width: int = 192
    blocks: int = 9
    delay: int = 6
    long_share: float = 1.0


def train(plan: Plan) -> Path:
    """Train for the time given and return the checkpoint, ``ctc.pt``; goes on from it when it is there."""
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    plan.out.mkdir(parents=True, exist_ok=True)
    tokens = ctc_tokens(vocabulary_beside(plan.out, plan.texts))
    model = CtcForm(Shape(len(tokens), plan.width, plan.blocks, delay=plan.delay))
    corpus = Corpus(plan.data, plan.long_share)
    targets = Targets(tokens, plan.delay)
    optimiser = make_optimiser(model, plan.rate, plan.matrix_rate)
    file = plan.out / CHECKPOINT
    run = Run(file, plan.minutes, plan.save_every, optimiser, lambda: state_for_saving(model, tokens), FIGURES)
    if not run.resume(model):
        _start(model, plan, corpus.examples)
    r, generator = run.streams(plan.seed)

    def learn(examples: list[Example], step: int, gone: float) -> tuple[float, ...]:
        return _step(model, optimiser, targets.batch(examples, r, generator), step, gone)

    run.go(corpus, lambda: corpus.batches(plan.frames, r, fbank=True), learn)
    run.save(bias=start_bias(model, targets, corpus.examples[-MEASURED:]))
    return file


def make_optimiser(model: CtcForm, rate: float, matrix_rate: float) -> Optimiser:
    """Muon moves all matrices but those of the two outputs."""
    outputs = ("out.", "sounds.")
    named = list(model.named_parameters())
    inner = [p for name, p in named if p.dim() > 1 and not name.startswith(outputs)]
    outer = [p for name, p in named if p.dim() < 2 or name.startswith(outputs)]
    return Optimiser(model, inner, [Group(outer, 0.01)], Pace(rate, matrix_rate, fall=0.9, clip=2.0))


def _start(model: CtcForm, plan: Plan, examples: Sequence[Example]) -> None:
    """Weights of another checkpoint, or new ones fitted to the data."""
    if plan.begin is not None:
        model.load_state_dict(torch.load(plan.begin, weights_only=True)["weights"])
    else:
        _normalise(model, examples)


def _normalise(model: CtcForm, examples: Sequence[Example]) -> None:
    """Take the mean and the spread of every band from some of the data."""
    chosen = random.Random(0).sample(list(examples), min(MEASURED, len(examples)))
    values = np.concatenate([example.utterance.fbank for example in chosen]).astype(np.float32)
    values = values * (FBANK_SPAN / 255) - FBANK_OFFSET
    model.mean.copy_(torch.from_numpy(values.mean(0)))
    model.scale.copy_(torch.from_numpy(1 / (values.std(0) + 0.1)))


def _step(model: CtcForm, optimiser: Optimiser, batch: Batch, step: int, gone: float) -> tuple[float, ...]:
    """One step; returns the losses and the share of sounds right."""
    loss, figures = losses(model, batch, min(1.0, step / CTC_WARM_UP))
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step(step, gone)
    return figures


def losses(model: CtcForm, batch: Batch, ctc_weight: float = 1.0) -> tuple[Tensor, tuple[float, ...]]:
    """The loss of a batch; its parts CTC, spike, blank, sound, and the share of spikes' sounds right."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(batch.fbank)
        rows, frames = batch.sounds[:, 0], batch.sounds[:, 1]
        sounds = model.sounds(hidden[rows, frames])
    chosen = ctc_loss.columns(hidden, model.out.weight, model.out.bias, batch.columns)
    characters = max(1, int(batch.counts.sum()))
    ctc = ctc_loss.ctc(chosen, batch.written, batch.lengths, batch.counts) / characters
    spike = -chosen[tuple(batch.spikes.T)].sum() / characters
    blank = -chosen[batch.blanks[:, 0], batch.blanks[:, 1], 0].mean()
    parts = list(zip(sounds.float().split(SIZES, dim=-1), batch.sounds[:, 2:].T, strict=True))
    sound = torch.stack([functional.cross_entropy(part, wanted) for part, wanted in parts]).sum()
    right = torch.stack([part.argmax(-1) == wanted for part, wanted in parts]).all(0)
    spoken = batch.sounds[:, 4] > 0
    share = float(right[spoken].float().mean()) if spoken.any() else 0.0
    loss = ctc_weight * ctc + SPIKE_WEIGHT * spike + BLANK_WEIGHT * blank + SOUND_WEIGHT * sound
    return loss, (ctc.item(), spike.item(), blank.item(), sound.item(), share)


@torch.no_grad()
def start_bias(model: CtcForm, targets: Targets, examples: Sequence[Example]) -> float:
    """Median seconds from a character's start to the time of the frame that shows it, where it is heard rightly."""
    late: list[float] = []
    for example in examples:
        fbank, tokens, spikes, starts = targets.plain(example)
        with torch.autocast("cpu", torch.bfloat16):
            best = model.out(model(fbank))[0].argmax(-1).tolist()
        for token, spike, start in zip(tokens, spikes, starts, strict=True):
            first = max(0, spike - 5)
            near = [first + number for number, shown in enumerate(best[first : spike + 6]) if shown == token]
            if near:
                late.append(near[0] * FRAME_SECONDS - start)
    log.info("starts: %d measured, spread %s", len(late), np.percentile(late, [5, 50, 95]).round(3) if late else "-")
    return float(np.median(late)) if late else (targets.delay + 2) * FRAME_SECONDS
