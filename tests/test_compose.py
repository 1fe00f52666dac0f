"""From a configuration and the command line to the two ears."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.asr.hot_words import hot_words
from monitor.asr.models import ModelError
from monitor.asr.sherpa import Sherpa
from monitor.asr.whisper import Whisper
from monitor.compose import Calls, make_engine, make_engines, packs_and_book, with_models
from monitor.config import Config
from monitor.core.patterns import compile_phrase
from monitor.core.rulebook import Pack
from tests.live.fakes import request_for


@pytest.fixture
def streaming(tmp_path: Path) -> str:
    """A folder that looks like a streaming model from outside; nothing here loads it."""
    folder = tmp_path / "my-fast"
    folder.mkdir()
    (folder / "model.onnx").touch()
    (folder / "tokens.txt").touch()
    return str(folder)


def seats(config: Config) -> tuple[str | None, str | None]:
    return config.recogniser.fast, config.recogniser.careful


def site(**recogniser: Any) -> Config:
    return Config.model_validate({"recogniser": recogniser})


def test_the_default_is_both_shipped_models() -> None:
    assert seats(with_models(Config())) == ("zh-fast", "zh-careful")


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({"model": "zh-careful"}, (None, "zh-careful")),
        ({"model": "none"}, (None, None)),
        ({"fast": "none"}, (None, "zh-careful")),
        ({"careful": "none"}, ("zh-fast", None)),
        ({"fast": "tiny", "careful": "small"}, ("tiny", "small")),
        ({"model": "zipformer-zh-14m"}, ("zipformer-zh-14m", None)),
    ],
)
def test_models_of_the_command_line(options: dict[str, str], chosen: tuple[str | None, str | None]) -> None:
    assert seats(with_models(Config(), **options)) == chosen


def test_a_model_alone_takes_its_own_seat(streaming: str) -> None:
    config = with_models(Config(), streaming)
    assert seats(config) == (streaming, None)
    assert config.hearing["partial_every"] == 0.32
    assert with_models(Config(), "zh-careful").hearing["partial_every"] == 0.7


def test_engines_are_of_the_models_kind_whatever_the_seat(streaming: str) -> None:
    engines = make_engines(site(fast=streaming, careful="zh-careful"))
    assert engines is not None
    assert isinstance(engines.fast, Sherpa)
    assert isinstance(engines.careful, Whisper)
    assert engines.name == "my-fast + zh-careful"
    swapped = make_engines(site(fast="zh-careful", careful=streaming))
    assert swapped is not None
    assert isinstance(swapped.fast, Whisper)
    assert isinstance(swapped.careful, Sherpa)


def test_either_ear_may_be_missing(streaming: str) -> None:
    alone = make_engines(site(fast=None))
    assert alone is not None
    assert (alone.fast, alone.name) == (None, "zh-careful")
    alone = make_engines(site(fast=streaming, careful=None))
    assert alone is not None
    assert (alone.careful, alone.name) == (None, "my-fast")
    assert make_engines(site(fast=None, careful=None)) is None


def test_a_name_that_means_nothing() -> None:
    for make in (lambda: with_models(Config(), "no-such"), lambda: make_engines(site(fast="no-such"))):
        with pytest.raises(ModelError, match="no-such"):
            make()


def test_engines_get_the_words_of_the_packs_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    real = make_engine

    def spy(model: str, **options: Any) -> Any:
        given.append(options["hints"])
        return real(model, **options)

    monkeypatch.setattr("monitor.compose.make_engine", spy)
    make_engines(site(fast=None))
    (hints,) = given
    assert "请您稍等" in hints
    assert hints == hot_words(packs_and_book(("gas-hotline",))[0])


def pack(*phrases: list[str]) -> Pack:
    compiled = tuple(compile_phrase(f"p{n}", list(say), by="exact") for n, say in enumerate(phrases))
    return Pack("p", {"zh": "", "en": ""}, compiled, ())


def test_hot_words_are_pieces_of_phrases_one_of_each_first() -> None:
    assert hot_words([pack(["您好…为您服务", "早上好"], ["请稍等(一下)", "不要挂断"], ["喂"])]) == (
        "您好",
        "为您服务",
        "请稍等一下",
        "早上好",
        "不要挂断",
    )


def test_a_piece_within_another_is_left_out_and_none_comes_twice() -> None:
    assert hot_words([pack(["稍等"], ["请稍等"]), pack(["请稍等", "再见"])]) == ("请稍等", "再见")
    assert hot_words([]) == ()


def test_a_call_is_heard_as_when_it_began() -> None:
    """A rebuild, or a replay of its journal, must ask for the same stretches though the ears are others by then."""
    calls = Calls(with_models(Config(), "zh-careful"))
    made = calls.make(request_for(packs=("gas-hotline",), hearing={"partial_every": 0.32, "longest": 9.0}))
    assert (made.setup.transcript.partial_every, made.setup.transcript.longest) == (0.32, 9.0)
    before = calls.make(request_for(packs=("gas-hotline",)))  # of a journal that does not say
    assert (before.setup.transcript.partial_every, before.setup.transcript.longest) == (0.7, 7.5)
