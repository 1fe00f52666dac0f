"""Puts the parts together: from a configuration to a recogniser, to calls, to a server."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from monitor import __version__
from monitor.asr import catalog, models
from monitor.asr.ears import Ears
from monitor.asr.hot_words import hot_words
from monitor.asr.pair import Engines
from monitor.asr.protocol import Engine
from monitor.audit.figures import Privacy, Span, figures
from monitor.audit.report import CallFacts, build_report
from monitor.config import Config
from monitor.core.call import Call, book_of
from monitor.core.phrases import PhraseBook
from monitor.core.rulebook import Expect, Keep, Never, Pack, Role, Rule, Steps, Tally
from monitor.core.types import Event
from monitor.live.settings import LiveSettings
from monitor.live.setup import CallSetupRequest, SetupError
from monitor.packs import PackError, available_packs, load_packs
from monitor.paths import PACKAGE
from monitor.server.auth import Access
from monitor.server.state import ServerParts
from monitor.store.store import Store

FORM_NAMES = {Keep: "keep", Never: "never", Expect: "expect", Steps: "steps", Tally: "tally"}


NO_MODEL = "none"
"""Said in place of a model's name on the command line."""


def with_models(
    config: Config, model: str | None = None, *, fast: str | None = None, careful: str | None = None
) -> Config:
    """The configuration with other models: ``model`` alone, whichever ear it is for, or one for either ear.

    None leaves a choice to the configuration, ``none`` means no model. Raises ``ModelError`` for names that mean
    nothing.
    """
    seats: dict[str, str | None] = {}
    if model is not None:
        seats = {"fast": None, "careful": None}
        if model != NO_MODEL:
            seats["fast" if streams(model) else "careful"] = model
    for seat, name in (("fast", fast), ("careful", careful)):
        if name is not None:
            seats[seat] = None if name == NO_MODEL else name
    return config.model_copy(update={"recogniser": config.recogniser.model_copy(update=seats)}) if seats else config


def make_engines(config: Config) -> Engines | None:
    """The speech models of the configuration, with the words of its packs for hints; None for no recognition.

    Not yet loaded. Raises ``ModelError`` for names that mean nothing, ``PackError``.
    """
    chosen = config.recogniser
    if chosen.fast is None and chosen.careful is None:
        return None
    hints = hot_words(packs_and_book(tuple(config.packs))[0])
    fast, careful = (
        None if name is None else make_engine(name, threads=chosen.threads, hints=hints)
        for name in (chosen.fast, chosen.careful)
    )
    return Engines(fast, careful)


def streams(model: str) -> bool:
    """Whether a model hears speech while it lasts (sherpa-onnx) or stretches of it (Whisper). Raises ``ModelError``."""
    found = models.resolve(model)
    if isinstance(found, str):  # yet to be pulled
        return catalog.find(found) is not None
    return not (found / "model.bin").exists() and any(found.glob("*.onnx"))


def make_engine(model: str, *, threads: int = 1, hints: Sequence[str] = ()) -> Engine:
    """One speech model by name or folder, whatever its kind. Not yet loaded. Raises ``ModelError``."""
    if streams(model):
        from monitor.asr.sherpa import Sherpa  # each engine's library takes a while to load

        return Sherpa(model, threads=threads, hot_words=hints)
    from monitor.asr.whisper import Whisper

    return Whisper(model, threads=threads, hot_words=hints)


@lru_cache(maxsize=64)
def packs_and_book(names: tuple[str, ...]) -> tuple[tuple[Pack, ...], PhraseBook]:
    """Packs by name or file with their phrases compiled into one book; calls share both. Raises ``PackError``."""
    packs = load_packs(names)
    return packs, book_of(packs)


