"""Which speech models there are: shipped ones, pulled ones, and any folder. No screen output here; the
command line shows what these functions return."""

from __future__ import annotations

import errno
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from monitor import paths
from monitor.asr import catalog, hub, sherpafiles, whisperfiles
from monitor.asr.card import CARD_FILE, Card, read_card
from monitor.asr.errors import ModelError
from monitor.asr.hub import Progress

__all__ = [
    "DEFAULT_FAST",
    "DEFAULT_MODEL",
    "ModelError",
    "ModelInfo",
    "ModelKind",
    "Origin",
    "check",
    "is_folder",
    "known_names",
    "list_models",
    "models_cache",
    "obtain",
    "path",
    "pull",
    "resolve",
]

DEFAULT_MODEL = "zh-careful"
"""The shipped careful ear."""

DEFAULT_FAST = "zh-fast"
"""The shipped fast ear."""

_FOREIGN = {
    "*.safetensors": "a Transformers model: convert it with 'ct2-transformers-converter --model <folder> "
    "--output_dir <new folder> --copy_files tokenizer.json preprocessor_config.json --quantization int8'",
    "pytorch_model*.bin": "a Transformers model: convert it with 'ct2-transformers-converter'",
    "*.pt": "an OpenAI Whisper checkpoint: pull the same model by its name instead",
    "ggml*.bin": "a whisper.cpp model: pull the same model by its name instead",
    "*.gguf": "a whisper.cpp model: pull the same model by its name instead",
    "*.nemo": "a NeMo model, which no engine here runs: choose a CTranslate2 Whisper model",
}


class Origin(StrEnum):
    SHIPPED = "shipped"
    PULLED = "pulled"
    FOLDER = "folder"


class ModelKind(StrEnum):
    """Which engine a model is for."""

    WHISPER = "whisper"
    SHERPA = "sherpa"

    @property
    def ear(self) -> str:
        """The part such a model plays where there are two: ``careful`` or ``fast``."""
        return "careful" if self is ModelKind.WHISPER else "fast"


