"""The official test suite passes, except for what `known_failures` lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reference.known_failures import KNOWN_FAILURES, SKIPPED_FOLDERS
from reference.state import Limits
from reference.wast import convert_script, run_script
from support.wasmtools import SPEC_ABSENT, TESTSUITE

pytestmark = pytest.mark.skipif(bool(SPEC_ABSENT), reason=SPEC_ABSENT)

_LIMITS = Limits(call_depth=500, steps=3_000_000)


def _scripts() -> list[str]:
    paths = (path.relative_to(TESTSUITE) for path in TESTSUITE.rglob("*.wast"))
    return sorted(str(path) for path in paths if str(path.parent) not in SKIPPED_FOLDERS)


@pytest.mark.parametrize("name", _scripts())
def test_script(name: str) -> None:
    _, failures = run_script(convert_script(TESTSUITE / name), _LIMITS)
    known = KNOWN_FAILURES.get(name, {})
    assert [failure for failure in failures if failure.line not in known] == []
    assert {failure.line for failure in failures} == set(known), "take what passes now out of known_failures"


def test_known_failures_name_scripts() -> None:
    assert set(KNOWN_FAILURES) <= set(_scripts())
    assert all((TESTSUITE / folder).is_dir() for folder in SKIPPED_FOLDERS)


def _altered(folder: Path, type: str, change: str, value: object) -> Path:
    """A script whose only assertion is a changed one of fac.wast."""
    original = convert_script(TESTSUITE / "fac.wast")
    commands = json.loads(original.read_text())["commands"]
    assertion = next(command for command in commands if command["type"] == type)
    commands = [commands[0], assertion | {change: value}]
    (folder / commands[0]["filename"]).write_bytes((original.parent / commands[0]["filename"]).read_bytes())
    (folder / "script.json").write_text(json.dumps({"commands": commands}))
    return folder / "script.json"


def test_a_wrong_result_is_a_failure(tmp_path: Path) -> None:
    wrong = _altered(tmp_path, "assert_return", "expected", [{"type": "i64", "value": "1"}])
    _, (failure,) = run_script(wrong)
    assert "7034535277573963776" in failure.reason


def test_a_wrong_trap_is_a_failure(tmp_path: Path) -> None:
    wrong = _altered(tmp_path, "assert_exhaustion", "text", "unreachable")
    _, (failure,) = run_script(wrong)
    assert "STACK_OVERFLOW instead of 'unreachable'" in failure.reason
