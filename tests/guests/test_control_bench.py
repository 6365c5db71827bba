"""The benchmark of control: what it counts, and that it measures what it says."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from support.guests import ROOT


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("rich")
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module("control")


def test_bars_are_for_processor_time(control: ModuleType) -> None:
    figure = importlib.import_module("controlling.figure")
    taken = [figure.Seconds(1.0, 4.0), figure.Seconds(2.0, 9.0), figure.Seconds(9.0, 16.0)]
    found = figure.rate("things", 100, taken, figure.at_least(50), 7.0)
    assert (found.processor, found.wall, found.peer) == (50.0, pytest.approx(100 / 9), 7.0)
    assert found.is_kept
    assert not figure.rate("things", 100, taken, figure.at_least(51)).is_kept
    assert not figure.Figure("ratio", "", 1.06, bar=figure.at_most(1.05)).is_kept
    assert figure.Figure("no bar", "", 5.0).is_kept


def test_a_step_is_made_for_each_instruction_of_the_loop(control: ModuleType) -> None:
    loop_module, steps = importlib.import_module("controlling.loop"), importlib.import_module("controlling.steps")
    loop = loop_module.Loop()
    trace = loop.store.request_trace(100_000)
    loop.run(steps.ROUNDS_OF_THE_LOOP)
    assert trace.steps == pytest.approx(loop_module.INSTRUCTIONS * steps.ROUNDS_OF_THE_LOOP, rel=0.001)
    assert loop_module.PC in {entry.pc for entry in trace}


def test_figures_are_saved_and_shown(control: ModuleType, tmp_path: Path) -> None:
    figure = importlib.import_module("controlling.figure")
    figures = [
        figure.Figure("hits", "a second", 12345.6, 7.0, figure.at_least(20_000), 3.0),
        figure.Figure("kernels", "times the time", 1.01, details={"a": 0.9, "b": 1.1}),
    ]
    saved = json.loads(control.save(figures, 3, tmp_path).read_text())
    assert saved["figures"][0]["processor"] == 12345.6
    assert saved["rounds"] == 3
    table = control.table_of(figures, 3)
    assert [list(column.cells)[:2] for column in table.columns][:2] == [["hits", "kernels"], ["12,346", "1.01"]]
