"""Finding, checking and pulling streaming models. The hub is a folder here."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.asr import catalog, models, onnxfile, sherpafiles
from monitor.asr.catalog import PublicFile, PublicModel
from monitor.asr.models import ModelError, ModelKind, Origin
from monitor.asr.sherpafiles import Form
from tests.asr import tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole streaming model."""
    (tmp_path / "fast").mkdir()
    return tiny.wenet_ctc(tmp_path / "fast")


# ---------------------------------------------------------------- the files of a model


@pytest.mark.parametrize("form", list(tiny.FORMS))
def test_every_form_is_told_by_its_files(tmp_path, form):
    info = models.check(tiny.FORMS[form](tmp_path))
    assert info.kind is ModelKind.SHERPA
    assert info.kind == "sherpa"
    assert info.kind.ear == "fast"
    assert sherpafiles.find(tmp_path).form is Form(form)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (
            "encoder-a.onnx encoder-a.int8.onnx decoder-a.onnx decoder-a.int8.onnx joiner-a.onnx joiner-a.int8.onnx",
            {"encoder": "encoder-a.int8.onnx", "decoder": "decoder-a.onnx", "joiner": "joiner-a.int8.onnx"},
        ),
        (
            "encoder.onnx encoder.int8.onnx decoder.onnx decoder.int8.onnx",
            {"encoder": "encoder.int8.onnx", "decoder": "decoder.int8.onnx"},
        ),
        (
            "encoder-1.onnx encoder-2.onnx decoder-2.onnx joiner-2.onnx with-state-9.onnx",
            {"encoder": "encoder-2.onnx", "decoder": "decoder-2.onnx", "joiner": "joiner-2.onnx"},
        ),
        ("ctc-a.onnx ctc-a.int8.onnx", {"model": "ctc-a.int8.onnx"}),
        ("a.onnx model.onnx tokens.txt", {"model": "model.onnx"}),
        ("64/encoder.onnx test.wav", None),
        ("encoder.onnx", None),
    ],
)
def test_the_files_of_one_model_are_chosen(names, chosen):
    assert sherpafiles.choose(names.split()) == chosen


