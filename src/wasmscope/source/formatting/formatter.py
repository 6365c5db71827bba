"""A value as text, in one line or in several, in the notation of its language and within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.formatting.numbers import lettered_number, plain_number
from wasmscope.source.formatting.options import FormatOptions
from wasmscope.source.formatting.strings import c_string, character_array, string_width
from wasmscope.source.formatting.text import printable, quoted
from wasmscope.source.formatting.type_names import type_name
from wasmscope.source.formatting.views import (
    EmptyView,
    MappingView,
    SequenceView,
    TextView,
    View,
    WrappedView,
    view_of,
)
from wasmscope.source.locations import InWasm
from wasmscope.source.model import Language
from wasmscope.source.types import (
    ArrayType,
    BrokenType,
    FunctionType,
    PointerKind,
    PointerType,
    StructType,
    UnspecifiedType,
    WasmType,
    size_of,
    stripped,
)
from wasmscope.source.values.children import Child, dereference, element_count, elements, members
from wasmscope.source.values.scalars import bits_of, decode, is_scalar, value_size
from wasmscope.source.values.value import TypedValue, loaded
from wasmscope.wasm.types import V128

_REPEATED = 10
"""As many equal elements in a row are written once."""
_MOST_BYTES = 64
"""Of a value that is shown as bytes."""
_MORE = "..."


@dataclass(frozen=True, slots=True)
class _Style:
    opening: str
    closing: str
    between: str
    """The name of a member and its value."""
    prefix: str = ""
    """Before the name."""
    list_opening: str = "{"
    list_closing: str = "}"


_C = _Style("{", "}", " = ")
_RUST = _Style("{", "}", ": ", list_opening="[", list_closing="]")
_ZIG = _Style(".{ ", " }", " = ", ".", ".{ ", " }")
_STYLES = {Language.RUST: _RUST, Language.ZIG: _ZIG}


def format_value(value: TypedValue, options: FormatOptions | None = None) -> str:
    """`value` as text; a pointer or reference with its type before it, as gdb's `print` has it."""
    options = options or FormatOptions()
    return _Writer(options).top(value)