class Calls:
    """Makes calls and their reports for a server, and tells screens what a rule is called."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._rules: dict[str, Rule] = {}
        for name in dict.fromkeys([*config.packs, *available_packs()]):
            self._know(packs_and_book((name,))[0])

    def _know(self, packs: tuple[Pack, ...]) -> None:
        self._rules |= {rule.id: rule for pack in packs for rule in pack.rules}

    def make(self, request: CallSetupRequest) -> Call:
        """The core's call for a request; raises ``SetupError`` for packs that cannot be used."""
        try:
            packs, book = packs_and_book(request.packs)
        except PackError as error:
            raise SetupError("unknown_pack", str(error)) from error
        self._know(packs)
        setup = self._config.setup(
            request.rate,
            request.channels,
            packs,
            direction=request.direction,
            queue=request.queue,
            tags=request.tags,
            signalled=request.signalled,
            recognise=request.recognise,
            book=book,
            hearing=request.hearing,
        )
        return Call(setup)

    def report(self, request: CallSetupRequest, events: Sequence[Event], samples: int) -> dict[str, Any]:
        """The report of a call that is over."""
        facts = CallFacts(
            id=request.id,
            source=request.source,
            rate=request.rate,
            samples=samples,
            channels=request.channels,
            packs=request.packs,
            model=request.model or None,
            version=request.version,
        )
        return build_report(facts, events, mask=self._config.mask_numbers)

    def roles(self, packs: tuple[str, ...]) -> Mapping[str, Role]:
        """What the phrases of packs are taken for."""
        return {name: role for pack in packs_and_book(packs)[0] for name, role in pack.roles.items()}

    def describe(self, rule: str) -> dict[str, Any]:
        """Title, advice and clause of a rule, for screens."""
        known = self._rules.get(rule)
        if known is None:
            return {"title": {"zh": rule, "en": rule}, "advice": {"zh": "", "en": ""}, "clause": None}
        return {
            "title": known.title,
            "advice": known.advice,
            "clause": known.watches[0] if known.watches else None,
        }

    def packs(self) -> list[dict[str, Any]]:
        """What ``GET /api/packs`` shows."""
        shown = []
        for name in dict.fromkeys([*self._config.packs, *available_packs()]):
            for pack in packs_and_book((name,))[0]:
                rules = [
                    {
                        "id": rule.id,
                        "title": rule.title,
                        "severity": rule.severity.value,
                        "form": FORM_NAMES.get(type(rule.form), "report"),
                        "watches": list(rule.watches),
                    }
                    for rule in pack.rules
                ]
                shown.append({"id": pack.id, "title": pack.title, "rules": rules})
        return shown


STORE_FILE = "monitor.sqlite"
"""The store in the data folder."""


def count_figures(
    config: Config, store: Store, start: datetime | None, end: datetime | None, pack: str | None
) -> dict[str, Any]:
    """The figures of one pack, or of all that the site and the product have. Raises ``ValueError`` for a pack that
    there is not and for a time that ends before it begins."""
    names = dict.fromkeys([*config.packs, *available_packs()])
    packs = {found.id: found for name in names for found in packs_and_book((name,))[0]}
    if pack is not None and pack not in packs:
        raise ValueError(f"there is no pack {pack!r:.60}: choose one of {', '.join(sorted(packs))}")
    span = Span.of(start, end, datetime.now(UTC).astimezone())
    privacy = Privacy(config.mask_numbers, config.live.keep_recording)
    return figures(store, [packs[pack]] if pack is not None else list(packs.values()), span, privacy)


def read_token(config: Config) -> str | None:
    """The server's token, from the configuration or its file."""
    if config.server.token_file is not None:
        return config.server.token_file.expanduser().read_text(encoding="utf-8").strip()
    return config.server.token


class DataInUse(Exception):
    """Another server works in the data folder; two would finish each other's calls."""


def hold(folder: Path) -> None:
    """Keep the data folder for this process until it ends. Raises ``DataInUse``. Windows has no such lock."""
    try:
        import fcntl
    except ImportError:
        return
    lock = (folder / "server.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        remedy = "stop that one, or give this one its own --data"
        raise DataInUse(f"{folder} is used by another server: {remedy}") from error
    atexit.register(lock.close)  # held until the process ends; the system lets go of it after a kill, too


def make_parts(config: Config, *, engines: Engines | None, token: str | None, data: Path | None = None) -> ServerParts:
    """Everything a server needs. Loads the models, which may raise ``ModelError``; opens the store."""
    folder = data or config.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    hold(folder)
    calls = Calls(config)
    static = PACKAGE / "web" / "static"
    live = config.live
    store = Store(f"sqlite:///{folder / STORE_FILE}")
    return ServerParts(
        make_call=calls.make,
        make_report=calls.report,
        mask_numbers=config.mask_numbers,
        store=store,
        data_dir=folder,
        describe=calls.describe,
        recogniser=Ears(engines.fast, engines.careful, config.recogniser.patience) if engines else None,
        settings=LiveSettings(
            keep_recording=live.keep_recording,
            resume_grace=live.resume_grace,
            finals_wait=live.finals_wait,
            linger=live.linger,
        ),
        packs=calls.packs,
        default_packs=tuple(config.packs),
        model=engines.name if engines else "",
        hearing=config.hearing,
        version=__version__,
        access=Access(token=token),
        static=static if static.is_dir() else None,
        roles=calls.roles,
        figures=partial(count_figures, config, store),
    )
