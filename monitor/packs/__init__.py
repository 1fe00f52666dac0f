"""Rule packs: YAML files read, checked and compiled for the engine. The language is described in ``docs/rules.md``.

Every error names the file, the line and the field, and says what to do.
"""

from monitor.packs.load import PackError, available_packs, find_pack, load_pack, load_packs

__all__ = ["PackError", "available_packs", "find_pack", "load_pack", "load_packs"]
