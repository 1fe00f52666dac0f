"""The careful ear: any CTranslate2 Whisper model, through faster-whisper."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.asr import audio, doubt, models, ngrams, steady, timing
from monitor.asr.card import Card
from monitor.asr.spelling import Hints, Speller
from monitor.core.types import AsrRequest, Hypothesis, Word

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from ctranslate2.models import WhisperGenerationResult
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

log = logging.getLogger(__name__)

LEAST_SECONDS = 0.5
MOST_TOKENS = 448
MOST_TOKENS_A_SECOND = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A stretch of request number ``owner`` that fits one window: samples ``start``..``end`` of the request.

    ``mel`` has shape (bands, window); the first ``frames`` columns are audio, the others padding.
    """

    owner: int
    start: int
    end: int
    rate: int
    final: bool
    level: audio.Levels
    mel: audio.Floats
    frames: int

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / self.rate


class Whisper:
    """Recognises Mandarin. ``model`` is a model folder, or a name that ``models.resolve`` knows.

    ``threads`` are CPU threads of one pass. ``hot_words`` are expected words: hints for a prompt, where the card of the
    model says that it understands one, and for the spelling, where it has a language model. A name that is not on this
    machine is pulled by ``load`` when ``pull`` is set.
    """

    rate = 16000

    def __init__(  # keywords that a configuration sets
        self,
        model: str | Path,
        *,
        threads: int = 1,
        device: str = "cpu",
        compute_type: str = "default",
        hot_words: Sequence[str] = (),
        pull: bool = True,
    ) -> None:
        self.name = Path(model).name if models.is_folder(model) else str(model)
        self.batch = 16 if device == "cuda" else 4
        self.card = Card()
        self._model = model
        self._options = {"device": device, "compute_type": compute_type, "cpu_threads": threads}
        self._hot_words = tuple(hot_words)
        self._pull = pull
        self._whisper: WhisperModel | None = None
        self._speller: Speller | None = None

    # ------------------------------------------------------------ loading

    def load(self) -> None:
        """See ``Engine.load``."""
        if self._whisper is not None:
            return
        info = models.check(models.obtain(self._model, pull_missing=self._pull), models.ModelKind.WHISPER)
        from faster_whisper import WhisperModel  # half a second that only engines need

        try:
            whisper = WhisperModel(str(info.path), **self._options)
        except (RuntimeError, ValueError, OSError) as problem:
            raise models.ModelError(
                f"The model in {info.path} cannot be loaded: {problem}. "
                f"Pull it again, or choose another compute type or device."
            ) from problem
        if not whisper.model.is_multilingual:
            raise models.ModelError(f"{self.name} understands English only: choose a model without '.en'.")
        self.card = info.card
        self._speller = _speller(info, whisper, self._hot_words)
        self._tokens = self._tokenizer(whisper)
        self._prompt = self._prompt_tokens()
        self._whisper = whisper

    @staticmethod
    def _tokenizer(whisper: WhisperModel) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(whisper.hf_tokenizer, multilingual=True, task="transcribe", language="zh")

    def _prompt_tokens(self) -> list[int]:
        before: list[int] = []
        if self._hot_words and self.card.hot_words:
            hints = self._tokens.encode(" " + "，".join(self._hot_words))[: MOST_TOKENS // 2 - 1]
            before = [self._tokens.sot_prev, *hints]
        return [*before, *self._tokens.sot_sequence, self._tokens.no_timestamps]

    # ------------------------------------------------------------ recognising

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """See ``Engine.recognise``. Stretches longer than the model can take are cut at quiet places."""
        failed: dict[int, str] = {}
        pieces: list[Piece] = []
        for owner, request in enumerate(requests):
            try:
                self.load()
                pieces.extend(self._pieces(owner, request))
            except Exception as problem:
                failed[owner] = _reason(problem)
        heard: dict[int, list[tuple[Piece, list[timing.Timed]]]] = defaultdict(list)
        for group in _groups(pieces, self.batch):
            for piece, words in zip(group, self._hear_safely(group, failed), strict=True):
                heard[piece.owner].append((piece, words))
        return [
            Hypothesis(request.id, (), failed=failed[owner])
            if owner in failed
            else Hypothesis(request.id, _in_call(request, heard[owner]))
            for owner, request in enumerate(requests)
        ]

    def _pieces(self, owner: int, request: AsrRequest) -> Iterator[Piece]:
        samples = request.samples
        if samples.ndim != 1 or samples.dtype != np.int16 or request.rate <= 0:
            raise ValueError(f"expected int16 samples of shape (n,), got {samples.dtype} {samples.shape}")
        if len(samples) != request.end - request.start:
            raise ValueError(f"{len(samples)} samples for {request.end - request.start} positions")
        for start, end in audio.split(samples, request.rate, self.card.max_seconds):
            part = samples[start:end]
            level = audio.loudness(part, request.rate)
            if not steady.lifeless(part, request.rate, level, timing.loud_frames(level)):
                yield self._piece(owner, request, start, end, level)

    def _piece(self, owner: int, request: AsrRequest, start: int, end: int, level: audio.Levels) -> Piece:
        assert self._whisper is not None
        part = request.samples[start:end]
        sound = audio.prepare(part, request.rate, self.rate)
        sound = audio.levelled(sound, self.card.peak_dbfs, self.card.hiss_dbfs)
        short = max(0, int(LEAST_SECONDS * self.rate) - len(sound))
        extractor = self._whisper.feature_extractor
        mel = extractor(np.pad(sound, (0, short)), padding=extractor.hop_length)[:, :-1]
        frames = min(mel.shape[1], extractor.nb_max_frames)
        window = np.zeros((mel.shape[0], self._window(frames, request.final)), dtype=np.float32)
        window[:, :frames] = mel[:, :frames]
        return Piece(owner, start, end, request.rate, request.final, level, window, frames)

    def _window(self, frames: int, final: bool) -> int:
        """Columns of the window for ``frames`` of audio. Padding costs time; too little costs accuracy.

        Windows of real length come in whole seconds. Stretches are batched only with others of their window's
        length: then a stretch is heard alike to the last bit, whatever else waits with it.
        """
        assert self._whisper is not None
        full: int = self._whisper.feature_extractor.nb_max_frames
        second: int = self._whisper.frames_per_second
        if not self.card.real_length_windows:
            return full
        tail = self.card.final_tail_seconds if final else self.card.partial_tail_seconds
        return min(full, -(-(frames + round(tail * second)) // second) * second)

    def _hear_safely(self, group: list[Piece], failed: dict[int, str]) -> list[list[timing.Timed]]:
        """Words of each piece; when a batch breaks down its pieces are tried alone."""
        try:
            return self._hear(group)
        except Exception as problem:
            if len(group) > 1:
                return [self._hear_safely([piece], failed)[0] for piece in group]
            failed[group[0].owner] = _reason(problem)
            return [[]]

    def _hear(self, group: list[Piece]) -> list[list[timing.Timed]]:
        assert self._whisper is not None
        from faster_whisper.transcribe import get_ctranslate2_storage

        model, tokens = self._whisper.model, self._tokens
        encoded = model.encode(get_ctranslate2_storage(np.stack([piece.mel for piece in group])))
        window_seconds = group[0].mel.shape[1] / self._whisper.frames_per_second
        beam = self.card.final_beam if group[0].final else self.card.partial_beam
        results = model.generate(
            encoded,
            [self._prompt] * len(group),
            beam_size=1 if self._speller else beam,  # the speller does the search
            return_logits_vocab=self._speller is not None,
            max_length=min(MOST_TOKENS, len(self._prompt) + 8 + int(window_seconds * MOST_TOKENS_A_SECOND)),
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = [[token for token in self._spelled(result) if token < tokens.eot] for result in results]
        aligned = model.align(
            encoded,
            tokens.sot_sequence,
            texts,
            [piece.frames for piece in group],
            median_filter_width=self.card.alignment_filter,
        )
        return [
            []
            if not text or doubt.nobody_spoke(result.no_speech_prob, result.scores[0])
            else self._words(piece, text, result.scores[0], alignment)
            for piece, text, result, alignment in zip(group, texts, results, aligned, strict=True)
        ]

    def _spelled(self, result: WhisperGenerationResult) -> list[int]:
        written: list[int] = result.sequences_ids[0]
        if self._speller is None:
            return written
        return self._speller.respell(written, [np.asarray(_on_cpu(row)) for row in result.logits[0]])

    def _words(self, piece: Piece, text: list[int], logprob: float, alignment: Any) -> list[timing.Timed]:
        assert self._whisper is not None
        parts, counts = self._tokens.split_to_word_tokens(text)
        units = [(part, len(count)) for part, count in zip(parts, counts, strict=True)]
        edges = timing.token_edges(alignment.alignments, len(text), 1 / self._whisper.tokens_per_second)
        chars = timing.characters(units, edges, alignment.text_token_probs)
        timed = timing.settle(timing.words(chars), timing.loud_frames(piece.level), self.card.start_bias_seconds)
        doubtful = doubt.doubt("".join(parts), piece.seconds, logprob) is not None
        most = doubt.DOUBTFUL if doubtful else 1.0
        return [replace(word, confidence=min(word.confidence, most)) for word in timed]


def _speller(info: models.ModelInfo, whisper: WhisperModel, hot_words: Sequence[str]) -> Speller | None:
    """Of a model whose card names n-grams. Tokens that are one character are spelled; Whisper's own are bytes."""
    if info.card.language_model is None:
        return None
    chars = ngrams.load(info.path / info.card.language_model)
    numbers = {char: number for number, char in enumerate(chars.characters, 1)}
    vocabulary = whisper.hf_tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    symbols = np.array([numbers.get(token, ngrams.EDGE) for token in tokens], dtype=np.uint64)
    hints = Hints(hot_words, chars.characters) if hot_words else None
    return Speller(chars, tokens, symbols, info.card.language_weight, hints)


def _on_cpu(row: StorageView) -> StorageView:
    import ctranslate2

    return row if row.device == "cpu" else row.to_device(ctranslate2.Device.cpu)


def _groups(pieces: Iterable[Piece], most: int) -> Iterator[list[Piece]]:
    """Pieces that can be heard in one go: finals with finals, and windows of one length."""
    alike: dict[tuple[bool, int], list[Piece]] = defaultdict(list)
    for piece in pieces:
        alike[not piece.final, piece.mel.shape[1]].append(piece)
    for key in sorted(alike):
        rest = iter(alike[key])
        while group := list(islice(rest, most)):
            yield group


def _in_call(request: AsrRequest, heard: list[tuple[Piece, list[timing.Timed]]]) -> tuple[Word, ...]:
    """Words in call positions, in order, inside the request."""
    words: list[Word] = []
    at = request.start
    for piece, timed in sorted(heard, key=lambda pair: pair[0].start):
        for word in timed:
            base = request.start + piece.start
            limit = request.start + piece.end
            start = min(max(base + round(word.start * request.rate), at), limit)
            at = min(max(base + round(word.end * request.rate), start), limit)
            words.append(Word(word.text, start, at, round(min(max(word.confidence, 0.0), 1.0), 3)))
    return tuple(words)


def _reason(problem: Exception) -> str:
    """Why a request failed, without the words of the call."""
    log.warning("recognition failed: %s", type(problem).__name__)
    return f"{type(problem).__name__}: {problem}"
