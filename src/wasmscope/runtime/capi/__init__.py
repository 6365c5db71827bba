"""What the `wasmtime` package lacks, straight through the engine's C API. The one place that touches its private parts.

- `types`       the kinds of values in a type, and function types of every kind
- `values`      values of every type, in both directions, and the references behind them (`Root`)
- `entities`    globals, tables and memories of every type
- `exceptions`  traps with a code; exceptions of the guest's
- `calls`       calls that tell a trap, an engine error and an exception of the host's from each other
- `host`        host functions of every type
- `hook`        host functions that take and give nothing, quickly
- `unannounced` guests entered by wasmtime's own classes
- `linking`     definitions in linkers, and copies of these

Ownership: a `wasmtime_val_t` that the C API hands out roots the object it refers to until `wasmtime_val_unroot`; one
it is given stays the caller's, except for the results of a host function, which it takes over.
"""

from wasmtime._instance import InstanceExports

from wasmscope.runtime.capi.calls import (
    Failed,
    Failure,
    IntegerCall,
    Outcome,
    Raised,
    Returned,
    Trapped,
    call_func,
    enter_guest,
    entered_through,
    error_frames,
    instantiate,
    linker_instantiate,
    raise_failure,
    set_message,
)
from wasmscope.runtime.capi.config import enable_branch_hinting, set_max_wasm_stack
from wasmscope.runtime.capi.entities import (
    context_address,
    export_named,
    extern_of,
    function_named,
    global_get,
    global_set,
    identity,
    is_same_function,
    memory_bytes,
    memory_data,
    table_get,
    table_grow,
    table_kind,
    table_set,
)
from wasmscope.runtime.capi.exceptions import has_exception, new_exception, new_trap, set_exception, take_exception
from wasmscope.runtime.capi.hook import new_hook
from wasmscope.runtime.capi.host import EndHostCall, StandInCall, define_func, new_func, new_stand_in
from wasmscope.runtime.capi.linking import clone_linker, define
from wasmscope.runtime.capi.types import Signature, func_type, kind_of, signature
from wasmscope.runtime.capi.unannounced import UnannouncedContext, is_entry
from wasmscope.runtime.capi.values import Root, as_val, new_host_ref, unroot, value_from_raw, value_to_raw

__all__ = [
    "EndHostCall",
    "Failed",
    "Failure",
    "InstanceExports",
    "IntegerCall",
    "Outcome",
    "Raised",
    "Returned",
    "Root",
    "Signature",
    "StandInCall",
    "Trapped",
    "UnannouncedContext",
    "as_val",
    "call_func",
    "clone_linker",
    "context_address",
    "define",
    "define_func",
    "enable_branch_hinting",
    "enter_guest",
    "entered_through",
    "error_frames",
    "export_named",
    "extern_of",
    "func_type",
    "function_named",
    "global_get",
    "global_set",
    "has_exception",
    "identity",
    "instantiate",
    "is_entry",
    "is_same_function",
    "kind_of",
    "linker_instantiate",
    "memory_bytes",
    "memory_data",
    "new_exception",
    "new_func",
    "new_hook",
    "new_host_ref",
    "new_stand_in",
    "new_trap",
    "raise_failure",
    "set_exception",
    "set_max_wasm_stack",
    "set_message",
    "signature",
    "table_get",
    "table_grow",
    "table_kind",
    "table_set",
    "take_exception",
    "unroot",
    "value_from_raw",
    "value_to_raw",
]
