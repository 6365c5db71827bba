"""wasmscope, step by step: a debug handler that is told of every instruction and reads the innermost frame."""

from __future__ import annotations

import wasmscope
from frames.observe import Names, from_wasmscope
from frames.on_reference import exported_functions
from stepping.edits import Edit, Editing
from stepping.engine import EngineRun, new_engine
from stepping.program import Program
from stepping.step import Ending, Step, Visit
from wasmscope.runtime.val import Kind, Val

WRITING_ABSENT = "" if hasattr(wasmscope, "FrameWriter") else "wasmscope cannot change frames: there is no FrameWriter"
"""Why tests that change a guest's state in wasmscope are skipped; empty where it can be changed."""


class _Enough(Exception):
    """The visitor wants no more: raised by the handler, it ends the guest's call."""


class OnWasmscope:
    """wasmscope with a program; `editing` changes the guest's state on the way, at steps chosen before."""

    name = "wasmscope"

    def __init__(self, program: Program, editing: Editing | None = None, opt_level: str = "none") -> None:
        self.program = program
        self._editing = editing
        self._opt_level = opt_level

    def run(self, visit: Visit) -> Ending:
        """See `Stepper`."""
        run = EngineRun(wasmscope, new_engine(wasmscope, self._opt_level), self.program)
        handler = _Handler(run, visit, self._editing)
        run.store.set_debug_handler(handler, caught_exceptions=False)
        edit = run.store.edit_breakpoints()
        assert edit is not None
        with edit:
            edit.single_step(True)
        try:
            return run.run(_Enough)
        finally:
            run.store.close()


class _Handler:
    def __init__(self, run: EngineRun, visit: Visit, editing: Editing | None) -> None:
        self.run, self.visit, self.editing = run, visit, editing
        self.steps = 0
        types = run.program.module.types
        self._names = Names({}, [types.index(each) for each in types])

    def handle(self, store: wasmscope.Store, event: wasmscope.DebugEvent) -> None:
        if not isinstance(event, wasmscope.DebugEvent.Step):
            return
        self._learn_functions()
        frames = store.frames()
        seen = from_wasmscope("step", frames[:1], self._names).frames[0]
        self.steps += 1
        if not self.visit(Step(seen.function, seen.pc, len(frames), seen.locals, seen.stack)):
            raise _Enough
        for edit in self.editing(self.steps, list) if self.editing is not None else ():
            _apply(frames[edit.frame], edit)

    def _learn_functions(self) -> None:
        """A start function runs before there is an instance whose exports could be asked for."""
        if self._names.functions or self.run.instance is None:
            return
        exports = self.run.instance.exports(self.run.store)
        indices = exported_functions(self.run.program.module)
        functions = {bytes(exports[name]._func): index for name, index in indices.items()}
        self._names = Names(functions, self._names.types)


def _apply(frame: wasmscope.FrameHandle, edit: Edit) -> None:
    writer = frame.writer()
    assert writer is not None
    value = Val.from_bits(Kind[edit.type.upper()], edit.bits)
    if edit.what == "local":
        writer.set_local(edit.index, value)
    else:
        writer.set_stack(edit.index, value)
