"""Traps with the original module's offsets, indices and names in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import wasmtime

from wasmscope.instrument.frame_table import FrameTable
from wasmscope.instrument.plan import Appended

_FRAME_LINE = re.compile(r"^(\s*\d+:\s+)(?:(0x[0-9a-f]+)( - ))?(.*)$", re.MULTILINE)
"""Number, offset (missing where the engine knows none), module and function."""
_OVERFLOW_CAUSE = "Caused by:\n    wasm trap: call stack exhausted\n"
_BACKTRACE = "error while executing at wasm backtrace:"
_NOWHERE = 2**64 - 1
"""The offset of a frame that is at no instruction (`wasm_frame_module_offset`)."""
_UNNAMED = re.compile(r"<wasm function \d+>$")


class Frame(wasmtime.Frame):
    """wasmtime's `Frame`, of the original module."""

    _table: FrameTable
    _function: int
    _offset: int
    _is_engines: bool
    """The engine has the same frame, of the rewritten function."""

    @classmethod
    def of(cls, frame: wasmtime.Frame, tables: Mapping[str, FrameTable], entering: int = 0) -> wasmtime.Frame:
        """`frame` as it is in the original module; itself where its module was not rewritten, or in a mirror's helper.

        The frame of a function that leads to others is that of the defined function `entering`, before it begins.
        """
        table = tables.get(frame.module_name or "")
        appended = table.appended(frame.func_index) if table is not None else None
        if table is None or appended is Appended.OWN_INSTRUCTION:
            return frame
        function = table.defined_function(frame.func_index, entering)
        if appended is not None:
            return cls.at(table, function, table.module.codes[function].code_start)
        known = table.function_at_rewritten(frame.module_offset) is not None  # else the engine does not say where
        pc = table.original_offset(function, frame.module_offset) if known else None
        if table.origin is not None:
            return cls.at(table.origin.table, table.origin.function, None if pc is None else table.origin.pc(pc))
        original = cls.at(table, function, pc)
        original._set_ptr(frame.ptr())
        original._owner = frame
        original._is_engines = True
        return original

    @classmethod
    def at(cls, table: FrameTable, function: int, pc: int | None) -> Frame:
        """The frame of a defined function at `pc`; None: before it began, where the engine has no offset."""
        original = cls.__new__(cls)
        original._table = table
        original._function = function
        original._offset = _NOWHERE if pc is None else pc
        original._is_engines = False
        return original

    @property
    def func_name(self) -> str | None:
        """Name of the function, if it has one."""
        return super().func_name if self._is_engines else self._table.names.functions.get(self.func_index)

    @property
    def func_index(self) -> int:
        """Index of the function in its module."""
        return self._table.module.num_imported_functions + self._function

    @property
    def module_name(self) -> str | None:
        """Name of the module, if it has one."""
        return self._table.module_name

    @property
    def module_offset(self) -> int:
        """Offset of the instruction in the original module."""
        return self._offset

    @property
    def func_offset(self) -> int:
        """Offset of the instruction in the function's body."""
        known = self._offset != _NOWHERE
        return self._offset - self._table.module.codes[self._function].body_start if known else _NOWHERE


class Trap(wasmtime.Trap):
    """wasmtime's `Trap`, with the frames of the original modules."""

    _tables: Mapping[str, FrameTable]
    _overflow = False
    _entering = 0
    _shown: Sequence[wasmtime.Frame] | None = None

    @classmethod
    def of(
        cls,
        trap: wasmtime.Trap,
        tables: Mapping[str, FrameTable],
        *,
        overflow: bool = False,
        entering: int = 0,
        shown: Sequence[wasmtime.Frame] | None = None,
    ) -> Trap:
        """Take over what the engine reports of modules rewritten by `tables`.

        `overflow`: the memory that was accessed out of bounds is that of the shadow frames. `entering`: the defined
        function that was entered last through another one. `shown`: the guest's frames, where they are not those of the
        engine.
        """
        original = cls.__new__(cls)
        original._set_ptr(trap._consume())
        original._tables = dict(tables)
        original._overflow = overflow
        original._entering = entering
        original._shown = shown
        return original

    @property
    def engine_frames(self) -> list[wasmtime.Frame]:
        """The engine's backtrace: of rewritten modules, and of what runs their functions in the mirror tier."""
        return super().frames

    @property
    def frames(self) -> list[wasmtime.Frame]:
        """As wasmtime's: the innermost frames, at most 20."""
        if self._shown is not None:
            return list(self._shown)
        tables = getattr(self, "_tables", {})
        return [Frame.of(frame, tables, self._entering) for frame in super().frames]

    @property
    def trap_code(self) -> wasmtime.TrapCode | None:
        """As wasmtime's."""
        return wasmtime.TrapCode.STACK_OVERFLOW if self._overflow else super().trap_code

    @property
    def message(self) -> str:
        """As wasmtime's, with the backtrace in it."""
        message = super().message
        if not hasattr(self, "_tables"):
            return message
        if self._shown is None:
            message = with_original_frames(message, self.frames)
        else:
            message = with_frames(message, self._shown).removesuffix("\n") + "\n"  # as the engine ends those of traps
        return message.partition("Caused by:")[0] + _OVERFLOW_CAUSE if self._overflow else message


def with_frames(message: str, frames: Sequence[wasmtime.Frame]) -> str:
    """The engine's text for an error with other frames for its backtrace (Wasmtime `runtime/trap.rs`, `WasmBacktrace`).

    Names of functions are those in the module, where the engine demangles them.
    """
    lines = "\n".join(f"  {number:>3}: {_describe(frame)}" for number, frame in enumerate(frames))
    backtrace, cause, causes = message.partition("\nCaused by:")
    if not cause:
        return f"{_BACKTRACE}\n{lines}\n\nCaused by:\n    {message}"
    found = list(_FRAME_LINE.finditer(backtrace))
    if not found:
        return message
    return backtrace[: found[0].start()] + lines + backtrace[found[-1].end() :] + cause + causes


def _describe(frame: wasmtime.Frame) -> str:
    offset = "" if frame.module_offset == _NOWHERE else f"{frame.module_offset:#x}".rjust(8) + " - "
    return f"{offset}{frame.module_name or '<unknown>'}!{frame.func_name or f'<wasm function {frame.func_index}>'}"


def with_original_frames(message: str, frames: Sequence[wasmtime.Frame]) -> str:
    """The engine's text for an error, its backtrace lines rewritten for `frames`."""
    backtrace, cause, causes = message.partition("\nCaused by:")
    return _FRAME_LINE.sub(_line_of(iter(frames)), backtrace) + cause + causes


def _line_of(frames: Iterator[wasmtime.Frame]) -> Callable[[re.Match[str]], str]:
    def line(match: re.Match[str]) -> str:
        frame = next(frames, None)
        if frame is None:
            return match[0]
        function = match[4].partition("!")[2]
        unnamed = f"<wasm function {frame.func_index}>"
        function = _UNNAMED.sub(frame.func_name or unnamed, function)
        name = f"{frame.module_name or '<unknown>'}!{function}"
        if match[2] is None:
            return f"{match[1]}{name}"
        # The offsets are set flush right by the engine, in columns wide enough for the largest.
        offset = f"{frame.module_offset:#x}".rjust(len(match[1]) + len(match[2]))
        return f"{match[1]}{offset[len(match[1]) :]}{match[3]}{name}"

    return line
