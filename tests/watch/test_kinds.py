"""Every kind of access to every kind of thing, whichever tier the guest runs in when it is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import wasmtime

import wasmscope
from wasmscope.runtime.val import Val

_BEFORE = b"\x10\x11\x12\x13\x14\x15\x16\x17"
_MODULE = """(module
  (import "" "pause" (func $pause))
  (memory $m (export "m") 1) (memory $m64 (export "m64") i64 1) (memory $s (export "s") 1 1 shared)
  (data (memory $m) (i32.const 96) "\\0c\\0d\\0e\\0f\\10\\11\\12\\13\\14\\15\\16\\17\\18")
  (data (memory $m64) (i64.const 100) "\\10\\11\\12\\13\\14\\15\\16\\17")
  (data (memory $s) (i32.const 100) "\\10\\11\\12\\13\\14\\15\\16\\17")
  (data $d "abcdefgh")
  (global $g (export "g") (mut i32) (i32.const 7)) (global $f (export "gf") (mut f64) (f64.const 1.5))
  (table $t (export "t") 4 funcref) (table $t64 (export "t64") i64 4 externref)
  (type $e (func)) (func $nop) (elem $n func $nop $nop $nop) (elem declare func $nop)
  (elem (table $t) (i32.const 1) func $nop)
  (func (export "run") (local $x i32)
    (call $pause)
    %s))"""


@dataclass(frozen=True)
class Kind:
    """Instructions, what is watched, and the accesses: how, what was there and what comes."""

    code: str
    accesses: tuple[tuple[str, Any, Any], ...]
    target: str = "m"
    address: int | None = 100
    length: int | None = 4
    access: str = "rw"
    traps: bool = False


def _written(new: bytes, at: int = 0, old: bytes = _BEFORE[:4], access: str = "w") -> tuple[tuple[str, Any, Any], ...]:
    return ((access, old, old[:at] + new + old[at + len(new) :]),)


_READ = (("r", _BEFORE[:4], _BEFORE[:4]),)
_I = "(i32.const 100)"
_LOADS = (
    *("i32.load", "i64.load", "f32.load", "f64.load", "v128.load", "i32.load8_s", "i32.load8_u", "i32.load16_s"),
    *("i32.load16_u", "i64.load8_s", "i64.load8_u", "i64.load16_s", "i64.load16_u", "i64.load32_s", "i64.load32_u"),
    *("v128.load8x8_s", "v128.load8x8_u", "v128.load16x4_s", "v128.load16x4_u", "v128.load32x2_s", "v128.load32x2_u"),
    *("v128.load8_splat", "v128.load16_splat", "v128.load32_splat", "v128.load64_splat"),
    *("v128.load32_zero", "v128.load64_zero"),
    *("i32.atomic.load", "i64.atomic.load8_u", "i32.atomic.load16_u"),
)
_V = "(v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)"


def _rmw() -> dict[str, Kind]:
    old = 0x13121110
    expected = {
        "add": old + 0xF0F0F0F0,
        "sub": old - 0xF0F0F0F0,
        "and": old & 0xF0F0F0F0,
        "or": old | 0xF0F0F0F0,
        "xor": old ^ 0xF0F0F0F0,
        "xchg": 0xF0F0F0F0,
    }
    kinds = {}
    for name, new in expected.items():
        for width, suffix in ((4, "rmw"), (2, "rmw16"), (1, "rmw8")):
            tail = "" if width == 4 else "_u"
            code = f"(drop (i32.atomic.{suffix}.{name}{tail} {_I} (i32.const 0xf0f0f0f0)))"
            content = (new & ((1 << 8 * width) - 1)).to_bytes(width, "little")
            kinds[f"{suffix}.{name}"] = Kind(code, _written(content, access="rw"))
    return kinds


KINDS: dict[str, Kind] = {
    **{name: Kind(f"(drop ({name} {_I}))", _READ) for name in _LOADS if "64.load" not in name or "_" in name},
    "i64.load": Kind(f"(drop (i64.load {_I}))", _READ),
    "v128.load64_lane": Kind(f"(drop (v128.load64_lane 1 {_I} {_V}))", _READ),
    "i32.store": Kind(f"(i32.store {_I} (i32.const 0x04030201))", _written(b"\1\2\3\4")),
    "i32.store8": Kind("(i32.store8 offset=2 (i32.const 99) (i32.const 0xff77))", _written(b"\x77", 1)),
    "i32.store16": Kind("(i32.store16 (i32.const 103) (i32.const 0xff77))", _written(b"\x77", 3)),
    "i64.store": Kind("(i64.store (i32.const 96) (i64.const 0x0807060504030201))", _written(b"\5\6\7\x08")),
    "i64.store8": Kind(f"(i64.store8 {_I} (i64.const 0x55aa))", _written(b"\xaa")),
    "i64.store16": Kind(f"(i64.store16 {_I} (i64.const 0x155aa))", _written(b"\xaa\x55")),
    "i64.store32": Kind(f"(i64.store32 {_I} (i64.const -2))", _written(b"\xfe\xff\xff\xff")),
    "f32.store": Kind(f"(f32.store {_I} (f32.const nan:0x200001))", _written(b"\x01\x00\xa0\x7f")),
    "f64.store": Kind(f"(f64.store {_I} (f64.const 1))", _written(b"\0\0\0\0")),
    "v128.store": Kind(f"(v128.store offset=90 (i32.const 1) {_V})", _written(b"\x0a\x0b\x0c\x0d")),
    "v128.store16_lane": Kind(f"(v128.store16_lane 3 {_I} {_V})", _written(b"\7\x08")),
    "i32.atomic.store16": Kind(f"(i32.atomic.store16 {_I} (i32.const 0x1234))", _written(b"\x34\x12")),
    **_rmw(),
    "cmpxchg that succeeds": Kind(
        f"(drop (i32.atomic.rmw.cmpxchg {_I} (i32.const 0x13121110) (i32.const -1)))",
        _written(b"\xff\xff\xff\xff", access="rw"),
    ),
    "cmpxchg that fails": Kind(f"(drop (i32.atomic.rmw.cmpxchg {_I} (i32.const 1) (i32.const -1)))", _READ),
    "cmpxchg that fails is no write": Kind(
        f"(drop (i32.atomic.rmw.cmpxchg {_I} (i32.const 1) (i32.const -1)))", (), access="w"
    ),
    "notify": Kind(f"(drop (memory.atomic.notify {_I} (i32.const 1)))", _READ),
    "wait": Kind(
        f"(drop (memory.atomic.wait32 $s {_I} (i32.const 0) (i64.const 0)))",
        (("r", _BEFORE[:4], _BEFORE[:4]),),
        "s",
    ),
    "wait in a memory that is not shared": Kind(
        f"(drop (memory.atomic.wait32 $m {_I} (i32.const 0) (i64.const 0)))", (), traps=True
    ),
    "shared memory": Kind(f"(i32.atomic.store $s {_I} (i32.const 0x04030201))", _written(b"\1\2\3\4"), "s"),
    "memory64": Kind("(i32.store $m64 offset=98 (i64.const 2) (i32.const 0x04030201))", _written(b"\1\2\3\4"), "m64"),
    "another memory": Kind(f"(i32.store {_I} (i32.const 1))", (), "m64"),
    "memory.fill": Kind("(memory.fill (i32.const 90) (i32.const 0x109) (i32.const 12))", _written(b"\x09\x09")),
    "memory.fill of nothing": Kind("(memory.fill (i32.const 101) (i32.const 9) (i32.const 0))", ()),
    "memory.fill in 64 bits": Kind(
        "(memory.fill $m64 (i64.const 90) (i32.const 9) (i64.const 12))", _written(b"\x09\x09"), "m64"
    ),
    "memory.copy from": Kind("(memory.copy (i32.const 1000) (i32.const 99) (i32.const 9))", _READ),
    "memory.copy to": Kind(
        "(memory.copy (i32.const 98) (i32.const 1000) (i32.const 5))", _written(b"\0\0\0")
    ),
    "memory.copy over itself": Kind(
        "(memory.copy (i32.const 101) (i32.const 100) (i32.const 4))", _written(b"\x10\x11\x12", 1, access="rw")
    ),
    "memory.copy between memories": Kind(
        "(memory.copy $m64 $m (i64.const 98) (i32.const 100) (i32.const 4))", _written(b"\x12\x13"), "m64"
    ),
    "memory.init": Kind(
        "(memory.init $d (i32.const 98) (i32.const 1) (i32.const 4))", _written(b"de")
    ),
    "memory.init of what was dropped": Kind(
        "(data.drop $d) (memory.init $d (i32.const 98) (i32.const 1) (i32.const 4))", (), traps=True
    ),
    "memory.init beyond its segment": Kind(
        "(memory.init $d (i32.const 98) (i32.const 7) (i32.const 4))", (), traps=True
    ),
    "memory.grow": Kind("(drop (memory.grow (i32.const 1)))", ()),
    "just below": Kind("(i32.store (i32.const 96) (i32.const 1))", ()),
    "just behind": Kind("(i32.store (i32.const 104) (i32.const 1))", ()),
    "only writes": Kind(f"(i32.store {_I} (i32.load {_I}))", (("w", _BEFORE[:4], _BEFORE[:4]),), access="w"),
    "only reads": Kind(f"(i32.store {_I} (i32.load {_I}))", _READ, access="r"),
    "beyond the end": Kind(
        "(i32.store (i32.const 65533) (i32.const 1))", (), address=65535, length=1, traps=True
    ),
    "an address of more than 32 bits": Kind(
        "(i32.store offset=0xffffffff (i32.const 101) (i32.const 1))", (), traps=True
    ),
    "an address of more than 64 bits": Kind(
        "(i32.store $m64 offset=0xffffffffffffffff (i64.const 101) (i32.const 1))", (), "m64", traps=True
    ),
    "an atomic access out of step": Kind("(drop (i32.atomic.load (i32.const 101)))", (), traps=True),
    "all of a memory": Kind(
        f"(i32.store16 {_I} (i32.const 0x201))", (("w", b"\x10\x11", b"\1\2"),), address=None, length=None
    ),
    "global.get": Kind("(drop (global.get $g))", (("r", Val.i32(7), Val.i32(7)),), "g", None, None),
    "global.set": Kind("(global.set $g (i32.const -1))", (("w", Val.i32(7), Val.i32(-1)),), "g", None, None),
    "a global of floats": Kind(
        "(global.set $f (f64.const -0))", (("w", Val.f64(1.5), Val.f64(-0.0)),), "gf", None, None
    ),
    "table.get": Kind("(drop (table.get $t (i32.const 1)))", (("r", "func", "func"),), "t", 1, None),
    "table.set": Kind("(table.set $t (i32.const 1) (ref.null func))", (("w", "func", None),), "t", 1, None),
    "table.fill": Kind(
        "(table.fill $t (i32.const 0) (ref.func $nop) (i32.const 3))", (("w", None, "func"),), "t", 2, None
    ),
    "table.copy": Kind(
        "(table.copy (i32.const 2) (i32.const 0) (i32.const 2))", (("w", None, "func"),), "t", 3, None
    ),
    "table.copy from": Kind(
        "(table.copy (i32.const 2) (i32.const 0) (i32.const 2))", (("r", "func", "func"),), "t", 1, None
    ),
    "table.init": Kind(
        "(table.init $n (i32.const 1) (i32.const 0) (i32.const 3))", (("w", None, "func"),), "t", 3, None
    ),
    "table.grow": Kind("(drop (table.grow $t (ref.func $nop) (i32.const 3)))", (), "t", 3, None),
    "call_indirect": Kind("(call_indirect $t (type $e) (i32.const 1))", (("r", "func", "func"),), "t", 1, None),
    "call_indirect of null": Kind(
        "(call_indirect $t (type $e) (i32.const 2))", (("r", None, None),), "t", 2, None, traps=True
    ),
    "return_call_indirect": Kind(
        "(return_call_indirect $t (type $e) (i32.const 1))", (("r", "func", "func"),), "t", 1, None
    ),
    "table64": Kind(
        "(table.set $t64 (i64.const 2) (ref.null extern))", (("w", None, None),), "t64", 2, None
    ),
    "out of the table's bounds": Kind("(drop (table.get $t (i32.const 9)))", (), "t", 1, None, traps=True),
}  # fmt: skip

TIERS = ("before the call", "while it runs", "in the mirror tier")


def _engine() -> wasmscope.Engine:
    config = wasmscope.Config()
    for name in ("tail_call", "multi_memory", "memory64", "threads", "reference_types", "function_references", "gc"):
        setattr(config, f"wasm_{name}", True)
    config.shared_memory = True
    return wasmscope.Engine(config)


ENGINE = _engine()


def _shown(value: Any) -> Any:
    """References by whether there is one: a function is never the same object."""
    if isinstance(value, Val) and value.bits is None:
        return None if value.value is None else "func"
    return value


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", KINDS)
def test_access_is_told_as_it_happens(name: str, tier: str) -> None:
    kind = KINDS[name]
    store = wasmscope.Store(ENGINE)
    module = wasmscope.Module(ENGINE, _MODULE % kind.code)
    told: list[tuple[str, Any, Any]] = []
    seen: list[Any] = []
    contents: list[Any] = []

    class Handler:
        def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
            if isinstance(event, wasmscope.DebugEvent.Watchpoint):
                assert not event.by_host
                assert event.watch is watch[0]
                told.append((event.access, _shown(event.old), _shown(event.new)))
                contents.append(content())
                cursor = store.debug_frames()
                assert cursor is not None
                seen.append(cursor.handle().instance() is instance)

    def set_watch() -> None:
        edit = store.edit_breakpoints()
        assert edit is not None
        with edit:
            watch.append(edit.add_watchpoint(target, kind.address, kind.length, kind.access))

    def pause() -> None:
        if tier == "while it runs":
            set_watch()

    def content() -> Any:
        """What is there, by other means."""
        if isinstance(target, wasmtime.Memory):
            assert kind.address is None or kind.length is not None
            first, last = kind.address or 100, (kind.address or 100) + (kind.length or 2)
            return bytes(target.read(store, first, last))
        if isinstance(target, wasmtime.SharedMemory):
            return bytes(target.data_ptr()[100:104])
        if isinstance(target, wasmtime.Global):
            return target.value(store)
        found = target.get(store, kind.address)
        return None if isinstance(found, Val) else "func"

    watch: list[wasmscope.Watchpoint] = []
    store.set_debug_handler(Handler())
    instance = wasmscope.Instance(store, module, [wasmscope.Func(store, wasmtime.FuncType([], []), pause)])
    exports = instance.exports(store)
    target: Any = exports[kind.target]
    if tier == "in the mirror tier":
        store.tiers.force_mirror()
    if tier != "while it runs":
        set_watch()
    run = exports["run"]
    assert isinstance(run, wasmscope.Func)
    if kind.traps:
        with pytest.raises(wasmscope.Trap):
            run(store)
    else:
        run(store)
    assert told == list(kind.accesses)
    assert watch[0].hits == len(told)
    assert all(seen)
    if len(told) == 1:
        old, new = told[0][1:]
        # Told before it happens, and what was told to come has come.
        assert contents[0] == (old.value if isinstance(old, Val) else old)
        assert content() == (new.value if isinstance(new, Val) else new)
    store.close()
