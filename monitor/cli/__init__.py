"""The command line: ``monitor --help``."""

from monitor.cli.main import app

__all__ = ["app"]
