"""A guest that pauses in every way there is, with values of any type in its frames, and gives them back at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import wasmscope
from support.observing import Handler, host
from wasmscope import DebugEvent, ExnRef, FrameHandle, I31Ref, JumpTo, Store, Val

PRELUDE = """
  (type $pair (sub (struct (field i32))))
  (type $more (sub $pair (struct (field i32) (field i32))))
  (type $list (array (mut i32)))
  (type $number (func (result i32)))
  (tag $error)
  (tag $numbered (export "numbered") (param i32))
  (func $one (type $number) (i32.const 1))
  (func $two (type $number) (i32.const 2))
  (func $three (type $number) (i32.const 3))
  (func $four (type $number) (i32.const 4))
  (func $five (type $number) (i32.const 5))
  (func $other (param i32))
  (elem declare func $one $two $three $four $five $other)
"""
"""What guests that the tests write have, besides what they are about."""

_STRUCT = "(struct.new $more (local.get 0) (local.get 0))"
_FUNCTION = """(block $none (block $5 (block $4 (block $3 (block $2 (block $1
  (br_table $none $1 $2 $3 $4 $5 (local.get 0)))
  (return (ref.func $one))) (return (ref.func $two))) (return (ref.func $three))) (return (ref.func $four)))
  (return (ref.func $five))) (unreachable)"""

FROM_GUEST = {
    "structref": _STRUCT,
    "arrayref": "(array.new $list (local.get 0) (local.get 0))",
    "eqref": _STRUCT,
    "(ref null $pair)": _STRUCT,
    "(ref $pair)": _STRUCT,
    "(ref $list)": "(array.new $list (local.get 0) (local.get 0))",
    "funcref": _FUNCTION,
    "(ref $number)": _FUNCTION,
    "(ref null $number)": _FUNCTION,
}
"""Types whose values the guest makes: code that makes one of a number."""

FROM_HOST: dict[str, Callable[[Store, int], Any]] = {
    "i32": lambda store, n: n,
    "i64": lambda store, n: (1 << 60) + n,
    "f32": lambda store, n: n / 2,
    "f64": lambda store, n: Val.from_bits(wasmscope.Val.f64(0.0).kind, 0x7FF0_0000_0000_0000 + n),
    "v128": lambda store, n: bytes([n] * 16),
    "externref": lambda store, n: f"object {n}",
    "(ref extern)": lambda store, n: f"object {n}",
    "anyref": lambda store, n: I31Ref(n),
    "i31ref": lambda store, n: I31Ref(n),
    "(ref i31)": lambda store, n: I31Ref(n),
    "exnref": lambda store, n: n,
    "(ref exn)": lambda store, n: n,
}
"""Types whose values the host makes."""

TYPES = (*FROM_HOST, *FROM_GUEST)

PAUSES = {
    "host call": "(call $look)",
    "host function that fails": "(call $fail)",
    "interrupt": "(call $interrupt) (loop)",
    "breakpoint": "",
    "step": "",
    "exception": "(block (try_table (catch_all 0) (throw $error)))",
}
"""Ways to pause: what the guest does for each, between two operands. It goes on at the `nop` behind that."""


@cache
def engine() -> wasmscope.Engine:
    """One with every proposal that the guests here need."""
    config = wasmscope.Config()
    for name in ("wasm_gc", "wasm_function_references", "wasm_exceptions", "wasm_tail_call"):
        setattr(config, name, True)
    return wasmscope.Engine(config)


@cache
def module(value_type: str, pause: str) -> wasmscope.Module:
    """The guest: `run` and `inner` have their parameter as an operand below, and in a local, while `inner` pauses.

    The results of `run` are its operand, the operand and the local of `inner`, and its own parameter.
    """
    make = FROM_GUEST.get(value_type)
    maker = "" if make is None else f'(func (export "make") (param i32) (result {value_type}) {make})'
    return wasmscope.Module(
        engine(),
        f"""(module
  (import "" "look" (func $look))
  (import "" "fail" (func $fail))
  (import "" "interrupt" (func $interrupt))
  {PRELUDE}
  {maker}
  (func $inner (param {value_type}) (result {value_type} {value_type}) (local $x {value_type})
    (local.set $x (local.get 0))
    (local.get 0)
    {PAUSES[pause]}
    (nop)
    (local.get $x))
  (func (export "run") (param {value_type}) (result {value_type} {value_type} {value_type} {value_type})
    (local.get 0)
    (call $inner (local.get 0))
    (local.get 0)))""",
    )


def pc_of(module: wasmscope.Module, opcode: str, function: int | None = None, nth: int = 0) -> int:
    """Where an instruction is: the nth with this opcode, in a defined function or in all of the module's."""
    table = module.frame_table
    functions = range(len(table.functions)) if function is None else (function,)
    found = [
        typed.pc
        for number in functions
        for typed in table.typed(number).instructions
        if typed.instruction.opcode.name == opcode
    ]
    return found[nth]


