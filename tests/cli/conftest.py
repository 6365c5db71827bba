"""The command line of this folder's tests, and the fixture that runs ours in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from wasmscope.cli import main


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register `--bless`: `python -m pytest tests/cli --bless` writes what is expected from what is."""
    parser.addoption("--bless", action="store_true", help="rewrite the expected output beside the cases")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


Wasmscope = Callable[..., Outcome]


@pytest.fixture
def wasmscope(capfd: pytest.CaptureFixture[str]) -> Wasmscope:
    """Run `wasmscope` with these arguments, in this process: its guests write to the captured file descriptors."""

    def run(*arguments: str) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capfd.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run
