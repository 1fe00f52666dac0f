"""``monitor bench``: ratios measured side by side on this machine."""

from __future__ import annotations


def bench() -> None:
    """Placeholder until the bench module lands."""
    raise SystemExit("not yet")
