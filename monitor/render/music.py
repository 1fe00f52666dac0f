"""Hold music: a tune drawn from a seed, played by one of several bands. Additive synthesis, nothing recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.render.line import Signal
from monitor.render.sounds import at_rms

_SCALE = (0, 2, 4, 5, 7, 9, 11)
_PENTATONIC = (0, 2, 4, 7, 9)
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 0))
_BEATS = 4


@dataclass(frozen=True, slots=True)
class Note:
    """A note: start and length in seconds, frequency in Hz, strength 0..1."""

    start: float
    length: float
    hz: float
    strength: float


@dataclass(frozen=True, slots=True)
class Tune:
    """Melody, chord and bass notes of ``seconds``, and the beat in seconds."""

    seconds: float
    beat: float
    melody: tuple[Note, ...]
    chords: tuple[Note, ...]
    bass: tuple[Note, ...]


def _hz(semitones: float) -> float:
    """Frequency of a distance from middle C."""
    return float(261.63 * 2 ** (semitones / 12))


def compose(seconds: float, rng: np.random.Generator) -> Tune:
    """Draw a tune in a major key: four bars of chords again and again, a pentatonic melody above."""
    beat = 60.0 / float(rng.uniform(76, 118))
    root = int(rng.integers(-4, 5))
    progression = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    melody: list[Note] = []
    chords: list[Note] = []
    bass: list[Note] = []
    step = int(rng.integers(3, 8))
    for bar in range(int(seconds / (beat * _BEATS)) + 1):
        at, degree = bar * beat * _BEATS, progression[bar % len(progression)]
        for third in (0, 2, 4):
            octave, index = divmod(degree + third, len(_SCALE))
            chords.append(Note(at, beat * _BEATS, _hz(root + _SCALE[index] + 12 * octave), 0.5))
        bass += [Note(at + beat * half, beat * 2, _hz(root + _SCALE[degree] - 12), 0.7) for half in (0, 2)]
        position = 0.0
        while position < _BEATS:
            length = float(rng.choice([0.5, 1.0, 1.0, 2.0]))
            step = int(np.clip(step + rng.integers(-2, 3), 0, 11))
            octave, index = divmod(step, len(_PENTATONIC))
            if rng.random() > 0.12:
                pitch = _hz(root + _PENTATONIC[index] + 12 * octave)
                melody.append(Note(at + position * beat, length * beat, pitch, float(rng.uniform(0.6, 1.0))))
            position += length
    return Tune(seconds, beat, tuple(melody), tuple(chords), tuple(bass))


def _harmonics(hz: float, time: Signal, rate: int, weights: tuple[float, ...], vibrato: float = 0.0) -> Signal:
    """Sum of harmonics below the Nyquist frequency; ``vibrato`` is the swing at 5.5 Hz as a share of the pitch."""
    phase = 2 * np.pi * hz * time
    if vibrato:
        phase = phase - hz * vibrato / 5.5 * np.cos(2 * np.pi * 5.5 * time)
    result = np.zeros(time.size)
    for number, weight in enumerate(weights, 1):
        if weight and number * hz < rate / 2:
            result += weight * np.sin(number * phase)
    return result


def _swell(time: Signal, length: float, attack: float, release: float) -> Signal:
    return np.clip(np.minimum(time / attack, (length + release - time) / release), 0.0, 1.0)


def _pad(note: Note, time: Signal, rate: int) -> Signal:
    return _harmonics(note.hz, time, rate, (1, 0.4, 0.2, 0.1)) * _swell(time, note.length, 0.15, 0.3)


def _flute(note: Note, time: Signal, rate: int) -> Signal:
    return _harmonics(note.hz, time, rate, (1, 0.25, 0.1), 0.008) * _swell(time, note.length, 0.05, 0.1)


def _pluck(note: Note, time: Signal, rate: int) -> Signal:
    result = np.zeros(time.size)
    for number in range(1, 9):
        if number * note.hz < rate / 2:
            # a plucked string loses its high harmonics first
            fade = np.exp(-time * (1.5 + 1.2 * number))
            result += np.sin(2 * np.pi * number * note.hz * time) * fade / number
    return result * np.clip(time / 0.003, 0, 1)


def _piano(note: Note, time: Signal, rate: int) -> Signal:
    result = np.zeros(time.size)
    for number in range(1, 8):
        hz = note.hz * number * np.sqrt(1 + 0.0004 * number * number)  # stiff strings are a little sharp
        if hz < rate / 2:
            for detune in (0.9994, 1.0006):
                result += np.sin(2 * np.pi * hz * detune * time) * np.exp(-time * (0.9 + 0.5 * number)) / number**1.3
    release = np.clip((note.length + 0.15 - time) / 0.15, 0, 1)
    return result * np.clip(time / 0.004, 0, 1) * release


def _strings(note: Note, time: Signal, rate: int) -> Signal:
    weights = tuple(1 / number for number in range(1, 9))
    parts = [_harmonics(note.hz * detune, time, rate, weights, 0.006) for detune in (0.997, 1.0, 1.0035)]
    return sum(parts, np.zeros(time.size)) * _swell(time, note.length, 0.18, 0.25)


Player = Callable[[Note, Signal, int], Signal]


def _play(notes: tuple[Note, ...], player: Player, tune: Tune, rate: int, ring: float = 0.3) -> Signal:
    """All notes by one instrument; a note sounds on for ``ring`` seconds after its length."""
    result = np.zeros(round(tune.seconds * rate))
    for note in notes:
        first = round(note.start * rate)
        count = min(round((note.length + ring) * rate), result.size - first)
        if count > 0:
            result[first : first + count] += note.strength * player(note, np.arange(count) / rate, rate)
    return result


def _drums(tune: Tune, rate: int, rng: np.random.Generator) -> Signal:
    """Bass drum on one and three, snare on two and four, hi-hat on every half beat."""
    result = np.zeros(round(tune.seconds * rate))
    time = np.arange(round(0.25 * rate)) / rate
    kick = np.sin(2 * np.pi * (60 * time - 60 / 18 * np.exp(-18 * time))) * np.exp(-time * 14)
    for half in range(int(tune.seconds / tune.beat * 2)):
        first = round(half * tune.beat / 2 * rate)
        hit = 0.25 * rng.standard_normal(time.size) * np.exp(-time * 60)
        if half % 4 == 0:
            hit = hit + 1.5 * kick
        elif half % 4 == 2:
            hit = hit + 0.8 * rng.standard_normal(time.size) * np.exp(-time * 22)
        count = min(time.size, result.size - first)
        result[first : first + count] += hit[:count]
    return result


def _chord_band(tune: Tune, rate: int, rng: np.random.Generator) -> Signal:
    return _play(tune.chords, _pad, tune, rate) + 1.2 * _play(tune.melody, _flute, tune, rate)


def _plucked_band(tune: Tune, rate: int, rng: np.random.Generator) -> Signal:
    arpeggio = tuple(
        Note(chord.start + place * tune.beat / 2, 1.0, chord.hz * (1 + place // 3), 0.5)
        for number, chord in enumerate(tune.chords)
        for place in range(number % 3, 8, 3)
    )
    return _play(arpeggio, _pluck, tune, rate, 0.8) + _play(tune.melody, _pluck, tune, rate, 0.8)


def _piano_band(tune: Tune, rate: int, rng: np.random.Generator) -> Signal:
    left = _play(tune.bass, _piano, tune, rate) + _play(tune.chords, _piano, tune, rate)
    return 0.8 * left + _play(tune.melody, _piano, tune, rate, 0.6)


def _pop_band(tune: Tune, rate: int, rng: np.random.Generator) -> Signal:
    played = _play(tune.chords, _pad, tune, rate) + _play(tune.bass, _pluck, tune, rate)
    return played + 1.2 * _play(tune.melody, _pluck, tune, rate) + _drums(tune, rate, rng)


def _string_band(tune: Tune, rate: int, rng: np.random.Generator) -> Signal:
    return 0.5 * _play(tune.chords, _strings, tune, rate) + _play(tune.melody, _strings, tune, rate)


STYLES: dict[str, Callable[[Tune, int, np.random.Generator], Signal]] = {
    "chords": _chord_band,
    "plucked": _plucked_band,
    "piano": _piano_band,
    "pop": _pop_band,
    "strings": _string_band,
}
"""Bands by name."""


def music(style: str, seconds: float, rate: int, dbfs: float, seed: int) -> Signal:
    """So many seconds of hold music at an RMS of ``dbfs``. Raises KeyError for an unknown style."""
    rng = np.random.default_rng(seed)
    played = at_rms(STYLES[style](compose(seconds, rng), rate, rng), dbfs)
    count = min(round(0.03 * rate), played.size // 2)
    edge = np.ones(played.size)
    edge[:count] = np.linspace(0, 1, count)
    edge[played.size - count :] = np.linspace(1, 0, count)
    return played * edge
