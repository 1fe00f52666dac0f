"""Tries proof calls: lays them out, plays them to a call with the pack, and compares what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitor.asr.pair import Engines
from monitor.asr.scripted import Scripted
from monitor.audit.replay import pieces, play
from monitor.config import Config
from monitor.core.call import Call, CallSetup, book_of
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Pack
from monitor.core.types import STEREO, Channel, Event, Signal, SignalKind
from monitor.packs.proof import SLACK, Proof, Proved, compare
from monitor.render import babble, speech
from monitor.render.render import Rendered, render
from monitor.render.truth import said_of, words_of

CHUNK_SECONDS = 1.0

SPOKEN_SLACK = 1.0
"""Seconds: what models hear is not timed as well as what is written."""

_FINALS_ONLY = {"partial_every": 0.0}
"""Early looks decide nothing that stands at the end."""


@dataclass(frozen=True, slots=True)
class Prover:
    """Tries proofs with a pack. Without ``engines`` the words are known and the voices babble; with them a
    synthesiser speaks and the models of ``config`` hear."""

    packs: tuple[Pack, ...]
    book: PhraseBook
    engines: Engines | None = None
    config: Config = field(default_factory=Config)

    @classmethod
    def of(cls, pack: Pack, engines: Engines | None = None, config: Config | None = None) -> Prover:
        """A prover of one pack, with its phrases compiled."""
        return cls((pack,), book_of((pack,)), engines, config or Config())

    def prove(self, proof: Proof) -> Proved:
        """Try one proof. Raises ``RenderError`` where its items collide, with --spoken also ``EspeakError``."""
        rendered, events = self.play(proof)
        return compare(proof, rendered, events, SPOKEN_SLACK if self.engines else SLACK)

    def play(self, proof: Proof) -> tuple[Rendered, list[Event]]:
        """The call as it was laid out, and everything the monitor said of it."""
        rendered = render(proof.call, speech.utter if self.engines else babble.utter)
        signals = [_signal(data, rendered.rate) for data in rendered.signals]
        setup = self._setup(proof, rendered.rate, bool(signals))
        engines = self.engines or Engines(careful=true_words(rendered))
        chunks = pieces(rendered.samples, round(CHUNK_SECONDS * rendered.rate))
        return rendered, play(Call(setup), signals, chunks, engines, proof.name)

    def _setup(self, proof: Proof, rate: int, signalled: bool) -> CallSetup:
        return self.config.setup(
            rate,
            STEREO,
            self.packs,
            direction=proof.call.direction,
            signalled=signalled,
            recognise=True,
            book=self.book,
            tags=proof.call.tags,
            hearing=None if self.engines else _FINALS_ONLY,
        )


def _signal(data: dict[str, Any], rate: int) -> Signal:
    """A rendered signal as the call takes it."""
    by = Channel(data["by"]) if "by" in data else None
    return Signal(SignalKind(data["signal"]), round(data["at"] * rate), by, data.get("digit"))


def true_words(rendered: Rendered) -> Scripted:
    """A recogniser that hears every character where it was spoken, none of them longer than to the next pause."""
    return Scripted(words_of(said_of(rendered.truth["utterances"]), rendered.rate))
