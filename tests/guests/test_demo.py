"""The demo tells the story its source promises: it works for a while, then traps far from the mistake."""

from __future__ import annotations

import re

import pytest
import wasmtime

from guests import wasi
from wasmscope import demo


def test_demo_traps_after_visible_work() -> None:
    engine = wasi.new_engine(wasmtime)
    module = wasmtime.Module.from_file(engine, str(demo.WASM))
    with wasi.Guest(wasmtime, engine, module) as guest:
        with pytest.raises(wasmtime.Trap) as raised:
            guest.run()
        lines = guest.outcome(0).stdout.splitlines()
    assert raised.value.trap_code == wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS
    assert [frame.func_name for frame in raised.value.frames] == [
        *("same_name", "find", "ship", "execute", "work_a_day", "_start")
    ]
    # The wild pointer spells what overran the name: "cloc" of "grandfather-clock".
    assert f"{int.from_bytes(b'cloc', 'little'):#x}" in str(raised.value)
    assert lines[0] == "1. receive lamp 12 19.90"
    assert lines[-2:] == ["   received 1 at 899.00", "9. ship bookshelf 1"]


def test_demo_is_small_and_names_no_machine() -> None:
    content = demo.WASM.read_bytes()
    assert len(content) < 100_000
    assert b"demo.c" in content
    assert not re.search(rb"/\w+/\w", content), "a path of the machine it was built on"
