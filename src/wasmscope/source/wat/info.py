"""The text format as debug information: every function is a source file, every instruction a line of it.

Nothing is printed but what is asked for: a file's lines are counted, not made, to find a pc.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from wasmscope.errors import WasmscopeError
from wasmscope.source.model import (
    Language,
    LineRow,
    PcRange,
    Place,
    Places,
    Scope,
    SourceFile,
    SourceFrame,
    SourceFunction,
    SourceLocation,
    Variable,
)
from wasmscope.source.names import ModuleNames
from wasmscope.source.types import Type
from wasmscope.source.wasm_functions import WasmFunctions
from wasmscope.source.wat.function import FunctionText
from wasmscope.source.wat.items import ItemsText
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import Module

MOST_FILES = 20_000
"""Of a module with more functions `files` gives these; the others are there too, by their number."""

MOST_OF_ONE = 1_000
"""Labels of a branch table, elements or bytes of a segment that are written."""

MODULE_FILE = "module.wat"
"""The file with all that is not a function: types, imports, memories, segments and so on."""

_KEPT_INSTRUCTIONS = 2_000_000
"""Functions whose lines were counted are kept as long as they, and their instructions together, are no more."""

_KEPT_FUNCTIONS = 256

_NUMBER = re.compile(r"(\d{1,7})(?:\.[^/]*)?\.wat")
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_FILE_NAME = 60


class WatInfo:
    """The `DebugInfo` that every module has. `label` is the folder of its files: what users call the module.

    The file of function 3, `$main`, is `label/3.main.wat`; it is also found as `3.wat` and by the function's name, as
    `main.wat`.
    """

    def __init__(self, module: Module, names: ModuleNames, label: str = "") -> None:
        self._module = module
        self._names = names
        self._section = names.as_section()
        self._label = _NOT_IN_FILE_NAMES.sub("_", (label or names.module)[:_LONGEST_FILE_NAME]) or "module"
        self._functions = WasmFunctions(module, names, lambda _: Language.WAT, unnamed_are_artificial=False)
        self._texts: OrderedDict[int, FunctionText] = OrderedDict()
        self._problems: dict[int, str] = {}

    def problems(self) -> tuple[str, ...]:
        """As `DebugInfo` says."""
        more = len(self._module.codes) - MOST_FILES
        note = [f"{more} functions are not listed: their files are opened by their numbers"] if more > 0 else []
        return (*note, *self._problems.values(), *self._functions.problems())

    def files(self) -> tuple[SourceFile, ...]:
        """As `DebugInfo` says."""
        first = self._module.num_imported_functions
        listed = range(first, first + min(len(self._module.codes), MOST_FILES))
        return (self._source_file(MODULE_FILE), *map(self._file, listed))

    def text(self, path: str, first: int = 1, last: int | None = None) -> tuple[str, ...] | None:
        """The lines `first` to `last`, that one too, of the file at `path`; None: there is no such file."""
        last = last if last is not None else MOST_OF_ONE * MOST_OF_ONE
        if path.rpartition("/")[2] == MODULE_FILE:
            return tuple(islice(self._items(), max(first - 1, 0), max(last, 0)))
        function = self._function_of(path)
        text = self._text(function) if function is not None else None
        if text is None:
            return None
        return tuple(text.lines(first, last))

    def num_lines(self, path: str) -> int | None:
        """How many lines the file of a function has; None: there is no such file."""
        function = self._function_of(path)
        text = self._text(function) if function is not None else None
        return text.num_lines if text is not None else None

    def location_at(self, pc: int) -> SourceLocation | None:
        """As `DebugInfo` says."""
        row = self.row_at(pc)
        return row.location if row is not None else None

    def row_at(self, pc: int) -> LineRow | None:
        """As `DebugInfo` says: an instruction."""
        function = self._index_at(pc)
        text = self._text(function) if function is not None else None
        line = text.line_at(pc) if text is not None else None
        if function is None or text is None or line is None:
            return None
        start, end = text.pc_of(line), text.end_of(line)
        assert start is not None
        assert end is not None
        location = SourceLocation(self._file(function), line)
        return LineRow(start, end, location, prologue_end=line == text.first_code_line)

    def places(self, path: str, line: int) -> Places:
        """As `DebugInfo` says: an instruction, or the first one for the lines above it."""
        function = self._function_of(path)
        text = self._text(function) if function is not None else None
        if function is None or text is None:
            return Places(line, line, ())
        found = max(line, text.first_code_line)
        pc = text.pc_of(found)
        if pc is None:
            return Places(line, line, ())
        place = Place(pc, SourceLocation(self._file(function), found), self._functions.function(function))
        return Places(line, found, (place,))

    def entry_place(self, function: SourceFunction) -> Place | None:
        """As `DebugInfo` says: the first instruction."""
        start = function.entry
        row = self.row_at(start) if start is not None else None
        return Place(row.pc, row.location, function) if row is not None else None

    def functions_named(self, name: str) -> tuple[SourceFunction, ...]:
        """As `DebugInfo` says."""
        return self._functions.functions_named(name)

    def function_at(self, pc: int) -> SourceFunction | None:
        """As `DebugInfo` says."""
        return self._functions.function_at(pc)

    def frames_at(self, pc: int) -> tuple[SourceFrame, ...]:
        """As `DebugInfo` says: always one."""
        return self._functions.frames_at(pc, self.location_at(pc))

    def scopes_at(self, pc: int, depth: int = 0) -> tuple[Scope, ...]:
        """As `DebugInfo` says: the function's one scope."""
        return self._functions.scopes_at(pc, depth)

    def variables_at(self, pc: int, depth: int = 0) -> tuple[Variable, ...]:
        """As `DebugInfo` says: the function's parameters and locals, in the order of their indices."""
        return tuple(variable for scope in self.scopes_at(pc, depth) for variable in scope.variables)

    def statics(self) -> tuple[Variable, ...]:
        """As `DebugInfo` says: the globals."""
        return self._functions.statics()

    def statics_named(self, name: str) -> tuple[Variable, ...]:
        """As `DebugInfo` says."""
        return self._functions.statics_named(name)

    def types_named(self, name: str) -> tuple[Type, ...]:
        """As `DebugInfo` says."""
        return self._functions.types_named(name)

    def ranges_of_line(self, pc: int) -> tuple[PcRange, ...]:
        """As `DebugInfo` says: the instruction."""
        row = self.row_at(pc)
        return (PcRange(row.pc, row.end),) if row is not None else ()

    def _index_at(self, pc: int) -> int | None:
        defined = self._functions.index_at(pc)
        return self._module.num_imported_functions + defined if defined is not None else None

    def _items(self) -> Iterator[str]:
        items = ItemsText(self._module, self._section, MOST_OF_ONE)
        try:
            yield from items.before_functions()
            yield from items.after_functions()
        except WasmscopeError as error:
            yield f";; {escaped(str(error))}"

    def _file(self, function: int) -> SourceFile:
        name = _NOT_IN_FILE_NAMES.sub("_", self._names.functions[function])[:_LONGEST_FILE_NAME]
        return self._source_file(f"{function}.{name}.wat")

    def _source_file(self, name: str) -> SourceFile:
        return SourceFile(name, self._label, f"{self._label}/{name}")

    def _function_of(self, path: str) -> int | None:
        """The function whose file is at `path`; its number decides, or else the name, if only one has it."""
        folder, _, name = path.rpartition("/")
        if folder and folder.rpartition("/")[2] != self._label:
            return None
        numbered = _NUMBER.fullmatch(name)
        if numbered is not None:
            index = int(numbered[1]) - self._module.num_imported_functions
            return int(numbered[1]) if 0 <= index < len(self._module.codes) else None
        named = self._functions.functions_named(name.removesuffix(".wat")) if name.endswith(".wat") else ()
        return named[0].key if len(named) == 1 else None

    def _text(self, function: int) -> FunctionText | None:
        """The function's text; None, and a problem, where its body is malformed."""
        if function in self._problems:
            return None
        if function not in self._texts:
            try:
                text = FunctionText(self._module, self._section, function, MOST_OF_ONE)
            except WasmscopeError as error:
                self._problems[function] = f"function {function} cannot be shown: {escaped(str(error))}"
                return None
            self._texts[function] = text
            while len(self._texts) > 1 and self._are_too_many():
                self._texts.popitem(last=False)
        self._texts.move_to_end(function)
        return self._texts[function]

    def _are_too_many(self) -> bool:
        instructions = sum(text.num_instructions for text in self._texts.values())
        return instructions > _KEPT_INSTRUCTIONS or len(self._texts) > _KEPT_FUNCTIONS
