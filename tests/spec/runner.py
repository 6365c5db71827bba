"""Runs the commands of one converted script on a backend (the command kinds: WABT's docs/wast2json.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from wasmtime import TrapCode

from spec.backend import REJECTIONS, Backend
from spec.spectest import spectest
from spec.suite import Script
from spec.values import argument, matches
from support import tiers
from wasmscope.runtime import capi
from wasmscope.runtime.capi import Failed, Failure, Outcome, Raised, Returned, Trapped

#: what the suite calls a trap -> the engine's codes for it
TRAP_CODES: Mapping[str, TrapCode] = {
    "unreachable": TrapCode.UNREACHABLE,
    "integer divide by zero": TrapCode.INTEGER_DIVISION_BY_ZERO,
    "integer overflow": TrapCode.INTEGER_OVERFLOW,
    "invalid conversion to integer": TrapCode.BAD_CONVERSION_TO_INTEGER,
    "out of bounds memory access": TrapCode.MEMORY_OUT_OF_BOUNDS,
    "out of bounds table access": TrapCode.TABLE_OUT_OF_BOUNDS,
    "undefined element": TrapCode.TABLE_OUT_OF_BOUNDS,
    "uninitialized element": TrapCode.INDIRECT_CALL_TO_NULL,
    "uninitialized element 2": TrapCode.INDIRECT_CALL_TO_NULL,
    "indirect call type mismatch": TrapCode.BAD_SIGNATURE,
    "call stack exhausted": TrapCode.STACK_OVERFLOW,
    "null reference": TrapCode.NULL_REFERENCE,
    "null function reference": TrapCode.NULL_REFERENCE,
    "null structure reference": TrapCode.NULL_REFERENCE,
    "null array reference": TrapCode.NULL_REFERENCE,
    "null i31 reference": TrapCode.NULL_REFERENCE,
    "null exception reference": TrapCode.NULL_REFERENCE,
    "cast failure": TrapCode.CAST_FAILURE,
    "out of bounds array access": TrapCode.ARRAY_OUT_OF_BOUNDS,
    "unaligned atomic": TrapCode.HEAP_MISALIGNED,
    "expected shared memory": TrapCode.ATOMIC_WAIT_NON_SHARED_MEMORY,
}


class Status(StrEnum):
    """How a command ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """One command; `detail` says why it failed or was skipped."""

    script: str
    line: int
    kind: str
    status: Status
    detail: str = ""


class Hooks(Protocol):
    """Told of the places where the guest's frames can be looked at."""

    def on_trap(self, store: Any, trap: Any) -> None:
        """A call or an instantiation ended with a trap or an uncaught exception."""
        ...

    def on_host_call(self, caller: Any) -> None:
        """The guest called a function of `spectest`."""
        ...


class NoHooks:
    """Looks at nothing."""

    def on_trap(self, store: Any, trap: Any) -> None:
        pass

    def on_host_call(self, caller: Any) -> None:
        pass


class _Skipped(Exception):
    """The command is not for a test of an engine."""


class _Unlinkable(Exception):
    """An import that nothing provides."""


def run_script(backend: Backend, engine: Any, script: Script, hooks: Hooks | None = None) -> Iterator[Result]:
    """Run all commands of a script in a store of its own."""
    run = _Run(backend, engine, script, hooks or NoHooks())
    try:
        for command in script.commands:
            line, kind = command["line"], command["type"]
            try:
                run.command(command)
            except _Skipped as skipped:
                yield Result(script.name, line, kind, Status.SKIPPED, str(skipped))
            except Exception as failure:
                # Whatever goes wrong is this command's result; a bug of the runner shows as one that nobody expected.
                yield Result(script.name, line, kind, Status.FAILED, f"{type(failure).__name__}: {failure}")
            else:
                yield Result(script.name, line, kind, Status.PASSED)
    finally:
        run.store.close()


