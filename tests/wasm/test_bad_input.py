"""Whatever the bytes are: a module, or one of two exceptions, in bounded time and memory."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable

import pytest

from support.wasmtools import spec_malformed, spec_modules, wat
from wasm.modules import custom, function, leb, module_of, section
from wasm.test_module import EVERYTHING
from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.names import decode_names
from wasmscope.wasm.reencode import Reencoder, reencode
from wasmscope.wasm.text import format_instruction

MEBIBYTE = 1 << 20


def use(bytecode: bytes) -> bool:
    """Does all there is to do with a module; whether it was one."""
    try:
        module = decode_module(bytecode)
        names = decode_names(module)
        for code in module.codes:
            for instruction in decode_instructions(bytecode, code.code_start, code.end):
                format_instruction(instruction, module, names)
    except (DecodeError, UnsupportedFeature) as error:
        refused_at = error.offset
    else:
        refused_at = None
    if refused_at is not None:
        assert 0 <= refused_at <= len(bytecode)
        return False
    assert reencode(Reencoder(module)) == bytecode
    return True


@pytest.mark.wasm_tools
def test_every_prefix() -> None:
    bytecode = wat(EVERYTHING)
    whole = [size for size in range(len(bytecode) + 1) if use(bytecode[:size])]
    # A module may end where a section does, unless its functions have no bodies yet.
    assert whole[0] == 8
    assert whole[-1] == len(bytecode)
    assert len(whole) < 20


@pytest.mark.testsuite
@pytest.mark.parametrize("seed", range(5))
def test_changed_bytes(seed: int) -> None:
    chosen = random.Random(seed)
    modules = [bytecode for _, bytecode in spec_modules() if 8 < len(bytecode) < 4096]
    for bytecode in chosen.sample(modules, 100):
        for _ in range(10):
            changed = bytearray(bytecode)
            for _ in range(chosen.randint(1, 4)):
                changed[chosen.randrange(8, len(changed))] = chosen.choice((0, 0x7F, 0x80, 0xFF, chosen.randrange(256)))
            use(bytes(changed))


@pytest.mark.testsuite
def test_malformed_modules_of_the_test_suite_raise_nothing_else() -> None:
    refused = sum(not use(bytecode) for _, bytecode in spec_malformed())
    assert refused > 800


def test_random_bytes() -> None:
    chosen = random.Random(0)
    for _ in range(2000):
        use(module_of(section(chosen.randrange(14), chosen.randbytes(chosen.randrange(40)))))


HUGE = leb(2**32 - 1)

ABSURD: dict[str, bytes] = {
    "section size": module_of(b"\x01" + HUGE),
    "name": module_of(section(0, HUGE)),
    **{f"count in section {n}": module_of(section(n, HUGE)) for n in (*range(1, 8), 9, 10, 11, 13)},
    "parameters": module_of(section(1, b"\x01\x60" + HUGE)),
    "fields": module_of(section(1, b"\x01\x5f" + HUGE)),
    "recursion group": module_of(section(1, b"\x01\x4e" + HUGE)),
    "supertypes": module_of(section(1, b"\x01\x50" + HUGE)),
    "compact imports": module_of(section(2, b"\x01\0\0\x7f" + HUGE)),
    "elements": module_of(section(9, b"\x01\x01\0" + HUGE)),
    "body": module_of(section(1, b"\x01\x60\0\0"), section(3, b"\x01\0"), section(10, b"\x01" + HUGE)),
    "groups of locals": function(HUGE),
    "locals": function(b"\x01" + HUGE + b"\x7f\x0b"),
    "locals in sum": function(b"\x02" + leb(30_000) + b"\x7f" + leb(30_000) + b"\x7e\x0b"),
    "labels": function(b"\0\x0e" + HUGE),
    "select types": function(b"\0\x1c" + HUGE),
    "catches": function(b"\0\x1f\x40" + HUGE),
}


@pytest.mark.parametrize("bytecode", ABSURD.values(), ids=ABSURD)
def test_absurd_counts(bytecode: bytes) -> None:
    assert not measured(lambda: use(bytecode), seconds=1, mebibytes=1)


def test_deep_nesting() -> None:
    depth = 50_000
    body = b"\0" + b"\x02\x40" * depth + b"\x0b" * (depth + 1)
    assert measured(lambda: use(function(body)), seconds=30, mebibytes=10)


@pytest.mark.parametrize("header", [b"", b"\0asm\x01\0\0\0"], ids=["nothing", "header"])
def test_zeros(header: bytes) -> None:
    bytecode = header + bytes(100 * MEBIBYTE)
    assert not measured(lambda: use(bytecode), seconds=1, mebibytes=1)


def test_many_small_sections() -> None:
    bytecode = module_of(b"\0\x01\0" * 1_000_000)
    assert not measured(lambda: use(bytecode), seconds=20, mebibytes=100)


def test_many_empty_groups_of_locals() -> None:
    groups = 49_000
    body = leb(groups) + b"\0\x7f" * groups + b"\x0b"
    count = 20
    bytecode = module_of(
        section(1, b"\x01\x60\0\0"),
        section(3, leb(count) + bytes(count)),
        section(10, leb(count) + (leb(len(body)) + body) * count),
    )
    assert measured(lambda: use(bytecode), seconds=30, mebibytes=60)


def test_many_names() -> None:
    count = 300_000
    names = b"".join(leb(n) + b"\x01a" for n in range(count))
    bytecode = module_of(custom("name", section(1, leb(count) + names)))
    assert measured(lambda: use(bytecode), seconds=20, mebibytes=100)


def measured(act: Callable[[], bool], seconds: float, mebibytes: float) -> bool:
    """What `act` returns, if it keeps to the bounds (generous ones: a bound missed is missed by far)."""
    tracemalloc.start()
    start = time.process_time()
    try:
        result = act()
        elapsed = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert elapsed < seconds
    assert peak < mebibytes * MEBIBYTE
    return result
