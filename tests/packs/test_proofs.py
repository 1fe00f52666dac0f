"""Every proof call of every pack: what the monitor says of it is what the call says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from monitor.packs import find_pack, load_pack
from monitor.packs.proof import Proved, read_file, read_proofs
from monitor.packs.prove import Prover

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*/*.yaml"))


@cache
def prover(pack: str) -> Prover:
    return Prover.of(load_pack(find_pack(pack)))


def told(proved: Proved) -> str:
    """A failing call, for people."""
    faults = [f"{f.rule}: {f.message}; alerts {list(map(str, f.alerts))}; {f.verdicts}" for f in proved.faults]
    return "\n  ".join([f"{proved.proof.file.name}:{proved.proof.line} {proved.proof.name}", *faults])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_said_of_a_call(file: Path) -> None:
    """On failure ``monitor rules test PACK CALL`` tells the same."""
    trying = prover(file.parent.name)
    done = [trying.prove(proof) for proof in read_file(file, trying.packs[0])]
    assert not [proved for proved in done if proved.faults], "\n".join(told(p) for p in done if p.faults)


@pytest.mark.parametrize("pack", sorted({file.parent.name for file in FILES}))
def test_calls_of_a_pack_have_names_of_their_own(pack: str) -> None:
    proofs = read_proofs(FOLDER / pack, prover(pack).packs[0])
    assert len({proof.name for proof in proofs}) == len(proofs) > 0
