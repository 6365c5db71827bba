"""wasmscope: the debugger for WebAssembly guests that run in Python.

`import wasmscope as wasmtime` makes a host's guests debuggable: the names are those of the `wasmtime` package.

The parts, each importing only from those behind it::

    cli          the command line: run, inspect, demo
    session      a guest that stands still, with what is known of its source
    report       what happened to a guest, as values, JSON or text
    debug        the debugger layer: a guest driven from event to event
    runtime      the engine layer: wasmtime's classes with debugging in them
    instrument   the rewrite: a guest that runs becomes one that runs and publishes its state
    source       what debug information says of the code: lines, functions, variables, types
    analysis     what a module says about itself
    wasm         the binary format
    errors       the exceptions

Data flows one way: bytes -> Module -> Plan -> (rewritten bytes, FrameTable) -> the engine -> event -> frame -> screen.
"""

from wasmtime import (
    ExitTrap,
    ExportType,
    FuncType,
    Global,
    GlobalType,
    ImportType,
    Limits,
    Memory,
    MemoryType,
    SharedMemory,
    StoreContext,
    Table,
    TableType,
    Tag,
    TagType,
    TrapCode,
    ValType,
    WasiConfig,
    WasmtimeError,
    wat2wasm,
)
from wasmtime import Managed as Managed  # type: ignore[attr-defined]  # a name of wasmtime's, not in its `__all__`
from wasmtime import Storelike as Storelike  # type: ignore[attr-defined]  # likewise

from wasmscope.debug.debuggee import Debuggee
from wasmscope.debug.resumption import Continue, InjectCall
from wasmscope.errors import (
    BreakpointError,
    ConditionError,
    DecodeError,
    NotPaused,
    StaleFrame,
    UnsupportedFeature,
    WasmscopeError,
)
from wasmscope.runtime.config import Config
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.event import DebugEvent, Handler
from wasmscope.runtime.frame import DebugFrameCursor, FrameHandle
from wasmscope.runtime.frame_values import Unavailable
from wasmscope.runtime.frame_writer import FrameWriter
from wasmscope.runtime.func import Caller, Func
from wasmscope.runtime.instance import Instance
from wasmscope.runtime.linker import InstancePre, Linker
from wasmscope.runtime.module import Module
from wasmscope.runtime.resumption import EarlyReturn, JumpTo, ThrowException
from wasmscope.runtime.stops.breakpoint import Breakpoint
from wasmscope.runtime.stops.edit import BreakpointEdit
from wasmscope.runtime.stops.tracing import Trace, TraceEntry
from wasmscope.runtime.store import Store
from wasmscope.runtime.trap import Frame, Trap
from wasmscope.runtime.val import AnyRef, ArrayRef, ExnRef, I31Ref, StructRef, Val
from wasmscope.runtime.watch.watchpoint import Watchpoint

__version__ = "0.1.0"

__all__ = [
    "AnyRef",
    "ArrayRef",
    "Breakpoint",
    "BreakpointEdit",
    "BreakpointError",
    "Caller",
    "ConditionError",
    "Config",
    "Continue",
    "DebugEvent",
    "DebugFrameCursor",
    "Debuggee",
    "DecodeError",
    "EarlyReturn",
    "Engine",
    "ExitTrap",
    "ExnRef",
    "ExportType",
    "Frame",
    "FrameHandle",
    "FrameWriter",
    "Func",
    "FuncType",
    "Global",
    "GlobalType",
    "Handler",
    "I31Ref",
    "ImportType",
    "InjectCall",
    "Instance",
    "InstancePre",
    "JumpTo",
    "Limits",
    "Linker",
    "Memory",
    "MemoryType",
    "Module",
    "NotPaused",
    "SharedMemory",
    "StaleFrame",
    "Store",
    "StoreContext",
    "StructRef",
    "Table",
    "TableType",
    "Tag",
    "TagType",
    "ThrowException",
    "Trace",
    "TraceEntry",
    "Trap",
    "TrapCode",
    "Unavailable",
    "UnsupportedFeature",
    "Val",
    "ValType",
    "WasiConfig",
    "WasmscopeError",
    "WasmtimeError",
    "Watchpoint",
    "wat2wasm",
]
