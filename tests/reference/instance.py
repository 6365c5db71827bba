"""Instantiation (spec 4.7.4): linking, initialisation, the start function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reference.errors import LinkError
from reference.machine import Store
from reference.module import Import, ImportType, Module
from reference.state import (
    Extern,
    FuncRef,
    Global,
    GlobalType,
    HostFunc,
    Limits,
    Memory,
    MemoryType,
    Table,
    TableType,
    Tag,
    WasmFunction,
)
from reference.types import DefinedType, is_heap_subtype, is_subtype
from reference.values import Value

Imports = Mapping[tuple[str, str], Extern]


class Instance:
    """A module with its state; every index space begins with the imports. Raises `LinkError`, or what the guest did."""

    def __init__(
        self, store: Store, module: Module, imports: Imports | None = None, limits: Limits | None = None
    ) -> None:
        self.store = store
        self.module = module
        self.limits = limits or Limits()
        self.functions: list[FuncRef] = []
        self.tables: list[Table] = []
        self.memories: list[Memory] = []
        self.globals: list[Global] = []
        self.tags: list[Tag] = []
        self.elements: list[list[Value]] = []
        self.data: list[bytes] = []
        for each in module.imports:
            self._link(each, imports or {})
        self._allocate()
        self.exports: dict[str, Extern] = {each.name: self._space(each.kind)[each.index] for each in module.exports}
        self._initialise()
        if module.start is not None:
            store.call(self.functions[module.start], [], self.limits)

    def invoke(self, name: str, arguments: Sequence[Value]) -> list[Value]:
        """Call an exported function."""
        function = self.exports[name]
        assert isinstance(function, HostFunc | WasmFunction)
        return self.store.call(function, arguments, self.limits)

    def _space(self, kind: str) -> Sequence[Extern]:
        match kind:
            case "func":
                return self.functions
            case "table":
                return self.tables
            case "memory":
                return self.memories
            case "global":
                return self.globals
        return self.tags

    def _link(self, wanted: Import, imports: Imports) -> None:
        given = imports.get((wanted.module, wanted.name))
        if given is None:
            raise LinkError(f"unknown import {wanted.module}.{wanted.name}")
        if not _matches(given, wanted.kind, wanted.type):
            raise LinkError(f"incompatible import type of {wanted.module}.{wanted.name}")
        match given:
            case HostFunc() | WasmFunction():
                self.functions.append(given)
            case Table():
                self.tables.append(given)
            case Memory():
                self.memories.append(given)
            case Global():
                self.globals.append(given)
            case Tag():
                self.tags.append(given)

    def _allocate(self) -> None:
        module = self.module
        for index in range(len(self.functions), len(module.functions)):
            self.functions.append(WasmFunction(module.functions[index], self, index))
        self.memories += [Memory(type, self.limits.memory_bytes) for type in module.memories[len(self.memories) :]]
        self.tags += [Tag(type) for type in module.tags[len(self.tags) :]]
        for code, type in zip(module.global_initials, module.globals[len(self.globals) :], strict=True):
            self.globals.append(Global(type, self.store.evaluate(self, code)))
        for index in range(len(self.tables), len(module.tables)):
            initial = module.table_initials[index]
            value = None if initial is None else self.store.evaluate(self, initial)
            self.tables.append(Table(module.tables[index], value, self.limits.table_elements))

    def _initialise(self) -> None:
        """Element segments first, then data segments; what was written before a trap stays."""
        module = self.module
        for element in module.elements:
            self.elements.append([self.store.evaluate(self, item) for item in element.items])
        self.data += [segment.content for segment in module.data]
        for index, element in enumerate(module.elements):
            if element.offset is not None:
                self.tables[element.table].write(self.store.evaluate(self, element.offset), self.elements[index])
            if element.mode != "passive":
                self.elements[index] = []
        for index, segment in enumerate(module.data):
            if segment.offset is not None:
                self.memories[segment.memory].write(self.store.evaluate(self, segment.offset), segment.content)
                self.data[index] = b""


def _matches(given: Extern, kind: str, wanted: ImportType) -> bool:
    """Matching of external types (spec 3.3.8)."""
    match given, wanted:
        case ((HostFunc() | WasmFunction()), DefinedType()):
            return kind == "func" and is_heap_subtype(given.type, wanted)
        case Tag(), DefinedType():
            return kind == "tag" and given.type == wanted
        case Global(), GlobalType():
            return _global_matches(given.type, wanted)
        case Memory(), MemoryType():
            type = given.type
            same = (type.shared, type.address, type.page_size) == (wanted.shared, wanted.address, wanted.page_size)
            return same and _limits_match(given.pages, type.maximum, wanted)
        case Table(), TableType():
            same_element = is_subtype(given.type.element, wanted.element) and is_subtype(
                wanted.element, given.type.element
            )
            same = same_element and given.type.address == wanted.address
            return same and _limits_match(len(given.elements), given.type.maximum, wanted)
    return False


def _global_matches(given: GlobalType, wanted: GlobalType) -> bool:
    if given.mutable != wanted.mutable:
        return False
    return given.value == wanted.value if wanted.mutable else is_subtype(given.value, wanted.value)


def _limits_match(size: int, maximum: int | None, wanted: MemoryType | TableType) -> bool:
    if size < wanted.minimum:
        return False
    return wanted.maximum is None or (maximum is not None and maximum <= wanted.maximum)
