"""Trains the Whisper form: cross entropy, the sound of every frame, and two heads that point at what is written."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training import vocabulary
from training.batches import Corpus, texts
from training.ctranslate import ALIGNING, begin_from
from training.readings import SIZES
from training.whisper_form import FRAMES, STANDING_FOR_PADDING, Shape, WhisperForm, look_locally, state_for_saving
from training.whisper_targets import FRAME_RATE, IGNORED, Batch, Targets

log = logging.getLogger(__name__)

SOUND_WEIGHT, POINT_WEIGHT = 0.5, 0.3
REPORT_EVERY = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """``minutes`` of wall time; ``frames`` (10 ms) of a batch; ``begin`` a CTranslate2 folder to go on from."""

    data: Path
    out: Path
    texts: Path
    minutes: float
    rate: float = 1.5e-3
    frames: int = 14000
    seed: int = 7
    threads: int = 1
    begin: Path | None = None
    encoder: int = 4
    decoder: int = 4
    save_every: float = 5.0


def train(plan: Plan) -> Path:
    """Train for the time given and return the checkpoint, ``whisper.pt``; goes on from it when it is there."""
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    r, generator = random.Random(plan.seed), np.random.default_rng(plan.seed)
    plan.out.mkdir(parents=True, exist_ok=True)
    words = _vocabulary(plan)
    model = WhisperForm(Shape(len(words.tokens), encoder=plan.encoder, decoder=plan.decoder))
    corpus = Corpus(plan.data)
    targets = Targets(words, texts(corpus.examples[:5000]))
    file = plan.out / "whisper.pt"
    optimiser = _optimiser(model, plan.rate)
    spent, step, seen = _resume(file, model, optimiser, plan, words)
    began = time.monotonic() - spent
    saved = time.monotonic()
    figures: list[tuple[float, ...]] = []
    while True:
        corpus.refresh()
        for examples in corpus.batches(plan.frames, r):
            minutes = (time.monotonic() - began) / 60
            share = minutes / plan.minutes
            if share >= 1:
                torch.save(state_for_saving(model, step=step, seen=seen, spent=minutes * 60, optimiser=optimiser.state_dict()), file)
                log.info("done: %d steps, %d utterances, %.1f minutes", step, seen, minutes)
                return file
            _set_rate(optimiser, plan, step, share)
            figures.append(_step(model, optimiser, targets.batch(examples, r, generator), share))
            step, seen = step + 1, seen + len(examples)
            if step % REPORT_EVERY == 0:
                _report(step, seen, minutes, len(corpus.examples), figures)
                figures = []
            if time.monotonic() - saved > plan.save_every * 60:
                saved = time.monotonic()
                torch.save(state_for_saving(model, step=step, seen=seen, spent=minutes * 60, optimiser=optimiser.state_dict()), file)


def _vocabulary(plan: Plan) -> vocabulary.Vocabulary:
    file = plan.out / "vocabulary.json"
    if not file.exists():
        vocabulary.build(plan.texts).save(file)
    return vocabulary.load(file)


def _optimiser(model: WhisperForm, rate: float) -> torch.optim.AdamW:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)


def _resume(
    file: Path, model: WhisperForm, optimiser: torch.optim.AdamW, plan: Plan, words: vocabulary.Vocabulary
) -> tuple[float, int, int]:
    """Seconds, steps and utterances done before; weights from the checkpoint, a folder, or the local start."""
    if file.exists():
        state = torch.load(file, weights_only=True)
        model.load_state_dict(state["weights"])
        optimiser.load_state_dict(state["optimiser"])
        return state["spent"], state["step"], state["seen"]
    if plan.begin is not None:
        begin_from(plan.begin, model, words)
    else:
        look_locally(model)
    return 0.0, 0, 0


def _set_rate(optimiser: torch.optim.AdamW, plan: Plan, step: int, share: float) -> None:
    """Warm up, then fall to a hundredth."""
    warm = min(1.0, (step + 1) / (300 if plan.begin is None else 150))
    for group in optimiser.param_groups:
        group["lr"] = plan.rate * warm * max(0.01, (1 - share) ** 0.8)


def _step(model: WhisperForm, optimiser: torch.optim.AdamW, batch: Batch, share: float) -> tuple[float, ...]:
    """One step; returns the three losses and the share of characters right."""
    frames = batch.mel.shape[2] // 2
    padding = torch.sort(torch.randint(frames, FRAMES, (STANDING_FOR_PADDING,)))[0] if frames < FRAMES - 50 else None
    with torch.autocast("cpu", torch.bfloat16):
        logits, weights, sounds = model(batch.mel, batch.tokens, padding)
    written = batch.targets != IGNORED
    chosen, wanted = logits[written].float(), batch.targets[written]
    text = functional.cross_entropy(chosen, wanted)
    sound = _sound_loss(sounds[batch.judged].float(), batch.sounds[batch.judged])
    point = _point_loss(weights[:, :ALIGNING].float(), batch.heard, frames)
    loss = text + SOUND_WEIGHT * (1 - 0.8 * share) * sound + POINT_WEIGHT * point
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    right = (chosen.argmax(-1) == wanted).float().mean()
    return text.item(), sound.item(), point.item(), right.item()


def _sound_loss(logits: Tensor, classes: Tensor) -> Tensor:
    parts = zip(logits.split(SIZES, dim=-1), classes.unbind(-1), strict=True)
    return torch.stack([functional.cross_entropy(part, wanted) for part, wanted in parts]).sum()


def _point_loss(weights: Tensor, heard: Tensor, frames: int) -> Tensor:
    """Minus the log of the attention that falls where the token is spoken (30 ms around it)."""
    middle = torch.arange(frames)[None, None] + 0.5
    low, high = heard[..., :1] * FRAME_RATE - 1.5, heard[..., 1:] * FRAME_RATE + 1.5
    inside = ((middle >= low) & (middle <= high) & (heard[..., 1:] >= 0)).float()
    known = inside.sum(-1) > 0
    mass = (weights[..., :frames] * inside[:, None]).sum(-1).clamp_min(1e-6).log()
    return -(mass * known[:, None]).sum() / (known.sum() * weights.shape[1] + 1e-6)


def _report(step: int, seen: int, minutes: float, examples: int, figures: list[tuple[float, ...]]) -> None:
    text, sound, point, right = np.mean(figures, axis=0)
    log.info(
        "step %d, %d utterances of %d, %.1f min: text %.3f sound %.3f point %.3f, tokens right %.3f",
        step, seen, examples, minutes, text, sound, point, right,
    )  # fmt: skip
