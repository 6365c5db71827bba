"""Random modules do the same in the interpreter and in the stock engine.

Compared are results, traps, backtraces, host calls with their arguments, exported memory, globals and table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wasmtime

from reference.differential import run_reference, with_exact_pc
from reference.module import Module
from reference.smith import EXPORTS, PROFILES, random_module
from reference.stock import run_stock, stock_config
from support.wasmtools import WASM_TOOLS_ABSENT

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)

_SEEDS = range(34)


@pytest.fixture(scope="module")
def engine() -> Iterator[wasmtime.Engine]:
    engine = wasmtime.Engine(stock_config())
    yield engine
    engine.close()


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("profile", PROFILES)
def test_random_module(engine: wasmtime.Engine, profile: str, seed: int) -> None:
    binary = random_module(seed, profile)
    compiled, decoded = wasmtime.Module(engine, binary), Module.decode(binary)
    for export in {each.name for each in decoded.exports} & set(EXPORTS):
        stock, reference = run_stock(compiled, engine, export), run_reference(decoded, export)
        if "RESOURCES" not in (stock.ending.how, reference.ending.how):
            assert with_exact_pc(stock, reference) == reference, export
