"""What an expression may speak of where a guest stands, as `wasmscope.source.target.Names`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import islice

from wasmscope.session.target import function_type
from wasmscope.source.local_types import local_types
from wasmscope.source.locations import WasmSpace
from wasmscope.source.model import DebugInfo, Language, SourceFunction, Variable, VariableKind
from wasmscope.source.target import GuestFunction
from wasmscope.source.types import BaseType, Encoding, FunctionType, Type, TypeRef
from wasmscope.wasm.module import ExternKind, Module
from wasmscope.wasm.names import NameSection
from wasmscope.wasm.types import FuncType, ValType

_MOST_FOUND = 100
_RESULTS = {
    "i32": BaseType("int", 4, Encoding.SIGNED), "i64": BaseType("long long", 8, Encoding.SIGNED),
    "f32": BaseType("float", 4, Encoding.FLOAT), "f64": BaseType("double", 8, Encoding.FLOAT),
}  # fmt: skip


class PlaceNames:
    """The names at `pc` of a module, in the inlined frame of that `depth`; without debug information those of Wasm."""

    def __init__(
        self,
        module: Module,
        section: NameSection,
        info: DebugInfo | None,
        pc: int,
        depth: int,
        stack: Sequence[ValType],
    ) -> None:
        self._module = module
        self._section = section
        self._info = info
        self._pc = pc
        self._depth = depth
        self._stack = stack
        self._starts = [code.start for code in module.codes]
        self._exported = {item.name: item.index for item in module.exports if item.kind is ExternKind.FUNC}

    @property
    def pc(self) -> int:
        """The place."""
        return self._pc

    @property
    def language(self) -> Language:
        """The language of that place; of what has no debug information, WAT."""
        frames = self._info.frames_at(self._pc) if self._info is not None else ()
        return frames[min(self._depth, len(frames) - 1)].function.language if frames else Language.WAT

    @property
    def pointer_size(self) -> int:
        """How many bytes an address has."""
        memories = self._module.all_memories
        return 8 if memories and memories[0].limits.is64 else 4

    def variables(self) -> Sequence[Variable]:
        """The variables in scope, innermost first."""
        return self._info.variables_at(self._pc, self._depth) if self._info is not None else ()

    def statics_named(self, name: str) -> Sequence[Variable]:
        """As `DebugInfo.statics_named`."""
        return self._info.statics_named(name) if self._info is not None else ()

    def types_named(self, name: str) -> Sequence[Type]:
        """As `DebugInfo.types_named`."""
        return self._info.types_named(name) if self._info is not None else ()

    def functions_named(self, name: str) -> Sequence[GuestFunction]:
        """Functions with debug information of that name; else one that is exported or named so in the name section."""
        described = self._info.functions_named(name) if self._info is not None else ()
        found = [self._described(each) for each in described[:_MOST_FOUND] if not each.is_inlined]
        functions = [each for each in found if each is not None]
        if functions:
            return functions
        index = self._exported.get(name)
        if index is None:
            index = next((index for index, each in self._section.functions.items() if each == name), None)
        signature = function_type(self._module, index) if index is not None else None
        return [GuestFunction(index, name, None, signature)] if index is not None and signature is not None else []

    def method(self, key: int, linkage_name: str) -> GuestFunction | None:
        """The function that defines a `Method`."""
        described = self._info.functions_named(linkage_name) if self._info is not None and linkage_name else ()
        for each in described[:_MOST_FOUND]:
            if not each.is_inlined and (found := self._described(each)) is not None:
                return found
        return None

    def wasm_names(self) -> Mapping[str, tuple[WasmSpace, int]]:
        """The locals and globals by their names in the name section; of equal ones the first, locals first."""
        function = self._function_at(self._pc)
        names: dict[str, tuple[WasmSpace, int]] = {}
        for index, name in (self._section.locals.get(function, {}) if function is not None else {}).items():
            names.setdefault(name, (WasmSpace.LOCAL, index))
        for index, name in self._section.globals.items():
            names.setdefault(name, (WasmSpace.GLOBAL, index))
        return names

    def wasm_type(self, space: WasmSpace, index: int) -> ValType | None:
        """The type of a local, global or operand there."""
        function = self._function_at(self._pc)
        if index < 0 or function is None:
            return None
        if space is WasmSpace.GLOBAL:
            types: Sequence[ValType] = [each.value for each in self._module.all_globals]
        elif space is WasmSpace.OPERAND:
            types = self._stack
        else:
            return next(islice(local_types(self._module, function), index, None), None)
        return types[index] if index < len(types) else None

    # -- functions -------------------------------------------------------------------------------------------------

    def _function_at(self, pc: int) -> int | None:
        position = bisect_right(self._starts, pc) - 1
        if position < 0 or pc >= self._module.codes[position].end:
            return None
        return position + self._module.num_imported_functions

    def _described(self, function: SourceFunction) -> GuestFunction | None:
        entry = function.entry
        index = self._function_at(entry) if entry is not None else None
        signature = function_type(self._module, index) if index is not None else None
        if index is None or entry is None or signature is None:
            return None
        return GuestFunction(index, function.name, self._type(entry, signature), signature)

    def _type(self, entry: int, signature: FuncType) -> FunctionType | None:
        """Parameters as they are declared; the result only as what it is in WebAssembly, for no more is recorded."""
        assert self._info is not None
        scopes = self._info.scopes_at(entry)
        parameters = [each for each in scopes[-1].variables if each.kind is VariableKind.PARAMETER] if scopes else []
        if len(signature.results) > 1 or any(each.type is None for each in parameters):
            return None
        result = _RESULTS.get(signature.results[0].name) if signature.results else None
        reference = TypeRef(0, lambda _: result) if result is not None else None
        return FunctionType(reference, tuple(each.type for each in parameters))
