"""A module by which the engine says whether a reference is of a type: a global takes no others.

::

    (module (type ...the original's...)
      (global (export "") (mut (ref null 3)) (ref.null 3)))

Setting a global runs no code of a guest's, so this may be asked on any thread that may use the store.
"""

from __future__ import annotations

from wasmscope.wasm import writer
from wasmscope.wasm.decode.module import HEADER
from wasmscope.wasm.encode.exports import encode_export
from wasmscope.wasm.encode.globals_ import encode_global
from wasmscope.wasm.encode.section import encode_section
from wasmscope.wasm.encode.types import encode_heap_type, encode_types
from wasmscope.wasm.module import ExternKind, Module
from wasmscope.wasm.sections import SectionId
from wasmscope.wasm.types import GlobalType, HeapType, ref_type

_REF_NULL, _END = b"\xd0", b"\x0b"


def make_reference_type(module: Module, heap: HeapType) -> bytes:
    """The module for references to `heap`, a type of `module`'s."""
    global_type = GlobalType(ref_type(heap, True), True)
    global_ = encode_global(global_type, _REF_NULL + encode_heap_type(heap) + _END)
    sections = [
        (SectionId.TYPE, encode_types(module.types, module.rec_groups)),
        (SectionId.GLOBAL, writer.vector([global_])),
        (SectionId.EXPORT, writer.vector([encode_export("", ExternKind.GLOBAL, 0)])),
    ]
    return HEADER + b"".join(encode_section(section, payload) for section, payload in sections)
