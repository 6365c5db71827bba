"""A whole module in the text format, line by line: what `wasm-tools parse` makes the same module of again."""

from __future__ import annotations

from collections.abc import Iterator

from wasmscope.source.wat.function import FunctionText
from wasmscope.source.wat.items import ItemsText
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameSection
from wasmscope.wasm.text import format_name


def module_lines(module: Module, names: NameSection, most: int | None = None) -> Iterator[str]:
    """The lines of `module`, each made when it is taken; custom sections are left out.

    `most` limits how many elements, bytes and labels are written of one item, which cannot be parsed again then. Raises
    `DecodeError` or `UnsupportedFeature` where a function or constant expression is not made of instructions.
    """
    yield f"(module {format_name(names.module)}" if names.module else "(module"
    items = ItemsText(module, names, most)
    for line in items.before_functions():
        yield f"  {line}"
    for index in range(len(module.codes)):
        for line in FunctionText(module, names, module.num_imported_functions + index, most).lines():
            yield f"  {line}"
    for line in items.after_functions():
        yield f"  {line}"
    yield ")"
