"""The microphone: with a sounddevice that is scripted, and once with a real sound server where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from monitor.core.types import MONO, STEREO, Chunk, Samples
from monitor.sources.errors import SourceError
from monitor.sources.microphone import QUEUE, RETRIES, Microphone, list_devices

RATE = 16000
FRAMES = 320


class PortAudioError(Exception):
    """As sounddevice's own."""


@dataclass
class Status:
    input_overflow: bool = False


class Stream:
    """A stream whose callback the test calls."""

    def __init__(self, sd: FakeSoundDevice, **options: Any) -> None:
        if options["device"] in sd.broken:
            raise PortAudioError("Device unavailable")
        self.options = options
        self.closed = False
        self._sd = sd

    def start(self) -> None:
        self._sd.streams.append(self)

    def close(self) -> None:
        self.closed = True

    def hear(self, samples: Samples, overflow: bool = False) -> None:
        """As PortAudio does: a buffer that is used again afterwards."""
        channels = self.options["channels"]
        buffer = np.repeat(samples.reshape(-1, 1), channels, axis=1)
        self.options["callback"](buffer, len(buffer), None, Status(overflow))
        buffer[:] = -1


class FakeSoundDevice(ModuleType):
    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.streams: list[Stream] = []
        self.broken: set[int] = set()
        self.default = type("default", (), {"device": [0, 1]})
        names = [("Headset Mic", 1), ("Speakers", 0), ("Monitor of Headset", 2)]
        self.devices = [
            {
                "name": name,
                "index": n,
                "hostapi": 0,
                "max_input_channels": channels,
                "default_samplerate": 16000.0,
            }
            for n, (name, channels) in enumerate(names)
        ]

    def query_hostapis(self) -> list[dict[str, str]]:
        return [{"name": "ALSA"}]

    def query_devices(self, device: int | str | None = None, kind: str | None = None) -> Any:
        if kind is None:
            return self.devices
        if isinstance(device, str):
            found = [info for info in self.devices if device.lower() in str(info["name"]).lower()]
        else:
            found = [info for info in self.devices if info["index"] == (0 if device is None else device)]
        found = [info for info in found if int(str(info["max_input_channels"])) > 0]
        if len(found) != 1:
            raise ValueError(f"{'Multiple' if found else 'No'} input device matching {device!r}")
        return found[0]

    def InputStream(self, **options: Any) -> Stream:
        return Stream(self, **options)


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sd(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ramp(n: int, sign: int = 1) -> Samples:
    """The n-th block: samples that tell their place."""
    return (sign * (np.arange(n * FRAMES, (n + 1) * FRAMES) % 30_000)).astype(np.int16)


def listening(microphone: Microphone, sd: FakeSoundDevice, play: Callable[[], None]) -> list[Chunk]:
    """The chunks of a microphone whose streams ``play`` feeds once they are open."""
    opened = microphone._inputs[-1].open

    def then_play() -> None:
        opened()
        play()

    microphone._inputs[-1].open = then_play  # type: ignore[method-assign]
    return list(microphone)


def spans(chunks: list[Chunk]) -> list[list[int]]:
    """The chunks as unbroken stretches."""
    found: list[list[int]] = []
    for chunk in chunks:
        if found and found[-1][1] == chunk.start:
            found[-1][1] += len(chunk.samples)
        else:
            found.append([chunk.start, chunk.start + len(chunk.samples)])
    return found


def test_agent_and_customer_side_by_side(sd: FakeSoundDevice, clock: Clock) -> None:
    microphone = Microphone("mic", "monitor", clock=clock)

    def play() -> None:
        for n in range(50):
            clock.now += 0.02
            sd.streams[0].hear(ramp(n))
            sd.streams[1].hear(ramp(n, -1))
        microphone.stop()

    chunks = listening(microphone, sd, play)
    assert microphone.channels == STEREO
    assert spans(chunks) == [[0, 16_000]]
    samples = np.concatenate([chunk.samples for chunk in chunks])
    np.testing.assert_array_equal(samples[:, 0], np.arange(16_000))
    np.testing.assert_array_equal(samples[:, 1], -np.arange(16_000))
    assert [stream.options["channels"] for stream in sd.streams] == [1, 2]
    assert all(stream.closed for stream in sd.streams)


def test_one_device_is_one_mixed_channel(sd: FakeSoundDevice, clock: Clock) -> None:
    microphone = Microphone(clock=clock, rate=8000)

    def play() -> None:
        for n in range(10):
            clock.now += 0.02
            sd.streams[0].hear(ramp(n))
        microphone.stop()

    chunks = listening(microphone, sd, play)
    assert microphone.channels == MONO and sd.streams[0].options["device"] == 0
    assert spans(chunks) == [[0, 1600]]


def test_an_overflow_becomes_a_jump(sd: FakeSoundDevice, clock: Clock) -> None:
    microphone = Microphone(clock=clock)

    def play() -> None:
        for n in [*range(10), *range(35, 45)]:  # half a second is lost
            clock.now = 50.0 + (n + 1) * 0.02
            sd.streams[0].hear(ramp(n), overflow=n == 35)
        microphone.stop()

    chunks = listening(microphone, sd, play)
    assert spans(chunks) == [[0, 3200], [35 * FRAMES, 45 * FRAMES]]
    assert int(chunks[-1].samples[-1, 0]) == 45 * FRAMES - 1


def test_a_full_queue_becomes_a_jump_of_exactly_that_length(sd: FakeSoundDevice, clock: Clock) -> None:
    microphone = Microphone(clock=clock)
    chunks: list[Chunk] = []

    def play() -> None:
        for n in range(QUEUE + 7):  # nobody reads meanwhile
            sd.streams[0].hear(ramp(n))

    stream = iter_after(microphone, play)
    chunks += [next(stream) for _ in range(QUEUE)]
    sd.streams[0].hear(ramp(QUEUE + 7))
    microphone.stop()
    chunks += list(stream)
    assert spans(chunks) == [[0, QUEUE * FRAMES], [(QUEUE + 7) * FRAMES, (QUEUE + 8) * FRAMES]]


def iter_after(microphone: Microphone, play: Callable[[], None]) -> Iterator[Chunk]:
    opened = microphone._inputs[-1].open

    def then_play() -> None:
        opened()
        play()

    microphone._inputs[-1].open = then_play  # type: ignore[method-assign]
    return iter(microphone)


def test_a_device_plugged_in_again_goes_on_after_a_jump(sd: FakeSoundDevice, clock: Clock) -> None:
    microphone = Microphone(clock=clock, poll=0.001)
    stream = iter_after(microphone, lambda: sd.streams[0].hear(ramp(0)) if len(sd.streams) == 1 else None)
    clock.now += 0.02
    chunks = [next(stream)]
    clock.now += 4.98
    microphone._inputs[0].open = lambda: comes_back(microphone)  # type: ignore[method-assign]

    def comes_back(microphone: Microphone) -> None:
        microphone._inputs[0]._last = clock.now
        microphone._inputs[0]._heard(ramp(250).reshape(-1, 1), FRAMES, None, Status())
        microphone.stop()

    chunks += list(stream)
    assert spans(chunks)[0] == [0, FRAMES]
    assert spans(chunks)[1][0] == pytest.approx(5.0 * RATE - FRAMES, abs=FRAMES)
    assert microphone.warnings == ["'Headset Mic' went silent and was opened again"]


def test_a_device_that_stays_away_ends_the_call(sd: FakeSoundDevice) -> None:
    clock = Clock()

    def later() -> float:
        clock.now += 1.1  # the clock runs on while nothing comes
        return clock.now

    microphone = Microphone(clock=later, poll=0.001)
    with pytest.raises(SourceError, match="'Headset Mic' delivers no audio any more; plug it in again"):
        list(microphone)
    assert len(sd.streams) >= RETRIES and all(stream.closed for stream in sd.streams)
    sd.broken = {0}
    with pytest.raises(SourceError, match=r"'Headset Mic' could not be opened \(Device unavailable\)"):
        list(Microphone(clock=later, poll=0.001))


def test_when_the_second_device_fails_the_first_is_closed(sd: FakeSoundDevice, clock: Clock) -> None:
    sd.broken = {2}
    with pytest.raises(SourceError, match="'Monitor of Headset' could not be opened"):
        list(Microphone("mic", "monitor", clock=clock))
    assert sd.streams[0].closed


@pytest.mark.parametrize(
    ("agent", "customer", "says"),
    [
        ("violin", None, "no single input 'violin'.*inputs are: 0 Headset Mic; 2 Monitor of Headset"),
        ("headset", None, "no single input 'headset'.*Multiple"),
        (1, None, "no single input 1"),
        ("mic", 0, "'Headset Mic' is named for both sides"),
    ],
)
def test_wrong_devices_are_named(sd: FakeSoundDevice, agent: Any, customer: Any, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        Microphone(agent, customer)


def test_a_machine_without_inputs(sd: FakeSoundDevice) -> None:
    sd.devices = sd.devices[1:2]
    with pytest.raises(SourceError, match=r"no default input.*no input at all: plug one in"):
        Microphone()
    assert list_devices() == []


def test_devices_are_listed(sd: FakeSoundDevice) -> None:
    assert [(one.number, one.name, one.host, one.default, one.loopback) for one in list_devices()] == [
        (0, "Headset Mic", "ALSA", True, False),
        (2, "Monitor of Headset", "ALSA", False, True),
    ]


def test_without_sounddevice_or_portaudio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SourceError, match="pip install sounddevice"):
        list_devices()
    monkeypatch.delitem(sys.modules, "sounddevice")
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SourceError, match="apt install libportaudio2"):
        Microphone()


