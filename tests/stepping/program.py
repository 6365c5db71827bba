"""What is run: a module, one of its exports, and the arguments for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import wasmtime

import reference
from frames.generator import program as generated
from frames.interface import arguments
from frames.observe import type_names
from frames.on_reference import exported_functions
from reference.smith import PROFILES, random_module

INITIALIZE = "_initialize"
"""What a reactor exports and the command line calls before anything else (WASI, "application ABI")."""


@dataclass(frozen=True)
class Program:
    """`given` are arguments in the reference interpreter's form; `setup` the exports that are called before."""

    name: str
    bytecode: bytes
    export: str
    given: tuple[Any, ...] = ()

    @cached_property
    def module(self) -> reference.Module:
        """The module, as the reference interpreter decodes it."""
        return reference.Module.decode(self.bytecode)

    @property
    def setup(self) -> tuple[str, ...]:
        """The exports that are called first."""
        return (INITIALIZE,) if INITIALIZE in exported_functions(self.module) else ()

    def instruction_at(self, function: int, pc: int) -> reference.compile.Instruction | None:
        """The instruction at a pc of a function; None where there is none."""
        found = (each for each in self.module.code(function).instructions if each.pc == pc)
        return next(found, None)


def of_export(name: str, bytecode: bytes, export: str) -> Program:
    """A program with arguments that follow from the export's name and type."""
    module = reference.Module.decode(bytecode)
    params = type_names(module.functions[exported_functions(module)[export]].function.params)
    return Program(f"{name}: {export}", bytecode, export, tuple(arguments(export, params)))


def random_programs(seed: int) -> list[Program]:
    """Of a seed, a program of `frames.generator`: an export of it that begins with `run`, each."""
    bytecode = bytes(wasmtime.wat2wasm(_with_state_exported(generated(seed))))
    return _runs(f"program {seed}", bytecode)


def smith_programs(seed: int, profile: str | None = None) -> list[Program]:
    """Of a seed, a module of smith: an export each; of a profile, or of the profiles in turn."""
    names = list(PROFILES)
    chosen = profile or names[seed % len(names)]
    return _runs(f"smith {chosen} {seed}", random_module(seed, chosen))


def _runs(name: str, bytecode: bytes) -> list[Program]:
    exports: Sequence[str] = sorted(exported_functions(reference.Module.decode(bytecode)))
    return [of_export(name, bytecode, each) for each in exports if re.match(r"run_?\d", each)]


def _with_state_exported(text: str) -> str:
    """The module, with its memories and the globals that are numbers exported: they are compared at the end."""
    memories = re.findall(r"\(memory (\$\w+)", text)
    variables = re.findall(r"\(global (\$\w+) \(mut [if]\d\d\)", text)
    exports = [f'(export "{name}" (memory {name}))' for name in dict.fromkeys(memories)]
    exports += [f'(export "{name}" (global {name}))' for name in variables]
    return text.rstrip().removesuffix(")") + "\n".join(exports) + ")\n"
