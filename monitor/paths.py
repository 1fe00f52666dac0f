"""Where the project's own data lies: beside the sources in a checkout, inside the package when installed."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def data_root() -> Path:
    """The folder that holds ``config/`` and ``models/``.

    A checkout keeps them beside the package; the wheel carries them in ``monitor/_data``.
    """
    beside = PACKAGE.parent
    return beside if (beside / "config" / "packs").is_dir() else PACKAGE / "_data"


def config_dir() -> Path:
    """Packs and default settings that ship with the product."""
    return data_root() / "config"


def models_dir() -> Path:
    """Speech models that ship with the product."""
    return data_root() / "models"


def user_data() -> Path:
    """Journals, recordings and the store, unless the configuration names another folder.

    ``MONITOR_DATA`` wins; else the XDG data folder.
    """
    if named := os.environ.get("MONITOR_DATA"):
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "speech-monitor"


def user_cache() -> Path:
    """Pulled models; may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "speech-monitor"
