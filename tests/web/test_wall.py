"""The wall of live calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

from playwright.sync_api import expect

from tests.web import scenes

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.web.conftest import Open
    from tests.web.fake_server import Fake


def card(page: Page, number: int) -> Locator:
    return page.locator(f'[data-call="call-{number:03d}"]')


def shown(page: Page) -> list[str]:
    """Ids in the places of the wall, empty for a free place."""
    found: list[str] = page.locator("[data-testid=wall] > li").evaluate_all(
        "places => places.map(place => place.querySelector('[data-call]')?.dataset.call ?? '')"
    )
    return found


def test_shows_each_state_of_a_call(fake: Fake, open_page: Open) -> None:
    fake.show(*scenes.showcase())
    page = open_page()
    talking = card(page, 0)
    expect(talking).to_contain_text("王芳")
    expect(talking.locator(".agent[data-speaks=true]")).to_contain_text("坐席正在说话")
    expect(talking.get_by_role("meter", name="坐席")).to_have_attribute("aria-valuenow", "-19")
    expect(talking.get_by_test_id("pace")).to_contain_text("192")
    expect(talking.get_by_test_id("pace")).to_contain_text("声学 188")
    expect(talking.get_by_test_id("pace")).to_contain_text("适中")
    expect(talking.get_by_test_id("due")).to_contain_text("致谢")
    expect(talking.locator("[data-settled=false]")).to_contain_text("麻烦您报一下用户号")
    alarmed = card(page, 1)
    expect(alarmed).to_contain_text("1 条严重告警")
    expect(alarmed.get_by_test_id("pace")).to_contain_text("偏快")
    expect(alarmed.get_by_test_id("due").locator("li")).to_have_count(3)
    expect(card(page, 2).get_by_test_id("hold")).to_contain_text("保持 0:5")
    expect(card(page, 3).get_by_test_id("silence")).to_be_visible()
    expect(card(page, 3)).to_contain_text("识别滞后 3.4 秒")
    expect(card(page, 4)).to_contain_text("振铃")
    expect(card(page, 5)).to_contain_text("混合")
    expect(card(page, 7)).to_contain_text("已结束")


def test_says_that_nothing_goes_on(fake: Fake, open_page: Open) -> None:
    page = open_page()
    expect(page.get_by_text("现在没有通话")).to_be_visible()
    expect(page.get_by_text("没有告警", exact=True)).to_be_visible()
    fake.tick([scenes.call(0)])
    expect(card(page, 0)).to_be_visible()
    expect(page.get_by_text("现在没有通话")).to_have_count(0)


def test_ticks_change_what_they_name_and_nothing_else(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(0, pace=190.0, lines=scenes.lines(2)), scenes.call(1, pace=170.0)], [])
    page = open_page()
    expect(card(page, 1).get_by_test_id("pace")).to_contain_text("170")
    fake.tick([{"id": "call-000", "pace": 222.0, "speaking": {"agent": False, "customer": True}}])
    expect(card(page, 0).get_by_test_id("pace")).to_contain_text("222")
    expect(card(page, 0).locator(".customer[data-speaks=true]")).to_have_count(1)
    expect(card(page, 0)).to_contain_text("燃气表好像不走字")
    expect(card(page, 1).get_by_test_id("pace")).to_contain_text("170")


def test_a_due_thing_counts_down_then_is_heard(fake: Fake, open_page: Open) -> None:
    held = scenes.call(0, phase="interrupted", seconds=10.0, due=[scenes.due(("致谢", "Thanks"), 12.6)])
    fake.show([held], [])
    page = open_page()
    due = card(page, 0).get_by_test_id("due")
    expect(due).to_contain_text("3 秒")
    fake.tick([{"id": "call-000", "seconds": 11.0}])
    expect(due).to_contain_text("2 秒")
    fake.tick([{"id": "call-000", "seconds": 12.7}])
    expect(due).to_contain_text("已到时")
    fake.tick([{"id": "call-000", "due": [scenes.due(("致谢", "Thanks"), 12.6, "heard")]}])
    expect(due.locator("li.heard")).to_contain_text("已听到")


def test_the_clock_runs_on_between_ticks(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(0, seconds=59.2)], [])
    page = open_page()
    expect(card(page, 0).get_by_role("timer")).to_have_text("1:00")
    fake.tick([{"id": "call-000", "seconds": 300.0, "phase": "ended"}])
    expect(card(page, 0).get_by_role("timer")).to_have_text("5:00")


def test_calls_keep_their_places(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(number) for number in range(6)], [])
    page = open_page()
    expect(card(page, 5)).to_be_attached()
    before = {number: card(page, number).bounding_box() for number in (0, 2, 5)}
    fake.tick(gone=["call-001", "call-003"])
    expect(card(page, 1)).to_have_count(0)
    assert shown(page) == ["call-000", "", "call-002", "", "call-004", "call-005"]
    fake.tick([scenes.call(8)])
    expect(card(page, 8)).to_be_attached()
    assert shown(page) == ["call-000", "call-008", "call-002", "", "call-004", "call-005"]
    fake.tick([{"id": "call-000", "due": [scenes.due(("致谢", "Thanks"), None)], "lines": scenes.lines(6)}])
    expect(card(page, 0).get_by_test_id("due")).to_contain_text("致谢")
    assert {number: card(page, number).bounding_box() for number in (0, 2, 5)} == before


def test_filters(fake: Fake, open_page: Open) -> None:
    fake.show(*scenes.showcase())
    page = open_page()
    page.get_by_role("button", name="有告警").click()
    assert shown(page) == ["call-001", "call-002", "call-003", "call-007"]
    page.get_by_role("button", name="保持中").click()
    assert shown(page) == ["call-002"]
    fake.tick([{"id": "call-002", "phase": "talking", "hold_since": None}])
    expect(page.get_by_text("没有符合筛选条件的通话")).to_be_visible()
    page.get_by_role("button", name="显示全部").click()
    assert len(shown(page)) == 8


def test_a_break_is_told_and_mended_without_loss(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(0)], [])
    page = open_page()
    expect(page.get_by_test_id("link")).to_have_attribute("data-state", "open")
    fake.refuse = True
    fake.drop()
    expect(page.get_by_test_id("offline")).to_contain_text("与服务器的连接断开了")
    expect(page.get_by_test_id("offline")).to_contain_text("画面停在")
    fake.tick([{"id": "call-000", "pace": 201.0}], [scenes.alert("call-000")])
    fake.refuse = False
    page.get_by_role("button", name="立即重连").click()
    expect(card(page, 0).get_by_test_id("pace")).to_contain_text("201")
    expect(page.locator("[data-alert]")).to_have_count(1)
    expect(page.get_by_test_id("offline")).to_have_count(0)
    assert fake.firsts[-1] == {"type": "resume", "epoch": "one", "seq": 0}


def test_says_when_the_fast_ear_answers_alone(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(0)], [])
    fake.fast_only = True
    page = open_page()
    badge = page.get_by_test_id("fast-only")
    expect(badge).to_have_text("只用快耳")
    fake.hear(fast_only=False)
    expect(badge).to_have_count(0)
    fake.hear(fast_only=True)
    fake.tick([{"id": "call-000", "pace": 201.0}])
    expect(card(page, 0).get_by_test_id("pace")).to_contain_text("201")
    expect(badge).to_have_count(1)
    page.goto(page.url + "calls/call-000")
    expect(badge).to_have_text("只用快耳")


def test_a_restarted_server_gives_a_fresh_wall(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(0)], [scenes.alert("call-000")])
    page = open_page()
    expect(card(page, 0)).to_be_visible()
    fake.epoch = "two"
    fake.show([scenes.call(1)], [])
    fake.drop()
    expect(card(page, 1)).to_be_visible()
    expect(card(page, 0)).to_have_count(0)
    expect(page.locator("[data-alert]")).to_have_count(0)


def test_what_people_say_is_never_markup(fake: Fake, open_page: Open) -> None:
    nasty = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    line = {**scenes.lines(1)[0], "text": nasty}
    wrong = scenes.forbidden(
        "call-000",
        title=scenes.both(nasty, nasty),
        message=scenes.both(nasty, nasty),
        comment=nasty,
        evidence=[{"channel": "agent", "text": nasty, "start": 2, "end": 6, "match": "exact"}],
    )
    fake.show([scenes.call(0, agent=nasty, lines=[line], phase="ended")], [wrong])
    page = open_page()
    expect(card(page, 0)).to_contain_text("<img src=x")
    expect(page.locator("[data-alert]")).to_contain_text("<script>")
    page.goto(page.url + "calls/call-000")
    expect(page.get_by_test_id("transcript")).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0
    assert "taken" not in page.evaluate("document.title").removesuffix(nasty).split("·")[-1]
