"""One function in the text format: a line for its head, some for its locals, one for each instruction.

Lines are found by counting, so that any of them can be had without those before it. They count from 1::

    1   (func $gcd (;3;) (type 0) (param $a i32) (param $b i32) (result i32)
    2     (local $var2 i32)
    3     loop ;; label = @1
    4       local.get $a
          ...
    n   )                                                 the final `end`
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import partial
from itertools import islice

from wasmscope.analysis.tokenizer import instruction_offsets
from wasmscope.errors import WasmscopeError
from wasmscope.source.local_types import local_types, num_locals, params_of
from wasmscope.source.wat.floats import decimal
from wasmscope.source.wat.nesting import Nesting, Position
from wasmscope.source.wat.parts import identifier, locals_clauses, type_use
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.instructions import Instruction, decode_instruction
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import NameMap, NameSection
from wasmscope.wasm.opcodes import Imm
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.text import TextFormatter, format_name

_LOCALS_A_LINE = 8
_DEEPEST_INDENTATION = 50
"""As `wasm-tools print` has it: a function of blocks in blocks would be quadratic in size otherwise."""

_FARTHEST_NAMED = 1000
"""Labels further out are written as numbers: for a name, all blocks between have to be looked at."""


class FunctionText:
    """A function that `module` defines; `function` counts imports too.

    `names` may lack names: what has none is written as its index. `most_labels` limits how much of a branch table is
    written. Raises `DecodeError` or `UnsupportedFeature` where the body cannot be cut into instructions.
    """

    def __init__(self, module: Module, names: NameSection, function: int, most_labels: int | None = None) -> None:
        self._module = module
        self._names = names
        self._function = function
        self._most_labels = most_labels
        self._code = module.codes[function - module.num_imported_functions]
        self._num_params = len(params_of(module, function))
        self._offsets = instruction_offsets(module, self._code)
        self._nesting = Nesting(module.bytecode, self._offsets)
        self._first = 2 + -(-(num_locals(module, function) - self._num_params) // _LOCALS_A_LINE)

    @property
    def num_lines(self) -> int:
        """How many lines it has."""
        return self._first + len(self._offsets) - 1

    @property
    def num_instructions(self) -> int:
        """How many instructions it has, the final `end` too."""
        return len(self._offsets)

    def line_at(self, pc: int) -> int | None:
        """The line of the instruction that `pc` is in; None: `pc` is not in the function's code."""
        if not self._code.code_start <= pc < self._code.end:
            return None
        return self._first + bisect_right(self._offsets, pc) - 1

    def pc_of(self, line: int) -> int | None:
        """The pc of the line's instruction; None for lines that have none."""
        index = line - self._first
        return self._offsets[index] if 0 <= index < len(self._offsets) else None

    def end_of(self, line: int) -> int | None:
        """The pc behind the line's instruction; None for lines that have none."""
        index = line - self._first
        if not 0 <= index < len(self._offsets):
            return None
        return self._offsets[index + 1] if index + 1 < len(self._offsets) else self._code.end

    @property
    def first_code_line(self) -> int:
        """The line of the first instruction."""
        return self._first

    def lines(self, first: int = 1, last: int | None = None) -> Iterator[str]:
        """The lines from `first` to `last`, that one too; those that are not there are left out."""
        last = self.num_lines if last is None else min(last, self.num_lines)
        for line in range(max(first, 1), min(last, self._first - 1) + 1):
            yield self._head() if line == 1 else self._locals(line - 2)
        begin = max(first - self._first, 0)
        count = max(last - self._first + 1 - begin, 0)
        yield from map(self._instruction, islice(self._nesting.walk(begin), count))

    def _head(self) -> str:
        index = self._function
        parts = [
            "(func",
            identifier(self._names.functions, index),
            type_use(self._module, self._names, self._module.func_type_index(index), index),
        ]
        return " ".join(filter(None, parts))

    def _locals(self, group: int) -> str:
        first = self._num_params + group * _LOCALS_A_LINE
        shown = islice(local_types(self._module, self._function), first, first + _LOCALS_A_LINE)
        formatter = TextFormatter(self._module, self._names)
        names = self._names.locals.get(self._function, {})
        return "  " + locals_clauses("local", shown, first, names, formatter)

    def _instruction(self, position: Position) -> str:
        if position.number == len(self._offsets) - 1:
            return ")"
        offset = self._offsets[position.number]
        try:
            instruction = decode_instruction(Reader(self._module.bytecode, offset, self._code.end))
        except WasmscopeError as error:
            return f"  ;; no instruction: {escaped(str(error))}"  # only its length was known before
        formatter = TextFormatter(
            self._module, self._names, self._function, partial(self._label, position), self._most_labels
        )
        text = self._completed(formatter.instruction(instruction), instruction, position)
        outward = instruction.opcode.name in ("end", "else")
        return "  " * (1 + min(max(position.level - outward, 0), _DEEPEST_INDENTATION)) + text

    def _completed(self, text: str, instruction: Instruction, position: Position) -> str:
        """With the label of the block that it opens, or else a comment; with the value of a float."""
        kinds = instruction.opcode.immediates
        if Imm.BLOCK_TYPE in kinds:
            name = self._labels.get(position.next_block)
            mnemonic, space, rest = text.partition(" ")
            if name:
                return f"{mnemonic} {format_name(name)}{space}{rest}"
            return f"{text} ;; label = @{position.level + 1}"
        if kinds in ((Imm.F32,), (Imm.F64,)):
            return f"{text} (;={decimal(instruction.immediates[0])};)"
        return text

    def _label(self, position: Position, distance: int) -> str:
        """How the label that is `distance` blocks further out is written."""
        if distance >= position.level:
            return str(distance)  # the function itself, or nothing
        return self._name_of_label(position, distance) or f"{distance} (;@{position.level - distance};)"

    def _name_of_label(self, position: Position, distance: int) -> str | None:
        """None where it has no name, or a block inside it has the same."""
        if not self._labels or distance > _FARTHEST_NAMED:
            return None
        *inside, block = islice(self._nesting.around(position.block), distance + 1)
        name = self._labels.get(block)
        return format_name(name) if name and name not in map(self._labels.get, inside) else None

    @property
    def _labels(self) -> NameMap:
        return self._names.labels.get(self._function, {})
