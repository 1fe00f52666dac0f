"""YAML files: the line of every field."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.yamlfile import YamlError, YamlFile

TEXT = """\
a: 1
b:
  - x
  - {y: 2,
     z: 3}
<<: {m: 4}
"""


@pytest.fixture
def file(tmp_path: Path) -> YamlFile:
    path = tmp_path / "f.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return YamlFile(path)


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 1),
        (("a",), 1),
        (("b",), 2),
        (("b", 0), 3),
        (("b", 1, "y"), 4),
        (("b", 1, "z"), 5),
        (("b", 1, "keep", "z"), 5),
        (("b", 7), 2),
        (("gone", "b"), 2),
        (("a", "deeper"), 1),
    ],
)
def test_lines(file: YamlFile, where: tuple[str | int, ...], line: int) -> None:
    assert file.line(where) == line


def test_names(file: YamlFile) -> None:
    assert file.problem((), "m").field == "file"
    assert str(file.problem(("b", 0), "m")) == f"{file.path}:3: b.0: m"


def test_an_empty_file_has_no_settings(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("# nothing\n")
    assert YamlFile(path).data == {}


@pytest.mark.parametrize(("text", "line"), [("a: [1\n", 2), ("a: 1\na: 2\n", 2), ("\tb: 1\n", 1), ("a: \x07\n", 1)])
def test_broken_yaml(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    with pytest.raises(YamlError, match="mend the YAML") as error:
        YamlFile(path)
    assert error.value.problems[0].line == line
