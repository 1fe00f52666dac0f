"""The tables of the packs in docs/packs are those that ``monitor rules show`` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.packs import available_packs, find_pack, load_pack
from monitor.packs.show import markdown

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "packs"
ENDINGS = {"en": ".md", "zh": ".zh-CN.md"}


@pytest.mark.parametrize("name", available_packs())
def test_documents_are_up_to_date(name: str) -> None:
    pack = load_pack(find_pack(name))
    for language, ending in ENDINGS.items():
        option = " --english" if language == "en" else ""
        file = FOLDER / f"{name}{ending}"
        made = f"run `monitor rules show {name} --markdown{option} >{file.relative_to(FOLDER.parents[1])}`"
        assert file.read_text(encoding="utf-8") == markdown(pack, language), made


def test_there_is_no_document_of_a_pack_that_is_gone() -> None:
    expected = {f"{name}{ending}" for name in available_packs() for ending in ENDINGS.values()}
    assert {file.name for file in FOLDER.iterdir()} == expected
