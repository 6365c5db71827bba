"""The functions, tables and types of a guest, as a report speaks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.runtime import capi
from wasmscope.runtime.func import Func
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import ExternKind, FuncImport, Module
from wasmscope.wasm.names import NameSection
from wasmscope.wasm.types import FuncType, TagType, ValType

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store


class Names:
    """The names of one module; what has none is spoken of by its index."""

    def __init__(self, module: Module, names: NameSection) -> None:
        self.module = module
        self._names = names
        self._exported = {item.index: item.name for item in module.exports if item.kind is ExternKind.FUNC}

    def function(self, index: int) -> str | None:
        """The function's name: from the name section, else of its export, else of its import."""
        name = self._names.functions.get(index) or self._exported.get(index)
        if name is None and index < self.module.num_imported_functions:
            name = self._imported(index)
        return escaped(name) if name else None

    def _imported(self, index: int) -> str:
        functions = [item for item in self.module.imports if isinstance(item.desc, FuncImport)]
        return f"{functions[index].module}::{functions[index].name}"

    def local(self, function: int, index: int) -> str | None:
        """The name of a local."""
        name = self._names.locals.get(function, {}).get(index)
        return escaped(name) if name else None

    def tag(self, index: int) -> str | None:
        """The name of an exception tag: from the name section, else of its export, else of its import."""
        exported = (item.name for item in self.module.exports if item.kind is ExternKind.TAG and item.index == index)
        name = self._names.tags.get(index) or next(exported, None)
        if name is None:
            imported = [item for item in self.module.imports if isinstance(item.desc, TagType)]
            name = f"{imported[index].module}::{imported[index].name}" if index < len(imported) else None
        return escaped(name) if name else None

    def type(self, value_type: ValType) -> str:
        """A value type, its type index as a name if it has one."""
        if not isinstance(value_type.heap, int) or value_type.heap not in self._names.types:
            return value_type.name
        return f"(ref {'null ' if value_type.nullable else ''}${escaped(self._names.types[value_type.heap])})"

    def fields(self, value_type: ValType) -> Sequence[str]:
        """The names of the fields of the struct type that a reference type is about, if all have one."""
        names = self._names.fields.get(value_type.heap, {}) if isinstance(value_type.heap, int) else {}
        return [escaped(names[i]) for i in range(len(names))] if set(names) == set(range(len(names))) else []

    def signature(self, type_index: int) -> str:
        """A function type, as `(i32 i32) -> (i64)`."""
        composite = self.module.types[type_index].composite
        if not isinstance(composite, FuncType):
            return f"type {type_index}"
        params, results = (" ".join(map(self.type, types)) for types in (composite.params, composite.results))
        return f"({params}) -> ({results})"


class FunctionNames:
    """Which function a reference is to, among those that the instances of a store export."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[bytes, str] | None = None

    def __call__(self, function: wasmtime.Func) -> str:
        """The function's name, or else its type."""
        if self._known is None:
            self._known = dict(self._exported())
        name = self._known.get(bytes(function._func))
        return f"func {name}" if name else f"func {engine_signature(function, self._store)}"

    def with_signature(self, function: wasmtime.Func) -> str:
        """The function's name if it has one, and its type."""
        signature, name = engine_signature(function, self._store), self(function)
        return name if name.endswith(signature) else f"{name} {signature}"

    def _exported(self) -> list[tuple[bytes, str]]:
        known = []
        for instance in self._store.instances:
            for name, item in exports_of(self._store, instance):
                if isinstance(item, Func):
                    known.append((bytes(item._func), escaped(name)))
        return known


def engine_signature(function: wasmtime.Func, store: Store) -> str:
    """The type that the engine knows a function by, in the same form as `Names.signature`."""
    signature = capi.signature(function.type(store))
    params, results = (" ".join(map(str, kinds)) for kinds in (signature.params, signature.results))
    return f"({params}) -> ({results})"


def exports_of(store: Store, instance: Instance) -> list[tuple[str, object]]:
    """The exports of an instance; none if it could not be made."""
    if not instance.is_made:
        return []
    exports = instance.exports(store)
    return [(name, exports[name]) for name in exports]
