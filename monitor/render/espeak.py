"""espeak-ng in process: text in, samples and the start of every character out.

The engine keeps state between sentences (phase of its oscillators, position in its flutter table), so the same
sentence spoken twice differs by some milliseconds. A recording must not depend on what was spoken before it, so
every sentence gets a freshly loaded library, which is unloaded again afterwards (some 15 ms). Its breath noise
comes from the C library's ``rand``, which is seeded each time for the same reason.
"""

from __future__ import annotations

import _ctypes
import ctypes
import ctypes.util
import math
import re
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

VOICE = "cmn-latn-pinyin"
"""The only Mandarin voice that reads characters; the plain ``cmn`` spells most of them out in English."""

WPM = (80, 400)
"""Speeds that the engine renders without its time stretcher, in its own words a minute."""

LOWEST_HZ = 25.0
"""The engine's own floor for the pitch; a sentence that would begin below it makes the library write past a table."""

_USUAL_HZ = (80.0, 118.0)
"""Low and high end of the pitch of VOICE, where a variant names none."""

_LIBRARIES = ("libespeak-ng.so.1", "libespeak-ng.1.dylib", "libespeak-ng.dll")
_SYNCHRONOUS = 2
_INIT_PHONEME_EVENTS = 1
_INIT_DONT_EXIT = 0x8000
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_PAUSE = b"_:"
_PITCH_LINE = re.compile(r"^\s*pitch\s+(\d+)\s+(\d+)", re.MULTILINE)
_LOCK = threading.Lock()


