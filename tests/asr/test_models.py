"""Finding, checking and pulling models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor import paths
from monitor.asr import models
from monitor.asr.card import Card
from monitor.asr.models import ModelError, ModelKind, Origin

SHIPPED = paths.models_dir() / "zh-careful"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped model without its card, so that a test may damage it."""
    folder = tmp_path / "copy"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("card.json"))
    return folder


@pytest.fixture
def pulled() -> Path:
    """A model in the user's cache, laid out as the hub's loader does."""
    folder = models.models_cache() / "models--Systran--faster-whisper-small" / "snapshots" / "abc"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("card.json"))
    return folder


# ---------------------------------------------------------------- finding


def test_the_shipped_model_is_whole_and_described():
    info = models.check("zh-careful")
    assert info.path == SHIPPED
    assert info.origin is Origin.SHIPPED
    assert info.kind is ModelKind.WHISPER
    assert info.card.real_length_windows
    assert not info.card.human_speech
    assert info.size < 12_000_000
    assert set(info.card.sha256) >= {"model.bin", "tokenizer.json", "vocabulary.json"}


def test_names_and_folders_are_told_apart(tmp_path, monkeypatch):
    assert models.resolve("zh-careful") == SHIPPED
    assert models.resolve(tmp_path) == tmp_path
    assert models.resolve("./nowhere") == Path("nowhere")
    assert models.resolve("large-v3") == "large-v3"
    assert models.resolve("someone/whisper-zh") == "someone/whisper-zh"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert models.resolve("mine") == Path("mine")


def test_a_name_nobody_knows_is_refused_with_the_choice():
    with pytest.raises(ModelError, match=r"no model 'tinny'.*zh-careful.*small"):
        models.resolve("tinny")


@pytest.mark.parametrize("name", ["small", "Systran/faster-whisper-small"])
def test_a_pulled_model_is_found_without_the_hub(pulled, name):
    assert models.resolve(name) == pulled
    assert models.obtain(name) == pulled
    info = models.check(name)
    assert (info.origin, info.name) == (Origin.PULLED, "Systran/faster-whisper-small")


def test_a_half_pulled_model_counts_as_missing(pulled):
    (pulled / "model.bin").unlink()
    assert models.resolve("small") == "small"
    assert [info.name for info in models.list_models()] == ["zh-careful", "zh-fast"]


def test_the_list_has_shipped_and_pulled_models_and_own_folders(pulled, copy):
    shutil.copytree(copy, models.models_cache() / "ours")
    found = [(info.name, info.origin) for info in models.list_models()]
    assert found == [
        ("zh-careful", Origin.SHIPPED),
        ("zh-fast", Origin.SHIPPED),
        ("Systran/faster-whisper-small", Origin.PULLED),
        ("ours", Origin.PULLED),
    ]
    assert models.resolve("ours") == models.models_cache() / "ours"


def test_a_folder_without_a_card_is_an_ordinary_whisper_model(copy):
    info = models.check(copy)
    assert info.card == Card()
    assert (info.origin, info.name) == (Origin.FOLDER, "copy")


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("left", [0, 3, 20, 1000, 2_000_000, 4_070_000])
def test_a_truncated_model_is_named(copy, left):
    file = copy / "model.bin"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ModelError, match=r"model\.bin is damaged: it .*Copy or pull"):
        models.check(copy)


def test_something_else_called_model_bin_is_named(copy):
    (copy / "model.bin").write_bytes(b"PK\x03\x04 this is a zip archive, not a model" * 10)
    with pytest.raises(ModelError, match="does not begin like a CTranslate2 model"):
        models.check(copy)


def test_a_model_for_translation_is_no_recogniser(copy):
    file = copy / "model.bin"
    head, rest = file.read_bytes().split(b"\x0c\x00WhisperSpec\x00", 1)
    file.write_bytes(head + b"\x10\x00TransformerSpec\x00" + rest)
    with pytest.raises(ModelError, match="kind TransformerSpec, not a Whisper model"):
        models.check(copy)


