"""The store: what goes in comes out in seconds, nothing is doubled, and failures leave it as it was."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from monitor.core.types import (
    Alert,
    AlertState,
    Channel,
    Event,
    Evidence,
    Gap,
    Heard,
    Match,
    Outcome,
    Review,
    Severity,
    Verdict,
    Word,
)
from monitor.store.schema import metadata
from monitor.store.store import NotFound, Store, StoreError, _Upserts
from monitor.store.views import CallRow

DENIED = Review.UNHEARD_BY_CAREFUL
START = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
ROW = CallRow("c1", START.isoformat(), 8000, ("agent", "customer"), "张三", "inbound", ("gas-hotline",), "socket")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/data/monitor.db", now=Clock()) as store:
        store.save_call(ROW)
        yield store


def alert(
    occasion: int = 0,
    state: AlertState = AlertState.RAISED,
    severity: Severity = Severity.WARNING,
    rule: str = "gas/pace",
    raised_at: int = 24_000,
) -> Alert:
    evidence = (Evidence(Channel.AGENT, "稍等", 8000, 12_000, Match.SOUND),)
    message = {"zh": "语速过快", "en": "too fast"}
    return Alert(rule, occasion, severity, state, Channel.AGENT, 0, 16_000, 8000, raised_at, message, evidence)


def heard(segment: int, *words: tuple[str, int], settled: bool = True, channel: Channel = Channel.AGENT) -> Heard:
    found = tuple(Word(text, start, start + 800, 0.5) for text, start in words)
    start, end = (found[0].start, found[-1].end) if found else (0, 0)
    return Heard(channel, segment, start, end, found, settled)


def everything(store: Store) -> dict[str, Any]:
    return {
        "calls": store.calls(),
        "alerts": store.alerts(),
        "verdicts": store.verdicts("c1"),
        "transcript": store.transcript("c1"),
        "report": store.report("c1"),
    }


EVENTS: list[Event] = [
    Gap(0, 5),
    heard(0, ("您", 800), settled=False),
    heard(0, ("您", 800), ("好", 1600)),
    alert(0),
    alert(1, rule="gas/greeting"),
    Verdict("gas/greeting", 0, Outcome.MET, 16_000),
    alert(0, AlertState.CONFIRMED),
    Verdict("gas/pace", 0, Outcome.BROKEN, 24_000, "sustained"),
]


def test_an_alert_comes_back_in_seconds(store: Store) -> None:
    store.save_batch("c1", [alert()])
    assert store.alerts() == [
        {
            "id": "c1~gas/pace~0",
            "call": "c1",
            "rule": "gas/pace",
            "occasion": 0,
            "severity": "warning",
            "state": "raised",
            "channel": "agent",
            "start": 0.0,
            "end": 2.0,
            "at": 1.0,
            "raised_at": 3.0,
            "review": None,
            "message": {"zh": "语速过快", "en": "too fast"},
            "title": {"zh": "语速过快", "en": "too fast"},
            "advice": {},
            "clause": None,
            "evidence": [{"channel": "agent", "text": "稍等", "start": 1.0, "end": 1.5, "match": "sound"}],
            "ack": None,
            "comment": None,
            "right": None,
        }
    ]
    assert store.alert("c1~gas/pace~0") == store.alerts()[0]
    assert store.alert("c1~gas/pace~9") is None


def test_what_a_rule_says_of_itself_is_kept_with_its_alert(store: Store) -> None:
    told = {"title": {"zh": "语速"}, "advice": {"zh": "慢一点"}, "clause": "gas/12"}
    store.save_batch("c1", [alert()], describe=lambda rule: told if rule == "gas/pace" else {})
    found = store.alerts()[0]
    assert (found["title"], found["advice"], found["clause"]) == ({"zh": "语速"}, {"zh": "慢一点"}, "gas/12")


def test_a_call_is_counted_without_its_cleared_alerts(store: Store) -> None:
    verdicts = [
        Verdict("gas/pace", 0, Outcome.BROKEN, 5),
        Verdict("gas/hold", 0, Outcome.MET, 5),
        Verdict("gas/hold", 1, Outcome.MET, 6),
        Verdict("gas/end", 0, Outcome.NOT_APPLICABLE, 7),
    ]
    cleared = alert(2, AlertState.CLEARED, Severity.CRITICAL)
    store.save_batch("c1", [alert(0), alert(1, severity=Severity.CRITICAL), cleared, *verdicts])
    store.save_call(replace(ROW, phase="ended", position=12_000))
    found = store.call("c1")
    assert found == {
        "id": "c1",
        "agent": "张三",
        "direction": "inbound",
        "packs": ["gas-hotline"],
        "source": "socket",
        "started": "2026-01-31T08:00:00.000000Z",
        "seconds": 1.5,
        "phase": "ended",
        "counts": {"critical": 1, "warning": 1, "note": 0},
        "outcome": {"met": 2, "broken": 1, "cannot_tell": 0},
    }
    assert store.calls() == [found]
    assert store.call("c2") is None


def test_a_call_row_comes_back_as_saved(store: Store) -> None:
    row = replace(ROW, journal="j.jsonl", recording="r.flac", journal_head="ab" * 32, model="zh", agent=None)
    store.save_call(row)
    assert store.row("c1") == replace(row, started="2026-01-31T08:00:00.000000Z")
    assert store.row("c2") is None


def test_saving_a_call_again_keeps_what_belongs_to_it(store: Store) -> None:
    store.save_batch("c1", EVENTS)
    before = everything(store)
    store.save_call(ROW)
    assert everything(store) == before


def test_storing_twice_doubles_nothing(store: Store) -> None:
    for _ in range(2):
        store.save_batch("c1", EVENTS)
        store.save_report("c1", {"schema": 1, "alerts": []})
        once = everything(store)
    for event in EVENTS:
        store.save_batch("c1", [event])
    assert everything(store) == once
    assert len(once["alerts"]) == 2 and len(once["verdicts"]) == 2 and len(once["transcript"]) == 1


def test_a_replay_does_not_take_a_decision_back(store: Store) -> None:
    store.save_batch("c1", [alert(), alert(state=AlertState.CONFIRMED, raised_at=32_000)])
    store.save_batch("c1", [alert()])  # the replay has got so far
    assert (store.alerts()[0]["state"], store.alerts()[0]["raised_at"]) == ("confirmed", 4.0)
    store.save_batch("c1", [alert(state=AlertState.CLEARED), alert()])
    assert store.alerts()[0]["state"] == "cleared"


def test_reviews_survive_a_replay(store: Store) -> None:
    store.save_batch("c1", EVENTS)
    store.acknowledge("c1~gas/pace~0", "李四")
    store.save_batch("c1", EVENTS)
    found = store.alert("c1~gas/pace~0")
    assert found is not None and found["ack"] == {"by": "李四", "at": "2026-01-31T08:00:01.000000Z"}


def test_reviews_are_kept_and_the_last_one_is_shown(store: Store) -> None:
    store.save_batch("c1", [alert()])
    id = "c1~gas/pace~0"
    assert store.acknowledge(id, "李四")["ack"] == {"by": "李四", "at": "2026-01-31T08:00:01.000000Z"}
    assert store.comment(id, "客户先打断", "李四")["comment"] == "客户先打断"
    assert store.judge(id, False, "李四")["right"] is False
    assert store.judge(id, True, "王五")["right"] is True
    last = store.comment(id, "改了", "王五")
    assert (last["comment"], last["right"], last["ack"]) == (
        "改了",
        True,
        {"by": "李四", "at": "2026-01-31T08:00:01.000000Z"},
    )
    history = [(review["kind"], review["by"], review["text"], review["right"]) for review in store.reviews(id)]
    assert history == [
        ("acknowledge", "李四", None, None),
        ("comment", "李四", "客户先打断", None),
        ("judge", "李四", None, False),
        ("judge", "王五", None, True),
        ("comment", "王五", "改了", None),
    ]


def test_an_unknown_alert_cannot_be_reviewed(store: Store) -> None:
    with pytest.raises(NotFound, match="no alert x"):
        store.acknowledge("x", "李四")
    with pytest.raises(NotFound, match="no alert x"):
        store.comment("x", "", "李四")
    with pytest.raises(NotFound, match="no alert x"):
        store.judge("x", True, "李四")


def test_only_settled_words_are_kept(store: Store) -> None:
    store.save_batch("c1", [heard(0, ("您", 800), settled=False), heard(1, ("好", 1600))])
    assert store.transcript("c1") == [
        {
            "channel": "agent",
            "segment": 1,
            "start": 0.2,
            "end": 0.3,
            "text": "好",
            "words": [{"text": "好", "start": 0.2, "end": 0.3, "confidence": 0.5}],
        }
    ]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "pieces",
    [
        [heard(0, ("您", 0), ("好", 800), ("请", 1600))],
        [
            heard(0, ("您", 0)),
            heard(0, ("您", 0), ("好", 800)),
            heard(0, ("您", 0), ("好", 800), ("请", 1600)),
        ],
        [heard(0, ("您", 0)), heard(0, ("好", 800), ("请", 1600))],
        [heard(0, ("您", 0), ("好", 800)), heard(0, ("请", 1600)), heard(0)],
    ],
)
def test_a_segment_settled_in_pieces_is_one_line(store: Store, pieces: list[Event], at_once: bool) -> None:
    for _ in range(2):
        for batch in [pieces] if at_once else [[piece] for piece in pieces]:
            store.save_batch("c1", batch)
        (line,) = store.transcript("c1")
        assert (line["text"], line["start"], line["end"]) == ("您好请", 0.0, 0.3)
        assert [word["text"] for word in line["words"]] == ["您", "好", "请"]


def test_a_transcript_is_in_the_order_of_speech(store: Store) -> None:
    words = [heard(1, ("三", 3000)), heard(0, ("二", 2000), channel=Channel.CUSTOMER), heard(0, ("一", 1000))]
    store.save_batch("c1", words)
    assert [line["text"] for line in store.transcript("c1")] == ["一", "二", "三"]


def test_verdicts_are_in_the_order_of_their_causes(store: Store) -> None:
    store.save_batch(
        "c1", [Verdict("b", 0, Outcome.MET, 16_000, "", DENIED), Verdict("a", 0, Outcome.CANNOT_TELL, 800, "gap")]
    )
    assert store.verdicts("c1") == [
        {"rule": "a", "occasion": 0, "outcome": "cannot_tell", "at": 0.1, "reason": "gap", "review": None},
        {"rule": "b", "occasion": 0, "outcome": "met", "at": 2.0, "reason": "", "review": "unheard_by_careful"},
    ]


def test_a_report_is_there_once_it_was_made(store: Store) -> None:
    assert store.report("c1") is None
    store.save_report("c1", {"schema": 1, "call": {"id": "c1"}, "alerts": [{"message": {"zh": "快"}}]})
    assert store.report("c1") == {"schema": 1, "call": {"id": "c1"}, "alerts": [{"message": {"zh": "快"}}]}


def test_lists_are_newest_first_and_paged_by_time(store: Store) -> None:
    for n in range(2, 6):
        started = START + timedelta(seconds=60 * n)
        store.save_call(replace(ROW, id=f"c{n}", started=started.isoformat(), agent="李四"))
        store.save_batch(f"c{n}", [alert()])
    assert [call["id"] for call in store.calls(limit=2)] == ["c5", "c4"]
    older = store.calls(limit=2, before=store.calls(limit=2)[-1]["started"])
    assert [call["id"] for call in older] == ["c3", "c2"]
    local = (START + timedelta(seconds=180)).astimezone().isoformat()
    assert [call["id"] for call in store.calls(before=local)] == ["c2", "c1"]
    assert [call["id"] for call in store.calls(agent="张三")] == ["c1"]
    assert [found["call"] for found in store.alerts(limit=2)] == ["c5", "c4"]
    before = (START + timedelta(seconds=180 + 3)).isoformat()  # c3's was raised at its third second
    assert [found["call"] for found in store.alerts(before=before)] == ["c2"]
    assert [found["call"] for found in store.alerts("c3")] == ["c3"]
    assert store.alerts(rule="gas/none") == []
    assert store.totals() == {"calls": 5, "alerts": 4}


def test_unfinished_calls_are_found_after_a_restart(store: Store) -> None:
    store.save_call(replace(ROW, id="c2", phase="ended"))
    store.save_call(replace(ROW, id="c0", phase="held", started=(START - timedelta(hours=1)).isoformat()))
    assert [row.id for row in store.unfinished()] == ["c0", "c1"]
    assert [call["id"] for call in store.calls(phase="ended")] == ["c2"]


def test_a_deleted_call_takes_everything_along(store: Store) -> None:
    store.save_batch("c1", EVENTS)
    store.acknowledge("c1~gas/pace~0", "李四")
    store.save_report("c1", {"schema": 1})
    store.delete_call("c1")
    store.delete_call("c1")
    assert everything(store) == {"calls": [], "alerts": [], "verdicts": [], "transcript": [], "report": None}
    assert store.reviews("c1~gas/pace~0") == []


def test_events_of_an_unknown_call_are_refused_and_nothing_of_the_group_is_kept(store: Store) -> None:
    with pytest.raises(NotFound, match="call c9 is not in the store"):
        store.save_batches([("c1", EVENTS), ("c9", EVENTS)])
    assert store.alerts() == [] and store.transcript("c1") == []
    with pytest.raises(StoreError, match="save the call before"):
        store.save_report("c9", {"schema": 1})


def test_it_is_all_there_after_opening_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/monitor.db"
    with Store(url) as store:
        store.save_call(ROW)
        store.save_batch("c1", EVENTS)
        before = everything(store)
    with Store(url) as store:
        assert everything(store) == before
        store.save_batch("c1", [alert(7)])  # rate and start are read back from the call
        assert store.alerts()[0]["raised_at"] == 3.0


def test_readers_do_not_wait_for_a_writer(store: Store, tmp_path: Path) -> None:
    store.save_batch("c1", [alert()])
    with sqlite3.connect(tmp_path / "data" / "monitor.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM alerts")
        assert len(store.alerts()) == 1
        other.execute("ROLLBACK")
    other.close()


def test_threads_may_review_while_events_come_in(store: Store) -> None:
    store.save_batch("c1", [alert(n) for n in range(20)])

    def review(n: int) -> None:
        store.acknowledge(f"c1~gas/pace~{n}", "李四")

    threads = [threading.Thread(target=review, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for n in range(20, 60):
        store.save_batch("c1", [alert(n)])
    for thread in threads:
        thread.join()
    found = store.alerts()
    assert len(found) == 60 and sum(one["ack"] is not None for one in found) == 20


def test_a_full_disk_is_named_and_what_was_stored_stays(store: Store, tmp_path: Path) -> None:
    store.save_batch("c1", [alert(0)])
    with store._engine.connect() as connection:  # the pool hands out this very connection again
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match=r"monitor\.db.*full.*free some disk space"):
        store.save_batch("c1", [alert(n) for n in range(1, 500)])
    assert len(store.alerts()) == 1
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    store.save_batch("c1", [alert(n) for n in range(1, 500)])
    assert store.totals()["alerts"] == 500


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "not a database we can open.*sqlite:///PATH"),
        ("oracle9://x", "not a database we can open"),
        ("sqlite://", "cannot share a database in memory"),
        ("sqlite:///{tmp}/plain/x.db", "could not make the folder"),
        ("sqlite:///{tmp}/plain", "not a database.*move the file aside"),
        ("sqlite:///{tmp}", "unable to open"),
    ],
)
def test_a_database_that_is_none_is_refused(tmp_path: Path, url: str, says: str) -> None:
    (tmp_path / "plain").write_text("just a text, longer than the header of a database " * 40)
    with pytest.raises(StoreError, match=says):
        Store(url.format(tmp=tmp_path))


def test_tables_of_another_version_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/monitor.db"
    Store(url).close()
    with sqlite3.connect(tmp_path / "monitor.db") as other:
        other.execute("UPDATE meta SET value = '99'")
    other.close()
    with pytest.raises(StoreError, match="tables are version 99"):
        Store(url)


def test_tables_of_the_first_version_are_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/monitor.db"
    with Store(url) as store:
        store.save_call(ROW)
        store.save_batch("c1", [alert()])
    with sqlite3.connect(tmp_path / "monitor.db") as old:
        old.executescript(
            "ALTER TABLE alerts DROP COLUMN review; ALTER TABLE verdicts DROP COLUMN review;"
            "DROP INDEX calls_by_customer; ALTER TABLE calls DROP COLUMN customer;"
            "DROP TABLE endings; DROP TABLE promises; UPDATE meta SET value = '1'"
        )
    old.close()
    for _ in range(2):
        with Store(url) as store:
            assert [found["review"] for found in store.alerts()] == [None]
    with Store(url) as store:
        store.save_batch("c1", [replace(alert(state=AlertState.CLEARED), review=DENIED)])
        assert [found["review"] for found in store.alerts()] == ["unheard_by_careful"]


def test_times_need_their_offset(store: Store) -> None:
    with pytest.raises(ValueError, match="no offset"):
        store.save_call(replace(ROW, started="2026-01-31T08:00:00"))
    with pytest.raises(ValueError, match="no offset"):
        store.calls(before="2026-01-31T08:00:00")


@pytest.mark.parametrize("dialect", [sqlite, postgresql])
def test_tables_and_upserts_are_sql_that_both_databases_have(dialect: Any) -> None:
    put = _Upserts(dialect.insert)
    for statement in (put.calls, put.alerts, put.verdicts, put.lines, put.reports):
        assert "ON CONFLICT" in str(statement.compile(dialect=dialect.dialect()))
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect.dialect()))
