"""What is decided once a module before its functions are rewritten: the imports to append and where indices move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from wasmscope.analysis.escapes import escapes_of
from wasmscope.analysis.signatures import (
    CONTROL,
    DEPENDS_ON_OPERANDS,
    block_signature,
    composite_func,
    effect_of,
    reference_kind,
)
from wasmscope.analysis.tokenizer import tokenize_bodies
from wasmscope.instrument.layout import PAGE_LOG2, REFERENCE_KINDS, SHADOW_PAGES
from wasmscope.instrument.leb import signed
from wasmscope.instrument.mark import Mark
from wasmscope.instrument.own_instructions import OwnInstruction, own_instructions
from wasmscope.instrument.private_entities import PrivateEntities, private_entities
from wasmscope.wasm.instructions import Instruction, decode_instruction
from wasmscope.wasm.module import FuncImport, ImportDesc, Module
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.relocate import Relocation
from wasmscope.wasm.types import (
    ANYREF,
    EXNREF,
    EXTERNREF,
    FUNCREF,
    I32,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
    ValType,
)

if TYPE_CHECKING:
    from wasmscope.instrument.watch_tests import WatchTests

_TABLE_ELEMENT = {"func": FUNCREF, "extern": EXTERNREF, "any": ANYREF, "exn": EXNREF}

NO_VALUES = FuncType((), ())


class Appended(Enum):
    """What an appended function is for; those of a kind lie together, in this order, behind what the module defines."""

    ENTRY = auto()
    """The way into functions that the instance keeps to itself (`private_entities.py`)."""
    REDIRECT = auto()
    """The way from functions of a type to their mirrors (`redirect.py`)."""
    OWN_INSTRUCTION = auto()
    """An instruction that only code of the module can have (`own_instructions.py`)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Index of each appended import and type; what the module defines moves up behind the imports (`relocation`)."""

    module: Module
    mark: Mark
    relocation: Relocation
    instructions: dict[bytes, Instruction]
    """Each instruction that occurs in the module, once, by its token."""
    attention_function: int
    throw_function: int
    """What the guest calls before it throws, while the host wants to know."""
    shadow_memory: int
    instance_global: int
    words_global: int
    """Holds the address of the words of the instance's functions (`redirect.py`)."""
    mirrors_table: int
    reference_tables: dict[str, int]
    """Kind of reference -> table; only the kinds that a local or an operand of the module can have."""
    escaping: frozenset[int]
    """Functions that can be entered from outside their instance: their frames name the instance."""
    private: PrivateEntities
    """What is appended so that the host can reach everything an instance has."""
    own_instructions: tuple[OwnInstruction, ...]
    """The instructions that mirrors call functions for."""
    redirected_types: Mapping[int, int]
    """The types of the functions that the module defines, numbered in the order in which they come."""
    limit_globals: dict[int, int]
    """Memory -> the appended global that holds an address below which accesses are in bounds (`visit_memory.py`)."""
    counts_fuel: bool
    """Whether the rewritten module counts the original's instructions."""
    quiet_loops: frozenset[int]
    """The pcs of the loops at whose headers the guest does not attend."""
    watch_tests: WatchTests | None
    """Which accesses of the guest's are tested for whether they are watched."""
    calls: Mapping[int, bytes]
    """By the pcs of some calls, what they become."""
    has_plain_types: bool
    """Whether all types are function types that are the same wherever they are declared, because none refers to another
    and references to functions of a type do not occur."""
    types: Mapping[FuncType, int]
    """The appended types with their indices, in this order."""

    def results_type(self, results: tuple[ValType, ...]) -> bytes:
        """The type of a block that leaves `results` (Wasm spec 5.4.1, "blocktype")."""
        if not results:
            return b"\x40"
        return results[0].encoding if len(results) == 1 else signed(self.types[FuncType((), results)])

    @property
    def first_appended(self) -> int:
        """Index in the rewritten module of the first function behind those that the module defines."""
        return self.module.num_imported_functions + APPENDED_FUNCTIONS + len(self.module.functions)

    def redirect_function(self, type_index: int) -> int:
        """Index in the rewritten module of what redirects functions of a type."""
        return self.first_appended + len(self.private.entry_functions) + self.redirected_types[type_index]

    def appended(self, function: int) -> Appended | None:
        """What a function with this index in the rewritten module was appended for; None: it was not."""
        counts = (len(self.private.entry_functions), len(self.redirected_types), len(self.own_instructions))
        position = function - self.first_appended
        if position < 0:
            return None
        for kind, count in zip(Appended, counts, strict=True):
            if position < count:
                return kind
            position -= count
        raise LookupError(f"there is no function {function} in the rewritten module")

    def escapes(self, function: int) -> bool:
        """Whether `function` can be entered from outside its instance."""
        return function in self.escaping


