"""Engines that hear what they are told, for benches: no model, no waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.asr.scripted import Scripted
from monitor.bench.ears_hear import Contestant, Meter, alone
from monitor.bench.material import Material
from monitor.core.types import AsrRequest, Channel, Hypothesis, Word


class Streamed(Scripted):
    """A scripted ear that takes nothing back."""

    def recognise(self, requests: Sequence[AsrRequest]) -> list[Hypothesis]:
        return [replace(answer, committed=True) for answer in super().recognise(requests)]


def script(material: Material) -> dict[Channel, list[Word]]:
    """Every character where the truth has it."""
    words: dict[Channel, list[Word]] = {Channel.AGENT: [], Channel.CUSTOMER: []}
    for said in material.said:
        limits = [*(at for _, at in said.spoken[1:]), said.end]
        for (char, start), end in zip(said.spoken, limits, strict=True):
            words[Channel(said.channel)].append(Word(char, round(start * material.rate), round(end * material.rate)))
    return words


def knowing(material: Material, *, streaming: bool = False) -> Contestant:
    """An ear that hears every character of a call."""
    engine = (Streamed if streaming else Scripted)(script(material))
    return alone(Meter(engine, streaming=streaming))
