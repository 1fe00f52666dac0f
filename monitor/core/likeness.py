"""A second opinion: does what the voice detector took for speech behave like a human voice?

A voice detector that looks at energies takes music, tones and noise for speech. What tells them apart is movement.
A voice glides: its pitch and its resonances change from one tenth of a second to the next, and its energy rises and
falls with every syllable, some four times a second. Music holds its partials steady for the length of a note, a tone
for ever; noise moves, but has no pitch. ``Spectra`` measures this for every frame, ``traits`` gathers it over a
window, ``speech_odds`` weighs it.

The weights (a small network for each window length) were fitted on espeak-ng voices, single words of the collection
audio-cmn (spoken by Yue Tan and Chen Wang, CC BY-SA), recorded telephone prompts, music of games and of generated
scores, and synthetic tones and noise; none of those recordings is part of the project.

Everything works on the telephone band at 8000 samples a second. Per-frame arithmetic uses only operations whose
result for a frame does not depend on how many frames are computed together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.core.types import Samples

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NARROW: Final = 8000
NARROW_FRAME: Final = 160
"""Frames of 20 ms at 8000 samples a second."""

HISTORY: Final = 64
"""Frames that can be looked back on."""

BLOCK: Final = 25
"""Frames that are taken in together at most."""

_ROWS: Final = 160

_FFT: Final = 512  # bins of 15.6 Hz; zero-padded, so that lags up to 12 ms come out of the same spectrum
_LOW, _HIGH = 14, 141  # up to 2200 Hz: where partials stand apart
_STEP = 3
_TREBLE = 220  # 3440 Hz
_BASS = 17  # 265 Hz: what a telephone does not carry is left out everywhere, so that it makes no difference
_EDGES: Final = np.array([17, 22, 28, 36, 46, 57, 70, 84, 100, 118, 140, 166, 198, 220])
_LOUD_BANDS = 7
BANDS: Final = len(_EDGES) - 1
_SHORTEST, _LONGEST = 20, 115  # pitch periods in samples: 400 to 70 Hz
_WINDOW: Final = np.round(1024 * np.hanning(322)[1:-1])


def _window_correlation() -> Floats:
    padded = np.zeros(_FFT)
    padded[:320] = _WINDOW
    spectrum = np.fft.rfft(padded)
    lags = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)
    return np.asarray(lags[0] / lags[_SHORTEST:_LONGEST], np.float64)


_UNWINDOW: Final = _window_correlation()
_SHORT_FIRST: Final = 1 - 0.06 * np.log2(np.arange(_SHORTEST, _LONGEST) / _SHORTEST)  # twice a period is one as well


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the frames of one feed were like, one value each; measures of pace and pitch read it."""

    start: int
    """Position of the first frame."""
    voiced: Flags
    """A voice was heard and speech was open."""
    loudness: Floats
    """Sum over bands from 265 to 1300 Hz of the fourth root of the power; 0 where nobody could have spoken."""
    voicing: Floats
    """How periodic, 0 to about 1."""
    period: Floats
    """Pitch period in samples at 8000 a second."""
    change: Floats
    """How far the shape of the spectrum moved within 40 ms: 0 not at all, 1 altogether."""


