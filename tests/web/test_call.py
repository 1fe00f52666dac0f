"""One call's page, and the list of calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

from playwright.sync_api import expect

from tests.web import scenes

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.fake_server import Fake


def finished(fake: Fake) -> None:
    """An ended call of 100 s with two alerts, no longer on the wall."""
    fake.finished["call-009"] = scenes.call(9, phase="ended", seconds=50.0, lines=scenes.lines(6, settled=True))
    fake.alerts = [scenes.alert("call-009"), scenes.forbidden("call-009")]


def test_tells_all_of_a_finished_call(fake: Fake, open_page: Open) -> None:
    finished(fake)
    page = open_page("/calls/call-009")
    expect(page.get_by_role("heading", level=1)).to_have_text("郑凯")
    expect(page.get_by_test_id("transcript").locator(".line")).to_have_count(6)
    expect(page.get_by_test_id("transcript").locator("mark")).to_have_text("报一下用户号")
    # Alerts stand in time: the forbidden phrase before the pace.
    expect(page.get_by_test_id("call-alerts").locator("h3")).to_have_text(["服务禁语", "语速过快"])
    expect(page.get_by_role("button", name=re.compile("严重 0:14.2"))).to_be_visible()
    checklist = page.get_by_test_id("checklist")
    expect(checklist.locator("summary")).to_have_text(
        [re.compile("违反 1"), re.compile("无法判断 1"), re.compile("做到 3"), re.compile("不适用 1")]
    )
    expect(checklist).to_contain_text("语速 180–200")
    expect(checklist).to_contain_text("这段声音有丢失")


def test_plays_from_an_alert(fake: Fake, open_page: Open) -> None:
    finished(fake)
    page = open_page("/calls/call-009")
    play = page.get_by_role("button", name="播放", exact=True)
    expect(play).to_be_enabled()
    page.get_by_role("button", name=re.compile("警告 0:30.0")).click()
    expect(page.get_by_test_id("position")).to_contain_text("0:30 /")
    assert page.locator("audio").evaluate("audio => audio.currentTime") == pytest.approx(30.0, abs=0.1)
    expect(page.locator('[data-alert$="pace~1"]')).to_have_class(re.compile("current"))
    play.click()
    expect(page.get_by_test_id("position")).to_contain_text("0:31 /")
    page.get_by_role("button", name="暂停").click()
    expect(play).to_be_visible()


def test_the_timeline_obeys_keys(fake: Fake, open_page: Open) -> None:
    finished(fake)
    page = open_page("/calls/call-009?t=14.2")
    slider = page.get_by_role("slider", name="时间轴")
    expect(slider).to_have_attribute("aria-valuenow", "14")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "19")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "0:50，共 0:50")
    slider.press("PageDown")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")


def test_a_running_call_grows_and_then_gets_its_report(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1, lines=scenes.lines(2))], [])
    page = open_page("/calls/call-001")
    said = page.get_by_test_id("transcript").locator(".line")
    expect(said).to_have_count(2)
    expect(page.get_by_text("录音在通话结束后可以收听")).to_be_visible()
    expect(page.get_by_text("通话结束后给出逐条结论")).to_be_visible()
    fake.tick([{"id": "call-001", "lines": scenes.lines(4)}], [scenes.forbidden("call-001")])
    expect(said).to_have_count(4)
    expect(page.get_by_test_id("call-alerts").locator("h3")).to_have_text("服务禁语")
    fake.finished["call-001"] = scenes.call(1, phase="ended", lines=scenes.lines(4, settled=True))
    fake.tick(gone=["call-001"])
    expect(page.get_by_test_id("checklist")).to_be_visible()
    expect(page.get_by_role("button", name="播放", exact=True)).to_be_enabled()


def test_handling_an_old_alert_shows_on_its_page(fake: Fake, open_page: Open) -> None:
    finished(fake)
    page = open_page("/calls/call-009")
    alert = page.locator('[data-alert$="forbidden~1"]')
    alert.get_by_role("button", name="判得对").click()
    expect(alert.get_by_role("button", name="判得对")).to_have_attribute("aria-pressed", "true")


def test_says_that_there_is_no_such_call(fake: Fake, open_page: Open) -> None:
    page = open_page("/calls/nothing")
    expect(page.get_by_role("heading", name="找不到这通电话")).to_be_visible()


def test_says_that_a_call_could_not_be_read_and_tries_again(fake: Fake, open_page: Open) -> None:
    finished(fake)
    fake.broken = True
    page = open_page("/calls/call-009")
    expect(page.get_by_role("heading", name="读不到这通电话")).to_be_visible()
    fake.broken = False
    page.get_by_role("button", name="再试一次").click()
    expect(page.get_by_role("heading", name="郑凯")).to_be_visible()


def test_lists_calls_page_by_page(fake: Fake, open_page: Open) -> None:
    for number in range(60):
        view = scenes.call(number, phase="ended", started=f"2026-03-02T09:{number:02d}:00+08:00")
        fake.finished[view["id"]] = view | {"counts": {"critical": 0, "warning": number % 2, "note": 0}}
    page = open_page("/calls")
    rows = page.locator("[data-testid=calls] .call")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("2026-03-02 09:59:00")
    page.get_by_role("button", name="更早的通话").click()
    expect(rows).to_have_count(60)
    expect(page.get_by_text("没有更早的通话了")).to_be_visible()
    rows.first.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/calls/call-059$"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_says_that_there_are_no_calls_yet(fake: Fake, open_page: Open) -> None:
    page = open_page("/calls")
    expect(page.get_by_text("还没有通话记录")).to_be_visible()
