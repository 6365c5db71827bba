"""A position in the bytes of a module, and the primitive values that can be read there (Wasm spec 5.2)."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits


class Reader:
    """Reads `bytecode[offset:end]`, never beyond; every error carries the offset it is about."""

    __slots__ = ("bytecode", "end", "offset")

    def __init__(self, bytecode: bytes, offset: int = 0, end: int | None = None) -> None:
        self.bytecode = bytecode
        self.offset = offset
        self.end = len(bytecode) if end is None else end

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.offset

    def at_end(self) -> bool:
        """Whether everything was read."""
        return self.offset >= self.end

    def peek(self) -> int:
        """The next byte, which stays unread."""
        if self.offset >= self.end:
            raise DecodeError("unexpected end", self.offset)
        return self.bytecode[self.offset]

    def u8(self) -> int:
        """One byte."""
        offset = self.offset
        if offset >= self.end:
            raise DecodeError("unexpected end", offset)
        self.offset = offset + 1
        return self.bytecode[offset]

    def bytes(self, size: int) -> bytes:
        """`size` bytes."""
        start = self.skip(size)
        return self.bytecode[start : self.offset]

    def skip(self, size: int) -> int:
        """Goes over `size` bytes; returns where they start."""
        start = self.offset
        if size > self.end - start:
            raise DecodeError("unexpected end", self.end)
        self.offset = start + size
        return start

    def u32(self) -> int:
        """An unsigned 32-bit LEB128 integer."""
        # Most are of one byte, and there are very many.
        offset = self.offset
        if offset < self.end and (byte := self.bytecode[offset]) < 0x80:
            self.offset = offset + 1
            return byte
        return self._unsigned(32)

    def u64(self) -> int:
        """An unsigned 64-bit LEB128 integer."""
        return self._unsigned(64)

    def s32(self) -> int:
        """A signed 32-bit LEB128 integer."""
        return self._signed(32)

    def s33(self) -> int:
        """A signed 33-bit LEB128 integer, as block types and heap types have it."""
        return self._signed(33)

    def s64(self) -> int:
        """A signed 64-bit LEB128 integer."""
        return self._signed(64)

    def _unsigned(self, bits: int) -> int:
        start = self.offset
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                raise DecodeError("integer representation too long", start)
        if value >> bits:
            raise DecodeError("integer too large", start)
        return value

    def _signed(self, bits: int) -> int:
        start = self.offset
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                raise DecodeError("integer representation too long", start)
        if byte & 0x40:
            value -= 1 << shift
        # The bits beyond the type's width have to repeat its sign bit.
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise DecodeError("integer too large", start)
        return value

    def count(self, limit: int, what: str) -> int:
        """The length of a vector, checked before anything is set aside for its items (each has one byte at least)."""
        start = self.offset
        count = self.u32()
        if count > limit:
            raise DecodeError(f"too many {what}: {count} exceeds the limit of {limit}", start)
        if count > self.left:
            raise DecodeError(f"unexpected end: {count} {what} do not fit in the {self.left} bytes left", start)
        return count

    def name(self) -> str:
        """A name: UTF-8 with its length in front (Wasm spec 5.2.4)."""
        size = self.count(limits.STRING_BYTES, "bytes in a name")
        start = self.offset
        try:
            return self.bytes(size).decode()
        except UnicodeDecodeError as error:
            raise DecodeError("malformed UTF-8 encoding", start + error.start) from None
