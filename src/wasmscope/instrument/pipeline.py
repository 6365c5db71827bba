"""From the bytes of a module to the bytes of one that publishes its state: the order of the steps."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wasmscope.analysis.signatures import composite_func
from wasmscope.analysis.tokenizer import tokenize_bodies
from wasmscope.instrument.frame_table import FrameTable, FunctionEntry
from wasmscope.instrument.function import FunctionRewriter
from wasmscope.instrument.layout import ENTRY, IMPORT_MODULE
from wasmscope.instrument.mark import Mark
from wasmscope.instrument.operations import encode_memarg, operations_of
from wasmscope.instrument.own_instructions import own_body
from wasmscope.instrument.plan import Plan, appended_imports, make_plan
from wasmscope.instrument.private_entities import entry_body, entry_name
from wasmscope.instrument.redirect import redirect_body
from wasmscope.instrument.visitors import visitor_of
from wasmscope.instrument.watch_tests import WatchTests
from wasmscope.wasm import writer
from wasmscope.wasm.decode.module import HEADER, decode_module
from wasmscope.wasm.encode.custom import encode_custom
from wasmscope.wasm.encode.names import encode_names
from wasmscope.wasm.module import Code, ExternKind, ImportDesc, Section
from wasmscope.wasm.names import NAME_SECTION, NameSection, decode_names
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.reencode import Reencoder, reencode
from wasmscope.wasm.sections import SectionId
from wasmscope.wasm.types import I32, GlobalType, SubType

Progress = Callable[[int, int], None]
"""Called now and then with the number of functions rewritten and of all functions."""

_PROGRESS_EVERY = 256

_BRANCH_HINTS = "metadata.code.branch_hint"
_HINT = {False: b"\x01\x00", True: b"\x01\x01"}
"""Whether a branch is likely to be taken -> the hint's value, with its length (branch hinting proposal)."""

_OFFSETS_INSIDE = (".debug_", "reloc.", "metadata.code.", "sourceMappingURL", "external_debug_info", "linking")
"""Custom sections, by the beginnings of their names, that speak of offsets in the code: untrue of the rewritten one."""


