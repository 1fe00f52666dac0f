"""Who may talk to the server.

Without a token only this machine is served, and only under its own names (a foreign page could otherwise reach the
server by a name that it lets point here). With a token everyone needs it: as ``Authorization: Bearer``, as
``?token=`` on sockets, or as the cookie that ``POST /api/session`` sets. Browsers also say which page a request
comes from; another site's pages may neither open sockets nor change anything.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "monitor_session"
OPEN = ("/healthz", "/api/session")
"""Paths anyone may ask; pages and their assets are open too, they hold no data."""

GUARDED = ("/api", "/ws", "/metrics", "/docs", "/redoc", "/openapi.json")
SAFE = ("GET", "HEAD", "OPTIONS")
SHORTEST = 16


class AccessError(Exception):
    """The server may not be opened as asked; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def require_token(host: str, token: str | None) -> None:
    """Check that a server bound to ``host`` is guarded well enough; raises ``AccessError``."""
    if token is None and not is_loopback(host):
        raise AccessError(
            f"{host} can be reached from other machines, and calls hold what customers say: give --token (or "
            "--token-file) so that only those who have it get in, or bind 127.0.0.1"
        )
    if token is not None and (len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token):
        raise AccessError(
            f"the token must be at least {SHORTEST} letters, digits or signs without spaces, so that it cannot be "
            'guessed; make one with: python -c "import secrets; print(secrets.token_urlsafe(24))"'
        )


def same(given: str, wanted: str) -> bool:
    """Compare secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server. ``origins``: further sites whose pages may use it, as ``https://host[:port]``."""

    token: str | None = None
    origins: frozenset[str] = field(default_factory=frozenset)

    @property
    def session(self) -> str:
        """The cookie's value: shows that its owner knew the token without giving it away."""
        return hmac.new((self.token or "").encode(), b"monitor session", hashlib.sha256).hexdigest()

    def refuses(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason when a request or socket must be refused, None when it may go on."""
        headers = Headers(scope=scope)
        if self.token is None and not is_loopback(_host_name(headers.get("host", ""))):
            return 421, "without a token this server answers only to localhost; start it with --token to use a name"
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE
        if changes and not self._same_site(headers):
            return 403, "pages of another site may not use this server; allow the site in its configuration"
        path = scope["path"]
        if self.token is None or path in OPEN or not _under(path, GUARDED) or self.knows(scope, headers):
            return None
        return 401, "a token is needed: send Authorization: Bearer TOKEN, or log in on the page"

    def knows(self, scope: Scope, headers: Headers) -> bool:
        """Whether the token or the cookie made from it is shown."""
        if self.token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same(given.strip(), self.token):
            return True
        if scope["type"] == "websocket":
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            if any(same(value, self.token) for value in query.get("token", ())):
                return True
        return any(same(value, self.session) for value in _cookies(headers))

    def _same_site(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return origin in self.origins or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


class Guard:
    """ASGI middleware that lets in what ``Access`` does not refuse."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._access.refuses(scope) if scope["type"] in ("http", "websocket") else None
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, reason = refused
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        # On a socket this is sent as the answer to its handshake.
        await JSONResponse({"detail": reason}, status, headers)(scope, receive, send)


def _host_name(host: str) -> str:
    """The name in a Host header, without the port."""
    return urlsplit(f"//{host}").hostname or ""


def _under(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)


def _cookies(headers: Headers) -> list[str]:
    try:
        cookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return []
    return [morsel.value for name, morsel in cookie.items() if name == COOKIE]
