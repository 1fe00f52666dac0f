"""What the five forms of a rule share.

A machine never asks for the time: deadlines are timers of the stream, which fire only when everything up to them
has been heard. Whatever could not be heard makes a verdict *cannot tell*, never *broken*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from monitor.core.desk import Desk
from monitor.core.forms.during import SLACK_SECONDS as SLACK_SECONDS
from monitor.core.forms.during import Windows, place
from monitor.core.needs import turns_on
from monitor.core.rulebook import MEASURES, Happening, Keep, Never, Occurrence, Pattern, Rule, Tally
from monitor.core.stream import Stream, Wake
from monitor.core.types import Channel, Outcome, Quality, Review

PHRASE_SECONDS = 8.0
"""A phrase that began by its deadline is waited for this long, while its speaker goes on."""

NUMBER_SECONDS = 30.0
TURN_SECONDS = 300.0
"""The same for a number that is being said, and for a turn whose measure is due."""

LONGEST_SECONDS = 30.0
"""No sliding measure looks back further."""

AGAIN_SECONDS = 0.2
"""So often it is looked whether the speaker still goes on."""


class Machine:
    """What all forms share. ``names`` are the occurrences it wants to see."""

    def __init__(self, rule: Rule, desk: Desk, stream: Stream) -> None:
        self.rule = rule
        self.desk = desk
        self.stream = stream
        self.occasion = 0
        self.unsure = ""
        self.told: set[int] = set()
        """Occasions with a confirmed alert."""
        self._turns_on = turns_on(rule)
        self._held_back: list[Callable[[], None]] = []
        during = rule.form.during if isinstance(rule.form, Keep | Never | Tally) else None
        self.windows = Windows(during, desk, rule.sure) if during else None

    names: frozenset[str] = frozenset()

    def see(self, seen: Occurrence) -> None:
        """Take an occurrence in stream order."""

    def early(self, seen: Occurrence) -> None:
        """Take an occurrence that is not settled yet; only screens profit."""

    def close(self, end: int) -> None:
        """The call is over at ``end`` and everything has been seen."""

    def let_in(self, seen: Occurrence, pattern: Pattern) -> Sequence[Occurrence]:
        """What the rule looks at, now that ``seen`` is known: that itself, unless no window is open, and what matches
        ``pattern`` and began in a window that is known only now."""
        windows = self.windows
        if windows is None:
            return (seen,)
        found: list[Occurrence] = []
        since = windows.see(seen) if seen.name in windows.names else None
        if since is not None:
            past = self.desk.seen(pattern, since - self.desk.samples(LONGEST_SECONDS), self.stream.position)
            past = [o for o in past if o is not seen and place(o) >= since and windows.of(o)]
            found = sorted(past, key=lambda o: (o.known, o.start, o.end))
        if windows.of(seen):
            found.append(seen)
        return found

    def never_open(self, end: int) -> bool:
        """Give the verdict of a rule with `during` that had no window in this call; False when there is more to say."""
        if self.windows is None or self.windows.opened:
            return False
        unsure = self.windows.unsure
        self.conclude(end, Outcome.CANNOT_TELL if unsure else Outcome.NOT_APPLICABLE, unsure)
        return True

    def doubtful_at_all(self, end: int, channel: Channel | None, *, words: bool) -> str:
        """Why the call, or what of it the rule looks at, cannot be judged; empty when it can."""
        if self.windows is not None:
            return self.windows.doubtful(end, channel, words=words)
        return self.desk.doubtful(0, end, channel, words=words)

    def next_occasion(self) -> int:
        self.occasion += 1
        return self.occasion

    def excused(self, start: int, end: int) -> bool:
        """Whether one of the rule's excuses applies to something that lasted from ``start`` to ``end``."""
        return any(not seen.faint for seen in self._excuses(start, end))

    def perhaps_excused(self, start: int, end: int) -> str:
        """The reason for *cannot tell* where an excuse was heard faintly; empty when none was."""
        return "low_confidence" if any(self._excuses(start, end)) else ""

    def _excuses(self, start: int, end: int) -> Iterator[Occurrence]:
        s = self.desk.samples
        for excuse in self.rule.excuses:
            yield from self.desk.seen(excuse.pattern, start - s(excuse.before), end + s(excuse.after))

    def review(self, cause: Occurrence, spare: int = 0) -> Review | None:
        """Why a finding should be reviewed; see ``Desk.review``."""
        return self.desk.review(self._turns_on, cause, spare)

    def judge(
        self, cause: Occurrence, at: int, *, words: bool, facts: dict[str, str] | None = None, spare: int = 0
    ) -> None:
        """Accuse at once, or as soon as every excuse that may still come has had its time.

        ``spare``: so many phrases more or less would not have changed the finding."""
        after = max((e.after for e in self.rule.excuses), default=0.0)
        if not after:
            self._accuse(cause, at, words, facts, spare)
            return

        def accuse() -> None:
            self._held_back.remove(accuse)
            self._accuse(cause, at, words, facts, spare)

        self._held_back.append(accuse)
        deadline = cause.end + self.desk.samples(after)
        self.stream.wake(deadline, self.rule.id, lambda _: self._no_excuse(accuse, deadline))

    def _no_excuse(self, accuse: Callable[[], None], deadline: int) -> None:
        parties = [e.pattern.by for e in self.rule.excuses if e.pattern.phrases]
        if not self.still_speaking(parties, deadline, lambda _: self._no_excuse(accuse, deadline)):
            accuse()

    def still_speaking(self, parties: Iterable[Channel | None], deadline: int, again: Wake) -> int | None:
        """Whether one of the parties is in the middle of what it had begun by ``deadline``, so that the words which
        are due may still end. Then ``again`` is called a little later; returns where, None when the time is up."""
        last = deadline + self.desk.samples(PHRASE_SECONDS)
        if self.stream.position >= last or not any(self.desk.in_turn(p, deadline) for p in parties):
            return None
        later = self.stream.position + self.desk.samples(AGAIN_SECONDS)
        self.stream.wake(later, self.rule.id, again)
        return later

    def still_coming(self, patterns: Iterable[Pattern], deadline: int, again: Wake) -> int | None:
        """Whether something that is due may have begun by ``deadline`` and is not known yet: words and numbers that are
        being said, and measures of a turn that goes on. Then ``again`` is called as in `still_speaking`."""
        now = self.stream.position
        for pattern in patterns:
            patience = _patience(pattern)
            if patience and now < deadline + self.desk.samples(patience) and self._under_way(pattern, deadline):
                later = now + self.desk.samples(AGAIN_SECONDS)
                self.stream.wake(later, self.rule.id, again)
                return later
        return None

    def _under_way(self, pattern: Pattern, deadline: int) -> bool:
        if self.desk.in_turn(pattern.by, deadline):
            return True
        return Happening.NUMBER in pattern.names and self.desk.in_number(pattern.by, deadline)

    def on_occasion(self, when: Pattern, seen: Occurrence, begin: Callable[[Occurrence, int], None]) -> None:
        """Call ``begin`` with what matches ``when`` and where it was certain: once the silence that the pattern may
        ask for has been kept. What is not certain enough to demand anything is only noted."""
        if not when.matches(seen):
            return
        if when.quiet is None:
            self._certain(when, seen, seen.end, begin)
            return
        at = seen.end + self.desk.samples(when.quiet.seconds)
        self.stream.wake(at, self.rule.id, lambda at: self._if_quiet(when, seen, at, begin))

    def _if_quiet(self, when: Pattern, seen: Occurrence, at: int, begin: Callable[[Occurrence, int], None]) -> None:
        quiet = when.quiet
        if quiet is None or not self.desk.kept_quiet(quiet, seen.end, at):
            return
        doubt = self.desk.doubtful(seen.end, at, quiet.by, words=False)
        if doubt:
            self.unsure = doubt
        else:
            self._certain(when, seen, at, begin)

    def _certain(self, when: Pattern, seen: Occurrence, at: int, begin: Callable[[Occurrence, int], None]) -> None:
        """Who spoke, or whether it was said at all, must be certain before an answer is demanded."""
        if seen.score < self.rule.sure or (self.desk.mixed and when.by is not None):
            self.unsure = "mixed_channel" if self.desk.mixed else "low_confidence"
        else:
            begin(seen, at)

    def flush(self) -> None:
        """The call is over: no excuse can come any more."""
        for accuse in list(self._held_back):
            accuse()

    def _accuse(self, cause: Occurrence, at: int, words: bool, facts: dict[str, str] | None, spare: int) -> None:
        occasion = self.next_occasion()
        if self.excused(cause.start, cause.end):
            self.desk.verdict(self.rule, occasion, Outcome.NOT_APPLICABLE, at, "excused")
            return
        reason = self.doubts(cause, words) or self.perhaps_excused(cause.start, cause.end)
        if reason:
            self.desk.verdict(self.rule, occasion, Outcome.CANNOT_TELL, at, reason)
            return
        review = self.review(cause, spare)
        self.desk.verdict(self.rule, occasion, Outcome.BROKEN, at, review=review)
        self.tell(occasion, cause, at, facts, review)

    def tell(
        self,
        occasion: int,
        cause: Occurrence,
        at: int,
        facts: dict[str, str] | None = None,
        review: Review | None = None,
    ) -> None:
        """Raise the alert of a broken occasion, if the rule's frequency limit leaves room for it."""
        if self.desk.allowed(self.rule, at):
            self.desk.count(self.rule, at)
            self.told.add(occasion)
            self.desk.alert(self.rule, occasion, cause, at, facts=facts, review=review)

    def doubts(self, cause: Occurrence, words: bool) -> str:
        """Why the finding cannot be held against anybody; empty when it can."""
        if cause.quality is Quality.UNKNOWN:
            return "not_measured"
        if cause.score < self.rule.sure:
            return "low_confidence"
        return self.desk.doubtful(cause.start, cause.end, cause.by, words=words)

    def conclude(self, end: int, outcome: Outcome, reason: str = "", review: Review | None = None) -> None:
        """The one verdict about the whole call, when no occasion had its own."""
        self.desk.verdict(self.rule, 0, outcome, end, reason, review)


def of_turn(pattern: Pattern) -> bool:
    """Whether a pattern wants a measure that may come only when a party has finished its turn."""
    bare = (n.removeprefix("stop:") for n in pattern.names)
    return any(n in MEASURES and MEASURES[n].two_channels for n in bare)


def _patience(pattern: Pattern) -> float:
    """Seconds for which what began in time is waited for."""
    if of_turn(pattern):
        return TURN_SECONDS
    if Happening.NUMBER in pattern.names:
        return NUMBER_SECONDS
    return PHRASE_SECONDS if pattern.phrases else 0.0
