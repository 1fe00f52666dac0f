"""What happens to speech on its way: room, noise, telephone line, lost packets. Samples are float32 at 16 kHz."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import soxr

from monitor.render.espeak import Speaker
from monitor.render.line import telephone_band, through_mu_law
from monitor.render.sounds import NOISES
from training.features import RATE, Signal
from training.speech import TRAINING_VOICES, draw_manner, say

_LINE_RATE = 8000
_BANK_SECONDS = 40
_PACKET = RATE // 50
_STEADY = ("white", "pink", "brown", "hum", "office")


@dataclass(frozen=True, slots=True)
class Mix:
    """How often each thing happens: shares of all utterances. ``clean`` ones meet none of the others; ``mu_law`` and
    ``a_law`` are shares of the telephone's."""

    clean: float = 0.20
    telephone: float = 0.60
    band_pass: float = 0.85
    mu_law: float = 0.35
    a_law: float = 0.25
    packet_loss: float = 0.08
    clipping: float = 0.06
    echo: float = 0.08
    reverb: float = 0.10
    noise: float = 0.65
    cut: float = 0.15
    nothing: float = 0.05
    fastest: float = 480.0
    """Characters a minute; espeak's voices can speak faster than anybody does."""

    def among_unclean(self, share: float) -> float:
        """The chance that gives ``share`` of all utterances when the clean ones are left out."""
        return min(share / (1.0 - self.clean), 1.0)


TRAINING = Mix()
EVALUATION = Mix(
    clean=0.0,
    telephone=1.0,
    packet_loss=0.0,
    clipping=0.0,
    echo=0.0,
    reverb=0.0,
    noise=1.0,
    cut=0.0,
    nothing=0.0,
    fastest=320.0,
)
"""Telephone and noise, every sentence whole, at most as fast as hurried people speak."""


@dataclass(frozen=True, slots=True, eq=False)
class Noises:
    """Long stretches of noise at an RMS of 1, by name; babble under ``babble4`` and ``babble8``."""

    bank: dict[str, Signal]

    def draw(self, draw: random.Random, count: int, names: tuple[str, ...] | None = None) -> tuple[str, Signal]:
        """``count`` samples from anywhere in one of them."""
        name = draw.choice(names or tuple(self.bank))
        whole = self.bank[name]
        return name, wrapped(whole, draw.randrange(whole.size), count)


def wrapped(signal: Signal, start: int, count: int) -> Signal:
    """``count`` samples from ``start`` on of a signal that repeats."""
    turned = np.concatenate((signal[start:], signal[:start])) if start + count > signal.size else signal[start:]
    return np.resize(turned, count) if count > turned.size else turned[:count]


def make_noises(seed: int, sentence: Callable[[random.Random], str]) -> Noises:
    """Render the stretches: some two seconds."""
    rng = np.random.default_rng([seed, 1])
    bank = {name: _at_one(NOISES[name](_BANK_SECONDS, RATE, rng)) for name in _STEADY}
    draw = random.Random(f"babble {seed}")
    with Speaker() as speaker:
        for voices in (4, 8):
            mixed = sum((_talk(speaker, sentence, draw) for _ in range(voices)), np.zeros(_BANK_SECONDS * RATE))
            bank[f"babble{voices}"] = _at_one(mixed)
    return Noises(bank)


def _at_one(signal: npt.NDArray[np.floating]) -> Signal:
    result: Signal = (signal / np.sqrt(np.mean(np.square(signal)))).astype(np.float32)
    return result


def _talk(speaker: Speaker, sentence: Callable[[random.Random], str], draw: random.Random) -> Signal:
    """One voice talking all the time, at its own strength."""
    parts: list[Signal] = []
    manner = draw_manner(draw, TRAINING_VOICES)
    wanted = _BANK_SECONDS * RATE
    while sum(part.size for part in parts) < wanted:
        spoken = say(speaker, sentence(draw), manner)
        if spoken is not None:
            parts += [spoken.samples, np.zeros(round(draw.uniform(0.1, 0.5) * RATE), dtype=np.float32)]
    return np.concatenate(parts)[:wanted] * np.float32(draw.uniform(0.4, 1.0))


def degrade(samples: Signal, mix: Mix, noises: Noises, others: list[Signal], draw: random.Random) -> Signal:
    """The samples as they arrive at the other end; same length. ``others`` are sentences for the echo."""
    peak = 10 ** (draw.uniform(-30.0, -0.5) / 20)
    if draw.random() < mix.clean:
        return _at_peak(samples, peak)

    def happens(share: float) -> bool:
        return draw.random() < mix.among_unclean(share)

    if happens(mix.reverb):
        samples = reverberate(samples, draw)
    noisy, narrow = happens(mix.noise), happens(mix.telephone)
    on_the_line = draw.random() < 0.3
    if noisy and not on_the_line:
        samples = add_noise(samples, noises, draw)
    if happens(mix.echo) and others:
        samples = add_echo(samples, draw.choice(others), draw)
    if happens(mix.clipping):
        samples = clip(samples, draw)
    if narrow:
        samples = telephone(_at_peak(samples, peak), mix, draw)
    if happens(mix.packet_loss):
        samples = lose_packets(samples, draw)
    if noisy and on_the_line:
        samples = add_noise(samples, noises, draw, narrow=narrow)
    return _at_peak(samples, peak)


