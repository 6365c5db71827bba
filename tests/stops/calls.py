"""Every kind of call of a function `$t`, whose body a test chooses, from one that adds 100 to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import wasmscope
from wasmscope import DebugEvent

ADD = "(i32.add (local.get 0) (i32.const 7))"
LOOP = """(local $i i32)
  (loop $again
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_s (local.get $i) (i32.const 3))))
  (i32.add (local.get 0) (i32.const 7))"""
TRAP = "(i32.div_s (local.get 0) (i32.const 0))"
THROW = "(throw $e (i32.add (local.get 0) (i32.const 7)))"

_HEAD = """(type $f (func (param i32) (result i32)))"""
_T = "(func $t {export} (type $f) {body})"
_DIRECT = "(call $t (local.get 0))"
_TABLE = "(table $table {export} 1 funcref) (elem (i32.const 0) $t)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame is: its function, its instruction, its locals and its operands."""

    function: str
    instruction: str
    locals: tuple[Any, ...]
    stack: tuple[Any, ...]


@dataclass
class Guest:
    """A guest in a store, with a handler that keeps what it is told and then does as the test says."""

    store: wasmscope.Store
    module: wasmscope.Module
    """The one that has `$t`."""
    run: Callable[[int], int | None] = lambda _: None
    names: dict[int, tuple[wasmscope.Module, dict[int, str]]] = field(default_factory=dict)
    events: list[tuple[DebugEvent, Place]] = field(default_factory=list)
    then: Callable[[DebugEvent, Place], None] | None = None

    def __post_init__(self) -> None:
        self.know(self.module)
        self.store.set_debug_handler(self)

    def know(self, module: wasmscope.Module) -> None:
        self.names[id(module)] = module, dict(module.frame_table.names.functions)

    def handle(self, store: wasmscope.Store, event: DebugEvent) -> None:
        frames = store.debug_frames()
        assert frames is not None
        place = self.place(frames.handle())
        self.events.append((event, place))
        if self.then is not None:
            self.then(event, place)

    def place(self, frame: wasmscope.FrameHandle) -> Place:
        module = frame.module()
        assert module is not None
        name = self.names[id(module)][1][frame.function_index]
        raw = frame.raw
        instruction = raw.table.typed(raw.function).at(raw.pc).instruction.opcode.name
        locals_ = tuple(frame.local(index).value for index in range(frame.num_locals()))
        stack = tuple(frame.stack(index).value for index in range(frame.num_stacks()))
        return Place(name, instruction, locals_, stack)

    def pc(self, function: str, instruction: str, module: wasmscope.Module | None = None) -> int:
        """The pc of the first such instruction of a function."""
        module = module or self.module
        names = self.names[id(module)][1]
        index = next(n for n, name in names.items() if name == function) - module.original.num_imported_functions
        instructions = module.frame_table.typed(index).instructions
        return next(each.pc for each in instructions if each.instruction.opcode.name == instruction)

    @property
    def caller(self) -> wasmscope.Module:
        """The module that has `$run`."""
        return next(module for module, names in self.names.values() if "run" in names.values())

    def add(self, function: str, instruction: str, **how: Any) -> Any:
        module = self.caller if function == "run" else self.module
        edit = self.store.edit_breakpoints()
        assert edit is not None
        with edit:
            return edit.add_breakpoint(module, self.pc(function, instruction, module), **how)

    @property
    def places(self) -> list[Place]:
        return [place for _, place in self.events]

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event, _ in self.events]


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of call; `returns_to` is the function that goes on behind it, "" the host."""

    name: str
    make: Callable[[str], Guest]
    returns_to: str = "run"
    through_host: bool = False
    """A host function is between the caller and `$t`."""
    other_tag: bool = False
    """The caller catches exceptions of another tag."""

    @property
    def is_caught(self) -> bool:
        """Whether the caller catches what `$t` throws."""
        return bool(self.returns_to) and not self.through_host and not self.other_tag


def run_body(call: str, catching: bool) -> str:
    """The body of `$run`."""
    if catching:
        call = f"(block $caught (result i32) (try_table (result i32) (catch $e $caught) {call}))"
    return f"(i32.add {call} (i32.const 100))"


def _store() -> wasmscope.Store:
    config = wasmscope.Config()
    config.wasm_exceptions = True
    config.wasm_tail_call = True
    config.wasm_function_references = True
    config.wasm_gc = True
    return wasmscope.Store(wasmscope.Engine(config))


def _one(call: str, *, extra: str = "", export: str = "", imports: str = "") -> Callable[[str], Guest]:
    """A module with all of it."""

    def make(body: str, catching: bool = True) -> Guest:
        store = _store()
        text = f"""(module {_HEAD} {imports} (tag $e (export "e") (param i32))
          {_T.format(export=export, body=body)} {extra} (elem declare func $t)
          (func $run (export "run") (type $f) {run_body(call, catching)}))"""
        module = wasmscope.Module(store.engine, text)
        guest = Guest(store, module)
        instances: list[wasmscope.Instance] = []

        def host(value: int) -> Any:
            return instances[0].exports(store)["t"](store, value)

        function = wasmscope.FuncType([wasmscope.ValType.i32()], [wasmscope.ValType.i32()])
        given = [wasmscope.Func(store, function, host)] if imports else []
        instances.append(wasmscope.Instance(store, module, given))
        guest.run = lambda value: instances[0].exports(store)["run"](store, value)
        return guest

    return make


def _two(imports: str, call: str, give: str, *, extra: str = "") -> Callable[[str], Guest]:
    """`$t` in a module of its own; the other one imports `give`."""

    def make(body: str, catching: bool = True) -> Guest:
        store = _store()
        export = '(export "t")'
        module = wasmscope.Module(
            store.engine,
            f'(module {_HEAD} (tag $e (export "e") (param i32)) {_T.format(export=export, body=body)} {extra})',
        )
        guest = Guest(store, module)
        first = wasmscope.Instance(store, module, [])
        exports = first.exports(store)
        caller = wasmscope.Module(
            store.engine,
            f"""(module {_HEAD} {imports} (import "" "e" (tag $e (param i32)))
              (func $run (export "run") (type $f) {run_body(call, catching)}))""",
        )
        guest.know(caller)
        given: Any = exports["t"]
        if give == "host table":
            kind = wasmscope.TableType(wasmscope.ValType.funcref(), wasmscope.Limits(1, None))
            given = wasmscope.Table(store, kind, exports["t"])
        elif give == "table":
            given = exports["table"]
        second = wasmscope.Instance(store, caller, [given, exports["e"]])
        guest.run = lambda value: second.exports(store)["run"](store, value)
        return guest

    return make


def _same_module(body: str, catching: bool = True) -> Guest:
    """An instance whose table has the function of another instance of the module."""
    store = _store()
    module = wasmscope.Module(
        store.engine,
        f"""(module {_HEAD} (tag $e (export "e") (param i32)) {_T.format(export='(export "t")', body=body)}
          (table $table (export "table") 1 funcref)
          (func $run (export "run") (type $f)
            {run_body("(call_indirect $table (type $f) (local.get 0) (i32.const 0))", catching)}))""",
    )
    guest = Guest(store, module)
    first, second = (wasmscope.Instance(store, module, []) for _ in range(2))
    second.exports(store)["table"].set(store, 0, first.exports(store)["t"])
    guest.run = lambda value: second.exports(store)["run"](store, value)
    return guest


def _alone(private: bool) -> Callable[[str], Guest]:
    """Called by the host."""

    def make(body: str, catching: bool = True) -> Guest:
        store = _store()
        module = wasmscope.Module(
            store.engine,
            f"""(module {_HEAD} (tag $e (param i32))
              {_T.format(export="" if private else '(export "t")', body=body)})""",
        )
        guest = Guest(store, module)
        instance = wasmscope.Instance(store, module, [])

        def run(value: int) -> Any:
            function = instance.debug_function(store, 0) if private else instance.exports(store)["t"]
            result = function(store, value)
            return None if result is None else result + 100

        guest.run = run
        return guest

    return make


def _start(body: str, catching: bool = True) -> Guest:
    """Called by a start function, in an instance that is made after the breakpoints."""
    store = _store()
    module = wasmscope.Module(
        store.engine,
        f"""(module {_HEAD} (import "" "x" (global $x i32)) (tag $e (param i32))
          (global $r (export "r") (mut i32) (i32.const 0))
          {_T.format(export="", body=body)}
          (func $run (type $f) {run_body(_DIRECT, catching)})
          (func $start (global.set $r (call $run (global.get $x)))) (start $start))""",
    )
    guest = Guest(store, module)

    def run(value: int) -> Any:
        kind = wasmscope.GlobalType(wasmscope.ValType.i32(), False)
        given = wasmscope.Global(store, kind, wasmscope.Val.i32(value))
        return wasmscope.Instance(store, module, [given]).exports(store)["r"].value(store)

    guest.run = run
    return guest


_INDIRECT = "(call_indirect $table (type $f) (local.get 0) (i32.const 0))"
_MID = "(func $mid (type $f) ({instruction}))"
_EXPORTED = '(export "t")'

CALLS = (
    Call("direct", _one(_DIRECT)),
    Call("direct, exported", _one(_DIRECT, export=_EXPORTED)),
    Call("imported", _two('(import "" "t" (func $t (type $f)))', _DIRECT, "t")),
    Call("by the host", _alone(private=False), returns_to=""),
    Call("by the host, private", _alone(private=True), returns_to=""),
    Call("indirect", _one(_INDIRECT, extra=_TABLE.format(export=""))),
    Call("indirect, shared table", _one(_INDIRECT, extra=_TABLE.format(export='(export "table")'))),
    Call("reference", _one("(call_ref $f (local.get 0) (ref.func $t))")),
    Call(
        "tail",
        _one("(call $mid (local.get 0))", extra=_MID.format(instruction="return_call $t (local.get 0)")),
    ),
    Call(
        "tail, indirect",
        _one(
            "(call $mid (local.get 0))",
            extra=_TABLE.format(export="")
            + _MID.format(instruction="return_call_indirect $table (type $f) (local.get 0) (i32.const 0)"),
        ),
    ),
    Call(
        "tail, reference",
        _one(
            "(call $mid (local.get 0))",
            extra=_MID.format(instruction="return_call_ref $f (local.get 0) (ref.func $t)"),
        ),
    ),
    Call("start function", _start),
    Call(
        "through the host",
        _one("(call $host (local.get 0))", export=_EXPORTED, imports='(import "" "host" (func $host (type $f)))'),
        through_host=True,
    ),
    Call(
        "recursion",
        _one(
            "(call $r (local.get 0) (i32.const 3))",
            extra="""(func $r (param i32 i32) (result i32)
              (if (result i32) (local.get 1)
                (then (call $r (local.get 0) (i32.sub (local.get 1) (i32.const 1))))
                (else (call $t (local.get 0)))))""",
        ),
        returns_to="r",
    ),
    Call("table of the host", _two('(import "" "table" (table $table 1 funcref))', _INDIRECT, "host table")),
    Call(
        "table of another instance",
        _two(
            '(import "" "table" (table $table 1 funcref))',
            _INDIRECT,
            "table",
            extra=_TABLE.format(export='(export "table")'),
        ),
    ),
    Call("another instance of the module", _same_module, other_tag=True),
)
