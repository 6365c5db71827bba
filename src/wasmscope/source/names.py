"""What users call the parts of a module: from the name section, else from exports and imports, else made up.

An index has exactly one name, and no two of a space have the same. A name is safe to print: it has one line, no control
characters, and is not long. It has no `$`, which is the text format's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from wasmscope.source.demangle import demangled
from wasmscope.source.local_types import num_locals
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import ExternKind, FuncImport, Module
from wasmscope.wasm.names import NameMap, NameSection
from wasmscope.wasm.types import GlobalType, MemoryType, StructType, TableType, TagType

LONGEST = 100
"""Longer names are cut. Short enough for `wasmscope.wasm.text.format_name`, which cuts too, to leave them whole."""

_DESCRIPTIONS = {
    ExternKind.FUNC: FuncImport,
    ExternKind.TABLE: TableType,
    ExternKind.MEMORY: MemoryType,
    ExternKind.GLOBAL: GlobalType,
    ExternKind.TAG: TagType,
}


class Space(Mapping[int, str]):
    """The names of one index space: of every index below `size`, and only of these.

    An index that `given` has no name for is called `prefix` and the index. Names that are there twice get their index
    after a `#`.
    """

    def __init__(self, size: int, given: Mapping[int, str], prefix: str) -> None:
        self._size = size
        self._prefix = prefix
        self._given = {index: shown(name) for index, name in given.items() if name and index < size}

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._size))

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and 0 <= index < self._size

    def __getitem__(self, index: int) -> str:
        if index not in self:
            raise KeyError(index)
        given = self._given.get(index)
        name = given if given is not None else f"{self._prefix}{index}"
        # What is made up must not be another's name, and what is given not another's too.
        free_up_to = 0 if given is None else 1
        while self._count[name] > free_up_to:
            name, free_up_to = f"{name}#{index}", 0
        return name

    def is_given(self, index: int) -> bool:
        """Whether the module has a name for it."""
        return index in self._given

    def index(self, name: str) -> int | None:
        """The index of that name."""
        return self._indices.get(name)

    @cached_property
    def _count(self) -> Counter[str]:
        return Counter(self._given.values())

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {self[index]: index for index in self}


class _ByIndex(Mapping[int, Space]):
    """Spaces of spaces, made when they are looked at."""

    def __init__(self, size: int, make: Callable[[int], Space]) -> None:
        self._size = size
        self._make = make

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._size))

    def __getitem__(self, index: int) -> Space:
        if not 0 <= index < self._size:
            raise KeyError(index)
        return self._make(index)


class ModuleNames:
    """The names of everything in `module`; `section` is its decoded name section.

    Function names are as recorded, that is mangled where the compiler left them so: `readable` has them as written.
    """

    def __init__(self, module: Module, section: NameSection) -> None:
        self._module = module
        self._section = section
        self._locals: dict[int, Space] = {}
        self._fields: dict[int, Space] = {}

    @cached_property
    def module(self) -> str:
        """The name of the module; empty: it has none."""
        return shown(self._section.module or "")

    @cached_property
    def functions(self) -> Space:
        """Names of functions; else `func12`."""
        return self._external(ExternKind.FUNC, self._section.functions, "func")

    @cached_property
    def tables(self) -> Space:
        """Names of tables; else `table0`."""
        return self._external(ExternKind.TABLE, self._section.tables, "table")

    @cached_property
    def memories(self) -> Space:
        """Names of memories; else `memory0`."""
        return self._external(ExternKind.MEMORY, self._section.memories, "memory")

    @cached_property
    def globals(self) -> Space:
        """Names of globals; else `global0`."""
        return self._external(ExternKind.GLOBAL, self._section.globals, "global")

    @cached_property
    def tags(self) -> Space:
        """Names of exception tags; else `tag0`."""
        return self._external(ExternKind.TAG, self._section.tags, "tag")

    @cached_property
    def types(self) -> Space:
        """Names of types; else `type0`."""
        return Space(len(self._module.types), self._section.types, "type")

    @cached_property
    def elements(self) -> Space:
        """Names of element segments; else `elem0`."""
        return Space(len(self._module.elements), self._section.elements, "elem")

    @cached_property
    def data(self) -> Space:
        """Names of data segments; else `data0`."""
        return Space(len(self._module.data), self._section.data, "data")

    def locals(self, function: int) -> Space:
        """Names of the parameters and locals of a function, which counts imports too; else `var0`."""
        if function not in self._locals:
            self._locals[function] = Space(
                num_locals(self._module, function), self._section.locals.get(function, {}), "var"
            )
        return self._locals[function]

    def labels(self, function: int) -> NameMap:
        """Names of the labels that have one, by the number of the block they open; not all different."""
        return self._section.labels.get(function, {})

    def fields(self, type_index: int) -> Space:
        """Names of the fields of a struct type; else `field0`."""
        if type_index not in self._fields:
            types = self._module.types
            composite = types[type_index].composite if type_index < len(types) else None
            size = len(composite.fields) if isinstance(composite, StructType) else 0
            self._fields[type_index] = Space(size, self._section.fields.get(type_index, {}), "field")
        return self._fields[type_index]

    def readable(self, function: int) -> str:
        """The function's name demangled and safe to print; several may have the same."""
        recorded = self._section.functions.get(function)
        return escaped(demangled(recorded)) if recorded else self.functions[function]

    def recorded(self, function: int) -> str | None:
        """The function's name exactly as it is in the name section."""
        return self._section.functions.get(function)

    def as_section(self) -> NameSection:
        """The same names in the form of a name section in which nothing is missing but labels."""
        return NameSection(
            module=self.module or None,
            functions=self.functions,
            locals=_ByIndex(self._module.count(ExternKind.FUNC), self.locals),
            labels=self._section.labels,
            types=self.types,
            tables=self.tables,
            memories=self.memories,
            globals=self.globals,
            elements=self.elements,
            data=self.data,
            fields=_ByIndex(len(self._module.types), self.fields),
            tags=self.tags,
        )

    def _external(self, kind: ExternKind, given: NameMap, prefix: str) -> Space:
        """A space that can be imported and exported. The name section goes before exports, these before imports."""
        names: dict[int, str] = {}
        imported = (item for item in self._module.imports if isinstance(item.desc, _DESCRIPTIONS[kind]))
        for index, item in enumerate(imported):
            names[index] = f"{item.module}.{item.name}"
        exported: dict[int, str] = {}
        for export in self._module.exports:
            if export.kind is kind and export.name:
                exported.setdefault(export.index, export.name)
        size = self._module.count(kind)
        return Space(size, names | exported | {index: name for index, name in given.items() if name}, prefix)


def shown(name: str) -> str:
    """A name that a module gives, safe to print; empty stays empty."""
    if len(name) <= LONGEST and name.isprintable():
        return name
    safe = escaped(name, LONGEST)  # escapes make it longer again
    return safe if len(safe) <= LONGEST else f"{safe[: LONGEST - 1]}…"
