"""The build hook: when it builds, with which Node, and what it says when it cannot."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    pytest.importorskip("hatchling", reason="hatchling is not installed: pip install hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build_tested", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "web" / "src").mkdir(parents=True)
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    (tmp_path / "web" / "src" / "main.ts").write_text("1")
    (tmp_path / "monitor" / "web").mkdir(parents=True)
    return tmp_path


class Steps:
    """Stands for npm: notes what it was told and leaves what npm would leave."""

    def __init__(self, tree: Path, failing: str | None = None, output: str = "") -> None:
        self.tree, self.failing, self.output = tree, failing, output
        self.told: list[str] = []

    def __call__(self, command: list[str], **options: Any) -> SimpleNamespace:
        step = "build" if "build" in command else command[1]
        self.told.append(step)
        if step == self.failing:
            return SimpleNamespace(returncode=1, stdout=self.output)
        if step == "ci":
            (self.tree / "web" / "node_modules").mkdir(exist_ok=True)
        else:
            out = Path(command[command.index("--outDir") + 1])
            out.mkdir()
            (out / "index.html").write_text("page")
        return SimpleNamespace(returncode=0, stdout="")


def run_build(hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps) -> None:
    monkeypatch.setattr(hook.subprocess, "run", steps)
    hook.build(tree / "web", tree / "monitor" / "web" / "static", (("/n/node",), ("/n/npm",)), lambda _: None)


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("v20.19.0", True),
        ("v20.18.9", False),
        ("v21.9.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("v18.20.4", False),
        ("none", False),
    ],
)
def test_knows_which_node_will_do(hook: ModuleType, version: str, good: bool) -> None:
    assert hook.good_node(version) is good


def test_builds_once_and_again_when_a_source_changes(
    hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, static = tree / "web", tree / "monitor" / "web" / "static"
    assert not hook.is_current(static, hook.digest(web))
    steps = Steps(tree)
    run_build(hook, tree, monkeypatch, steps)
    assert hook.is_current(static, hook.digest(web))
    (web / "node_modules" / "something").write_text("by npm")
    assert hook.is_current(static, hook.digest(web))
    (web / "src" / "main.ts").write_text("2")
    assert not hook.is_current(static, hook.digest(web))
    run_build(hook, tree, monkeypatch, steps)
    assert steps.told == ["ci", "build", "build"]
    (web / "package-lock.json").write_text("{ }")
    run_build(hook, tree, monkeypatch, steps)
    assert steps.told[3:] == ["ci", "build"]


def test_a_failed_build_leaves_the_former_one(hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_build(hook, tree, monkeypatch, Steps(tree))
    with pytest.raises(hook.DashboardError, match="MONITOR_SKIP_WEB=1"):
        run_build(hook, tree, monkeypatch, Steps(tree, "build", "error: cannot parse Wall.svelte"))
    assert (tree / "monitor" / "web" / "static" / "index.html").read_text() == "page"


def test_an_unreachable_registry_gets_advice(hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(tree, "ci", "npm error code ENOTFOUND\nnpm error network request failed")
    with pytest.raises(hook.DashboardError) as caught:
        run_build(hook, tree, monkeypatch, steps)
    message = str(caught.value)
    assert "could not reach" in message
    assert "npm config set registry" in message
    assert "MONITOR_SKIP_WEB=1" in message
    assert "ENOTFOUND" in message


def make(hook: ModuleType, root: Path, target: str = "wheel") -> Any:
    made = hook.DashboardHook.__new__(hook.DashboardHook)
    said: list[str] = []
    app = SimpleNamespace(display_info=said.append, display_warning=said.append)
    for name, value in (("root", str(root)), ("target_name", target), ("app", app)):
        setattr(made, f"_BuildHookInterface__{name}", value)
    return made


def test_asks_for_node_only_when_it_must(hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(hook.SKIP, raising=False)
    monkeypatch.setattr(hook, "system_tools", lambda: None)
    assert make(hook, tree).dependencies() == [hook.NODE_WHEEL]
    assert make(hook, tree, "sdist").dependencies() == []
    monkeypatch.setattr(hook, "system_tools", lambda: (("node",), ("npm",)))
    assert make(hook, tree).dependencies() == []
    monkeypatch.setattr(hook, "system_tools", lambda: None)
    monkeypatch.setenv(hook.SKIP, "1")
    assert make(hook, tree).dependencies() == []


def test_a_skipped_dashboard_is_left_out_and_said(
    hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hook.SKIP, "1")
    made = make(hook, tree)
    data: dict[str, list[str]] = {"artifacts": []}
    made.initialize("standard", data)
    assert data == {"artifacts": []}
    monkeypatch.delenv(hook.SKIP)
    monkeypatch.setattr(hook, "build", lambda *_: None)
    monkeypatch.setattr(hook, "system_tools", lambda: (("node",), ("npm",)))
    made.initialize("standard", data)
    assert data == {"artifacts": ["/monitor/web/static/"]}


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for node is a shell script")
def test_an_old_node_on_the_path_is_not_used(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, says in (("node", "v18.20.0"), ("npm", "9")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert hook.system_tools() is None
    (tmp_path / "node").write_text("#!/bin/sh\necho v22.14.0\n")
    assert hook.system_tools() == ((str(tmp_path / "node"),), (str(tmp_path / "npm"),))


def test_no_registry_host_stands_in_the_lock_file() -> None:
    lock = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "web" / ".npmrc").read_text()


def test_what_is_built_or_fetched_is_not_in_git() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = ["monitor/web/static/index.html", "web/node_modules/svelte/package.json"]
    asked = subprocess.run(["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert asked.stdout.split() == names
