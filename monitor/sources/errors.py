"""What a source says when it cannot deliver."""

from __future__ import annotations


class SourceError(Exception):
    """Audio or signals could not be had; the message names the file or device and the remedy."""
