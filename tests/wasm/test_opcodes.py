"""The opcode table against wasm-tools: each row is encoded, printed, parsed again and validated."""

from __future__ import annotations

import re

import pytest

from support.wasmtools import WasmToolsError, print_wat, validate, wasm_tools
from wasm.modules import function, leb, module_of, section
from wasmscope.errors import DecodeError, UnsupportedFeature
from wasmscope.wasm import writer
from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.encode.types import encode_sub_type
from wasmscope.wasm.instructions import BlockType, CastBranch, Catch, MemArg, decode_instructions
from wasmscope.wasm.opcodes import BY_CODE, BY_NAME, OPCODES, PREFIXES, UNSUPPORTED, Feature, Imm, Opcode
from wasmscope.wasm.text import format_instruction
from wasmscope.wasm.types import I32, I64, FuncType, SubType, ref_type

OPENS = {opcode for opcode in OPCODES if Imm.BLOCK_TYPE in opcode.immediates}


def immediate(opcode: Opcode, kind: Imm) -> object:
    match kind:
        case Imm.BLOCK_TYPE:
            return BlockType(value_type=I32)
        case Imm.LABELS:
            return ((0, 0), 0)
        case Imm.MEMARG:
            assert opcode.memory_access is not None
            return MemArg(opcode.memory_access.bit_length() - 1, 0, 3)
        case Imm.I32 | Imm.I64:
            return -5
        case Imm.F32:
            return b"\0\0\xc0\x3f"
        case Imm.F64:
            return b"\0\0\0\0\0\0\xf8\x3f"
        case Imm.V128 | Imm.LANES16:
            return bytes(range(16))
        case Imm.HEAP_TYPE:
            return "struct"
        case Imm.VAL_TYPES:
            return (I64,)
        case Imm.CATCHES:
            return (Catch("catch", 0, 0), Catch("catch_all_ref", None, 0))
        case Imm.CAST_FLAGS:
            return CastBranch(0, ref_type("any", True), ref_type("struct", False))
        case Imm.FIELD:
            return 0
        case _:
            return 0


def immediates(opcode: Opcode) -> tuple[object, ...]:
    return tuple(immediate(opcode, kind) for kind in opcode.immediates)


def encoded(opcode: Opcode) -> bytes:
    return encode_instruction(opcode, immediates(opcode))


def test_codes_and_names_are_unique() -> None:
    assert len(OPCODES) == len(BY_CODE) == len(BY_NAME) == 570
    assert not BY_CODE.keys() & UNSUPPORTED.keys()


@pytest.mark.parametrize("opcode", OPCODES, ids=lambda opcode: opcode.name)
def test_encoding_and_decoding_agree(opcode: Opcode) -> None:
    encoding = encoded(opcode)
    (instruction,) = decode_instructions(b"\xaa" + encoding, 1, 1 + len(encoding))
    assert instruction.opcode is opcode
    assert instruction.immediates == immediates(opcode)
    assert instruction.offset == 1


@pytest.mark.wasm_tools
def test_wasm_tools_prints_and_parses_each_opcode() -> None:
    """One unvalidated module with a function an opcode: mnemonics, immediates and natural alignments."""
    printed = [opcode for opcode in OPCODES if opcode.name not in ("else", "end")]
    bodies = [b"\0" + encoded(opcode) + (b"\x0b" if opcode in OPENS else b"") + b"\x0b" for opcode in printed]
    module = module_of(
        section(1, b"\x02\x60\0\0\x5f\x01\x7f\0"),
        section(3, writer.vector([b"\0"] * len(bodies))),
        section(4, b"\x01\x70\0\0"),
        section(5, b"\x01\0\0"),
        section(13, b"\x01\0\0"),
        section(6, b"\x01\x7f\x01\x41\0\x0b"),
        section(9, b"\x01\x01\0\0"),
        section(12, b"\x01"),
        section(10, writer.vector([writer.sized(body) for body in bodies])),
        section(11, b"\x01\x01\0"),
    )
    text = print_wat(module)
    functions = text.split("\n  (func ")[1:]
    assert len(functions) == len(printed)
    for opcode, function_text in zip(printed, functions, strict=True):
        line = function_text.splitlines()[1].strip()
        encoding = encoded(opcode)
        (instruction,) = decode_instructions(encoding, 0, len(encoding))
        assert without_comments(line) == format_instruction(instruction), opcode
    assert wasm_tools("parse", "-", input=text.encode()) == module


