"""Atomic instructions of the threads proposal, for the one thread there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference.errors import Trap
from reference.handlers.memories import low_bytes, unsigned_bytes
from reference.handlers.protocol import Handler, replace, top
from reference.immediates import MemoryArgument
from reference.integers import signed
from reference.state import Memory
from reference.values import Value

if TYPE_CHECKING:
    from reference.machine import Call

_NOT_EQUAL, _TIMED_OUT = 1, 2


def _locate(call: Call, address: int, where: MemoryArgument, size: int) -> tuple[Memory, int]:
    """The memory and effective address; one that is not aligned traps, before one out of bounds does."""
    memory = call.instance.memories[where.memory]
    if (address + where.offset) % size:
        raise Trap("HEAP_MISALIGNED")
    memory.check(address + where.offset, size)
    return memory, address + where.offset


def _load(size: int) -> Handler:
    def handler(call: Call, stack: list[Value], where: MemoryArgument) -> None:
        memory, address = _locate(call, stack[-1], where, size)
        stack[-1] = unsigned_bytes(memory.read(address, size))

    return handler


def _modify(size: int, operands: int, operator: Callable[..., int | None], results: int) -> Handler:
    """Write what the operator makes of the old value and the operands; the old value is the result, if there is one.

    An operator that gives None leaves the memory as it is.
    """
    mask = (1 << 8 * size) - 1

    def handler(call: Call, stack: list[Value], where: MemoryArgument) -> None:
        address, *values = top(stack, 1 + operands)
        memory, effective = _locate(call, address, where, size)
        old = unsigned_bytes(memory.read(effective, size))
        new = operator(old, *values)
        if new is not None:
            memory.write(effective, low_bytes(size)(new & mask))
        replace(stack, 1 + operands, [old] * results)

    return handler


def _wait(size: int) -> Handler:
    """Nobody can wake the only thread: a wait ends at once, as after its timeout."""

    def handler(call: Call, stack: list[Value], where: MemoryArgument) -> None:
        address, expected, timeout = top(stack, 3)
        memory, effective = _locate(call, address, where, size)
        if not memory.type.shared:
            raise Trap("ATOMIC_WAIT_NON_SHARED_MEMORY")
        equal = unsigned_bytes(memory.read(effective, size)) == expected
        if equal and signed(timeout, 64) < 0:
            raise RuntimeError("the only thread waits for ever")
        replace(stack, 3, [_TIMED_OUT if equal else _NOT_EQUAL])

    return handler


def _notify(call: Call, stack: list[Value], where: MemoryArgument) -> None:
    _locate(call, stack[-2], where, 4)
    replace(stack, 2, [0])


def _fence(call: Call, stack: list[Value], _: object) -> None:
    pass


def _compare_exchange(old: int, expected: int, replacement: int) -> int | None:
    return replacement if old == expected else None


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "add": lambda old, value: old + value,
    "sub": lambda old, value: old - value,
    "and": lambda old, value: old & value,
    "or": lambda old, value: old | value,
    "xor": lambda old, value: old ^ value,
    "xchg": lambda old, value: value,
}


def _atomic_handlers() -> dict[str, Handler]:
    table: dict[str, Handler] = {
        "memory.atomic.notify": _notify,
        "memory.atomic.wait32": _wait(4),
        "memory.atomic.wait64": _wait(8),
        "atomic.fence": _fence,
    }
    for type, full in (("i32", 4), ("i64", 8)):
        for size in (1, 2, 4, 8):
            if size > full:
                continue
            width, suffix = ("", "") if size == full else (str(8 * size), "_u")
            table[f"{type}.atomic.load{width}{suffix}"] = _load(size)
            table[f"{type}.atomic.store{width}"] = _modify(size, 1, _OPERATORS["xchg"], 0)
            for name, operator in _OPERATORS.items():
                table[f"{type}.atomic.rmw{width}.{name}{suffix}"] = _modify(size, 1, operator, 1)
            table[f"{type}.atomic.rmw{width}.cmpxchg{suffix}"] = _modify(size, 2, _compare_exchange, 1)
    return table


ATOMICS = _atomic_handlers()
