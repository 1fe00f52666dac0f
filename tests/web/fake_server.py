"""A stand-in for the monitor's server: serves the built dashboard and says what a test tells it to say.

Run as a program it shows the wall with every state, or ``--load N`` busy calls:
``python -m tests.web.fake_server --port 8770 --load 200``.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import socket
import threading
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from tests.web import scenes

STATIC = Path(__file__).resolve().parents[2] / "monitor" / "web" / "static"
View = dict[str, Any]


class Fake:
    """The state of the pretended monitor. Its methods may be called from a test's own thread."""

    def __init__(self) -> None:
        self.reset()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.app = _app(self)

    def reset(self) -> None:
        """An empty monitor without a token."""
        self.calls: dict[str, View] = {}
        self.finished: dict[str, View] = {}
        self.alerts: list[View] = []
        self.token: str | None = None
        self.epoch = "one"
        self.fast_only = False
        self.seq = 0
        self.ticks: list[View] = []
        self.firsts: list[View] = []
        self.refuse = False
        self.broken = False
        self.sockets: list[WebSocket] = getattr(self, "sockets", [])

    def show(self, calls: list[View], alerts: list[View]) -> None:
        """What the next snapshot says."""
        self.calls = {view["id"]: view for view in calls}
        self.alerts = alerts

    def tick(self, calls: Sequence[View] = (), alerts: Sequence[View] = (), gone: Sequence[str] = ()) -> None:
        """Send a tick to every screen and keep it for those that resume."""
        for change in calls:
            self.calls[change["id"]] = self.calls.get(change["id"], scenes.call(0)) | change
        for changed in alerts:
            self.alerts = [changed, *(known for known in self.alerts if known["id"] != changed["id"])]
        for one in gone:
            self.calls.pop(one, None)
        self.seq += 1
        message = {"type": "tick", "seq": self.seq, "calls": list(calls), "alerts": list(alerts), "gone": list(gone)}
        self.ticks.append(message)
        self._run(self._send(message))

    def hear(self, *, fast_only: bool) -> None:
        """Tell every screen which ears there are."""
        self.fast_only = fast_only
        self.seq += 1
        message = {"type": "tick", "seq": self.seq, "calls": [], "alerts": [], "gone": [], "fast_only": fast_only}
        self.ticks.append(message)
        self._run(self._send(message))

    def drop(self) -> None:
        """Cut every screen off."""
        self._run(self._cut())

    async def _send(self, message: View) -> None:
        for socket_ in list(self.sockets):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket_.send_json(message)

    async def _cut(self) -> None:
        for socket_ in list(self.sockets):
            with contextlib.suppress(RuntimeError):
                await socket_.close(1012)

    def _run(self, work: Any) -> None:
        if self._loop is None:
            raise RuntimeError("the server does not run")
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def snapshot(self) -> View:
        return {
            "type": "snapshot",
            "seq": self.seq,
            "epoch": self.epoch,
            "fast_only": self.fast_only,
            "now": scenes.NOW,
            "calls": list(self.calls.values()),
            "alerts": self.alerts[:200],
        }

    async def screen(self, websocket: WebSocket) -> None:
        """One screen's life: resume or snapshot, then whatever is sent to all."""
        if self.refuse or (self.token and websocket.cookies.get("session") != self.token):
            await websocket.close(4401 if not self.refuse else 1013)
            return
        await websocket.accept()
        first = await websocket.receive_json()
        self.firsts.append(first)
        if first["type"] == "resume" and first["epoch"] == self.epoch:
            for message in self.ticks:
                if message["seq"] > first["seq"]:
                    await websocket.send_json(message)
        else:
            await websocket.send_json(self.snapshot())
        self.sockets.append(websocket)
        try:
            while True:
                await websocket.receive_text()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self.sockets.remove(websocket)

    def find_alert(self, alert_id: str) -> View:
        for view in self.alerts:
            if view["id"] == alert_id:
                return view
        raise HTTPException(404, "no such alert")

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Run in a thread until the block ends; yields the address."""
        listener = socket.create_server(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", timeout_graceful_shutdown=1))
        started = threading.Event()

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            started.set()
            await server.serve([listener])

        thread = threading.Thread(target=lambda: asyncio.run(run()), name="fake-server", daemon=True)
        thread.start()
        started.wait(10)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def silence(seconds: int) -> bytes:
    """A recording that a browser can play: one channel of 8 kHz silence as WAV."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * (8000 * seconds))
    return target.getvalue()


