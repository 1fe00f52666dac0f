"""From a checkpoint of the Whisper form to the folder that is shipped."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch

from training import card, vocabulary
from training.ctranslate import export
from training.whisper_form import Shape, WhisperForm
from training.whisper_train import CHECKPOINT

ABOUT = {
    "schema_version": 1,
    "name": "zh-careful",
    "title": "Small Mandarin model in Whisper's form",
    "licence": "Apache-2.0",
    "trained_on": "synthetic speech",
    "human_speech": False,
    "max_seconds": 28,
    "real_length_windows": True,
}
"""The card of a folder that has none."""


def read_checkpoint(folder: Path) -> WhisperForm:
    """The model of a training folder."""
    state = torch.load(folder / CHECKPOINT, weights_only=True, map_location="cpu")
    model = WhisperForm(Shape(**state["shape"]))
    model.load_state_dict(state["weights"])
    return model.eval()


def export_checkpoint(training: Path, folder: Path, ngrams: Path | None = None) -> None:
    """Write the model beside what stands in ``folder`` already (its cards), and renew the card.

    ``ngrams`` is the file of its language model; where there is none, the one of that name in ``folder`` stays.
    """
    with tempfile.TemporaryDirectory() as made:
        export(read_checkpoint(training), vocabulary.load(training / "vocabulary.json"), Path(made) / "model")
        files = sorted((Path(made) / "model").iterdir())
        if ngrams is not None and ngrams.exists():
            files.append(ngrams)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
    names = {file.name for file in files}
    spelling = {}
    if ngrams is not None and (folder / ngrams.name).exists():
        names.add(ngrams.name)
        spelling = {"language_model": ngrams.name}
    card.renew(folder, sorted(names), ABOUT, spelling)
