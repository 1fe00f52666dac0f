"""Targets of the Whisper form: tokens shown and asked, prompts, timestamps, and where each is heard."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch

from tests.training.made import example, vocabulary
from training import whisper_targets
from training.batches import Example
from training.whisper_targets import IGNORED, SLACK, Batch, Targets

WORDS = vocabulary("你好请稍等再见")
IDS = WORDS.ids


@pytest.fixture(autouse=True)
def nothing_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIMESTAMPED", "PROMPTED", "MIXED_UP"):
        monkeypatch.setattr(whisper_targets, name, 0.0)
    monkeypatch.setattr(whisper_targets, "dither", lambda *_: None)


def batch(*examples: Example, others: tuple[str, ...] = (), seed: int = 1) -> Batch:
    return Targets(WORDS, others).batch(examples, Random(seed), np.random.default_rng(seed))


def shown(made: Batch, row: int = 0) -> list[str]:
    """Tokens that the decoder sees, up to where the row is filled up."""
    count = int((made.targets[row] != IGNORED).nonzero().max()) + 1
    return [WORDS.tokens[token] for token in made.tokens[row, :count].tolist()]


def asked(made: Batch, row: int = 0) -> list[str]:
    """What it must answer; a dot where nothing is asked."""
    count = len(shown(made, row))
    return ["." if token == IGNORED else WORDS.tokens[token] for token in made.targets[row, :count].tolist()]


def test_text_without_timestamps() -> None:
    made = batch(example("你好"))
    assert shown(made) == ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>", "你", "好"]
    assert asked(made) == ["<|zh|>", ".", ".", "你", "好", "<|endoftext|>"]


def test_targets_are_heard_where_they_are_said() -> None:
    heard = batch(example("你好", start=0.3, each=0.2)).heard[0]
    assert torch.allclose(heard[3:6], torch.tensor([[0.3, 0.5], [0.5, 0.7], [0.7, 0.8]]))
    assert (heard[:3, 1] < 0).all()


def test_what_the_vocabulary_lacks_is_asked_as_unknown() -> None:
    assert asked(batch(example("你龘")))[3:] == ["你", "<unk>", "<|endoftext|>"]


def test_sentences_stand_between_their_timestamps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_targets, "TIMESTAMPED", 1.0)
    made = batch(example("你好再见", start=0.2, each=0.2, sentences=(0, 0, 1, 1)))
    written = ["<|0.20|>", "你", "好", "<|0.60|>", "<|0.60|>", "再", "见", "<|1.00|>"]
    assert asked(made)[2:] == [*written, "<|endoftext|>"]
    assert shown(made)[3:] == written
    assert torch.allclose(made.heard[0, 2], torch.tensor([0.2 - SLACK, 0.2 + SLACK]))


@pytest.mark.parametrize(("share", "written"), [(0.0, "<|notimestamps|>"), (1.0, "<|0.00|>")])
def test_nothing_is_written_where_nobody_speaks(monkeypatch: pytest.MonkeyPatch, share: float, written: str) -> None:
    monkeypatch.setattr(whisper_targets, "TIMESTAMPED", share)
    made = batch(example(""))
    assert shown(made)[3:] == [written]
    assert asked(made)[0] == "<|nospeech|>" and asked(made)[-1] == "<|endoftext|>"
    assert asked(made)[2] == ("." if share == 0.0 else "<|0.00|>")
    assert (made.heard[..., 1] < 0).all()


def test_a_prompt_is_shown_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_targets, "PROMPTED", 1.0)
    prompts = set()
    for seed in range(30):
        made = batch(example("你好"), others=("请稍等，再见。",), seed=seed)
        begin = shown(made).index("<|startoftranscript|>")
        assert shown(made)[0] == "<|startofprev|>" and set(asked(made)[:begin]) == {"."}
        assert asked(made)[begin:] == ["<|zh|>", ".", ".", "你", "好", "<|endoftext|>"]
        assert (made.heard[0, :begin, 1] < 0).all()
        prompts.add("".join(shown(made)[1:begin]))
    assert "请稍等，再见。" in prompts  # what was said before
    lists = [prompt for prompt in prompts if prompt.startswith(" ")]  # words to expect
    assert len(lists) > 5 and any("你好" in prompt for prompt in lists) and any("稍等" in prompt for prompt in lists)


def test_rows_are_filled_up_and_nothing_asked_there() -> None:
    made = batch(example("你"), example("你好请稍等"))
    assert made.tokens.shape == made.targets.shape == made.heard.shape[:2] == (2, 9)
    assert (made.tokens[0, 5:] == IDS["<|endoftext|>"]).all() and (made.targets[0, 5:] == IGNORED).all()
    assert asked(made, 1)[3:] == [*"你好请稍等", "<|endoftext|>"]


def test_features_come_back_and_padding_is_silence() -> None:
    short, long = example("你", seconds=1.0), example("你好", seconds=2.0)
    made = batch(short, long)
    assert made.mel.shape == (2, 80, 112) and made.mel.shape[2] % 16 == 0
    assert torch.allclose(
        made.mel[0, :, :50].T, torch.from_numpy(short.utterance.mel.astype(np.float32)) * (4 / 255) - 2
    )
    assert (made.mel[0, :, 50:] == 0).all() and (made.mel[1, :, 100:] == 0).all()
    assert made.sounds.shape == (2, 56, 3) and (made.sounds[0, 5:10] == torch.from_numpy(short.sounds[0])).all()
    assert made.judged[0, :29].all() and not made.judged[0, 29:].any() and made.judged[1, :54].all()


def test_some_tokens_are_shown_wrongly_but_asked_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_targets, "MIXED_UP", 0.5)
    torch.manual_seed(1)
    made = batch(example("你好请稍等" * 4, seconds=6.0))
    assert asked(made)[3:-1] == list("你好请稍等" * 4)
    wrong = [one for one, right in zip(shown(made)[4:], "你好请稍等" * 4, strict=True) if one != right]
    assert 4 < len(wrong) < 16
    assert shown(made)[:4] == ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>"]


def test_the_end_of_what_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_targets, "TEXT", 8)
    made = batch(example("你好请稍等再见"))
    assert made.tokens.shape == (1, 8) and asked(made)[3:] == list("你好请稍等")
