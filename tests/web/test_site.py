"""What holds on every page, whichever server stands behind it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

from playwright.sync_api import expect

from tests.web import scenes

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.web.conftest import Open
    from tests.web.fake_server import Fake

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
HAN = re.compile(r"[\u4e00-\u9fff]+")
PATHS = ("/", "/calls", "/calls/call-001")


def fill(served: tuple[str, Fake | None]) -> None:
    """Put every kind of thing on the pages, where the server can be told to."""
    if served[1] is None:
        return
    calls, alerts = scenes.showcase()
    served[1].show(calls, alerts)
    served[1].finished = {"call-001": scenes.call(1, phase="ended", lines=scenes.lines(6, settled=True))}


def ready(page: Page) -> None:
    """The link is up and what the page asked for has come."""
    expect(page.get_by_test_id("link")).to_have_attribute("data-state", "open")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_text_can_be_read(
    address: str, served: tuple[str, Fake | None], open_page: Open, path: str, scheme: str
) -> None:
    fill(served)
    page = open_page(path, color_scheme=scheme)
    ready(page)
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 768, 1440, 2560])
def test_nothing_sticks_out(
    address: str, served: tuple[str, Fake | None], open_page: Open, width: int, language: str
) -> None:
    fill(served)
    page = open_page("/", width=width, language=language)
    for path in PATHS:
        page.goto(address + path)
        ready(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_speaks_chinese_first_and_english_wholly(fake: Fake, open_page: Open) -> None:
    fake.show([scenes.call(0, agent="Ann", due=[scenes.due(("致谢", "Thanks"), None)])], [scenes.alert("call-000")])
    page = open_page("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="实时通话")).to_be_visible()
    page.get_by_role("button", name="切换到英文").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", name="Live calls")).to_be_visible()
    for path in PATHS:
        page.goto(page.url.split("/calls")[0].rstrip("/") + path)
        ready(page)
        said = page.evaluate("document.body.innerText")
        # Names of people and the way back to Chinese are all that is left.
        assert set(HAN.findall(said)) <= {"中文", "李娜"}, path
        assert "·" in page.title()
        assert not HAN.search(page.title().replace("李娜", ""))


def test_pages_are_built_for_those_who_do_not_see_them(
    address: str, served: tuple[str, Fake | None], open_page: Open
) -> None:
    fill(served)
    for path in PATHS:
        page = open_page(path)
        ready(page)
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.get_by_role("navigation")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, a, input, select, textarea')]"
            ".filter(one => !(one.getAttribute('aria-label') || one.labels?.length || one.innerText.trim()))"
            ".map(one => one.outerHTML)"
        )
        assert nameless == []


def test_the_keyboard_reaches_the_content_first(address: str, served: tuple[str, Fake | None], open_page: Open) -> None:
    page = open_page("/")
    ready(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="跳到主要内容")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_motion_can_be_refused(fake: Fake, open_page: Open) -> None:
    fake.show(*scenes.showcase())
    page = open_page("/", reduced_motion="reduce")
    ready(page)
    assert page.evaluate("document.getAnimations().length") == 0


def test_an_unknown_address_says_so(address: str, served: tuple[str, Fake | None], open_page: Open) -> None:
    page = open_page("/")
    page.evaluate("history.pushState(null, '', '/else'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.get_by_role("heading", name="没有这个页面")).to_be_visible()
    page.get_by_role("link", name="回到实时通话").click()
    expect(page.get_by_role("heading", name="实时通话")).to_be_visible()


def test_narrow_screens_show_calls_or_alerts(fake: Fake, open_page: Open) -> None:
    fake.show(*scenes.showcase())
    page = open_page("/", width=390, height=844)
    expect(page.get_by_test_id("wall")).to_be_visible()
    expect(page.get_by_test_id("feed")).to_be_hidden()
    page.get_by_role("button", name=re.compile("^告警")).click()
    expect(page.get_by_test_id("feed")).to_be_visible()
    expect(page.get_by_test_id("wall")).to_be_hidden()


def test_a_token_is_asked_for_once(fake: Fake, open_page: Open) -> None:
    fake.token = "a-long-enough-secret"
    fake.show([scenes.call(0)], [])
    page = open_page("/")
    dialog = page.get_by_role("dialog", name="请输入访问口令")
    expect(dialog).to_be_visible()
    page.get_by_label("口令", exact=True).fill("wrong")
    page.get_by_role("button", name="进入").click()
    expect(dialog.get_by_role("alert")).to_have_text("口令不对，请重试。")
    page.get_by_label("口令", exact=True).fill(fake.token)
    page.get_by_role("button", name="进入").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-call]")).to_have_count(1)
    assert page.evaluate("document.cookie") == ""
    page.reload()
    expect(page.locator("[data-call]")).to_have_count(1)


def test_a_refused_list_is_read_after_the_token(fake: Fake, open_page: Open) -> None:
    fake.token = "a-long-enough-secret"
    fake.finished["call-009"] = scenes.call(9, phase="ended")
    page = open_page("/calls")
    page.get_by_label("口令", exact=True).fill(fake.token)
    page.get_by_role("button", name="进入").click()
    expect(page.locator("[data-testid=calls] .call")).to_have_count(1)
