"""Imports go downward only, and the engine's private parts stay in one folder: parsed from the source, not imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import wasmscope

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "wasmscope"

PUBLIC = "the public names"
"""The layer of `wasmscope/__init__.py`."""

# Each layer imports from itself and from those behind it.
LAYERS = (
    "__main__", "cli", "demo", PUBLIC, "session", "report", "debug", "runtime", "instrument",
    "source", "analysis", "wasm", "errors",
)  # fmt: skip

# What is not said of the engine's objects by a class of wasmscope's is said by wasmtime's own.
KNOW_THE_ENGINE = ("cli", PUBLIC, "report", "runtime")

PRIVATE_ENGINE = "runtime/capi/"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by the file that imports it."""

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_of(path: Path) -> Iterator[Import]:
    """Every import in a file, those inside functions and for type checkers too."""
    name = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (Import(name, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{name}:{node.lineno}: a relative import"
            # `from package import name` imports the package's module `name` where there is one.
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield Import(name, node.lineno, inside if _is_module(inside) else node.module)


def _is_module(module: str) -> bool:
    path = ROOT.joinpath("src", *module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file() or module.startswith("wasmtime._")


def layer_of_file(name: str) -> str:
    """The layer a file is in."""
    first = name.removesuffix(".py").partition("/")[0]
    return PUBLIC if first == "__init__" else first


def layer_of_module(module: str) -> str:
    """The layer that an imported module of wasmscope is in."""
    return module.split(".")[1] if "." in module else PUBLIC


IMPORTS = [each for path in sorted(PACKAGE.rglob("*.py")) for each in imports_of(path)]
OWN = [each for each in IMPORTS if each.module.split(".")[0] == "wasmscope"]
ENGINE = [each for each in IMPORTS if each.module.split(".")[0] == "wasmtime"]


def test_every_file_is_in_a_layer() -> None:
    names = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    assert len(names) > 100
    assert {layer_of_file(name) for name in names} == set(LAYERS)


def test_imports_go_downward() -> None:
    upward = [
        each for each in OWN if LAYERS.index(layer_of_module(each.module)) < LAYERS.index(layer_of_file(each.file))
    ]
    assert len(OWN) > 300
    assert list(map(str, upward)) == []


def test_the_engine_is_not_known_below_the_runtime() -> None:
    assert {layer_of_file(each.file) for each in ENGINE} == set(KNOW_THE_ENGINE)


def test_private_parts_of_the_engine_are_touched_in_one_folder() -> None:
    private = [each for each in ENGINE if "._" in each.module]
    assert private
    assert [str(each) for each in private if not each.file.startswith(PRIVATE_ENGINE)] == []
    spelled = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if PRIVATE_ENGINE not in path.as_posix()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"\bwasmtime\._", line)
    ]
    assert spelled == []


def test_the_error_classes_import_nothing() -> None:
    assert {each.module for each in IMPORTS if each.file == "errors.py"} == {"__future__"}


@pytest.mark.parametrize("text", [wasmscope.__doc__, (ROOT / "docs" / "architecture.md").read_text()])
def test_the_map_shows_the_layers_in_order(text: str) -> None:
    drawn = [line.split()[0] for line in text.splitlines() if re.match(r"(src/wasmscope/| {4})\w+/?\s{2,}\w", line)]
    folders = [name for name in LAYERS if name not in ("__main__", "demo", PUBLIC)]
    assert [name.removeprefix("src/wasmscope/").rstrip("/") for name in drawn] == folders
