"""Random voices: espeak variants drawn from ranges that hold all stock variants and a little more.

espeak reads variants from its data folder only. So a folder is made that links to the installed data, with drawn
variants beside the stock ones; ``monitor.render.espeak.Speaker`` takes it as ``data``.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from monitor.render.espeak import VOICE, EspeakError, Speaker, Spoken, is_han, synthesize

COUNT = 400
DATA = "espeak-ng-data"
INDEX = "voices.json"
"""Written last: names of the voices, and what they were drawn with."""

SHIFT = (0.78, 1.30)
"""Of all formants: from a larger mouth than any man's to a child's."""

BASE = {"male": (65.0, 160.0), "female": (130.0, 320.0)}
"""Low end of the pitch, Hz."""

_FORMANTS = 9
_HIGHEST_TONE = 5500.0
"""Hz; espeak writes past a table where the envelope goes far beyond its spectrum."""

_TRIES = 3
"""Voices drawn in all are at most so many times those wanted."""

SAID = "请问您需要办理什么业务？"
WPM = 190
PACE = (140.0, 440.0)
"""Characters a minute at WPM; stock variants take 176 to 399."""
SOFTEST = -45.0
"""dBFS, RMS; stock variants have -30 to -8."""
HISS = (3500.0, 0.5)
"""Hz, and the largest share of the power above them; stock variants have up to 0.15."""
MOST_CLIPPED = 0.001
"""Share of samples at the limit; stock variants have up to 0.0003."""

Check = Callable[[Path, str], str]


@dataclass(frozen=True, slots=True)
class Cast:
    """The random voices of a training set: ``data`` for Speaker, their names, and their share of the utterances that
    espeak speaks."""

    data: Path
    names: tuple[str, ...]
    share: float


def _among(draw: random.Random, low: float, high: float) -> float:
    """Between the two, in equal proportions rather than steps."""
    return math.exp(draw.uniform(math.log(low), math.log(high)))


def _whole(*values: float) -> str:
    return " ".join(str(round(value)) for value in values)


def describe(draw: random.Random, name: str) -> str:
    """The text of a variant file, drawn."""
    gender = draw.choice(tuple(BASE))
    low = _among(draw, *BASE[gender])
    lines = [
        "language variant",
        f"name {name}",
        f"gender {gender}",
        f"pitch {_whole(low, low * draw.uniform(1.05, 1.8))}",
        f"flutter {draw.randint(0, 12)}",
        f"roughness {draw.choice((0, 0, 0, 1, 2, 3, 4, 5))}",
        *_formants(draw),
        f"voicing {_whole(_among(draw, 30, 165))}",
        f"consonants {_whole(_among(draw, 40, 130), _among(draw, 40, 130))}",
    ]
    if draw.random() < 0.75:
        lines.append(_tone(draw))
    if draw.random() < 0.12:
        lines.append(f"klatt {draw.randint(1, 6)}")
    if draw.random() < 0.20:
        lines += _breath(draw)
    if draw.random() < 0.08:
        lines.append(f"echo {_whole(draw.uniform(20, 200), draw.uniform(5, 30))}")
    if draw.random() < 0.30:
        lines += _stress(draw)
    return "\n".join(lines) + "\n"


def _formants(draw: random.Random) -> Iterator[str]:
    """Frequency, strength and width in percent. 0 is the low end of the spectrum, 6 to 8 are faint additions that
    some voices lack."""
    shift, width = _among(draw, *SHIFT), draw.uniform(80.0, 160.0)
    dull = draw.uniform(0.0, 0.7)
    for number in range(_FORMANTS):
        strength = draw.uniform(50.0, 200.0 if number == 0 else 160.0)
        if number > 1:
            strength = max(strength * (1.0 - dull * (number - 1) / _FORMANTS), 50.0)
        if number > 5 and draw.random() < 0.3:
            strength = draw.uniform(0.0, 50.0)
        wide = min(max(width * draw.uniform(0.75, 1.25), 70.0), 170.0)
        yield f"formant {number} {_whole(100 * shift * draw.uniform(0.92, 1.08), strength, wide)}"


def _tone(draw: random.Random) -> str:
    """The envelope of the spectrum, heights to 255 at rising frequencies: level, falling steeply, or uneven."""
    hz, height = _among(draw, 80, 600), draw.uniform(150.0, 255.0)
    falls = draw.uniform(-0.15, 1.6)
    points: list[float] = []
    for _ in range(draw.randint(3, 5)):
        points += [hz, min(max(height * math.exp(draw.uniform(-0.4, 0.4)), 10.0), 255.0)]
        step = draw.uniform(0.6, 1.8)
        hz, height = hz * 2**step, height * 2 ** (-falls * step)
        if hz > _HIGHEST_TONE:
            break
    return f"tone {_whole(*points)}"


def _breath(draw: random.Random) -> Iterator[str]:
    """Noise in each formant, and how wide."""
    strongest = _among(draw, 3, 40)
    yield f"breath {_whole(*(strongest * draw.random() for _ in range(8)))}"
    if draw.random() < 0.5:
        yield f"breathw {_whole(*(draw.uniform(100, 400) for _ in range(8)))}"


def _stress(draw: random.Random) -> Iterator[str]:
    """Lengths and strengths of syllables by their stress, eight levels."""
    kind = draw.random()
    if kind < 0.5:  # short syllables, and how short each is differs from voice to voice
        usual = draw.uniform(100, 190)
        added = [usual * draw.uniform(0.8, 1.2) for _ in range(8)]
        added[4] = added[5] = draw.choice((0.0, usual))
        yield f"stressLength {_whole(*range(8))}"
        yield f"stressAdd {_whole(*added)}"
    elif kind < 0.85:
        usual = draw.uniform(-40, 200)
        yield f"stressAdd {_whole(*(usual + draw.uniform(-40, 60) for _ in range(8)))}"
    if kind > 0.7 or draw.random() < 0.6:
        usual = draw.uniform(16, 30)
        yield f"stressAmp {_whole(*(usual * draw.uniform(0.75, 1.25) for _ in range(8)))}"


def make(folder: Path, seed: int, count: int = COUNT) -> tuple[str, ...]:
    """Make ``folder`` with ``count`` voices, and return their names; it is the ``data`` of a Speaker.

    The voices depend on the seed, and on the installed espeak in so far as those that come out broken are replaced.
    Voices that stand there from the same seed and count are kept. Raises RuntimeError where too many are broken.
    """
    variants = folder / DATA / "voices" / "!v"
    variants.mkdir(parents=True, exist_ok=True)
    with Speaker() as speaker:
        link(speaker.data, folder / DATA)
    index = folder / INDEX
    made = {"seed": seed, "count": count}
    if index.exists():
        known = json.loads(index.read_text(encoding="utf-8"))
        if made.items() <= known.items() and all((variants / name).is_file() for name in known["names"]):
            return tuple(known["names"])
        index.unlink()
    for path in variants.iterdir():
        if not path.is_symlink():
            path.unlink()
    names, thrown = _draw_all(folder, seed, count)
    partial = index.with_suffix(".part")
    partial.write_text(json.dumps({**made, "names": names, "thrown_out": thrown}), encoding="utf-8")
    partial.replace(index)
    return tuple(names)


def link(installed: Path, data: Path) -> None:
    """Links in ``data`` to the files of the installed data; folders for voices are real, so that more can be added.

    The Mandarin voice is also linked where espeak looks first: otherwise it would list all voices to find it, and
    give up after 350.
    """
    (source,) = (path for path in (installed / "lang").rglob("*") if path.name.lower() == VOICE)
    wanted = {data / "voices" / VOICE: source}
    for part in (Path(), Path("voices"), Path("voices") / "!v"):
        wanted |= {data / part / path.name: path for path in (installed / part).iterdir()}
    for path, target in wanted.items():
        if path in (data / "voices", data / "voices" / "!v"):
            continue
        if not path.is_symlink() or path.readlink() != target:
            path.unlink(missing_ok=True)
            path.symlink_to(target)


def _draw_all(folder: Path, seed: int, count: int) -> tuple[list[str], dict[str, str]]:
    """Names of the voices that are kept; and why others are not, by their number in the order of drawing."""
    variants = folder / DATA / "voices" / "!v"
    names: list[str] = []
    thrown: dict[str, str] = {}
    checker = Checker(folder)
    try:
        for number in range(_TRIES * count):
            if len(names) == count:
                break
            name = f"r{len(names):03d}"
            text = describe(random.Random(f"voice {seed}/{number}"), name)
            (variants / name).write_text(text, encoding="utf-8")
            if why := checker.broken(name):
                thrown[str(number)] = why
                (variants / name).unlink()
            else:
                names.append(name)
    finally:
        checker.close()
    if len(names) < count:
        raise RuntimeError(f"{len(thrown)} of {_TRIES * count} random voices are broken; is espeak-ng sound?")
    return names, thrown


def broken(folder: Path, name: str) -> str:
    """Why a voice cannot be used, or nothing. Says one sentence."""
    try:
        spoken = synthesize(SAID, variant=name, wpm=WPM, data=folder)
    except EspeakError as error:
        return str(error)
    return unfit(spoken)


def unfit(spoken: Spoken) -> str:
    """Why SAID, spoken so, is of no use, or nothing."""
    samples = spoken.samples
    level = 10 * math.log10(float(np.mean(np.square(samples))) + 1e-12) if samples.size else -120.0
    if level < SOFTEST:
        return f"silent: {level:.0f} dBFS"
    clipped = float(np.mean(np.abs(samples) > 0.999))
    if clipped > MOST_CLIPPED:
        return f"clipped: {clipped:.2%}"
    power = np.square(np.abs(np.fft.rfft(samples)))
    above = float(power[round(HISS[0] / spoken.rate * samples.size) :].sum() / power.sum())
    if above > HISS[1]:
        return f"hiss: {above:.0%} of the power"
    seconds = sum(end - start for (_, start), end in zip(spoken.characters, spoken.ends, strict=True)) / spoken.rate
    pace = 60.0 * sum(map(is_han, SAID)) / max(seconds, 1e-3)
    return "" if PACE[0] <= pace <= PACE[1] else f"pace: {pace:.0f} characters a minute"


def _serve(folder: Path, check: Check, pipe: Connection) -> None:
    """In a process of its own: answers names with what is wrong with them."""
    while (name := pipe.recv()) is not None:
        pipe.send(check(folder, name))


class Checker:
    """Checks voices in a process of its own: espeak is C, and a voice that ends it must not end the caller."""

    def __init__(self, folder: Path, check: Check = broken) -> None:
        self._folder, self._check = folder, check
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(self._folder, self._check, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def broken(self, name: str) -> str:
        """Why the voice cannot be used, or nothing."""
        self._pipe.send(name)
        try:
            why: str = self._pipe.recv()
        except EOFError:
            self._process.join()
            why = f"ends the process with exit code {self._process.exitcode}"
            self._start()
        return why

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()
