"""The documentation speaks of what is there: files, links, modules, tests and programs. Figures are not checked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# In backquotes, from the root of the repository: `docs/proof.md`, `tests/wasm/`, `.ci/run`.
_PATH = re.compile(r"`((?:src|tests|docs|bench|\.ci)/[\w./*-]*)`")
_TREE = re.compile(r"^((?:src|tests|docs|bench)/[\w./-]*)", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w./-]+\.py)::(\w+)")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_MODULE = re.compile(r"python3? -m ((?:spec|frames|reference)\.\w+)")
_BENCH = re.compile(r"python3? (bench/\w+\.py)")
_PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def paths_in(page: Path) -> set[str]:
    """The paths that a page names."""
    text = page.read_text()
    return {*_PATH.findall(text), *_TREE.findall(text), *(path for path, _ in _TEST.findall(text))}


@PAGE
def test_paths_exist(page: Path) -> None:
    assert [path for path in sorted(paths_in(page)) if not any(ROOT.glob(path.rstrip("/")))] == []


def test_the_architecture_names_every_folder_of_the_package_and_of_the_tests() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    folders = {path.parent.name for path in (ROOT / "src" / "wasmscope").glob("*/__init__.py")}
    folders |= {path.name for path in (ROOT / "src" / "wasmscope").glob("*/") if any(path.glob("*.py"))}
    assert len(folders) >= 7
    assert [name for name in sorted(folders) if not re.search(rf"(^ {{4}}|/){name}\b", text, re.MULTILINE)] == []
    tests = {path.parent.name for path in (ROOT / "tests").glob("*/*.py")}
    assert [name for name in sorted(tests) if f"tests/{name}/" not in text] == []


@PAGE
def test_links_lead_somewhere(page: Path) -> None:
    local = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@PAGE
def test_tests_that_are_named_exist(page: Path) -> None:
    for path, name in _TEST.findall(page.read_text()):
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}::{name}"


@PAGE
def test_commands_exist(page: Path) -> None:
    text = page.read_text()
    scripts = [ROOT / "tests" / f"{module.replace('.', '/')}.py" for module in _MODULE.findall(text)]
    scripts += [ROOT / script for script in _BENCH.findall(text)]
    assert [script for script in scripts if not script.is_file()] == []


@PAGE
def test_programs_run(page: Path) -> None:
    for program in _PROGRAM.findall(page.read_text()):
        exec(compile(program, page.name, "exec"), {"__name__": "documented"})


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES if page.name != "README.md" and f"{page.name})" not in readme] == []


def test_the_api_is_as_the_docstrings_say() -> None:
    generator = ROOT / "docs" / "generate_api.py"
    checked = subprocess.run([sys.executable, str(generator), "--check"], env=ENVIRONMENT)
    assert checked.returncode == 0, "python docs/generate_api.py writes it anew"
