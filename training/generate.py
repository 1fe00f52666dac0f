"""Makes the utterances to train and to evaluate on: python -m training.generate OUT --text FOLDER --count N ..."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.render.espeak import missing
from training.augment import EVALUATION, TRAINING
from training.recordings import load
from training.speech import HELD_OUT_VOICES, TRAINING_VOICES
from training.team import RECORDINGS, Job, Made, Source, Team
from training.voices import Cast, make

RANDOM_VOICES = 0.6
"""Share of espeak's utterances in a training set that random voices speak."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Sentences drawn from a list."""

    sentences: tuple[str, ...]

    def __call__(self) -> Listed:
        """A factory of itself."""
        return self

    def sentence(self, rng: random.Random) -> str:
        """Any of them."""
        return rng.choice(self.sentences)


@dataclass(frozen=True, slots=True)
class FromFolder:
    """Makes training.sentences.Sentences of a folder."""

    folder: Path
    held_out: bool = False

    def __call__(self) -> Source:
        """The source; costs some seconds."""
        source: Source = importlib.import_module("training.sentences").Sentences(self.folder, held_out=self.held_out)
        return source


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def generate(
    out: Path,
    count: int,
    seed: int,
    workers: int,
    sentences: Callable[[], Source] | Path,
    recordings: Path | None = None,
    *,
    human_share: float = 0.18,
    random_voices: float = RANDOM_VOICES,
    voices: Sequence[str] | None = None,
    held_out: bool = False,
    tell: Callable[[str], None] = _tell,
) -> list[Made]:
    """Make ``count`` utterances in shards under ``out``; those that are complete there are kept.

    ``sentences`` is the text folder, or a picklable factory of a Source. ``recordings`` is the folder of the human
    recordings, ``human_share`` their share of the utterances. ``random_voices`` is the share of the others that is
    spoken by voices drawn from the seed (see training.voices; kept in a folder under ``out``), unless ``voices`` are
    named. ``held_out`` makes an evaluation set: voices and text that are never trained on, telephone and noise, and
    the samples are kept. The result depends on count and seed only, whatever the number of workers. Raises
    RuntimeError where espeak-ng is missing or a shard cannot be made, and ValueError for a share outside 0 to 1.
    """
    if not 0.0 <= random_voices <= 1.0:
        raise ValueError(f"random voices {random_voices} is no share: give 0 to 1")
    if why := missing():
        raise RuntimeError(why)
    out.mkdir(parents=True, exist_ok=True)
    if recordings is not None and human_share > 0:
        load(recordings, out / RECORDINGS)
    factory = FromFolder(sentences, held_out) if isinstance(sentences, Path) else sentences
    chosen = tuple(voices) if voices is not None else HELD_OUT_VOICES if held_out else TRAINING_VOICES
    mix = EVALUATION if held_out else TRAINING
    cast = None
    if random_voices and voices is None and not held_out:
        folder = out / f"voices-s{seed}"
        tell(f"random voices in {folder}")
        cast = Cast(folder, make(folder, seed), random_voices)
    job = Job(out, count, seed, factory, chosen, mix, recordings, human_share, held_out, cast)
    return Team(job, max(workers, 1), tell).run()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make utterances to train or to evaluate recognition models on.")
    parser.add_argument("out", type=Path, help="folder of the shards; complete ones in it are kept")
    parser.add_argument("--count", type=int, required=True, help="utterances in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--text", type=Path, default=Path(__file__).parent / "text", help="folder of the texts")
    parser.add_argument("--recordings", type=Path, help="folder with hsk.zip and syllabs.zip; without it only espeak")
    parser.add_argument("--human-share", type=float, default=0.18, help="share of utterances from recordings")
    parser.add_argument(
        "--random-voices",
        type=float,
        default=RANDOM_VOICES,
        metavar="SHARE",
        help="share of espeak's utterances by random voices, 0 for none (default: %(default)s); never with --voices",
    )
    parser.add_argument("--voices", nargs="+", help="espeak variants instead of the training voices")
    parser.add_argument("--held-out", action="store_true", help="an evaluation set: held-out voices and text")
    chosen = parser.parse_args(arguments)
    generate(
        chosen.out,
        chosen.count,
        chosen.seed,
        chosen.workers,
        chosen.text,
        chosen.recordings,
        human_share=chosen.human_share,
        random_voices=chosen.random_voices,
        voices=chosen.voices,
        held_out=chosen.held_out,
    )


if __name__ == "__main__":
    main()
