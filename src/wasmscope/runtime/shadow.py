"""The shadow state of one store, read and written from the host: memory, flags, words of functions, fuel."""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import wasmtime

from wasmscope.instrument.layout import (
    ATTENTION,
    ENTRY,
    FIRST_FRAME,
    FLAG_COUNT,
    FLAGS,
    FUEL,
    INSTANCE,
    REDIRECTED,
    REFERENCE_POINTER,
    SITE,
    STACK_POINTER,
    THROWS,
    WORDS,
)
from wasmscope.runtime import capi
from wasmscope.runtime.function_words import FunctionWords
from wasmscope.runtime.mirror_table import MirrorTable
from wasmscope.runtime.reference_tables import ReferenceTables

if TYPE_CHECKING:
    from wasmscope.runtime.engine import Engine
    from wasmscope.runtime.store import Store

_WORD = struct.Struct("<I")
_POINTERS = struct.Struct("<2I")
_INTEGER, _LONG = struct.Struct("<i"), struct.Struct("<q")
_FUEL = struct.Struct("<q")
_ALL_FLAGS = b"\1" * FLAG_COUNT


class Shadow:
    """The memory and tables that every rewritten instance of a store imports (`instrument/layout.py`).

    The memory never moves, so it is read through its address. That also makes setting the attention flag safe from any
    thread and from signal handlers, which no call into the store would be.
    """

    def __init__(
        self, store: Store, engine: Engine, attend: Callable[[], None], attend_throw: Callable[[], None]
    ) -> None:
        self._store = store
        exported = wasmtime.Instance(store, engine.shadow_memory_module, []).exports(store)[""]
        assert isinstance(exported, wasmtime.Memory)
        self.memory = exported
        address, size = capi.memory_data(store, exported)
        self._bytes = memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")
        self.size = size
        self.references = ReferenceTables(store, engine, self._bytes)
        self.mirrors = MirrorTable(store, engine)
        self._words = FunctionWords()
        self._flags = bytearray(FLAG_COUNT)
        """What the flags are while the host wants no attention."""
        self._flag_users = Counter[int]()
        self._all_flags = False
        self.companions = 0
        """How many instances were made for mirrors."""
        self.attention_function = capi.new_hook(store, attend)
        self.throw_function = capi.new_hook(store, attend_throw)
        self.stack_pointer = FIRST_FRAME

    def close(self) -> None:
        """The store is gone and its memory with it."""
        self._bytes = memoryview(bytearray(WORDS))  # attention may still be asked for
        self.size = 0
        self.references.close()

    @property
    def stack_pointer(self) -> int:
        """Address of the first free byte above the pushed frames."""
        return self.word(STACK_POINTER)

    @stack_pointer.setter
    def stack_pointer(self, address: int) -> None:
        _WORD.pack_into(self._bytes, STACK_POINTER, address)

    @property
    def reference_pointer(self) -> int:
        """Index of the first free entry of the reference tables."""
        return self.word(REFERENCE_POINTER)

    @reference_pointer.setter
    def reference_pointer(self, index: int) -> None:
        _WORD.pack_into(self._bytes, REFERENCE_POINTER, index)

    @property
    def pointers(self) -> tuple[int, int]:
        """Both of these: they move together."""
        stack_pointer, reference_pointer = _POINTERS.unpack_from(self._bytes, STACK_POINTER)
        return stack_pointer, reference_pointer

    @pointers.setter
    def pointers(self, pointers: tuple[int, int]) -> None:
        _POINTERS.pack_into(self._bytes, STACK_POINTER, *pointers)

    @property
    def attention(self) -> bool:
        """Whether the guest calls the host at its next test."""
        return self._bytes[ATTENTION] != 0

    @attention.setter
    def attention(self, wanted: bool) -> None:
        """Set from any thread and from signal handlers, cleared on the guest's thread.

        Whoever sets it gives the reason first, whoever clears it looks for reasons afterwards: then none is missed,
        and the order below makes sure that attention is wanted where all flags are left set. The byte is set first
        for `set_flag`, which looks at it when it has cleared a flag.
        """
        if wanted:
            self._bytes[ATTENTION] = 1
            self._bytes[FLAGS : FLAGS + FLAG_COUNT] = _ALL_FLAGS
            self._bytes[ATTENTION] = 1
        else:
            self._bytes[ATTENTION] = 0
            self._bytes[FLAGS : FLAGS + FLAG_COUNT] = self._flags

    def set_flag(self, number: int, on: bool) -> None:
        """Have the functions with this flag look at their words, or not any more, if so often off as on.

        Functions may share a flag: it stays on as long as it is on for one of them. On the guest's thread.
        """
        self._flag_users[number] += 1 if on else -1
        users = self._flag_users[number]
        assert users >= 0, "it was switched on before"
        if not users:
            del self._flag_users[number]
        if self._all_flags:
            return
        self._flags[number] = self._bytes[FLAGS + number] = users > 0
        if self._bytes[ATTENTION]:
            self._bytes[FLAGS + number] = 1

    def word_address(self, instance_id: int, function: int) -> int:
        """Where the word of a defined function of an instance is.

        Raises `WasmscopeError` for an instance that came when there were no words left.
        """
        return self._words.address(instance_id, function)

    def add_targets(self, functions: int) -> int:
        """Room for what variants call in place of so many functions. Raises `WasmscopeError` where there is none."""
        return self._words.add_targets(functions)

    def has_words(self, instance_id: int) -> bool:
        """Whether the functions of an instance have words."""
        return self._words.has_any(instance_id)

    def set_word(self, address: int, mirror: int) -> None:
        """Have the function whose word is at `address` run by the mirror with this index; 0: by itself.

        It is looked at when the function's flag is set (`Plan.mark`).
        """
        _WORD.pack_into(self._bytes, address, mirror)

    def write_words(self, address: int, words: array[int]) -> None:
        """Set the words from `address` on."""
        encoded = words.tobytes()
        self._bytes[address : address + len(encoded)] = encoded

    def set_all_flags(self, on: bool) -> None:
        """Have all functions look at their words, or only those with flags that are on for one of them."""
        self._all_flags = on
        self._flags = bytearray(_ALL_FLAGS) if on else bytearray(FLAG_COUNT)
        if not on:
            for number in self._flag_users:
                self._flags[number] = 1
        if not self.attention:
            self._bytes[FLAGS : FLAGS + FLAG_COUNT] = self._flags
            if self.attention:
                self._bytes[FLAGS : FLAGS + FLAG_COUNT] = _ALL_FLAGS

    @property
    def redirected(self) -> int:
        """Index among the defined functions of the one that was entered last through a function that leads to it.

        That is an entry function, or the way to its mirror.
        """
        return self.word(REDIRECTED)

    @property
    def throws(self) -> bool:
        """Whether the guest calls the host before it throws."""
        return self._bytes[THROWS] != 0

    @throws.setter
    def throws(self, wanted: bool) -> None:
        self._bytes[THROWS] = int(wanted)

    @property
    def fuel(self) -> int:
        """Instructions run, counted up from minus the fuel there was."""
        consumed: int = _FUEL.unpack_from(self._bytes, FUEL)[0]
        return consumed

    @fuel.setter
    def fuel(self, consumed: int) -> None:
        _FUEL.pack_into(self._bytes, FUEL, consumed)

    def select_entry(self, number: int, function: int) -> None:
        """Have the entry function that is called next call the function with this number, a defined one."""
        _WORD.pack_into(self._bytes, ENTRY, number)
        _WORD.pack_into(self._bytes, REDIRECTED, function)

    def word(self, address: int) -> int:
        """The u32 at `address`."""
        word: int = _WORD.unpack_from(self._bytes, address)[0]
        return word

    def site(self, frame: int) -> int:
        """The site of the frame at address `frame`."""
        return self.word(frame + SITE)

    def instance_id(self, frame: int) -> int:
        """The instance that the frame at address `frame` names."""
        return self.word(frame + INSTANCE)

    def set_bits(self, address: int, size: int, bits: int) -> None:
        """Set `size` bytes at `address`."""
        self._bytes[address : address + size] = bits.to_bytes(size, "little")

    def set_header(self, frame: int, site: int, mirror: int) -> None:
        """Write what the frame at address `frame` begins with."""
        _POINTERS.pack_into(self._bytes, frame, site, mirror)

    def integer(self, address: int, size: int) -> int:
        """`size` bytes, 4 or 8, at `address`, as a signed integer."""
        integer: int = (_INTEGER if size == 4 else _LONG).unpack_from(self._bytes, address)[0]
        return integer

    def bits(self, address: int, size: int) -> int:
        """`size` bytes at `address`, as an unsigned integer."""
        return int.from_bytes(self._bytes[address : address + size], "little")

    def imports(
        self, kinds: tuple[str, ...], instance_id: int, functions: int
    ) -> list[wasmtime.Func | wasmtime.Memory | wasmtime.Global | wasmtime.Table]:
        """What the rewrite's appended imports stand for, in their order, for the instance with this id.

        `kinds` are those of the references in it, `functions` is how many it defines.
        """
        return self.appended(kinds, instance_id, self._words.add(instance_id, functions))

    def appended(
        self, kinds: tuple[str, ...], identity: int, words: int
    ) -> list[wasmtime.Func | wasmtime.Memory | wasmtime.Global | wasmtime.Table]:
        """The same for what frames name by `identity`, and whose functions' words are at `words`."""
        return [
            *(self.attention_function, self.throw_function),
            self.memory,
            *(self.constant(identity), self.constant(words)),
            *(self.mirrors.table, *map(self.references.table, kinds)),
        ]

    def drop_imports(self, instance_id: int) -> None:
        """Of the instance that was added last nothing came."""
        self._words.drop(instance_id)

    def constant(self, value: int) -> wasmtime.Global:
        """An immutable global for an import of a number."""
        immutable_i32 = wasmtime.GlobalType(wasmtime.ValType.i32(), False)
        return wasmtime.Global(self._store, immutable_i32, wasmtime.Val.i32(value))

    @property
    def own(self) -> dict[str, int]:
        """How many entities of the store it takes, by what the engine calls them in messages about limits."""
        return {
            "instance": 2 + len(self.references) + self.companions,
            "table": 1 + len(self.references),
            "memory": 2 if self.companions else 1,
        }
