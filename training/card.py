"""The card of an exported model, ``card.json``: what recognisers read beside the weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.asr.card import CARD_FILE


def renew(folder: Path, files: Sequence[str], defaults: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
    """Write the card: what it says already and otherwise ``defaults``, what was ``measured`` now, and the digests of
    the ``files``."""
    card = folder / CARD_FILE
    said = json.loads(card.read_text(encoding="utf-8")) if card.exists() else {}
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    content = {**defaults, **said, **measured, "sha256": digests}
    card.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
