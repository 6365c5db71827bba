"""Values that need not be published because the host can work them out.

An expression is what the rewriter knows of a local or an operand:

- `bytes`: a constant, as the token of its `const` or `ref.null` instruction;
- `int`: the value of that local;
- `(opcode, size, operand)` or `(opcode, size, left, right)`: an integer instruction that cannot trap, over expressions;
- `(opcode, size, address, Load(...))`: a load that succeeded.

It holds as long as none of the locals in it is assigned and, if there is a load in it, no memory is written.
Floating-point arithmetic is left out: which NaN an operation yields is the processor's choice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from wasmscope.wasm.types import F32, F64, I32, I64, V128, ValType

Expression: TypeAlias = Any
"""`bytes | int | tuple`, recursive; spelled loosely because the rewriter makes millions of them."""

NULL = b"\xd0"
"""The constant null reference, whatever its heap type."""

DEFAULTS: dict[ValType, bytes] = {
    I32: b"\x41\x00",
    I64: b"\x42\x00",
    F32: b"\x43" + bytes(4),
    F64: b"\x44" + bytes(8),
    V128: b"\xfd\x0c" + bytes(16),
}
"""The value a local of each type starts with (Wasm spec 4.2.1)."""

MAX_SIZE = 8
"""Leaves in one expression, so that working one out stays cheap and their number bounded."""

MAX_HEIGHT = 8
"""Locals worked out from locals worked out from locals ...: so many steps at most."""

MEMORY = 1
"""Bit 0 in a set of locals: what an expression with a load in it depends on besides them."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load `code` at a constant offset from an address in a memory."""

    code: int
    memory: int
    offset: int


RELOADABLE: dict[int, tuple[int, bool, int]] = {
    0x28: (4, False, 32),
    0x29: (8, False, 64),
    0x2A: (4, False, 32),
    0x2B: (8, False, 64),
    0x2C: (1, True, 32),
    0x2D: (1, False, 32),
    0x2E: (2, True, 32),
    0x2F: (2, False, 32),
    0x30: (1, True, 64),
    0x31: (1, False, 64),
    0x32: (2, True, 64),
    0x33: (2, False, 64),
    0x34: (4, True, 64),
    0x35: (4, False, 64),
    0xFD0000: (16, False, 128),
}
"""Opcode of a load -> bytes read, whether the value is sign-extended, bits of the result (Wasm spec 4.4.7)."""


def size_of(expression: Expression) -> int:
    """How many leaves it has."""
    return expression[1] if type(expression) is tuple else 1


_M32 = 0xFFFF_FFFF
_M64 = 0xFFFF_FFFF_FFFF_FFFF


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _extend(value: int, bits: int, to: int) -> int:
    return _signed(value & ((1 << bits) - 1), bits) & ((1 << to) - 1)


def _rotate_left(value: int, by: int, bits: int) -> int:
    by %= bits
    return (value << by | value >> (bits - by)) & ((1 << bits) - 1)


def _leading_zeros(value: int, bits: int) -> int:
    return bits - value.bit_length()


def _trailing_zeros(value: int, bits: int) -> int:
    return (value & -value).bit_length() - 1 if value else bits


def _comparisons(first: int, bits: int) -> dict[int, Callable[[int, int], int]]:
    """eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u, in opcode order."""
    functions: list[Callable[[int, int], int]] = [
        lambda a, b: int(a == b),
        lambda a, b: int(a != b),
        lambda a, b: int(_signed(a, bits) < _signed(b, bits)),
        lambda a, b: int(a < b),
        lambda a, b: int(_signed(a, bits) > _signed(b, bits)),
        lambda a, b: int(a > b),
        lambda a, b: int(_signed(a, bits) <= _signed(b, bits)),
        lambda a, b: int(a <= b),
        lambda a, b: int(_signed(a, bits) >= _signed(b, bits)),
        lambda a, b: int(a >= b),
    ]
    return {first + n: function for n, function in enumerate(functions)}


