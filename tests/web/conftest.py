"""A browser on the dashboard.

The pages are served by a scripted stand-in; with ``MONITOR_TEST_URL`` set, the tests that need no script run
against the server at that address instead. ``MONITOR_CHROMIUM`` names a browser that is not on the search path.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.web.fake_server import STATIC, Fake  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Open = Callable[..., "Page"]


def browser_path() -> str | None:
    named = os.environ.get("MONITOR_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a module: while it is open, its own event loop occupies the thread."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    path = browser_path()
    if path is None:
        pytest.skip("no chromium found: install it or name it in MONITOR_CHROMIUM")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Fake | None]]:
    """The address of the dashboard, and the script's handle where there is one."""
    if real := os.environ.get("MONITOR_TEST_URL"):
        yield real.rstrip("/"), None
        return
    if not (STATIC / "index.html").is_file():
        pytest.skip("the dashboard is not built: pip install -e . (or npm run build in web/)")
    fake = Fake()
    with fake.serve() as address:
        yield address, fake


@pytest.fixture
def address(served: tuple[str, Fake | None]) -> str:
    if served[1]:
        served[1].reset()
    return served[0]


@pytest.fixture
def fake(address: str, served: tuple[str, Fake | None]) -> Fake:
    if served[1] is None:
        pytest.skip("needs the scripted server")
    return served[1]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Open a page; any script error, blocked resource or request to elsewhere fails the test."""
    contexts = []
    trouble: list[str] = []

    def open_(path: str = "/", *, language: str = "zh", width: int = 1440, height: int = 900, **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai", **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15000)
        page.add_init_script(
            f"localStorage.getItem('monitor.language') ?? localStorage.setItem('monitor.language', '{language}')"
        )
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: _note(said, trouble))
        page.on("request", lambda asked: trouble.append(asked.url) if not _own(asked.url, address) else None)
        page.goto(address + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []


def _note(said: Any, trouble: list[str]) -> None:
    """Console errors count, except a request that failed, which pages are meant to live with."""
    if said.type == "error" and "Failed to load resource" not in said.text and "WebSocket" not in said.text:
        trouble.append(said.text)


def _own(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws", 1), "blob:"))
