"""The nouns of a call: what goes into the core and what comes out.

Every position is an integer count of samples since the call began, shared by all channels of the call, at the
call's own rate (8000 or 16000 a second). Seconds appear only outside the core. Every event is immutable and
carries ``kind``, so that it can be written to JSON and read back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

RATES = (8000, 16000)
"""Sampling rates a call may have; sources resample to one of them."""

FRAMES_A_SECOND = 50
"""The core looks at audio in frames of 20 ms."""

Samples = npt.NDArray[np.int16]


class Channel(StrEnum):
    """Who is heard on a channel; ``MIXED`` when one channel carries both sides."""

    AGENT = "agent"
    CUSTOMER = "customer"
    MIXED = "mixed"


STEREO = (Channel.AGENT, Channel.CUSTOMER)
MONO = (Channel.MIXED,)


class SignalKind(StrEnum):
    """What telephony knows and audio does not."""

    RINGING = "ringing"
    ANSWERED = "answered"
    HOLD = "hold"
    RESUME = "resume"
    DIGIT = "digit"
    HANGUP = "hangup"


class Quality(StrEnum):
    """How far a measure can be trusted."""

    EXACT = "exact"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """``CRITICAL`` is what a supervisor would act on within the minute."""

    NOTE = "note"
    WARNING = "warning"
    CRITICAL = "critical"


class Outcome(StrEnum):
    """A verdict has three values, and a fourth where the rule had no occasion."""

    MET = "met"
    BROKEN = "broken"
    CANNOT_TELL = "cannot_tell"
    NOT_APPLICABLE = "not_applicable"


# ---------------------------------------------------------------- in


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of call audio of any length.

    ``samples`` is int16 of shape (n, channels): column 0 the agent, column 1 the customer; one column when mixed.
    ``start`` is the position of its first row. Positions that a chunk skips are audio that was lost.
    """

    start: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class Signal:
    """A telephony fact at position ``at``; ``inferred`` when the core concluded it from audio."""

    signal: SignalKind
    at: int
    by: Channel | None = None
    digit: str | None = None
    inferred: bool = False
    kind: Literal["signal"] = "signal"


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word (for Mandarin usually one character) and where it was spoken."""

    text: str
    start: int
    end: int
    confidence: float = 1.0


class Ear(StrEnum):
    """Which recogniser heard words: the one there is, the fast or the careful of two."""

    ONLY = "only"
    FAST = "fast"
    CAREFUL = "careful"


@dataclass(frozen=True, slots=True, eq=False)
class AsrRequest:
    """A stretch of speech to recognise: int16 ``samples`` of shape (n,) at ``rate``, from ``start`` to ``end``.

    ``segment`` numbers the speech segment in its channel; several partial requests and one final share it.
    Partials replace one another; a final is never dropped. ``stream`` names the segment among all calls, so that a
    streaming ear may go on where its last pass ended; empty: it begins anew. The worker fills it in.
    """

    id: int
    channel: Channel
    segment: int
    start: int
    end: int
    final: bool
    rate: int
    samples: Samples
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The answer to a request. ``failed`` says why there are no words when the recogniser broke down.

    ``committed``: a streaming ear said these words and takes none back, so they need no second look to be told early.
    ``ear`` is who heard them. ``other`` is what the second ear heard in the same stretch, None when there was none:
    ``words`` decide, ``other`` shows where the ears disagree.
    """

    request: int
    words: tuple[Word, ...]
    failed: str | None = None
    committed: bool = False
    ear: Ear = Ear.ONLY
    other: tuple[Word, ...] | None = None
    kind: Literal["hypothesis"] = "hypothesis"


# ---------------------------------------------------------------- out: audio


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio from ``start`` to ``end`` never arrived."""

    start: int
    end: int
    reason: str = "lost"
    kind: Literal["gap"] = "gap"


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A party began to speak at ``at``; this was certain at ``known``."""

    channel: Channel
    at: int
    known: int
    kind: Literal["speech_started"] = "speech_started"


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A party that began at ``start`` stopped at ``at``; this was certain at ``known``."""

    channel: Channel
    start: int
    at: int
    known: int
    kind: Literal["speech_ended"] = "speech_ended"


class ToneKind(StrEnum):
    """Sounds of the line that are nobody's speech."""

    RINGBACK = "ringback"
    DTMF = "dtmf"
    MUSIC = "music"


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """A line sound from ``start`` to ``end`` (one ring-back burst, one key). Music is reported again as it goes on:
    first when it is certain (``ongoing``), then once more when it stops."""

    channel: Channel
    tone: ToneKind
    start: int
    end: int
    known: int
    digit: str | None = None
    ongoing: bool = False
    kind: Literal["tone_heard"] = "tone_heard"


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn: speech of one party with inner pauses up to a second. ``speech`` counts the samples spoken in it."""

    channel: Channel
    start: int
    end: int
    speech: int
    known: int
    kind: Literal["turn_ended"] = "turn_ended"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Both spoke from ``start`` to ``end``; ``by`` came second, the other had spoken since ``other_since``.

    ``yielded`` when the first speaker stopped within a second and ``by`` went on.
    """

    by: Channel
    start: int
    end: int
    other_since: int
    yielded: bool
    known: int
    kind: Literal["overlap"] = "overlap"


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of a measure (see ``monitor.core.rulebook.MEASURES`` for names and units) over ``start``..``end``."""

    name: str
    channel: Channel | None
    start: int
    end: int
    value: float
    known: int
    quality: Quality = Quality.EXACT
    kind: Literal["measured"] = "measured"


class Phase(StrEnum):
    """Where a call stands."""

    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The call entered ``phase`` at ``at``. A hold may become known only with the words before it, so the phases of a
    call are those in the order of ``at``, and after ``ENDED`` none counts that lies before it."""

    phase: Phase
    at: int
    known: int
    inferred: bool = False
    by: Channel | None = None
    kind: Literal["phase_changed"] = "phase_changed"


