"""Figures for Prometheus: counted here, read off the live parts when asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from monitor.core.types import Alert, AlertState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


class Meters:
    """One server's figures, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._alerts = Counter("monitor_alerts", "Alerts raised, by severity", ["severity"], registry=self.registry)
        self._samples = Counter(
            "monitor_ingest_samples", "Samples taken in, per channel, at the clients' rates", registry=self.registry
        )
        self._refused = Counter(
            "monitor_ingest_errors", "Ingest connections ended with an error, by code", ["code"], registry=self.registry
        )
        self._latency = Histogram(
            "monitor_alert_latency_seconds",
            "From the arrival of the audio that decided an alert to its being stored and handed to the screens",
            buckets=LATENCIES,
            registry=self.registry,
        )
        for severity in ("critical", "warning", "note"):
            self._alerts.labels(severity)

    def alert(self, alert: Alert) -> None:
        """An alert reached the screens; only its raising counts."""
        if alert.state is AlertState.RAISED:
            self._alerts.labels(alert.severity.value).inc()

    def latency(self, seconds: float) -> None:
        """Audio in, alert out."""
        self._latency.observe(seconds)

    def audio(self, samples: int) -> None:
        """A message of audio was taken."""
        self._samples.inc(samples)

    def refused(self, code: str) -> None:
        """A client was sent an error."""
        self._refused.labels(code).inc()

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A figure that is read when someone asks."""
        Gauge(f"monitor_{name}", text, registry=self.registry).set_function(read)

    def page(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self.registry)


def recogniser_status(recogniser: Any) -> dict[str, Any] | None:
    """Name, lag (seconds) and further figures of the shared recogniser, as far as it tells them."""
    if recogniser is None:
        return None
    stats = getattr(recogniser, "stats", None)
    told = stats() if callable(stats) else stats
    if is_dataclass(told) and not isinstance(told, type):
        told = asdict(told)
    lag = getattr(recogniser, "lag", 0.0)
    name = getattr(recogniser, "name", None) or getattr(getattr(recogniser, "engine", None), "name", "")
    return {"name": name, "lag": lag() if callable(lag) else lag, **(told if isinstance(told, dict) else {})}
