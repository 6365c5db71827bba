"""Host functions of every type, whose exceptions stay with the call that they end."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Sequence
from ctypes import byref
from dataclasses import dataclass
from typing import Any, TypeAlias

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import _func
from wasmtime._store import Storelike

from wasmscope.runtime.capi.calls import Failure, enter_guest, innermost
from wasmscope.runtime.capi.exceptions import new_trap
from wasmscope.runtime.capi.types import signature
from wasmscope.runtime.capi.values import check, plain_from_raw, unroot, value_from_raw, value_to_raw
from wasmscope.runtime.val import ExnRef, Kind, Val


class EndHostCall(BaseException):
    """Raised by a host function to end with a trap or an exception of the guest's own, which the guest may catch."""

    def __init__(self, end: wasmtime.TrapCode | ExnRef) -> None:
        super().__init__(end)
        self.end = end


@dataclass(frozen=True, slots=True)
class _HostFunc:
    """What the trampoline needs for one host function."""

    callback: Callable[..., Any]
    results: tuple[Kind, ...]
    caller: Callable[[Any], wasmtime.Caller] | None
    access_caller: bool
    store: weakref.ref[wasmtime.Store] | None

    def run(self, pointer: Any, params: Any, nparams: int, results: Any, nresults: int) -> int:
        """Call the Python function and write its results; returns as the trampoline does."""
        caller = self.caller(pointer) if self.caller is not None else None
        store: Any = (self.store and self.store()) or caller
        args = [plain_from_raw(store, params[i]) for i in range(nparams)]
        try:
            try:
                returned = self.callback(caller or store, *args) if self.access_caller else self.callback(*args)
            except EndHostCall as request:
                return end_with(store, request.end)
            except BaseException as raised:
                return end_raising(raised, by_ours=True)
            if nresults:
                self._write(store, returned, results)
            elif returned is not None:
                raise wasmtime.WasmtimeError("callback produced results when it shouldn't")
        finally:
            if caller is not None:
                caller._invalidate()
        return 0

    def _write(self, store: Storelike, returned: Any, results: Any) -> None:
        values = (returned,) if len(self.results) == 1 else returned
        if len(values) != len(self.results):
            raise wasmtime.WasmtimeError("callback produced wrong number of results")
        for i, (kind, value) in enumerate(zip(self.results, values, strict=True)):
            results[i] = value_to_raw(store, kind, value)


@dataclass(frozen=True, slots=True)
class StandInCall:
    """One call of a host function that stands for another; good until that returns."""

    _caller: wasmtime.Caller
    _enter: Callable[[Any], Any]
    _results: Any
    _count: int

    def run(self) -> Failure | None:
        """Call the other function with the same arguments; its results are then this call's."""
        return enter_guest(self._caller, self._enter)

    def results(self) -> list[Val]:
        """What it returned."""
        return [value_from_raw(self._caller, self._results[i], owned=False) for i in range(self._count)]

    def set_results(self, values: Sequence[Val]) -> None:
        """Have this call return these values, of its types; nothing else returned any."""
        for i, value in enumerate(values):
            self._results[i] = value_to_raw(self._caller, value.kind, value)


@dataclass(frozen=True, slots=True)
class _StandIn:
    """What the trampoline needs for a host function that stands for another: values pass through as they are."""

    target: wasmtime.Func
    call: Callable[[Any, StandInCall], None]
    caller: Callable[[Any], wasmtime.Caller]

    def run(self, pointer: Any, params: Any, nparams: int, results: Any, nresults: int) -> int:
        """Have `call` call the function; returns as the trampoline does."""
        caller = self.caller(pointer)
        context = caller._context()

        def run(trap: Any) -> Any:
            return ffi.wasmtime_func_call(context, byref(self.target._func), params, nparams, results, nresults, trap)

        try:
            self.call(caller, StandInCall(caller, run, results, nresults))
        except EndHostCall as request:
            return end_with(caller, request.end)
        except BaseException as raised:
            return end_raising(raised, by_ours=True)
        finally:
            caller._invalidate()
        return 0


_Callee: TypeAlias = _HostFunc | _StandIn