def make_plan(
    module: Module,
    bodies: Sequence[Sequence[bytes]] | None = None,
    *,
    counts_fuel: bool = False,
    quiet_loops: frozenset[int] = frozenset(),
    watch_tests: WatchTests | None = None,
    calls: Mapping[int, bytes] = MappingProxyType({}),
    mark: Mark | None = None,
) -> Plan:
    """Look `module` over, whose function bodies, cut into instructions, are `bodies`; nothing is rewritten yet."""
    distinct = dict.fromkeys(chain.from_iterable(tokenize_bodies(module) if bodies is None else bodies))
    decoded = {token: decode_instruction(Reader(token)) for token in distinct}
    instructions = list(decoded.values())
    first_table = module.num_imported_tables
    occurring = _reference_kinds(module, instructions)
    kinds = tuple(kind for kind in REFERENCE_KINDS if kind in occurring)
    escapes = escapes_of(module, instructions)
    private = private_entities(module, escapes)
    own = own_instructions(module, decoded, private.prefix)
    return Plan(
        module=module,
        mark=Mark.of(module.bytecode) if mark is None else mark,
        relocation=Relocation.after_imports(module, [desc for _, desc in appended_imports(module, kinds)]),
        instructions=decoded,
        attention_function=module.num_imported_functions,
        throw_function=module.num_imported_functions + 1,
        shadow_memory=module.num_imported_memories,
        instance_global=module.num_imported_globals,
        words_global=module.num_imported_globals + 1,
        mirrors_table=first_table,
        reference_tables={kind: first_table + 1 + n for n, kind in enumerate(kinds)},
        escaping=escapes.functions,
        private=private,
        own_instructions=own,
        redirected_types={type_: n for n, type_ in enumerate(dict.fromkeys(module.functions))},
        counts_fuel=counts_fuel,
        quiet_loops=quiet_loops,
        watch_tests=watch_tests,
        calls=calls,
        limit_globals=_limit_globals(module),
        has_plain_types=not kinds and _has_plain_types(module),
        types=_types(module, own),
    )


APPENDED_FUNCTIONS = 2
"""So many functions of the host's lie between those that a module imports and those that it defines."""

_APPENDED_GLOBALS = 2


def appended_imports(module: Module, kinds: Sequence[str]) -> list[tuple[str, ImportDesc]]:
    """What a rewritten module imports in addition, name and type, in this order."""
    memory = MemoryType(Limits(SHADOW_PAGES, SHADOW_PAGES))
    return [
        ("attention", FuncImport(len(module.types))),
        ("throw", FuncImport(len(module.types))),
        ("shadow", memory),
        ("instance", GlobalType(I32, False)),
        ("functions", GlobalType(I32, False)),
        ("mirrors", TableType(FUNCREF, Limits(0))),
        *((f"{kind}refs", reference_table_type(kind)) for kind in kinds),
    ]


def reference_table_type(kind: str) -> TableType:
    """The type of the shadow table for references of a kind."""
    return TableType(_TABLE_ELEMENT[kind], Limits(0))


def _has_plain_types(module: Module) -> bool:
    elements = (table.element.heap for table in module.all_tables)
    return (
        not any(isinstance(heap, int) for heap in elements)
        and all(
            isinstance(type_.composite, FuncType) and type_.final and not type_.supertypes for type_ in module.types
        )
        and all(count == 1 for _, count in module.rec_groups)
    )


def _limit_globals(module: Module) -> dict[int, int]:
    first = len(module.all_globals) + _APPENDED_GLOBALS  # behind the imported ones that are appended
    limits = [memory.limits for memory in module.all_memories]
    eligible = [index for index, limit in enumerate(limits) if not limit.is64 and limit.page_size_log2 == PAGE_LOG2]
    return {memory: first + n for n, memory in enumerate(eligible)}


def _types(module: Module, own: Sequence[OwnInstruction]) -> dict[FuncType, int]:
    """Of the host's functions; of the blocks around bodies with several results; of the appended functions."""
    several = (
        FuncType((), composite_func(module, index).results)
        for index in dict.fromkeys(module.functions)
        if len(composite_func(module, index).results) > 1
    )
    types = dict.fromkeys((NO_VALUES, *several, *(item.type for item in own)))
    return {type_: len(module.types) + n for n, type_ in enumerate(types)}


def _reference_kinds(module: Module, instructions: list[Instruction]) -> set[str]:
    """The kinds of references that may be in a local or on an operand stack of `module`."""
    types: set[ValType] = set()
    for sub_type in module.types:
        if isinstance(sub_type.composite, FuncType):
            types.update(sub_type.composite.params)
            types.update(sub_type.composite.results)
    for code in module.codes:
        types.update(value_type for _, value_type in code.locals)
    for instruction in instructions:
        static = instruction.opcode.results
        types.update(_pushed_types(instruction, module) if static is None else static)
    return {reference_kind(value_type, module) for value_type in types if value_type.is_ref}


def _pushed_types(instruction: Instruction, module: Module) -> tuple[ValType, ...]:
    """Types that `instruction` may put on the operand stack and that its operands did not have already."""
    match instruction.opcode.name:
        case "any.convert_extern":
            return (ANYREF,)
        case "extern.convert_any":
            return (EXTERNREF,)
        case "block" | "loop" | "if":
            return block_signature(instruction.immediates[0], module).results
        case "try_table":
            return (EXNREF, *block_signature(instruction.immediates[0], module).results)
        case name if name in DEPENDS_ON_OPERANDS or name in CONTROL or "call" in name:
            return ()  # calls: the function types say
        case _:
            return effect_of(instruction, module).pushes
