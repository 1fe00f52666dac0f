"""The fast ear: streaming models in ONNX form, through sherpa-onnx."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from monitor.asr import audio, doubt, models, sherpafiles, steady, stream, timing, tokens
from monitor.asr.audio import FRAME_SECONDS
from monitor.asr.card import Card
from monitor.asr.sherpafiles import Form, SherpaFiles
from monitor.core.types import AsrRequest, Hypothesis, Word

log = logging.getLogger(__name__)

MOST_STREAMS = 512
"""Streams kept open. A segment that never got its final leaves one behind; the one not used for longest goes first,
and a segment that comes back after that is heard anew from its start."""

TIMED_FRAME = 0.04
"""Seconds of the frames whose numbers sherpa-onnx turns into times, whatever the model's own frames are."""

CHUNK_FRAMES, LEFT_CHUNKS = 16, 4
"""What WeNet itself exports, for models that do not say."""

FEW_A_SECOND = 2.0
"""Only a stretch with fewer words than this is asked whether it is a tone or noise that passed for speech."""


class Sherpa:
    """Recognises Mandarin while it is spoken. ``model`` is a model folder, or a name that ``models.resolve`` knows.

    Streaming WeNet-CTC models (our own), zipformer2-CTC models, zipformer, conformer and LSTM transducers and
    paraformers run; the files in the folder tell which. ``threads`` are CPU threads of one pass. ``hot_words`` are
    expected words: transducers favour those that their tokens can spell (``hot_words`` tells which), other models
    know nothing of the kind. A name that is not on this machine is pulled by ``load`` when ``pull`` is set.

    A request that names its ``stream`` goes on where the last one of that stream ended; it is heard anew when that
    began elsewhere or had heard more. Its words depend on its samples alone, however many requests came before.
    Words once given stay, so ``Hypothesis.committed`` is set, save where hot words make the model search and change
    its mind; and only a final may find that all was a tone.
    """

    rate = stream.RATE
    batch = 1  # streams are decoded one by one: quantised models hear differently in company

    def __init__(
        self,
        model: str | Path,
        *,
        threads: int = 1,
        hot_words: Sequence[str] = (),
        pull: bool = True,
        most_streams: int = MOST_STREAMS,
    ) -> None:
        self.name = Path(model).name if models.is_folder(model) else str(model)
        self.card = Card()
        self.hot_words: tuple[str, ...] = ()
        self._model, self._threads, self._pull = model, threads, pull
        self._wanted_words = tuple(dict.fromkeys(hot_words))
        self._most_streams = most_streams
        self._streams: OrderedDict[str, stream.Stream] = OrderedDict()
        self._recogniser: Any = None

    # ------------------------------------------------------------ loading

    def load(self) -> None:
        """See ``Engine.load``."""
        if self._recogniser is not None:
            return
        info = models.check(models.obtain(self._model, pull_missing=self._pull), models.ModelKind.SHERPA)
        files = sherpafiles.find(info.path)
        self.card = info.card
        table = tokens.read_tokens(files.tokens)
        self._tokens = tokens.Tokens(table)
        self.hot_words = self._usable(files)
        self._timed = files.form is not Form.PARAFORMER
        self._stretch = float(files.remarks.get("subsampling_factor", "4")) * 0.01 / TIMED_FRAME
        try:
            self._recogniser = _recogniser(files, self.card, self._threads, hot_words=bool(self.hot_words))
        except (RuntimeError, ValueError, AssertionError) as problem:
            raise models.ModelError(
                f"The model in {info.path} cannot be loaded: {str(problem).strip()}. Pull it again, or choose another."
            ) from problem

    def _usable(self, files: SherpaFiles) -> tuple[str, ...]:
        """The hot words that the model can use: sherpa-onnx refuses a list with a character it cannot spell."""
        if files.form is not Form.TRANSDUCER or not self.card.hot_words:
            return ()
        known = self._tokens.characters
        return tuple(word for word in self._wanted_words if word and all(char in known for char in word))

    # ------------------------------------------------------------ recognising

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """See ``Engine.recognise``."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: AsrRequest) -> Hypothesis:
        try:
            self.load()
            return Hypothesis(request.id, self._hear(request), committed=not self.hot_words)
        except Exception as problem:
            self._streams.pop(request.stream, None)
            log.warning("recognition failed: %s", type(problem).__name__)
            return Hypothesis(request.id, (), failed=f"{type(problem).__name__}: {problem}")

    def _hear(self, request: AsrRequest) -> tuple[Word, ...]:
        samples = request.samples
        if samples.ndim != 1 or samples.dtype != np.int16:
            raise ValueError(f"expected int16 samples of shape (n,), got {samples.dtype} {samples.shape}")
        if len(samples) != request.end - request.start:
            raise ValueError(f"{len(samples)} samples for {request.end - request.start} positions")
        open_stream = self._stream(request)
        if request.final:
            self._streams.pop(request.stream, None)
            open_stream.finish(samples, self.card.tail_seconds)
        else:
            open_stream.feed(samples)
        return self._words(request, open_stream.tokens())

    def _stream(self, request: AsrRequest) -> stream.Stream:
        """The open stream that ``request`` continues, or a new one."""
        known = self._streams.get(request.stream)
        if known is not None and (known.start, known.rate) == (request.start, request.rate):
            if known.fed <= len(request.samples):
                self._streams.move_to_end(request.stream)
                return known
        handle = self._recogniser.create_stream("/".join(self.hot_words)) if self.hot_words else None
        fresh = stream.Stream(
            self._recogniser,
            handle or self._recogniser.create_stream(),
            request.start,
            request.rate,
            hiss_dbfs=self.card.hiss_dbfs,
            stretch=self._stretch,
            timed=self._timed,
        )
        if request.stream and not request.final:
            self._streams[request.stream] = fresh
            self._streams.move_to_end(request.stream)
            while len(self._streams) > self._most_streams:
                self._streams.popitem(last=False)
        return fresh

    # ------------------------------------------------------------ words

    def _words(self, request: AsrRequest, heard: Sequence[stream.Token]) -> tuple[Word, ...]:
        if not heard:
            return ()
        seconds = len(request.samples) / request.rate
        starts = [min(max(token.at - self.card.start_bias_seconds, 0.0), seconds) for token in heard]
        chars = self._tokens.timed([token.text for token in heard], starts, [token.sure for token in heard], seconds)
        words = timing.words(chars)
        level = audio.loudness(request.samples, request.rate)
        loud = timing.loud_frames(level)
        few = len(words) <= FEW_A_SECOND * seconds
        if few and steady.lifeless(request.samples, request.rate, level, loud):
            return ()
        placed = _placed(words, loud.tolist(), seconds)
        if doubt.doubt("".join(word.text for word in words), seconds, 0.0) is not None:
            placed = [replace(word, confidence=min(word.confidence, doubt.DOUBTFUL)) for word in placed]
        return tuple(
            Word(
                word.text,
                request.start + round(word.start * request.rate),
                request.start + round(word.end * request.rate),
                round(word.confidence, 3),
            )
            for word in placed
        )


def _placed(words: Sequence[timing.Timed], loud: Sequence[bool], seconds: float) -> list[timing.Timed]:
    """Words in order, each cut to the 20 ms frames of its time in which something sounds, if there are any."""
    placed: list[timing.Timed] = []
    at = 0.0
    for word, after in zip(words, [*words[1:], None], strict=True):
        start = min(max(word.start, at), seconds)
        end = min(max(word.end, start + timing.SHORTEST), after.start if after else seconds, seconds)
        sounding = [
            n for n in range(int(start / FRAME_SECONDS), min(int(end / FRAME_SECONDS) + 1, len(loud))) if loud[n]
        ]
        if sounding:
            first, last = sounding[0] * FRAME_SECONDS, (sounding[-1] + 1) * FRAME_SECONDS
            if min(end, last) - max(start, first) >= timing.SHORTEST:
                start, end = max(start, first), min(end, last)
        at = max(start, end)
        placed.append(timing.Timed(word.text, start, at, word.confidence))
    return placed


def _recogniser(files: SherpaFiles, card: Card, threads: int, *, hot_words: bool) -> Any:
    """sherpa-onnx's recogniser for a model whose files were found whole. It decides no endpoints: segments do."""
    from sherpa_onnx import OnlineRecognizer  # some hundredths of a second that only engines need

    parts = {part: str(file) for part, file in files.parts.items()}
    common: dict[str, Any] = {"tokens": str(files.tokens), "num_threads": threads}
    if files.form is Form.PARAFORMER:
        return OnlineRecognizer.from_paraformer(**parts, **common)
    if files.form is Form.ZIPFORMER2_CTC:
        return OnlineRecognizer.from_zipformer2_ctc(**parts, **common)
    if files.form is Form.WENET_CTC:
        chunk = card.chunk_frames or int(files.remarks.get("chunk_size", CHUNK_FRAMES))
        left = card.left_chunks if card.left_chunks is not None else int(files.remarks.get("left_chunks", LEFT_CHUNKS))
        return OnlineRecognizer.from_wenet_ctc(**parts, **common, chunk_size=chunk, num_left_chunks=left)
    if hot_words:
        common |= {"decoding_method": "modified_beam_search", "modeling_unit": "cjkchar"}
        if files.bpe_vocab is not None:
            common |= {"modeling_unit": "cjkchar+bpe", "bpe_vocab": str(files.bpe_vocab)}
    return OnlineRecognizer.from_transducer(**parts, **common, model_type=files.remarks["model_type"])
