"""Recorded human words and syllables: decoded from their archives, trimmed, and kept in one file.

The archives are hsk.zip with hsk/cmn-<characters>.mp3, words by one speaker, and syllabs.zip with
syllabs/cmn-<pinyin><tone>.mp3, syllables by another.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soxr

from monitor.render.espeak import is_han
from training.features import RATE, Signal

_WORD = re.compile(r"hsk/cmn-([\u4e00-\u9fff]+)\.mp3")
_SYLLABLE = re.compile(r"syllabs/cmn-([a-z]+[1-4])\.mp3")
_ONSET_DB, _DECAY_DB = 34.0, 24.0
"""A recording begins and ends so far below its loudest 10 ms: consonants begin softly, while the long decay of a
word spoken alone is no part of fluent speech."""

_MOST_SECONDS, _MOST_EACH = 0.75, 0.4
"""A recording longer than this, and this for each character, is faulty or drawn out."""

_STEP = RATE // 100
_LEVEL = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """All recordings, trimmed, one after another, at 16 kHz: ``words`` and ``syllables`` give first sample and the
    sample after the last."""

    samples: npt.NDArray[np.int16]
    words: dict[str, tuple[int, int]]
    syllables: dict[str, tuple[int, int]]

    def clip(self, place: tuple[int, int]) -> Signal:
        """One recording, at the level that all of them have."""
        part = self.samples[place[0] : place[1]].astype(np.float32)
        rms = float(np.sqrt(np.mean(np.square(part)))) if part.size else 0.0
        return part * np.float32(_LEVEL / rms) if rms else part


def load(folder: Path, cache: Path) -> Recordings:
    """Decode the archives of ``folder`` once, some half a minute, and keep the result in the file ``cache``.

    Raises FileNotFoundError where an archive is missing, ValueError where it holds no recording of the kind.
    """
    if not cache.is_file():
        words = _decode(folder / "hsk.zip", _WORD)
        syllables = _decode(folder / "syllabs.zip", _SYLLABLE)
        clips = [*words.values(), *syllables.values()]
        partial = cache.with_suffix(".part.npz")
        np.savez(
            partial,
            samples=np.concatenate(clips),
            lengths=np.array([clip.size for clip in clips]),
            words=np.array(list(words)),
            syllables=np.array(list(syllables)),
        )
        partial.replace(cache)
    with np.load(cache) as held:
        bounds = np.cumsum([0, *held["lengths"].tolist()]).tolist()
        places = list(itertools.pairwise(bounds))
        names = [str(name) for name in held["words"]]
        found = dict(zip(names, places, strict=False))
        rest = [str(name) for name in held["syllables"]]
        return Recordings(held["samples"], found, dict(zip(rest, places[len(names) :], strict=True)))


def _decode(archive: Path, pattern: re.Pattern[str]) -> dict[str, npt.NDArray[np.int16]]:
    if not archive.is_file():
        raise FileNotFoundError(
            f"{archive} is missing; it holds the recordings of the audio-cmn collection (64 kbit/s)"
        )
    found: dict[str, npt.NDArray[np.int16]] = {}
    with zipfile.ZipFile(archive) as files:
        for name in sorted(files.namelist()):
            if match := pattern.fullmatch(name):
                clip = _trim(_read_mp3(files.read(name)))
                characters = len(match[1]) if is_han(match[1][0]) else 1
                if 0.05 < clip.size / RATE < _MOST_SECONDS + _MOST_EACH * characters:
                    found[match[1]] = np.clip(np.rint(clip * 32768), -32768, 32767).astype(np.int16)
    if not found:
        raise ValueError(f"{archive} holds no file like {pattern.pattern}")
    return found


def _read_mp3(content: bytes) -> Signal:
    with av.open(io.BytesIO(content), "r") as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    decoded: Signal = soxr.resample(np.concatenate(blocks), rate, RATE).astype(np.float32)
    return decoded


def _trim(clip: Signal) -> Signal:
    """Without the silence at both ends."""
    count = clip.size // _STEP
    if count == 0:
        return clip[:0]
    power = np.square(clip[: count * _STEP].reshape(count, _STEP)).mean(axis=1)
    begins = np.flatnonzero(power > power.max() * 10 ** (-_ONSET_DB / 10))
    ends = np.flatnonzero(power > power.max() * 10 ** (-_DECAY_DB / 10))
    if begins.size == 0:
        return clip[:0]
    return clip[max(int(begins[0]) - 1, 0) * _STEP : (int(ends[-1]) + 2) * _STEP]
