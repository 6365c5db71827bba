"""Running the official test suite: scripts in the JSON form of `wasm-tools json-from-wast`."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reference.errors import GuestError, LinkError, Trap, WasmException
from reference.instance import Instance
from reference.known_failures import SKIPPED_COMMANDS
from reference.machine import Store
from reference.module import Module
from reference.state import Extern, Global, GlobalType, HostFunc, Limits, Memory, MemoryType, Table, TableType
from reference.types import FUNCREF, FuncType, RefType, ValueType, has_type, single
from reference.values import ExnObject, Value
from support.wasmtools import ROOT, wasm_tools

CACHE = ROOT / ".cache" / "reference"

# What the suite calls a trap, and wasmtime's name of it; the suite's text is compared as a prefix.
TRAP_CODES = MappingProxyType(
    {
        "out of bounds memory access": "MEMORY_OUT_OF_BOUNDS",
        "out of bounds table access": "TABLE_OUT_OF_BOUNDS",
        "out of bounds array access": "ARRAY_OUT_OF_BOUNDS",
        "undefined element": "TABLE_OUT_OF_BOUNDS",
        "uninitialized element": "INDIRECT_CALL_TO_NULL",
        "indirect call type mismatch": "BAD_SIGNATURE",
        "integer overflow": "INTEGER_OVERFLOW",
        "integer divide by zero": "INTEGER_DIVISION_BY_ZERO",
        "invalid conversion to integer": "BAD_CONVERSION_TO_INTEGER",
        "unreachable": "UNREACHABLE",
        "null ": "NULL_REFERENCE",
        "cast failure": "CAST_FAILURE",
        "unaligned atomic": "HEAP_MISALIGNED",
        "expected shared memory": "ATOMIC_WAIT_NON_SHARED_MEMORY",
        "call stack exhausted": "STACK_OVERFLOW",
    }
)
_ABSTRACT = {"funcref": "func", "structref": "struct", "arrayref": "array", "i31ref": "i31", "eqref": "eq"}


@dataclass(frozen=True, slots=True)
class HostReference:
    """What `ref.extern n` and `ref.host n` stand for."""

    number: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A command whose outcome is not the expected one."""

    line: int
    reason: str


def convert_script(script: Path) -> Path:
    """The JSON form of a `.wast` file, its modules beside it; converted once for each content."""
    digest = hashlib.sha256(script.read_bytes()).hexdigest()[:12]
    folder = CACHE / f"{script.stem}-{digest}"
    result = folder / "script.json"
    if not result.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=CACHE))
        wasm_tools("json-from-wast", str(script), "-o", str(made / "script.json"), "--wasm-dir", str(made))
        try:
            made.rename(folder)
        except OSError:
            if not result.exists():  # else another process was faster
                raise
    return result


def run_script(script: Path, limits: Limits | None = None, store: Store | None = None) -> tuple[int, list[Failure]]:
    """Run a converted script in `store` or a new one: how many commands passed, and those that did not."""
    runner = _Runner(script.parent, limits or Limits(), store or Store())
    for command in json.loads(script.read_text())["commands"]:
        try:
            runner.run(command)
        except (AssertionError, GuestError, LinkError) as error:
            runner.failures.append(Failure(command["line"], f"{command['type']}: {type(error).__name__} {error}"))
    return runner.passed, runner.failures


def _spectest() -> dict[tuple[str, str], Extern]:
    """The host module that the suite expects."""
    exports: dict[str, Extern] = {
        "global_i32": Global(GlobalType("i32", False), 666),
        "global_i64": Global(GlobalType("i64", False), 666),
        "global_f32": Global(GlobalType("f32", False), 0x4426A666),
        "global_f64": Global(GlobalType("f64", False), 0x4084D4CCCCCCCCCD),
        "table": Table(TableType(FUNCREF, 10, 20)),
        "table64": Table(TableType(FUNCREF, 10, 20, "i64")),
        "memory": Memory(MemoryType(1, 2)),
        "shared_memory": Memory(MemoryType(1, 2, shared=True)),
    }
    prints: dict[str, tuple[ValueType, ...]] = {
        "print": (),
        "print_i32": ("i32",),
        "print_i64": ("i64",),
        "print_f32": ("f32",),
        "print_f64": ("f64",),
        "print_i32_f32": ("i32", "f32"),
        "print_f64_f64": ("f64", "f64"),
    }
    for name, params in prints.items():
        exports[name] = HostFunc(single(FuncType(params, ())), lambda *_: ())
    return {("spectest", name): extern for name, extern in exports.items()}