# ---------------------------------------------------------------- out: words


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of one speech segment. Settled words never change; unsettled ones are for screens and early warnings
    and are replaced by the next ``Heard`` of the same segment.

    ``ear`` is who heard them: settled words of the fast ear, where there are two, are those that the careful one was
    too late for. ``other`` is what the second ear heard, only where it is not the same text."""

    channel: Channel
    segment: int
    start: int
    end: int
    words: tuple[Word, ...]
    settled: bool
    ear: Ear = Ear.ONLY
    other: tuple[Word, ...] | None = None
    kind: Literal["heard"] = "heard"


@dataclass(frozen=True, slots=True)
class Lag:
    """``heard_until`` of a channel, when it falls behind the audio or catches up (at most once a second)."""

    channel: Channel
    heard_until: int
    at: int
    kind: Literal["lag"] = "lag"


class Match(StrEnum):
    """How a phrase was recognised: the very characters, the same sounds, or a few edits away."""

    EXACT = "exact"
    SOUND = "sound"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class PhraseHit:
    """A phrase was said. ``slots`` keeps what stood at each X of the pattern, in order."""

    phrase: str
    channel: Channel
    start: int
    end: int
    text: str
    match: Match
    score: float
    settled: bool = True
    slots: tuple[str, ...] = ()
    kind: Literal["phrase_hit"] = "phrase_hit"


# ---------------------------------------------------------------- out: rules


class DueState(StrEnum):
    PENDING = "pending"
    HEARD = "heard"  # provisional words satisfy it; the verdict waits for settled ones
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Due:
    """Something is expected of a party by ``deadline`` (None: before the call ends)."""

    rule: str
    occasion: int
    at: int
    deadline: int | None
    state: DueState = DueState.PENDING
    kind: Literal["due"] = "due"


class AlertState(StrEnum):
    RAISED = "raised"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that show a finding."""

    channel: Channel
    text: str
    start: int
    end: int
    match: Match


class Review(StrEnum):
    """Why a person should listen to a finding again: it turns on words that one ear alone heard."""

    UNHEARD_BY_FAST = "unheard_by_fast"  # the careful ear heard the phrase, the fast one did not
    UNHEARD_BY_CAREFUL = "unheard_by_careful"  # the other way round: the careful ear decided that it was not said
    FAST_EAR_ONLY = "fast_ear_only"  # the careful ear could not follow, the words are the fast one's


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule was broken from ``start`` to ``end``. ``at`` is where the cause lies, ``raised_at`` how far the audio
    had got when we knew: up to where it had to be heard, or, when words decided, where they came. Chunk sizes make
    no difference to it. The same (rule, occasion) may come again with another state; the last one counts. ``review``
    says why a person should listen again; an alert that is only raised has none yet."""

    rule: str
    occasion: int
    severity: Severity
    state: AlertState
    channel: Channel | None
    start: int
    end: int
    at: int
    raised_at: int
    message: dict[str, str] = field(hash=False)
    evidence: tuple[Evidence, ...] = ()
    review: Review | None = None
    kind: Literal["alert"] = "alert"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Given exactly once per rule per occasion. ``reason`` is a short code, empty when there is nothing to add.
    ``review``: *broken* as its alert's; *met* where something must never be said and the fast ear alone heard it."""

    rule: str
    occasion: int
    outcome: Outcome
    at: int
    reason: str = ""
    review: Review | None = None
    kind: Literal["verdict"] = "verdict"


Event = (
    Gap
    | SpeechStarted
    | SpeechEnded
    | ToneHeard
    | TurnEnded
    | Overlap
    | Measured
    | PhaseChanged
    | Heard
    | Lag
    | PhraseHit
    | Due
    | Alert
    | Verdict
    | Signal
)
"""Everything a ``Call`` can say. A ``Signal`` comes back with the position at which it took effect."""

Input = Chunk | Hypothesis | Signal
