"""What the rule packs cost: the path of a call with none, with one and with all of them, and the search for phrases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from monitor.asr.pair import Engines
from monitor.asr.scripted import Scripted
from monitor.bench.ears_phrases import Spoken, hits, said_on
from monitor.bench.gauge import Cost, Figures, Plan, cost_of, cpu_median, in_turns, ratio
from monitor.bench.material import PACKS, Material, demo_calls, feed_all
from monitor.compose import make_engines, packs_and_book
from monitor.config import load_config
from monitor.core.call import Call
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Pack
from monitor.core.types import STEREO, Channel, Heard
from monitor.packs import available_packs, load_packs
from monitor.render.truth import words_of

MORE = 0.15
"""Share that all packs at once may add to the path without words."""

MS_A_WORD = 0.2
"""Of words as the ears of the configuration give them, with their doubts; of sure words without ears."""

CHUNK = 0.1

Watched = tuple[tuple[Pack, ...], PhraseBook]
Segments = tuple[Channel, int, Sequence[Spoken]]


def run(plan: Plan) -> Figures:
    """CPU of the same calls with no, one and all packs, without words and with every word heard; side by side."""
    calls = demo_calls(plan.quick)
    seconds = sum(call.seconds for call in calls)
    names = available_packs()
    loading = cost_of(lambda: load_packs(names))
    watched = [packs_and_book(some) for some in ((), PACKS, tuple(names))]
    tasks: dict[tuple[int, bool], Callable[[], object]] = {
        (len(packs), words): partial(_listen, calls, (packs, book), words=words)
        for words in (False, True)
        for packs, book in watched
    }
    short = [call.part(0, 5) for call in calls]
    for packs, book in watched:
        _listen(short, (packs, book), words=True)  # tables and imports are made once a process
    costs = dict(
        zip(
            tasks,
            in_turns({str(key): task for key, task in tasks.items()}, 1 if plan.quick else 5, plan.tell).values(),
            strict=True,
        )
    )
    return {
        "rate": calls[0].rate,
        "audio_seconds": round(seconds, 1),
        "rounds": len(costs[0, False]),
        "packs": len(names),
        "load_seconds": round(loading.cpu, 2),
        "target": {"more": MORE, "ms_a_word": MS_A_WORD},
        "rows": [_row(costs, count, words, seconds) for count, words in tasks],
        "phrases": _phrases(plan, calls, watched[-1][0]),
    }


def _row(costs: dict[tuple[int, bool], list[Cost]], count: int, words: bool, seconds: float) -> Figures:
    with_packs = costs[count, words]
    return {
        "packs": count,
        "words": words,
        "cpu_ms_a_second": round(cpu_median(with_packs) / seconds * 1000, 2),
        "more": round(ratio(with_packs, costs[0, words]) - 1, 4),
    }


def _listen(calls: Sequence[Material], watched: Watched, *, words: bool) -> None:
    packs, book = watched
    config = load_config()
    for material in calls:
        call = Call(
            config.setup(material.rate, STEREO, packs, signalled=bool(material.signals), recognise=words, book=book)
        )
        knowing = Engines(careful=Scripted(words_of(material.said, material.rate))) if words else None
        feed_all(call, material, CHUNK, knowing)


def _phrases(plan: Plan, calls: Sequence[Material], packs: Sequence[Pack]) -> Figures:
    """The search alone, for every phrase of every pack, whether a rule uses it or not."""
    book = PhraseBook(list({phrase.name: phrase for pack in packs for phrase in pack.phrases}.values()))
    segments = [(channel, call.rate, said_on(call, channel)) for call in calls for channel in STEREO]
    ways: dict[str, Sequence[Segments]] = {
        "sure": segments,
        "unsure": [(c, rate, [_doubted(one) for one in spoken]) for c, rate, spoken in segments],
    }
    if engines := make_engines(load_config()) if plan.models else None:
        plan.tell("words of the ears")
        ways["ears"] = _heard_by(engines, calls)

    def search(segments: Sequence[Segments]) -> None:
        for channel, rate, spoken in segments:
            hits(book, channel, rate, spoken)

    tasks: dict[str, Callable[[], object]] = {name: partial(search, way) for name, way in ways.items()}
    for task in tasks.values():
        task()  # readings of characters are looked up once a process
    costs = in_turns(tasks, 1 if plan.quick else 5, plan.tell)
    return {
        "phrases": len(book.phrases),
        "wordings": len(book.entries),
        "words": _words(segments),
        "ms_a_word": {name: round(cpu_median(cost) / _words(ways[name]) * 1000, 4) for name, cost in costs.items()},
    }


def _words(segments: Sequence[Segments]) -> int:
    return sum(len(words) for _, _, spoken in segments for words, _, _ in spoken)


def _doubted(spoken: Spoken) -> Spoken:
    """The same words from a recogniser that is sure of none of them."""
    words, start, end = spoken
    return [replace(word, confidence=0.5) for word in words], start, end


def _heard_by(engines: Engines, calls: Sequence[Material]) -> list[Segments]:
    """What the ears settle on in the calls. Raises ``ModelError``."""
    engines.load()
    found: list[Segments] = []
    for material in calls:
        call = Call(load_config().setup(material.rate, STEREO, (), recognise=True))
        events = feed_all(call, material, CHUNK, engines)
        for channel in STEREO:
            heard = (e for e in events if isinstance(e, Heard) and e.settled and e.channel is channel)
            found.append((channel, material.rate, [(one.words, one.start, one.end) for one in heard]))
    return found