def test_what_a_model_says_of_itself_is_read(folder):
    remarks = onnxfile.metadata(folder / "model.int8.onnx")
    assert remarks["vocab_size"] == str(len(tiny.tokens()))
    assert remarks["chunk_size"] == "8"


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("left", [0, 1, 5, 300, -1, -20])
def test_a_truncated_model_is_named(folder, left):
    file = folder / "model.int8.onnx"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ModelError, match=r"model\.int8\.onnx is damaged: .*Copy or pull the model again"):
        models.check(folder)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
        (b"PK\x03\x04 this is a zip archive" * 9, "no ONNX model"),
        (b"<html>Not found</html>", "no ONNX model"),
    ],
)
def test_something_else_called_onnx_is_named(folder, content, what):
    (folder / "model.int8.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=rf"model\.int8\.onnx is damaged: .*{what}"):
        models.check(folder)


def test_missing_tokens_are_named(folder):
    (folder / "tokens.txt").unlink()
    with pytest.raises(ModelError, match=r"lacks tokens\.txt.*Copy it from where the model came from"):
        models.check(folder)


def test_damaged_tokens_are_named(folder):
    (folder / "tokens.txt").write_text("<blk> 0\n好\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokens\.txt is damaged: line 2"):
        models.check(folder)


def test_tokens_of_another_model_are_named(folder):
    tiny.write_tokens(folder, tiny.tokens()[:-2])
    with pytest.raises(ModelError, match=r"tokens\.txt has 15 tokens, but the model writes 17"):
        models.check(folder)


def test_tokens_without_a_blank_are_named(folder):
    tiny.write_tokens(folder, ["好", *tiny.tokens()[1:]])
    with pytest.raises(ModelError, match=r"tokens\.txt has no blank"):
        models.check(folder)


def test_a_part_that_is_missing_is_named(tmp_path):
    tiny.transducer(tmp_path)
    for file in tmp_path.glob("decoder*"):
        file.unlink()
    with pytest.raises(ModelError, match="only a part of a model"):
        models.check(tmp_path)


def whole_utterance_model(folder: Path) -> None:
    graph = tiny.Graph()
    graph.op("Identity", graph.input("x", ("N", "T")), out="y")
    graph.output("y", ("N", "T"))
    graph.save(folder / "model.int8.onnx", model_type="sense_voice_ctc", vocab_size=17)


def test_models_that_cannot_stream_are_recognised(folder):
    whole_utterance_model(folder)
    with pytest.raises(ModelError, match=r"ONNX model of kind 'sense_voice_ctc', not a streaming one.*zipformer"):
        models.check(folder)


def test_a_transducer_for_whole_utterances_is_recognised(tmp_path):
    tiny.transducer(tmp_path)
    whole_utterance_model(tmp_path)
    (tmp_path / "model.int8.onnx").rename(tmp_path / "encoder-epoch-1.int8.onnx")
    with pytest.raises(ModelError, match="not a streaming one"):
        models.check(tmp_path)


def test_the_card_holds_digests_and_facts(folder):
    digest = hashlib.sha256((folder / "tokens.txt").read_bytes()).hexdigest()
    card = {"name": "zh-tiny", "start_bias_seconds": 0.2, "tail_seconds": 0.6, "sha256": {"tokens.txt": digest}}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    info = models.check(folder)
    assert (info.name, info.origin, info.card.tail_seconds) == ("zh-tiny", Origin.FOLDER, 0.6)
    (folder / "tokens.txt").write_text((folder / "tokens.txt").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokens\.txt differs from what its card lists"):
        models.check(folder)


def test_a_model_for_the_other_ear_is_refused_with_the_remedy(folder):
    with pytest.raises(
        ModelError, match=r"holds a streaming model, where a Whisper model is wanted: name it as the fast"
    ):
        models.check(folder, ModelKind.WHISPER)
    assert models.check(folder, ModelKind.SHERPA).kind is ModelKind.SHERPA


def test_own_folders_in_the_cache_are_listed(folder):
    shutil.copytree(folder, models.models_cache() / "ours")
    (info,) = [info for info in models.list_models() if info.name == "ours"]
    assert (info.kind, info.origin) == (ModelKind.SHERPA, Origin.PULLED)
    assert models.resolve("ours") == info.path


# ---------------------------------------------------------------- the catalogue


def test_the_catalogue_can_be_pulled_and_found():
    for name, model in catalog.MODELS.items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert re.fullmatch(r"[0-9a-f]{40}", model.revision)
        assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in model.files if file.sha256)
        names = [file.name for file in model.files]
        assert set((sherpafiles.choose(names) or {}).values()) | {"tokens.txt", "bpe.vocab"} >= set(names)
        assert "tokens.txt" in names
        assert catalog.find(model.repo) is catalog.find(name) is model
        assert name in models.known_names()
        assert models.resolve(name) == name


# ---------------------------------------------------------------- pulling


class Hub:
    """Stands in for the hub's client: lays files out as the real one does, and remembers what was asked for."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.garble: set[str] = set()

    def snapshot_download(
        self, repo: str, *, revision: str, allow_patterns: Iterable[str], cache_dir: str, tqdm_class: Any
    ) -> str:
        wanted = tuple(allow_patterns)
        self.asked.append((repo, revision, wanted))
        base = Path(cache_dir) / f"models--{repo.replace('/', '--')}"
        snapshot = base / "snapshots" / revision
        for path in (base / "blobs", snapshot):
            path.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            if not (snapshot / name).exists() and (self.source / name).exists():
                data = (self.source / name).read_bytes()
                # The hub states SHA-256 of large files and git's digest of small ones.
                git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
                stored = base / "blobs" / (hashlib.sha256(data).hexdigest() if name.endswith(".onnx") else git)
                stored.write_bytes(data[:-1] + b"\0" if name in self.garble else data)
                (snapshot / name).symlink_to(stored)
        return str(snapshot)


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub(folder)
    monkeypatch.setattr("huggingface_hub.snapshot_download", found.snapshot_download)
    monkeypatch.setattr(
        "huggingface_hub.HfApi.list_repo_files",
        lambda self, repo: [file.name for file in folder.iterdir()],
    )
    return found


@pytest.fixture
def public(folder: Path, monkeypatch: pytest.MonkeyPatch) -> PublicModel:
    """An entry of the catalogue for the tiny model."""
    data = (folder / "model.int8.onnx").read_bytes()
    files = (
        PublicFile("model.int8.onnx", len(data), hashlib.sha256(data).hexdigest()),
        PublicFile("tokens.txt"),
    )
    model = PublicModel("tiny-zh", "someone/tiny-streaming-zh", "c" * 40, "Apache-2.0", "", files)
    monkeypatch.setitem(catalog.MODELS, "tiny-zh", model)
    monkeypatch.setitem(catalog._BY_REPO, model.repo, model)
    return model


def test_a_model_of_the_catalogue_is_pulled_checked_and_found(hub, public, folder):
    (folder / "test.wav").write_bytes(b"\0" * 9999)
    arrived: list[int] = []
    info = models.pull("tiny-zh", arrived.append)
    assert hub.asked == [(public.repo, public.revision, ("model.int8.onnx", "tokens.txt"))]
    assert (info.name, info.kind, info.origin) == ("tiny-zh", ModelKind.SHERPA, Origin.PULLED)
    assert arrived[-1] == info.size == sum((folder / name).stat().st_size for name in hub.asked[0][2])
    assert models.resolve("tiny-zh") == models.resolve(public.repo) == info.path
    assert "tiny-zh" in [info.name for info in models.list_models()]


@pytest.mark.parametrize("damaged", ["model.int8.onnx", "tokens.txt"])
def test_a_file_that_differs_is_refused_and_fetched_again(hub, public, damaged):
    hub.garble = {damaged}
    with pytest.raises(ModelError, match=rf"{re.escape(damaged)} arrived damaged: its checksum.*Pull the model again"):
        models.pull("tiny-zh")
    assert models.resolve("tiny-zh") == "tiny-zh"
    hub.garble = set()
    assert models.pull("tiny-zh").name == "tiny-zh"


def test_a_file_of_another_size_is_refused(hub, public, monkeypatch):
    wrong = (PublicFile("model.int8.onnx", 12), PublicFile("tokens.txt"))
    model = PublicModel(public.name, public.repo, public.revision, "", "", wrong)
    monkeypatch.setitem(catalog.MODELS, "tiny-zh", model)
    with pytest.raises(ModelError, match="arrived damaged"):
        models.pull("tiny-zh")


def test_a_file_that_the_hub_no_longer_has_is_named(hub, public, folder):
    (folder / "tokens.txt").unlink()
    with pytest.raises(ModelError, match=r"did not send tokens\.txt"):
        models.pull("tiny-zh")


def test_any_streaming_model_of_the_hub_can_be_pulled(hub, folder):
    (folder / "model.onnx").write_bytes(b"never fetched")
    info = models.pull("someone/else")
    assert hub.asked == [("someone/else", "main", ("model.int8.onnx", "tokens.txt"))]
    assert (info.name, info.kind) == ("someone/else", ModelKind.SHERPA)
    assert models.resolve("someone/else") == info.path


def test_a_repository_of_something_else_is_refused(hub, folder):
    (folder / "tokens.txt").unlink()
    with pytest.raises(ModelError, match=r"'someone/else' holds neither a CTranslate2 Whisper model nor"):
        models.pull("someone/else")
    assert hub.asked == []


def test_a_whisper_repository_is_pulled_as_one(hub, folder, monkeypatch):
    (folder / "model.bin").touch()
    shipped = models.path("zh-careful")
    asked: list[str] = []

    def download(name: str, cache_dir: str) -> str:
        asked.append(name)
        return str(shipped)

    monkeypatch.setattr("faster_whisper.utils.download_model", download)
    assert models.pull("someone/whisper").kind is ModelKind.WHISPER
    assert asked == ["someone/whisper"]


@pytest.mark.parametrize("name", ["zipformer-zh-14m", "someone/streaming"])
def test_offline_says_so_and_what_to_do(name):
    with pytest.raises(ModelError, match=rf"'{name}' is not on this machine and the hub cannot be reached") as caught:
        models.pull(name)
    assert f"monitor models pull {name}" in str(caught.value)
    assert "copy a model folder" in str(caught.value)


def test_half_a_model_counts_as_missing(hub, public):
    info = models.pull("tiny-zh")
    (info.path / "tokens.txt").unlink()
    assert models.resolve("tiny-zh") == "tiny-zh"


def test_loading_pulls_what_is_missing(hub, public, asking):
    from monitor.asr.sherpa import Sherpa

    with pytest.raises(ModelError, match=r"'tiny-zh' is not on this machine\. Pull it .*'zh-fast'"):
        Sherpa("tiny-zh", pull=False).load()
    engine = Sherpa("tiny-zh")
    (answer,) = engine.recognise([asking(1, np.zeros(8000, np.int16))])
    assert answer.failed is None
    assert engine.name == "tiny-zh"
