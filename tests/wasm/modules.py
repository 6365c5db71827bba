"""Modules built by hand, byte by byte, and the official ones that are supported."""

from __future__ import annotations

from collections.abc import Iterator

from support.wasmtools import spec_modules
from wasmscope.errors import UnsupportedFeature
from wasmscope.wasm.decode.module import HEADER, decode_module
from wasmscope.wasm.instructions import decode_instructions
from wasmscope.wasm.module import Module

HEADER_BYTES = b"\0asm\x01\0\0\0"
assert HEADER_BYTES == HEADER


def leb(value: int, size: int = 1) -> bytes:
    """An unsigned integer in `size` bytes at least; overlong where fewer would do."""
    encoding = bytearray()
    while value > 0x7F or len(encoding) + 1 < size:
        encoding.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoding, value])


def section(section_id: int, payload: bytes, size: int = 1) -> bytes:
    return bytes([section_id]) + leb(len(payload), size) + payload


def custom(name: str, payload: bytes) -> bytes:
    return section(0, leb(len(name)) + name.encode() + payload)


def module_of(*sections: bytes) -> bytes:
    return HEADER_BYTES + b"".join(sections)


def function(body: bytes, type_section: bytes = b"\x01\x60\0\0") -> bytes:
    """A module with one function, of type 0, whose body (locals and instructions) is `body`."""
    return module_of(section(1, type_section), section(3, b"\x01\0"), section(10, b"\x01" + leb(len(body)) + body))


def supported_spec_modules() -> Iterator[tuple[str, Module]]:
    """The valid modules of the official test suite, without those that need what is not supported."""
    for name, bytecode in spec_modules():
        try:
            module = decode_module(bytecode)
            for code in module.codes:
                for _ in decode_instructions(bytecode, code.code_start, code.end):
                    pass
        except UnsupportedFeature:
            continue
        yield name, module