def _app(fake: Fake) -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def guard(request: Request, go_on: Any) -> Response:
        shut = request.url.path.startswith("/api/") and request.url.path != "/api/session"
        if shut and fake.token and request.cookies.get("session") != fake.token:
            return Response('{"detail":"token needed"}', 401, media_type="application/json")
        if shut and fake.broken:
            return Response('{"detail":"out of order"}', 500, media_type="application/json")
        answer: Response = await go_on(request)
        if not request.url.path.startswith("/api/"):
            answer.headers["Content-Security-Policy"] = "default-src 'self'"
        return answer

    _session_and_calls(app, fake)
    _alerts(app, fake)
    app.websocket("/ws/live")(fake.screen)
    app.mount("/assets", StaticFiles(directory=STATIC / "assets", check_dir=False))

    @app.get("/")
    @app.get("/calls")
    @app.get("/calls/{call_id}")
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    return app


def _session_and_calls(app: FastAPI, fake: Fake) -> None:
    @app.post("/api/session")
    async def session(request: Request, response: Response) -> None:
        if (await request.json()).get("token") != fake.token:
            raise HTTPException(401, "wrong token")
        response.set_cookie("session", fake.token or "", httponly=True, samesite="strict")
        response.status_code = 204

    @app.get("/api/status")
    def status() -> View:
        return {"version": "fake", "live_calls": len(fake.calls)}

    @app.get("/api/packs")
    def packs() -> list[View]:
        return scenes.PACKS

    @app.get("/api/calls")
    def calls(limit: int = 50, before: str | None = None) -> View:
        every = sorted({**fake.finished, **fake.calls}.values(), key=lambda view: view["started"], reverse=True)
        older = [view for view in every if before is None or view["started"] < before]
        return {"calls": [scenes.summary(view) for view in older[:limit]]}

    def view_of(call_id: str) -> View:
        view = fake.calls.get(call_id) or fake.finished.get(call_id)
        if view is None:
            raise HTTPException(404, "no such call")
        return view

    @app.get("/api/calls/{call_id}")
    def one(call_id: str) -> View:
        return view_of(call_id)

    @app.get("/api/calls/{call_id}/transcript")
    def transcript(call_id: str) -> View:
        return {"lines": view_of(call_id)["lines"]}

    @app.get("/api/calls/{call_id}/report")
    def report(call_id: str) -> View:
        view = view_of(call_id)
        if view["phase"] != "ended":
            raise HTTPException(404, "the call still runs")
        return scenes.report(view)

    @app.get("/api/calls/{call_id}/recording")
    def recording(call_id: str, request: Request) -> Response:
        if view_of(call_id)["phase"] != "ended":
            raise HTTPException(404, "the call still runs")
        return _ranged(silence(60), request.headers.get("range"))


def _ranged(body: bytes, asked: str | None) -> Response:
    if not asked:
        return Response(body, media_type="audio/wav", headers={"Accept-Ranges": "bytes"})
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, stop = int(first), min(int(last) + 1 if last else len(body), len(body))
    headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}
    return Response(body[start:stop], 206, headers, "audio/wav")


def _alerts(app: FastAPI, fake: Fake) -> None:
    @app.get("/api/alerts")
    def alerts(call: str | None = None) -> View:
        return {"alerts": [view for view in fake.alerts if call in (None, view["call"])]}

    @app.post("/api/alerts/{alert_id:path}/{verb}")
    async def handle(alert_id: str, verb: str, request: Request) -> View:
        body = await request.json()
        changes: dict[str, View] = {
            "acknowledge": {"ack": {"by": body["by"], "at": scenes.NOW}},
            "judge": {"right": body.get("right")},
            "comment": {"comment": body.get("text")},
        }
        view = fake.find_alert(alert_id) | changes[verb]
        fake.alerts = [view if known["id"] == alert_id else known for known in fake.alerts]
        fake.seq += 1
        message = {"type": "tick", "seq": fake.seq, "calls": [], "alerts": [view], "gone": []}
        fake.ticks.append(message)
        await fake._send(message)
        return view


def drive(fake: Fake, count: int, stop: threading.Event, period: float = 0.1) -> None:
    """Keep ``count`` calls busy with a tick every ``period`` seconds until ``stop``."""
    dice = random.Random(7)
    calls = scenes.crowd(count)
    elapsed = 0.0
    while not stop.wait(period):
        elapsed += period
        fake.tick(scenes.crowd_tick(calls, dice, elapsed))
        fake.ticks.clear()


def main() -> None:
    import argparse

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8770)
    options.add_argument("--load", type=int, default=0)
    options.add_argument("--token")
    asked = options.parse_args()
    fake = Fake()
    fake.token = asked.token
    fake.show(*((scenes.crowd(asked.load), []) if asked.load else scenes.showcase()))
    with fake.serve(asked.port) as address, contextlib.suppress(KeyboardInterrupt):
        print(f"serving {address}", flush=True)
        if asked.load:
            drive(fake, asked.load, threading.Event())
        threading.Event().wait()


if __name__ == "__main__":
    main()