class EspeakError(RuntimeError):
    """The text cannot be spoken, or the engine is missing; the message names the remedy."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """Float samples of shape (n,) in -1..1 at ``rate``, and the sample at which each Han character of the text
    begins, in the order of the text; ``ends`` holds the sample at which each of them ends (the next one's start, or
    the pause that follows)."""

    samples: npt.NDArray[np.float64]
    rate: int
    characters: tuple[tuple[str, int], ...]
    ends: tuple[int, ...]


def is_han(char: str) -> bool:
    """Whether a character is spoken: the Han characters of the basic block."""
    return "\u4e00" <= char <= "\u9fff"


@cache
def missing() -> str | None:
    """Why espeak-ng cannot be used here, or None when it can."""
    try:
        name = _library()
    except EspeakError as error:
        return str(error)
    with _LOCK:
        voices = _Engine(name)
        try:
            found = voices.choose("")
        finally:
            voices.close()
    return None if found else f"espeak-ng has no voice {VOICE}; install espeak-ng-data 1.50 or newer"


@cache
def _library() -> str:
    for name in (*_LIBRARIES, ctypes.util.find_library("espeak-ng") or ""):
        if name:
            try:
                _ctypes.dlclose(ctypes.CDLL(name)._handle)
            except OSError:
                continue
            return name
    raise EspeakError("the espeak-ng library is missing; install it (Debian, Ubuntu: apt install libespeak-ng1)")


def synthesize(
    text: str, *, variant: str, wpm: int, pitch: int = 50, pitch_range: int = 50, data: Path | None = None
) -> Spoken:
    """Speak ``text`` (Han characters and punctuation).

    ``variant`` is an espeak voice variant such as ``f2`` or ``Annie``; ``pitch`` and ``pitch_range`` run from 0 to
    99; ``wpm`` is espeak's own speed. Raises EspeakError for an unknown variant, for a character that the voice
    cannot read, and for a deep pitch with a range so wide that it falls below LOWEST_HZ. ``data`` as for Speaker.
    """
    with Speaker(data) as speaker:
        return speaker.speak(text, variant=variant, wpm=wpm, pitch=pitch, pitch_range=pitch_range)


class Speaker:
    """The library, loaded once for many sentences: some hundred times faster than real time.

    The same series of sentences sounds the same each time; one sentence depends on those before it. The library
    has global state, so there is one Speaker at a time: other threads wait until it is closed, and opening a second
    one in the same thread raises EspeakError, as does a missing library. Use it as a context manager.

    ``data`` is a folder that holds another ``espeak-ng-data`` than the one installed; EspeakError where it does not.
    """

    _owner: ClassVar[int | None] = None

    def __init__(self, data: Path | None = None) -> None:
        if Speaker._owner == threading.get_ident():
            raise EspeakError("this thread has a Speaker open; close it before espeak-ng is loaded again")
        _LOCK.acquire()
        try:
            self._engine = _Engine(_library(), data)
        except BaseException:
            _LOCK.release()
            raise
        Speaker._owner = threading.get_ident()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()
        Speaker._owner = None
        _LOCK.release()

    @property
    def data(self) -> Path:
        """The folder ``espeak-ng-data`` in use."""
        return self._engine.data

    def speak(self, text: str, *, variant: str, wpm: int, pitch: int = 50, pitch_range: int = 50) -> Spoken:
        """As ``synthesize``, with the same errors."""
        if not WPM[0] <= wpm <= WPM[1]:
            raise EspeakError(f"wpm {wpm} is outside {WPM[0]}..{WPM[1]}")
        if not self._engine.choose(variant):
            raise EspeakError(f"espeak-ng has no voice variant {variant!r}; known are {self._engine.variants()}")
        if self._engine.lowest_hz(variant, pitch, pitch_range) < LOWEST_HZ:
            raise EspeakError(
                f"voice variant {variant!r} at pitch {pitch} with range {pitch_range} falls below {LOWEST_HZ:.0f} Hz,"
                " where espeak-ng fails; raise the pitch or narrow the range"
            )
        samples, events = self._engine.speak(text, wpm, pitch, pitch_range)
        characters, ends = _characters(text, events, samples.size)
        return Spoken(samples, self._engine.rate, characters, ends)


def _characters(
    text: str, events: list[tuple[int, int, int, bytes]], size: int
) -> tuple[tuple[tuple[str, int], ...], tuple[int, ...]]:
    """Match WORD events to the Han characters of the text, one event a character, in order: their starts, and their
    ends, at the next start, the next pause phoneme or the end of the sound."""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    last = -1
    for kind, position, sample, phoneme in events:
        if kind == _EVENT_PHONEME and phoneme.startswith(b"(en"):
            raise EspeakError(f"espeak-ng cannot read a character of {text!r} and falls back to English")
        index = position - 1
        if kind == _EVENT_PHONEME and phoneme.startswith(_PAUSE):
            ends.setdefault(last, sample)
        if kind == _EVENT_WORD and last < index < len(text) and is_han(text[index]):
            ends.setdefault(last, sample)
            starts[index] = sample
            last = index
    wanted = [index for index, char in enumerate(text) if is_han(char)]
    if lost := [text[index] for index in wanted if index not in starts]:
        raise EspeakError(f"espeak-ng gives no time for {''.join(lost)!r} in {text!r}; use other wording")
    return (
        tuple((text[index], starts[index]) for index in wanted),
        tuple(min(ends.get(index, size), size) for index in wanted),
    )


class _Engine:
    """One loading of the library. The caller holds the lock and closes it."""

    def __init__(self, name: str, data: Path | None = None) -> None:
        self._lib = ctypes.CDLL(name)
        self._audio: list[npt.NDArray[np.int16]] = []
        self._events: list[tuple[int, int, int, bytes]] = []
        self._variants: list[str] | None = None
        self._pitches: dict[str, tuple[float, float]] = {}
        self._callback = _CALLBACK(self._take)  # held here: the library keeps only the address
        ctypes.CDLL(None).srand(1)
        options = _INIT_PHONEME_EVENTS | _INIT_DONT_EXIT
        path = None if data is None else str(data.resolve()).encode()
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, path, options)
        if self.rate <= 0:
            raise EspeakError("espeak-ng finds no data; install espeak-ng-data")
        self.data = self._find_data()
        if data is not None and self.data.parent != data.resolve():  # it takes the installed data instead, silently
            self.close()
            raise EspeakError(f"{data} holds no espeak-ng-data, or its path is too long for espeak-ng (140 characters)")
        self._lib.espeak_SetSynthCallback(self._callback)

    def close(self) -> None:
        self._lib.espeak_Terminate()
        _ctypes.dlclose(self._lib._handle)

    def choose(self, variant: str) -> bool:
        """Select the voice; an unknown variant is refused (espeak itself would ignore it)."""
        if variant and variant not in self.variants():
            return False
        name = f"{VOICE}+{variant}" if variant else VOICE
        return bool(self._lib.espeak_SetVoiceByName(name.encode()) == 0)

    def variants(self) -> list[str]:
        """Names of the voice variants that are installed."""
        if self._variants is None:
            self._variants = self._find_variants()
        return self._variants

    def _find_data(self) -> Path:
        path = ctypes.c_char_p()
        self._lib.espeak_Info.restype = ctypes.c_char_p
        self._lib.espeak_Info(ctypes.byref(path))
        return Path((path.value or b"").decode())

    def _folder(self) -> Path:
        return self.data / "voices" / "!v"

    def _find_variants(self) -> list[str]:
        folder = self._folder()
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def lowest_hz(self, variant: str, pitch: int, pitch_range: int) -> float:
        """The pitch from which the engine's intonation rises, by its own formula: the variant's low end, moved by
        ``pitch``, and lower the wider the range is."""
        low, high = self._ends(variant)
        base = (low - 9.0) * math.exp2(pitch / 50.0 - 1.0)
        return base - (high - low) * (pitch_range / 50.0 - 1.0) * 108.0 * 18.0 / 4096.0

    def _ends(self, variant: str) -> tuple[float, float]:
        """Low and high end of a variant's pitch, Hz."""
        if variant not in self._pitches:
            text = (self._folder() / variant).read_text(encoding="utf-8", errors="replace") if variant else ""
            found = _PITCH_LINE.search(text)
            self._pitches[variant] = (float(found[1]), float(found[2])) if found else _USUAL_HZ
        return self._pitches[variant]

    def speak(
        self, text: str, wpm: int, pitch: int, pitch_range: int
    ) -> tuple[npt.NDArray[np.float64], list[tuple[int, int, int, bytes]]]:
        for parameter, value in ((_RATE, wpm), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._audio.clear()
        self._events.clear()
        data = text.encode() + b"\0"
        size = ctypes.c_size_t(len(data))
        self._lib.espeak_Synth(data, size, 0, 1, 0, _UTF8, None, None)
        self._lib.espeak_Synchronize()
        audio = np.concatenate(self._audio) if self._audio else np.zeros(0, dtype=np.int16)
        return audio.astype(np.float64) / 32768.0, self._events

    def _take(self, wave: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if count > 0 and wave:
            self._audio.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while (event := events[index]).type != _EVENT_END:
            phoneme = bytes(event.id.string) if event.type == _EVENT_PHONEME else b""
            self._events.append((event.type, event.text_position, event.sample, phoneme))
            index += 1
        return 0