@dataclass(slots=True)
class _Runner:
    folder: Path
    limits: Limits
    store: Store
    externs: dict[tuple[str, str], Extern] = field(default_factory=_spectest)
    instances: dict[str | None, Instance] = field(default_factory=dict)
    definitions: dict[str | None, Module] = field(default_factory=dict)
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)

    def run(self, command: dict[str, Any]) -> None:
        match command["type"]:
            case "module":
                # A name of a module that fails is no name of the module before it.
                self.instances.pop(command.get("name"), None)
                self._name(command.get("name"), self._instantiate(self._decode(command)))
            case "module_definition":
                self.definitions[command.get("name")] = self._decode(command)
            case "module_instance":
                self._name(command["instance"], self._instantiate(self.definitions[command.get("module")]))
            case "register":
                for name, extern in self.instances[command.get("name")].exports.items():
                    self.externs[command["as"], name] = extern
            case "action":
                self._act(command["action"])
            case "assert_return":
                results = self._act(command["action"])
                expected = command["expected"]
                matches = len(results) == len(expected) and all(map(matches_pattern, results, expected))
                assert matches, f"{results} is not {expected}"
            case "assert_trap" | "assert_exhaustion":
                _expect_trap(command["text"], lambda: self._act(command["action"]))
            case "assert_uninstantiable":
                _expect_trap(command["text"], lambda: self._instantiate(self._decode(command)))
            case "assert_exception":
                self._expect(WasmException, lambda: self._act(command["action"]))
            case "assert_unlinkable":
                self._expect(LinkError, lambda: self._instantiate(self._decode(command)))
            case skipped if skipped in SKIPPED_COMMANDS:
                return
            case other:
                raise AssertionError(f"unknown command {other}")
        self.passed += 1

    def _decode(self, command: dict[str, Any]) -> Module:
        return Module.decode((self.folder / command.get("binary_filename", command["filename"])).read_bytes())

    def _instantiate(self, module: Module) -> Instance:
        return Instance(self.store, module, self.externs, self.limits)

    def _name(self, name: str | None, instance: Instance) -> None:
        self.instances[name] = self.instances[None] = instance

    def _act(self, action: dict[str, Any]) -> list[Value]:
        instance = self.instances[action.get("module")]
        if action["type"] == "invoke":
            return instance.invoke(action["field"], [parse_value(each) for each in action["args"]])
        read = instance.exports[action["field"]]
        assert isinstance(read, Global)
        return [read.value]

    def _expect(self, error: type[Exception], action: Any) -> None:
        try:
            result = action()
        except error:
            return
        raise AssertionError(f"no {error.__name__} but {result}")


def _expect_trap(text: str, action: Any) -> None:
    code = next((code for start, code in TRAP_CODES.items() if text.startswith(start)), None)
    assert code is not None, f"unknown trap {text!r}"
    try:
        result = action()
    except Trap as trap:
        if trap.code != code:
            raise AssertionError(f"{trap.code} instead of {text!r}") from trap
        return
    raise AssertionError(f"no trap {text!r} but {result}")


_BITS = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}


def parse_value(written: dict[str, Any]) -> Value:
    """The value of an argument."""
    type, text = written["type"], written["value"]
    if type in ("i32", "i64", "f32", "f64"):
        return int(text) & ((1 << _BITS[type]) - 1)
    if type == "v128":
        bits = _BITS[written["lane_type"]]
        return b"".join((int(lane) & ((1 << bits) - 1)).to_bytes(bits // 8, "little") for lane in text)
    return None if text == "null" else HostReference(int(text))


def matches_pattern(value: Value, pattern: dict[str, Any]) -> bool:
    """Whether a result is what an assertion expects."""
    kind = pattern["type"]
    match kind:
        case "either":
            return any(matches_pattern(value, each) for each in pattern["values"])
        case "i32" | "i64":
            return bool(value == parse_value(pattern))
        case "f32" | "f64":
            return _matches_float(value, _BITS[kind], pattern["value"])
        case "v128":
            size = _BITS[pattern["lane_type"]] // 8
            lanes = [int.from_bytes(value[start : start + size], "little") for start in range(0, 16, size)]
            return all(_matches_float(lane, 8 * size, text) for lane, text in zip(lanes, pattern["value"], strict=True))
    if "value" in pattern:
        return bool(value == parse_value(pattern))
    if "null" in kind:
        return value is None
    if kind == "exnref":
        return isinstance(value, ExnObject)
    return value is not None and (kind not in _ABSTRACT or has_type(value, RefType(False, _ABSTRACT[kind])))


def _matches_float(pattern: int, bits: int, text: str) -> bool:
    """Also for the lanes of integer shapes, which have no NaN."""
    if not text.startswith("nan:"):
        return pattern == int(text) & ((1 << bits) - 1)
    quiet = 0x7FC00000 if bits == 32 else 0x7FF8000000000000
    positive = pattern & ((1 << (bits - 1)) - 1)
    return positive == quiet if text == "nan:canonical" else positive & quiet == quiet