@dataclass(frozen=True, slots=True)
class Variation:
    """What is different in the rewrite of code that runs in place of a guest's: its functions have no words."""

    quiet_loops: frozenset[int]
    """The pcs of the loops at whose headers it does not attend."""
    tests: WatchTests | None
    """Which accesses are tested for whether they are watched."""
    calls: Mapping[int, bytes]
    """By the pcs of some calls, what they become: they take and leave the same."""


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A rewritten module."""

    bytecode: bytes
    frame_table: FrameTable


def instrument(
    bytecode: bytes,
    progress: Progress | None = None,
    *,
    counts_fuel: bool = False,
    variant: Variation | None = None,
) -> Instrumented:
    """Rewrite a module that the engine has found valid.

    With `counts_fuel` it counts the original's instructions as the engine would (`Config.consume_fuel`). `variant`: it
    is code of our own making, which runs in place of a guest's.
    Raises `DecodeError` or `UnsupportedFeature` for what is no module that can be rewritten.
    """
    with _no_collection():
        return _instrument(bytecode, progress, counts_fuel, variant)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic garbage collector: a rewrite makes millions of objects, and no cycles of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _instrument(
    bytecode: bytes, progress: Progress | None, counts_fuel: bool, variant: Variation | None
) -> Instrumented:
    module = decode_module(bytecode)
    # What the module uses, which functions can be entered from outside, where indices move.
    bodies = tokenize_bodies(module)
    if variant is None:
        plan = make_plan(module, bodies, counts_fuel=counts_fuel)
    else:
        mark = Mark.of(bytecode).without_words()
        loops, tests, calls = variant.quiet_loops, variant.tests, variant.calls
        plan = make_plan(module, bodies, quiet_loops=loops, watch_tests=tests, calls=calls, mark=mark)
    # The functions, one by one, and what is appended around them.
    rewrite = _Rewrite(plan, bodies, progress)
    rewritten = rewrite.with_branch_hints(reencode(rewrite))
    # Where the functions came to lie.
    functions = rewrite.entries(rewritten)
    return Instrumented(rewritten, FrameTable(bytecode, functions, plan, counts_fuel=counts_fuel))


class _Rewrite(Reencoder):
    """The identity but for bodies, appended imports, types and exports, the start function, and the module's name."""

    def __init__(self, plan: Plan, bodies: Sequence[Sequence[bytes]], progress: Progress | None) -> None:
        self._plan = plan
        self._bodies = bodies
        self._progress = progress
        self._operations = operations_of(plan, visitor_of)
        self._frames: list[tuple[int, int, bool, int]] = []
        self._hints: list[tuple[int, list[tuple[int, bool]]]] = []
        super().__init__(plan.module)

    def new_types(self) -> Sequence[Sequence[SubType]]:
        """Function types, each alone."""
        return [[SubType(type_, final=True, supertypes=())] for type_ in self._plan.types]

    def new_imports(self) -> Sequence[tuple[str, str, ImportDesc]]:
        """The shadow state."""
        imports = appended_imports(self._plan.module, tuple(self._plan.reference_tables))
        return [(IMPORT_MODULE, name, desc) for name, desc in imports]

    def new_globals(self) -> Sequence[tuple[GlobalType, bytes]]:
        """The limits below which memory accesses are in bounds: nothing is, until the first access has looked."""
        return [(GlobalType(I32, mutable=True), b"\x41\x00\x0b")] * len(self._plan.limit_globals)

    def new_exports(self) -> Sequence[tuple[str, ExternKind, int]]:
        """What the guest keeps to itself, so that the host can look into it, and the functions for the host."""
        plan, private = self._plan, self._plan.private
        own = plan.first_appended + len(private.entry_functions) + len(plan.redirected_types)
        return [
            *((name, kind, self.relocation.index(kind, index)) for name, kind, index in private.exports()),
            *(
                (entry_name(private.prefix, position), ExternKind.FUNC, plan.first_appended + position)
                for position in range(len(private.entry_functions))
            ),
            *((item.export, ExternKind.FUNC, own + position) for position, item in enumerate(plan.own_instructions)),
        ]

    def new_functions(self) -> Sequence[tuple[int, bytes]]:
        """Those of each kind of `Appended`, in its order."""
        plan = self._plan
        number = b"\x41\x00\x28" + encode_memarg(0, plan.shadow_memory, ENTRY)
        return [
            *(
                (
                    type_index,
                    entry_body(len(composite_func(self.module, type_index).params), self._moved(functions), number),
                )
                for type_index, functions in plan.private.entry_functions
            ),
            *((type_index, redirect_body(plan, type_index)) for type_index in plan.redirected_types),
            *(
                (
                    plan.types[item.type],
                    own_body(len(item.type.params), plan.relocation.instruction(item.instruction, item.token)),
                )
                for item in plan.own_instructions
            ),
        ]

    def _moved(self, functions: Sequence[int]) -> list[int]:
        return [self.relocation.index(ExternKind.FUNC, function) for function in functions]

    def start(self, function: int) -> int | None:
        """Called from outside once the instance is there, so that it can be looked into meanwhile."""
        return None

    def body(self, index: int, code: Code) -> bytes | None:
        """A rewritten body."""
        rewriter = FunctionRewriter(self._plan, index, code)
        body = rewriter.rewrite(self._bodies[index - self.module.num_imported_functions], self._operations)
        self._hints.append((self.relocation.index(ExternKind.FUNC, index), rewriter.branch_hints()))
        frame = rewriter.frame
        self._frames.append((frame.size, frame.references, rewriter.pushes_frame, rewriter.accessed))
        if self._progress is not None and len(self._frames) % _PROGRESS_EVERY == 0:
            self._progress(len(self._frames), len(self.module.codes))
        return body

    def keeps_custom(self, section: Section) -> bool:
        """Kept, unless it would be untrue."""
        return not section.name.startswith(_OFFSETS_INSIDE)

    def keeps_labels(self, function: int) -> bool:
        """Blocks are added and left out."""
        return False

    def names(self, section: Section) -> bytes:
        """The module's name tells it apart from others in the engine's backtraces."""
        names = self.relocation.names(decode_names(self.module), self.keeps_labels)
        return encode_names(replace(names, module=self._plan.mark.name))

    def new_custom_sections(self) -> Sequence[tuple[str, bytes]]:
        """A name section where there was none."""
        if any(section.id == SectionId.CUSTOM and section.name == NAME_SECTION for section in self.module.sections):
            return ()
        return [(NAME_SECTION, encode_names(NameSection(module=self._plan.mark.name)))]

    def with_branch_hints(self, rewritten: bytes) -> bytes:
        """Tell the compiler which way the added tests mostly go (branch hinting proposal, "Custom section")."""
        payload = writer.vector(
            [
                writer.unsigned(function) + writer.vector([writer.unsigned(at) + _HINT[likely] for at, likely in hints])
                for function, hints in self._hints
            ]
        )
        code = section_start(rewritten, SectionId.CODE)
        return rewritten[:code] + encode_custom(_BRANCH_HINTS, payload) + rewritten[code:] if self._hints else rewritten

    def entries(self, rewritten: bytes) -> list[FunctionEntry]:
        """What the frame table keeps of each of the original's functions."""
        return [
            FunctionEntry(start, end, *frame)
            for (start, end), frame in zip(body_ranges(rewritten), self._frames, strict=False)
        ]


def section_start(bytecode: bytes, wanted: SectionId) -> int:
    """Where a section of a module that is known to be well formed begins; its end if it has none."""
    reader = Reader(bytecode, len(HEADER), len(bytecode))
    while not reader.at_end():
        start = reader.offset
        if reader.u8() == wanted:
            return start
        size = reader.u32()
        reader.offset += size
    return reader.offset


def body_ranges(bytecode: bytes) -> list[tuple[int, int]]:
    """Start and end of each function body of a module that is known to be well formed."""
    start = section_start(bytecode, SectionId.CODE)
    reader = Reader(bytecode, start, len(bytecode))
    if reader.at_end():
        return []
    reader.u8(), reader.u32()
    ranges = []
    for _ in range(reader.u32()):
        length = reader.u32()
        ranges.append((reader.offset, reader.offset + length))
        reader.offset += length
    return ranges
