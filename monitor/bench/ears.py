"""What ears hear, when, and what it costs: engines side by side in one run, one thread each.

Parts: ``recognition`` of calls and evaluation sets, ``nothing`` (silence, noise, tones, music), ``phrases`` of the
rule packs, ``baseline`` (whisper_streaming's policy with the same model), ``human`` recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.bench import ears_baseline, ears_human, ears_nothing, ears_phrases
from monitor.bench.ears_engines import contestants
from monitor.bench.ears_hear import Contestant, Piece, hear
from monitor.bench.ears_material import DEMO, DIALOGUES, GIVEN, pieces, why_no_dialogues
from monitor.bench.gauge import Figures, Plan
from monitor.bench.material import Material

PARTS = ("recognition", "nothing", "phrases", "baseline", "human")


def run(plan: Plan) -> Figures:
    """The figures of all parts that were asked for. Raises ``ModelError`` and ``SourceError``."""
    wanted = plan.parts or PARTS
    ears, loaded = contestants(plan)
    figures: Figures = {"threads": 1, "engines": loaded}
    material = pieces(plan) if {"recognition", "phrases", "baseline"} & set(wanted) else {}
    if material and not plan.calls and DIALOGUES not in material:
        figures["left_out"] = f"{DIALOGUES}: {why_no_dialogues()}"
    calls = _calls(material)
    for part in PARTS:
        if part not in wanted:
            continue
        match part:
            case "recognition":
                figures[part] = recognition(plan, ears, material)
            case "nothing":
                figures[part] = ears_nothing.run(plan, ears)
            case "phrases":
                figures[part] = ears_phrases.run(plan, ears, [call for kind in calls.values() for call in kind])
            case "baseline":
                # The dialogues would take half an hour: there is a pass of a whole window each second.
                figures[part] = ears_baseline.run(plan, ears, calls.get(GIVEN) or calls[DEMO])
            case _ if plan.human:
                figures[part] = ears_human.run(plan, ears, plan.human)
    return {part: found for part, found in figures.items() if found is not None}


def recognition(plan: Plan, ears: Sequence[Contestant], material: Mapping[str, Sequence[Piece]]) -> list[Figures]:
    """One row for each kind of material and each ear; both ears together hear calls only."""
    rows = []
    for name, found in material.items():
        for ear in ears:
            if len(ear.meters) > 1 and not all(isinstance(piece, Material) for piece in found):
                continue
            plan.tell(f"{ear.name}: {name}")
            rows.append({"material": name, "engine": ear.name, **hear(found, ear, run=f"recognition/{name}")})
    return rows


def _calls(material: Mapping[str, Sequence[Piece]]) -> dict[str, list[Material]]:
    found = {name: [piece for piece in kind if isinstance(piece, Material)] for name, kind in material.items()}
    return {name: calls for name, calls in found.items() if calls}
