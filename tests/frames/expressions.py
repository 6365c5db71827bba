"""Values for generated programs: each method leaves one value of the wanted type on the stack."""

from __future__ import annotations

from collections.abc import Callable

from frames.vocabulary import (
    ARRAY,
    ARRAY_OR_NULL,
    BINARY,
    COMPARISONS,
    CONVERSIONS,
    LOADS,
    NUMBERS,
    STRUCT,
    STRUCT_OR_NULL,
    TAGS,
    UNARY,
    Signature,
    subtypes,
)
from frames.writer import Writer

_SMALL = (0, 1, 2, 3, 4, 8, 16, 31, 64, -1, -8)


class Expressions(Writer):
    """Values; statements may run between the operands of an instruction, so operands wait while locals change."""

    def statement(self) -> None:
        """Something that leaves the stack as it is."""
        raise NotImplementedError

    def values(self, types: tuple[str, ...]) -> None:
        """A value of each type, the last on top."""
        for type in types:
            self.value(type)
            if self.chance(0.15):
                self.statement()

    def value(self, type: str) -> None:
        """A value of a type."""
        if self.size <= 0 or self.depth > 7 or self.rng.random() < 0.3:
            self._leaf(type)
            return
        choices: list[Callable[[str], None]] = [self._tee, self._call, self._block, self._if, self._select, self._catch]
        if type in BINARY:
            choices += [self._binary] * 5 + [self._unary, self._load, self._load, self._loop, self._global]
        if type in CONVERSIONS:
            choices += [self._convert] * 2
        if type == "i32":
            choices += [self._compare, self._host]
        if type not in NUMBERS:
            choices += [self._reference] * 2
        self.rng.choice(choices)(type)

    def _leaf(self, type: str) -> None:
        local = self.readable(subtypes(type))
        if local is not None and self.rng.random() < 0.75:
            self.emit(f"local.get {local}")
        else:
            self.constant(type)

    def constant(self, type: str) -> None:
        """A value that needs no other."""
        rng = self.rng
        match type:
            case "i32" | "i64":
                bits = int(type[1:])
                wild = rng.getrandbits(bits) - (1 << (bits - 1))
                self.emit(f"{type}.const {rng.choice(_SMALL) if rng.random() < 0.8 else wild}")
            case "f32":
                self.emit(f"f32.const {rng.choice(('0', '-0', '1.5', '-inf', 'nan:0x200001', '-nan:0x412345'))}")
            case "f64":
                nans = ("nan:0x4000000000001", "-nan:0xc000000000000")
                self.emit(f"f64.const {rng.choice(('0', '-0', '3.25', 'inf', *nans))}")
            case "v128":
                self.emit(f"v128.const i32x4 {' '.join(str(rng.choice((0, 7, -1, 0x7FA00001))) for _ in range(4))}")
            case "funcref":
                self.emit(rng.choice((f"ref.func $f{rng.randrange(len(self.signatures))}", "ref.null func")))
            case _ if type == STRUCT:
                self.emit("struct.new_default $s")
            case _ if type == ARRAY:
                self.emit("i64.const 6", "i32.const 4", "array.new $a")
            case "externref" | "exnref":
                self.emit(f"ref.null {type[:-3].removesuffix('ref')}")
            case "anyref" | "eqref" | "i31ref":
                self.emit(*rng.choice((("ref.null none",), ("i32.const -5", "ref.i31"))))
            case _:
                self.emit(rng.choice(("ref.null none", "ref.null $a" if type == ARRAY_OR_NULL else "ref.null $s")))

    # -- numbers -------------------------------------------------------------------------------------------------

    def _binary(self, type: str) -> None:
        self.value(type)
        if self.chance(0.25):
            self.statement()
        if self.chance(0.5):
            self.constant(type)
        else:
            self.value(type)
        self.emit(f"{type}.{self.rng.choice(BINARY[type])}")

    def _unary(self, type: str) -> None:
        self.value(type)
        self.emit(f"{type}.{self.rng.choice(UNARY[type])}")

    def _compare(self, type: str) -> None:
        operand = self.rng.choice(("i32", "i64"))
        self.value(operand)
        self.value(operand)
        self.emit(f"{operand}.{self.rng.choice(COMPARISONS)}")

    def _convert(self, type: str) -> None:
        operand, instruction = self.rng.choice(CONVERSIONS[type])
        self.value(operand)
        self.emit(instruction)

    def _global(self, type: str) -> None:
        if type == "f32":
            self._leaf(type)
        else:
            self.emit(f"global.get $g_{type}")

    def address(self, memory: str) -> int:
        """An address that is surely in bounds if the access has an offset below the result, which is the room left."""
        type = "i64" if memory == "$m1" else "i32"
        local = self.writable((type,))
        if local is not None and self.rng.random() < 0.6:
            # Through a local, so that later accesses through it are known to be in bounds.
            self.emit(f"local.get {local}", f"{type}.const 8191", f"{type}.and", f"local.tee {local}")
        else:
            self.value(type)
            self.emit(f"{type}.const 8191", f"{type}.and")
        return 57_000

    def _load(self, type: str) -> None:
        memory = self.rng.choice(("$m0", "$m0", "$m1"))
        room = self.address(memory)
        instruction, _ = self.rng.choice(LOADS[type])
        self.emit(f"{instruction} {memory} offset={self.offset(room)}")

    def offset(self, room: int) -> int:
        """An offset, mostly small; now and then one that may be out of bounds."""
        if self.rng.random() < self.risk / 2:
            return self.rng.randrange(room, 70_000)
        return self.rng.choice((0, 1, 4, 8, 12, 100, room))

    # -- references ----------------------------------------------------------------------------------------------

    def _reference(self, type: str) -> None:
        rng = self.rng
        match type:
            case "funcref" | "exnref" | "i31ref":
                self._leaf(type)
            case "externref":
                self.value(type)
                self.emit("call $external")
            case "anyref" if rng.random() < 0.3:
                self.emit("global.get $g_any")
            case _ if type in (ARRAY, ARRAY_OR_NULL):
                self.values(("i64",) * 4)
                self.emit("array.new_fixed $a 4")
            case _ if type == STRUCT and rng.random() < 0.3:
                self.value(STRUCT)
                casts = ("ref.cast (ref $s)", "ref.cast (ref null $s) ref.as_non_null")
                self.emit(rng.choice(("ref.as_non_null", *casts)))
            case _ if rng.random() < 0.5:
                self.values(("i32", "f64", STRUCT_OR_NULL, "i32"))
                self.emit("struct.new $s")
            case _:
                self.values(("i32", "f64", STRUCT_OR_NULL, "i32", "i64"))
                self.emit("struct.new $sub")

    # -- any type ------------------------------------------------------------------------------------------------

    def _tee(self, type: str) -> None:
        local = self.writable((type,))
        self.value(type)
        if local is not None:
            self.set_local(local, "local.tee")

    def _select(self, type: str) -> None:
        self.values((type, type, "i32"))
        self.emit("select" if type in NUMBERS else f"select (result {type})")

    def _host(self, type: str) -> None:
        if self.rng.random() < 0.6:
            self.value("i32")
            self.emit("call $tick")
        else:
            self.values(("i64", "f32"))
            self.emit("call $mix")
            self.sink(("i32",))
            self.emit("i32.trunc_sat_f64_u")

    def _call(self, type: str) -> None:
        """A function that has the type among its results; the others are dropped or kept in locals."""
        found = [n for n, signature in enumerate(self.signatures) if type in signature.results]
        if not found:
            self._leaf(type)
            return
        callee = self.rng.choice(found)
        self.call(callee)
        results = self.signatures[callee].results
        wanted = self.rng.choice([n for n, result in enumerate(results) if result == type])
        self.sink(results[wanted + 1 :])
        if wanted:
            kept = self.counter({STRUCT: STRUCT_OR_NULL, ARRAY: ARRAY_OR_NULL}.get(type, type))
            self.set_local(kept)
            self.sink(results[:wanted])
            self.emit(f"local.get {kept}", *(["ref.as_non_null"] if type in (STRUCT, ARRAY) else []))

    def call(self, callee: int) -> None:
        """Call a function in one of the ways there are."""
        self.values(self.signatures[callee].params)
        match self.rng.randrange(4):
            case 0:
                self.emit(f"i32.const {callee}", f"call_indirect $table (type $ft{callee})")
            case 1:
                self.emit(f"ref.func $f{callee}", f"call_ref $ft{callee}")
            case _:
                self.emit(f"call $f{callee}")

    def _block(self, type: str) -> None:
        params = tuple(self.rng.choices(("i32", "i64", "f64", "anyref"), k=self.rng.randrange(3)))
        self.values(params)
        with self.block("block", Signature(params, (type,))):
            self.statements(1)
            self.sink(params)
            self.value(type)
            if self.chance(0.5):
                self.value("i32")
                self.emit("br_if 0")

    def _if(self, type: str) -> None:
        params = tuple(self.rng.choices(("i32", "i64", "externref"), k=self.rng.randrange(3)))
        self.values((*params, "i32"))
        with self.block("if", Signature(params, (type,))):
            unset = set(self.unset)
            self.sink(params)
            self.statements(1)
            self.value(type)
            self.other_branch()
            self.unset = unset
            self.statements(1)
            self.sink(params)
            self.value(type)

    def _loop(self, type: str) -> None:
        params = tuple(self.rng.choices(("i32", "i64", "f32"), k=self.rng.randrange(3)))
        self.values(params)
        self.loop(Signature(params, (type,)))

    def loop(self, signature: Signature) -> None:
        """A loop with these parameters, already on the stack, that leaves its results."""
        counter = self.counter("i32")
        self.emit("i32.const 0", f"local.set {counter}")
        with self.block("block", signature), self.block("loop", signature):
            self.emit(f"local.get {counter}", "i32.const 1", "i32.add", f"local.tee {counter}")
            self.emit(f"i32.const {self.rng.randint(1, 3)}", "i32.gt_u")
            self.emit("global.get $turns", "i32.const 1", "i32.sub", "global.set $turns")
            self.emit("global.get $turns", "i32.const 0", "i32.lt_s", "i32.or")
            with self.block("if", Signature((), ())):
                # Out of the loop for good: nothing that could branch back to its header.
                size, self.size = self.size, 0
                self.values(signature.results)
                self.emit("br 2")
                self.size = size
            self.statements(2)
            self.sink(signature.params)
            self.values(signature.params)
            self.value("i32")
            self.emit("br_if 0")
            self.sink(signature.params)
            self.values(signature.results)

    def statements(self, count: int) -> None:
        """Up to so many statements."""
        for _ in range(self.rng.randint(0, count)):
            if self.size > 0:
                self.statement()

    def _catch(self, type: str) -> None:
        """A `try_table` whose handler gives the value too."""
        tag = self.rng.choice([*TAGS, None])
        reference = self.rng.random() < 0.4
        payload = (*(TAGS[tag] if tag else ()), *(("exnref",) if reference else ()))
        clause = f"{'catch' if tag else 'catch_all'}{'_ref' if reference else ''} {tag or ''} 0"
        others = [n + 1 for n, types in enumerate(reversed(self.labels)) if not types]
        extra = f"(catch $t0 {self.rng.choice(others) + 1})" if others and self.rng.random() < 0.4 else ""
        with self.block("block", Signature((), (type,))):
            with self.block("block", Signature((), payload)):
                order = f"({clause}) {extra}" if self.rng.random() < 0.5 else f"{extra} ({clause})"
                with self.block("try_table", Signature((), (type,)), order):
                    self.statements(3)
                    self.value(type)
                    if tag is not None and self.chance(0.3):
                        self.values(TAGS[tag])
                        self.emit(f"throw {tag}")
                self.emit("br 1")
            if reference:
                self.emit("call $observe")
            self.statements(1)
            self.sink(payload)
            self.value(type)
