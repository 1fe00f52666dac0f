"""The rule engine of a call: two streams, the measures that live in them, and the machines of the rules.

The *audio* stream runs with the sound. The *talk* stream waits until every channel's words are known; all rules and
measures that depend on words live there. What the audio stream gives out is passed on to the talk stream, so a
rule sees everything that it may combine, in one order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from monitor.core.derive import Context, Deriver
from monitor.core.desk import Desk, Doubt
from monitor.core.farewell import Farewells
from monitor.core.forms import ExpectMachine, KeepMachine, Machine, NeverMachine, StepsMachine, TallyMachine
from monitor.core.hold import Holds
from monitor.core.interruption import Interruptions
from monitor.core.needs import needs_words, patterns_of
from monitor.core.numbers import Numbers
from monitor.core.pace import Pace
from monitor.core.phase import Phases
from monitor.core.review import Split
from monitor.core.rulebook import (
    Expect,
    Happening,
    Never,
    Occurrence,
    Pack,
    Report,
    Role,
    Rule,
    Steps,
    Tally,
)
from monitor.core.silence import Silences
from monitor.core.stream import Stream
from monitor.core.turns import TURN_PAUSE_SECONDS, Overlaps, TurnLevels, Turns
from monitor.core.types import Channel, Event


class _Lane:
    """A stream with its measures and its rules."""

    def __init__(self, rate: int, mixed: bool) -> None:
        self.stream = Stream()
        self.desk = Desk(rate, mixed, self.stream)
        self.derivers: list[Deriver] = []
        self.machines: list[Machine] = []
        self.onward: _Lane | None = None
        self._interested: dict[str, list[Machine]] = defaultdict(list)
        self.context = Context(rate, mixed, self.stream, self.dispatch, self.desk.say)

    def add(self, machine: Machine) -> None:
        """Let a rule's machine see the occurrences it names."""
        self.machines.append(machine)
        for name in sorted(machine.names):
            self._interested[name].append(machine)

    def dispatch(self, seen: Occurrence) -> None:
        """Show an occurrence to everybody in this lane, and pass it on."""
        if self.onward:
            self.onward.stream.put(seen, in_order=True)
        if seen.name == "start:turn" and seen.by:
            self.desk.turn_since[seen.by] = seen.start
            self.desk.spoken.add(seen.by)
        elif seen.name == "stop:turn" and seen.by:
            self.desk.turn_since[seen.by] = None
        self.desk.note(seen)
        for deriver in self.derivers:
            deriver.see(seen)
        for machine in self._interested.get(seen.name, ()):
            machine.see(seen)

    def early(self, seen: Occurrence) -> None:
        """Show a provisional occurrence to the rules that name it."""
        for machine in self._interested.get(seen.name, ()):
            machine.early(seen)

    def advance(self, watermark: int) -> None:
        for seen in self.stream.until(watermark):
            self.dispatch(seen)

    def close(self, end: int, watermark: int) -> None:
        """Everything has come: show it, and let measures finish."""
        self.advance(watermark)
        for deriver in self.derivers:
            deriver.close(end)

    def conclude(self, end: int) -> None:
        """Rules give the verdicts that are left."""
        for machine in self.machines:
            machine.flush()
            machine.close(end)
            machine.flush()  # what it found in closing


