"""The two kinds of features that the models read, quantised to a byte a value: 80 bins; log-mel of 20 ms frames, for
the Whisper form, and filter banks of 10 ms frames, for the CTC form."""

from __future__ import annotations

from functools import cache
from typing import Any

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor

RATE = 16000
BINS = 80
MEL_HOP = 320
"""Samples from frame to frame. Twice Whisper's own step: half the work, and as good for syllables."""
MEL_RATE, FBANK_RATE = RATE // MEL_HOP, 100
"""Frames a second."""

MEL_OFFSET, MEL_SPAN = 2.0, 4.0
FBANK_OFFSET, FBANK_SPAN = 12.0, 36.0

Signal = npt.NDArray[np.float32]
Features = npt.NDArray[np.uint8]
"""Shape (frames, 80)."""


@cache
def _extractor() -> FeatureExtractor:
    return FeatureExtractor(hop_length=MEL_HOP)


@cache
def _fbank_options() -> Any:
    """What sherpa-onnx's OnlineRecognizer sets for WeNet CTC models."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.frame_opts.frame_shift_ms = 10.0
    options.frame_opts.frame_length_ms = 25.0
    options.frame_opts.remove_dc_offset = True
    options.frame_opts.preemph_coeff = 0.97
    options.frame_opts.window_type = "povey"
    options.mel_opts.num_bins = BINS
    options.mel_opts.low_freq = 20.0
    options.mel_opts.high_freq = -400.0
    options.mel_opts.is_librosa = False
    return options


def quantise(values: npt.NDArray[np.floating[Any]], offset: float, span: float) -> Features:
    """Values from -offset to span - offset as bytes; what lies outside is clipped."""
    result: Features = np.clip(np.rint((values + offset) * (255.0 / span)), 0, 255).astype(np.uint8)
    return result


def to_int16(samples: Signal) -> npt.NDArray[np.int16]:
    """Samples in -1..1 as a call delivers them; both features are computed of these, so that what is fainter than
    any line can carry is not in them."""
    result: npt.NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return result


def log_mel(samples: Signal) -> Features:
    """faster-whisper's log-mel of samples in -1..1 at 16 kHz, one frame a MEL_HOP samples."""
    mel = _extractor()(to_int16(samples).astype(np.float32) / np.float32(32768.0), padding=MEL_HOP)
    return quantise(mel[:, :-1].T, MEL_OFFSET, MEL_SPAN)


def fbank(samples: Signal) -> Features:
    """Kaldi's filter bank of samples in -1..1 at 16 kHz, as sherpa-onnx feeds it to WeNet CTC models."""
    computer = kaldi_native_fbank.OnlineFbank(_fbank_options())
    computer.accept_waveform(RATE, to_int16(samples).tolist())
    computer.input_finished()
    count = computer.num_frames_ready
    frames = np.empty((count, BINS), dtype=np.float32)
    for index in range(count):
        frames[index] = computer.get_frame(index)
    return quantise(frames, FBANK_OFFSET, FBANK_SPAN)
