"""Between our form and CTranslate2: the same model on both sides, and back again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.made import TEXT, vocabulary
from training.ctranslate import begin_from, export, read_weights
from training.vocabulary import Vocabulary
from training.whisper_form import Shape, WhisperForm, look_locally

WORDS = vocabulary(TEXT + "再见谢您的来电")
PROMPT = ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>"]


def form(words: Vocabulary = WORDS, encoder: int = 2, decoder: int = 2, seed: int = 1) -> WhisperForm:
    torch.manual_seed(seed)
    model = WhisperForm(Shape(len(words.tokens), width=64, heads=4, encoder=encoder, decoder=decoder))
    look_locally(model)
    torch.nn.init.normal_(model.decoder.positions.weight, std=0.6)  # other answers at other places
    for name, parameter in model.named_parameters():
        if name.endswith("bias") or "norm" in name:
            torch.nn.init.normal_(parameter, mean=float("norm.weight" in name), std=0.1)
    return model.eval()


def sound() -> Tensor:
    return torch.randn(1, 80, 200, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(form(), WORDS, folder, quantization="float32")
    return folder


@torch.no_grad()
def test_both_encode_alike(exported: Path) -> None:
    theirs = ctranslate2.models.Whisper(str(exported), device="cpu", compute_type="float32", intra_threads=1)
    features = ctranslate2.StorageView.from_array(sound().numpy())
    encoded = np.asarray(theirs.encode(features, to_cpu=True))
    ours = form().encoder(sound(), None)[0].numpy()
    assert np.allclose(encoded, ours, atol=1e-3)


@torch.no_grad()
def greedy(model: WhisperForm, words: Vocabulary, count: int) -> list[str]:
    """Text written by the likeliest token at each place; what the export forbids is left out."""
    ids = words.ids
    tokens = [ids[one] for one in PROMPT]
    for step in range(count):
        logits = model(sound(), torch.tensor([tokens]), None)[0][0, -1]
        logits[ids["<unk>"]] = -1e9
        if step == 0:
            logits[[ids[" "], ids["<|endoftext|>"]]] = -1e9
        tokens.append(int(logits.argmax()))
    return [words.tokens[token] for token in tokens[len(PROMPT) :]]


@pytest.mark.parametrize("quantization", ["float32", "int8"])
def test_both_write_the_same(tmp_path: Path, quantization: str) -> None:
    export(form(), WORDS, tmp_path / "model", quantization=quantization)
    theirs = ctranslate2.models.Whisper(str(tmp_path / "model"), device="cpu", intra_threads=1)
    features = ctranslate2.StorageView.from_array(sound().numpy())
    (result,) = theirs.generate(features, [PROMPT], beam_size=1, max_length=len(PROMPT) + 12)
    written = result.sequences[0]
    assert len(written) >= 8 and len(set(written)) > 4
    assert written == greedy(form(), WORDS, len(written))


def test_the_folder_is_one_that_faster_whisper_loads(exported: Path) -> None:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(exported), device="cpu", compute_type="float32", cpu_threads=1)
    assert model.hf_tokenizer.token_to_id("<|zh|>") == WORDS.ids["<|zh|>"]
    assert model.feature_extractor.n_fft == 400 and model.model.is_multilingual


def test_what_was_exported_is_what_one_begins_from(exported: Path) -> None:
    model = form(seed=2)
    begin_from(exported, model, WORDS)
    expected = form().state_dict()
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, expected[name]) != name.startswith("sounds."), name


def test_whole_numbers_come_back_nearly(tmp_path: Path) -> None:
    export(form(), WORDS, tmp_path / "model")
    weights = read_weights(tmp_path / "model" / "model.bin")
    expected = form().decoder.tokens.weight.detach().numpy()
    assert np.abs(weights["decoder/embeddings/weight"] - expected).max() < np.abs(expected).max() / 100


@torch.no_grad()
def test_added_layers_change_nothing_at_first(exported: Path) -> None:
    larger = form(encoder=4, decoder=3, seed=2)
    begin_from(exported, larger, WORDS)
    tokens = torch.tensor([[WORDS.ids[one] for one in (*PROMPT, *"你好")]])
    logits, weights, _ = larger(sound(), tokens, None)
    expected, aligned, _ = form()(sound(), tokens, None)
    assert torch.allclose(logits, expected, atol=1e-4) and torch.allclose(weights, aligned, atol=1e-5)


@torch.no_grad()
def test_a_folder_of_twice_the_frame_rate_hears_a_steady_sound_alike(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "finer")
    file = tmp_path / "finer" / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "hop_length": 160}))
    model = form(seed=2)
    begin_from(tmp_path / "finer", model, WORDS)
    steady = torch.linspace(-1, 1, 80)[None, :, None].expand(1, 80, 40)
    ramp = torch.linspace(-1, 1, 79)[None, None].expand(1, 80, 79)
    ours, theirs = model.encoder, form().encoder
    assert torch.allclose(ours._convolve(steady)[:, 1:-1], theirs._convolve(steady)[:, 1:-1], atol=1e-5)
    assert torch.allclose(ours.first(ramp[..., ::2])[..., 1:-1], theirs.first(ramp)[..., 2:-2:2], atol=1e-5)


def test_characters_that_both_know_keep_their_weights(exported: Path) -> None:
    words = vocabulary("见好新")
    model = form(words, seed=2)
    before = model.decoder.tokens.weight.detach().clone()
    begin_from(exported, model, words)
    after, source = model.decoder.tokens.weight, form().decoder.tokens.weight
    for token in ("好", "见", "<|zh|>", "<|12.34|>"):
        assert torch.equal(after[words.ids[token]], source[WORDS.ids[token]])
    assert torch.equal(after[words.ids["新"]], before[words.ids["新"]])


def test_a_file_that_is_cut_short_or_another_is_refused(exported: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes((exported / "model.bin").read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"model\.bin: it ends inside"):
        read_weights(file)
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="does not begin like"):
        read_weights(file)