class Narrow:
    """Brings the frames of a 16 kHz call down to 8 kHz: a half-band filter in exact integers, then every second."""

    _TAPS: Final = np.array([-3, 0, 12, 0, -36, 0, 155, 256, 155, 0, -36, 0, 12, 0, -3])

    def __init__(self, rate: int) -> None:
        self._half = rate == 2 * NARROW
        self._tail = np.zeros(14, np.int16)

    def feed(self, frames: Samples) -> Samples:
        """int16 (n, frame length) in, int16 (n, 160) out."""
        if not self._half:
            return frames
        flat = frames.reshape(-1)
        joined = np.concatenate((self._tail, flat))
        self._tail = joined[-14:]
        if not flat.any():
            return np.zeros((len(frames), NARROW_FRAME), np.int16)
        wide = joined.astype(np.int32)
        total = np.zeros(len(flat) // 2, np.int32)
        for i, tap in enumerate(self._TAPS.tolist()):
            if tap:
                total += tap * wide[i : i + len(flat) : 2]
        narrow: Samples = np.clip(total >> 9, -32768, 32767).astype(np.int16).reshape(-1, NARROW_FRAME)
        return narrow

    def reset(self) -> None:
        """Audio was lost: what comes next does not continue what was heard."""
        self._tail = np.zeros(14, np.int16)


class Spectra:
    """Looks at frames and remembers at least the last ``HISTORY`` of them.

    ``feed`` returns the row of its first frame; the rows before it are the frames before. Rows hold until the next
    ``feed``.
    """

    def __init__(self) -> None:
        self.power: Floats = np.zeros(_ROWS)
        """Mean square of the samples, in units of one sample step squared."""
        self.seen: Flags = np.zeros(_ROWS, np.bool_)
        """Frames that were looked at; of others only the power is known."""
        self.detail: Floats = np.zeros((_ROWS, _HIGH - _LOW - 2 * _STEP))
        """Fine structure of the spectrum (compressed, envelope removed), of unit length."""
        self.bands: Floats = np.zeros((_ROWS, BANDS))
        """Compressed power (to the fourth root) in bands from 110 to 3500 Hz."""
        self.loudness: Floats = np.zeros(_ROWS)
        """Power in the telephone band, on its own scale."""
        self.voicing: Floats = np.zeros(_ROWS)
        """How periodic the frame is, 0 to about 1."""
        self.period: Floats = np.zeros(_ROWS)
        """The pitch period in samples at 8000 a second (meaningful where ``voicing`` is high)."""
        self.end = HISTORY
        """The row after that of the last frame."""
        self._samples = np.zeros((_ROWS, NARROW_FRAME), np.int16)
        self._looked = HISTORY  # rows before this one are complete

    def feed(self, frames: Samples, power: Floats, look: Flags) -> int:
        """Takes in up to ``BLOCK`` frames, int16 (n, 160), of which those with ``look`` are worth the effort.

        Their spectra are computed when they are asked for, because that is cheaper for many frames together.
        """
        first = self.end
        if first + len(frames) > _ROWS:
            self._look_at_all()
            for array in (*self._arrays(), self.detail, self.bands, self._samples):
                array[:HISTORY] = array[first - HISTORY : first]
            first = self._looked = HISTORY
        self.end = first + len(frames)
        self.power[first : self.end] = power
        self.seen[first : self.end] = look
        self._samples[first : self.end] = frames
        return first

    def _arrays(self) -> tuple[Floats | Flags, ...]:
        return self.power, self.loudness, self.seen, self.voicing, self.period

    def _look_at_all(self) -> None:
        """Completes the rows that are not complete."""
        rows = self._looked + np.flatnonzero(self.seen[self._looked : self.end])
        self._looked = self.end
        if len(rows):
            self._look(np.concatenate((self._samples[rows - 1], self._samples[rows]), axis=1), rows)

    def _look(self, windows: Samples, rows: npt.NDArray[np.intp]) -> None:
        spectrum = np.fft.rfft(windows * _WINDOW, _FFT)
        power = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
        power[:, :_BASS] = 0
        power[:, _TREBLE:] = 0
        fourth = np.sqrt(np.sqrt(power))
        self.bands[rows] = np.sqrt(np.sqrt(np.add.reduceat(power, _EDGES, axis=1)[:, :BANDS]))
        part = fourth[:, _LOW:_HIGH]
        detail = 2 * part[:, _STEP:-_STEP] - part[:, : -2 * _STEP] - part[:, 2 * _STEP :]
        norm = np.sqrt((detail * detail).sum(axis=1)) + 1e-9
        self.detail[rows] = detail / norm[:, None]
        lags = np.fft.irfft(power)
        curve = lags[:, _SHORTEST:_LONGEST] * _UNWINDOW
        best = (curve * _SHORT_FIRST)[:, 1:-1].argmax(axis=1) + 1
        self.loudness[rows] = lags[:, 0]
        line = np.arange(len(rows))
        left, top, right = curve[line, best - 1], curve[line, best], curve[line, best + 1]
        bend = left - 2 * top + right
        self.voicing[rows] = top / (lags[:, 0] + 1e-9)
        offset = 0.5 * (left - right) / np.minimum(bend, -1e-9)
        self.period[rows] = best + _SHORTEST + np.clip(offset, -0.5, 0.5)

    def last(self, count: int, start: int, voiced: Flags) -> Seen:
        """The last ``count`` frames, up to ``BLOCK``; the first lies at position ``start``."""
        first = self.end - count
        rows = slice(first, self.end)
        seen = self.seen[rows]
        if not seen.any():
            none = np.zeros(count)
            return Seen(start, voiced, none, none, none, none)
        self._look_at_all()
        bands = self.bands[first - 2 : self.end]
        now, then = bands[2:], bands[:-2]
        size = np.sqrt((now * now).sum(axis=1) * (then * then).sum(axis=1)) + 1e-9
        both = seen & self.seen[first - 2 : self.end - 2]
        change = np.where(both, 1 - (now * then).sum(axis=1) / size, 1.0)
        loudness = now[:, :_LOUD_BANDS].sum(axis=1) * seen
        return Seen(start, voiced, loudness, self.voicing[rows] * seen, self.period[rows].copy(), change)

    def window(self, row: int, length: int) -> list[float]:
        """The traits of the ``length`` frames up to and with ``row``; see ``TRAITS``."""
        self._look_at_all()
        return traits(self, row + 1 - length, row + 1)


TRAITS: Final = (
    "same_20ms", "same_60ms", "same_100ms", "same_200ms", "drift_40ms", "drift_100ms",
    "swing_db", "range_db", "rough_db", "voicing", "voicing_sd", "voiced", "glide", "still", "jump",
    "centre", "centre_sd", "flat",
)  # fmt: skip


def _pairs(table: Floats, ok: Flags, lag: int) -> Floats:
    """Inner products of rows ``lag`` apart where both are ok."""
    both = ok[lag:] & ok[:-lag]
    return np.asarray((table[lag:] * table[:-lag]).sum(axis=1)[both])


def traits(spectra: Spectra, first: int, end: int) -> list[float]:
    """What the frames of rows ``first`` to ``end`` are like together: a number for each of ``TRAITS``, or none for a
    click."""
    seen = spectra.seen[first:end]
    power = spectra.loudness[first:end] * seen
    ok = seen & (power > power.max() * 1e-3)
    if int(ok.sum()) < _ENOUGH:
        return []
    detail = spectra.detail[first:end]
    shape = spectra.bands[first:end]
    shape = shape / (np.sqrt((shape * shape).sum(axis=1)) + 1e-9)[:, None]
    out = []
    for lag in (1, 3, 5, 10):
        same = _pairs(detail, ok, lag)
        out.append(float(same.mean()) if len(same) else 0.3)
    for lag in (2, 5):
        alike = _pairs(shape, ok, lag)
        out.append(float((1 - alike).mean()) * 10 if len(alike) else 0.5)
    level = 10 * np.log10(power + power.max() * 1e-4 + 1.0)
    loud = level[ok]
    out += [float(loud.std()) / 10, float(level.max() - np.sort(level)[len(level) // 8]) / 20]
    out.append(float(np.abs(np.diff(level)).mean()) / 5)
    voicing = spectra.voicing[first:end]
    voiced = ok & (voicing > 0.6)
    out += [float(voicing[ok].mean()), float(voicing[ok].std()), float(voiced.sum()) / len(ok)]
    pitch = 12 * np.log2(spectra.period[first:end] + 1.0)
    both = voiced[2:] & voiced[:-2]
    steps = np.abs(pitch[2:] - pitch[:-2])[both]
    if len(steps):
        out += [float(((steps > 0.2) & (steps < 3)).mean()), float((steps <= 0.2).mean()), float((steps >= 3).mean())]
    else:
        out += [0.0, 0.0, 0.0]
    weights = np.arange(BANDS) / BANDS
    centre = (shape * shape) @ weights
    out += [float(centre[ok].mean()), float(centre[ok].std()) * 3]
    out.append(float(shape[ok].mean()))
    return out


# --- weights
# fitted weights: for each window length the centres and spreads of the traits (in 1/1000), the hidden weights and
# the outer ones (in 1/100)
_WEIGHTS: Final[dict[int, tuple[str, str, str, str]]] = {
    15: (
        ("673 520 461 390 417 824 458 781 517 725 139 660 231 424 208 358 175 237 "),
        ("250 312 321 330 364 786 295 569 370 194 85 323 329 375 257 109 143 34 "),
        (
            "83 80 -18 -22 -42 -20 10 -26 91 -24 48 20 -11 3 -19 50 -24 -1 57 4 13 7 -22 44 54 -74 -12 "
            "-11 13 59 -5 -33 -39 -9 -95 -26 -50 150 -13 42 25 -13 15 -19 15 -41 -7 46 -56 9 -16 12 -7 25 "
            "-73 37 56 -13 -4 -14 10 -32 -10 22 10 -11 -13 17 -41 68 -51 -33 -52 14 40 145 4 16 6 20 124 "
            "-3 -3 -36 111 -15 -19 -24 -18 12 3 -49 -11 -4 111 50 34 -16 23 29 -50 -50 -25 1 -51 10 -33 6 "
            "5 22 -62 25 159 -80 71 66 22 13 -62 -19 -18 -21 9 -7 -32 -18 -18 -2 -4 3 -12 -11 226 -63 19 "
            "-10 0 12 4 -27 4 -19 -141 -38 17 3 73 67 4 15 -39 91 "
        ),
        ("-168 189 -171 240 -187 -285 -178 -198 -27 "),
    ),
    25: (
        ("673 520 461 388 414 824 502 853 504 725 151 646 242 442 217 357 198 238 "),
        ("239 300 307 309 336 717 283 571 331 186 84 306 315 352 230 104 146 33 "),
        (
            "-3 43 14 9 61 -23 3 -29 127 -33 -5 -18 -19 44 -2 -52 -24 24 70 -23 1 -2 -37 13 45 -39 -17 "
            "-28 33 40 -9 -30 -16 8 -103 -1 -31 120 19 24 11 25 44 14 -79 -15 1 20 23 1 -30 12 26 32 5 "
            "-15 -75 -45 -63 -16 19 24 29 16 24 -63 -27 26 18 30 -21 1 -8 63 -34 -106 -15 -16 7 -17 21 -3 "
            "18 -20 -2 -5 -54 67 -84 42 11 56 -40 -51 -97 45 44 -20 2 30 -42 -20 -26 -4 -51 -6 -20 -1 -3 "
            "19 -66 8 148 -77 51 64 33 -22 -71 -16 -20 -8 -26 -14 -12 -13 -8 1 -8 35 8 13 192 -77 15 3 14 "
            "36 -25 -19 10 -23 -112 -49 30 -31 20 44 9 30 -17 118 "
        ),
        ("-184 167 -155 186 -196 -245 -182 -197 -55 "),
    ),
    50: (
        ("679 527 467 393 402 802 536 1007 489 724 159 629 237 468 226 358 219 238 "),
        ("228 286 292 287 309 653 257 588 295 180 79 290 293 326 200 98 140 33 "),
        (
            "69 75 32 -37 -9 -24 9 -19 28 9 8 3 -37 10 19 45 -39 53 87 88 2 -3 -40 -2 53 30 23 21 83 29 "
            "-26 49 -14 -54 -12 -24 -8 -142 -22 27 17 23 74 -31 -8 18 92 -35 -7 -14 -22 24 10 -69 6 25 51 "
            "-66 -51 -19 27 39 44 -2 7 -44 -15 52 27 6 -19 10 10 25 14 -159 -2 -12 -6 18 47 3 -20 -17 -22 "
            "11 -24 29 -108 45 4 7 -23 -14 -42 21 25 -19 3 1 -58 0 -28 -4 -62 -21 -15 -15 1 22 -48 5 76 "
            "-44 6 14 27 37 -2 -31 29 -19 43 -40 -41 -2 12 18 -7 71 -5 -15 -65 5 31 29 30 25 2 -52 -31 21 "
            "-35 -61 -25 5 -7 -12 45 -21 -9 11 "
        ),
        ("-175 203 -151 183 -180 -158 -138 -154 -21 "),
    ),
}
# --- end of weights

_ENOUGH: Final = 4
CLICK_ODDS: Final = -4.0
"""What a sound of less than 80 ms gets: the shortest words last twice as long."""

WINDOWS: Final = (15, 25, 50)
"""Lengths of the windows, in frames, for which ``speech_odds`` was fitted."""


class _Judge:
    """A small network: traits in, log odds of speech out."""

    def __init__(self, centres: str, spreads: str, hidden: str, outer: str) -> None:
        self._centre = np.array(centres.split(), np.float64) / 1000
        self._spread = np.array(spreads.split(), np.float64) / 1000
        table = np.array(hidden.split(), np.float64).reshape(-1, len(TRAITS) + 1) / 100
        self._inner = table[:, :-1]
        self._bias = table[:, -1]
        weights = np.array(outer.split(), np.float64) / 100
        self._outer = weights[:-1]
        self._shift = float(weights[-1])

    def __call__(self, values: list[float]) -> float:
        scaled = np.clip((np.array(values) - self._centre) / self._spread, -4, 4)
        return float((self._outer * np.tanh((self._inner * scaled).sum(axis=1) + self._bias)).sum()) + self._shift


_JUDGES: Final = {length: _Judge(*weights) for length, weights in _WEIGHTS.items()}


def speech_odds(spectra: Spectra, row: int, length: int) -> float:
    """Natural log of the odds that the ``length`` frames (one of ``WINDOWS``) up to and with ``row`` are speech."""
    values = spectra.window(row, length)
    return _JUDGES[length](values) if values else CLICK_ODDS
