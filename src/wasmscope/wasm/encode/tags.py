"""Tag types and the tag section (Wasm spec 5.3.14 and 5.5.16)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmscope.wasm import writer
from wasmscope.wasm.types import TagType


def encode_tag_type(tag: TagType) -> bytes:
    """A tag type."""
    return b"\x00" + writer.unsigned(tag.type_index)


def encode_tags(type_indices: Sequence[int]) -> bytes:
    """The payload of the tag section."""
    return writer.vector([encode_tag_type(TagType(index)) for index in type_indices])