_KINDS = {ModelKind.WHISPER: "a Whisper model", ModelKind.SHERPA: "a streaming model"}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A usable model: ``path`` is its folder, ``size`` its files in bytes."""

    name: str
    path: Path
    origin: Origin
    size: int
    card: Card
    kind: ModelKind


def models_cache() -> Path:
    """Where pulled models are kept. Model folders that a user puts here are found by their names, too."""
    return paths.user_cache() / "models"


def known_names() -> list[str]:
    """Names that can be pulled, besides any ``owner/name`` of the hub; English-only models are left out."""
    from faster_whisper import available_models  # half a second that most commands need not spend

    whisper = [name for name in available_models() if not name.endswith(".en") and not name.startswith("distil")]
    return [*catalog.MODELS, *whisper]


def is_folder(model: str | Path) -> bool:
    """Whether ``model`` means a folder rather than a name."""
    if isinstance(model, Path):
        return True
    return model.startswith(("/", "./", "../", "~", ".\\")) or model in (".", "..") or Path(model).is_dir()


def resolve(model: str | Path) -> Path | str:
    """The folder of a model that is on this machine, or the name itself when it has yet to be pulled.

    Raises ``ModelError`` for what is neither a folder, a shipped or pulled model, nor a name to be pulled.
    """
    if is_folder(model):
        return Path(model).expanduser()
    name = str(model)
    for root in (paths.models_dir(), models_cache()):
        if (root / name).is_dir() and re.fullmatch(r"[\w.-]+", name):
            return root / name
    if (pulled := _pulled(name)) is not None:
        return pulled
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) and name not in known_names():
        names = ", ".join([*(info.name for info in list_models()), *known_names()])
        raise ModelError(f"There is no model {name!r}. Give a folder, a hub name 'owner/name', or: {names}.")
    return name


def path(model: str | Path) -> Path:
    """The folder of a model that is on this machine; raises ``ModelError`` when it has yet to be pulled."""
    found = resolve(model)
    if isinstance(found, str):
        raise ModelError(f"The model {found!r} is not on this machine. {_remedy(found)}")
    return found


def obtain(model: str | Path, *, pull_missing: bool = True, progress: Progress | None = None) -> Path:
    """The folder of a model, pulled first when it is not on this machine and ``pull_missing`` is set."""
    found = resolve(model)
    if isinstance(found, Path):
        return found
    return pull(found, progress).path if pull_missing else path(found)


def list_models() -> list[ModelInfo]:
    """All usable models on this machine: shipped first, then pulled. Broken folders are left out."""
    cache = models_cache()
    folders = [(folder, folder.name, Origin.SHIPPED) for folder in _folders(paths.models_dir())]
    for folder in _folders(cache):
        if not folder.name.startswith("models--"):
            folders.append((folder, folder.name, Origin.PULLED))
        snapshots = _folders(folder / "snapshots")
        folders.extend((snapshot, _name(snapshot), Origin.PULLED) for snapshot in snapshots)
    found = []
    for folder, name, origin in folders:
        try:
            kind = _check_files(folder)
            card = _card(folder)
        except ModelError:
            continue
        found.append(ModelInfo(name, folder, origin, hub.folder_size(folder), card, kind))
    return found


def pull(name: str, progress: Progress | None = None) -> ModelInfo:
    """Fetches a model from its hub into the user's cache and checks it.

    Raises ``ModelError`` when it cannot be fetched or what came is no model.
    """
    try:
        folder = hub.fetch(name, models_cache(), progress)
    except ModelError:
        raise
    except Exception as problem:
        raise ModelError(_pull_failed(name, problem)) from problem
    return check(folder)


def check(model: str | Path, wanted: ModelKind | None = None) -> ModelInfo:
    """Facts about a model folder after a look at its files (some milliseconds; nothing is loaded).

    Raises ``ModelError`` when the folder cannot be used, or not as the kind that is ``wanted``: it names the file and
    what to do.
    """
    folder = path(model)
    kind = _check_files(folder)
    if wanted not in (None, kind):
        raise ModelError(
            f"{folder} holds {_KINDS[kind]}, where {_KINDS[wanted]} is wanted: name it as the {kind.ear} ear instead."
        )
    card = _card(folder)
    for file, digest in card.sha256.items():
        if not (folder / file).is_file():
            raise ModelError(f"{folder} lacks {file}, which its card lists. Copy or pull the model again.")
        if hashlib.sha256((folder / file).read_bytes()).hexdigest() != digest:
            raise ModelError(f"{folder / file} differs from what its card lists. Copy or pull the model again.")
    return ModelInfo(card.name or _name(folder), folder, _origin(folder), hub.folder_size(folder), card, kind)


# ---------------------------------------------------------------- inside


def _check_files(folder: Path) -> ModelKind:
    """What kind of model the folder holds, its files looked at."""
    if folder.is_file():
        raise ModelError(f"{folder} is a file. Give the folder that holds the model.")
    if not folder.is_dir():
        raise ModelError(f"There is no model folder {folder}. Check the path, or give the name of a model.")
    kind = _kind(folder)
    if kind is None:
        raise ModelError(_no_model(folder))
    if kind is ModelKind.WHISPER:
        whisperfiles.check(folder)
    else:
        sherpafiles.find(folder)
    return kind


def _kind(folder: Path) -> ModelKind | None:
    """The kind of model whose files ``folder`` has; says nothing of what is in them."""
    if (folder / whisperfiles.MODEL_FILE).exists():
        return ModelKind.WHISPER
    return ModelKind.SHERPA if any(folder.glob("*.onnx")) else None


def _no_model(folder: Path) -> str:
    for pattern, what in _FOREIGN.items():
        if found := next(iter(sorted(folder.glob(pattern))), None):
            return f"{folder} holds {found.name}, {what}."
    inner = next((child for child in _folders(folder) if _kind(child) is not None), None)
    hint = f"Did you mean {inner}?" if inner else "Give a folder with a Whisper or a streaming model."
    return f"{folder} is no model: it has no model.bin and no *.onnx. {hint}"


def _card(folder: Path) -> Card:
    try:
        return read_card(folder)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        where = f"{folder / CARD_FILE}: {field}"
        raise ModelError(f"{where}: {first['msg']}. Correct it or delete the file.") from None
    except OSError as problem:
        raise ModelError(f"{folder / CARD_FILE} cannot be read: {problem.strerror}.") from problem


def _pulled(name: str) -> Path | None:
    """The newest whole snapshot of ``name`` in the cache. Looks at folders only, never at the network."""
    known = catalog.find(name)
    if known is not None or "/" in name:
        repos = [models_cache() / f"models--{(known.repo if known else name).replace('/', '--')}"]
    else:
        repos = sorted(models_cache().glob(f"models--*--faster-whisper-{name}"))
    snapshots = [snapshot for repo in repos for snapshot in _folders(repo / "snapshots")]
    whole = [snapshot for snapshot in snapshots if _complete(snapshot)]
    return max(whole, key=lambda snapshot: snapshot.stat().st_mtime, default=None)


def _complete(snapshot: Path) -> bool:
    """Whether all files of a model have arrived; a transfer that broke off leaves some out."""
    if (snapshot / whisperfiles.MODEL_FILE).exists():
        return True
    names = [file.name for file in snapshot.glob("*") if file.exists()]
    return sherpafiles.choose(names) is not None and sherpafiles.TOKENS_FILE in names


def _pull_failed(name: str, problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
        return f"The model {name!r} could not be pulled: the disk of {models_cache()} is full. Make room."
    if type(problem).__name__ in ("RepositoryNotFoundError", "GatedRepoError", "HFValidationError"):
        return f"The hub has no public model {name!r}. Check the name, or give a model folder."
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    what = f"The model {name!r} is not on this machine and the hub cannot be reached"
    return f"{what} ({lines[0]}). {_remedy(name)}"


def _remedy(name: str) -> str:
    shipped = DEFAULT_FAST if catalog.find(name) else DEFAULT_MODEL
    return (
        f"Pull it while connected ('monitor models pull {name}'; HF_ENDPOINT may name a mirror of the hub), "
        f"or copy a model folder here and give its path, or use the shipped model {shipped!r}."
    )


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(child for child in root.iterdir() if child.is_dir())
    except OSError:
        return []


def _name(folder: Path) -> str:
    repo = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repo.startswith("models--"):
        name = repo.removeprefix("models--").replace("--", "/", 1)
        known = catalog.find(name)
        return known.name if known else name
    return folder.resolve().name


def _origin(folder: Path) -> Origin:
    resolved = folder.resolve()
    if resolved.is_relative_to(paths.models_dir().resolve()):
        return Origin.SHIPPED
    return Origin.PULLED if resolved.is_relative_to(models_cache().resolve()) else Origin.FOLDER
