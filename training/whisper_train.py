"""Trains the Whisper form: cross entropy, the sound of every frame, and two heads that point at what is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from training.batches import Corpus, Example, texts
from training.ctranslate import ALIGNING, begin_from
from training.optimiser import DECAY, Group, Optimiser, Pace
from training.readings import SIZES
from training.run import Run, TrainingPlan, vocabulary_beside
from training.vocabulary import Vocabulary
from training.whisper_form import (
    FRAME_RATE,
    FRAMES,
    STANDING_FOR_PADDING,
    Padding,
    Shape,
    WhisperForm,
    look_locally,
    state_for_saving,
)
from training.whisper_targets import IGNORED, Batch, Targets

SOUND_WEIGHT, POINT_WEIGHT = 0.5, 0.3
BARE, FULL = 0.15, 0.25
"""Shares of batches whose windows end with the sound, and whose windows are of 30 s."""

CHECKPOINT = "whisper.pt"
FIGURES = ("text", "sound", "point", "tokens right")


@dataclass(frozen=True, slots=True)
class Plan(TrainingPlan):
    """``frames`` (20 ms) of a batch; ``begin`` a CTranslate2 folder to go on from; ``long_share`` as for Corpus."""

    rate: float = 1.5e-3
    matrix_rate: float = 3e-3
    frames: int = 8000
    begin: Path | None = None
    encoder: int = 8
    decoder: int = 4
    long_share: float = 0.3


def train(plan: Plan) -> Path:
    """Train for the time given and return the checkpoint, ``whisper.pt``; goes on from it when it is there."""
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    plan.out.mkdir(parents=True, exist_ok=True)
    words = vocabulary_beside(plan.out, plan.texts)
    model = WhisperForm(Shape(len(words.tokens), encoder=plan.encoder, decoder=plan.decoder))
    corpus = Corpus(plan.data, plan.long_share)
    targets = Targets(words, texts(corpus.examples[:5000]))
    optimiser = _optimiser(model, plan)
    run = Run(plan.out / CHECKPOINT, plan.minutes, plan.save_every, optimiser, lambda: state_for_saving(model), FIGURES)
    if not run.resume(model):
        _start(model, plan, words)
    r, generator = run.streams(plan.seed)

    def learn(examples: list[Example], step: int, gone: float) -> tuple[float, ...]:
        return _step(model, optimiser, targets.batch(examples, r, generator), step, gone)

    run.go(corpus, lambda: corpus.batches(plan.frames, r), learn)
    run.save()
    return run.file


def _optimiser(model: WhisperForm, plan: Plan) -> Optimiser:
    inner = [p for layer in (*model.encoder.layers, *model.decoder.layers) for p in layer.parameters() if p.dim() > 1]
    chosen = {id(p) for p in inner}
    outer = [p for p in model.parameters() if id(p) not in chosen]
    groups = [Group([p for p in outer if p.dim() > 1], DECAY), Group([p for p in outer if p.dim() < 2], 0.0)]
    return Optimiser(model, inner, groups, Pace(plan.rate, plan.matrix_rate, fall=0.8, clip=1.0))


def _start(model: WhisperForm, plan: Plan, words: Vocabulary) -> None:
    """Weights of a folder, or the local start."""
    if plan.begin is not None:
        begin_from(plan.begin, model, words)
    else:
        look_locally(model)


def _step(model: WhisperForm, optimiser: Optimiser, batch: Batch, step: int, gone: float) -> tuple[float, ...]:
    """One step; returns the three losses and the share of tokens right."""
    frames = batch.mel.shape[2] // 2
    with torch.autocast("cpu", torch.bfloat16):
        logits, weights, sounds = model(batch.mel, batch.tokens, _window(frames))
    written = batch.targets != IGNORED
    chosen, wanted = logits[written].float(), batch.targets[written]
    text = functional.cross_entropy(chosen, wanted)
    sound = _sound_loss(sounds[batch.judged].float(), batch.sounds[batch.judged])
    point = _point_loss(weights[:, :ALIGNING].float(), batch.heard, frames)
    loss = text + SOUND_WEIGHT * (1 - 0.6 * gone) * sound + POINT_WEIGHT * point
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step(step, gone)
    right = (chosen.argmax(-1) == wanted).float().mean()
    return text.item(), sound.item(), point.item(), right.item()


def _window(frames: int) -> Padding | None:
    """How the window of a batch goes on after its ``frames``: not at all, for some time, or up to 30 s."""
    least = frames + STANDING_FOR_PADDING
    kind = float(torch.rand(()))
    if least >= FRAMES or kind < BARE:
        return None
    return Padding.drawn(frames, FRAMES if kind > 1 - FULL else int(torch.randint(least, FRAMES, ())))


def _sound_loss(logits: Tensor, classes: Tensor) -> Tensor:
    parts = zip(torch.split(logits, list(SIZES), dim=-1), classes.unbind(-1), strict=True)
    return torch.stack([functional.cross_entropy(part, wanted) for part, wanted in parts]).sum()


def _point_loss(weights: Tensor, heard: Tensor, frames: int) -> Tensor:
    """Minus the log of the attention that falls where the token is spoken (one frame around it)."""
    middle = torch.arange(frames)[None, None] + 0.5
    low, high = heard[..., :1] * FRAME_RATE - 1.0, heard[..., 1:] * FRAME_RATE + 1.0
    inside = ((middle >= low) & (middle <= high) & (heard[..., 1:] >= 0)).float()
    known = inside.sum(-1) > 0
    mass = (weights[..., :frames] * inside[:, None]).sum(-1).clamp_min(1e-6).log()
    return -(mass * known[:, None]).sum() / (known.sum() * weights.shape[1] + 1e-6)
