"""``monitor devices``: the sound inputs of this machine."""

from __future__ import annotations

from rich.table import Table

from monitor.cli.common import out, plain_errors
from monitor.sources.microphone import list_devices


def devices() -> None:
    """List input devices; a loopback or monitor can carry the customer's side."""
    with plain_errors():
        found = list_devices()
        table = Table("number", "name", "host", "default", "loopback")
        for device in found:
            marks = ["yes" if flag else "" for flag in (device.default, device.loopback)]
            table.add_row(str(device.number), device.name, device.host, *marks)
        out.print(table)
        if not found:
            out.print("no input device: plug one in, or start the sound server")
