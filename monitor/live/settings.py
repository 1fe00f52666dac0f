"""What a site may tune about live calls; every duration in seconds, every bound in the unit that its name says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Defaults fit one machine with some fifty calls.

    ``resume_grace``: how long a call waits for a client that dropped, before it is finished as interrupted.
    ``finals_wait``: how long the end of a call waits for the recogniser; what is still missing then becomes
    ``cannot_tell``.
    ``keep_recording``: whether the audio is kept as FLAC once the call is over (while it runs the audio is always
    on disk, since a restart rebuilds the call from it).
    ``linger``: how long an ended call stays on the wall.
    ``max_speed``: audio seconds taken a second from one client; a faster one is slowed down, never cut.
    ``max_message``: bytes in one message of a client.
    ``writer_queue``: batches waiting for the store before clients are made to wait.
    ``viewer_queue``: ticks waiting for one screen before it gets a fresh snapshot instead.
    ``tick_ring``: ticks kept for screens that come back.
    """

    resume_grace: float = 30.0
    finals_wait: float = 20.0
    keep_recording: bool = True
    linger: float = 30.0
    start_timeout: float = 10.0
    idle_timeout: float = 60.0
    max_speed: float = 50.0
    max_message: int = 4 << 20
    writer_queue: int = 1000
    viewer_queue: int = 32
    tick: float = 0.05
    tick_ring: int = 1200
    recent_alerts: int = 200
    rate_check: float = 20.0
