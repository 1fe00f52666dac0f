"""Speaks one utterance at a requested pace and level and measures what came out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import soxr

from monitor.render import espeak, line
from monitor.render.line import Signal

MARK = "|"
"""In a text: an explicit pause of ``Voice.breath`` seconds."""

TURN_PAUSE = 1.0
"""Seconds; a longer pause ends a turn, so its time does not count into the pace."""

_SPEEDS = ((90, 80), (111, 100), (165, 140), (222, 180), (280, 220), (350, 260), (426, 300), (521, 360))
"""Characters a minute and the wpm that about gives them."""

_FEWEST = 6
"""Characters below which the pace is set by rule: one final syllable would decide the measured figure."""

_TRIALS = 12
_CLOSE = 0.004
_BREATH = "，、。！？；：,.!?;:"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a party speaks: espeak variant, pitch and its range (0..99), pace (characters a minute), level (dBFS RMS
    while sounding), the length of a ``|`` pause in seconds, and for how many seconds the last syllable is held on."""

    variant: str = "f2"
    pitch: int = 50
    pitch_range: int = 50
    pace: float = 190.0
    level: float = -22.0
    breath: float = 0.4
    drawl: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """Speech in samples at ``rate``; ``first`` and ``last`` bound the audible part. ``characters`` holds each spoken
    character and the sample where it begins. ``pace`` is in characters a minute between first and last, pauses over
    a second left out; ``level`` in dBFS."""

    samples: Signal
    rate: int
    first: int
    last: int
    characters: tuple[tuple[str, int], ...]
    pauses: tuple[tuple[int, int], ...]
    pace: float
    level: float


def check_text(text: str) -> None:
    """Raises ValueError for what would not be spoken as written."""
    if not any(espeak.is_han(char) for char in text):
        raise ValueError("there is nothing to speak: write Chinese characters")
    for char in text:
        if char in "0123456789" or (char.isascii() and char.isalpha()):
            raise ValueError(f"write {char!r} as it is spoken, in characters (幺零二四, not 1024)")
        if not (espeak.is_han(char) or char in _BREATH or char in MARK or char.isspace()):
            raise ValueError(f"the character {char!r} cannot be spoken; use Chinese characters, {_BREATH} and |")


def utter(text: str, voice: Voice, rate: int, *, telephone: bool = True) -> Utterance:
    """Speak ``text``. The pace is met within about one percent; below six characters it is set by rule.

    Raises ValueError for a bad text, EspeakError where the engine fails or the pace cannot be reached.
    """
    check_text(text)
    if voice.drawl:
        raise ValueError(f"espeak-ng cannot hold the last syllable of {text!r}: leave `drawl` out")
    count = sum(map(espeak.is_han, text))
    wpm = _usual_wpm(voice.pace)
    best = _speak(text, voice, wpm, rate, telephone)
    tried = {wpm: best}
    for _ in range(_TRIALS if count >= _FEWEST else 0):
        if abs(best.pace / voice.pace - 1) < _CLOSE or (wpm := _next_wpm(tried, voice.pace)) in tried:
            break
        tried[wpm] = _speak(text, voice, wpm, rate, telephone)
        best = min(tried.values(), key=lambda spoken: abs(spoken.pace - voice.pace))
    if count >= _FEWEST and abs(best.pace / voice.pace - 1) > 0.03:
        raise espeak.EspeakError(
            f"{text!r} cannot be spoken at {voice.pace:.0f} characters a minute, only at {best.pace:.0f}: "
            "its pauses take too much of the time; ask for another pace or take pauses out"
        )
    samples = line.at_level(best.samples, rate, voice.level)
    level = line.to_dbfs(line.spoken_rms(samples, rate))
    return Utterance(samples, rate, best.first, best.last, best.characters, best.pauses, best.pace, level)


def _usual_wpm(pace: float) -> int:
    paces, speeds = zip(*_SPEEDS, strict=True)
    return round(float(np.interp(pace, paces, speeds)))


def _next_wpm(tried: dict[int, Utterance], pace: float) -> int:
    """Between the nearest tries on both sides; as long as there is one side only, along the proportion."""
    slower = max((wpm for wpm, spoken in tried.items() if spoken.pace <= pace), default=None)
    faster = min((wpm for wpm, spoken in tried.items() if spoken.pace > pace), default=None)
    if slower is not None and faster is not None and abs(faster - slower) > 1:
        low, high = tried[slower].pace, tried[faster].pace
        share = (pace - low) / (high - low) if high > low else 0.5
        guess = slower + round(share * (faster - slower))
        inner = sorted((slower, faster))
        wpm = min(max(guess, inner[0] + 1), inner[1] - 1)
    else:
        known = slower if slower is not None else faster
        assert known is not None  # there is always a first try
        wpm = round(known * pace / tried[known].pace)
        if wpm == known:
            wpm += 1 if tried[known].pace < pace else -1
    return min(max(wpm, espeak.WPM[0]), espeak.WPM[1])


def _speak(text: str, voice: Voice, wpm: int, rate: int, telephone: bool) -> Utterance:
    """One try at a fixed speed, at the engine's own level."""
    parts: list[Signal] = []
    characters: list[tuple[str, int]] = []
    length = 0
    for phrase, breaths in phrases(text):
        spoken = espeak.synthesize(
            phrase, variant=voice.variant, wpm=wpm, pitch=voice.pitch, pitch_range=voice.pitch_range
        )
        signal = soxr.resample(spoken.samples, spoken.rate, rate, quality="HQ")
        first, last = line.extent(signal, rate)
        parts += [signal[first:last], np.zeros(round(breaths * voice.breath * rate))]
        scale = rate / spoken.rate
        characters += [(char, length + max(0, round(at * scale) - first)) for char, at in spoken.characters]
        length += parts[-1].size + parts[-2].size
    edge = np.zeros(rate // 50)  # room for the filter's tail
    samples = np.concatenate((edge, *parts, edge))
    if telephone:
        samples = line.telephone_band(samples, rate)
    return _measured(samples, rate, [(char, at + edge.size) for char, at in characters])


def phrases(text: str) -> list[tuple[str, int]]:
    """Stretches between marks, each with the number of marks that follow; marks at the ends are dropped."""
    found: list[tuple[str, int]] = []
    for mark, group in itertools.groupby(text.strip(MARK + " "), key=lambda char: char == MARK):
        run = "".join(group)
        if mark:
            found[-1] = (found[-1][0], len(run))
        else:
            found.append((run, 0))
    return found


def _measured(samples: Signal, rate: int, characters: list[tuple[str, int]]) -> Utterance:
    first, last = line.extent(samples, rate)
    inner = tuple((a + first, b + first) for a, b in line.pauses(samples[first:last], rate))
    spoken = last - first - sum(b - a for a, b in inner if b - a > TURN_PAUSE * rate)
    pace = len(characters) * 60.0 * rate / spoken
    placed = tuple((char, min(max(at, first), last)) for char, at in characters)
    return Utterance(samples, rate, first, last, placed, inner, pace, 0.0)
