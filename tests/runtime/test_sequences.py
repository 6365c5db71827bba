"""What a host does step by step, on `wasmtime` and on `wasmscope`: types, messages and frames are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope
from runtime.sequences import calls, entities, hosts, linking, modules, traps, wasi

pytestmark = pytest.mark.spread

CASES = [case for module in (calls, entities, hosts, linking, modules, traps, wasi) for case in module.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.__module__.split('.')[-1]}.{case.__name__}")
def test_both_do_the_same(case: Callable[[Any], Any]) -> None:
    plain = case(wasmtime)
    assert case(wasmscope) == plain
