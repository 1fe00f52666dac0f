"""What recognition costs on the demo calls: with and without early looks, and in windows of real length or of 30 s."""

from __future__ import annotations

import time
from collections.abc import Sequence

from monitor.asr.whisper import Whisper
from monitor.asr.worker import answer
from monitor.bench.gauge import Figures, Plan, quantile
from monitor.bench.material import Material, demo_call, new_call
from monitor.config import Config, load_config
from monitor.core.types import AsrRequest, Chunk, Hypothesis

STEMS = ("1-blameless", "2-fast-loud", "5-slow-absent")


class Meter:
    """An engine that passes everything on and counts: CPU seconds of each pass, seconds of audio ``heard``."""

    def __init__(self, engine: Whisper) -> None:
        self.name, self.rate, self.batch = engine.name, engine.rate, engine.batch
        self.finals: list[float] = []
        self.partials: list[float] = []
        self.heard = 0.0
        self._engine = engine

    def load(self) -> None:
        """See ``Engine.load``."""
        self._engine.load()

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        """See ``Engine.recognise``; one request at a time, so that each has its own CPU seconds."""
        out = []
        for request in requests:
            begin = time.process_time()
            out += self._engine.recognise([request])
            spent = time.process_time() - begin
            (self.finals if request.final else self.partials).append(spent)
            self.heard += (request.end - request.start) / request.rate
        return out


def run(plan: Plan) -> Figures:
    """One row for each way; the ways take turns on every call. Raises ``ModelError``."""
    assert plan.model is not None
    config = load_config()
    finals_only = config.model_copy(update={"recogniser": config.recogniser.model_copy(update={"partial_every": 0.0})})
    engine, full = Whisper(plan.model, threads=1), Whisper(plan.model, threads=1)
    engine.load()
    full.load()
    padded = engine.card.real_length_windows
    full.card = full.card.model_copy(update={"real_length_windows": False})
    ways: dict[str, tuple[Config, Meter]] = {
        "partials": (config, Meter(engine)),
        "finals only": (finals_only, Meter(engine)),
    }
    if padded:  # a model that always pads has nothing to compare
        ways["finals only, 30 s windows"] = (finals_only, Meter(full))
    stems = STEMS[1:2] if plan.quick else STEMS
    calls = [demo_call(stem) for stem in stems]
    if plan.quick:
        calls = [call.part(2.5, 10.0) for call in calls]
    for call in calls:
        for way, (settings, meter) in ways.items():
            plan.tell(f"{call.name}: {way}")
            _listen(call, settings, meter)
    seconds = sum(call.seconds for call in calls)
    rows = [_row(way, meter, seconds) for way, (_, meter) in ways.items()]
    return {"model": plan.model, "audio_seconds": round(seconds, 1), "threads": 1, "ways": rows}


def _listen(material: Material, config: Config, meter: Meter) -> None:
    call = new_call(material, recognise=True, config=config)
    for signal in material.signals:
        call.feed(signal)
    step = material.rate // 10
    for start in range(0, len(material.samples), step):
        call.feed(Chunk(start, material.samples[start : start + step]))
        while requests := call.requests():
            for hypothesis in answer(meter, requests):
                call.feed(hypothesis)
    call.close_audio()
    for hypothesis in answer(meter, call.requests()):
        call.feed(hypothesis)
    call.finish()


def _row(way: str, meter: Meter, seconds: float) -> Figures:
    spent = sum(meter.finals) + sum(meter.partials)
    return {
        "way": way,
        "finals": len(meter.finals),
        "partials": len(meter.partials),
        "passes_a_second": round((len(meter.finals) + len(meter.partials)) / seconds, 2),
        "recognised_a_second": round(meter.heard / seconds, 2),
        "cpu_a_second": round(spent / seconds, 3),
        "calls_a_core": round(seconds / spent, 1),
        "real_time_factor": round(spent / meter.heard, 3),
        "final_cpu_ms": _ms(quantile(meter.finals, 0.5)),
        "final_cpu_ms_p95": _ms(quantile(meter.finals, 0.95)),
        "partial_cpu_ms": _ms(quantile(meter.partials, 0.5)),
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
