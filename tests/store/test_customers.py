"""Customers are known again, and nobody can read who they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.store.customers import KEY_FILE, Customers


def test_the_same_number_written_otherwise_is_the_same_customer(tmp_path: Path) -> None:
    customers = Customers(tmp_path)
    one = customers.digest("13800138000")
    assert one is not None and "138" not in one
    assert customers.digest("+86 138-0013-8000") == one
    assert customers.digest("13800138001") != one
    assert customers.digest("crm-77") != customers.digest("crm-78")


def test_nobody_is_none(tmp_path: Path) -> None:
    assert Customers(tmp_path).digest(None) is None
    assert Customers(tmp_path).digest("  ") is None
    assert not (tmp_path / KEY_FILE).exists()


def test_the_key_stays_and_is_the_sites_own(tmp_path: Path) -> None:
    one = Customers(tmp_path / "a").digest("10086")
    assert Customers(tmp_path / "a").digest("10086") == one
    assert Customers(tmp_path / "b").digest("10086") != one
    assert (tmp_path / "a" / KEY_FILE).stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "a").iterdir()] == [KEY_FILE]


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(ValueError, match="put the site's key back"):
        Customers(tmp_path).digest("10086")