class _Run:
    """The state of a script: its instances by name, and the current one."""

    def __init__(self, backend: Backend, engine: Any, script: Script, hooks: Hooks) -> None:
        self.backend, self.engine, self.script, self.hooks = backend, engine, script, hooks
        self.store = tiers.prepared(backend.api.Store(engine))
        self.registered: dict[str, Mapping[str, Any]] = {
            "spectest": spectest(backend.api, self.store, hooks.on_host_call)
        }
        self.definitions: dict[str | None, Any] = {}
        self.named: dict[str, Mapping[str, Any]] = {}
        self.current: Mapping[str, Any] | None = None

    def command(self, command: dict[str, Any]) -> None:
        """Run a command; an exception says that it did not end as it should."""
        match command["type"]:
            case "module":
                self.current = None
                self._define(self._instance(self._compile(command)), command.get("name"))
            case "module_definition":
                self.definitions[None] = self.definitions[command.get("name")] = self._compile(command)
            case "module_instance":
                module = self.definitions[command.get("module")]
                self._define(self._instance(module), command.get("instance"))
            case "register":
                self.registered[command["as"]] = self._exports(command.get("name"))
            case "action":
                self._values(self._act(command["action"]))
            case "assert_return":
                self._assert_return(command)
            case "assert_trap" | "assert_exhaustion":
                self._assert_trap(self._act(command["action"]), command["text"])
            case "assert_exception":
                outcome = self._act(command["action"])
                assert isinstance(outcome, Trapped), f"no exception: {outcome}"
                assert outcome.thrown, f"a trap and no exception: {outcome.trap}"
            case "assert_uninstantiable":
                self._assert_trap(self._instantiate(self._compile(command)), command["text"])
            case "assert_unlinkable":
                self._assert_unlinkable(self._compile(command))
            case "assert_invalid" | "assert_malformed":
                self._assert_rejected(command)
            case kind:
                raise _Skipped(f"the command {kind!r} is not known to this runner")

    def _compile(self, command: dict[str, Any]) -> Any:
        binary = self.script.folder / command.get("binary_filename", command["filename"])
        return self.backend.api.Module(self.engine, binary.read_bytes())

    def _instantiate(self, module: Any) -> Any | Failure:
        imports = []
        for item in module.imports:
            try:
                imports.append(self.registered[item.module][item.name])
            except KeyError:
                raise _Unlinkable(f"unknown import {item.module}.{item.name}") from None
        return self._observed(self.backend.instantiate(self.store, module, imports))

    def _instance(self, module: Any) -> Any:
        instance = self._instantiate(module)
        if isinstance(instance, Trapped | Failed | Raised):
            capi.raise_failure(instance)
        return instance

    def _define(self, instance: Any, name: str | None) -> None:
        self.current = instance.exports(self.store)
        if name is not None:
            self.named[name] = self.current

    def _exports(self, name: str | None) -> Mapping[str, Any]:
        exports = self.named[name] if name is not None else self.current
        assert exports is not None, "the module was not instantiated"
        return exports

    def _act(self, action: dict[str, Any]) -> Outcome:
        export = self._exports(action.get("module"))[action["field"]]
        if action["type"] == "get":
            return Returned((capi.global_get(self.store, export),))
        args = [argument(self.store, value) for value in action["args"]]
        outcome: Outcome = self._observed(self.backend.invoke(self.store, export, args))
        return outcome

    def _observed(self, outcome: Any) -> Any:
        if isinstance(outcome, Trapped):
            self.hooks.on_trap(self.store, outcome.trap)
        return outcome

    def _values(self, outcome: Outcome) -> tuple[Any, ...]:
        if not isinstance(outcome, Returned):
            capi.raise_failure(outcome)
            raise AssertionError("a failure was not raised")
        return outcome.values

    def _assert_return(self, command: dict[str, Any]) -> None:
        values, expected = self._values(self._act(command["action"])), command["expected"]
        assert len(values) == len(expected), f"{len(values)} results, not {len(expected)}"
        for value, wanted in zip(values, expected, strict=True):
            assert matches(value, wanted, self.backend.exact_f32), f"{value!r} is not {wanted}"

    def _assert_trap(self, outcome: Any, text: str) -> None:
        assert isinstance(outcome, Trapped), f"no trap: {outcome}"
        assert outcome.trap.trap_code is TRAP_CODES[text], f"{outcome.trap.trap_code} is not {text!r}"

    def _assert_unlinkable(self, module: Any) -> None:
        try:
            instance = self._instantiate(module)
        except _Unlinkable:
            return
        assert isinstance(instance, Failed), f"it was linked: {instance}"

    def _assert_rejected(self, command: dict[str, Any]) -> None:
        if command["module_type"] == "text" and "binary_filename" not in command:
            raise _Skipped("a module in the text format, which the engine never sees")
        try:
            self._compile(command)
        except REJECTIONS:
            return
        raise AssertionError(f"the module was accepted: {command['text']}")
