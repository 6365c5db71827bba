"""Small hosts, each written once and run on `wasmtime` and on `wasmscope`: `CASES` of every module here.

A case is a function of the API that returns what its host saw, made comparable by `attempt` and `plainly`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import wasmtime


def attempt(call: Callable[[], Any]) -> Any:
    """What `call` returned or raised: type, message and, of what has them, code and frames."""
    try:
        return plainly(call())
    except wasmtime.Trap as trap:
        return "Trap", str(trap), trap.trap_code, frames_of(trap)
    except wasmtime.ExitTrap as exit_trap:
        return "ExitTrap", str(exit_trap), exit_trap.code
    except BaseException as error:
        # The engine numbers types in the order in which it meets them.
        return type(error).__name__, re.sub(r"VMSharedTypeIndex\(\d+\)", "a type", str(error))


def frames_of(trap: wasmtime.Trap) -> list[Any]:
    """Everything a trap says about its frames."""
    return [
        (frame.func_index, frame.func_name, frame.module_name, frame.module_offset, frame.func_offset)
        for frame in trap.frames
    ]


def plainly(value: Any) -> Any:
    """A value with the objects of either API in it replaced by something that compares."""
    match value:
        case wasmtime.Val():
            kind: Any = value._kind  # `Val.type` fails in wasmtime of a value that was read
            return "Val", int(getattr(kind, "value", kind)), plainly(value.value)
        case wasmtime.Func() | wasmtime.Memory() | wasmtime.Table() | wasmtime.Global() | wasmtime.Tag():
            # What is handed out may be a private subclass.
            return next(cls.__name__ for cls in type(value).__mro__ if cls.__module__.startswith("wasmtime."))
        case wasmtime.Instance() | wasmtime.Module() | wasmtime.InstancePre() | wasmtime.SharedMemory():
            return type(value).__name__
        case wasmtime.FuncType():
            return "FuncType", [str(ty) for ty in value.params], [str(ty) for ty in value.results]
        case wasmtime.GlobalType():
            return "GlobalType", str(value.content), value.mutable
        case wasmtime.TableType():
            return "TableType", str(value.element), value.limits.min, value.limits.max
        case wasmtime.MemoryType():
            return "MemoryType", value.limits.min, value.limits.max, value.is_64, value.is_shared, value.page_size
        case wasmtime.TagType():
            return "TagType", plainly(value.functype)
        case list() | tuple():
            return [plainly(item) for item in value]
        case dict():
            return {key: plainly(item) for key, item in value.items()}
    return value
