"""Exceptions, told before they are thrown: while every frame between the throw and what catches it is still there.

Whether an exception is caught is what the engine's unwinder is about to find out: the frames of the innermost
activation are searched from the throw outward, each for the clauses around its pc (Wasm spec 4.6.10, `throw_ref`;
Wasmtime `runtime/vm/traphandlers.rs`). The host ends the search: an exception does not go through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.analysis.handlers import clauses_at
from wasmscope.analysis.signatures import effect_of
from wasmscope.errors import WasmscopeError
from wasmscope.runtime import capi
from wasmscope.runtime.enter import enter_host
from wasmscope.runtime.event import DebugEvent
from wasmscope.runtime.frame_values import FrameReader, Unavailable
from wasmscope.runtime.mirrors.unwinding import Rerun, Throw
from wasmscope.runtime.trap_point import instruction_at
from wasmscope.runtime.val import ExnRef, Val
from wasmscope.runtime.walk import Activation, CallSite, call_sites

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


@dataclass(slots=True)
class Telling:
    """An exception that the handler is being told of."""

    activation: Activation
    """The one it is thrown in."""
    replacement: ExnRef | None = None
    """What is to be thrown in its place."""


def attend_throw(store: Store) -> None:
    """The guest is about to throw, its frames are published, and somebody wants to know.

    Raises `capi.EndHostCall`, by which the exception that was told is thrown from here, if that is not what the guest
    throws anyway. Returns without an event where the guest's own instruction fails.
    """
    if not _is_tracked(store):
        return
    activation, sites = store.activations[-1], _sites(store)
    thrown = _thrown_at(store, sites[-1])
    if thrown is None:
        return
    activation.operands_were_set = False
    told = _tell(store, thrown.exception, sites)
    if told is thrown.exception and activation.operands_were_set:
        changed = _thrown_at(store, sites[-1])
        if changed is None:
            store.going_on(Rerun())  # the instruction fails as it does with these operands
            return
        told = changed.exception
        activation.uncaught = not is_caught(store, sites, told)
    store.going_on(Throw(told))
    if told is not thrown.exception or thrown.is_new:
        raise capi.EndHostCall(told)


def told_if_thrown(store: Store, end: wasmtime.TrapCode | ExnRef) -> wasmtime.TrapCode | ExnRef:
    """What a host function ends with that was about to end with `end`: an exception is told at its call.

    Raises `capi.EndHostCall` where the guest cannot go on with that as it is.
    """
    if not isinstance(end, ExnRef) or not store.guest_debug:
        return end
    if not _is_tracked(store) or not end.is_in(store):
        return end
    if store.shadow.throws:
        end = _tell(store, end, _sites(store))
    store.going_on(Throw(end))
    return end


def _is_tracked(store: Store) -> bool:
    """Whether the guest that runs was entered in a way that wasmscope knows of, so that its frames are known."""
    return bool(store.activations) and store.activations[-1].top is None


def _tell(store: Store, exception: ExnRef, sites: list[CallSite]) -> ExnRef:
    """Tell that `exception` is about to be thrown in the activation whose frames are at `sites`.

    Returns what is to be thrown: the handler may have replaced it.
    """
    activation = store.activations[-1]
    telling = Telling(activation)
    caught = is_caught(store, sites, exception)
    event = DebugEvent.CaughtExceptionThrown if caught else DebugEvent.UncaughtExceptionThrown
    store.tellings.append(telling)
    leave = enter_host(store)
    try:
        store.tell(event(exception))
    finally:
        leave()
        store.tellings.pop()
    if telling.replacement is not None:
        exception = telling.replacement
        caught = is_caught(store, sites, exception)
    activation.uncaught = not caught
    return exception


def replace_told(store: Store, exception: ExnRef) -> None:
    """See `Store.throw_instead`."""
    if not isinstance(exception, ExnRef):
        raise TypeError(f"expected an ExnRef, not {exception!r}")
    if not store.tellings or store.tellings[-1].activation is not store.activations[-1]:
        raise WasmscopeError("only while the handler is told of an exception can another be thrown instead")
    if not exception.is_in(store):
        raise ValueError("the exception belongs to another store")
    store.tellings[-1].replacement = exception


def is_caught(store: Store, sites: Iterable[CallSite], exception: ExnRef) -> bool:
    """Whether one of the frames, oldest first, has a handler for `exception` around the call or throw it is at."""
    tag = exception.tag
    for site in reversed(list(sites)):
        regions = site.table.try_regions(site.function)
        for clause in clauses_at(regions, site.pc):
            if clause.tag is None:
                return True
            own = site.instance.debug_tag(store, clause.tag)
            if own is not None and own.eq(store, tag):
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Thrown:
    exception: ExnRef
    is_new: bool
    """Made here, so that the guest's instruction would throw another one."""


def _sites(store: Store) -> list[CallSite]:
    """Where the frames of the innermost activation are."""
    activation, end = store.activations[-1], store.shadow.stack_pointer
    return list(call_sites(store.shadow, store.instances, store.mirrors_made, activation, end))


def _thrown_at(store: Store, site: CallSite) -> _Thrown | None:
    """What the `throw` or `throw_ref` at `site` is about to throw; None: it traps, or runs out of memory."""
    instruction = instruction_at(site.table, site.pc)
    reader = FrameReader(store, site.frame())
    assert reader.state is not None
    count = len(reader.state.stack)
    if instruction.opcode.name == "throw_ref":
        operand = _operand(reader, count - 1)
        return None if operand.value is None else _Thrown(operand.value, is_new=False)
    tag_index: int = instruction.immediates[0]
    tag = site.instance.debug_tag(store, tag_index)
    assert tag is not None, "the instance was made before its code ran"
    arity = effect_of(instruction, site.table.module).pops
    try:
        return _Thrown(ExnRef(store, tag, [_operand(reader, count - arity + n) for n in range(arity)]), is_new=True)
    except wasmtime.WasmtimeError:
        return None  # the collector's heap is full: the guest's instruction says so as ever


def _operand(reader: FrameReader, index: int) -> Val:
    value = reader.operand(index)
    assert not isinstance(value, Unavailable), "everything is published at a throw"
    return value
