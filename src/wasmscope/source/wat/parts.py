"""What several items of the text format are made of (Wasm spec 6.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wasmscope.wasm.instructions import Instruction, decode_instructions
from wasmscope.wasm.module import ConstExpr, Module
from wasmscope.wasm.names import NameMap, NameSection
from wasmscope.wasm.text import TextFormatter, format_name
from wasmscope.wasm.types import FuncType, GlobalType, Limits, PackedType, TableType, ValType

PLAIN_STRING_BYTES = frozenset(range(0x20, 0x7F)) - {ord('"'), ord("\\")}


def identifier(names: NameMap, index: int) -> str:
    """`$name (;index;)`, the name where there is one."""
    return f"{format_name(names[index])} (;{index};)" if index in names else f"(;{index};)"


def reference(names: NameMap, index: int) -> str:
    """`$name`, or the index."""
    return format_name(names[index]) if index in names else str(index)


def string(content: bytes) -> str:
    """A string with these bytes (Wasm spec 6.3.3)."""
    return '"' + "".join(chr(byte) if byte in PLAIN_STRING_BYTES else f"\\{byte:02x}" for byte in content) + '"'


def locals_clauses(
    word: str, types: Iterable[ValType], first: int, names: Mapping[int, str], formatter: TextFormatter
) -> str:
    """`(param $a i32) (param i32 i64)`: one with a name stands alone. `first` is the index of the first."""
    clauses: list[list[str]] = []
    is_open = False
    for index, value_type in enumerate(types, first):
        text = formatter.value_type(value_type)
        if index in names:
            clauses.append([word, format_name(names[index]), text])
            is_open = False
        elif is_open:
            clauses[-1].append(text)
        else:
            clauses.append([word, text])
            is_open = True
    return " ".join(f"({' '.join(clause)})" for clause in clauses)


def signature(func_type: FuncType, names: Mapping[int, str], formatter: TextFormatter) -> str:
    """Parameters, with the names of these locals, and results."""
    results = " ".join(map(formatter.value_type, func_type.results))
    params = locals_clauses("param", func_type.params, 0, names, formatter)
    return " ".join(filter(None, [params, f"(result {results})" if results else ""]))


def type_use(module: Module, names: NameSection, type_index: int, function: int | None = None) -> str:
    """`(type 0) (param i32)`: a function's type, of whose parameters the names are known if it is given (6.4.9)."""
    composite = module.types[type_index].composite if type_index < len(module.types) else None
    own = names.locals.get(function, {}) if function is not None else {}
    written = signature(composite, own, TextFormatter(module, names)) if isinstance(composite, FuncType) else ""
    return " ".join(filter(None, [f"(type {reference(names.types, type_index)})", written]))


def storage_type(storage: ValType | PackedType, mutable: bool, formatter: TextFormatter) -> str:
    """The type of a field or global: `(mut i32)`."""
    text = storage.value if isinstance(storage, PackedType) else formatter.value_type(storage)
    return f"(mut {text})" if mutable else text


def global_type(global_: GlobalType, formatter: TextFormatter) -> str:
    """A global type (Wasm spec 6.4.12)."""
    return storage_type(global_.value, global_.mutable, formatter)


def limits(bounds: Limits) -> str:
    """Address type and size bounds (Wasm spec 6.4.10), and what memories have besides."""
    return " ".join(
        filter(
            None,
            [
                "i64" if bounds.is64 else "",
                str(bounds.minimum),
                str(bounds.maximum) if bounds.maximum is not None else "",
                "shared" if bounds.shared else "",
                f"(pagesize {1 << bounds.page_size_log2:#x})" if bounds.page_size_log2 != 16 else "",
            ],
        )
    )


def table_type(table: TableType, formatter: TextFormatter) -> str:
    """A table type (Wasm spec 6.4.11)."""
    return f"{limits(table.limits)} {formatter.value_type(table.element)}"


def const_instructions(module: Module, expression: ConstExpr) -> list[Instruction]:
    """The instructions of a constant expression, without its `end`."""
    return list(decode_instructions(module.bytecode, expression.start, expression.end))[:-1]


def const_expr(module: Module, expression: ConstExpr, formatter: TextFormatter) -> str:
    """The instructions of a constant expression in one line."""
    return " ".join(map(formatter.instruction, const_instructions(module, expression)))


def folded(word: str, module: Module, expression: ConstExpr, formatter: TextFormatter) -> str:
    """`(i32.const 0)` where it is one instruction, else `(word ...)`."""
    text = const_expr(module, expression, formatter)
    return f"({text})" if len(const_instructions(module, expression)) == 1 else f"({word} {text})"
