"""The command ``scripts/train_model``: every step by itself, or all in order. Each goes on where it stopped."""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from training.sentences import FromKept, Sentences, TextError, bare, read_families

ROOT = Path(__file__).resolve().parent.parent
TEXTS = Path(__file__).resolve().parent / "text"
SETS = ("known", "unseen")
"""Evaluation sets: unseen sentences of known families, and sentences of families that were held out."""

EVALUATION_SEED = 90_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 with the reason on stderr."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    steps: dict[str, Callable[[argparse.Namespace], None]] = {
        "text": show_text,
        "data": make_data,
        "careful": train_careful,
        "writing": learn_writing,
        "fast": train_fast,
        "export": export,
        "evaluate": evaluate,
    }
    chosen = list(steps) if given.step == "all" else [given.step]
    try:
        for step in chosen:
            logging.info("step: %s", step)
            steps[step](given)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"train_model: {error.name} is missing: pip install -e '.[train]'\n")
        return 1
    except (TextError, OSError, RuntimeError, ValueError) as error:
        sys.stderr.write(f"train_model: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train_model", description="Trains the two speech models that are shipped.")
    parser.add_argument("step", choices=("all", "text", "data", "careful", "writing", "fast", "export", "evaluate"))
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "training", help="folder of all that is made")
    parser.add_argument("--text", type=Path, default=TEXTS, help="folder of sentence files")
    parser.add_argument("--recordings", type=Path, help="folder with hsk.zip and syllabs.zip: people's words, too")
    parser.add_argument("--human-share", type=float, default=0.2, help="share of utterances made of people's words")
    parser.add_argument("--random-voices", type=float, default=0.6, metavar="SHARE", help="drawn voices; 0 for none")
    parser.add_argument("--count", type=int, default=30_000, help="utterances to train on (40,000 make about 65 hours)")
    parser.add_argument("--test-count", type=int, default=400, help="utterances of each evaluation set")
    parser.add_argument("--sentences", type=int, default=4_000_000, help="of the language model beside zh-careful")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    parser.add_argument("--minutes-careful", type=float, default=120.0, help="training time of zh-careful")
    parser.add_argument("--minutes-fast", type=float, default=45.0, help="training time of zh-fast")
    parser.add_argument("--begin", type=Path, help="a folder of an earlier zh-careful to go on from")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where export writes")
    return parser


def show_text(given: argparse.Namespace) -> None:
    """Check the sentence files and show what they give."""
    families = read_families(given.text)
    held = [family for family in families if family.held_out]
    lines = sum(len(family.lines) for family in families)
    logging.info("%d families with %d lines; %d families held out", len(families), lines, len(held))
    source, r = Sentences(given.text), random.Random(given.seed)
    drawn = [source.sentence(r) for _ in range(2000)]
    characters = {char for text in drawn for char in bare(text)}
    logging.info("2000 sentences drawn: %d characters, %d different", sum(map(len, drawn)), len(characters))
    for text in drawn[:12]:
        sys.stdout.write(text + "\n")


def make_data(given: argparse.Namespace) -> None:
    """Training shards and the two evaluation sets."""
    from training.generate import generate

    common = (given.workers, given.text, given.recordings)
    shares = {"human_share": given.human_share, "random_voices": given.random_voices}
    generate(given.work / "train", given.count, given.seed, *common, **shares)
    sources: dict[str, Path | FromKept] = {"known": FromKept(given.text), "unseen": given.text}
    for number, (name, source) in enumerate(sources.items(), EVALUATION_SEED):
        generate(given.work / name, given.test_count, number, given.workers, source, held_out=True)


def train_careful(given: argparse.Namespace) -> None:
    """The Whisper form."""
    from training import crew
    from training.run import vocabulary_beside
    from training.whisper_train import Plan, train

    folder = given.work / "careful"
    begin = {"begin": given.begin, "rate": 1.2e-3} if given.begin else {}
    vocabulary_beside(folder, given.text)
    crew.launch(train, Plan(given.work / "train", folder, given.text, given.minutes_careful, **begin), given.workers)


def learn_writing(given: argparse.Namespace) -> None:
    """Which character follows which, for zh-careful's spelling."""
    from training import writing
    from training.run import vocabulary_beside

    letters = "".join(token for token in vocabulary_beside(given.work / "careful", given.text).text if bare(token))
    writing.make(given.work / "writing", given.text, letters, given.sentences, given.seed, given.workers)


def train_fast(given: argparse.Namespace) -> None:
    """The streaming CTC form."""
    from training import crew
    from training.ctc_train import Plan, train
    from training.run import vocabulary_beside

    folder = given.work / "fast"
    vocabulary_beside(folder, given.text)
    crew.launch(train, Plan(given.work / "train", folder, given.text, given.minutes_fast), given.workers)


def export(given: argparse.Namespace) -> None:
    """What is trained as folders that the recognisers load. Cards that stand there are kept, their digests renewed."""
    from training import ctc_export, ctc_train, whisper_export, whisper_train, writing

    careful, fast = given.work / "careful", given.work / "fast"
    trained = [(careful / whisper_train.CHECKPOINT).exists(), (fast / ctc_train.CHECKPOINT).exists()]
    if not any(trained):
        raise FileNotFoundError(f"nothing is trained in {given.work}: run the steps careful and fast first")
    if trained[0]:
        whisper_export.export_checkpoint(careful, given.models / "zh-careful", given.work / "writing" / writing.FILE)
    if trained[1]:
        ctc_export.export_checkpoint(fast / ctc_train.CHECKPOINT, given.models / "zh-fast")


def evaluate(given: argparse.Namespace) -> None:
    """``monitor bench ears`` on the evaluation sets and the written calls."""
    from monitor.cli import app

    models = [str(given.models / name) for name in ("zh-careful", "zh-fast")]
    sets = [f"{name}={given.work / name}" for name in SETS]
    words = ["bench", "ears", *(part for model in models for part in ("--model", model))]
    app([*words, *(part for one in sets for part in ("--set", one))], standalone_mode=False)
