"""Memory instructions (spec 4.6.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference.errors import Trap
from reference.handlers.protocol import Handler, replace, top
from reference.immediates import MemoryArgument
from reference.integers import signed
from reference.values import Value
from reference.vectors import lanes, splat, vector

if TYPE_CHECKING:
    from reference.machine import Call


def load(size: int, convert: Callable[[bytes], Value]) -> Handler:
    """Replaces the address by what the bytes there stand for."""

    def handler(call: Call, stack: list[Value], where: MemoryArgument) -> None:
        stack[-1] = convert(call.instance.memories[where.memory].read(stack[-1] + where.offset, size))

    return handler


def store(convert: Callable[[Value], bytes]) -> Handler:
    """Takes address and value, writes the value's bytes."""

    def handler(call: Call, stack: list[Value], where: MemoryArgument) -> None:
        address, value = top(stack, 2)
        call.instance.memories[where.memory].write(address + where.offset, convert(value))
        replace(stack, 2)

    return handler


def unsigned_bytes(data: bytes) -> int:
    """The number that little-endian bytes encode."""
    return int.from_bytes(data, "little")


def _signed_bytes(bits: int) -> Callable[[bytes], int]:
    return lambda data: int.from_bytes(data, "little", signed=True) & ((1 << bits) - 1)


def low_bytes(size: int) -> Callable[[int], bytes]:
    """The low bytes of a number, little-endian."""
    mask = (1 << 8 * size) - 1
    return lambda value: (value & mask).to_bytes(size, "little")


def _scalar_accesses() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for type, size in (("i32", 4), ("i64", 8), ("f32", 4), ("f64", 8)):
        table[f"{type}.load"] = load(size, unsigned_bytes)
        table[f"{type}.store"] = store(low_bytes(size))
        for width in (1, 2, 4):
            if type[0] == "i" and width < size:
                table[f"{type}.load{8 * width}_u"] = load(width, unsigned_bytes)
                table[f"{type}.load{8 * width}_s"] = load(width, _signed_bytes(8 * size))
                table[f"{type}.store{8 * width}"] = store(low_bytes(width))
    return table


def _vector_identity(value: bytes) -> bytes:
    return value


def _load_extend(bits: int, is_signed: bool) -> Callable[[bytes], bytes]:
    """Eight bytes as lanes of `bits` bits, each made twice as wide."""
    mask = (1 << 2 * bits) - 1

    def convert(data: bytes) -> bytes:
        narrow = lanes(data + bytes(8), bits)[: 64 // bits]
        return vector(((signed(lane, bits) if is_signed else lane) & mask for lane in narrow), 2 * bits)

    return convert


def _splat_bytes(bits: int) -> Callable[[bytes], bytes]:
    return lambda data: splat(unsigned_bytes(data), bits)


def _load_lane(bits: int) -> Handler:
    def handler(call: Call, stack: list[Value], immediate: tuple[MemoryArgument, int]) -> None:
        where, lane = immediate
        address, target = top(stack, 2)
        changed = list(lanes(target, bits))
        changed[lane] = unsigned_bytes(call.instance.memories[where.memory].read(address + where.offset, bits // 8))
        replace(stack, 2, [vector(changed, bits)])

    return handler


def _store_lane(bits: int) -> Handler:
    def handler(call: Call, stack: list[Value], immediate: tuple[MemoryArgument, int]) -> None:
        where, lane = immediate
        address, source = top(stack, 2)
        data = low_bytes(bits // 8)(lanes(source, bits)[lane])
        call.instance.memories[where.memory].write(address + where.offset, data)
        replace(stack, 2)

    return handler


def _vector_accesses() -> dict[str, Handler]:
    table: dict[str, Handler] = {
        "v128.load": load(16, _vector_identity),
        "v128.store": store(_vector_identity),
    }
    for bits, count in ((8, 8), (16, 4), (32, 2)):
        table[f"v128.load{bits}x{count}_s"] = load(8, _load_extend(bits, True))
        table[f"v128.load{bits}x{count}_u"] = load(8, _load_extend(bits, False))
    for bits in (8, 16, 32, 64):
        table[f"v128.load{bits}_splat"] = load(bits // 8, _splat_bytes(bits))
        table[f"v128.load{bits}_lane"] = _load_lane(bits)
        table[f"v128.store{bits}_lane"] = _store_lane(bits)
    for bits in (32, 64):
        table[f"v128.load{bits}_zero"] = load(bits // 8, lambda data: data.ljust(16, b"\0"))
    return table


def _memory_size(call: Call, stack: list[Value], memory: int) -> None:
    stack.append(call.instance.memories[memory].pages)


def _memory_grow(call: Call, stack: list[Value], memory: int) -> None:
    grown = call.instance.memories[memory]
    mask = 0xFFFFFFFF if grown.type.address == "i32" else 0xFFFFFFFFFFFFFFFF
    stack[-1] = grown.grow(stack[-1]) & mask


def _memory_fill(call: Call, stack: list[Value], memory: int) -> None:
    address, value, size = top(stack, 3)
    target = call.instance.memories[memory]
    target.check(address, size)
    target.write(address, bytes([value & 0xFF]) * size)
    replace(stack, 3)


def _memory_copy(call: Call, stack: list[Value], immediate: tuple[int, int]) -> None:
    to, source = (call.instance.memories[index] for index in immediate)
    target_address, source_address, size = top(stack, 3)
    to.check(target_address, size)
    to.write(target_address, source.read(source_address, size))
    replace(stack, 3)


def _memory_init(call: Call, stack: list[Value], immediate: tuple[int, int]) -> None:
    data, memory = immediate
    address, offset, size = top(stack, 3)
    content = data_slice(call, data, offset, size)
    call.instance.memories[memory].write(address, content)
    replace(stack, 3)


def data_slice(call: Call, data: int, offset: int, size: int) -> bytes:
    """Part of a data segment; what leaves it traps."""
    content = call.instance.data[data]
    if offset + size > len(content):
        raise Trap("MEMORY_OUT_OF_BOUNDS")
    return content[offset : offset + size]


def _data_drop(call: Call, stack: list[Value], data: int) -> None:
    call.instance.data[data] = b""


MEMORIES = _scalar_accesses() | _vector_accesses()
MEMORIES |= {
    "memory.size": _memory_size,
    "memory.grow": _memory_grow,
    "memory.fill": _memory_fill,
    "memory.copy": _memory_copy,
    "memory.init": _memory_init,
    "data.drop": _data_drop,
}
