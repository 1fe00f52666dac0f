"""The yardstick: the same work done frame by frame, the way one would write it down first.

For each frame of 20 ms and each channel: level, clipping, webrtcvad, the sines of ring-back and keys, one spectrum with
its bands, pitch and weighting, a second opinion on whether it is speech, a state for speech, syllables and pitch of a
turn; then a few rules over both channels. Quiet frames are passed over and spectra are taken near speech only, as in
the product, so that the difference between the two is in how the work is arranged. Not used for anything else.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import webrtcvad

from monitor.core.level import k_weight
from monitor.core.types import Samples

FRAME = 0.02
FFT = 512
KEYS = (697, 770, 852, 941, 1209, 1336, 1477, 1633)
RING = 450
EDGES = np.array([17, 22, 28, 36, 46, 57, 70, 84, 100, 118, 140, 166, 198, 220])
QUIET = -72.0
HANGOVER = 15
ODDS_AT = (15, 25, 50)

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Look:
    """What the spectrum of one frame told."""

    energy: float = 0.0
    loudness: float = 0.0
    voicing: float = 0.0
    period: float = 0.0
    change: float = 1.0
    flatness: float = 1.0
    same: float = 0.0


@dataclass(slots=True)
class Second:
    """What is gathered of one second."""

    powers: list[float] = field(default_factory=list)
    weighted: float = 0.0
    clipped: int = 0
    count: int = 0


class PlainTalk:
    """How somebody speaks: syllables a minute, liveliness of the pitch (semitones), the longest held sound."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._smooth = 0.0
        self._top = self._bottom = 0.0
        self._rising = False
        self._syllables: deque[int] = deque()
        self._voiced: deque[int] = deque()
        self._pitch: list[float] = []
        self._held = self._longest = 0

    def step(self, frame: int, look: Look, voiced: bool, found: list[tuple[str, float, float]]) -> None:
        """The next frame of open speech."""
        self._smooth = (self._smooth + look.energy) / 2
        if self._rising and self._smooth < self._top * 0.85:
            self._rising, self._bottom = False, self._smooth
            self._syllables.append(frame)
        elif not self._rising and self._smooth > self._bottom * 1.15:
            self._rising, self._top = True, self._smooth
        self._top = max(self._top, self._smooth)
        self._bottom = min(self._bottom, self._smooth)
        if voiced:
            self._voiced.append(frame)
        if look.voicing > 0.6:
            self._pitch.append(12 * math.log2(self._rate / look.period))
        self._held = self._held + 1 if look.change < 0.02 and look.voicing > 0.6 else 0
        self._longest = max(self._longest, self._held)
        if frame % 50 == 49:
            for gone in (self._syllables, self._voiced):
                while gone and gone[0] < frame - 150:
                    gone.popleft()
            if len(self._voiced) >= 50:
                found.append(("pace", frame * FRAME, len(self._syllables) / len(self._voiced) / FRAME * 60))

    def over(self, frame: int, found: list[tuple[str, float, float]]) -> None:
        """The turn has ended."""
        if len(self._pitch) >= 50:
            middle = float(np.median(self._pitch))
            found.append(("liveliness", frame * FRAME, float(np.std([p for p in self._pitch if abs(p - middle) < 9]))))
        found.append(("drawl", frame * FRAME, self._longest * FRAME))
        self._pitch, self._longest = [], 0


