"""The functions of generated programs: statements, each aimed at something that the rewriter does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from frames.data import DataStatements
from frames.vocabulary import STRUCT, STRUCT_OR_NULL, TAGS, Signature

#: instructions in code that is never reached, where any operand may be popped
_DEAD = (
    *(("i32.add", "drop"), ("drop",), ("unreachable",), ("i32.const 3", "br 0"), ("i64.load $m0", "drop")),
    *(("block (result i32)", "i32.const 1", "br 0", "end", "drop"), ("loop", "call $observe", "br 0", "end")),
    *(("if", "else", "nop", "end"), ("try_table (catch_all 0)", "throw $t0", "end"), ("select", "drop"), ("return",)),
)


class Body(DataStatements):
    """One function."""

    def __init__(
        self,
        rng: random.Random,
        signatures: Sequence[Signature],
        number: int,
        size: int,
        statements: int,
        risk: float,
    ) -> None:
        super().__init__(rng, signatures, number, size, risk)
        self._count = statements
        # What is likelier is repeated.
        self._kinds: tuple[Callable[[], None], ...] = (
            *(self.observe, self.observe, self.observe, self.observe),
            *(self.assign, self.assign, self.assign, self.assign, self.derive, self.derive),
            *(self.bounds, self.bounds, self.chase, self.store, self.keep, self.keep, self._if, self._if_else),
            *(self._loop_statement, self._branch, self._branch, self._switch, self._several, self._call_statement),
            *(
                self._leave,
                self._tail_call,
                self._throw,
                self._rethrow,
                self._tick,
                self._tick,
                self._guard,
                self._on_null,
                self._on_cast,
            ),
            *(self.bulk, self.global_set, self.trap, self._dead, self._nest, self._fail),
            *(self.field, self.division),
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

    # -- control -------------------------------------------------------------------------------------------------

    def _if(self, type: str = "") -> None:
        if type:
            super()._if(type)
            return
        self.condition(0.5)
        with self.block("if", Signature((), ())):
            self.statement()
            self.statements(2)

    def _if_else(self) -> None:
        self.condition(0.5)
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
        self.condition(0.25 if label < len(self.labels) - 1 else 0.05)
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
        self.condition(0.06)
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
        self.condition(self.risk / 4)
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
                    self.condition(0.5)
                    self.emit("br_if 0")
                    self.statements(1)
        self.statements(1)
        self.sink(results)

    # -- calls and exceptions ------------------------------------------------------------------------------------

    def _call_statement(self) -> None:
        callee = self.rng.randrange(len(self.signatures))
        self.call(callee)
        self.statements(1)
        self.sink(self.signatures[callee].results)

    def _tail_call(self) -> None:
        found = [n for n, each in enumerate(self.signatures) if each.results == self.signature.results]
        callee = self.rng.choice(found)
        self.condition(0.15)
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
        self.condition(0.2)
        with self.block("if", Signature((), ())):
            self.values(TAGS[tag])
            self.emit(f"throw {tag}")

    def _rethrow(self) -> None:
        with self.block("block", Signature((), ())):
            self.value("exnref")
            self.emit("br_on_null 0", *([] if self.chance(0.3) else ["drop", "br 0"]))
            if self.lines[-1].strip() == "br_on_null 0":
                self.emit("throw_ref")

    def _tick(self) -> None:
        self.value("i32")
        self.emit("call $tick")
        self.sink(("i32",))

    def _nest(self) -> None:
        self.value("i32")
        self.emit("call $nest")
        self.sink(("i64",))

    def _fail(self) -> None:
        self.condition(0.99)
        self.emit("call $fail")
