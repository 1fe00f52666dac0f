# Sourced by the other scripts: makes the project's own virtual environment and keeps it up to date.
# Sets $python. Wants: an installed Python 3.11 or newer with venv and pip; PYTHON names another one.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${MONITOR_VENV:-$root/.venv}
python=$venv/bin/python

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

find_python() {
  local name
  for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$name"
      return
    fi
  done
  die "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python"
}

# What an installation depends on: when none of it changed, a second start needs no pip at all.
stamp_of() {
  (cd "$root" && printf '%s\n' "$1" && cat pyproject.toml hatch_build.py &&
    { git ls-files -s web 2>/dev/null || true; } && { git diff -- web 2>/dev/null || true; }) | "$python" -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

# setup EXTRAS: installs the project with these extras ("" for none).
setup() {
  local base log
  if [ ! -x "$python" ]; then
    base=$(find_python)
    say "making a virtual environment in $venv"
    "$base" -m venv "$venv" ||
      die "the virtual environment could not be made: install Python's venv (Debian: apt install python3-venv)"
  fi
  if [ "$(cat "$venv/.stamp-$1" 2>/dev/null)" != "$(stamp_of "$1")" ]; then
    say "installing the project and what it needs (some minutes the first time)"
    log=$venv/install.log
    "$python" -m pip install --disable-pip-version-check --progress-bar on -e "$root${1:+[$1]}" 2>&1 | tee "$log" |
      grep --line-buffered -E '^(Collecting|Building|Successfully|ERROR|error)|npm' >&2 || true
    if [ "${PIPESTATUS[0]}" -ne 0 ] || grep -q '^ERROR' "$log"; then
      tail -n 30 "$log" >&2
      die "the installation failed (whole log: $log): check the network, then run this again"
    fi
    stamp_of "$1" >"$venv/.stamp-$1"
  fi
}
