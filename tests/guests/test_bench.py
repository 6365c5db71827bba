"""The benchmark's own arithmetic: interleaved rounds, medians, ratios, and refusal of wrong results."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from support.guests import ROOT


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module("measure")


def contender(measure: ModuleType, name: str, outputs: list[str], log: list[str]) -> object:
    def prepare(program: object) -> Callable[[], str]:
        def run() -> str:
            log.append(name)
            return outputs[log.count(name) - 1]

        return run

    return measure.Contender(name, "plain", prepare)


def program(measure: ModuleType) -> object:
    return measure.Program("fake", Path("fake.wasm"), ())


def test_rounds_interleave_and_medians_are_compared(measure: ModuleType) -> None:
    log: list[str] = []
    plain = contender(measure, "plain", ["a 1 1.0\nb 2 2.0", "a 1 9.0\nb 2 2.0", "a 1 2.0\nb 2 2.0"], log)
    debug = contender(measure, "debug", ["a 1 8.0\nb 2 4.0", "a 1 8.0\nb 2 4.0", "a 1 8.0\nb 2 1.0"], log)
    _, result = measure.measure(program(measure), [plain, debug], 3, lambda message: None)
    assert log == ["plain", "debug"] * 3
    assert result.seconds == {"a": 8.0, "b": 4.0}
    assert result.ratios == {"a": 4.0, "b": 2.0}
    assert result.mean_ratio == pytest.approx(8**0.5)


def test_other_checksum_is_refused(measure: ModuleType) -> None:
    log: list[str] = []
    contenders = [contender(measure, "plain", ["a 1 1.0"], log), contender(measure, "debug", ["a 2 1.0"], log)]
    with pytest.raises(measure.WrongResult, match="fake a on debug: 2, not 1"):
        measure.measure(program(measure), contenders, 1, lambda message: None)


def test_picture_has_a_bar_for_each_debugger(measure: ModuleType) -> None:
    import report

    results = [measure.Measurement("<p>", name, {"a": 1.0}, {"a": 2.0}, 2.0) for name in ("wasmtime", "guest-debug")]
    picture = ElementTree.fromstring(report.picture(report.Figures(1, results, [])))
    bars = picture.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 2  # the background and one bar: what is not a debugger is the line at 1
