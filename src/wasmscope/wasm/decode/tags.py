"""Tag types and the tag section (Wasm spec 5.3.14 and 5.5.16)."""

from __future__ import annotations

from wasmscope.errors import DecodeError
from wasmscope.wasm import limits
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.types import TagType


def decode_tag_type(reader: Reader) -> TagType:
    """A tag type."""
    start = reader.offset
    if reader.u8() != 0x00:
        raise DecodeError("malformed tag attribute", start)
    return TagType(reader.u32())


def decode_tags(reader: Reader) -> tuple[int, ...]:
    """The tag section: type indices."""
    return tuple([decode_tag_type(reader).type_index for _ in range(reader.count(limits.TAGS, "tags"))])
