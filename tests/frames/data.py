"""Statements of generated programs that work on data: locals and operands, memory, objects, and what may trap."""

from __future__ import annotations

from frames.expressions import Expressions
from frames.vocabulary import ARRAY, NUMBERS, STORES, STRUCT, STRUCT_OR_NULL, Signature


class DataStatements(Expressions):
    """Statements without control flow of their own, but for what guards a trap."""

    def condition(self, probability: float) -> None:
        """An i32 that is not 0 about that often, whatever the locals are."""
        self.value("i32")
        self.emit("i32.const 0x9e3779b1", "i32.mul", "i32.const 24", "i32.shr_u")
        self.emit(f"i32.const {round(probability * 256)}", "i32.lt_u")

    # -- locals and operands -------------------------------------------------------------------------------------

    def observe(self) -> None:
        self.emit("call $observe")

    def assign(self) -> None:
        local = self.writable(self.rng.choices(self.locals or ["i32"], k=1))
        if local is None:
            self.observe()
            return
        self.value(self.locals[local])
        self.set_local(local)

    def derive(self) -> None:
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
                self.observe()

    def keep(self) -> None:
        """Operands that wait while the locals they came from change."""
        types = self.rng.choices(self.locals or ["i32"], k=self.rng.randint(1, 4))
        kept = []
        for type in types:
            local = self.readable((type,))
            if local is not None:
                self.emit(f"local.get {local}")
                kept.append(self.locals[local])
        for _ in range(self.rng.randint(1, 3)):
            self.assign()
        self.statement()
        self.observe()
        self.sink(kept)

    def global_set(self) -> None:
        type = self.rng.choice(("i32", "i64", "f64", "any"))
        self.value("anyref" if type == "any" else type)
        self.emit(f"global.set $g_{type}")

    # -- memory --------------------------------------------------------------------------------------------------

    def store(self) -> None:
        type = self.rng.choice(NUMBERS)
        memory = self.rng.choice(("$m0", "$m1"))
        room = self.address(memory)
        self.value(type)
        instruction, _, lane = self.rng.choice(STORES[type]).partition(" ")
        self.emit(f"{instruction} {memory} offset={self.offset(room)} {lane}")

    def bounds(self) -> None:
        """Accesses through one base and what was added to it, some proven by earlier ones."""
        memory, type = self.rng.choice((("$m0", "i32"), ("$m0", "i32"), ("$m1", "i64")))
        base, next = self.writable((type,)), self.writable((type,))
        if base is None or next is None:
            self.store()
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

    def chase(self) -> None:
        """Accesses through pointers in memory, which change between them."""
        pointers = self.rng.choices((256, 260, 264, 300), k=2)
        for _ in range(self.rng.randint(1, 3)):
            self.emit(f"i32.const {self.rng.choice(pointers)}")
            self.value("i32")
            self.emit("i32.const 8191", "i32.and", "i32.const -9")
            self.condition(1 - self.risk)
            self.emit("select", "i32.store $m0")
            if self.chance(0.3):
                self.statement()
            self.emit(f"i32.const {self.rng.choice(pointers)}", "i32.load $m0")
            if self.chance(0.4):
                local = self.writable(("i32",))
                if local is not None:
                    self.set_local(local, "local.tee")
            self.emit(f"{self.rng.choice(('i64.load', 'i64.load8_u', 'i64.load32_s'))} $m0")
            if self.chance(0.3):
                self.emit("i64.const 3", "i64.add")
            self.sink(("i64",))

    def bulk(self) -> None:
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

    # -- what may trap -------------------------------------------------------------------------------------------

    def trap(self) -> None:
        """Something that traps."""
        self.condition(self.risk)
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

    def division(self) -> None:
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

    def field(self) -> None:
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
