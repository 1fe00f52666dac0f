"""The ears that take part in a bench: by name or folder, one thread each, loaded, and how long that takes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from monitor import paths
from monitor.asr import models
from monitor.asr.hot_words import hot_words
from monitor.bench.ears_hear import Contestant, Meter, alone, together
from monitor.bench.gauge import Figures, Plan
from monitor.compose import make_engine, packs_and_book
from monitor.packs import available_packs

SHIPPED = ("zh-careful", "zh-fast")


def shipped() -> tuple[str, ...]:
    """The shipped models that lie here."""
    return tuple(name for name in SHIPPED if (paths.models_dir() / name).is_dir())


def is_streaming(model: str) -> bool:
    """Whether a model is for the fast ear. Raises ``ModelError`` for one that cannot be used or is not here."""
    return models.check(model).kind is models.ModelKind.SHERPA


def hints(plan: Plan) -> tuple[str, ...]:
    """Expected words from all packs at hand, which models hear by that can: a live call has those of its packs."""
    return hot_words(packs_and_book(tuple(available_packs()))[0]) if plan.hints else ()


def loaded(model: str, words: Sequence[str]) -> tuple[Meter, Figures]:
    """A model made ready, one thread, and what that took. Loaded twice: what is imported at first use is not the
    model's. Raises ``ModelError``."""
    begin = time.perf_counter()
    make_engine(model, hints=words).load()
    middle = time.perf_counter()
    engine = make_engine(model, hints=words)
    engine.load()
    end = time.perf_counter()
    info = models.check(model)
    meter = Meter(engine, streaming=info.kind is models.ModelKind.SHERPA)
    return meter, {
        "engine": engine.name,
        "kind": info.kind.value,
        "load_s": round(end - middle, 3),
        "first_load_s": round(middle - begin, 3),
        "mib": round(info.size / 2**20, 2),
    }


def contestants(plan: Plan) -> tuple[list[Contestant], list[Figures]]:
    """Each model alone; and the first fast and the first careful one together. Raises ``ModelError``."""
    ears: list[Contestant] = []
    figures = []
    for model in plan.models:
        plan.tell(f"loading {model}")
        meter, facts = loaded(model, hints(plan))
        ears.append(alone(meter))
        figures.append(facts)
    fast, careful = first(ears, streaming=True), first(ears, streaming=False)
    if fast and careful:
        ears.append(together(fast.meters[0], careful.meters[0]))
    return ears, figures


def first(ears: Sequence[Contestant], *, streaming: bool) -> Contestant | None:
    """The first single ear of a kind."""
    return next((ear for ear in ears if len(ear.meters) == 1 and ear.streaming == streaming), None)
