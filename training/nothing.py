"""Sounds without speech: silence, noise, tones of the line, keys, clicks, hold music. float32 at 16 kHz."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from monitor.render import line, sounds
from monitor.render.music import STYLES, music
from training.augment import Mix, Noises, telephone, wrapped
from training.features import RATE, Signal

_MUSIC_SECONDS = 30.0
_TUNES = 2
"""Tunes by each band."""

_KEYS = "0123456789*#"
Maker = Callable[[random.Random, float, Noises], Signal]


def make_music(seed: int) -> Noises:
    """Render the hold music once."""
    bank = {
        f"{style}{number}": music(style, _MUSIC_SECONDS, RATE, -12.0, seed * 1000 + 100 * place + number)
        for place, style in enumerate(STYLES)
        for number in range(_TUNES)
    }
    return Noises({name: (tune / np.sqrt(np.mean(np.square(tune)))).astype(np.float32) for name, tune in bank.items()})


def _silence(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    count = round(seconds * RATE)
    if draw.random() < 0.3:
        return np.zeros(count, dtype=np.float32)
    rng = np.random.default_rng(draw.getrandbits(32))
    return (rng.standard_normal(count) * 10 ** (draw.uniform(-90.0, -65.0) / 20)).astype(np.float32)


def _clicks(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    """Knocks and beeps, a few."""
    result = _silence(draw, seconds, music_bank)
    for _ in range(draw.randint(1, 6)):
        length = min(draw.randint(40, 2400), result.size // 2)
        start = draw.randrange(result.size - length)
        time = np.arange(length) / RATE
        wave = np.sin(2 * np.pi * draw.uniform(150, 3500) * time)
        if draw.random() < 0.5:
            wave *= np.exp(-time * draw.uniform(50, 400))
        result[start : start + length] += (wave * draw.uniform(0.01, 0.3)).astype(np.float32)
    return result


def _tone(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    """Any steady tone or pair of tones."""
    frequencies = tuple(draw.uniform(200, 3200) for _ in range(draw.choice((1, 1, 2))))
    return sounds.tone(frequencies, seconds, RATE).astype(np.float32)


def _from_anywhere(signal: line.Signal, draw: random.Random, seconds: float) -> Signal:
    """``seconds`` of a repeating signal, begun at any place."""
    return wrapped(signal.astype(np.float32), draw.randrange(signal.size), round(seconds * RATE))


def _ring(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    cycle = np.concatenate((sounds.ring(1, RATE), np.zeros(round(sounds.RING_OFF * RATE))))
    return _from_anywhere(cycle, draw, seconds)


def _busy(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    return _from_anywhere(sounds.busy(4 * sounds.BUSY_ON, RATE), draw, seconds)


def _dial(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    return sounds.dial_tone(seconds, RATE).astype(np.float32)


def _keys(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    result = np.zeros(round(seconds * RATE), dtype=np.float32)
    at = round(draw.uniform(0.0, min(0.5, seconds / 4)) * RATE)
    while at < result.size:
        pressed = sounds.key(draw.choice(_KEYS), draw.uniform(0.06, 0.4), RATE).astype(np.float32)
        part = pressed[: result.size - at]
        result[at : at + part.size] = part
        at += pressed.size + round(draw.uniform(0.06, 0.8) * RATE)
    return result


def _hold_music(draw: random.Random, seconds: float, music_bank: Noises) -> Signal:
    return music_bank.draw(draw, round(seconds * RATE))[1]


_MAKERS: dict[str, tuple[Maker, float]] = {
    "silence": (_silence, 1.0),
    "clicks": (_clicks, 1.0),
    "tone": (_tone, 0.6),
    "ring": (_ring, 1.2),
    "busy": (_busy, 0.6),
    "dial": (_dial, 0.5),
    "keys": (_keys, 1.0),
    "music": (_hold_music, 1.8),
}
_NOISE_WEIGHT = 2.3


def make_nothing(draw: random.Random, mix: Mix, noises: Noises, music_bank: Noises) -> tuple[Signal, str]:
    """Some seconds of a sound without speech at any level, and what it is."""
    seconds = draw.uniform(0.6, 12.0) if draw.random() < 0.85 else draw.uniform(12.0, 28.0)
    names = [*_MAKERS, "noise"]
    name = draw.choices(names, [*(weight for _, weight in _MAKERS.values()), _NOISE_WEIGHT])[0]
    steady = tuple(each for each in noises.bank if not each.startswith("babble"))
    if name == "noise":
        name, samples = noises.draw(draw, round(seconds * RATE), steady)
    else:
        samples = _MAKERS[name][0](draw, seconds, music_bank)
    if name not in ("silence", "clicks"):
        peak = float(np.abs(samples).max(initial=0.0))
        samples = samples * np.float32(10 ** (draw.uniform(-60.0, -1.0) / 20) / max(peak, 1e-6))
    if name not in noises.bank and draw.random() < 0.4:
        hiss = noises.draw(draw, samples.size, steady)[1]
        samples = samples + hiss * np.float32(10 ** (draw.uniform(-80.0, -40.0) / 20))
    if draw.random() < mix.telephone:
        samples = telephone(samples, mix, draw)
    return np.clip(samples, -1.0, 1.0).astype(np.float32), name
