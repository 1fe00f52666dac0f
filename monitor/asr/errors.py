"""What goes wrong with models."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be used. The message names the thing and the remedy."""


class NotWhole(Exception):
    """A model file ends too early or is no such file at all. The message says how, without the file's name."""
