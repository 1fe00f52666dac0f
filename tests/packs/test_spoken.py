"""A sample of the proof calls, spoken and heard by the shipped models; ``scripts/prove_packs`` has all of them."""

from __future__ import annotations

import pytest

from monitor.config import Config
from monitor.core.types import Channel
from monitor.packs import available_packs, find_pack, load_pack
from monitor.packs.proof import Fault, Proof, Proved, proofs_folder, read_proofs
from monitor.packs.spoken import LEAST_FOUND, MOST_FALSE, Score, prove_all, sample, score, speakable
from monitor.render import espeak

EVERY = 4
LEAST_CALLS = 120


@pytest.mark.timeout(900)
def test_a_sample_of_spoken_calls() -> None:
    if why := espeak.missing():
        pytest.skip(why)
    proofs = sample(available_packs(), EVERY)
    done = list(prove_all(proofs, Config(packs=available_packs())))
    found = score(done)
    faults = [f"{p.proof.pack}/{p.proof.name}: {f.rule} {f.kind}: {f.message}" for p in done for f in p.faults]
    print("\n".join([*faults, str(found)]))
    assert found.calls >= LEAST_CALLS
    assert found.found >= LEAST_FOUND * found.breaches
    assert found.false <= MOST_FALSE * found.calls


@pytest.fixture(scope="module")
def proofs() -> list[Proof]:
    return read_proofs(proofs_folder("gas-hotline"), load_pack(find_pack("gas-hotline")))


def test_a_call_with_a_drawl_is_not_spoken(proofs: list[Proof]) -> None:
    left_out = {proof.name for proof in proofs} - {proof.name for proof in speakable(proofs)}
    assert left_out and all("drawl" in str(proof.call.items) for proof in proofs if proof.name in left_out)


def tried(proof: Proof, *kinds: str) -> Proved:
    faults = tuple(Fault("rule", kind, "", (), ()) for kind in kinds)  # type: ignore[arg-type]
    return Proved(proof, 30.0, 0, faults)


def test_what_is_missing_is_not_found_and_what_is_unmet_is_neither(proofs: list[Proof]) -> None:
    broken = next(proof for proof in proofs if len(proof.call.alerts) == 1 and proof.call.alerts[0].by == Channel.AGENT)
    blameless = next(proof for proof in proofs if not proof.call.alerts)
    done = [*[tried(broken)] * 19, tried(broken, "missing"), tried(blameless, "false"), tried(blameless, "unmet")]
    found = score(done)
    assert found == Score(22, 660.0, 20, 19, 1)
    assert found.good
    assert str(found) == "22 calls (660 s): 19 of 20 breaches found (95.0%), 1 false alerts (one in 22 calls)"
    assert not score([*done, tried(broken, "missing")]).good
    assert not score([*done, tried(blameless, "false")]).good
