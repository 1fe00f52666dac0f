"""The dashboard's pages and files, and what is outside of ``/api``: health and metrics."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from starlette.requests import Request

from monitor.server.metrics import CONTENT_TYPE
from monitor.server.state import server_of

router = APIRouter()

POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "worker-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
"""What a page of ours may load: nothing from elsewhere."""

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Speech monitor</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>仪表板尚未构建 · The dashboard is not built</h1>
<p>服务器正在运行。请在项目目录执行下面的命令，然后刷新本页。</p>
<p>The server is running. Build the dashboard in the project's folder, then reload this page:</p>
<pre>cd web
npm ci
npm run build</pre>
<p>REST: <a href="/docs">/docs</a> · <a href="/healthz">/healthz</a></p></html>
"""


@router.get("/healthz")
def healthz(request: Request) -> Response:
    """200 while calls can be taken, 503 with the reason when not."""
    server = server_of(request)
    failing = server.writer.failing
    state = {"ok": failing is None, "live_calls": server.live, "store": failing or "ok"}
    return JSONResponse(state, 200 if failing is None else 503)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Figures in the format of Prometheus."""
    return Response(server_of(request).meters.page(), media_type=CONTENT_TYPE)


@router.get("/{path:path}", include_in_schema=False)
def page(path: str, request: Request) -> Response:
    """A file of the dashboard; any other path without an extension is a page that the dashboard draws itself."""
    static = server_of(request).parts.static
    first = path.split("/", 1)[0]
    if first in ("api", "ws"):
        raise HTTPException(404, f"there is no /{path:.100}; see /docs")
    if static is None or not (static / "index.html").is_file():
        if "." in first or first == "assets":
            raise HTTPException(404, "the dashboard is not built")
        return HTMLResponse(NOT_BUILT)
    if (file := _inside(static, path)) is not None:
        lasting = "public, max-age=31536000, immutable" if first == "assets" else "no-cache"
        return FileResponse(file, headers={"Cache-Control": lasting})
    if "." in path.rsplit("/", 1)[-1] and first != "calls":
        raise HTTPException(404, f"there is no /{path:.100}")
    return FileResponse(static / "index.html", headers={"Cache-Control": "no-cache", "Content-Security-Policy": POLICY})


def _inside(root: Path, path: str) -> Path | None:
    """The file of that name below ``root``, if there is one and it really lies there."""
    if not path or "\0" in path:
        return None
    file = (root / path).resolve()
    return file if file.is_file() and file.is_relative_to(root.resolve()) else None
