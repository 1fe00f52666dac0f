"""Customers without their names: an id becomes a digest that nobody can turn back without the site's key."""

from __future__ import annotations

import os
import re
import secrets
from hashlib import blake2b
from pathlib import Path

KEY_FILE = "customer.key"
KEY_BYTES = 32
DIGEST_BYTES = 16

_TELEPHONE = re.compile(r"\+?[0-9][0-9 ()\-.]*")


class Customers:
    """Digests under the key in ``folder``, which is made with the first customer. Whoever loses the key loses who
    belongs together, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE
        self._key: bytes | None = None

    def digest(self, customer: str | None) -> str | None:
        """The digest of a telephone number or any other id, in hex; None for none. Raises ``OSError`` when the key
        cannot be kept, ``ValueError`` when it is damaged."""
        plain = normal(customer or "")
        if not plain:
            return None
        if self._key is None:
            self._key = read_key(self._path)
        return blake2b(plain.encode(), key=self._key, digest_size=DIGEST_BYTES).hexdigest()


def normal(customer: str) -> str:
    """One spelling of an id: telephone numbers without separators and without the country code of China."""
    text = customer.strip()
    if not _TELEPHONE.fullmatch(text):
        return text
    number = re.sub(r"[^0-9+]", "", text)
    for prefix in ("+86", "0086"):
        if number.startswith(prefix):
            return number.removeprefix(prefix)
    return number


def read_key(path: Path) -> bytes:
    """The key of a site, made where there is none; only its owner may read it."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # whole or not at all; another process may have been first
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path}: {len(key)} bytes, not {KEY_BYTES}; put the site's key back, or remove the file")
    return key
