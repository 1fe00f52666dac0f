"""The tokens of both models: one a character, and Whisper's control tokens after them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from training import slots
from training.words import level_one

PUNCTUATION = "，。？！、"
LANGUAGES = ("en", "zh", "yue")
"""Whisper's code asks for English and Cantonese too; only Mandarin is trained."""

MOST_SECONDS = 30
TIMESTAMP = 0.02
"""Seconds between two timestamp tokens."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``tokens`` in the order of their numbers; number 0 is the empty token (the CTC blank)."""

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError("a token stands twice in the vocabulary")

    @property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @property
    def text(self) -> tuple[str, ...]:
        """The tokens of text, before the control tokens."""
        return self.tokens[: self.tokens.index("<|endoftext|>")]

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(self.tokens, ensure_ascii=False), encoding="utf-8")


def load(file: Path) -> Vocabulary:
    """A saved vocabulary."""
    return Vocabulary(tuple(json.loads(file.read_text(encoding="utf-8"))))


def build(texts: Path) -> Vocabulary:
    """Level one of GB 2312 and every character of the text files and of the slots."""
    written = "".join(file.read_text(encoding="utf-8") for file in sorted(texts.glob("*.txt")))
    made = slots.SURNAMES + slots.GIVEN + "".join(slots.CITIES + slots.STREETS + slots.ESTATES + slots.COMPANIES)
    characters = {char for char in written + made + "幺" if "\u4e00" <= char <= "\u9fff"} | set(level_one())
    text = ["", "<unk>", " ", "-", "'", *PUNCTUATION, *"0123456789", *"abcdefghijklmnopqrstuvwxyz", *sorted(characters)]
    control = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in LANGUAGES)]
    others = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    control += [f"<|{name}|>" for name in others]
    stamps = [f"<|{step * TIMESTAMP:.2f}|>" for step in range(round(MOST_SECONDS / TIMESTAMP) + 1)]
    return Vocabulary((*text, *control, *stamps))


def save_tokenizer(vocabulary: Vocabulary, file: Path) -> None:
    """Write the ``tokenizer.json`` that faster-whisper reads: one character a token, unknown ones to ``<unk>``."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel(vocabulary.ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    control = vocabulary.tokens[len(vocabulary.text) :]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    tokenizer.save(str(file))
