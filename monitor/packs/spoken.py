"""Proof calls spoken by a synthesiser and heard by the speech models: how many breaches are found, how many false.

Calls that hold a syllable on are left out: the synthesiser cannot.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context

from monitor.asr.errors import ModelError
from monitor.asr.pair import Engines
from monitor.compose import make_engines
from monitor.config import Config
from monitor.core.rulebook import Pack
from monitor.packs import find_pack, load_pack
from monitor.packs.proof import Fault, Proof, Proved, proofs_folder, read_proofs
from monitor.packs.prove import Prover
from monitor.render.dialogue import Say
from monitor.render.render import RenderError

LEAST_FOUND = 0.95
MOST_FALSE = 1 / 20
"""False alerts a call."""


@dataclass(frozen=True, slots=True)
class Score:
    """What came of some calls: ``breaches`` are the alerts that had to come."""

    calls: int
    seconds: float
    breaches: int
    found: int
    false: int

    @property
    def good(self) -> bool:
        """Whether enough was found, and little enough was false."""
        return self.found >= LEAST_FOUND * self.breaches and self.false <= MOST_FALSE * self.calls

    def __str__(self) -> str:
        share = f" ({self.found / self.breaches:.1%})" if self.breaches else ""
        every = f" (one in {self.calls / self.false:.0f} calls)" if self.false else ""
        return (
            f"{self.calls} calls ({self.seconds:.0f} s): {self.found} of {self.breaches} breaches found{share}, "
            f"{self.false} false alerts{every}"
        )


def score(done: Sequence[Proved]) -> Score:
    """Count proofs that were tried."""
    kinds = [fault.kind for proved in done for fault in proved.faults]
    breaches = sum(len(proved.proof.call.alerts) for proved in done)
    seconds = sum(proved.seconds for proved in done)
    return Score(len(done), seconds, breaches, breaches - kinds.count("missing"), kinds.count("false"))


def speakable(proofs: Sequence[Proof]) -> list[Proof]:
    """Those without a drawl."""
    return [proof for proof in proofs if not any(isinstance(i, Say) and i.drawl for i in proof.call.items)]


def sample(packs: Sequence[str], every: int = 1) -> list[Proof]:
    """Of each pack's calls that can be spoken the first one and every so-many-th after it. Raises ``YamlError``."""
    return [proof for pack in packs for proof in speakable(read_proofs(proofs_folder(pack), _pack(pack)))[::every]]


def engines_of(config: Config) -> Engines:
    """The models of the configuration, loaded. Raises ``ModelError``."""
    engines = make_engines(config)
    if engines is None:
        raise ModelError("this needs a speech model: name one in the configuration")
    engines.load()
    return engines


def prove_all(proofs: Sequence[Proof], config: Config, jobs: int | None = None) -> Iterator[Proved]:
    """Try them in so many processes (one a core if None), in order. Of a call that cannot be spoken everything is
    missing. Raises ``EspeakError`` where the synthesiser is missing."""
    site = config.model_dump_json()
    jobs = min(jobs or os.cpu_count() or 1, max(len(proofs), 1))
    if jobs == 1:
        yield from map(partial(_prove, site), proofs)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(partial(_prove, site), proofs)


def _prove(config: str, proof: Proof) -> Proved:
    try:
        return _prover(proof.pack, config).prove(proof)
    except RenderError as error:
        rules = [alert.rule for alert in proof.call.alerts]
        faults = [Fault(rule, "missing", str(error), (), ()) for rule in rules]
        return Proved(proof, 0.0, 0, tuple(faults or [Fault("", "unmet", str(error), (), ())]))


@cache
def _pack(name: str) -> Pack:
    return load_pack(find_pack(name))


@cache
def _engines(config: str) -> Engines:
    return engines_of(Config.model_validate_json(config))


@cache
def _prover(pack: str, config: str) -> Prover:
    return Prover.of(_pack(pack), _engines(config), Config.model_validate_json(config))
