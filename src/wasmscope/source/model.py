"""What every kind of debug information (DWARF, source maps, the WAT view) can say of a module's code.

All pcs are byte offsets in the original module. Lines count from 1; line 0 is code that belongs to no line. Columns
count from 1; column 0 means that none was recorded. What is not known is empty or None, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wasmscope.source.locations import Locator
from wasmscope.source.types import Type, TypeRef


class Language(StrEnum):
    """The language a unit was written in (DWARF 5, 7.12), as far as it matters for reading its values."""

    C = "C"
    CPP = "C++"
    OBJECTIVE_C = "Objective-C"
    RUST = "Rust"
    ZIG = "Zig"
    GO = "Go"
    SWIFT = "Swift"
    D = "D"
    FORTRAN = "Fortran"
    ASSEMBLYSCRIPT = "AssemblyScript"
    ASSEMBLER = "assembler"
    WAT = "WAT"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PcRange:
    """The pcs from `start` up to, not including, `end`."""

    start: int
    end: int

    def __contains__(self, pc: int) -> bool:
        return self.start <= pc < self.end


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file. `name` and `directory` are as recorded, `path` is what they come to after remapping.

    `path` may be relative, in the form of another operating system, and of a file that is not there.
    `md5` is the checksum that DWARF 5 records, as 32 hexadecimal digits; `text` the file itself where it is embedded.
    """

    name: str
    directory: str
    path: str
    md5: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a source file."""

    file: SourceFile
    line: int
    column: int = 0


@dataclass(frozen=True, slots=True)
class LineRow:
    """The code from `pc` up to `end` comes from `location` (DWARF 5, 6.2.2).

    `is_stmt`: a recommended place for a breakpoint. `prologue_end`: where one on the function's entry belongs.
    """

    pc: int
    end: int
    location: SourceLocation
    is_stmt: bool = True
    prologue_end: bool = False
    epilogue_begin: bool = False
    discriminator: int = 0


@dataclass(frozen=True, slots=True)
class SourceFunction:
    """A function of the source; `ranges` is where its code is, of one copy of it.

    `name` is as written, `qualified_name` with its namespaces and classes, `linkage_name` the mangled one. An inlined
    copy has its own ranges. `key` is the same for all copies of one function and for nothing else of its `DebugInfo`.
    """

    name: str
    qualified_name: str
    linkage_name: str
    declaration: SourceLocation | None
    ranges: tuple[PcRange, ...]
    is_inlined: bool
    language: Language
    key: int

    @property
    def entry(self) -> int | None:
        """The lowest pc; None: all its code was dropped."""
        return min((each.start for each in self.ranges), default=None)


@dataclass(frozen=True, slots=True)
class Place:
    """A pc where a breakpoint on a line or a function goes. `function` is the innermost one, inlined copies too."""

    pc: int
    location: SourceLocation
    function: SourceFunction | None


@dataclass(frozen=True, slots=True)
class Places:
    """The answer to "where is this line": no `places` if nothing at or after it has code.

    `line` is the line found. Where the one asked for has no code, it is the next one that has.
    """

    requested_line: int
    line: int
    places: tuple[Place, ...]

    @property
    def is_moved(self) -> bool:
        """Whether the line asked for had no code."""
        return bool(self.places) and self.line != self.requested_line


class VariableKind(StrEnum):
    """What a variable is."""

    PARAMETER = "parameter"
    LOCAL = "local"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable. `locator` finds it; `type` is None where none is recorded.

    `is_artificial`: made by the compiler, such as C++'s `this`. `qualified_name` has the namespaces and classes.
    """

    name: str
    qualified_name: str
    linkage_name: str
    type: TypeRef | None
    kind: VariableKind
    is_artificial: bool
    declaration: SourceLocation | None
    locator: Locator
    language: Language


class ScopeKind(StrEnum):
    """What opens a lexical scope."""

    FUNCTION = "function"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Scope:
    """A lexical scope with its own variables, in the order of their declarations."""

    kind: ScopeKind
    ranges: tuple[PcRange, ...]
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """One call as the source has it. Of inlined calls, several are one frame of the machine.

    `location` is where this frame is: of the innermost the place of the pc, of the others that of the inlined call in
    them. `depth` counts from 0, the innermost; it is what `DebugInfo.scopes_at` takes.
    """

    depth: int
    function: SourceFunction
    location: SourceLocation | None


class DebugInfo(Protocol):
    """What is known of a module's source. Methods raise nothing: what is unknown or malformed gives less.

    What had to be left out, and why, is among `problems`; more is found out the more is asked.
    """

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the debug information, each a sentence: malformed, stale, without addresses, missing."""
        ...

    def files(self) -> tuple[SourceFile, ...]:
        """Every source file that has code or may have, each path once."""
        ...

    def location_at(self, pc: int) -> SourceLocation | None:
        """The place in the source of the instruction at `pc`; None: none, or line 0."""
        ...

    def row_at(self, pc: int) -> LineRow | None:
        """The row of the line table that covers `pc`."""
        ...

    def places(self, path: str, line: int) -> Places:
        """Where to stop for `line` of the file at `path`: one place for each function and each inlined copy.

        `path` is a whole path or its last parts (`main.c`, `src/main.c`). A line without code moves to the next one
        of the file that has some. The place for a line that opens a function is behind its prologue.
        """
        ...

    def entry_place(self, function: SourceFunction) -> Place | None:
        """Where to stop when `function` is called: behind its prologue, when its parameters are in place."""
        ...

    def functions_named(self, name: str) -> tuple[SourceFunction, ...]:
        """Functions by name, qualified name (or its last parts) or linkage name; inlined copies too, each once."""
        ...

    def function_at(self, pc: int) -> SourceFunction | None:
        """The function whose code `pc` is in, never an inlined one."""
        ...

    def frames_at(self, pc: int) -> tuple[SourceFrame, ...]:
        """The calls that are at `pc`: inlined ones innermost first, then the function itself. Empty: unknown."""
        ...

    def scopes_at(self, pc: int, depth: int = 0) -> tuple[Scope, ...]:
        """The lexical scopes around `pc` in the frame of that depth, innermost first."""
        ...

    def variables_at(self, pc: int, depth: int = 0) -> tuple[Variable, ...]:
        """What these scopes declare, innermost scope first: of equal names the first is the one that is meant."""
        ...

    def statics(self) -> tuple[Variable, ...]:
        """Every variable with static storage that is not of one function. Reads all debug information."""
        ...

    def statics_named(self, name: str) -> tuple[Variable, ...]:
        """Those of them with that name, qualified name (or its last parts) or linkage name."""
        ...

    def types_named(self, name: str) -> tuple[Type, ...]:
        """Types by name, as in a cast: `unsigned int`, `struct node` or `node`, `std::string`; definitions first."""
        ...

    def ranges_of_line(self, pc: int) -> tuple[PcRange, ...]:
        """The code around `pc` that a step over its line goes through: adjoining rows of that line; empty: unknown."""
        ...
