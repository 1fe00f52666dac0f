"""Targets: which tokens, at which frames, after which silence."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training import ctc_targets  # noqa: E402
from training.batches import Example, prepare  # noqa: E402
from training.ctc_form import frames_for  # noqa: E402
from training.ctc_targets import Targets, bytes_to_fbank, ctc_tokens  # noqa: E402
from training.features import RATE, fbank  # noqa: E402
from training.readings import readings  # noqa: E402
from training.shards import Utterance  # noqa: E402
from training.vocabulary import Vocabulary  # noqa: E402

TOKENS = ("<blk>", *"你好请稍等")
DELAY = 4


def example(text: str, start: float = 0.2, each: float = 0.2, seconds: float = 2.0) -> Example:
    labels = tuple((char, start + k * each, start + (k + 1) * each, 0) for k, char in enumerate(text))
    values = np.random.default_rng(len(text)).integers(60, 200, (round(seconds * 100), 80)).astype(np.uint8)
    return prepare(Utterance(values, values, labels, "espeak", "f1"))


def batch(*examples: Example, seed: int = 1) -> ctc_targets.Batch:
    return Targets(TOKENS, DELAY).batch(examples, Random(seed), np.random.default_rng(seed))


def test_tokens_are_the_blank_and_the_characters() -> None:
    vocabulary = Vocabulary(("", "<unk>", "，", "1", "a", "你", "好", "<|endoftext|>", "<|zh|>"))
    assert ctc_tokens(vocabulary) == ("<blk>", "你", "好")


def test_a_character_shows_halfway_and_the_delay_later() -> None:
    _, tokens, spikes, starts = Targets(TOKENS, DELAY).plain(example("你，好"))
    assert tokens == [1, 2]
    assert spikes == [int(0.3 / 0.04) + DELAY, int(0.7 / 0.04) + DELAY]
    assert starts == pytest.approx([0.2, 0.6])


def test_fast_characters_get_a_frame_each_and_equal_ones_a_blank_between() -> None:
    _, _, spikes, _ = Targets(TOKENS, DELAY).plain(example("你好好请", each=0.01))
    assert spikes[1] == spikes[0] + 1
    assert spikes[2] == spikes[1] + 2
    assert spikes[3] == spikes[2] + 1


def test_the_last_character_has_time_to_show() -> None:
    fbank, _, spikes, _ = Targets(TOKENS, DELAY).plain(example("你好", start=1.6, seconds=2.0))
    outputs = fbank.shape[1] // 4 - 1
    assert fbank.shape[1] >= frames_for(spikes[-1] + 2) and spikes[-1] < outputs


def test_a_batch_says_the_same_in_columns() -> None:
    made = batch(example("你好请等"), example("稍等稍等", seconds=2.4), example("", seconds=1.0))
    texts = []
    for number, count in enumerate(made.counts.tolist()):
        columns = made.written[number, :count]
        texts.append("".join(TOKENS[token] for token in made.columns[number][columns].tolist()))
    assert sorted("".join(texts)) == sorted("你好请等稍等稍等")
    assert made.utterances == 3
    assert len(made.spikes) == 8
    shown = [TOKENS[int(made.columns[row, column])] for row, _, column in made.spikes.tolist()]
    assert "".join(shown) == "".join(texts)
    spiked = {(row, frame) for row, frame, _ in made.spikes.tolist()}
    assert not spiked & {(row, frame) for row, frame in made.blanks.tolist()}
    assert made.fbank.shape[1] == frames_for(int(made.lengths.max()))


def test_sounds_are_late_by_the_delay() -> None:
    made = batch(example("你", start=0.4, each=0.4))
    wanted = readings("你")[0].tolist()
    heard = {frame for row, frame, *classes in made.sounds.tolist() if classes == wanted}
    assert heard and heard <= set(range(10 + DELAY, 20 + DELAY))
    assert all(classes in (wanted, [0, 0, 0]) for _, _, *classes in made.sounds.tolist())


def test_chained_utterances_keep_their_order_and_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctc_targets, "CHAINED", 1.0)
    made = batch(example("你好"), example("请等"), example("稍"))
    assert len(made.counts) == 2 and made.utterances == 3
    assert sorted(made.counts.tolist()) in ([1, 4], [2, 3])
    for row in range(2):
        frames = made.spikes[made.spikes[:, 0] == row, 1].tolist()
        assert frames == sorted(set(frames)) and frames[-1] < made.lengths[row]


def test_rounding_fills_empty_bands_as_16_bits_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ROUNDED", 1.0), ("HISSING", 0.0), ("LOUDER", 0.0), ("CHAINED", 0.0)):
        monkeypatch.setattr(ctc_targets, name, value)
    monkeypatch.setattr(ctc_targets, "dither", lambda *_: None)
    tone = (0.1 * np.sin(2 * np.pi * 439.77 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    empty, real = fbank(tone), bytes_to_fbank(fbank(tone))  # the shards' features are rounded already
    empty[:, 60:] = 20  # as after making it quieter: far below what 16 bits can hold
    made = batch(prepare(Utterance(empty, empty, (), "none", "tone")))
    got = made.fbank[0, : len(empty)].numpy()
    assert (bytes_to_fbank(empty)[5:-5, 60:].mean() + 2) < real[5:-5, 60:].mean()
    assert np.abs(got[5:-5, 60:].mean(0) - real[5:-5, 60:].mean(0)).max() < 0.5


def test_bytes_become_kaldis_values() -> None:
    assert bytes_to_fbank(np.array([[0, 255, 85]], np.uint8))[0] == pytest.approx([-12, 24, 0], abs=1e-5)
