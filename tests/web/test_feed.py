"""The alert feed: what it shows and what the person at the desk can do."""

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


def test_newest_first_with_what_was_said(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1, lines=scenes.lines(4))], [scenes.alert("call-001")])
    page = open_page()
    expect(page.locator("[data-alert]")).to_have_count(1)
    fake.tick(alerts=[scenes.forbidden("call-001")])
    first = page.locator("[data-alert]").first
    expect(first).to_contain_text("服务禁语")
    expect(first).to_contain_text("严重")
    expect(first).to_contain_text("李娜")
    expect(first.locator("mark")).to_have_text("报一下用户号")
    expect(first.locator("blockquote")).to_contain_text("好的，麻烦您报一下用户号，我帮您查询一下。")
    expect(first.locator("blockquote")).to_contain_text("同音")
    expect(first).to_contain_text("10:30:14")
    expect(page.locator("[aria-live=polite]").filter(has_text="新告警")).to_contain_text("严重：服务禁语，李娜")


def test_the_context_stays_when_the_line_has_left_the_card(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1, lines=scenes.lines(4))], [scenes.forbidden("call-001")])
    page = open_page()
    quote = page.locator("[data-alert] blockquote")
    expect(quote).to_contain_text("我帮您查询一下")
    fake.tick([{"id": "call-001", "lines": []}], gone=["call-001"])
    expect(page.get_by_text("现在没有通话")).to_be_visible()
    expect(quote).to_contain_text("我帮您查询一下")


def test_an_alert_changes_in_place(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1)], [scenes.forbidden("call-001", state="raised"), scenes.alert("call-001")])
    page = open_page()
    expect(page.locator("[data-alert]").nth(1)).to_contain_text("语速过快")
    fake.tick(alerts=[scenes.alert("call-001", state="cleared")])
    expect(page.locator("[data-alert]").nth(1)).to_contain_text("已撤销")
    expect(page.get_by_text("1 条未处理")).to_be_visible()


def test_a_finding_that_the_ears_disagree_on_is_marked(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1)], [scenes.forbidden("call-001", review="unheard_by_careful"), scenes.alert("call-001")])
    for language, mark, why in (
        ("zh", "待复核", "快听的识别听到了"),
        ("en", "for review", "The fast recogniser heard"),
    ):
        page = open_page(language=language)
        found = page.locator("[data-review]")
        expect(found).to_have_count(1)
        expect(found).to_have_text(mark)
        expect(found).to_have_attribute("title", re.compile(why))
        expect(page.locator("[data-alert]").filter(has=found)).to_contain_text(
            "服务禁语" if language == "zh" else "Forb"
        )


def test_leads_to_the_second_of_the_call(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1, phase="ended", lines=scenes.lines(4))], [scenes.forbidden("call-001")])
    page = open_page()
    page.get_by_role("link", name="听 0:14.2").click()
    expect(page).to_have_url(re.compile(r"/calls/call-001\?t=14\.2$"))
    expect(page.get_by_test_id("position")).to_contain_text("0:14 /")
    expect(page.locator("[data-current=true]")).to_contain_text("麻烦您报一下用户号")
    page.go_back()
    expect(page.get_by_role("heading", name="实时通话")).to_be_visible()


def test_is_acknowledged_judged_and_commented_under_a_name(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1)], [scenes.forbidden("call-001")])
    page, other = open_page(), open_page(language="en")
    page.get_by_role("button", name="值班：主管").click()
    page.get_by_label("姓名").fill("林雪")
    page.get_by_role("button", name="保存", exact=True).click()
    alert = page.locator("[data-alert]")
    alert.get_by_role("button", name="知悉").click()
    expect(alert).to_contain_text("林雪 于 10:32:00 知悉")
    expect(alert.get_by_role("button", name="知悉")).to_have_count(0)
    alert.get_by_role("button", name="误报").click()
    expect(alert.get_by_role("button", name="误报")).to_have_attribute("aria-pressed", "true")
    alert.get_by_role("button", name="批注").click()
    alert.get_by_label("批注内容").fill("客户先说的")
    alert.get_by_role("button", name="保存批注").click()
    expect(alert).to_contain_text("客户先说的")
    expect(alert.get_by_label("批注内容")).to_have_count(0)
    expect(page.get_by_text("0 条未处理")).to_be_visible()
    there = other.locator("[data-alert]")
    expect(there).to_contain_text("Acknowledged by 林雪")
    expect(there).to_contain_text("客户先说的")
    expect(there.get_by_role("button", name="Wrong")).to_have_attribute("aria-pressed", "true")


def test_says_when_something_was_not_saved(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(1)], [scenes.forbidden("call-001")])
    page = open_page()
    fake.broken = True
    page.locator("[data-alert]").get_by_role("button", name="知悉").click()
    expect(page.get_by_text("没有保存成功")).to_be_visible()
    fake.broken = False
    page.locator("[data-alert]").get_by_role("button", name="知悉").click()
    expect(page.get_by_text("没有保存成功")).to_have_count(0)


def test_can_show_the_open_ones_only(fake: Fake, open_page: Open) -> None:
    done = scenes.alert("call-001", ack={"by": "林雪", "at": scenes.NOW})
    fake.show([scenes.call(1)], [scenes.forbidden("call-001"), done])
    page = open_page()
    expect(page.locator("[data-alert]")).to_have_count(2)
    page.get_by_label("只看未处理").check()
    expect(page.locator("[data-alert]")).to_have_count(1)
    page.locator("[data-alert]").get_by_role("button", name="知悉").click()
    expect(page.get_by_text("没有未处理的告警")).to_be_visible()