def test_the_module_itself_needs_no_audio_library() -> None:
    code = "import sys, monitor.sources.microphone; sys.exit('sounddevice' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---------------------------------------------------------------- a real sound server

ALSA = """
pcm.desk_mic { type pulse device mic.monitor hint { show on description "desk mic" } }
pcm.desk_loop { type pulse device loop.monitor hint { show on description "desk loop" } }
"""

CAPTURE = """
import json, subprocess, sys
import numpy as np
from monitor.sources.errors import SourceError
from monitor.sources.microphone import Microphone, list_devices
names = [device.name for device in list_devices()]
if not {"desk_mic", "desk_loop"} <= set(names):
    print(json.dumps({"skip": f"PortAudio shows only {names}"}))
    sys.exit()
microphone = Microphone("desk_mic", "desk_loop")
players, rows = [], []
for chunk in microphone:
    if not players:
        players = [subprocess.Popen(["paplay", "-d", sink, sys.argv[1 + n]]) for n, sink in enumerate(("mic", "loop"))]
    rows.append(chunk.samples)
    if chunk.start > 16000 * 4:
        microphone.stop()
for player in players:
    player.wait()
np.save(sys.argv[3], np.concatenate(rows))
print(json.dumps({"rates": [one.rate for one in microphone._inputs], "warnings": microphone.warnings}))
"""


