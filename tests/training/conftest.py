"""What training needs is an extra: without it these tests are skipped, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDED = ("torch", "jieba", "kaldi_native_fbank", "onnx", "onnxruntime", "tokenizers")
RUNTIME_ENOUGH = {"test_readings.py", "test_slots.py"}
"""Files that need nothing more than the monitor itself."""

MISSING = [name for name in NEEDED if find_spec(name) is None]


class WithoutPackages(pytest.File):
    """Stands for a test file that cannot be imported."""

    def collect(self) -> Iterator[pytest.Item]:
        pytest.skip(f"{', '.join(MISSING)} not installed: pip install -e '.[train]'", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Leaves to pytest what can be imported."""
    if not MISSING or module_path.name in RUNTIME_ENOUGH:
        return None
    return WithoutPackages.from_parent(parent, path=module_path)
