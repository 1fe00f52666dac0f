"""Who gets in: tokens, cookies, other sites, other names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from monitor.live.client import Feed, StreamError, stream
from monitor.server.app import ServerParts, uvicorn_config
from monitor.server.auth import COOKIE, Access, AccessError, is_loopback, require_token
from tests.live.fakes import cut, voice
from tests.server.serving import Served, parts_in, serving

TOKEN = "a-token-of-enough-signs"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    access = Access(TOKEN, frozenset({"https://desk.example"}))
    with serving(parts_in(tmp_path_factory.mktemp("data"), access=access)) as running:
        yield running


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(parts_in(tmp_path_factory.mktemp("data"))) as running:
        yield running


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]", "a.localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    require_token(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "monitor.example", "localhost.example", ""])
def test_any_other_address_needs_one_and_says_why(host: str) -> None:
    with pytest.raises(AccessError, match="--token"):
        require_token(host, None)
    require_token(host, TOKEN)


@pytest.mark.parametrize("token", ["", "short", "with a space in the middle", "密码密码密码密码密码密码密码密码"])
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(AccessError, match="16"):
        require_token("127.0.0.1", token)


def test_a_server_does_not_start_open(tmp_path: Path) -> None:
    parts: ServerParts = parts_in(tmp_path)
    with pytest.raises(AccessError):
        uvicorn_config(parts, "0.0.0.0", 0)
    parts.store.close()


@pytest.mark.parametrize("path", ["/api/calls", "/api/nosuch", "/metrics", "/docs", "/openapi.json"])
def test_without_the_token_nothing_is_told(guarded: Served, path: str) -> None:
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert "Bearer" in answer.json()["detail"]
    assert guarded.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert guarded.get(f"{path}?token={TOKEN}").status_code == 401, "a token in a link would end up in histories"


def test_with_the_token_all_is(guarded: Served) -> None:
    assert guarded.get("/api/calls", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/api/calls", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_pages_and_health_hold_no_data_and_are_open(guarded: Served) -> None:
    assert guarded.get("/").status_code == 200
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/api/session").json() == {"required": True, "known": False}


def test_a_browser_logs_in_once(guarded: Served) -> None:
    with httpx.Client(base_url=guarded.url) as browser:
        assert browser.post("/api/session", json={"token": "wrong"}).status_code == 403
        answer = browser.post("/api/session", json={"token": TOKEN})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert browser.get("/api/calls").status_code == 200
        assert browser.get("/api/session").json() == {"required": True, "known": True}
        with connect(
            f"{guarded.ws}/ws/live", additional_headers={"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        ) as screen:
            screen.send("{}")
            assert screen.recv(timeout=5)
        browser.delete("/api/session")
        assert browser.get("/api/calls").status_code == 401
    assert guarded.get("/api/calls", cookies={COOKIE: "wrong"}).status_code == 401


@pytest.mark.parametrize("path", ["/ws/live", "/ws/ingest"])
def test_sockets_take_the_token_in_their_address(guarded: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(guarded.ws + path):
        pass
    assert refused.value.response.status_code == 401
    with connect(f"{guarded.ws}{path}?token={TOKEN}") as socket:
        socket.send("{}")
        assert socket.recv(timeout=5)


def test_our_client_shows_its_token_and_tells_of_a_refusal(guarded: Served) -> None:
    def feed(token: str | None) -> Feed:
        return Feed(f"{guarded.ws}/ws/ingest", "a1", 8000, 2, speed=0, token=token)

    with pytest.raises(StreamError, match=r"401.*Bearer"):
        asyncio.run(stream(feed(None), cut(voice(1), 800)))
    assert asyncio.run(stream(feed(TOKEN), cut(voice(1), 800)))["type"] == "done"


def test_pages_of_other_sites_can_do_nothing(local: Served, guarded: Served) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert local.post("/api/session", json={"token": "x"}, headers=headers).status_code == 403
        with pytest.raises(InvalidStatus) as refused, connect(f"{local.ws}/ws/live", additional_headers=headers):
            pass
        assert refused.value.response.status_code == 403
    own = {"Origin": local.url}
    assert local.post("/api/session", json={"token": "x"}, headers=own).status_code == 200
    with connect(f"{local.ws}/ws/live", additional_headers=own) as screen:
        screen.send("{}")
        assert screen.recv(timeout=5)
    allowed = {"Origin": "https://desk.example", "Authorization": f"Bearer {TOKEN}"}
    assert guarded.post("/api/session", json={"token": TOKEN}, headers=allowed).status_code == 200


def test_a_foreign_name_for_this_machine_is_refused_without_a_token(local: Served, guarded: Served) -> None:
    """A page could let its own name point at 127.0.0.1 and would then be of the same site."""
    evil = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert local.get("/api/calls", headers=evil).status_code == 421
    assert local.get("/api/calls", headers={"Host": "localhost:8000"}).status_code == 200
    named = {"Host": "monitor.example", "Authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/api/calls", headers=named).status_code == 200
