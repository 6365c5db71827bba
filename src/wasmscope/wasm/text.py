"""Instructions in the text format (Wasm spec 6.5), as `wasm-tools print` writes them, without its comments.

Names come from the module, which may be hostile: what is no plain identifier is quoted and escaped, long names are cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from wasmscope.wasm.floats import format_float
from wasmscope.wasm.instructions import BlockType, CastBranch, Catch, Instruction, MemArg
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameMap, NameSection
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.types import FuncType, HeapType, ValType, ref_type

_PLAIN_IDENTIFIER = re.compile(r"[0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~]+")
_LONGEST_NAME = 120

_NO_NAMES = NameSection()

_NAMED = {
    Imm.FUNC: "functions",
    Imm.TYPE: "types",
    Imm.TABLE: "tables",
    Imm.MEMORY: "memories",
    Imm.GLOBAL: "globals",
    Imm.TAG: "tags",
    Imm.DATA: "data",
    Imm.ELEM: "elements",
}
"""Immediates that index a space of the module -> the names of that space."""

_FIRST_IMPLIED = {
    "memory.size": 1,
    "memory.grow": 1,
    "memory.fill": 1,
    "memory.copy": 2,
    "table.copy": 2,
}
"""Instructions that leave their indices out where all are 0, and how many they have."""


def format_instruction(
    instruction: Instruction,
    module: Module | None = None,
    names: NameSection | None = None,
    function: int | None = None,
) -> str:
    """One line for `instruction`.

    With `module` the signature of a block type is written out; with `names` indices become names where there are any;
    locals need to know the `function` for it.
    """
    return TextFormatter(module, names or _NO_NAMES, function).instruction(instruction)


def format_name(name: str) -> str:
    """A name as an identifier (Wasm spec 6.3.5), safe to print."""
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - 1] + "…"
    if _PLAIN_IDENTIFIER.fullmatch(name):
        return f"${name}"
    return f'$"{"".join(map(_escaped, name))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    # Not only control characters: direction marks and the like would change how the line around them is shown.
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


class TextFormatter:
    """Writes what stands in a `function`, or outside of functions if that is None, with the names of `names`.

    `label` says how a label is written that is so many blocks further out; of a branch table not more than
    `most_labels` are written.
    """

    def __init__(
        self,
        module: Module | None,
        names: NameSection,
        function: int | None = None,
        label: Callable[[int], str] = str,
        most_labels: int | None = None,
    ) -> None:
        self._module = module
        self._names = names
        self._function = function
        self._label = label
        self._most_labels = most_labels

    def instruction(self, instruction: Instruction) -> str:
        """One line."""
        opcode = instruction.opcode
        return " ".join([opcode.mnemonic, *filter(None, self._operands(instruction))])

    def _operands(self, instruction: Instruction) -> list[str]:
        name, immediates = instruction.opcode.name, instruction.immediates
        if not any(immediates) and _FIRST_IMPLIED.get(name) == len(immediates):
            return []
        match name:
            case "memory.init" | "table.init":
                segment, place = self._each(instruction)
                return [place if immediates[1] else "", segment]
            case "call_indirect" | "return_call_indirect":
                type_index, table = self._each(instruction)
                return [table if immediates[1] else "", f"(type {type_index})"]
            case "struct.get" | "struct.get_s" | "struct.get_u" | "struct.set":
                fields = self._names.fields.get(immediates[0], {})
                return [self._named(self._names.types, immediates[0]), self._named(fields, immediates[1])]
            case "ref.test" | "ref.test null" | "ref.cast" | "ref.cast null":
                return [self.value_type(ref_type(immediates[0], name.endswith("null")))]
            case _ if Imm.MEMARG in instruction.opcode.immediates:
                width = instruction.opcode.memory_access
                assert width is not None
                return [*self._memarg(immediates[0], width), *map(str, immediates[1:])]
            case _:
                return self._each(instruction)

    def _each(self, instruction: Instruction) -> list[str]:
        return [
            self._immediate(kind, value)
            for kind, value in zip(instruction.opcode.immediates, instruction.immediates, strict=True)
        ]

    def _immediate(self, kind: Imm, value: Any) -> str:
        if kind in _NAMED:
            return self._named(getattr(self._names, _NAMED[kind]), value)
        match kind:
            case Imm.LOCAL:
                own = self._names.locals.get(self._function, {}) if self._function is not None else {}
                return self._named(own, value)
            case Imm.BLOCK_TYPE:
                return self._block_type(value)
            case Imm.LABEL:
                return self._label(value)
            case Imm.LABELS:
                return self._labels(*value)
            case Imm.F32 | Imm.F64:
                return format_float(value)
            case Imm.V128:
                lanes = (int.from_bytes(value[at : at + 4], "little") for at in range(0, 16, 4))
                return "i32x4 " + " ".join(f"0x{lane:08x}" for lane in lanes)
            case Imm.LANES16:
                return " ".join(map(str, value))
            case Imm.HEAP_TYPE:
                return self.heap_type(value)
            case Imm.VAL_TYPES:
                return f"(result {' '.join(map(self.value_type, value))})"
            case Imm.CATCHES:
                return " ".join(map(self._catch, value))
            case Imm.CAST_FLAGS:
                return self._cast(value)
            case Imm.ORDERING:
                return ""
            case _:
                return str(value)

    def _named(self, names: NameMap | Mapping[int, str], index: int) -> str:
        return format_name(names[index]) if index in names else str(index)

    def _labels(self, labels: tuple[int, ...], default: int) -> str:
        shown = labels[: self._most_labels]
        cut = [f"(;{len(labels) - len(shown)} more;)"] if len(shown) < len(labels) else []
        return " ".join([*map(self._label, shown), *cut, self._label(default)])

    def heap_type(self, heap: HeapType) -> str:
        """A heap type (Wasm spec 6.4.3)."""
        return self._named(self._names.types, heap) if isinstance(heap, int) else heap

    def value_type(self, value_type: ValType) -> str:
        """A value type (Wasm spec 6.4.5)."""
        if not isinstance(value_type.heap, int):
            return value_type.name
        return f"(ref {'null ' if value_type.nullable else ''}{self.heap_type(value_type.heap)})"

    def _block_type(self, block_type: BlockType) -> str:
        if block_type.value_type is not None:
            return f"(result {self.value_type(block_type.value_type)})"
        if block_type.type_index is None:
            return ""
        reference = f"(type {self._named(self._names.types, block_type.type_index)})"
        types = self._module.types if self._module else ()
        composite = types[block_type.type_index].composite if block_type.type_index < len(types) else None
        if not isinstance(composite, FuncType):
            return reference
        clauses = [("param", composite.params), ("result", composite.results)]
        return " ".join([reference, *(f"({word} {self._types(types)})" for word, types in clauses if types)])

    def _types(self, types: tuple[ValType, ...]) -> str:
        return " ".join(map(self.value_type, types))

    def _memarg(self, memarg: MemArg, width: int) -> list[str]:
        return [
            self._named(self._names.memories, memarg.memory) if memarg.memory else "",
            f"offset={memarg.offset}" if memarg.offset else "",
            f"align={1 << memarg.align}" if 1 << memarg.align != width else "",
        ]

    def _catch(self, catch: Catch) -> str:
        tag = "" if catch.tag is None else f" {self._named(self._names.tags, catch.tag)}"
        return f"({catch.kind}{tag} {self._label(catch.label)})"

    def _cast(self, cast: CastBranch) -> str:
        return f"{self._label(cast.label)} {self.value_type(cast.source)} {self.value_type(cast.target)}"
