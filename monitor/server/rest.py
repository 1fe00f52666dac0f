"""REST under ``/api``: calls, alerts and what people say of them, packs, status."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection, Request

from monitor.core.masker import masked
from monitor.core.types import Channel
from monitor.live.journal import JournalError
from monitor.live.recover import read_story
from monitor.live.runner import CallFiles
from monitor.live.setup import CALL_ID, CallSetupRequest
from monitor.live.view import View
from monitor.server.auth import COOKIE, same
from monitor.server.metrics import recogniser_status
from monitor.server.state import Server, server_of
from monitor.store.store import NotFound, StoreError

router = APIRouter(prefix="/api")
Here = Annotated[Server, Depends(server_of)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[str | None, Query(description="only what came before this ISO time with its offset")]
Who = Annotated[str, Field(min_length=1, max_length=200, description="who says so")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Acknowledge(_Body):
    """Someone has seen an alert."""

    by: Who


class Comment(_Body):
    """Someone says something about an alert."""

    by: Who
    text: str = Field(min_length=1, max_length=4000)


class Judge(_Body):
    """Someone finds an alert right or wrong."""

    by: Who
    right: bool


class Login(_Body):
    """The server's token."""

    token: str = Field(max_length=1000)


def _known_call(call: str, server: Here) -> str:
    """A call id that may name a file and that the store or the wall knows; 404 otherwise."""
    if not CALL_ID.fullmatch(call) or (call not in server.hub.views and server.parts.store.call(call) is None):
        raise HTTPException(404, f"there is no call {call!r:.100}")
    return call


KnownCall = Annotated[str, Depends(_known_call)]


# ---------------------------------------------------------------- calls


@router.get("/calls")
def calls(server: Here, limit: Limit = 50, before: Before = None) -> dict[str, Any]:
    """The newest calls first; of those that run the figures are live."""
    found = server.parts.store.calls(limit, _moment(before))
    return {"calls": [_lively(dict(summary), server) for summary in found]}


@router.get("/calls/{call}")
def call(call: KnownCall, server: Here) -> dict[str, Any]:
    """The call as the wall shows it, with its summary."""
    view = server.hub.views.get(call)
    summary = server.parts.store.call(call)
    whole = view.whole() if view is not None else _view_of_old(call, server)
    return {**whole, "summary": _lively(dict(summary), server) if summary is not None else None}


def _lively(summary: dict[str, Any], server: Server) -> dict[str, Any]:
    if (view := server.hub.views.get(summary["id"])) is not None:
        seconds = view.position / view.info.rate
        summary |= {"phase": view.phase, "seconds": max(seconds, summary["seconds"]), "counts": view.counts()}
    return summary


def _view_of_old(call: str, server: Server) -> dict[str, Any]:
    """A call that left the wall, told again by its journal; without one, what the store knows."""
    row = server.parts.store.row(call)
    if row is None:
        raise HTTPException(404, f"there is no call {call!r:.100}")
    channels = tuple(Channel(name) for name in row.channels)
    request = CallSetupRequest(row.id, row.rate, channels, row.direction, row.agent, row.packs, row.source, row.started)
    view = View(request, server.parts.describe)
    with suppress(JournalError):  # moved away or expired
        story = read_story(CallFiles(server.folder, call).journal)
        view.apply(masked(story.events, row.rate) if server.parts.mask_numbers else story.events)
        view.notes = story.remarks
    view.advance(row.position)
    view.ended = row.phase == "ended"
    view.interrupted = not view.ended
    return view.whole()


@router.get("/calls/{call}/report")
def report(call: KnownCall, server: Here) -> dict[str, Any]:
    """The report (schema 1); 404 while the call runs."""
    found = server.parts.store.report(call)
    if found is None:
        raise HTTPException(404, f"call {call} has no report yet; it is made when the call is over")
    return found


@router.get("/calls/{call}/transcript")
def transcript(call: KnownCall, server: Here) -> dict[str, Any]:
    """The settled lines so far."""
    return {"lines": server.parts.store.transcript(call)}


@router.get("/calls/{call}/verdicts")
def verdicts(call: KnownCall, server: Here) -> dict[str, Any]:
    """The verdicts so far."""
    return {"verdicts": server.parts.store.verdicts(call)}


@router.get("/calls/{call}/recording")
def recording(call: KnownCall, server: Here) -> FileResponse:
    """The audio; parts of it by ``Range``."""
    path = CallFiles(server.folder, call).flac
    if not path.exists():
        running = call in server.calls.live or path.with_suffix(".pcm").exists()
        why = "is being made; it is there soon after the call's end" if running else "was not kept"
        raise HTTPException(404, f"the recording of call {call} {why}")
    return FileResponse(path, media_type="audio/flac", filename=path.name, content_disposition_type="inline")


