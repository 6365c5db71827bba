"""Runs the cases: `.wat` files with `;; RUN:` lines, and beside each a file with what these write.

In a RUN line `%` stands for the file. Add a case by adding the file, then write its output with
`python -m pytest tests/cli --bless` and read it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cli.conftest import Outcome, Wasmscope

CASES = Path(__file__).with_name("cases")
_RUN = ";; RUN: "


def _commands(case: Path) -> list[str]:
    lines = case.read_text().splitlines()
    return [line.removeprefix(_RUN) for line in lines if line.startswith(_RUN)]


def _transcript(command: str, outcome: Outcome) -> str:
    parts = [f"$ wasmscope {command}\n", outcome.stdout]
    if outcome.stderr:
        parts += ["[stderr]\n", outcome.stderr]
    parts.append(f"[exit status {outcome.status}]\n")
    return "".join(parts)


@pytest.mark.parametrize("case", sorted(CASES.glob("*.wat")), ids=lambda case: case.stem)
def test_case(
    case: Path, wasmscope: Wasmscope, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(CASES)
    monkeypatch.setenv("COLUMNS", "100")
    transcripts = []
    for command in _commands(case):
        arguments = [case.name if word == "%" else word for word in shlex.split(command)]
        transcripts.append(_transcript(command, wasmscope(*arguments)))
    assert transcripts, "a case without a RUN line tests nothing"
    expected = case.with_suffix(".out")
    found = "\n".join(transcripts)
    if request.config.getoption("--bless"):
        expected.write_text(found)
    assert expected.exists(), "no expected output: write it with --bless"
    assert found == expected.read_text()


def test_every_expected_output_has_a_case() -> None:
    assert [path for path in CASES.glob("*.out") if not path.with_suffix(".wat").exists()] == []
