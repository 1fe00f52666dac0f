"""A small third-party character-CTC model, for comparison only: it lies beside the repository or nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.asr.audio import prepare
from monitor.core.types import AsrRequest, Hypothesis, Word

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "models" / "fsmn-char-ctc"
NAME = "fsmn-char-ctc"
RATE = 16000
STACKED, STRIDE = 5, 3
STEP_SECONDS = 0.03
BLANK = 0

Matrix = npt.NDArray[np.float32]


def missing() -> str | None:
    """Why the model cannot be run here, or None."""
    if not (FOLDER / "fsmn_kws.onnx").is_file():
        return f"no third-party model in {FOLDER.parent.name}/{FOLDER.name} beside the repository"
    for name in ("onnxruntime", "kaldi_native_fbank"):
        try:
            __import__(name)
        except ImportError:
            return f"{name} is not installed"
    return None


def stacked(frames: Matrix) -> Matrix:
    """Frames (n, bins) with two neighbours on either side, edges repeated, every third: (ceil(n / 3), 5 bins)."""
    edge = STACKED // 2
    padded = np.concatenate([frames[:1].repeat(edge, 0), frames, frames[-1:].repeat(edge, 0)])
    places = np.arange(0, len(frames), STRIDE)[:, None] + np.arange(STACKED)[None, :]
    return padded[places].reshape(len(places), -1)


def greedy(best: Sequence[int], tokens: Sequence[str]) -> list[tuple[str, int]]:
    """The tokens of a CTC path, each with the step at which it begins."""
    starts = (n for n, token in enumerate(best) if token != BLANK and (n == 0 or best[n - 1] != token))
    return [(tokens[best[n]], n) for n in starts]


def confidences(logits: Matrix) -> npt.NDArray[np.float64]:
    """At each step, for ``logits`` (steps, tokens): the largest probability of its token in the run of equal ones."""
    best, top = logits.argmax(axis=1), logits.max(axis=1, keepdims=True)
    sure = 1 / np.exp(logits - top, dtype=np.float64).sum(axis=1)
    begins = np.diff(best, prepend=-1) != 0
    peaks = np.maximum.reduceat(sure, np.flatnonzero(begins))
    return np.asarray(peaks[np.cumsum(begins) - 1])


def read_shift_and_scale(file: Path) -> tuple[Matrix, Matrix]:
    """What is added to the features, and what they are then multiplied with."""
    shift, scale = re.findall(r"<LearnRateCoef>\s*0\s*\[([^\]]*)\]", file.read_text(encoding="utf-8"))
    return np.array(shift.split(), np.float32), np.array(scale.split(), np.float32)


@dataclass
class Fsmn:
    """See ``monitor.asr.protocol.Engine``."""

    name: str = NAME
    rate: int = RATE
    batch: int = 1
    _session: Any = field(default=None, repr=False)

    def load(self) -> None:
        """Make ready; one thread."""
        if self._session is not None:
            return
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(FOLDER / "fsmn_kws.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokens = (FOLDER / "tokens_2599.txt").read_text(encoding="utf-8").split("\n")
        self._shift, self._scale = read_shift_and_scale(FOLDER / "am.mvn.dim80_l2r2")

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """Greedy; characters last one step."""
        return [Hypothesis(request.id, tuple(self._words(request))) for request in requests]

    def _words(self, request: AsrRequest) -> list[Word]:
        frames = fbank(prepare(request.samples, request.rate, RATE))
        if not len(frames):
            return []
        given = ((stacked(frames) + self._shift) * self._scale)[None].astype(np.float32)
        (logits,) = self._session.run(None, {"speech": given})
        step = round(STEP_SECONDS * request.rate)
        sure = confidences(logits[0]).tolist()
        heard = greedy(logits[0].argmax(axis=1).tolist(), self._tokens)
        return [Word(text, request.start + n * step, request.start + (n + 1) * step, sure[n]) for text, n in heard]


def fbank(samples: Matrix) -> Matrix:
    """Kaldi's filter bank of samples in -1..1 at 16 kHz: shape (frames, 80), every 10 ms, whole frames only."""
    import kaldi_native_fbank as knf

    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = RATE
    options.frame_opts.window_type = "hamming"
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(RATE, (samples * 32768.0).tolist())
    computer.input_finished()
    frames = [computer.get_frame(n) for n in range(computer.num_frames_ready)]
    return np.array(frames, np.float32).reshape(len(frames), 80)
