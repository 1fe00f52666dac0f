"""``monitor rules test``, ``show`` and ``try``."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.asr.pair import Engines
from monitor.core.call import Call
from monitor.core.types import STEREO, Chunk, Event, Hypothesis, SignalKind
from monitor.core.types import Signal as Fact
from monitor.live.journal import Journal
from monitor.live.runner import Note
from monitor.live.setup import CallSetupRequest
from monitor.packs import load_pack
from monitor.packs.prove import Prover, true_words
from monitor.render import babble
from monitor.render.dialogue import Dialogue, Hangup, Ring, Say
from monitor.render.files import write_flac
from monitor.render.render import Rendered, render
from tests.cli.files import done, pack, refused

PROOFS = """
pack: tiny
calls:
  greets:
    items: [{ring: 1}, {agent: "您好，请讲"}, {customer: 我想问账单, pause: 4}, {hangup: customer}]
    met: [greet]
  forgets:
    items: [{ring: 1, id: ring}, {agent: 喂什么事情}, {customer: 我想问账单, pause: 4}, {hangup: customer}]
    alerts: [{rule: greet, by: agent, at: ring.end, plus: 3}]
"""


def proofs(tmp_path: Path, text: str = PROOFS) -> Path:
    folder = tmp_path / "calls"
    folder.mkdir()
    (folder / "calls.yaml").write_text(text, encoding="utf-8")
    return folder


def test_proofs_that_hold(tmp_path: Path) -> None:
    told = done("rules", "test", pack(tmp_path / "tiny.yaml"), "--calls", proofs(tmp_path))
    assert "tiny: 2 calls (" in told
    assert ", 1 alerts, " in told


def test_proofs_that_do_not_hold(tmp_path: Path) -> None:
    folder = proofs(tmp_path)
    told = refused("rules", "test", pack(tmp_path / "tiny.yaml", phrase="欢迎"), "--calls", folder)
    assert f"{folder}/calls.yaml:4: tiny/greets" in told
    assert "greet: not expected: an alert at 5.50 s by agent: 没有问候" in told
    assert "greet: expected to be met; it was not" in told
    assert "verdict 5.50 s broken" in told
    assert "tiny/forgets" not in told
    assert "1 FAILED" in told


def test_one_call_of_them(tmp_path: Path) -> None:
    given = ("rules", "test", pack(tmp_path / "tiny.yaml"))
    folder = proofs(tmp_path)
    assert "tiny: 1 calls" in done(*given, "forgets", "--calls", folder)
    assert "no proof call 'remembers'; there are greets, forgets" in refused(*given, "remembers", "--calls", folder)


def test_a_call_that_cannot_be_laid_out(tmp_path: Path) -> None:
    text = PROOFS.replace("pause: 4", "overlap: 90", 1)
    told = refused("rules", "test", pack(tmp_path / "tiny.yaml"), "--calls", proofs(tmp_path, text))
    assert "tiny/greets: item 3: '我想问账单' would start before the call" in told
    assert "1 FAILED" in told


def test_a_pack_without_proofs(tmp_path: Path) -> None:
    told = refused("rules", "test", pack(tmp_path / "tiny.yaml", id="nobodys"))
    assert "holds no proof calls of nobodys" in told
    assert "--calls" in told


# ---------------------------------------------------------------- show


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "answered → 客服 “hello”; ≤ 3 秒 | （不提示）先问候 | 问候: 没有问候 | 提示 |"),
        (
            ("--english",),
            "answered → agent “hello”; within 3 s | (not told) Greet first | Greeting: No greeting | note |",
        ),
    ],
)
def test_a_pack_as_a_table(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    assert words in done("rules", "show", pack(tmp_path / "tiny.yaml"), "--markdown", *options)


def test_a_pack_on_the_screen(tmp_path: Path) -> None:
    assert "greet" in done("rules", "show", pack(tmp_path / "tiny.yaml"))


# ---------------------------------------------------------------- try


def live(folder: Path, rules: Path) -> Path:
    """The recording and the journal of a live call: a greeting two and a half seconds after the call is answered."""
    items = (Ring(ring=1), Say(agent="您好请讲", pause=2.5), Say(customer="我想问账单"), Hangup(hangup="customer"))
    made = render(Dialogue(items=items), babble.utter)
    request = CallSetupRequest("call", made.rate, STEREO, packs=(str(rules),), recognise=True, signalled=True)
    journal = Journal.create(folder / "call.jsonl", request.header())
    prover = Prover.of(load_pack(rules))
    call = Call(prover.config.setup(made.rate, STEREO, prover.packs, signalled=True, recognise=True))
    _talk(call, made, journal)
    journal.close()
    write_flac(folder / "call.flac", made.samples, made.rate)
    return folder / "call.flac"


def _talk(call: Call, made: Rendered, journal: Journal) -> None:
    def note(item: Fact | Hypothesis) -> None:
        journal.input(item, call.position)
        journal.events(call.feed(item), call.position)

    def answer() -> None:
        while requests := call.requests():
            for heard in Engines(careful=true_words(made)).answer(requests):
                note(heard)

    def said(events: list[Event]) -> None:
        journal.events(events, call.position)

    for data in made.signals:
        note(Fact(SignalKind(data["signal"]), round(data["at"] * made.rate)))
    said(call.feed(Chunk(0, made.samples)))
    answer()
    journal.note(Note.CLOSED, {}, call.position)
    said(call.close_audio())
    answer()
    journal.note(Note.FINISHING, {}, call.position)
    said(call.finish())


def test_a_changed_pack_on_an_old_call(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    recording = live(old, pack(old / "tiny.yaml", within=2))
    same = done("rules", "try", pack(tmp_path / "2.yaml", within=2), recording)
    assert "0 new, 0 gone, 0 moved, 1 as before" in same
    gone = done("rules", "try", pack(tmp_path / "3.yaml", within=3), recording)
    assert "gone 0:04.5 note tiny/greet agent: 没有问候" in gone
    assert "tiny: 1 calls (" in gone
    assert "0 new, 1 gone, 0 moved, 0 as before" in gone
    moved = done("rules", "try", pack(tmp_path / "1.yaml", within=1), recording)
    assert "moved 0:03.5 note tiny/greet agent: from 0:04.5 note" in moved
    other = done("rules", "try", pack(tmp_path / "other.yaml", id="other", within=1), old / "call.jsonl")
    assert "the pack did not watch it then" in other
    assert "1 new, 0 gone, 0 moved, 0 as before" in other


def test_a_recording_without_a_journal(tmp_path: Path) -> None:
    told = refused("rules", "try", pack(tmp_path / "tiny.yaml"), tmp_path / "call.flac")
    assert "there is no such journal" in told
    assert "monitor replay" in told
