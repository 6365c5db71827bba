"""What is watched is looked for in optimised code: as exactly as in mirrors, and only where it may be accessed."""

from __future__ import annotations

import random
from typing import Any

import pytest

import wasmscope
from wasmscope import DebugEvent
from watch.guest import Guest

WIDTHS = {1: "i32.store8", 2: "i32.store16", 4: "i32.store", 8: "i64.store", 16: "v128.store"}
VALUES = {1: "i32.const 1", 2: "i32.const 1", 4: "i32.const 1", 8: "i64.const 1", 16: "v128.const i64x2 1 1"}

STORES = "(module (memory (export {name!r}) {type} 1 1) {functions})".replace("{name!r}", '"memory"')


def _stores(type_: str, offset: int) -> str:
    functions = (
        f'(func (export "store{width}") (param {type_ or "i32"})'
        f" ({name} offset={offset} (local.get 0) ({VALUES[width]})))"
        for width, name in WIDTHS.items()
    )
    return STORES.format(type=type_, functions="".join(functions))


def _in_variant(guest: Guest) -> bool:
    return guest.frame.raw.variant is not None


@pytest.mark.parametrize("type_", ["", "i64"])
@pytest.mark.parametrize("offset", [0, 3, 1000])
@pytest.mark.parametrize("width", WIDTHS)
def test_exactly_the_accesses_that_overlap_are_told(width: int, offset: int, type_: str) -> None:
    guest = Guest(_stores(type_, offset))
    ranges = [(2000, 2001), (2016, 2020), (2040, 2060)]
    for start, end in ranges:
        guest.watch(guest.exports["memory"], start, end - start)
    tiers = set()
    for address in range(1980, 2080):
        guest.actions = [lambda _: tiers.add(_in_variant(guest))] * 3
        guest.told.clear()
        guest.call(f"store{width}", address - offset)
        expected = [start for start, end in ranges if address < end and start < address + width]
        found = [event.watch.address for event in guest.told if isinstance(event, DebugEvent.Watchpoint)]
        assert found == expected, address
    assert tiers == {True}


@pytest.mark.parametrize("offset", [0xFFFF_FFFF, 0xFFFF_0000])
def test_addresses_do_not_wrap(offset: int) -> None:
    guest = Guest(_stores("", offset))
    for start, length in ((0, 64), (65472, 64)):
        guest.watch(guest.exports["memory"], start, length)
    for width in WIDTHS:
        for address in (0, 1, 17, 0x1_0000, 0xFFFF_FFFF):
            with pytest.raises(wasmscope.Trap):
                guest.call(f"store{width}", address - (1 << 32) if address >> 31 else address)
    assert not any(isinstance(event, DebugEvent.Watchpoint) for event in guest.told)


def test_64_bit_addresses_beyond_all_that_there_are_trap_and_are_not_told() -> None:
    guest = Guest(_stores("i64", (1 << 64) - 8))
    guest.watch(guest.exports["memory"])
    for width in WIDTHS:
        with pytest.raises(wasmscope.Trap):
            guest.call(f"store{width}", 16)
    assert not any(isinstance(event, DebugEvent.Watchpoint) for event in guest.told)


COUNTS = """(module
  (import "" "memory" (memory 1))
  (func $put (export "put") (param $at i32) (param $value i32) (i32.store (local.get $at) (local.get $value)))
  (func $middle (param $at i32) (param $value i32) (call $put (local.get $at) (local.get $value)))
  (func $reads (export "reads") (param $at i32) (result i32) (i32.load (local.get $at)))
  (func (export "run") (param $at i32) (param $count i32) (result i32) (local $sum i32)
    (loop $again
      (call $middle (local.get $at) (local.get $count))
      (local.set $sum (i32.add (local.get $sum) (call $reads (local.get $at))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum)))"""


class Pair(Guest):
    """Two instances of a module; the second has a memory of its own."""

    def __init__(self) -> None:
        self.memories: list[wasmscope.Memory] = []
        super().__init__(COUNTS, self._imports)
        other = wasmscope.Instance(self.store, self.module, self._imports(self))
        self.other: Any = other.exports(self.store)

    def _imports(self, _: Guest) -> list[Any]:
        memory_type = wasmscope.MemoryType(wasmscope.Limits(1, None))
        self.memories.append(wasmscope.Memory(self.store, memory_type))
        return [self.memories[-1]]


def test_the_frames_around_a_hit_are_shown_in_variants_too() -> None:
    guest = Pair()
    guest.watch(guest.memories[0], 100, 4)
    seen: list[Any] = []

    def look(_: DebugEvent) -> None:
        for frame in guest.store.frames():
            locals_ = [frame.local(n).value for n in range(frame.num_locals())]
            seen.append((frame.raw.variant is not None, frame.function_index, locals_))

    guest.actions = [look]
    assert guest.call("run", 100, 5) == 15
    # The caller has no access itself: it stays as it is.
    assert seen == [(True, 0, [100, 5]), (False, 1, [100, 5]), (False, 3, [100, 5, 0])]
    assert len(guest.told) == 5


def test_functions_that_do_not_access_what_is_watched_run_as_they_are() -> None:
    guest = Pair()
    guest.watch(guest.memories[0], 100, 4)
    words = [guest.store.shadow.word(guest.store.shadow.word_address(guest.instance.id, n)) for n in range(4)]
    assert [bool(word) for word in words] == [True, False, False, False]
    first = guest.store.shadow.word_address(guest.instance.id + 1, 0)
    assert not any(guest.store.shadow.word(first + 4 * n) for n in range(4))