class Engine:
    """The rules of one call. Occurrences go in by ``put`` (and ``early``), events come out of ``take``."""

    def __init__(
        self,
        rate: int,
        packs: Iterable[Pack],
        *,
        mixed: bool,
        direction: str,
        queue: str | None,
        signalled: bool,
        recognise: bool,
        tags: frozenset[str] = frozenset(),
    ) -> None:
        packs = list(packs)
        self.audio = _Lane(rate, mixed)
        self.talk = _Lane(rate, mixed)
        self.audio.onward = self.talk
        roles = {name: role for pack in packs for name, role in pack.roles.items()}
        self._measures(roles, packs, mixed=mixed, signalled=signalled, recognise=recognise)
        for pack in packs:
            for rule in pack.rules:
                queued = not rule.queues or queue in rule.queues
                if rule.direction in (None, direction) and queued and rule.tags <= tags:
                    self._add(rule)

    def _measures(
        self, roles: dict[str, Role], packs: list[Pack], *, mixed: bool, signalled: bool, recognise: bool
    ) -> None:
        named = {role: frozenset(n for n, r in roles.items() if r is role) for role in Role}
        listening = frozenset(text for pack in packs for text in pack.listening)
        audio = self.audio.context
        self._phases = Phases(audio, signalled=signalled)
        self.audio.derivers += [Turns(audio), Overlaps(audio), TurnLevels(audio), self._phases]
        talk = self.talk.context
        holds = Holds(talk, named[Role.WAIT])
        desk = self.talk.desk
        self.talk.derivers += [
            holds,
            Silences(talk, holds, named[Role.FAREWELL]),
            Numbers(talk, desk.number_since),
            Farewells(talk, named[Role.FAREWELL], lambda low, high: desk.doubtful(low, high, None, words=True)),
        ]
        if not mixed:
            self.talk.derivers += [
                Pace(talk, Channel.AGENT, TURN_PAUSE_SECONDS),
                Interruptions(talk, listening, words=recognise),
            ]

    def _add(self, rule: Rule) -> None:
        lane = self.talk if needs_words(rule) else self.audio
        form = rule.form
        machine: Machine
        if isinstance(form, Report):
            return
        match form:
            case Never():
                machine = NeverMachine(rule, form, lane.desk, lane.stream)
            case Expect():
                machine = ExpectMachine(rule, form, lane.desk, lane.stream)
            case Steps():
                machine = StepsMachine(rule, form, lane.desk, lane.stream)
            case Tally():
                machine = TallyMachine(rule, form, lane.desk, lane.stream)
            case _:
                machine = KeepMachine(rule, form, lane.desk, lane.stream)
        lane.add(machine)
        names = {n for p in patterns_of(rule) for n in p.names}
        if machine.windows:
            names |= machine.names
        lane.desk.remember(frozenset(names | {Happening.SPEECH_START, Happening.SPEECH_END}))

    # -- in

    def put(self, seen: Occurrence) -> None:
        """Sounds and signals: they go through the audio stream first."""
        self.audio.stream.put(seen)

    def put_words(self, seen: Occurrence) -> None:
        """Words and phrases: they are seen by the talk stream only."""
        self.talk.stream.put(seen)

    def early(self, seen: Occurrence, now: int) -> None:
        """Words that may still change, or that wait for other words; the audio has got to ``now``."""
        self.talk.desk.now = now
        self.talk.early(seen)

    def lost(self, doubt: Doubt) -> None:
        """Something was not heard."""
        for lane in (self.audio, self.talk):
            lane.desk.doubt(doubt.start, doubt.end, doubt.channel, words=doubt.words, reason=doubt.reason)

    def split(self, split: Split) -> None:
        """One ear alone heard something; it is told before the words of its segment."""
        self.talk.desk.splits.add(split)

    def advance(self, now: int, audio_until: int, heard_until: int) -> list[Event]:
        """Decide what can be decided: sounds are complete up to ``audio_until``, words up to ``heard_until``.

        ``now``: how far the audio has got, where something else than audio makes the decision; else 0.
        """
        for lane, until in ((self.audio, audio_until), (self.talk, min(audio_until, heard_until))):
            lane.desk.now = now
            lane.advance(until)
        return self.take()

    def close(self, end: int) -> list[Event]:
        """No more will come; the audio ended at ``end``. Every rule has its verdict afterwards.

        What was due before the end of the call was due before the hang-up, however long the recording goes on.
        """
        self.audio.close(end, end + 1)
        # What the audio's measures said in closing stands at the position after the end.
        self.talk.close(end, end + 2)
        over = end if self._phases.ended is None else min(end, self._phases.ended)
        for lane in (self.audio, self.talk):
            lane.conclude(over)
        return self.take()

    def take(self) -> list[Event]:
        return self.audio.desk.take() + self.talk.desk.take()
