"""``monitor rules test`` and ``monitor rules spoken``: the proof calls of packs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from monitor.cli.common import ConfigOption, err, fail, plain_errors, say, settings
from monitor.packs import available_packs, find_pack, load_pack
from monitor.packs.proof import Proof, Proved, proofs_folder, read_proofs
from monitor.packs.prove import Prover
from monitor.packs.spoken import engines_of, prove_all, sample, score, speakable
from monitor.render.espeak import EspeakError
from monitor.render.render import RenderError


def test(
    pack: Annotated[str, typer.Argument(help="pack by name or file")],
    names: Annotated[list[str] | None, typer.Argument(metavar="CALL…", help="these calls only")] = None,
    calls: Annotated[Path | None, typer.Option("--calls", help="folder of proof calls; else tests/packs/PACK")] = None,
    spoken: Annotated[
        bool, typer.Option("--spoken", help="spoken by espeak-ng and heard by the speech models")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Play the proof calls of a pack; what the monitor says must be what they say."""
    with plain_errors():
        found = load_pack(find_pack(pack))
        proofs = _chosen(read_proofs(calls or proofs_folder(found.id), found), names or [])
        if spoken:
            proofs = _speakable(proofs)
        site = settings(config, [pack]) if spoken else None
        prover = Prover.of(found, engines_of(site) if site else None, site)
        began = time.perf_counter()
        done = [
            proved
            for proof in track(proofs, found.id, console=err, transient=True)
            if (proved := _prove(prover, proof))
        ]
    failing = [proved for proved in done if proved.faults]
    for proved in failing:
        _show(proved)
    bad = len(failing) + len(proofs) - len(done)
    audio = sum(proved.seconds for proved in done)
    alerts = sum(proved.alerts for proved in done)
    failed = f", {bad} FAILED" if bad else ""
    took = time.perf_counter() - began
    say(f"{found.id}: {len(proofs)} calls ({audio:.0f} s), {alerts} alerts, {took:.1f} s{failed}")
    if bad:
        raise typer.Exit(1)


def spoken(
    packs: Annotated[list[str] | None, typer.Argument(help="packs by name; all that are shipped")] = None,
    every: Annotated[int, typer.Option(min=1, help="only every so-many-th call of each pack")] = 1,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; one a core if left out")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="tables for a document")] = False,
    config: ConfigOption = None,
) -> None:
    """Proof calls spoken by espeak-ng and heard by the speech models: breaches found, false alerts, what failed."""
    with plain_errors():
        chosen = packs or available_packs()
        site = settings(config, chosen)
        proofs = sample(chosen, every)
        done = []
        for proved in track(prove_all(proofs, site, jobs), "spoken", len(proofs), console=err, transient=True):
            done.append(proved)
            if proved.faults and not markdown:
                _show(proved)
    if markdown:
        _document(chosen, done)
    else:
        for pack in chosen:
            say(f"{pack}: {score([proved for proved in done if proved.proof.pack == pack])}")
        say(f"together: {score(done)}")
    if not score(done).good:
        raise typer.Exit(1)


def _document(packs: list[str], done: list[Proved]) -> None:
    """A table of scores, and one of what failed."""
    say("| pack | calls | seconds | breaches | found | | false alerts |\n|---|---|---|---|---|---|---|")
    for pack in [*packs, ""]:
        one = score([proved for proved in done if pack in ("", proved.proof.pack)])
        share = f"{one.found / one.breaches:.1%}" if one.breaches else ""
        say(
            f"| {pack or 'together'} | {one.calls} | {one.seconds:.0f} | {one.breaches} | {one.found} | {share} "
            f"| {one.false} |"
        )
    say("\n| call | rule | |\n|---|---|---|")
    for proved in done:
        for fault in proved.faults:
            say(f"| {proved.proof.pack}/{proved.proof.name} | {fault.rule} | {fault.kind} |")


def _chosen(proofs: list[Proof], names: list[str]) -> list[Proof]:
    known = {proof.name: proof for proof in proofs}
    for name in names:
        if name not in known:
            fail(f"there is no proof call {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else proofs


def _speakable(proofs: list[Proof]) -> list[Proof]:
    """Without those that hold a syllable on, which espeak-ng cannot."""
    found = speakable(proofs)
    if len(found) < len(proofs):
        say(f"{len(proofs) - len(found)} calls with a drawl are left out: espeak-ng cannot speak them")
    return found


def _prove(prover: Prover, proof: Proof) -> Proved | None:
    """Tries a proof; a call that cannot be laid out is told at once."""
    try:
        return prover.prove(proof)
    except (RenderError, EspeakError) as error:
        say(f"{proof.file}:{proof.line}: {proof.pack}/{proof.name}: {error}")
        return None


def _show(proved: Proved) -> None:
    """A call that is not as its proof says."""
    proof = proved.proof
    say(f"\n{proof.file}:{proof.line}: {proof.pack}/{proof.name} ({proved.seconds:.1f} s)")
    for fault in proved.faults:
        say(f"  {fault.rule}: {fault.message}")
        for alert in fault.alerts:
            say(f"      alert    {alert}")
        for verdict in fault.verdicts:
            say(f"      verdict  {verdict}")