def _arithmetic(add: int, bits: int) -> dict[int, Callable[[int, int], int]]:
    """The non-trapping integer operators from `add` on (Wasm spec 5.4.7; division and remainder are left out)."""
    mask = (1 << bits) - 1
    return {
        add: lambda a, b: (a + b) & mask,
        add + 1: lambda a, b: (a - b) & mask,
        add + 2: lambda a, b: (a * b) & mask,
        add + 7: lambda a, b: a & b,
        add + 8: lambda a, b: a | b,
        add + 9: lambda a, b: a ^ b,
        add + 10: lambda a, b: (a << (b % bits)) & mask,
        add + 11: lambda a, b: (_signed(a, bits) >> (b % bits)) & mask,
        add + 12: lambda a, b: a >> (b % bits),
        add + 13: lambda a, b: _rotate_left(a, b, bits),
        add + 14: lambda a, b: _rotate_left(a, bits - b % bits, bits),
    }


BINARY: dict[int, Callable[[int, int], int]] = {
    **_comparisons(0x46, 32),
    **_comparisons(0x51, 64),
    **_arithmetic(0x6A, 32),
    **_arithmetic(0x7C, 64),
}
"""Opcode -> function of two unsigned bit patterns."""

UNARY: dict[int, Callable[[int], int]] = {
    0x45: lambda a: int(a == 0),  # i32.eqz
    0x50: lambda a: int(a == 0),  # i64.eqz
    0x67: lambda a: _leading_zeros(a, 32),
    0x68: lambda a: _trailing_zeros(a, 32),
    0x69: lambda a: a.bit_count(),
    0x79: lambda a: _leading_zeros(a, 64),
    0x7A: lambda a: _trailing_zeros(a, 64),
    0x7B: lambda a: a.bit_count(),
    0xA7: lambda a: a & _M32,  # i32.wrap_i64
    0xAC: lambda a: _extend(a, 32, 64),  # i64.extend_i32_s
    0xAD: lambda a: a,  # i64.extend_i32_u
    0xC0: lambda a: _extend(a, 8, 32),
    0xC1: lambda a: _extend(a, 16, 32),
    0xC2: lambda a: _extend(a, 8, 64),
    0xC3: lambda a: _extend(a, 16, 64),
    0xC4: lambda a: _extend(a, 32, 64),
}
"""Opcode -> function of one unsigned bit pattern."""


def signed_leb(token: bytes, position: int) -> int:
    """The signed LEB128 integer at `position` of `token` (Wasm spec 5.2.2)."""
    result = shift = 0
    while True:
        byte = token[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return result - (1 << shift) if byte & 0x40 else result


def constant(token: bytes) -> int | None:
    """The bit pattern a `const` instruction pushes; None for `ref.null`."""
    match token[0]:
        case 0x41:
            return signed_leb(token, 1) & _M32
        case 0x42:
            return signed_leb(token, 1) & _M64
        case 0x43:
            bits: int = struct.unpack("<I", token[1:5])[0]
            return bits
        case 0x44:
            bits = struct.unpack("<Q", token[1:9])[0]
            return bits
        case 0xFD:
            return int.from_bytes(token[-16:], "little")
        case _:
            return None


def loaded(load: Load, content: bytes) -> int:
    """The bit pattern that `load` gives for the bytes it reads."""
    width, signed, bits = RELOADABLE[load.code]
    value = int.from_bytes(content, "little")
    return _extend(value, 8 * width, bits) if signed else value


def evaluate(expression: Expression, local: Callable[[int], int], read: Callable[[Load, int], int]) -> int | None:
    """The value of `expression` as a bit pattern (None: a null reference).

    `local(i)` answers for the locals in it, `read(load, address)` for the loads.
    """
    if isinstance(expression, bytes):
        return constant(expression)
    if isinstance(expression, int):
        return local(expression)
    if isinstance(expression[-1], Load):
        address = evaluate(expression[2], local, read)
        assert address is not None
        return read(expression[3], address)
    operands = [evaluate(operand, local, read) for operand in expression[2:]]
    assert None not in operands
    if len(operands) == 1:
        return UNARY[expression[0]](operands[0])  # type: ignore[arg-type]
    return BINARY[expression[0]](*operands)  # type: ignore[arg-type]
