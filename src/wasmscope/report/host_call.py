"""Which function of the host a frame is in the call of."""

from __future__ import annotations

from wasmscope.runtime.frame import FrameHandle
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.instructions import decode_instruction
from wasmscope.wasm.module import FuncImport
from wasmscope.wasm.reader import Reader


def imported_callee(frame: FrameHandle) -> str | None:
    """The imported function that `frame` calls, as `module::name`; None where its instruction does not say one."""
    module, position = frame.module(), frame.wasm_function_index_and_pc()
    if module is None or position is None:
        return None
    instruction = decode_instruction(Reader(module.bytecode, position[1]))
    if instruction.opcode.name not in ("call", "return_call"):
        return None
    functions = [item for item in module.original.imports if isinstance(item.desc, FuncImport)]
    callee = instruction.immediates[0]
    return (
        f"{escaped(functions[callee].module)}::{escaped(functions[callee].name)}" if callee < len(functions) else None
    )
