"""The functions of generated programs: statements, each aimed at something that the rewriter does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from frames.expressions import Expressions
from frames.vocabulary import ARRAY, NUMBERS, STORES, STRUCT, STRUCT_OR_NULL, TAGS, Signature

#: instructions in code that is never reached, where any operand may be popped
_DEAD = (
    *(("i32.add", "drop"), ("drop",), ("unreachable",), ("i32.const 3", "br 0"), ("i64.load $m0", "drop")),
    *(("block (result i32)", "i32.const 1", "br 0", "end", "drop"), ("loop", "call $observe", "br 0", "end")),
    *(("if", "else", "nop", "end"), ("try_table (catch_all 0)", "throw $t0", "end"), ("select", "drop"), ("return",)),
)


class Body(Expressions):
    """One function."""

    def __init__(
        self, rng: random.Random, signatures: Sequence[Signature], number: int, size: int, statements: int
    ) -> None:
        super().__init__(rng, signatures, number, size)
        self._count = statements
        # What is likelier is repeated.
        self._kinds: tuple[Callable[[], None], ...] = (
            *(self._observe, self._observe, self._observe, self._observe),
            *(self._assign, self._assign, self._assign, self._assign, self._derive, self._derive),
            *(self._bounds, self._bounds, self._store, self._keep, self._keep, self._if, self._if_else),
            *(self._loop_statement, self._branch, self._branch, self._switch, self._several, self._call_statement),
            *(self._leave, self._tail_call, self._throw, self._rethrow, self._guard, self._on_null, self._on_cast),
            *(self._bulk, self._global_set, self._trap, self._dead, self._nest, self._fail),
            *(self._field, self._division),
        )

    def text(self) -> str:
        """Locals and instructions."""
        self._use_fuel()
        for _ in range(self._count):
            self.statement()
        self.size = max(self.size, 20)
        self.values(self.signature.results)
        locals = self.locals[len(self.signature.params) :]
        return f"(local {' '.join(locals)})\n" + "\n".join(self.lines)

    def _use_fuel(self) -> None:
        """Return at once when the run has made enough calls."""
        self.emit("global.get $fuel", "i32.const 1", "i32.sub", "global.set $fuel")
        self.emit("global.get $fuel", "i32.const 0", "i32.lt_s")
        with self.block("if", Signature((), ())):
            for result in self.signature.results:
                self.constant(result)
            self.emit("return")

    def statement(self) -> None:
        if self.depth > 8:
            self.emit("call $observe")
        else:
            self.rng.choice(self._kinds)()

    def _condition(self, probability: float) -> None:
        """An i32 that is not 0 about that often, whatever the locals are."""
        self.value("i32")
        self.emit("i32.const 0x9e3779b1", "i32.mul", "i32.const 24", "i32.shr_u")
        self.emit(f"i32.const {round(probability * 256)}", "i32.lt_u")

    # -- locals and operands -------------------------------------------------------------------------------------

    def _observe(self) -> None:
        self.emit("call $observe")

    def _assign(self) -> None:
        local = self.writable(self.rng.choices(self.locals or ["i32"], k=1))
        if local is None:
            self._observe()
            return
        self.value(self.locals[local])
        self.set_local(local)

    def _derive(self) -> None:
        """Locals that follow from others, and then what they follow from changes."""
        type = self.rng.choice(("i32", "i64"))
        for _ in range(self.rng.randint(2, 6)):
            source, target = self.readable((type,)), self.writable((type,))
            if source is None or target is None:
                return
            self.emit(f"local.get {source}")
            if self.chance(0.8):
                self.constant(type)
                self.emit(f"{type}.{self.rng.choice(('add', 'add', 'sub', 'xor', 'shl', 'mul'))}")
            self.set_local(target, self.rng.choice(("local.set", "local.tee")))
            if self.lines[-1].lstrip().startswith("local.tee"):
                other = self.writable((type,))
                assert other is not None
                self.set_local(other)
            if self.chance(0.3):
                self._observe()

    def _keep(self) -> None:
        """Operands that wait while the locals they came from change."""
        types = self.rng.choices(self.locals or ["i32"], k=self.rng.randint(1, 4))
        kept = []
        for type in types:
            local = self.readable((type,))
            if local is not None:
                self.emit(f"local.get {local}")
                kept.append(self.locals[local])
        for _ in range(self.rng.randint(1, 3)):
            self._assign()
        self.statement()
        self._observe()
        self.sink(kept)

    def _several(self) -> None:
        """A block with several parameters and results."""
        types = ("i32", "i64", "f32", "f64", "v128", "anyref", "externref")
        params = tuple(self.rng.choices(types, k=self.rng.randint(1, 3)))
        results = tuple(self.rng.choices(types, k=self.rng.randint(2, 3)))
        self.values(params)
        if self.rng.random() < 0.3:
            self.loop(Signature(params, results))
        else:
            with self.block("block", Signature(params, results)):
                self.statements(2)
                self.sink(params)
                self.values(results)
                if self.chance(0.5):
                    self._condition(0.5)
                    self.emit("br_if 0")
                    self.statements(1)
        self.statements(1)
        self.sink(results)

    def _global_set(self) -> None:
        type = self.rng.choice(("i32", "i64", "f64", "any"))
        self.value("anyref" if type == "any" else type)
        self.emit(f"global.set $g_{type}")

    # -- memory --------------------------------------------------------------------------------------------------

    def _store(self) -> None:
        type = self.rng.choice(NUMBERS)
        memory = self.rng.choice(("$m0", "$m1"))
        room = self.address(memory)
        self.value(type)
        instruction, _, lane = self.rng.choice(STORES[type]).partition(" ")
        self.emit(f"{instruction} {memory} offset={self.offset(room)} {lane}")

    def _bounds(self) -> None:
        """Accesses through one base and what was added to it, some proven by earlier ones."""
        memory, type = self.rng.choice((("$m0", "i32"), ("$m0", "i32"), ("$m1", "i64")))
        base, next = self.writable((type,)), self.writable((type,))
        if base is None or next is None:
            self._store()
            return
        self.value(type)
        self.emit(f"{type}.const {self.rng.choice((1023, 8191, 65535))}", f"{type}.and", f"local.set {base}")
        offset = self.rng.choice((0, 8, 40))
        for _ in range(self.rng.randint(2, 5)):
            through = self.rng.choice((base, next))
            if through == next:
                self.emit(f"local.get {base}", f"{type}.const {self.rng.choice((0, 4, 8, 16, 32))}", f"{type}.add")
                self.emit(f"local.set {next}")
            reach = max(0, offset - self.rng.choice((0, 0, 4, 8, 16, -4)))
            self.emit(f"local.get {through}")
            if self.chance(0.2):
                self.emit(f"{type}.const 4", f"{type}.add")
            self.emit(f"i64.load{self.rng.choice(('', '32_u', '8_s'))} {memory} offset={reach}")
            self.sink(("i64",))
            if self.chance(0.3):
                self.statement()
            if self.chance(0.3):
                self.emit(f"local.get {through}", f"i32.const {self.rng.randrange(256)}")
                self.emit(f"i32.store8 {memory} offset={reach}")

    def _bulk(self) -> None:
        memory, type = self.rng.choice((("$m0", "i32"), ("$m1", "i64")))
        match self.rng.randrange(4):
            case 0:
                self.address(memory)
                self.value("i32")
                self.emit(f"{type}.const 40", f"memory.fill {memory}")
            case 1:
                self.address(memory)
                self.address(memory)
                self.emit(f"{type}.const 24", f"memory.copy {memory} {memory}")
            case 2:
                self.emit(f"{type}.const {self.rng.randrange(2)}", f"memory.grow {memory}")
                self.sink((type,))
            case _:
                self.emit(f"i32.const {self.rng.randrange(len(self.signatures))}", "table.get $table")
                self.sink(("funcref",))

    # -- control -------------------------------------------------------------------------------------------------

    def _if(self, type: str = "") -> None:
        if type:
            super()._if(type)
            return
        self._condition(0.5)
        with self.block("if", Signature((), ())):
            self.statement()
            self.statements(2)

    def _if_else(self) -> None:
        self._condition(0.5)
        with self.block("if", Signature((), ())):
            unset = set(self.unset)
            self.statements(3)
            self.other_branch()
            self.unset = unset
            self.statements(3)

    def _loop_statement(self) -> None:
        self.loop(Signature((), ()))

    def _branch(self) -> None:
        """A conditional branch with values, out of whatever is around."""
        label = self.rng.randrange(len(self.labels))
        types = self.labels[-1 - label]
        self.values(types)
        self._condition(0.25 if label < len(self.labels) - 1 else 0.05)
        self.emit(f"br_if {label}")
        self.sink(types)

    def _switch(self) -> None:
        """A `br_table` over blocks with the same type."""
        types = tuple(self.rng.choices(("i32", "i64", "f64", "externref"), k=self.rng.randrange(3)))
        with self.block("block", Signature((), types)), self.block("block", Signature((), types)):
            with self.block("block", Signature((), types)):
                self.values(types)
                self.value("i32")
                self.emit("i32.const 3", "i32.and", f"br_table {self.rng.choice(('0 1 2', '2 0', '1 1 0', '0 2 1'))}")
            self.statements(2)
            if self.chance(0.5):
                self.sink(types)
                self.values(types)
        self.statements(1)
        self.sink(types)

    def _leave(self) -> None:
        self._condition(0.06)
        with self.block("if", Signature((), ())):
            self.values(self.signature.results)
            self.emit(self.rng.choice(("return", f"br {len(self.labels) - 1}")))

    def _dead(self) -> None:
        with self.block("block", Signature((), ())):
            self.statements(1)
            self.emit("br 0")
            for instructions in self.rng.choices(_DEAD, k=self.rng.randint(1, 3)):
                self.emit(*instructions)

    def _guard(self) -> None:
        """What compilers make of an assertion."""
        self._condition(0.004)
        with self.block("if", Signature((), ())):
            self.emit("unreachable")

    def _on_null(self) -> None:
        """Branches that look at a reference, with operands below it that take the label's types."""
        below = self.rng.choice(((), ("i32",), ("eqref",), (STRUCT_OR_NULL, "i64")))
        wider = tuple({"eqref": "anyref", STRUCT_OR_NULL: "eqref"}.get(type, type) for type in below)
        if self.rng.random() < 0.5:
            with self.block("block", Signature((), wider)):
                self.values((*below, STRUCT_OR_NULL))
                self.emit("br_on_null 0")
                self.statements(2)
                self.sink((STRUCT,))
                self.statements(1)
            self.sink(wider)
        else:
            with self.block("block", Signature((), (*wider, STRUCT))):
                self.values((*below, STRUCT_OR_NULL))
                self.emit("br_on_non_null 0")
                self.statements(2)
                self.value(STRUCT)
            self.statements(1)
            self.sink((*wider, STRUCT))

    def _on_cast(self) -> None:
        below = self.rng.choice(((), ("i64",), ("i31ref",)))
        wider = tuple({"i31ref": "anyref"}.get(type, type) for type in below)
        succeed = self.rng.random() < 0.5
        taken, left = (STRUCT, "anyref") if succeed else ("anyref", STRUCT)
        with self.block("block", Signature((), (*wider, taken))):
            self.values((*below, "anyref"))
            self.emit(f"br_on_cast{'' if succeed else '_fail'} 0 anyref (ref $s)")
            self.statements(2)
            self.sink((left,))
            self.value(taken)
        self.statements(1)
        self.sink((*wider, taken))

    # -- calls and exceptions ------------------------------------------------------------------------------------

    def _call_statement(self) -> None:
        callee = self.rng.randrange(len(self.signatures))
        self.call(callee)
        self.statements(1)
        self.sink(self.signatures[callee].results)

    def _tail_call(self) -> None:
        found = [n for n, each in enumerate(self.signatures) if each.results == self.signature.results]
        callee = self.rng.choice(found)
        self._condition(0.15)
        with self.block("if", Signature((), ())):
            self.values(self.signatures[callee].params)
            match self.rng.randrange(4):
                case 0:
                    index = callee if self.rng.random() < 0.9 else self.rng.choice((callee + 1, 99))
                    self.emit(f"i32.const {index}", f"return_call_indirect $table (type $ft{callee})")
                case 1:
                    self.emit(f"ref.func $f{callee}", f"return_call_ref $ft{callee}")
                case _:
                    self.emit(f"return_call $f{callee}")

    def _throw(self) -> None:
        tag = self.rng.choice(list(TAGS))
        self._condition(0.12)
        with self.block("if", Signature((), ())):
            self.values(TAGS[tag])
            self.emit(f"throw {tag}")

    def _rethrow(self) -> None:
        with self.block("block", Signature((), ())):
            self.value("exnref")
            self.emit("br_on_null 0", *([] if self.chance(0.3) else ["drop", "br 0"]))
            if self.lines[-1].strip() == "br_on_null 0":
                self.emit("throw_ref")

    def _nest(self) -> None:
        self.value("i32")
        self.emit("call $nest")
        self.sink(("i64",))

    def _fail(self) -> None:
        self._condition(0.99)
        self.emit("call $fail")

    # -- what may trap -------------------------------------------------------------------------------------------

    def _trap(self) -> None:
        """Something that traps, seldom reached."""
        self._condition(0.02)
        with self.block("if", Signature((), ())):
            self.values(("i64", "f32"))
            self.statements(1)
            self.emit(
                *self.rng.choice(
                    (
                        ("i32.const 70000", "i64.load $m0", "i64.const 3", "i64.add", "drop"),
                        ("i32.const -1", "f64.load $m0 offset=65000", "drop"),
                        ("i64.const 0xffffffffffff", "i32.const 1", "i32.store $m1"),
                        ("f32.const nan", "i32.trunc_f32_s", "drop"),
                        ("i32.const 99", "table.get $table", "drop"),
                        ("i32.const 99", "call_indirect $table"),
                        ("ref.null $s", "struct.get $s 1", "drop"),
                        ("i32.const 3", "ref.i31", "ref.cast (ref $s)", "drop"),
                        ("i64.const 1", "i32.const 2", "array.new $a", "i32.const 2", "array.get $a", "drop"),
                        ("ref.null none", "ref.as_non_null", "drop"),
                        ("unreachable",),
                    )
                )
            )
            self.sink(("i64", "f32"))

    def _division(self) -> None:
        type = self.rng.choice(("i32", "i64"))
        self.value(type)
        if self.rng.random() < 0.5:
            self.constant(type)
            if self.lines[-1].split()[-1] in ("0", "-1"):
                self.emit("drop", f"{type}.const 7")
        else:
            self.value(type)
            self.emit(f"{type}.const 1", f"{type}.or", f"{type}.const 0xff", f"{type}.and")
        self.emit(f"{type}.{self.rng.choice(('div_s', 'div_u', 'rem_s', 'rem_u'))}")
        self.sink((type,))

    def _field(self) -> None:
        """Structs and arrays that change."""
        match self.rng.randrange(3):
            case 0:
                self.values((STRUCT, "i32"))
                self.emit(f"struct.set $s {self.rng.choice((0, 3))}")
            case 1:
                self.values((STRUCT, STRUCT_OR_NULL))
                self.emit("struct.set $s 2")
            case _:
                self.values((ARRAY, "i32"))
                self.emit("i32.const 3", "i32.and")
                self.value("i64")
                self.emit("array.set $a")
