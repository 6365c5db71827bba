"""Calls into a guest, with a trap told from an exception of the host's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from ctypes import POINTER, byref
from dataclasses import dataclass
from typing import Any, TypeAlias

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import _func, _trap
from wasmtime._exportable import AsExtern
from wasmtime._ffi import wasmtime_val_t
from wasmtime._store import Storelike

from wasmscope.runtime.capi.entities import context_address, extern_of
from wasmscope.runtime.capi.exceptions import has_exception
from wasmscope.runtime.capi.types import Signature
from wasmscope.runtime.capi.values import unroot, value_from_raw, value_to_raw
from wasmscope.runtime.val import Kind, Val


@dataclass(frozen=True, slots=True)
class Returned:
    """The call came back with these results."""

    values: tuple[Val, ...]


@dataclass(frozen=True, slots=True)
class Trapped:
    """The guest trapped or, where `thrown`, threw an exception that nothing caught: `take_exception` gives it."""

    trap: wasmtime.Trap
    thrown: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The engine refused or ended the call (wrong arguments, the guest exited, ...)."""

    error: wasmtime.WasmtimeError


@dataclass(frozen=True, slots=True)
class Raised:
    """A host function raised `exception`; `error` is how the engine saw it, with the guest's backtrace.

    `by_ours`: it came out of what this package was given to call, so whoever is told of such things has been told.
    Not so for what comes of values that cannot be converted, or of functions made by wasmtime's own classes.
    """

    exception: BaseException
    error: wasmtime.WasmtimeError
    by_ours: bool


Failure: TypeAlias = Trapped | Failed | Raised
Outcome: TypeAlias = Returned | Failure


def raise_failure(failure: Failure) -> None:
    """Raise what wasmtime's own functions would raise."""
    match failure:
        case Trapped(trap):
            raise trap
        case Failed(error):
            raise error
        case Raised(exception):
            raise exception


class _Activation:
    """One entry from the host into a guest of `store`, as long as it lasts; it keeps what a host function raised."""

    __slots__ = ("by_ours", "raised", "store")

    def __init__(self, store: Storelike) -> None:
        self.store = store
        self.raised: BaseException | None = None
        self.by_ours = False


#: The innermost entry of this thread. A host function cannot say which call it is part of, and the C API has no place
#: for an exception; calls nest, so the innermost entry is the one that a failing host function ends.
innermost: ContextVar[_Activation | None] = ContextVar("innermost", default=None)


_ROOM = 40
"""So many levels of Python's recursion are kept for what has to be done when a host function fails."""


def _require_room(levels: int) -> None:
    """Raise RecursionError where there are no so many left before Python's limit."""
    if levels:
        _require_room(levels - 1)


def enter_guest(store: Storelike, enter: Callable[[Any], Any]) -> Failure | None:
    """Let `enter` call a function of the C API that runs a guest, and say how that ended; None: well.

    `enter` is given the `wasm_trap_t **` and gives back the `wasmtime_error_t *`. Raises RecursionError where a host
    function that the guest calls may have no room to say how it ended: ctypes would give the engine a wild pointer.
    """
    _require_room(_ROOM)
    activation, trap = _Activation(store), POINTER(ffi.wasm_trap_t)()
    token = innermost.set(activation)
    try:
        error = enter(byref(trap))
    finally:
        innermost.reset(token)
    if not error and not trap:
        return None
    raised = activation.raised or _take_last_exception()
    if trap:
        ended = wasmtime.Trap._from_ptr(trap)
        # An exception that nothing took stays pending, also when a trap comes after it.
        return Trapped(ended, thrown=ended.trap_code is None and has_exception(store))
    failed = wasmtime.WasmtimeError._from_ptr(error)
    return Failed(failed) if raised is None else Raised(raised, failed, activation.by_ours)


def entered_through(caller: wasmtime.Caller) -> Storelike | None:
    """With what the store of `caller` was entered last on this thread, where the innermost entry is of that store."""
    activation = innermost.get()
    same = activation is not None and context_address(activation.store) == context_address(caller)
    return activation.store if activation is not None and same else None


