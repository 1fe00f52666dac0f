"""A server in a process of its own, to be killed: PORT DATA_DIR fake|core."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from monitor.compose import make_parts
from monitor.config import Config
from monitor.core.types import AsrRequest, Hypothesis
from monitor.live.settings import LiveSettings
from monitor.server.app import ServerParts, serve
from monitor.store.store import Store
from tests.live.fakes import answer_to, describe, make_call, make_report


class LateRecogniser:
    """Answers each request a little later, from a thread, so that a kill finds some unanswered."""

    def submit(self, call_id: str, request: AsrRequest, reply: Callable[[Hypothesis], None]) -> None:
        threading.Timer(0.03, reply, (answer_to(request),)).start()


def fake_parts(folder: Path) -> ServerParts:
    """The fakes, which are quick to rebuild."""
    return ServerParts(
        make_call=make_call,
        make_report=make_report,
        store=Store(f"sqlite:///{folder / 'monitor.sqlite'}"),
        data_dir=folder,
        describe=describe,
        recogniser=LateRecogniser(),
        settings=LiveSettings(resume_grace=60, max_speed=1000),
        default_packs=("test",),
    )


def main(port: int, folder: Path, kind: str) -> None:
    """Serve until killed; says so when connections are taken."""
    logging.basicConfig(level=logging.WARNING)
    parts = fake_parts(folder) if kind == "fake" else make_parts(Config(), engines=None, token=None, data=folder)
    serve(parts, "127.0.0.1", port, lambda host, port: print(f"ready {time.time():.3f}", flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
