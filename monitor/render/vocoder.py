"""Gives recorded speech another pitch: the sound of the vocal tract stays, what excites it is made anew."""

from __future__ import annotations

import numpy as np

from monitor.render.line import Signal

_FRAME_SECONDS = 0.032
_LIFTER_SECONDS = 0.002
"""Quefrencies below this are the vocal tract, those above are the voice."""

_SWING_SECONDS = (0.31, 0.47, 0.83)
"""The pitch moves in waves of these lengths, about as the tones of Mandarin do."""

_WAVER = 1.0
"""Semitones by which a held pitch still moves."""


def revoice(voice: Signal, rate: int, hertz: float, semitones: float) -> Signal:
    """The voice around ``hertz``, its pitch moving with a standard deviation of ``semitones``, and as loud all along
    as speech can be without clipping."""
    size, hop = round(_FRAME_SECONDS * rate), round(_FRAME_SECONDS * rate) // 4
    window = np.hanning(size + 1)[:-1]
    tract, pulses = _frames(voice, window, hop), _frames(_pulses(voice.size, rate, hertz, semitones), window, hop)
    excited = np.fft.rfft(pulses)
    lifter = round(_LIFTER_SECONDS * rate)
    shaped = np.fft.irfft(excited * np.exp(_envelope(np.fft.rfft(tract), lifter) - _envelope(excited, lifter)), size)
    shaped /= np.sqrt(np.mean(np.square(shaped), axis=1, keepdims=True)) + 1e-9
    made = np.zeros(voice.size + 2 * size)
    for number, frame in enumerate(shaped * window):
        made[number * hop : number * hop + size] += frame
    return _limited(made[size : size + voice.size])


def hold(voice: Signal, rate: int, hertz: float, seconds: float) -> Signal:
    """The loudest sound of the voice, held for so long at one pitch."""
    size = round(_FRAME_SECONDS * rate)
    window = np.hanning(size + 1)[:-1]
    frames = _frames(voice, window, size)
    loudest = frames[np.argmax(np.square(frames).sum(axis=1))][np.newaxis]
    course = _envelope(np.fft.rfft(loudest), round(_LIFTER_SECONDS * rate))[0]
    excited = np.fft.rfft(_pulses(round(seconds * rate), rate, hertz, _WAVER))
    places = np.linspace(0, course.size - 1, excited.size)
    return _limited(
        np.fft.irfft(excited * np.exp(np.interp(places, np.arange(course.size), course)), round(seconds * rate))
    )


def _limited(signal: Signal) -> Signal:
    return np.asarray(np.tanh(signal / (1.5 * signal.std())) / 1.5)


def _frames(signal: Signal, window: Signal, hop: int) -> Signal:
    """Windowed frames, shape (n, len(window)); the signal is taken to go round."""
    padded = np.concatenate((signal[-window.size :], signal, signal[: window.size]))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, window.size)[::hop] * window)


def _envelope(spectra: np.ndarray[tuple[int, ...], np.dtype[np.complex128]], lifter: int) -> Signal:
    """The smooth course of the logarithms of spectra."""
    cepstra = np.fft.irfft(np.log(np.abs(spectra) + 1e-6))
    cepstra[:, lifter:-lifter] = 0.0
    return np.asarray(np.fft.rfft(cepstra).real)


def _pulses(size: int, rate: int, hertz: float, semitones: float) -> Signal:
    """A pulse for every period, between two samples where need be."""
    time = np.arange(size) / rate
    waves = [np.sin(2 * np.pi * time / seconds + n) for n, seconds in enumerate(_SWING_SECONDS)]
    course = np.sum(waves, axis=0) / np.sqrt(len(waves) / 2) * semitones
    phase = np.cumsum(hertz * 2 ** (course / 12)) / rate
    places = np.interp(np.arange(1, int(phase[-1])), phase, np.arange(size))
    pulses = np.zeros(size + 1)
    whole = places.astype(np.int64)
    np.add.at(pulses, whole, 1 - (places - whole))
    np.add.at(pulses, whole + 1, places - whole)
    return pulses[:size]