def tone(path: Path, hz: int) -> Path:
    t = np.arange(48000 * 2) / 48000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes((8000 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes())
    return path


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A PulseAudio of the test's own with two sinks, seen by PortAudio through ALSA."""
    if not shutil.which("pulseaudio") or not shutil.which("paplay"):
        pytest.skip("needs the packages pulseaudio, pulseaudio-utils, libasound2-plugins and libportaudio2")
    (tmp_path / ".asoundrc").write_text(ALSA)
    home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PULSE_RUNTIME_PATH": str(tmp_path / "rt")}
    env = {**os.environ, **home, "PYTHONPATH": os.pathsep.join(sys.path)}
    sinks = [f"module-null-sink sink_name={name} rate=48000" for name in ("mic", "loop")]
    loads = [part for module in ["module-native-protocol-unix", *sinks] for part in ("-L", module)]
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", *loads]
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(50):
            if subprocess.run(["pactl", "info"], env=env, capture_output=True, check=False).returncode == 0:
                break
            if server.poll() is not None:
                pytest.skip("pulseaudio does not start here")
        yield env
    finally:
        server.terminate()
        server.wait()


def test_real_devices_are_heard_each_on_its_side(sound_server: dict[str, str], tmp_path: Path) -> None:
    agent, customer, out = tone(tmp_path / "a.wav", 440), tone(tmp_path / "b.wav", 1000), tmp_path / "rows.npy"
    command = [sys.executable, "-c", CAPTURE, str(agent), str(customer), str(out)]
    done = subprocess.run(command, env=sound_server, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    if "skip" in told:
        pytest.skip(told["skip"])
    rows = np.load(out).astype(float)
    for party, hz in enumerate((440, 1000)):
        loud = np.flatnonzero(np.abs(rows[:, party]) > 2000)
        assert (loud[-1] - loud[0]) / RATE == pytest.approx(2.0, abs=0.1)
        middle = rows[loud[0] + RATE // 2 : loud[0] + RATE // 2 + RATE, party]
        spectrum = np.abs(np.fft.rfft(middle))
        assert int(spectrum.argmax()) == hz and spectrum[hz] > 100 * np.delete(spectrum, hz).max() / 10
    assert told["warnings"] == []
