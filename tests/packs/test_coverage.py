"""Every clause that can be watched has a rule, and every rule a call that breaks it and one that keeps it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from monitor.core import rulebook as rb
from monitor.packs import available_packs, load_packs
from monitor.packs.clauses import register
from monitor.packs.proof import proofs_folder, read_proofs

NOT_WATCHED = {"gas-hotline/quarterly-sampling", "gas-hotline/callbacks-100"}
"""How an audit samples calls, and how calls from elsewhere are answered: nothing that a call could show."""

PACKS = available_packs()


@cache
def loaded() -> dict[str, rb.Pack]:
    return {pack.id: pack for pack in load_packs(PACKS)}


@cache
def proven(pack: str) -> tuple[frozenset[str], frozenset[str]]:
    """The rules that proof calls break, and those that they keep."""
    calls = [proof.call for proof in read_proofs(proofs_folder(pack), loaded()[pack])]
    return (
        frozenset(alert.rule for call in calls for alert in call.alerts),
        frozenset(rule for call in calls for rule in call.met),
    )


def judged(pack: str) -> set[str]:
    """The rules that give verdicts; what reports count has none in a call."""
    return {rule.id.partition("/")[2] for rule in loaded()[pack].rules if not isinstance(rule.form, rb.Report)}


def test_every_clause_that_can_be_watched_is() -> None:
    watched = {clause for pack in loaded().values() for rule in pack.rules for clause in rule.watches}
    heard = {name for name, clause in register().clauses.items() if clause.heard != "no"}
    missing = heard - watched
    print(f"{len(heard - missing)} of {len(heard)} clauses are watched; not: {', '.join(sorted(missing)) or 'none'}")
    assert watched <= heard
    assert missing == NOT_WATCHED


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_has_a_call_that_breaks_it(pack: str) -> None:
    without = judged(pack) - proven(pack)[0]
    assert not without, f"{len(without)} rules of {pack}: {', '.join(sorted(without))}"


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_has_a_call_that_keeps_it(pack: str) -> None:
    without = judged(pack) - proven(pack)[1]
    assert not without, f"{len(without)} rules of {pack}: {', '.join(sorted(without))}"


def test_packs_are_named_as_their_files() -> None:
    assert sorted(loaded()) == sorted(PACKS)


def test_proofs_are_of_packs_that_there_are() -> None:
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/*.yaml")}
    assert folders == set(PACKS)