class _Writer:
    """Writes one value; `_left` is how many more it may take apart."""

    def __init__(self, options: FormatOptions) -> None:
        self._options = options
        self._style = _STYLES.get(options.language, _C)
        self._left = options.max_values

    def top(self, value: TypedValue) -> str:
        type_ = stripped(value.type)
        text = self._text(value, 0)
        if not isinstance(type_, PointerType) or self._options.letter not in (None, "s") or text.startswith("<"):
            return text
        if string_width(loaded(type_.target)) and type_.kind is PointerKind.POINTER:
            return text
        return f"({type_name(value.type, self._options.language)}) {text}"

    def _text(self, value: TypedValue, depth: int) -> str:
        self._left -= 1
        if self._left < 0:
            return _MORE
        if isinstance(value.where, Unavailable):
            return _unavailable(value.where)
        type_ = stripped(value.type)
        if not self._options.is_raw and self._options.letter in (None, "s"):
            view = view_of(value, self._options.language)
            text = self._view(view, depth) if view is not None else None
            if text is not None:
                return text
        match type_:
            case None:
                return "void"
            case BrokenType(reason):
                return _unavailable(Unavailable(f"its type cannot be read: {reason}"))
            case StructType():
                return self._struct(value, type_, depth)
            case ArrayType():
                return self._array(value, type_, depth)
            case FunctionType():
                return f"{{{type_name(value.type, self._options.language)}}}"
            case PointerType():
                return self._pointer(value, type_, depth)
            case WasmType():
                return self._wasm(value, type_)
            case _:
                return self._number(value)

    # -- numbers and pointers ----------------------------------------------------------------------------------------

    def _number(self, value: TypedValue) -> str:
        type_ = stripped(value.type)
        bits = bits_of(value)
        if isinstance(bits, Unavailable):
            return _unavailable(bits)
        width = value.bit_size if value.bit_size is not None else (value_size(type_) or 0) * 8
        letter = self._options.letter
        if letter is not None and letter != "s" and width:
            return lettered_number(letter, type_, bits, width)
        if isinstance(type_, UnspecifiedType):
            return "nullptr" if bits == 0 and "nullptr" in type_.name else f"{bits:#x}"
        if not is_scalar(type_):
            return self._bytes(bits, width)
        return plain_number(type_, decode(type_, bits, value.bit_size), bits, width, self._options.language)

    def _bytes(self, bits: int, width: int) -> str:
        data = bits.to_bytes(-(-width // 8), "little")
        more = f" {_MORE}" if len(data) > _MOST_BYTES else ""
        return f"<bytes {data[:_MOST_BYTES].hex(' ')}{more}>" if data else "<no bytes>"

    def _wasm(self, value: TypedValue, type_: WasmType) -> str:
        if type_.value_type.is_ref:
            if not isinstance(value.where, InWasm):
                return _unavailable(Unavailable("a reference cannot be kept"))
            text = value.machine.reference(value.where.space, value.where.index)
            return _unavailable(text) if isinstance(text, Unavailable) else printable(text)
        if type_.value_type is V128:
            bits = bits_of(value)
            if isinstance(bits, Unavailable):
                return _unavailable(bits)
            lanes = (bits >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96))
            return "i32x4 " + " ".join(f"0x{lane:08x}" for lane in lanes)
        return self._number(value)

    def _pointer(self, value: TypedValue, type_: PointerType, depth: int) -> str:
        bits = bits_of(value)
        if isinstance(bits, Unavailable):
            return _unavailable(bits)
        letter, target = self._options.letter, loaded(type_.target)
        if letter is not None and letter not in "sa":
            return lettered_number(letter, type_, bits, type_.size * 8)
        if isinstance(stripped(target), FunctionType):
            return self._function_pointer(value, bits)
        if type_.kind is not PointerKind.POINTER:
            return f"@{bits:#x}: {self._text(dereference(value), depth + 1)}" if depth < 2 else f"@{bits:#x}"
        width = string_width(target)
        if (
            width
            and bits
            and letter != "a"
            and not self._options.is_raw
            and self._options.language is not Language.RUST
        ):
            text = c_string(value.machine, bits, width, self._options.max_characters)
            return f"{bits:#x} {_unavailable(text) if isinstance(text, Unavailable) else text}"
        return f"{bits:#x}"

    def _function_pointer(self, value: TypedValue, entry: int) -> str:
        if entry == 0:
            return "0x0"
        function = value.machine.table_function(entry)
        if isinstance(function, Unavailable):
            return f"{entry:#x} {_unavailable(function)}"
        return f"{entry:#x} <{printable(value.machine.function_name(function))}>"

    # -- what has parts ----------------------------------------------------------------------------------------------

    def _struct(self, value: TypedValue, type_: StructType, depth: int) -> str:
        if type_.is_declaration:
            return "<incomplete type>"
        if depth >= self._options.max_depth:
            return f"{{{_MORE}}}"
        children = members(value, 0, self._options.max_elements + 1)
        if self._options.language is Language.RUST:
            return self._rust_struct(type_, children, depth)
        items = [self._member(child, depth) for child in self._shown(children)]
        return self._composite(self._style.opening, items, self._style.closing, depth, len(children) > len(items))

    def _member(self, child: Child, depth: int) -> str:
        text = self._text(child.value, depth + 1)
        if child.is_base:
            return f"<{printable(child.name)}>{self._style.between}{text}"
        return f"{self._style.prefix}{printable(child.name)}{self._style.between}{text}" if child.name else text

    def _rust_struct(self, type_: StructType, children: Sequence[Child], depth: int) -> str:
        name = printable(type_.name.split("<")[0])
        if type_.variant_parts and len(children) == 1:
            return self._text(children[0].value, depth)
        if not children:
            return name or "()"
        shown = self._shown(children)
        is_tuple = all(child.name.startswith("__") and child.name[2:].isdigit() for child in children)
        if is_tuple:
            items = [self._text(child.value, depth + 1) for child in shown]
            opening = "(" if name.startswith("(") else f"{name}("
            return self._composite(opening, items, ")", depth, len(children) > len(items))
        items = [self._member(child, depth) for child in shown]
        return self._composite(f"{name} {{", items, "}", depth, len(children) > len(items))

    def _shown(self, children: Sequence[Child]) -> Sequence[Child]:
        return children[: min(self._options.max_elements, max(self._left, 0))]

    def _array(self, value: TypedValue, type_: ArrayType, depth: int) -> str:
        total = element_count(value)
        if total is None:
            return _unavailable(Unavailable("how many elements it has is not known"))
        if len(type_.counts) <= 1 and self._options.letter in (None, "s") and not self._options.is_raw:
            width = string_width(type_.element.get(), is_array=True)
            if width and self._options.language not in (Language.RUST, Language.ZIG):
                text = character_array(value, total, width, self._options.max_characters)
                return _unavailable(text) if isinstance(text, Unavailable) else text
        if depth >= self._options.max_depth:
            return f"{{{_MORE}}}"
        if size_of(type_.element.get()) is None and total:
            return _unavailable(Unavailable("the size of its elements is not known"))
        return self._sequence(SequenceView(total, lambda start, count: elements(value, start, count)), depth)

    def _view(self, view: View, depth: int) -> str | None:
        match view:
            case TextView(start, length, width):
                shown = min(length, self._options.max_characters)
                data = start.read(shown * width)
                return None if isinstance(data, Unavailable) else quoted(data, width, is_cut=shown < length)
            case EmptyView(text):
                return printable(text)
            case WrappedView(label, value):
                inner = self._text(value, depth + 1)
                return f".{{ {label}{inner} }}" if label else inner
            case SequenceView():
                return self._sequence(view, depth)
            case MappingView(count, page):
                if depth >= self._options.max_depth:
                    return f"{{{_MORE}}}"
                pairs = page(0, self._room(count))
                items = [f"[{self._text(key, depth + 1)}] = {self._text(each, depth + 1)}" for key, each in pairs]
                return self._composite("{", items, "}", depth, count > len(items))

    def _room(self, count: int) -> int:
        return max(min(count, self._options.max_elements, self._left), 0)

    def _sequence(self, view: SequenceView, depth: int) -> str:
        style = self._style
        if depth >= self._options.max_depth:
            return f"{style.list_opening}{_MORE}{style.list_closing}"
        found = view.page(0, self._room(view.count))
        texts = [self._text(each, depth + 1) for each in found]
        items = [item for text, group in groupby(texts) for item in _repeated(text, len(list(group)))]
        return self._composite(style.list_opening, items, style.list_closing, depth, view.count > len(texts))

    def _composite(self, opening: str, items: list[str], closing: str, depth: int, has_more: bool) -> str:
        items = [*items, _MORE] if has_more else items
        if not items:
            return f"{opening.rstrip()}{closing.lstrip()}"
        if not self._options.is_multi_line:
            return f"{opening}{', '.join(items)}{closing}"
        margin = "  " * depth
        lines = ",\n".join(f"{margin}  {item}" for item in items)
        return f"{opening.rstrip()}\n{lines}\n{margin}{closing.lstrip()}"


def _repeated(text: str, times: int) -> list[str]:
    return [f"{text} <repeats {times} times>"] if times >= _REPEATED else [text] * times


def _unavailable(why: Unavailable) -> str:
    if why.reason.startswith("optimised out"):
        return "<optimized out>"
    return f"<unavailable: {printable(why.reason)}>"