def test_another_instances_memory_is_another() -> None:
    guest = Pair()
    guest.watch(guest.memories[0], 100, 4)
    guest.watch(guest.memories[1], 200, 4, "rw")
    assert guest.other["run"](guest.store, 100, 3) == 6
    assert guest.call("run", 200, 3) == 6
    assert guest.told == []
    guest.other["run"](guest.store, 200, 1)
    assert [event.access for event in guest.told if isinstance(event, DebugEvent.Watchpoint)] == ["w", "r"]


def test_a_watchpoint_that_is_set_in_a_handler_counts_for_frames_in_variants() -> None:
    guest = Pair()
    guest.watch(guest.memories[0], 100, 4)
    reads: list[wasmscope.Watchpoint] = []
    guest.actions = [lambda _: None, lambda _: reads.append(guest.watch(guest.memories[0], 100, 4, "r"))]
    assert guest.call("run", 100, 4) == 10
    assert reads[0].hits == 3


def test_a_watchpoint_that_is_removed_in_a_handler_leaves_nothing_behind() -> None:
    guest = Pair()
    watch = guest.watch(guest.memories[0], 100, 4)
    guest.actions = [lambda _: None, lambda _: guest.remove(watch)]
    assert guest.call("run", 100, 10) == 55
    assert watch.hits == 2
    shadow = guest.store.shadow
    assert not any(shadow.word(shadow.word_address(guest.instance.id, n)) for n in range(4))
    assert guest.call("run", 100, 10) == 55
    assert watch.hits == 2


def test_a_breakpoint_in_a_function_that_has_a_variant_is_hit() -> None:
    guest = Pair()
    guest.watch(guest.memories[0], 100, 4)
    guest.call("run", 100, 2)
    start = guest.module.original.codes[0].code_start
    with guest.edit() as edit:
        edit.add_breakpoint(guest.module, start)
    guest.told.clear()
    guest.call("run", 100, 2)
    kinds = [type(event).__name__ for event in guest.told]
    assert kinds == ["Breakpoint", "Watchpoint"] * 2
    with guest.edit() as edit:
        edit.remove_breakpoint(guest.module, start)
    guest.told.clear()
    guest.call("run", 100, 2)
    assert [type(event).__name__ for event in guest.told] == ["Watchpoint"] * 2


def test_a_step_begins_where_a_hit_was_told_in_a_variant() -> None:
    guest = Pair()
    guest.watch(guest.memories[0], 100, 4)
    places: list[Any] = []

    def step(_: DebugEvent) -> None:
        frame = guest.frame
        places.append((frame.function_index, frame.raw.pc))
        if len(places) < 4:
            guest.store.request_step("into")

    guest.actions = [step] * 4
    guest.call("put", 100, 1)
    end = guest.module.original.codes[0].end - 1
    assert places == [(0, end - 3), (0, end)]


RECURSES = """(module (memory (export "memory") 1)
  (func $deep (export "deep") (param $n i32) (result i32)
    (i32.store (i32.const 64) (local.get $n))
    (i32.add (i32.const 1) (call $deep (i32.add (local.get $n) (i32.const 1))))))"""


def test_a_stack_that_overflows_in_variants_is_told_as_elsewhere() -> None:
    tops = []
    for is_watched in (False, True):
        guest = Guest(RECURSES)
        if is_watched:
            guest.watch(guest.exports["memory"], 200, 4)

        def look(event: DebugEvent, tops: list[Any] = tops, guest: Guest = guest) -> None:
            assert isinstance(event, DebugEvent.Trap)
            frames = guest.store.frames()
            tops.append((event.trap.trap_code, [frame.function_index for frame in frames[:3]]))
            assert {frame.local(0).value for frame in frames[1:4]} == {len(frames) - n for n in (2, 3, 4)}

        guest.actions = [look]
        with pytest.raises(wasmscope.Trap):
            guest.call("deep", 0)
    assert tops[0] == tops[1]


def test_thousands_of_watchpoints_are_searched_in_the_guest() -> None:
    guest = Pair()
    with guest.edit() as edit:
        for n in range(3000):
            edit.add_watchpoint(guest.memories[0], 1000 + 8 * n, 4)
    rng = random.Random(1)
    for _ in range(200):
        address = rng.randrange(990, 25010)
        guest.told.clear()
        guest.call("put", address, 1)
        expected = [1000 + 8 * n for n in range(3000) if address < 1004 + 8 * n and 1000 + 8 * n < address + 4]
        assert [event.watch.address for event in guest.told if isinstance(event, DebugEvent.Watchpoint)] == expected


IMPORTS = """(module
  (import "" "poke" (func $poke (param i32)))
  (memory (export "memory") 1)
  (func (export "run") (param $n i32) (result i32)
    (loop $again
      (call $poke (local.get $n))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.load (i32.const 64))))"""


def test_what_a_host_writes_is_told_behind_its_call_in_a_variant() -> None:
    def imports(guest: Guest) -> list[Any]:
        def poke(n: int) -> None:
            if n % 3 == 0:
                guest.exports["memory"].write(guest.store, bytes([n, 0, 0, 0]), 64)

        i32 = wasmscope.ValType.i32()
        return [wasmscope.Func(guest.store, wasmscope.FuncType([i32], []), poke)]

    guest = Guest(IMPORTS, imports)
    guest.watch(guest.exports["memory"], 64, 4)
    assert guest.call("run", 7) == 3
    assert [(event.by_host, event.new) for event in guest.told if isinstance(event, DebugEvent.Watchpoint)] == [
        (True, b"\6\0\0\0"),
        (True, b"\3\0\0\0"),
    ]
