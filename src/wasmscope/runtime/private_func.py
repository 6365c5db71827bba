"""Functions that nothing outside their instance could call, in the hands of the host.

Their frames do not name their instance: it is their caller's. So the activation that the host begins by calling one
knows the instance, and a guest never gets the function itself, but a host function that stands for it and begins such
an activation. Which of the two it is cannot be told in Wasm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import wasmtime

from wasmscope.errors import WasmscopeError
from wasmscope.runtime import capi
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.enter import enter, enter_host
from wasmscope.runtime.entities import Table
from wasmscope.runtime.func import Caller, Func, caller_maker, plain, store_of
from wasmscope.runtime.throw import told_if_thrown

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

_Result = TypeVar("_Result")


class PrivateFunc(Func):
    """A function of `instance`; what stands for it, of the same type, is what guests and wasmtime's own classes see."""

    def __init__(
        self,
        store: Store,
        instance: Instance,
        target: wasmtime.Func,
        number: int | None = None,
        function: int | None = None,
    ) -> None:
        """`target` is the function itself or, with its `number` there, the entry function that leads to it.

        `function` is its index among the defined functions where an entry function leads to it.
        """
        assert isinstance(store.engine, Engine)
        self.instance = instance
        self.target = target
        self._number = number
        self._function = function
        self._func = capi.new_stand_in(store, target, self._called_by_guest, caller_maker(store.engine))

    @property
    def is_direct(self) -> bool:
        """Whether `target` is the function itself."""
        return self._number is None

    def __call__(self, store: Any, *params: Any) -> Any:
        """As wasmtime's."""
        owner = store_of(store)
        if owner is None:
            raise ValueError("the function belongs to another store")
        signature = self.signature(store)
        run = partial(capi.call_func, store, self.target, signature, params)
        return plain(self._enter(owner, run, complete=lambda returned: returned))

    def _enter(
        self,
        store: Store,
        run: Callable[[], _Result | capi.Failure],
        as_thrown: Callable[[wasmtime.Trap], BaseException] | None = None,
        complete: Callable[[capi.Returned], _Result] | None = None,
    ) -> _Result:
        def selected() -> _Result | capi.Failure:
            if self._number is not None and self._function is not None:
                store.shadow.select_entry(self._number, self._function)
            return run()

        return enter(store, selected, self.instance, as_thrown=as_thrown, complete=complete)

    def _called_by_guest(self, caller: Caller, call: capi.StandInCall) -> None:
        store = caller.store
        leave = enter_host(store)
        try:
            try:
                self._enter(
                    store, call.run, lambda _: _passed_on(store), lambda returned: call.set_results(returned.values)
                )
            finally:
                leave()
            results = call.results()
            store.host_returned(results[0] if len(results) == 1 else results or None)
        except capi.EndHostCall as request:
            # It goes on through the guest that called, which may catch it.
            raise capi.EndHostCall(told_if_thrown(store, request.end)) from None


def _passed_on(store: Store) -> BaseException:
    """What a host function ends with for the pending exception to go on."""
    exception = capi.take_exception(store)
    assert exception is not None, "the guest ended by it"
    return capi.EndHostCall(exception)


class PrivateTable(Table):
    """A table whose functions only `instance` calls, as the host may use it."""

    def __init__(self, table: wasmtime.Table, instance: Instance) -> None:
        self._table = table._table
        self._instance = instance

    def get(self, store: Any, idx: int) -> Any:
        """As wasmtime's; a function knows which instance it belongs to."""
        item = super().get(store, idx)
        return self._instance.standing_for(store, item) if isinstance(item, wasmtime.Func) else item

    def set(self, store: Any, idx: int, val: Any) -> None:
        """As wasmtime's."""
        if isinstance(val, PrivateFunc) and val.is_direct and val.instance is self._instance:
            val = val.target  # where it came from: there its instance calls it itself
        super().set(store, idx, val)

    def _as_extern(self) -> Any:
        raise WasmscopeError(
            "this table is private to its instance: given to another, the frames of its functions would not say whose "
            "they are"
        )
