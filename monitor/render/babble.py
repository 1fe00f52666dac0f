"""Speech-like sound without a synthesiser: stretches of a short recording, laid out so that every time is exact.

Nobody can understand it, but voice activity, level and turns are those of speech. Characters are evenly spaced at the
pace that is asked for; a ``|`` in the text is a pause. The same text always sounds the same, whatever came before it.
"""

from __future__ import annotations

import zlib
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import soxr

from monitor.render import espeak, line, speech, vocoder
from monitor.render.line import Signal
from monitor.sources.recording import Recording

VOICES = Path(__file__).parent / "voices.flac"
"""Two voices without pauses, a woman's on the left and a man's on the right."""

FASTEST = 600.0
"""Characters a minute between pauses; beyond it nobody could follow."""

_FADE_SECONDS = 0.005
_HERTZ = (210.0, 120.0)
_SEMITONES = (0.6, 0.048)
"""Standard deviation of the pitch at liveliness 0, and what each step adds: 3 semitones, as lively Mandarin has, at
50. A voice that does not move at all is not taken for one."""


def utter(text: str, voice: speech.Voice, rate: int, *, telephone: bool = True) -> speech.Utterance:
    """Babble as long as ``text`` takes at the voice's pace. A variant that begins with f is the woman's voice, any
    other the man's.

    Raises ValueError for a bad text, and where the pauses leave too little of the time.
    """
    del telephone  # the recording is one of a telephone line
    speech.check_text(text)
    phrases = [(sum(map(espeak.is_han, run)), marks * voice.breath) for run, marks in speech.phrases(text)]
    count = sum(characters for characters, _ in phrases)
    inner = sum(pause for _, pause in phrases[:-1] if pause <= speech.TURN_PAUSE)
    each = 60.0 / voice.pace - inner / count
    if each < 60.0 / FASTEST:
        raise ValueError(f"{text!r} has no room for its pauses at {voice.pace:.0f} characters a minute: slow it down")
    parts: list[Signal] = []
    starts: list[int] = []
    pauses: list[tuple[int, int]] = []
    at = 0.0
    for number, (characters, pause) in enumerate(phrases):
        starts += [round((at + n * each) * rate) for n in range(characters)]
        begin, end = round(at * rate), round((at + characters * each) * rate)
        parts.append(_stretch(voice, rate, end - begin, zlib.crc32(f"{number} {text}".encode())))
        at += characters * each
        if number < len(phrases) - 1 and pause:
            at += pause
            pauses.append((end, round(at * rate)))
            parts.append(np.zeros(pauses[-1][1] - end))
    if voice.drawl:
        parts.append(_held(voice, rate))
    samples = line.at_level(np.concatenate(parts), rate, voice.level)
    spoken = tuple(zip((char for char in text if espeak.is_han(char)), starts, strict=True))
    level = line.to_dbfs(line.spoken_rms(samples, rate))
    return speech.Utterance(samples, rate, 0, samples.size, spoken, tuple(pauses), voice.pace, level)


@cache
def _voices(rate: int) -> tuple[Signal, Signal]:
    """Both voices, each of shape (n,)."""
    recording = Recording(VOICES, detect_same=False)
    stored = recording.probe().rate
    both = np.concatenate([chunk.samples for chunk in recording.chunks()]) / 32768.0
    if stored != rate:
        both = soxr.resample(both, stored, rate, quality="HQ")
    return both[:, 0].copy(), both[:, 1].copy()


@lru_cache(maxsize=64)
def _material(rate: int, column: int, pitch: int, liveliness: int) -> Signal:
    """A voice as it speaks at this pitch, shape (n,)."""
    return vocoder.revoice(
        _voices(rate)[column], rate, _hertz(column, pitch), _SEMITONES[0] + _SEMITONES[1] * liveliness
    )


def _hertz(column: int, pitch: int) -> float:
    return _HERTZ[column] * 2 ** ((pitch - 50) / 50)


def _column(voice: speech.Voice) -> int:
    return 0 if voice.variant.startswith("f") else 1


def _stretch(voice: speech.Voice, rate: int, size: int, chance: int) -> Signal:
    """``size`` samples of the voice, as long as need be from its beginning again."""
    whole = _material(rate, _column(voice), voice.pitch, voice.pitch_range)
    sound = whole[(chance % whole.size + np.arange(size)) % whole.size]
    return _faded(sound, rate)


def _held(voice: speech.Voice, rate: int) -> Signal:
    column = _column(voice)
    return _faded(vocoder.hold(_voices(rate)[column], rate, _hertz(column, voice.pitch), voice.drawl), rate)


def _faded(sound: Signal, rate: int) -> Signal:
    fade = min(round(_FADE_SECONDS * rate), sound.size // 2)
    sound[:fade] *= np.arange(fade) / fade
    sound[sound.size - fade :] *= np.arange(fade)[::-1] / fade
    return sound
