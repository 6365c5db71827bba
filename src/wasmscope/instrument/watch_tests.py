"""Tests before accesses, in code of a module whose memories, tables or globals are watched.

A test is where the module has a `nop` for it, right before the access; `$host` and `$touched` are among its imports::

    nop                                         ;; i32.store offset=4 of $value at $address follows
    (if (i64.lt_u                               ;; unlikely
          (i64.sub (i64.add (i64.extend_i32_u (local.get $address)) (i64.const 7)) (i64.load $shadow CELL))
          (i64.load $shadow CELL + 24))
      (then ...publish...
        (call $touched (local.get $frame) ...the range... )))

The *cell* of all memories, or of all tables, that are watched for reads, or for writes, says where the first and the
last of what is watched are: so the test is for what lies between them. `$touched` searches the ranges, and calls the
host if the access is to one of them. For a global, and to bulk instructions' many addresses, no test comes before
the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasmscope.analysis.accesses import READ, WRITE, Access, Field, Space
from wasmscope.instrument.expressions import constant
from wasmscope.instrument.layout import WATCH_CELL_SIZE, WATCH_CELLS, WATCH_SPANS
from wasmscope.instrument.leb import signed, unsigned
from wasmscope.instrument.operations import encode_memarg

if TYPE_CHECKING:
    from wasmscope.instrument.function import FunctionRewriter

AT_ACCESS, BEHIND_IMPORT = 0, 1
"""What the host is told: that the frame is at an access, or behind the call of an imported function."""

_SPACES = (Space.MEMORY, Space.TABLE)
_EXTEND, _I64_LOAD, _I64_ADD, _I64_SUB, _I64_LT_U, _I32_OR = b"\xad", b"\x29", b"\x7c", b"\x7d", b"\x54", b"\x72"
_AT_0, _CALL, _DROP, _EQZ, _IF, _ELSE, _END = b"\x41\x00", b"\x10", b"\x1a", b"\x45", b"\x04", b"\x05", b"\x0b"
_I32 = b"\x7f"


@dataclass(frozen=True, slots=True)
class WatchTests:
    """Which accesses of a module are tested."""

    host: bytes
    """The function that is called with the address of the frame and why, as an immediate,"""
    touched: bytes
    """and the one that decides whether to: with the frame, the first address, how many, the number of the cell."""
    at: Mapping[int, tuple[Access, ...]]
    """By the pc of the `nop` for it: what the next instruction accesses of what is watched, how it is watched. Of an
    instruction that comes behind the call of an imported function: nothing."""


def cell_number(space: Space, mode: int) -> int:
    """The number of the cell for `READ` or `WRITE` accesses to memories or tables."""
    return 2 * _SPACES.index(space) + (mode == WRITE)


def cell_address(number: int) -> int:
    """Where a cell is in the shadow memory."""
    return WATCH_CELLS + WATCH_CELL_SIZE * number


def visit_nop(rewriter: FunctionRewriter, operation: object) -> None:
    """`nop`: nothing, or what stands for a test."""
    tests = rewriter.plan.watch_tests
    accesses = None if tests is None else tests.at.get(rewriter.pc)
    rewriter.out.append(b"\x01")
    if tests is not None and accesses is not None:
        _Test(rewriter, tests, accesses).emit()


class _Test:
    """One test."""

    def __init__(self, rewriter: FunctionRewriter, tests: WatchTests, accesses: tuple[Access, ...]) -> None:
        self._rewriter = rewriter
        self._tests = tests
        self._accesses = accesses

    def emit(self) -> None:
        rewriter = self._rewriter
        rewriter.forget_memory()  # the host may write to it
        if all(each.address is not None and isinstance(each.length, int) for each in self._accesses):
            if self._accesses:
                condition = b"".join(map(self._is_near, self._parts())) + _I32_OR * (len(self._parts()) - 1)
                rewriter.call_host_if(condition, self._touch())
                return
            rewriter.call_host(self._call_host(BEHIND_IMPORT))
        elif any(each.address is None for each in self._accesses):
            rewriter.call_host(self._call_host(AT_ACCESS))
        else:
            rewriter.call_host(self._touch())

    def _parts(self) -> list[tuple[Access, int]]:
        return [(access, mode) for access in self._accesses for mode in (READ, WRITE) if access.mode & mode]

    def _call_host(self, why: int) -> bytes:
        return self._frame() + b"\x41" + signed(why) + _CALL + self._tests.host

    def _frame(self) -> bytes:
        return b"\x20" + self._rewriter.frame.pointer

    # -- the test ------------------------------------------------------------------------------------------------

    def _is_near(self, part: tuple[Access, int]) -> bytes:
        """Whether an access has an address between the first and the last that are watched.

        That is where first - width < start < end; both sides are moved up by the width.
        """
        access, mode = part
        width, cell = access.length, cell_address(cell_number(access.space, mode))
        assert isinstance(width, int)
        span = cell + WATCH_SPANS[width]
        distance = self._start(access, width - 1) + self._load(cell) + _I64_SUB
        return distance + self._load(span) + _I64_LT_U

    def _load(self, address: int) -> bytes:
        return _AT_0 + _I64_LOAD + encode_memarg(0, self._rewriter.plan.shadow_memory, address)

    def _start(self, access: Access, further: int = 0) -> bytes:
        assert access.address is not None
        distance = access.offset + further
        code = self._field(access.address)
        return code + b"\x42" + signed(distance - (1 << 64) if distance >> 63 else distance) + _I64_ADD

    def _field(self, field: Field) -> bytes:
        rewriter = self._rewriter
        operand = rewriter.stack[field.depth]
        if isinstance(operand.expression, int):
            code = b"\x20" + unsigned(operand.expression)
        elif isinstance(operand.expression, bytes) and constant(operand.expression) is not None:
            code = operand.expression
        else:
            code = b"\x20" + unsigned(rewriter.copy(field.depth, operand.type))
        return code if field.is64 else code + _EXTEND

    # -- the search ----------------------------------------------------------------------------------------------

    def _touch(self) -> bytes:
        """Call the host once if any of the accesses is to what is watched."""
        first, *others = map(self._touches, self._parts())
        code = first
        for each in others:
            code += _EQZ + _IF + _I32 + each + _ELSE + b"\x41\x01" + _END
        return code + _DROP

    def _touches(self, part: tuple[Access, int]) -> bytes:
        access, mode = part
        length = b"\x42" + signed(access.length) if isinstance(access.length, int) else self._field(access.length)
        number = b"\x41" + signed(cell_number(access.space, mode))
        return self._frame() + self._start(access) + length + number + _CALL + self._tests.touched
