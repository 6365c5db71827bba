"""The reference interpreter, step by step."""

from __future__ import annotations

from typing import Any

import reference
from frames.interface import RESOURCE_CODES
from frames.observe import from_reference, type_names
from frames.on_reference import exported_functions
from reference.errors import GuestError
from reference.machine import Call
from reference.state import Extern
from reference.types import DefinedType
from stepping.edits import Chosen, Edit, Editing
from stepping.host import IMPORTED_GLOBALS, Host, HostFailure, without_payload
from stepping.program import Program
from stepping.step import WIDTHS, Ending, Step, Visit, digest

LIMITS = reference.Limits(call_depth=800)


class _Enough(BaseException):
    """The visitor wants no more; no guest or host can catch it."""


class OnReference:
    """The interpreter with a program; `editing` changes its state on the way."""

    name = "the reference interpreter"

    def __init__(self, program: Program, editing: Editing | None = None) -> None:
        self.program = program
        self._editing = editing

    def run(self, visit: Visit) -> Ending:
        """See `Stepper`."""
        return _Run(self.program, visit, self._editing).run()


class _Run:
    def __init__(self, program: Program, visit: Visit, editing: Editing | None) -> None:
        self.program, self.visit, self.editing = program, visit, editing
        self.store = reference.Store(self._step)
        self.exported = frozenset(exported_functions(program.module).values())
        self.instance: reference.Instance | None = None
        self.host = Host(self._nested)
        self.steps = 0
        self.rounds = _Rounds()

    def run(self) -> Ending:
        results = None
        try:
            imports = {(each.module, each.name): self._import(each) for each in self.program.module.imports}
            self.instance = reference.Instance(self.store, self.program.module, imports, LIMITS)
            for export in self.program.setup:
                self.instance.invoke(export, [])
            results = self._invoke(self.program.export, self.program.given)
            how = "returned"
        except _Enough:
            how = "stopped"
        except GuestError as error:
            how = _how(error)
        except HostFailure:
            how = "raised"
        return Ending(how, results, tuple(self.host.calls), self._state())

    def _invoke(self, export: str, given: Any) -> tuple[Any, ...]:
        assert self.instance is not None
        function = self.instance.exports[export]
        assert isinstance(function, reference.WasmFunction)
        types = type_names(function.type.function.results)
        return tuple(map(without_payload, self.instance.invoke(export, list(given)), types))

    def _nested(self, argument: Any) -> str:
        try:
            return str(self._invoke("nested", (argument,)))
        except GuestError as error:
            return _how(error)

    def _import(self, wanted: reference.module.Import) -> Extern:
        if not isinstance(wanted.type, DefinedType):
            return reference.Global(reference.GlobalType("i32", False), IMPORTED_GLOBALS[wanted.name])
        params, results = type_names(wanted.type.function.params), type_names(wanted.type.function.results)
        return reference.HostFunc(wanted.type, lambda *given: self.host.call(wanted.name, params, results, given))

    def _step(self, frame: reference.Frame) -> None:
        depth = self.store.depth()
        if self.rounds.is_repeated(self.store.live(0), depth):
            return
        self.steps += 1
        seen = from_reference("step", [frame], self.exported).frames[0]
        if not self.visit(Step(frame.function_index, frame.pc, depth, seen.locals, seen.stack)):
            raise _Enough
        if self.editing is not None:
            for edit in self.editing(self.steps, _Choices(self.store)):
                _apply(self.store, edit)

    def _state(self) -> dict[str, Any] | None:
        if self.instance is None:
            return None
        found: dict[str, Any] = {}
        for name, export in self.instance.exports.items():
            match export:
                case reference.Memory():
                    found[name] = digest(export.data)
                case reference.Global() if export.type.value in WIDTHS:
                    found[name] = export.value
        return found


class _Rounds:
    """Tells a `loop` that a branch came back to from one that is entered."""

    def __init__(self) -> None:
        self._before: list[tuple[Call, int]] = []

    def is_repeated(self, call: Call, depth: int) -> bool:
        """Whether a branch led from inside the `loop` to it: no other leads backwards."""
        before = self._before[depth - 1] if depth <= len(self._before) else (None, 0)
        self._before[depth - 1 :] = [(call, call.ip)]
        return call.instruction.name == "loop" and before[0] is call and before[1] > call.ip


class _Choices:
    """What may be changed: numbers of the frames of the innermost activation."""

    def __init__(self, store: reference.Store) -> None:
        self._store = store

    def __call__(self) -> list[Chosen]:
        frames = [each for each in self._store.frames() if each.activation == 0]
        return [
            Chosen(number, what, index, type)
            for number, frame in enumerate(frames)
            for what, values in (("local", frame.locals), ("stack", frame.stack))
            for index, (type, _) in enumerate(values)
            if type in WIDTHS
        ]


def _apply(store: reference.Store, edit: Edit) -> None:
    call = store.live(edit.frame)
    values = call.locals if edit.what == "local" else call.stack
    values[edit.index] = edit.bits.to_bytes(16, "little") if edit.type == "v128" else edit.bits


def _how(error: GuestError) -> str:
    code: str = getattr(error, "code", "exception")
    return "resources" if code in RESOURCE_CODES else code