@router.get("/calls/{call}/journal")
def journal(call: KnownCall, server: Here) -> FileResponse:
    """The journal as it stands."""
    path = CallFiles(server.folder, call).journal
    if not path.exists():
        raise HTTPException(404, f"the journal of call {call} was not kept")
    return FileResponse(path, media_type="application/x-ndjson", filename=path.name)


# ---------------------------------------------------------------- alerts


@router.get("/alerts")
def alerts(server: Here, call: str | None = None, limit: Limit = 200, before: Before = None) -> dict[str, Any]:
    """Alerts, the newest first."""
    return {"alerts": server.parts.store.alerts(call, limit, _moment(before))}


@router.post("/alerts/{alert:path}/acknowledge")
async def acknowledge(alert: str, body: Acknowledge, server: Here) -> dict[str, Any]:
    """Note who has seen the alert; every screen shows it."""
    return await _review(server, partial(server.parts.store.acknowledge, alert, body.by))


@router.post("/alerts/{alert:path}/comment")
async def comment(alert: str, body: Comment, server: Here) -> dict[str, Any]:
    """Note what someone says of the alert; every screen shows it."""
    return await _review(server, partial(server.parts.store.comment, alert, body.text, body.by))


@router.post("/alerts/{alert:path}/judge")
async def judge(alert: str, body: Judge, server: Here) -> dict[str, Any]:
    """Note whether someone finds the alert right; every screen shows it."""
    return await _review(server, partial(server.parts.store.judge, alert, body.right, body.by))


async def _review(server: Server, write: Callable[[], Any]) -> dict[str, Any]:
    view = dict(await run_in_threadpool(write))
    server.hub.review(view)
    return view


# ---------------------------------------------------------------- the server itself


@router.get("/packs")
def packs(server: Here) -> list[dict[str, Any]]:
    """The rule packs and their rules."""
    return list(server.parts.packs())


@router.get("/figures")
def figures(
    server: Here,
    since: Annotated[str | None, Query(alias="from", description="ISO time with its offset; 30 days ago")] = None,
    until: Annotated[str | None, Query(alias="to", description="ISO time with its offset; now")] = None,
    pack: Annotated[str | None, Query(description="one pack by its id")] = None,
) -> dict[str, Any]:
    """What the rules of form ``report`` count over the calls that began in a time."""
    start, end = _moment(since, "from"), _moment(until, "to")
    try:
        return server.parts.figures(
            datetime.fromisoformat(start) if start else None, datetime.fromisoformat(end) if end else None, pack
        )
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


@router.get("/status")
def status(server: Here) -> dict[str, Any]:
    """How the server does."""
    parts = server.parts
    return {
        "version": parts.version,
        "uptime": round(server.uptime, 1),
        "live_calls": server.live,
        "screens": len(server.hub.viewers),
        "recogniser": recogniser_status(parts.recogniser),
        "store": {
            "waiting": server.writer.waiting,
            "failing": server.writer.failing,
            "refused": server.writer.refused,
            **parts.store.totals(),
        },
    }


@router.get("/session")
def session(request: Request, server: Here) -> dict[str, bool]:
    """Whether a token is needed, and whether this browser has shown it."""
    access = server.parts.access
    return {"required": access.token is not None, "known": access.knows(request.scope, request.headers)}


@router.post("/session")
def login(body: Login, request: Request, server: Here) -> Response:
    """Exchange the token for a cookie; 403 when it is wrong."""
    access = server.parts.access
    if access.token is not None and not same(body.token, access.token):
        raise HTTPException(403, "this is not the server's token")
    answer = JSONResponse({"required": access.token is not None, "known": True})
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, access.session, httponly=True, samesite="strict", secure=secure, max_age=12 * 3600)
    return answer


@router.delete("/session")
def logout() -> Response:
    """Forget the cookie."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


# ---------------------------------------------------------------- errors


def _moment(text: str | None, name: str = "before") -> str | None:
    """An ISO time with an offset, as the store wants it; 422 otherwise."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not encoded
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise HTTPException(422, f"{name}: {text!r:.60} is no ISO time with an offset like 2026-01-31T08:00:00Z")
    return moment.isoformat()


async def store_error(_: HTTPConnection, error: Exception) -> Response:
    """What the store could not do: 404 for what is not there, 503 for the rest."""
    code = 404 if isinstance(error, NotFound) else 503
    return JSONResponse({"detail": str(error)}, code)


ERRORS = {StoreError: store_error}
