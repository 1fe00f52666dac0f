"""The core reads no clock, file, socket or thread: proved by its imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "monitor" / "core"

PURE = {
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "enum", "functools", "heapq", "itertools",
    "importlib", "math", "operator", "re", "string", "types", "typing", "unicodedata",
}  # fmt: skip
"""Of the standard library: what computes and nothing else. What ``importlib`` loads is looked at by name."""

LIBRARIES = {"numpy", "webrtcvad", "pypinyin", "opencc", "rapidfuzz"}
"""Pure functions of libraries."""

FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}

IMPURE_NUMPY = {"random", "load", "save", "fromfile", "memmap", "savez", "loadtxt", "savetxt", "datetime64"}


def files() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "import_module":
            name = node.args[0]
            yield node.lineno, name.value if isinstance(name, ast.Constant) else "something computed"


def allowed(module: str) -> bool:
    if module == "monitor.core" or module.startswith("monitor.core."):
        return True
    return module in PURE or module.partition(".")[0] in LIBRARIES


def impure(source: str) -> list[str]:
    """What a file of the core must not do."""
    tree = ast.parse(source)
    found = [f"line {line}: imports {module}" for line, module in imports(tree) if not allowed(module)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            found.append(f"line {node.lineno}: calls {node.func.id}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            if node.attr in IMPURE_NUMPY:
                found.append(f"line {node.lineno}: uses numpy.{node.attr}")
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
            found.append(f"line {node.lineno}: {type(node).__name__}")
    return found


@pytest.mark.parametrize("path", files(), ids=lambda p: p.relative_to(CORE).as_posix())
def test_the_core_is_pure(path: Path) -> None:
    assert impure(path.read_text(encoding="utf-8")) == []


def test_there_is_a_core() -> None:
    names = {p.name for p in files()}
    assert {"call.py", "rules.py", "transcript.py", "voice.py", "framing.py", "expect.py"} <= names


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from datetime import datetime",
        "import os.path",
        "from monitor.wire import event_to_json",
        "import monitor.packs as p",
        "import threading, math",
        "from . import call",
        "def f():\n    import random",
        "open('x')",
        "np.random.default_rng()",
        "async def f(): pass",
        "import logging",
        "from pathlib import Path",
        "import importlib\nimportlib.import_module('time')",
        "import importlib\nimportlib.import_module(name)",
    ],
)
def test_the_proof_can_fail(source: str) -> None:
    assert impure(source)


def test_and_can_succeed() -> None:
    assert impure("import math, numpy as np\nfrom monitor.core.types import Word\nnp.zeros(math.floor(2))") == []
