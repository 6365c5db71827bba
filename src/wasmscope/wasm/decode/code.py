"""The code section (Wasm spec 5.5.13): bodies as ranges, with their locals. Instructions are not looked at."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.decode.types import decode_val_type
from wasmscope.wasm.module import Code
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import ValType

Locals = tuple[int, ValType]


def _locals(reader: Reader, known: dict[Locals, Locals]) -> tuple[Locals, ...]:
    start = reader.offset
    groups: list[Locals] = []
    total = 0
    for _ in range(reader.count(limits.FUNCTION_LOCALS, "groups of locals")):
        group = (reader.u32(), decode_val_type(reader))
        total += group[0]
        groups.append(known.setdefault(group, group))
    if total > limits.FUNCTION_LOCALS:
        raise DecodeError(f"too many locals: {total} exceeds the limit of {limits.FUNCTION_LOCALS}", start)
    return tuple(groups)


def _code(reader: Reader, known: dict[Locals, Locals]) -> Code:
    start = reader.offset
    size = reader.count(limits.FUNCTION_BYTES, "bytes in a function body")
    body = Reader(reader.bytecode, reader.offset, reader.offset + size)
    reader.skip(size)
    body_start = body.offset
    groups = _locals(body, known)
    return Code(start, body_start, body.offset, body.end, groups)


def decode_code(reader: Reader) -> tuple[Code, ...]:
    """The code section."""
    known: dict[Locals, Locals] = {}  # the same few groups recur in every function
    return tuple([_code(reader, known) for _ in range(reader.count(limits.FUNCTIONS, "functions"))])
