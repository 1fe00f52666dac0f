"""The configuration of a site: ``config/monitor.yaml``, or any file given with ``--config``.

Every setting has a default, so an empty file is a valid one. Unknown keys and impossible values are refused with
file, line and field.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from monitor.core.call import CallSetup
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Pack
from monitor.core.sound import SoundSettings
from monitor.core.transcript import TranscriptSettings
from monitor.core.types import Channel
from monitor.core.voice import VoiceSettings
from monitor.paths import config_dir, user_data
from monitor.yamlfile import Strict, YamlError, YamlFile

WITH_FAST_EAR = 0.32
WITHOUT = 0.7
"""Seconds of speech between two early looks, unless the configuration says otherwise: what comes in between costs a
fast ear nothing twice, while another hears everything again."""


class VoiceConfig(Strict):
    """When a party counts as speaking."""

    aggressiveness: int = Field(default=2, ge=0, le=3, description="webrtcvad mode; 3 lets least noise through")
    hangover: float = Field(default=0.3, ge=0.1, le=1.0, description="seconds of silence that end speech")


class RecogniserConfig(Strict):
    """The speech models of the two ears, and how often they are asked.

    The fast ear hears speech while it lasts, the careful one each finished stretch. Either may be left out; without
    both nothing is recognised.
    """

    fast: str | None = Field(default="zh-fast", description="shipped name, folder or hub name; null for none")
    careful: str | None = Field(default="zh-careful", description="shipped name, folder or hub name; null for none")
    threads: int = Field(default=1, ge=1, le=64, description="CPU threads of each ear")
    partial_every: float | None = Field(
        default=None, ge=0, le=10, description="seconds of speech; 0 for finals only; null for what suits the ears"
    )
    longest: float = Field(default=7.5, ge=2, le=28, description="seconds of speech in one pass")
    patience: float = Field(default=6.0, ge=1, le=60, description="seconds that words wait for the careful ear")

    @property
    def early(self) -> float:
        """Seconds of speech between two early looks."""
        if self.partial_every is not None:
            return self.partial_every
        return WITH_FAST_EAR if self.fast is not None else WITHOUT


class ServerConfig(Strict):
    """Where the dashboard listens. Any host but this machine needs a token."""

    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    token: str | None = Field(default=None, min_length=16)
    token_file: Path | None = None


class LiveConfig(Strict):
    """Live calls. Seconds."""

    keep_recording: bool = True
    resume_grace: float = Field(default=30.0, ge=0, le=3600, description="wait for a client that dropped")
    finals_wait: float = Field(default=20.0, ge=0, le=600, description="wait for the last words of a call")
    linger: float = Field(default=30.0, ge=0, le=3600, description="an ended call stays on the wall")


class Config(Strict):
    """The whole configuration."""

    packs: list[str] = Field(default=["gas-hotline"], description="rule packs of calls that name none")
    mask_numbers: bool = Field(default=True, description="hide telephone, identity and card numbers")
    agent: Literal["left", "right"] = Field(default="left", description="the agent's side of a stereo recording")
    data: Path | None = Field(default=None, description="journals, recordings, store")
    voice: VoiceConfig = VoiceConfig()
    recogniser: RecogniserConfig = RecogniserConfig()
    server: ServerConfig = ServerConfig()
    live: LiveConfig = LiveConfig()

    @property
    def data_dir(self) -> Path:
        return self.data.expanduser() if self.data else user_data()

    @property
    def hearing(self) -> dict[str, float]:
        """What decides which stretches a call has recognised. Kept with a live call, so that it can be told again
        when the configuration, or the choice of ears, is another one by then."""
        return {"partial_every": self.recogniser.early, "longest": self.recogniser.longest}

    def setup(
        self,
        rate: int,
        channels: tuple[Channel, ...],
        packs: tuple[Pack, ...],
        *,
        direction: str = "inbound",
        queue: str | None = None,
        tags: Iterable[str] = (),
        signalled: bool = False,
        recognise: bool = False,
        book: PhraseBook | None = None,
        hearing: Mapping[str, float] | None = None,
    ) -> CallSetup:
        """What a call of this site begins with; ``hearing`` as it was when the call really began."""
        hear = self.hearing | dict(hearing or {})
        return CallSetup(
            rate=rate,
            channels=channels,
            packs=packs,
            direction=direction,
            queue=queue,
            tags=frozenset(tags),
            signalled=signalled,
            recognise=recognise,
            book=book,
            sound=SoundSettings(VoiceSettings(mode=self.voice.aggressiveness, hangover=self.voice.hangover)),
            transcript=TranscriptSettings(
                longest=hear["longest"],
                partial_every=hear["partial_every"],
                first_partial=hear["partial_every"],
            ),
        )


def default_file() -> Path:
    """``MONITOR_CONFIG``, else the file that ships with the product."""
    named = os.environ.get("MONITOR_CONFIG")
    return Path(named) if named else config_dir() / "monitor.yaml"


def load_config(path: Path | None = None) -> Config:
    """Read the configuration; raises ``YamlError`` with file, line and field of everything that is wrong."""
    file = YamlFile(path or default_file())
    try:
        return Config.model_validate(file.data)
    except ValidationError as error:
        raise YamlError(file.problems(error)) from error