class PlainChannel:
    """One channel: ``frame`` takes int16 of shape (n,) and returns what became known, as (name, seconds, value)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = round(rate * FRAME)
        self._vad = webrtcvad.Vad(2)
        n = np.arange(self._size)
        self._sines = np.stack([f(2 * np.pi * hz * n / rate) for hz in (*KEYS, RING) for f in (np.cos, np.sin)], axis=1)
        self._window = np.hanning(2 * self._size)
        bins = np.fft.rfftfreq(FFT, 1 / rate)
        self._weights = k_weight(bins)
        self._before = np.zeros(self._size)
        self._bands = np.zeros(len(EDGES) - 1)
        self._detail = np.zeros(121)
        self._looks: deque[Look] = deque(maxlen=64)
        self._powers: deque[float] = deque(maxlen=64)
        self._levels: deque[float] = deque(maxlen=120)
        self._recent: deque[bool] = deque(maxlen=3)
        self._second = Second()
        self._frames = 0
        self._since_hit = 1000
        self._tone = 0
        self._since = 0
        self._pending = False
        self._talk = PlainTalk(rate)
        self.speaking = False

    def frame(self, samples: Samples) -> list[tuple[str, float, float]]:
        """The next 20 ms."""
        found: list[tuple[str, float, float]] = []
        x = samples.astype(np.float64)
        power = float(np.mean(x * x))
        level = 10 * math.log10(max(power, 1e-3) / 32768.0**2)
        clipped = int(np.sum(np.abs(x) >= 32000))
        self._powers.append(power)
        hit = False
        if level > QUIET:
            half = self._size // 2
            between = np.concatenate((self._before[half:], x[:half]))  # a key may be as short as two frames
            tonal = self._tones(between, found)
            tonal = self._tones(x, found) or tonal
            hit = not tonal and self._vad.is_speech(samples.tobytes(), self._rate)
        self._since_hit = 0 if hit else self._since_hit + 1
        look = self._look(x) if self._since_hit < HANGOVER else Look()
        self._looks.append(look)
        self._before = x
        self._recent.append(hit)
        self._speech(hit, found)
        if self.speaking:
            self._talk.step(self._frames, look, hit, found)
        self._measure(power, look, clipped, hit and self.speaking, found)
        self._frames += 1
        return found

    def _tones(self, x: Floats, found: list[tuple[str, float, float]]) -> bool:
        """Whether a sine of the line makes up these 20 ms."""
        power = float(np.mean(x * x))
        sums = x @ self._sines
        share = (sums[0::2] ** 2 + sums[1::2] ** 2) * 2 / (self._size**2 * max(power, 1.0))
        key = float(share[:4].max() + share[4:8].max()) > 0.7
        tonal = key or float(share[8]) > 0.6
        self._tone = self._tone + 1 if tonal else 0
        if self._tone == (4 if key else 40):
            found.append(("key" if key else "ring", self._frames * FRAME, 1.0))
        return self._tone >= 3

    def _look(self, x: Floats) -> Look:
        """Bands, weighting, pitch and change of the last 40 ms."""
        spectrum = np.fft.rfft(np.concatenate((self._before, x)) * self._window, FFT)
        power = spectrum.real**2 + spectrum.imag**2
        bands = np.array([power[a:b].sum() for a, b in pairwise(EDGES)]) ** 0.25
        compressed = power[14:141] ** 0.25
        detail = 2 * compressed[3:-3] - compressed[:-6] - compressed[6:]
        detail /= np.sqrt((detail * detail).sum()) + 1e-9
        lags = np.fft.irfft(power)
        best = int(np.argmax(lags[20:115])) + 20
        size = float(np.sqrt((bands * bands).sum() * (self._bands * self._bands).sum())) + 1e-9
        look = Look(
            energy=float(bands[:7].sum()),
            loudness=float((power * self._weights).sum()),
            voicing=float(lags[best] / (lags[0] + 1e-9)),
            period=float(best),
            change=1 - float((bands * self._bands).sum()) / size,
            flatness=float(np.exp(np.mean(np.log(bands + 1e-9))) / (np.mean(bands) + 1e-9)),
            same=float((detail * self._detail).sum()),
        )
        self._bands, self._detail = bands, detail
        return look

    def _odds(self, length: int) -> float:
        """Above 0 when the last ``length`` frames move like a voice."""
        looks = [look for look in list(self._looks)[-length:] if look.loudness > 0]
        if len(looks) < 4:
            return -1.0
        voicing = np.array([look.voicing for look in looks])
        level = 10 * np.log10(np.array([look.loudness for look in looks]) + 1.0)
        pitch = 12 * np.log2(np.array([look.period for look in looks]))
        change = np.array([look.change for look in looks])
        glide = np.abs(np.diff(pitch))
        still = float(np.mean(glide < 0.2)) if len(glide) else 0.0
        same = float(np.mean([look.same for look in looks]))
        return float(voicing.mean() + level.std() / 6 + change.mean() * 4 - still * 0.5 - same * 0.3)

    def _speech(self, hit: bool, found: list[tuple[str, float, float]]) -> None:
        if not self.speaking and not self._pending and sum(self._recent) >= 2:
            self._pending, self._since = True, self._frames - 2
        elif self._pending:
            age = self._frames - self._since
            if self._since_hit > HANGOVER:
                self._pending = False
            elif age in ODDS_AT and self._odds(age) > 0.3:
                self._pending, self.speaking = False, True
                found.append(("speech", self._since * FRAME, 1.0))
            elif age > ODDS_AT[-1]:
                self._pending = False
        elif self.speaking and self._since_hit > HANGOVER:
            self.speaking = False
            found.append(("silence", (self._frames - HANGOVER) * FRAME, 0.0))
            self._talk.over(self._frames, found)
        elif self.speaking and (self._frames - self._since) % 25 == 0:
            self._odds(50)

    def _measure(
        self, power: float, look: Look, clipped: int, voiced: bool, found: list[tuple[str, float, float]]
    ) -> None:
        if voiced:
            self._second.count += 1
            self._second.clipped += clipped
            self._second.weighted += look.loudness
            if self._frames % 5 == 0:
                self._second.powers.append(float(np.mean(list(self._powers)[-20:])))
        if self._frames % 50 == 49:
            second, self._second = self._second, Second()
            if second.count and second.powers:
                level = 10 * math.log10(float(np.median(second.powers)) / 32768.0**2)
                self._levels.append(level)
                at = (self._frames + 1) * FRAME
                found.append(("level", at, level))
                found.append(("level_relative", at, level - float(np.median(self._levels))))
                found.append(("clipping", at, second.clipped / (second.count * self._size)))
                found.append(("loudness", at, 10 * math.log10(second.weighted / second.count / 32768.0**2 + 1e-12)))


class PlainCall:
    """Both channels and a few rules; ``alerts`` gathers (rule, seconds)."""

    def __init__(self, rate: int) -> None:
        self._size = round(rate * FRAME)
        self._sides = (PlainChannel(rate), PlainChannel(rate))
        self._rest = np.zeros((0, 2), np.int16)
        self._frames = 0
        self._quiet = 0
        self._loud = 0
        self._both = 0
        self.speech = [0, 0]
        """Frames of speech on each side."""
        self.alerts: list[tuple[str, float]] = []

    def feed(self, samples: Samples) -> None:
        """int16 of shape (n, 2), any n; what does not fill a frame waits for the next."""
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) // self._size
        for i in range(whole):
            block = joined[i * self._size : (i + 1) * self._size]
            for side, channel in enumerate(self._sides):
                self._judge(side, channel.frame(np.ascontiguousarray(block[:, side])))
                self.speech[side] += channel.speaking
            self._watch()
        self._rest = joined[whole * self._size :]

    def _judge(self, side: int, found: list[tuple[str, float, float]]) -> None:
        for name, at, value in found:
            if name == "level" and side == 0:
                self._loud = self._loud + 1 if value > -10 or value < -40 else 0
                if self._loud == 3:
                    self.alerts.append(("volume", at))
            elif name == "clipping" and value > 0.002:
                self.alerts.append(("tone", at))

    def _watch(self) -> None:
        agent, customer = (side.speaking for side in self._sides)
        self._quiet = 0 if agent or customer else self._quiet + 1
        self._both = self._both + 1 if agent and customer else 0
        at = self._frames * FRAME
        if self._quiet in (100, 150):
            self.alerts.append(("dead-air", at))
        if self._both == 40:
            self.alerts.append(("no-interrupting", at))
        if self._frames in (180 * 50, 300 * 50):
            self.alerts.append(("duration", at))
        self._frames += 1
