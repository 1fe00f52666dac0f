"""The dashboard on the monitor's own server: a call comes in by its socket and is seen, handled and heard again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

from playwright.sync_api import expect
from websockets.sync.client import connect

from monitor.live.settings import LiveSettings
from monitor.server.app import Access
from tests.server.serving import Served, parts_in, serving
from tests.web.fake_server import STATIC

if TYPE_CHECKING:
    from tests.web.conftest import Open

TOKEN = "a-long-enough-secret"
RATE = 8000


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Served]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the dashboard is not built: pip install -e . (or npm run build in web/)")
    settings = LiveSettings(linger=60.0, finals_wait=0.5)
    with serving(parts_in(tmp_path, access=Access(token=TOKEN), settings=settings, static=STATIC)) as served:
        yield served


@pytest.fixture
def address(real: Served) -> str:
    return real.url


def speech(seconds: float, level: int) -> bytes:
    """Both sides as interleaved samples: the agent at ``level``, the customer silent."""
    audio = np.zeros((int(seconds * RATE), 2), np.int16)
    audio[::2, 0], audio[1::2, 0] = level, -level
    return audio.tobytes()


def test_a_call_from_its_first_second_to_its_recording(real: Served, open_page: Open) -> None:
    page = open_page("/")
    page.get_by_label("口令", exact=True).fill(TOKEN)
    page.get_by_role("button", name="进入").click()
    expect(page.get_by_text("现在没有通话")).to_be_visible()
    start = {"type": "start", "call": "c-1", "rate": RATE, "channels": 2, "agent": "王芳", "direction": "inbound"}
    with connect(f"{real.ws}/ws/ingest", additional_headers={"Authorization": f"Bearer {TOKEN}"}) as line:
        line.send(json.dumps(start))
        assert json.loads(line.recv(10))["type"] == "started"
        line.send(speech(2.0, 9000) + speech(1.0, 0))
        expect(page.locator('[data-call="c-1"]')).to_contain_text("王芳")
        alert = page.locator("[data-alert]")
        expect(alert).to_contain_text("声音太大")
        alert.get_by_role("button", name="知悉").click()
        expect(alert).to_contain_text("主管 于")
        line.send(json.dumps({"type": "stop"}))
        while json.loads(line.recv(10))["type"] != "done":
            pass
    alert.get_by_role("link", name=re.compile("听")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("王芳")
    expect(page.get_by_role("button", name="播放", exact=True)).to_be_enabled()
    expect(page.get_by_test_id("call-alerts").locator("article")).to_have_count(1)
    expect(page.get_by_test_id("position")).to_contain_text("/ 0:03")
    page.get_by_role("link", name="通话记录").first.click()
    expect(page.locator("[data-testid=calls] .call")).to_have_count(1)