def new_func(
    store: wasmtime.Store,
    ty: wasmtime.FuncType,
    callback: Callable[..., Any],
    access_caller: bool = False,
    caller: Callable[[Any], wasmtime.Caller] | None = wasmtime.Caller,
) -> ffi.wasmtime_func_t:
    """Make a host function of any type; `caller` makes the first argument of a callback that wants one.

    None: that is the store itself, which takes less to find.
    """
    # Weak: the engine keeps a host function as long as its store, which would thus keep itself alive.
    host_func = _HostFunc(callback, signature(ty).results, caller, access_caller, weakref.ref(store))
    func = ffi.wasmtime_func_t()
    handle = _func.FUNCTIONS.allocate(host_func)  # type: ignore[arg-type]  # a slab for any object
    ffi.wasmtime_func_new(store._context(), ty.ptr(), _trampoline, handle, _func.finalize, byref(func))
    return func


def new_stand_in(
    store: Storelike,
    target: wasmtime.Func,
    call: Callable[[Any, StandInCall], None],
    caller: Callable[[Any], wasmtime.Caller],
) -> ffi.wasmtime_func_t:
    """Make a host function that stands for `target` and has its very type, whichever that is.

    At each call `call(caller, call)` has to have the `StandInCall` call `target`, and to raise what it ends with
    otherwise.
    """
    func = ffi.wasmtime_func_t()
    handle = _func.FUNCTIONS.allocate(_StandIn(target, call, caller))  # type: ignore[arg-type]  # as above
    ty = target.type(store)
    ffi.wasmtime_func_new(store._context(), ty.ptr(), _trampoline, handle, _func.finalize, byref(func))
    return func


def define_func(
    linker: wasmtime.Linker,
    module: str,
    name: str,
    ty: wasmtime.FuncType,
    callback: Callable[..., Any],
    access_caller: bool = False,
    caller: Callable[[Any], wasmtime.Caller] = wasmtime.Caller,
) -> None:
    """Define a host function of any type in a linker, for any store."""
    host_func = _HostFunc(callback, signature(ty).results, caller, access_caller, None)
    handle = _func.FUNCTIONS.allocate(host_func)  # type: ignore[arg-type]  # a slab for any object
    module_bytes, name_bytes = module.encode(), name.encode()
    error = ffi.wasmtime_linker_define_func(
        linker.ptr(),
        ctypes.create_string_buffer(module_bytes),
        len(module_bytes),
        ctypes.create_string_buffer(name_bytes),
        len(name_bytes),
        ty.ptr(),
        _trampoline,
        handle,
        _func.finalize,
    )
    check(error)


@ffi.wasmtime_func_callback_t  # type: ignore[untyped-decorator]  # a ctypes type, which is untyped
def _trampoline(handle: int, pointer: Any, params: Any, nparams: int, results: Any, nresults: int) -> int:
    """Run a host function for the engine: the trap to end with, or 0.

    Nothing may be raised from here: ctypes would print it and let the guest go on with results that nobody gave.
    """
    try:
        callee: _Callee = _func.FUNCTIONS.get(handle)  # type: ignore[assignment]  # as above
        return callee.run(pointer, params, nparams, results, nresults)
    except BaseException as raised:
        return end_raising(raised, by_ours=False)


def end_raising(raised: BaseException, *, by_ours: bool) -> int:
    """The trap with which a trampoline has the guest end for what the host raised."""
    activation = innermost.get()
    if activation is None:
        _func.LAST_EXCEPTION = raised  # type: ignore[assignment]  # entered by wasmtime, which looks for it there
    else:
        activation.raised, activation.by_ours = raised, by_ours
    return _pointer_value(wasmtime.Trap("python exception")._consume())


def end_with(store: Storelike, end: wasmtime.TrapCode | ExnRef) -> int:
    """The trap, or what stands for the exception, with which a trampoline ends a call (`EndHostCall`)."""
    if isinstance(end, wasmtime.TrapCode):
        return _pointer_value(new_trap(end)._consume())
    raw = value_to_raw(store, Kind.EXNREF, end)
    trap = ffi.wasmtime_context_set_exception(store._context(), byref(raw.of.exnref))
    unroot(raw)
    return _pointer_value(trap)


def _pointer_value(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0
