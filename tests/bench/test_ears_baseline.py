from __future__ import annotations

import pytest

from monitor.bench import ears_baseline
from monitor.bench.ears_baseline import BASELINE, GATED, stream
from monitor.bench.ears_hear import Meter, alone, hear
from monitor.bench.ears_material import opening
from monitor.bench.gauge import Plan
from monitor.bench.material import Material, demo_call
from monitor.compose import make_engine
from monitor.core.types import Channel
from tests.bench.hearers import knowing


@pytest.fixture(scope="module")
def talk() -> Material:
    return opening(demo_call("2-fast-loud"), 8.0)


@pytest.mark.parametrize("gated", [False, True])
def test_the_policy_on_a_call_tells_everything_once(talk: Material, gated: bool) -> None:
    meter = knowing(talk).meters[0]
    listened = stream(talk, meter=meter, gated=gated)
    for channel in (Channel.AGENT, Channel.CUSTOMER):
        said = "".join(char for one in talk.said if one.channel == channel for char, _ in one.spoken)
        assert "".join(char.text for char in listened.final[channel]) == said.replace("幺", "一")
        moments = [char.at for char in listened.final[channel]]
        assert moments == sorted(moments, key=lambda at: at or 0.0)
    assert meter.partials == 0


def test_the_gate_spares_silence(talk: Material) -> None:
    free, gated = knowing(talk).meters[0], knowing(talk).meters[0]
    stream(talk, meter=free, gated=False)
    stream(talk, meter=gated, gated=True)
    assert gated.finals < free.finals
    assert gated.heard < free.heard
    assert free.finals == pytest.approx(2 * talk.seconds, abs=2), "both channels, each second"


def test_ratios_are_of_our_ways_against_both_forms() -> None:
    def row(way: str, cpu: float, told: float, cer: float) -> dict[str, object]:
        return {"way": way, "cpu_a_second": cpu, "told_s": told, "cer": cer}

    (found,) = ears_baseline._against(
        [row(BASELINE, 1.0, 3.0, 0.1), row(GATED, 0.4, 2.0, 0.2), row("us", 0.1, 1.5, 0.1)]
    )
    assert (found["times_less_cpu"], found["times_less_cpu_gated"]) == (10.0, 4.0)
    assert (found["told_less_s"], found["told_less_s_gated"]) == (1.5, 0.5)
    assert (found["cer_times"], found["cer_times_gated"]) == (1.0, 0.5)


def test_without_a_whisper_model_there_is_nothing_to_compare(talk: Material) -> None:
    assert ears_baseline.run(Plan(), [knowing(talk)], [talk]) is None


def test_the_ways_share_one_model_and_only_the_baseline_pads() -> None:
    call = demo_call("2-fast-loud").part(2.5, 5.0)
    ear = alone(Meter(make_engine("zh-careful")))
    ear.engines.load()
    figures = ears_baseline.run(Plan(), [ear], [call])
    assert figures is not None
    base, gated, ours, late = figures["rows"]
    assert [base["way"], gated["way"], late["way"]] == [BASELINE, GATED, f"{ours['way']}, finals only"]
    assert base["encoded_a_second"] > ours["encoded_a_second"] > late["encoded_a_second"]
    assert base["encoded_a_second"] == pytest.approx(30 * base["passes_a_second"], rel=0.01)
    assert len(figures["against"]) == 2
    assert hear([call], ear)["finals"] == ours["finals"]
