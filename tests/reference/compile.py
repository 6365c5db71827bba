"""From the bytes of a body or constant expression to what the interpreter runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference.errors import DecodeError
from reference.handlers import HANDLERS
from reference.immediates import MemoryArgument, read_immediate
from reference.opcodes import OPCODES, PREFIXES, Opcode
from reference.reader import Reader
from reference.rules import RULES
from reference.typer import Operands, TryRegion, Typer
from reference.types import FuncType, ValueType, default_value
from reference.values import Value

if TYPE_CHECKING:
    from reference.module import Module


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `pc` is its offset in the module, `operands` the types before it."""

    pc: int
    name: str
    handler: Callable[..., int | None]
    immediate: Any
    operands: Operands


@dataclass(frozen=True, slots=True)
class Code:
    """A function body or constant expression.

    `locals` begins with the parameters; `regions` has inner try_tables before outer ones.
    """

    locals: list[ValueType]
    defaults: list[Value]
    instructions: list[Instruction]
    regions: list[TryRegion]
    arity: int


def compile_code(module: Module, reader: Reader, locals: list[ValueType], results: tuple[ValueType, ...]) -> Code:
    """Compile up to the `end` that matches none of the code's own blocks."""
    typer = Typer(module, locals, results)
    typer.enter("function", FuncType((), results))
    instructions: list[Instruction] = []
    while typer.controls:
        typer.ip = len(instructions)
        pc, operands = reader.position, typer.operands
        opcode = _opcode(reader)
        immediates = [read_immediate(reader, kind, module.types) for kind in opcode.immediates]
        if opcode.params is None:
            immediate = RULES[opcode.name](typer, *immediates)
        else:
            _apply_signature(typer, opcode, immediates)
            immediate = immediates[0] if len(immediates) == 1 else tuple(immediates)
        instructions.append(Instruction(pc, opcode.name, HANDLERS[opcode.name], immediate, operands))
    defaults = [default_value(type) for type in locals]
    return Code(locals, defaults, instructions, typer.regions, len(results))


def _opcode(reader: Reader) -> Opcode:
    start = reader.position
    byte = reader.byte()
    key = (byte, reader.unsigned()) if byte in PREFIXES else (0, byte)
    if key not in OPCODES:
        raise DecodeError(f"unknown opcode {key[0]:#x} {key[1]:#x}", start)
    return OPCODES[key]


def _apply_signature(typer: Typer, opcode: Opcode, immediates: list[Any]) -> None:
    assert opcode.params is not None
    address = "i32"
    for kind, value in zip(opcode.immediates, immediates, strict=True):
        match value:
            case MemoryArgument(_, memory):
                address = typer.module.memories[memory].address
            case int() if kind == "memory":
                address = typer.module.memories[value].address
            case int() if kind == "table":
                address = typer.module.tables[value].address
    typer.pop_all(opcode.params)
    typer.push_all(address if type == "at" else type for type in opcode.results)
