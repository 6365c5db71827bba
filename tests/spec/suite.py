"""The files of the suite, and their conversion to what a test runner can read."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.wasmtools import WASM_TOOLS_ABSENT, wasm_tools

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "spec"

#: proposals that the engine implements; `custom-descriptors` is none
PROPOSALS = ("threads", "custom-page-sizes", "wide-arithmetic")


@dataclass(frozen=True, slots=True)
class Script:
    """A converted file: its commands, and the folder with the modules they name."""

    name: str
    folder: Path
    commands: tuple[dict[str, Any], ...]


def suite_folder() -> Path:
    """Where the suite is expected: beside the repository, or where the environment says."""
    configured = os.environ.get("WASMSCOPE_TESTSUITE")
    return Path(configured) if configured else ROOT.parent / "shared" / "spec" / "testsuite"


def missing() -> str | None:
    """Say why the suite cannot be run here; None: it can."""
    if WASM_TOOLS_ABSENT:
        return WASM_TOOLS_ABSENT
    if not suite_folder().is_dir():
        return f"no test suite in {suite_folder()} (github.com/WebAssembly/testsuite, or $WASMSCOPE_TESTSUITE)"
    return None


def script_names() -> list[str]:
    """Name every file by its path in the suite."""
    folder = suite_folder()
    if not folder.is_dir():
        return []
    files = [*folder.glob("*.wast"), *(f for name in PROPOSALS for f in (folder / "proposals" / name).glob("*.wast"))]
    return sorted(str(file.relative_to(folder)) for file in files)


def load(name: str) -> Script:
    """Convert a file, unless an earlier run has."""
    source = suite_folder() / name
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    folder = CACHE / f"{name.replace('/', '-').removesuffix('.wast')}-{digest}"
    converted = folder / "commands.json"
    if not converted.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Written under another name first, so that an interrupted run leaves nothing that looks complete.
        partial = folder / f"commands.{os.getpid()}"
        wasm_tools("json-from-wast", str(source), "--wasm-dir", str(folder), "-o", str(partial))
        partial.rename(converted)
    return Script(name, folder, tuple(json.loads(converted.read_text())["commands"]))