def without_comments(line: str) -> str:
    return re.sub(r"\s*\(;.*?;\)", "", line.partition(" ;;")[0]).strip()


TYPED = [
    opcode
    for opcode in OPCODES
    if opcode.params is not None and opcode.results is not None and opcode.name not in ("else", "end")
]


@pytest.mark.wasm_tools
def test_operand_types_are_those_of_the_validator() -> None:
    """One function an opcode, `params -> results`, that does nothing else; a wrong type would not validate."""
    types = [encode_sub_type(SubType(FuncType(opcode.params or (), opcode.results or ()))) for opcode in TYPED]
    bodies = []
    for opcode in TYPED:
        operands = b"".join(b"\x20" + leb(n) for n in range(len(opcode.params or ())))
        bodies.append(b"\0" + operands + encoded(opcode) + b"\x0b")
    module = module_of(
        section(1, writer.vector(types)),
        section(3, writer.vector([writer.unsigned(n) for n in range(len(TYPED))])),
        section(4, b"\x01\x70\0\0"),
        section(5, b"\x01\x03\x01\x01"),
        section(9, b"\x01\x01\0\0"),
        section(12, b"\x01"),
        section(10, writer.vector([writer.sized(body) for body in bodies])),
        section(11, b"\x01\x01\0"),
    )
    assert len(TYPED) > 500
    validate(module)


@pytest.mark.wasm_tools
@pytest.mark.parametrize("code", sorted(set(range(0x100)) - BY_CODE.keys() - UNSUPPORTED.keys() - PREFIXES))
def test_unknown_codes_are_unknown_to_wasm_tools_too(code: int) -> None:
    module = function(b"\0" + bytes([code]) + b"\0\0\0\x0b")
    with pytest.raises(DecodeError):
        list(decode_instructions(bytes([code, 0]), 0, 2))
    with pytest.raises(WasmToolsError, match=r"illegal opcode|unknown"):
        validate(module)


@pytest.mark.parametrize("prefix", sorted(PREFIXES))
def test_unknown_codes_behind_prefixes(prefix: int) -> None:
    for sub in {*range(0x200), 0x10000, 0x10001, 2**32 - 1} - {
        code & 0xFFFF for code in (*BY_CODE, *UNSUPPORTED) if code >> 16 == prefix
    }:
        encoding = bytes([prefix]) + writer.unsigned(sub) + bytes(20)
        with pytest.raises(DecodeError):
            list(decode_instructions(encoding, 0, len(encoding)))


@pytest.mark.parametrize(("code", "feature"), UNSUPPORTED.items())
def test_unsupported_codes_name_their_proposal(code: int, feature: Feature) -> None:
    encoding = bytes([code]) if code < 0x100 else bytes([code >> 16]) + writer.unsigned(code & 0xFFFF)
    with pytest.raises(UnsupportedFeature) as caught:
        list(decode_instructions(b"\x01" + encoding, 0, 1 + len(encoding)))
    assert caught.value.proposal == feature.value
    assert caught.value.offset == 1


def test_traps() -> None:
    """Everything that touches memory may trap; pure integer and float arithmetic, but division and truncation, not."""
    for opcode in OPCODES:
        if opcode.memory_access is not None:
            assert opcode.traps, opcode
        elif opcode.feature in (Feature.SIMD, Feature.RELAXED_SIMD, Feature.SIGN_EXTENSION, Feature.WIDE_ARITHMETIC):
            assert not opcode.traps, opcode
    arithmetic = [opcode for opcode in OPCODES if 0x45 <= opcode.code <= 0xBF]
    assert {opcode.name for opcode in arithmetic if opcode.traps} == {
        *(f"{t}.{op}_{sign}" for t in ("i32", "i64") for op in ("div", "rem") for sign in "su"),
        *(f"{t}.trunc_{f}_{sign}" for t in ("i32", "i64") for f in ("f32", "f64") for sign in "su"),
    }