@pytest.mark.parametrize(("file", "remedy"), [("tokenizer.json", "copy_files"), ("vocabulary.json", "pull the model")])
def test_a_missing_file_is_named(copy, file, remedy):
    (copy / file).unlink()
    with pytest.raises(ModelError, match=rf"lacks {file}.*{remedy}"):
        models.check(copy)


def test_a_damaged_tokenizer_is_named(copy):
    (copy / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json is damaged"):
        models.check(copy)


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("model.safetensors", "ct2-transformers-converter"),
        ("pytorch_model.bin", "ct2-transformers-converter"),
        ("ggml-small.bin", "whisper.cpp"),
        ("model.nemo", "no engine here runs"),
    ],
)
def test_models_of_other_programs_are_recognised(tmp_path, file, what):
    (tmp_path / file).touch()
    with pytest.raises(ModelError, match=rf"holds {file}.*{what}"):
        models.check(tmp_path)


def test_folders_that_are_no_models(tmp_path, copy):
    with pytest.raises(ModelError, match=r"no model folder .*nowhere"):
        models.check(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"model\.bin is a file"):
        models.check(copy / "model.bin")
    with pytest.raises(ModelError, match=r"no model\.bin and no \*\.onnx\. Did you mean .*copy\?"):
        models.check(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"no model\.bin and no \*\.onnx\. Give a folder"):
        models.check(tmp_path / "empty")


def test_a_changed_or_missing_file_of_a_carded_model_is_named(copy):
    shutil.copy(SHIPPED / "card.json", copy)
    models.check(copy)
    config = copy / "config.json"
    config.write_text(config.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json differs from what its card lists"):
        models.check(copy)
    config.unlink()
    with pytest.raises(ModelError, match=r"lacks config\.json, which its card lists"):
        models.check(copy)


def test_a_wrong_card_is_named_by_its_field(copy):
    (copy / "card.json").write_text('{"max_seconds": 90}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"card\.json: max_seconds: .*Correct it or delete"):
        models.check(copy)


# ---------------------------------------------------------------- pulling


def test_offline_says_so_and_what_to_do():
    with pytest.raises(ModelError, match=r"'small' is not on this machine and the hub cannot be reached") as caught:
        models.pull("small")
    for remedy in ("monitor models pull small", "copy a model folder", "zh-careful", "HF_ENDPOINT"):
        assert remedy in str(caught.value)


def test_path_never_pulls():
    with pytest.raises(ModelError, match=r"'large-v3' is not on this machine\. Pull it"):
        models.path("large-v3")
    with pytest.raises(ModelError, match=r"'large-v3' is not on this machine\. Pull it"):
        models.obtain("large-v3", pull_missing=False)


def test_pulling_reports_progress_and_checks_what_came(monkeypatch, copy):
    def download(name: str, cache_dir: str) -> str:
        return str(shutil.copytree(copy, Path(cache_dir) / "models--Systran--faster-whisper-tiny" / "snapshots" / "1"))

    monkeypatch.setattr("faster_whisper.utils.download_model", download)
    arrived: list[int] = []
    info = models.pull("tiny", arrived.append)
    assert info.name == "Systran/faster-whisper-tiny"
    assert arrived[-1] == info.size > 4_000_000
    assert models.resolve("tiny") == info.path


def test_a_damaged_download_is_refused(monkeypatch, copy):
    (copy / "model.bin").write_bytes(b"")
    monkeypatch.setattr("faster_whisper.utils.download_model", lambda name, cache_dir: str(copy))
    with pytest.raises(ModelError, match=r"model\.bin is damaged"):
        models.pull("tiny")


def test_a_full_disk_is_named(monkeypatch):
    def download(name: str, cache_dir: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("faster_whisper.utils.download_model", download)
    with pytest.raises(ModelError, match=r"disk of .* is full"):
        models.pull("tiny")
