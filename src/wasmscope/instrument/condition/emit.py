"""Code for the operations of a condition, each bounded in what it may do: none of it traps."""

from __future__ import annotations

import struct
from typing import Any

from wasmscope.instrument.condition.scope import FIRST_FAULT, Fault
from wasmscope.instrument.condition.types import Access, Type
from wasmscope.wasm.encode.instructions import encode_instruction
from wasmscope.wasm.instructions import BlockType, MemArg
from wasmscope.wasm.opcodes import BY_NAME
from wasmscope.wasm.types import I32, I64, Limits, ValType

ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor", "<<": "shl", ">>": "shr"}
DIVISIONS = {"/": "div", "%": "rem"}
COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_BY_SIGN = ("shr", "div", "rem", "lt", "le", "gt", "ge")
"""Instructions that there are for signed and for unsigned integers."""


def instruction(name: str, *immediates: Any) -> bytes:
    """An instruction by its name in the opcode table."""
    return encode_instruction(BY_NAME[name], immediates)


def constant(value: float, type: Type) -> bytes:
    """Push `value`; an integer may be given signed or unsigned."""
    carrier = type.carrier
    if type.is_float:
        return instruction(f"{carrier}.const", struct.pack("<f" if type is Type.F32 else "<d", value))
    bits = 32 if carrier is I32 else 64
    wrapped = int(value) & ((1 << bits) - 1)
    return instruction(f"{carrier}.const", wrapped - (wrapped >> (bits - 1) << bits))


def operate(word: str, type: Type) -> bytes:
    """Apply the instruction `word` for `type` to the operands on the stack."""
    return instruction(f"{type.carrier}.{word}{type.suffix if word in _BY_SIGN else ''}")


def truth(code: bytes, type: Type) -> bytes:
    """Push 1 if the value that `code` pushes is not zero, else 0. A NaN is not zero."""
    return code if type is Type.BOOL else code + constant(0, type) + operate("ne", type)


def convert(code: bytes, source: Type, target: Type) -> bytes:
    """Push, as `target`, the value that `code` pushes as `source`; floats saturate (Wasm spec 4.3.4)."""
    have, want = source.carrier, target.carrier
    if source.is_float and target.is_float:
        if have is want:
            return code
        return code + instruction("f64.promote_f32" if target is Type.F64 else "f32.demote_f64")
    if source.is_float:
        return code + instruction(f"{want}.trunc_sat_{have}{target.suffix}")
    if target.is_float:
        return code + instruction(f"{want}.convert_{have}{source.suffix}")
    if have is want:
        return code
    return code + instruction("i32.wrap_i64" if want is I32 else f"i64.extend_i32{source.suffix}")


def conditional(condition: bytes, yes: bytes, no: bytes, carrier: ValType) -> bytes:
    """Push what `yes` pushes, or `no`, whichever the condition says; the other one is not run."""
    return condition + instruction("if", BlockType(carrier)) + yes + instruction("else") + no + instruction("end")


class Body:
    """What grows while a condition is compiled: the locals that it adds and the faults that it finds."""

    def __init__(self, first_temporary: int) -> None:
        self.temporaries: list[ValType] = []
        self.faults: list[Fault] = []
        self._first = first_temporary
        self._indices: dict[tuple[str, ValType], int] = {}

    def temporary(self, purpose: str, value_type: ValType) -> int:
        """The local for that purpose. Between setting and using one, no other code runs: so they are shared."""
        key = purpose, value_type
        if key not in self._indices:
            self._indices[key] = self._first + len(self.temporaries)
            self.temporaries.append(value_type)
        return self._indices[key]

    def fault_if(self, test: bytes, column: int, reason: str) -> bytes:
        """Return the number of a fault if `test` pushes something else than 0."""
        number = constant(FIRST_FAULT + len(self.faults), Type.I32)
        self.faults.append(Fault(column, reason))
        return test + instruction("if", BlockType()) + number + instruction("return") + instruction("end")

    def divide(self, operator: str, type: Type, column: int) -> bytes:
        """Divide the integers on the stack, which is undefined for some (Wasm spec 4.3.2, idiv and irem)."""
        carrier = type.carrier
        divisor, dividend = self.temporary("divisor", carrier), self.temporary("dividend", carrier)
        code = instruction("local.set", divisor) + instruction("local.set", dividend)
        zero = instruction("local.get", divisor) + instruction(f"{carrier}.eqz")
        code += self.fault_if(zero, column, "division by zero")
        if operator == "/" and type.suffix == "_s":
            lowest = constant(-1 << (31 if carrier is I32 else 63), type) + operate("eq", type)
            minus_one = constant(-1, type) + operate("eq", type)
            overflow = instruction("local.get", dividend) + lowest + instruction("local.get", divisor) + minus_one
            code += self.fault_if(overflow + instruction("i32.and"), column, "division overflow")
        operands = instruction("local.get", dividend) + instruction("local.get", divisor)
        return code + operands + operate(DIVISIONS[operator], type)

    def read(self, access: Access, limits: Limits, memory: int, column: int, reason: str) -> bytes:
        """Read memory at the address on the stack: an i64, taken as unsigned, that may be anywhere.

        `memory` is the index in this module; `reason` is what is said of an address out of bounds.
        """
        address, size = self.temporary("address", I64), self.temporary("size", I64)
        get_address, get_size = instruction("local.get", address), instruction("local.get", size)
        code = instruction("local.set", address) + instruction("memory.size", memory)
        if not limits.is64:
            code += instruction("i64.extend_i32_u")
        # No host has the memory for 2 ** 64 bytes, the one size that would not fit.
        code += constant(limits.page_size_log2, Type.I64) + instruction("i64.shl") + instruction("local.set", size)
        beyond = get_address + get_size + instruction("i64.gt_u")
        too_near = get_size + get_address + instruction("i64.sub") + constant(access.size, Type.I64)
        outside = beyond + too_near + instruction("i64.lt_u") + instruction("i32.or")
        code += self.fault_if(outside, column, reason)
        code += get_address if limits.is64 else get_address + instruction("i32.wrap_i64")
        return code + instruction(access.name, MemArg(0, memory, 0))