def _take_last_exception() -> BaseException | None:
    """Take what a host function made by wasmtime itself raised: wasmtime keeps that in one place for the process."""
    raised, _func.LAST_EXCEPTION = _func.LAST_EXCEPTION, None
    return raised


def call_func(store: Storelike, func: wasmtime.Func, signature: Signature, args: Sequence[Any]) -> Outcome:
    """Call `func`, whose `signature` the caller knows; TypeError where an argument is of the wrong type."""
    kinds = signature.params
    if len(args) != len(kinds):
        few_or_many = "few" if len(args) < len(kinds) else "many"
        raise wasmtime.WasmtimeError(f"too {few_or_many} parameters provided: given {len(args)}, expected {len(kinds)}")
    raw_args = (wasmtime_val_t * len(kinds))()
    raw_results = (wasmtime_val_t * len(signature.results))()
    try:
        for i, kind in enumerate(kinds):
            raw_args[i] = value_to_raw(store, kind, args[i])
        failure = enter_guest(
            store,
            lambda trap: ffi.wasmtime_func_call(
                store._context(), byref(func._func), raw_args, len(raw_args), raw_results, len(raw_results), trap
            ),
        )
    finally:
        for i, kind in enumerate(kinds):
            if kind >= Kind.EXTERNREF:
                unroot(raw_args[i])
    return failure or Returned(tuple(value_from_raw(store, raw, owned=True) for raw in raw_results))


class IntegerCall:
    """Calls one function of nothing but i32 parameters, with as little around it as there can be."""

    __slots__ = ("_arguments", "_func", "_trap")

    def __init__(self, func: wasmtime.Func, parameters: int) -> None:
        self._func = func._func
        self._arguments: Any = (ffi.wasmtime_val_raw_t * parameters)()
        self._trap = POINTER(ffi.wasm_trap_t)()

    def __call__(self, store: Storelike, *arguments: int) -> bool:
        """Call it; whether it came back."""
        raw = self._arguments
        for position, argument in enumerate(arguments):
            raw[position].i32 = argument
        trap = self._trap
        error = ffi.wasmtime_func_call_unchecked(store._context(), byref(self._func), raw, len(raw), byref(trap))
        if error:
            wasmtime.WasmtimeError._from_ptr(error)
            return False
        if trap:
            wasmtime.Trap._from_ptr(trap)
            self._trap = POINTER(ffi.wasm_trap_t)()
            return False
        return True


def instantiate(store: Storelike, module: wasmtime.Module, imports: Sequence[AsExtern]) -> wasmtime.Instance | Failure:
    """Instantiate a module, which runs its start function."""
    externs = (ffi.wasmtime_extern_t * len(imports))(*map(extern_of, imports))
    instance = ffi.wasmtime_instance_t()
    failure = enter_guest(
        store,
        lambda trap: ffi.wasmtime_instance_new(
            store._context(), module.ptr(), externs, len(externs), byref(instance), trap
        ),
    )
    return failure or wasmtime.Instance._from_raw(instance)


def linker_instantiate(
    linker: wasmtime.Linker, store: Storelike, module: wasmtime.Module
) -> wasmtime.Instance | Failure:
    """Instantiate a module with the imports a linker knows."""
    instance = ffi.wasmtime_instance_t()
    failure = enter_guest(
        store,
        lambda trap: ffi.wasmtime_linker_instantiate(
            linker.ptr(), store._context(), module.ptr(), byref(instance), trap
        ),
    )
    return failure or wasmtime.Instance._from_raw(instance)


def error_frames(error: wasmtime.WasmtimeError) -> list[wasmtime.Frame]:
    """Return the guest's backtrace at the time a host function failed; a trap has `frames` itself."""
    frames = _trap.FrameList(error)
    ffi.wasmtime_error_wasm_trace(error.ptr(), byref(frames.vec))
    return [wasmtime.Frame._from_ptr(frames.vec.data[i], frames) for i in range(frames.vec.size)]


def set_message(error: wasmtime.WasmtimeError, message: str) -> None:
    """Have `error` say `message`."""
    error._WasmtimeError__message = message  # type: ignore[attr-defined]  # where wasmtime-py keeps a text of its own
