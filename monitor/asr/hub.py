"""Fetching models from the hub into a cache folder: what is missing only, and held against its digests."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from monitor.asr import catalog, sherpafiles
from monitor.asr.errors import ModelError

Progress = Callable[[int], None]
"""Told from time to time how many bytes have arrived."""

WHISPER_FILE = "model.bin"
_PIECE = 1 << 20


def fetch(name: str, cache: Path, progress: Progress | None = None) -> Path:
    """The folder of model ``name`` in ``cache``, after fetching what it lacks; broken transfers go on where they ended.

    Raises ``ModelError`` when what came is damaged or no model, and what the hub's client raises when it fails.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _Watch(cache, progress):
        if (known := catalog.find(name)) is not None:
            return _streaming(known, cache)
        if "/" not in name:
            return _whisper(name, cache)
        from huggingface_hub import HfApi

        files = HfApi().list_repo_files(name)
        if WHISPER_FILE in files:
            return _whisper(name, cache)
        return _streaming(_described(name, files), cache)


def _whisper(name: str, cache: Path) -> Path:
    from faster_whisper.utils import download_model

    return Path(download_model(name, cache_dir=str(cache)))


def _described(repo: str, files: list[str]) -> catalog.PublicModel:
    """An entry like the catalogue's for a repository that nobody described."""
    chosen = sherpafiles.choose(files)
    if chosen is None or sherpafiles.TOKENS_FILE not in files:
        raise ModelError(
            f"The hub's {repo!r} holds neither a CTranslate2 Whisper model nor a streaming model of sherpa-onnx. "
            f"Choose another ('monitor models list' names some)."
        )
    wanted = [*chosen.values(), sherpafiles.TOKENS_FILE, *({sherpafiles.BPE_FILE} & set(files))]
    return catalog.PublicModel(repo, repo, "main", "", "", tuple(map(catalog.PublicFile, wanted)))


def _streaming(model: catalog.PublicModel, cache: Path) -> Path:
    from faster_whisper.utils import disabled_tqdm
    from huggingface_hub import snapshot_download

    folder = Path(
        snapshot_download(
            model.repo,
            revision=model.revision,
            allow_patterns=[file.name for file in model.files],
            cache_dir=str(cache),
            tqdm_class=disabled_tqdm,
        )
    )
    for file in model.files:
        _verify(folder / file.name, file)
    return folder


def _verify(path: Path, file: catalog.PublicFile) -> None:
    """Holds a file against its digest; one that differs is removed, so that it is fetched again next time."""
    if not path.is_file():
        raise ModelError(f"The hub did not send {file.name}. Pull the model again, or choose another.")
    stored = path.resolve()
    # The hub's client names what it stores by the digest that the hub stated: SHA-256, or git's own for small files.
    wanted = file.sha256 or (stored.name if stored.parent.name == "blobs" else "")
    if file.size not in (0, stored.stat().st_size) or (wanted and _digest(stored, wanted) != wanted):
        path.unlink()
        stored.unlink(missing_ok=True)
        raise ModelError(
            f"{file.name} arrived damaged: its checksum is not the one it should have. Pull the model again; "
            f"if that does not help, the mirror that HF_ENDPOINT names may hold another file."
        )


def _digest(path: Path, like: str) -> str:
    """The digest of a file, of the kind that ``like`` has; ``like`` itself for no kind known."""
    if len(like) == 64:
        digest = hashlib.sha256()
    elif len(like) == 40:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)  # as git does
    else:
        return like
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def folder_size(folder: Path) -> int:
    """Bytes of all files below ``folder``; links count as what they lead to."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


class _Watch:
    """Reports twice a second how much a folder has grown, until the ``with`` block ends."""

    def __init__(self, folder: Path, progress: Progress | None) -> None:
        self._folder, self._progress = folder, progress
        self._before = self._size()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="model-pull-progress", daemon=True)

    def _run(self) -> None:
        while not self._done.wait(0.5):
            self._report()
        self._report()

    def _size(self) -> int:
        # Snapshots link to what is stored once; the links are not counted again.
        files = (file for file in self._folder.rglob("*") if file.is_file() and not file.is_symlink())
        return sum(file.stat().st_size for file in files)

    def _report(self) -> None:
        if self._progress is not None:
            try:
                self._progress(max(0, self._size() - self._before))
            except OSError:
                return  # a file was renamed while we looked

    def __enter__(self) -> None:
        if self._progress is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
