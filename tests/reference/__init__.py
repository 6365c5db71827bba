"""A reference interpreter for WebAssembly 3.0 core modules, with threads, wide arithmetic and custom page sizes.

Written to be read beside the specification and for nothing else: it is the oracle that frames, results and traps are
compared with. It shares no code with the package that it tests, so it decodes and types modules on its own.

`Module.decode` -> `Instance(store, module, imports)` -> `instance.invoke(name, arguments)`; `store.frames()` at any
time, `error.frames` after a `Trap`, `WasmException` or `OutOfSteps`. For the representation of values see `values`.
"""

from reference.errors import (
    CallStackExhausted,
    DecodeError,
    GuestError,
    LinkError,
    OutOfSteps,
    Trap,
    WasmException,
)
from reference.instance import Instance
from reference.machine import Frame, Store
from reference.module import Module
from reference.state import (
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
from reference.types import EXTERNREF, FUNCREF, FuncType, RefType, ValueType, single
from reference.values import I31, ArrayObject, ExnObject, StructObject, Value

__all__ = [
    "EXTERNREF",
    "FUNCREF",
    "I31",
    "ArrayObject",
    "CallStackExhausted",
    "DecodeError",
    "ExnObject",
    "Frame",
    "FuncRef",
    "FuncType",
    "Global",
    "GlobalType",
    "GuestError",
    "HostFunc",
    "Instance",
    "Limits",
    "LinkError",
    "Memory",
    "MemoryType",
    "Module",
    "OutOfSteps",
    "RefType",
    "Store",
    "StructObject",
    "Table",
    "TableType",
    "Tag",
    "Trap",
    "Value",
    "ValueType",
    "WasmException",
    "WasmFunction",
    "single",
]
