"""What is taken apart can be put together again, over the official test suite and real programs."""

from __future__ import annotations

import pytest

from support.guests import GUESTS, GuestAbsent, guest
from wasm.modules import custom, leb, module_of, section, supported_spec_modules
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.encode.module import encode_module
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.reencode import Reencoder, reencode

CORE_GUESTS = sorted(name for name, (_, path) in GUESTS.items() if path.endswith(".wasm"))


@pytest.mark.testsuite
def test_the_empty_rewrite_gives_each_official_module_back() -> None:
    modules = dict(supported_spec_modules())
    assert len(modules) > 2000
    for name, module in modules.items():
        assert reencode(Reencoder(module)) == module.bytecode, name


@pytest.mark.parametrize("name", CORE_GUESTS)
def test_the_empty_rewrite_gives_each_guest_back(name: str) -> None:
    try:
        bytecode = guest(name).read_bytes()
    except GuestAbsent as absent:
        pytest.skip(str(absent))
    assert reencode(Reencoder(decode_module(bytecode))) == bytecode


def test_the_empty_rewrite_keeps_overlong_integers() -> None:
    bytecode = module_of(
        custom("first", b"\1\2"),
        section(1, leb(1, 5) + b"\x60\0" + leb(0, 3), size=5),
        custom("", b""),
        section(3, leb(1, 2) + leb(0, 5), size=2),
        section(7, leb(1, 4) + leb(1, 3) + b"f" + b"\0" + leb(0, 5)),
        section(10, leb(1, 5) + leb(2, 5) + b"\0\x0b", size=4),
    )
    assert reencode(Reencoder(decode_module(bytecode))) == bytecode


@pytest.mark.testsuite
def test_encoding_is_the_shortest_form() -> None:
    """Where the original is not as encoded here, it is longer, and has the same values."""
    same = longer = 0
    for name, module in supported_spec_modules():
        encoded = encode_module(module)
        if len(encoded) == len(module.bytecode):
            assert encoded == module.bytecode, name
            same += 1
        else:
            assert len(encoded) < len(module.bytecode), name
            again = decode_module(encoded)
            assert encode_module(again) == encoded, name
            for attribute in ("types", "rec_groups", "functions", "memories", "tags", "start", "data_count"):
                assert getattr(again, attribute) == getattr(module, attribute), (name, attribute)
            longer += 1
    assert same > 5 * longer


@pytest.mark.testsuite
def test_instructions_are_encoded_as_they_were() -> None:
    counted = 0
    for name, module in supported_spec_modules():
        if name.startswith(("binary-leb128", "proposals/wide-arithmetic")):
            continue  # these have overlong opcodes
        bytecode = module.bytecode
        for code in module.codes:
            instructions = list(decode_instructions(bytecode, code.code_start, code.end))
            encoded = b"".join(encode_instruction(item.opcode, item.immediates) for item in instructions)
            assert encoded == bytecode[code.code_start : code.end], name
            counted += len(instructions)
    assert counted > 50_000
