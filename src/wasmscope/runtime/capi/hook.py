"""Host functions without parameters and results, for what is called often: nothing has to be converted.

Converting takes most of the time of any other: some ten microseconds, where a call by itself takes half a one.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from ctypes import byref
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import _func

from wasmscope.runtime.capi.host import EndHostCall, end_raising, end_with


@dataclass(frozen=True, slots=True)
class _Hook:
    """A method, and whose it is; weakly, as the engine keeps a host function as long as its store."""

    function: Callable[[Any], None]
    owner: weakref.ref[Any]
    store: weakref.ref[wasmtime.Store]


def new_hook(store: wasmtime.Store, method: Callable[[], None]) -> wasmtime.Func:
    """Make a host function that calls a method, which may raise what any host function may (`EndHostCall` too).

    When the object that the method is of is gone, it does nothing.
    """
    hook = _Hook(method.__func__, weakref.ref(method.__self__), weakref.ref(store))  # type: ignore[attr-defined]  # bound
    func, ty = ffi.wasmtime_func_t(), wasmtime.FuncType([], [])
    handle = _func.FUNCTIONS.allocate(hook)  # type: ignore[arg-type]  # a slab for any object
    trampoline = ctypes.cast(_trampoline, ffi.wasmtime_func_callback_t)
    ffi.wasmtime_func_new(store._context(), ty.ptr(), trampoline, handle, _func.finalize, byref(func))
    return wasmtime.Func._from_raw(func)


_WORDS = (ctypes.c_size_t,) * 6
"""Pointers as integers: as pointers, an object would be made of each at every call."""


@ctypes.CFUNCTYPE(ctypes.c_size_t, *_WORDS)  # type: ignore[untyped-decorator]  # a ctypes type, which is untyped
def _trampoline(handle: int, _caller: int, _params: int, _nparams: int, _results: int, _nresults: int) -> int:
    """Call the method for the engine: the trap to end with, or 0. Nothing may be raised from here."""
    try:
        hook: _Hook = _func.FUNCTIONS.get(handle)  # type: ignore[assignment]  # as above
        owner = hook.owner()
        if owner is None:
            return 0
        try:
            hook.function(owner)
        except EndHostCall as request:
            store = hook.store()
            assert store is not None, "a guest runs in it"
            return end_with(store, request.end)
        except BaseException as raised:
            return end_raising(raised, by_ours=True)
        return 0
    except BaseException as raised:
        return end_raising(raised, by_ours=False)
