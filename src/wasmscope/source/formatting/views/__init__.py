"""Strings, containers and options as what they mean, by the names and the layout of their library's types.

A view is made by a small function from the registry below. What it finds in the guest's memory may be uninitialised or
hostile: where it is not plausible there is no view, and the value is shown as it is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wasmscope.source.formatting.views import assemblyscript, libcxx, libcxx_nodes, rust, zig
from wasmscope.source.formatting.views.view import (
    EmptyView,
    MappingView,
    SequenceView,
    TextView,
    View,
    WrappedView,
)
from wasmscope.source.model import Language
from wasmscope.source.types import StructType, WasmType, stripped
from wasmscope.source.values.value import TypedValue

__all__ = ["EmptyView", "MappingView", "SequenceView", "TextView", "View", "WrappedView", "view_of"]

Maker = Callable[[TypedValue, StructType], View | None]

_STD = r"std::(?:__\w+::)?"
_REGISTRY: tuple[tuple[re.Pattern[str], Maker], ...] = tuple(
    (re.compile(pattern, re.DOTALL), maker)
    for pattern, maker in (
        (rf"{_STD}basic_string(?:<|$)", libcxx.string),
        (rf"{_STD}basic_string_view(?:<|$)", libcxx.string_view),
        (rf"{_STD}vector<bool", libcxx.bool_vector),
        (rf"{_STD}vector(?:<|$)", libcxx.vector),
        (rf"{_STD}array(?:<|$)", libcxx.array),
        (rf"{_STD}optional(?:<|$)", libcxx.optional),
        (rf"{_STD}(?:unique_ptr|shared_ptr|weak_ptr)(?:<|$)", libcxx.smart_pointer),
        (rf"{_STD}(?:multi)?map(?:<|$)", libcxx_nodes.map_),
        (rf"{_STD}(?:multi)?set(?:<|$)", libcxx_nodes.set_),
        (rf"{_STD}unordered_(?:multi)?map(?:<|$)", libcxx_nodes.unordered_map),
        (rf"{_STD}unordered_(?:multi)?set(?:<|$)", libcxx_nodes.unordered_set),
        (rf"{_STD}list(?:<|$)", libcxx_nodes.list_),
        (r"(?:&(?:mut )?|alloc::boxed::Box<|alloc::(?:rc|sync)::A?Rc<)str\b", rust.str_),
        (r"&(?:mut )?\[|alloc::boxed::Box<\[", rust.slice_),
        (r"alloc::string::String$", rust.string),
        (r"alloc::vec::Vec<", rust.vec),
        (r"alloc::collections::vec_deque::VecDeque<", rust.vec_deque),
        (r"std::collections::hash::map::HashMap<|hashbrown::map::HashMap<", rust.hash_map),
        (r"std::collections::hash::set::HashSet<|hashbrown::set::HashSet<", rust.hash_set),
        (r"(?:\[\]|\[:[^\]]*\])", zig.slice_),
    )
)


def view_of(value: TypedValue, language: Language) -> View | None:
    """What a value means; None: nothing but what it is built of, or what it holds is not plausible."""
    type_ = stripped(value.type)
    if isinstance(type_, WasmType) and language is Language.ASSEMBLYSCRIPT:
        return assemblyscript.string(value)
    if not isinstance(type_, StructType):
        return None
    name = type_.qualified_name or type_.name
    for pattern, maker in _REGISTRY:
        if pattern.match(name):
            return maker(value, type_)
    return zig.shaped(value, type_) if language is Language.ZIG else None