def _at_peak(samples: Signal, peak: float) -> Signal:
    highest = float(np.abs(samples).max(initial=0.0))
    return (samples * np.float32(peak / highest)).astype(np.float32) if highest else samples


def spoken_rms(samples: Signal) -> float:
    """RMS over the 20 ms that are no more than 40 dB below the loudest."""
    count = samples.size // _PACKET
    power = np.square(samples[: count * _PACKET].reshape(count, _PACKET)).mean(axis=1)
    voiced = power[power > power.max(initial=0.0) * 1e-4]
    return float(np.sqrt(voiced.mean())) if voiced.size else 0.0


def add_noise(samples: Signal, noises: Noises, draw: random.Random, *, narrow: bool = False) -> Signal:
    """Steady noise 8 to 40 dB below the speech, or voices in the background 15 to 35 dB below; ``narrow`` noise has
    nothing above 4 kHz, like a telephone line."""
    name, noise = noises.draw(draw, samples.size)
    if narrow:
        noise = _wide(soxr.resample(noise, RATE, _LINE_RATE, quality="MQ"), noise.size)
    snr = draw.uniform(15.0, 35.0) if name.startswith("babble") else draw.uniform(8.0, 40.0)
    return samples + noise * np.float32(spoken_rms(samples) * 10 ** (-snr / 20))


def add_echo(samples: Signal, other: Signal, draw: random.Random) -> Signal:
    """The other party leaks in: another sentence 25 to 40 dB below, 50 to 300 ms late."""
    start = min(round(draw.uniform(0.05, 0.30) * RATE), samples.size)
    part = other[: samples.size - start]
    gain = spoken_rms(samples) / max(spoken_rms(other), 1e-6) * 10 ** (draw.uniform(-40.0, -25.0) / 20)
    result = samples.copy()
    result[start : start + part.size] += part * np.float32(gain)
    return result


def reverberate(samples: Signal, draw: random.Random) -> Signal:
    """A room: the direct sound and a tail of noise that decays by 60 dB within 0.15 to 0.5 s."""
    decay = draw.uniform(0.15, 0.5)
    count = round(decay * RATE)
    rng = np.random.default_rng(draw.getrandbits(32))
    tail = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail[: round(draw.uniform(0.002, 0.01) * RATE)] = 0.0
    tail *= 10 ** (draw.uniform(-12.0, -2.0) / 20) / np.sqrt(np.sum(np.square(tail)))
    tail[0] = 1.0
    size = 1 << (samples.size + count - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return wet[: samples.size].astype(np.float32)


def clip(samples: Signal, draw: random.Random) -> Signal:
    """An overdriven input: cut off between a sixth and a half of the peak."""
    limit = float(np.abs(samples).max(initial=0.0)) * draw.uniform(0.15, 0.5)
    return np.clip(samples, -limit, limit)


def telephone(samples: Signal, mix: Mix, draw: random.Random) -> Signal:
    """8 kHz, mostly only 300 to 3400 Hz, and mostly through a codec."""
    narrow = soxr.resample(samples, RATE, _LINE_RATE, quality="MQ")
    if draw.random() < mix.band_pass:
        narrow = telephone_band(narrow, _LINE_RATE)
    codec = draw.random()
    if codec < mix.mu_law + mix.a_law:
        table = _mu_law() if codec < mix.mu_law else _a_law()
        coded = np.clip(np.rint(narrow * 32768.0), -32768, 32767).astype(np.int32)
        narrow = table[coded + 32768]
    return _wide(narrow.astype(np.float32), samples.size)


def _wide(narrow: Signal, count: int) -> Signal:
    """Back at 16 kHz, ``count`` samples."""
    wide: Signal = soxr.resample(narrow, _LINE_RATE, RATE, quality="MQ")[:count]
    return np.pad(wide, (0, count - wide.size))


@cache
def _mu_law() -> Signal:
    """What each int16 value becomes on a G.711 mu-law line."""
    return through_mu_law(np.arange(-32768, 32768).astype(np.int16)).astype(np.float32) / np.float32(32768.0)


@cache
def _a_law() -> Signal:
    """What each int16 value becomes on a G.711 A-law line: 8 segments of 16 steps a sign, the steps growing."""
    wide = np.arange(-32768, 32768)
    magnitude = np.where(wide < 0, -wide - 1, wide)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int64) - 7, 0)
    step = 16 << np.maximum(segment - 1, 0)
    decoded = magnitude // step * step + step // 2
    result: Signal = (np.where(wide < 0, -decoded, decoded) / 32768.0).astype(np.float32)
    return result


def lose_packets(samples: Signal, draw: random.Random) -> Signal:
    """One to five of a hundred 20 ms packets are missing: silent, or the one before again."""
    result = samples.copy()
    share, repeats = draw.uniform(0.01, 0.05), draw.random() < 0.5
    for start in range(0, samples.size - _PACKET, _PACKET):
        if draw.random() < share:
            before = result[start - _PACKET : start] if repeats and start else 0.0
            result[start : start + _PACKET] = before
    return result