@dataclass
class Run:
    """A guest of `module`, in a store of its own; `paused(store)` is called when `inner` has paused."""

    value_type: str
    pause: str
    is_mirrored: bool
    paused: Callable[[Store], None]

    def __post_init__(self) -> None:
        self.module = module(self.value_type, self.pause)
        self.store = Store(engine())
        empty = wasmscope.FuncType([], [])
        self.instance = wasmscope.Instance(
            self.store,
            self.module,
            [
                host(self.store, empty, lambda _: self.paused(self.store)),
                host(self.store, empty, self._fail),
                host(self.store, empty, lambda _: self.store.interrupt()),
            ],
        )
        if self.is_mirrored:
            self.store.tiers.force_mirror()
        self.store.set_debug_handler(Handler(self._handle))
        if self.pause in ("breakpoint", "step"):
            edit = self.store.edit_breakpoints()
            assert edit is not None
            with edit:
                opcode = "nop" if self.pause == "breakpoint" else "local.set"
                edit.add_breakpoint(self.module, pc_of(self.module, opcode))
        self._steps = 0

    def _fail(self, _: Any) -> None:
        raise ValueError

    def _handle(self, store: Store, event: DebugEvent) -> None:
        if self.pause == "step" and self._steps < 2:
            self._steps += 1
            store.request_step("over")
            return
        if isinstance(event, DebugEvent.HostcallError):
            store.redirect(JumpTo(pc_of(self.module, "nop")))
        self.paused(store)

    def value(self, number: int) -> Any:
        """A value of the type, another for each number."""
        exports = self.instance.exports(self.store)
        if self.value_type in FROM_GUEST:
            return exports["make"](self.store, number)
        value = FROM_HOST[self.value_type](self.store, number)
        if self.value_type in ("exnref", "(ref exn)"):
            return ExnRef(self.store, exports["numbered"], [value])
        return value

    def run(self, value: Any) -> Any:
        """Call `run`."""
        return self.instance.exports(self.store)["run"](self.store, value)


class Guest:
    """A guest of `fields`, whose imported `look` calls `act(store)`; a handler tells `told(store, event)`."""

    def __init__(
        self,
        fields: str,
        act: Callable[[Store], Any],
        *,
        is_mirrored: bool = False,
        told: Callable[[Store, DebugEvent], Any] | None = None,
        look: str = "",
    ) -> None:
        self.store = Store(engine())
        self.module = wasmscope.Module(
            engine(),
            f'(module (import "" "look" (func $look {look})) (import "" "interrupt" (func $interrupt)) {fields})',
        )
        types = [item.type for item in self.module.imports]
        self.instance = wasmscope.Instance(
            self.store,
            self.module,
            [
                host(self.store, types[0], lambda *_: act(self.store)),
                host(self.store, types[1], lambda _: self.store.interrupt()),
            ],
        )
        self.exports = self.instance.exports(self.store)
        if is_mirrored:
            self.store.tiers.force_mirror()
        if told is not None:
            self.tell(told)

    def tell(self, told: Callable[[Store, DebugEvent], Any]) -> None:
        """Have every event told."""
        self.store.set_debug_handler(Handler(told))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call an export."""
        return self.exports[name](self.store, *arguments)

    def pc(self, opcode: str, nth: int = 0, function: int | None = None) -> int:
        """See `pc_of`."""
        return pc_of(self.module, opcode, function, nth)


def is_same(found: Any, expected: Any) -> bool:
    """Whether two values, bare or not, are the same, to the last bit where that can be told."""
    if isinstance(found, Val) and isinstance(expected, Val):
        return found == expected
    found, expected = (each.value if isinstance(each, Val) else each for each in (found, expected))
    if isinstance(expected, wasmscope.Func):
        return isinstance(found, wasmscope.Func) and bytes(found._func) == bytes(expected._func)
    return found == expected or (found != found and expected != expected)


def shown(frame: FrameHandle) -> tuple[list[Any], list[Any]]:
    """The locals and the operands of a frame."""
    return (
        [frame.local(index) for index in range(frame.num_locals())],
        [frame.stack(index) for index in range(frame.num_stacks())],
    )


def all_same(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """The same of sequences."""
    return len(found) == len(expected) and all(map(is_same, found, expected))
