"""What a module itself says of its functions and variables, where debug information says nothing of them.

A function of the source is a function of the module then, and a variable is a local or a global, of a type of
WebAssembly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import chain, repeat

from wasmscope.analysis.tokenizer import instruction_offsets
from wasmscope.errors import WasmscopeError
from wasmscope.source.demangle import is_called, without_arguments
from wasmscope.source.local_types import local_types, params_of
from wasmscope.source.locations import Fixed, InWasm, WasmSpace
from wasmscope.source.model import (
    Language,
    PcRange,
    Scope,
    ScopeKind,
    SourceFrame,
    SourceFunction,
    SourceLocation,
    Variable,
    VariableKind,
)
from wasmscope.source.names import ModuleNames, Space
from wasmscope.source.types import Type, TypeRef, WasmType
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import Code, Module
from wasmscope.wasm.types import NUMBER_CODES, ValType, number_type

_SEPARATORS = ("::", "/", "#", ".")
"""Between the parts of a qualified name: of C++ and Rust, AssemblyScript's files and methods, Kotlin and Dart."""

MOST_SEARCHED = 4_000_000
"""Characters of names that are demangled for one answer; it takes some microseconds each."""


class WasmFunctions:
    """Answers with the functions, locals and globals of `module`. A function's key is its index, imports counted.

    `language` is that of the code at a pc. With `unnamed_are_artificial` a local without a name is the compiler's.
    """

    def __init__(
        self,
        module: Module,
        names: ModuleNames,
        language: Callable[[int], Language],
        unnamed_are_artificial: bool,
    ) -> None:
        self.module = module
        self.names = names
        self._language = language
        self._unnamed_are_artificial = unnamed_are_artificial
        self._starts = [code.start for code in module.codes]
        self._types: dict[int, Type] = {}
        self._problems: dict[str, None] = {}

    def problems(self) -> tuple[str, ...]:
        """What could not be answered."""
        return tuple(self._problems)

    def index_at(self, pc: int) -> int | None:
        """The index of the function in whose body `pc` is, among those the module defines."""
        index = bisect_right(self._starts, pc) - 1
        return index if index >= 0 and pc < self.module.codes[index].end else None

    def code_at(self, pc: int) -> Code | None:
        """The body of the function that `pc` is in."""
        index = self.index_at(pc)
        return self.module.codes[index] if index is not None else None

    def instruction_from(self, pc: int) -> int | None:
        """The first instruction at or behind `pc` in the same function; None: there is none."""
        code = self.code_at(pc)
        if code is None:
            return None
        if pc <= code.code_start:
            return code.code_start
        try:
            offsets = instruction_offsets(self.module, code)
        except WasmscopeError:
            return None
        index = bisect_right(offsets, pc - 1)
        return offsets[index] if index < len(offsets) else None

    def function_at(self, pc: int) -> SourceFunction | None:
        """The function that `pc` is in."""
        index = self.index_at(pc)
        return self.function(self.module.num_imported_functions + index) if index is not None else None

    def function(self, index: int) -> SourceFunction:
        """A function that the module defines; `index` counts imports too."""
        code = self.module.codes[index - self.module.num_imported_functions]
        readable, recorded = self.names.readable(index), self.names.recorded(index)
        qualified = without_arguments(readable)
        is_mangled = recorded is not None and escaped(recorded) != readable
        return SourceFunction(
            name=_last_part(qualified),
            qualified_name=qualified,
            linkage_name=escaped(recorded) if recorded is not None and is_mangled else "",
            declaration=None,
            ranges=(PcRange(code.code_start, code.end),),
            is_inlined=False,
            language=self._language(code.code_start),
            key=index,
        )

    def functions_named(self, name: str) -> tuple[SourceFunction, ...]:
        """Functions by any of their names, with or without the text format's `$` before it."""
        plain = name.removeprefix("$")
        if not plain:
            return ()
        # Whatever a name is mangled to, its last part is in it, so few names have to be demangled.
        part = _last_part(without_arguments(plain))
        found = {self.names.functions.index(plain)}
        left = MOST_SEARCHED
        for index in range(self.module.num_imported_functions, len(self.module.function_types_indices)):
            recorded = self.names.recorded(index) or self.names.functions[index]
            if part not in recorded:
                continue
            left -= len(recorded)
            if left < 0:
                self._problems["some functions were not found: too many have names that may be meant"] = None
                break
            if recorded == plain or _is_called(self.names.readable(index), plain):
                found.add(index)
        first = self.module.num_imported_functions
        return tuple(
            self.function(index) for index in sorted(each for each in found if each is not None) if index >= first
        )

    def frames_at(self, pc: int, location: SourceLocation | None) -> tuple[SourceFrame, ...]:
        """The one call that is at `pc`."""
        function = self.function_at(pc)
        return (SourceFrame(0, function, location),) if function is not None else ()

    def scopes_at(self, pc: int, depth: int) -> tuple[Scope, ...]:
        """The function's one scope, with its parameters and locals."""
        defined = self.index_at(pc)
        if defined is None or depth != 0:
            return ()
        code = self.module.codes[defined]
        index = self.module.num_imported_functions + defined
        return (Scope(ScopeKind.FUNCTION, (PcRange(code.code_start, code.end),), self._locals(index, code)),)

    def statics(self) -> tuple[Variable, ...]:
        """The globals, imports first."""
        globals_ = enumerate(self.module.all_globals)
        language = self._language(0)
        return tuple(
            self._variable(self.names.globals, i, each.value, WasmSpace.GLOBAL, VariableKind.STATIC, language)
            for i, each in globals_
        )

    def statics_named(self, name: str) -> tuple[Variable, ...]:
        """A global by its name, or by the last parts of it."""
        plain = name.removeprefix("$")
        language = self._language(0)
        return tuple(
            self._variable(self.names.globals, i, each.value, WasmSpace.GLOBAL, VariableKind.STATIC, language)
            for i, each in enumerate(self.module.all_globals)
            if plain and _is_called(self.names.globals[i], plain)
        )

    def types_named(self, name: str) -> tuple[Type, ...]:
        """The number types of WebAssembly."""
        return (WasmType(number_type(name)),) if name in NUMBER_CODES else ()

    def _locals(self, index: int, code: Code) -> tuple[Variable, ...]:
        num_params = len(params_of(self.module, index))
        space = self.names.locals(index)
        language = self._language(code.code_start)
        kinds = chain(repeat(VariableKind.PARAMETER, num_params), repeat(VariableKind.LOCAL))
        return tuple(
            self._variable(space, i, value_type, WasmSpace.LOCAL, kind, language)
            for i, (value_type, kind) in enumerate(zip(local_types(self.module, index), kinds, strict=False))
        )

    def _variable(
        self, space: Space, index: int, value_type: ValType, where: WasmSpace, kind: VariableKind, language: Language
    ) -> Variable:
        return Variable(
            name=space[index],
            qualified_name=space[index],
            linkage_name="",
            type=self._type_ref(value_type),
            kind=kind,
            is_artificial=self._unnamed_are_artificial and not space.is_given(index),
            declaration=None,
            locator=Fixed(InWasm(where, index)),
            language=language,
        )

    def _type_ref(self, value_type: ValType) -> TypeRef:
        key = int.from_bytes(value_type.encoding, "little")
        self._types.setdefault(key, WasmType(value_type))
        return TypeRef(key, self._types.__getitem__)


def _last_part(name: str) -> str:
    if "operator" in name or "(" in name:
        return name
    for separator in ("::", "/"):
        name = name.rpartition(separator)[2] or name
    return name


def _is_called(readable: str, name: str) -> bool:
    return is_called(readable, name) or any(readable.endswith(separator + name) for separator in _SEPARATORS)
