"""How the host reaches what an instance keeps to itself: appended exports, and functions that enter other functions.

Everything but functions is exported once more, under a name no guest can clash with. So are functions that something
outside can have a reference to in any case. To export every function would cost: the engine compiles a way in for each
that is. The others are entered through a few *entry functions*, one for up to 32 functions of a type, which hand their
arguments on to the function whose number the host has put in the shadow memory. So are imported functions, for
mirrors: a function of the host's looks for memories among the exports of its caller's instance (`Caller`), which is
then the guest's::

    (func $entry (type $t) (param i32) (result i64)
      (block $1 (block $0
        (br_table $0 $1 (i32.load $shadow offset=40 (i32.const 0))))
        (return_call $f (local.get 0)))
      (return_call $g (local.get 0)))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmscope.analysis.escapes import Escapes
from wasmscope.instrument.layout import HIDDEN_EXPORT
from wasmscope.instrument.leb import unsigned
from wasmscope.wasm.module import ExternKind, Module

FUNCTIONS_AN_ENTRY = 32
"""More in one function take the compiler longer, fewer make more functions."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The way into a function: the export to call, and what to put in the shadow memory before."""

    export: str
    number: int


@dataclass(frozen=True, slots=True)
class PrivateEntities:
    """What is appended to a module so that all of an instance can be reached."""

    module: Module
    prefix: str
    """Begins the names of the appended exports."""
    exported: frozenset[int]
    """The functions that are exported themselves."""
    entry_functions: tuple[tuple[int, tuple[int, ...]], ...]
    """For each entry function its type index and the functions that it calls."""
    entries: Mapping[int, Entry]
    """The way into every other function, and into imported ones on behalf of the instance."""
    tables_are_private: bool
    """See `Escapes`."""

    def name(self, kind: ExternKind, index: int) -> str:
        """The name under which an entity is exported."""
        return f"{self.prefix}{kind.value} {index}"

    def exports(self) -> Iterator[tuple[str, ExternKind, int]]:
        """The entities that are exported: name, kind and index in the original module."""
        for kind in (ExternKind.TABLE, ExternKind.MEMORY, ExternKind.GLOBAL, ExternKind.TAG):
            for index in range(self.module.count(kind)):
                yield self.name(kind, index), kind, index
        for function in sorted(self.exported):
            yield self.name(ExternKind.FUNC, function), ExternKind.FUNC, function


def private_entities(module: Module, escapes: Escapes) -> PrivateEntities:
    """What to append to `module`."""
    prefix = HIDDEN_EXPORT
    while any(export.name.startswith(prefix) for export in module.exports):
        prefix += "'"
    imported = module.num_imported_functions
    by_type: dict[int, list[int]] = {}
    for function in range(module.count(ExternKind.FUNC)):
        if function < imported or function not in escapes.referenced:
            by_type.setdefault(module.func_type_index(function), []).append(function)
    entry_functions = tuple(
        (type_index, tuple(functions[start : start + FUNCTIONS_AN_ENTRY]))
        for type_index, functions in by_type.items()
        for start in range(0, len(functions), FUNCTIONS_AN_ENTRY)
    )
    entries = {
        function: Entry(entry_name(prefix, position), number)
        for position, (_, functions) in enumerate(entry_functions)
        for number, function in enumerate(functions)
    }
    exported = escapes.referenced | frozenset(range(imported))
    return PrivateEntities(module, prefix, exported, entry_functions, entries, escapes.tables_are_private)


def entry_name(prefix: str, position: int) -> str:
    """The name under which an entry function is exported."""
    return f"{prefix}entry {position}"


def entry_body(parameters: int, functions: Sequence[int], number: bytes) -> bytes:
    """The body of an entry function with so many parameters, which calls that of `functions` whose number is asked for.

    `number` is the code that pushes it; the functions are given by their indices in the rewritten module.
    """
    arguments = b"".join(b"\x20" + unsigned(parameter) for parameter in range(parameters))
    last = len(functions) - 1
    table = b"\x0e" + unsigned(last) + b"".join(map(unsigned, range(last))) + unsigned(last)
    calls = b"".join(b"\x0b" + arguments + b"\x12" + unsigned(function) for function in functions)
    return b"\x00" + b"\x02\x40" * len(functions) + number + table + calls + b"\x0b"
