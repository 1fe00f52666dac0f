"""Whether a folder holds a whole Whisper model in CTranslate2's form."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.asr.errors import ModelError, NotWhole
from monitor.asr.modelfile import model_kind

MODEL_FILE = "model.bin"


def check(folder: Path) -> None:
    """Looks at the files of ``folder``. Raises ``ModelError``: it names the file and what to do."""
    file = folder / MODEL_FILE
    try:
        kind = model_kind(file)
    except NotWhole as problem:
        raise ModelError(f"{file} is damaged: {problem}. Copy or pull the model again.") from None
    except OSError as problem:
        raise ModelError(f"{file} cannot be read: {problem.strerror}.") from problem
    if kind != "WhisperSpec":
        raise ModelError(f"{folder} holds a CTranslate2 model of kind {kind}, not a Whisper model.")
    _check_tokenizer(folder)


def _check_tokenizer(folder: Path) -> None:
    if not any(folder.glob("vocabulary.*")):
        raise ModelError(f"{folder} lacks vocabulary.json. Copy or pull the model again.")
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ModelError(
            f"{folder} lacks tokenizer.json. Copy it from the model it was converted from "
            f"(ct2-transformers-converter takes '--copy_files tokenizer.json preprocessor_config.json')."
        )
    try:
        json.loads(file.read_bytes())
    except ValueError:
        raise ModelError(f"{file} is damaged: it is not JSON. Copy or pull the model again.") from None
