"""DWARF expressions (DWARF 5, 2.5 and 2.6) worked out with the values of a frame.

`DW_OP_WASM_location` (https://yurydelendik.github.io/webassembly-dwarf/) pushes the value of a local, a global or an
operand. LLVM writes `DW_OP_stack_value` behind it where that value is the variable's; without it, the value is the
variable's address (`DwarfExpression::addWasmLocation`).

An operand of the stack machine keeps how many bytes it has, which DWARF's untyped ones do not: a local of 64 bits is
pushed whole, as LLDB does, though addresses have 32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from elftools.dwarf.dwarf_expr import DWARFExprOp

from wasmscope.analysis.unavailable import Unavailable
from wasmscope.source.dwarf.arithmetic import BINARY, UNARY, CannotCompute, Operand, convert, reinterpret_bytes
from wasmscope.source.locations import (
    FrameValues,
    ImplicitPointer,
    InMemory,
    InWasm,
    Known,
    Located,
    Locator,
    Piece,
    Pieces,
    WasmSpace,
)
from wasmscope.source.types import BaseType

MAX_STEPS = 10_000
MAX_STACK = 256
MAX_PIECES = 1_000
MAX_PIECE_BITS = 1 << 23
"""One megabyte: what is scattered has some machine words."""

OPTIMISED_OUT = Unavailable("optimised out here")

_WASM_SPACES = {0: WasmSpace.LOCAL, 1: WasmSpace.GLOBAL, 2: WasmSpace.OPERAND, 3: WasmSpace.GLOBAL}


class ExpressionContext(Protocol):
    """What an expression may refer to besides the frame."""

    def frame_base(self, values: FrameValues) -> int | Unavailable:
        """The address that `DW_OP_fbreg` counts from."""
        ...

    def indexed_address(self, index: int) -> int:
        """An entry of .debug_addr. Raises `MalformedDwarf`."""
        ...

    def base_type(self, offset: int) -> BaseType | None:
        """The base type at an offset in the unit; None: there is none."""
        ...

    def variable(self, offset: int) -> Locator:
        """What finds the variable whose entry is at an offset of .debug_info."""
        ...


class _Stop(Exception):
    """The expression has no value, for `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def evaluate(
    operations: list[DWARFExprOp], length: int, values: FrameValues, context: ExpressionContext, address_size: int
) -> Located:
    """Where the variable is that `operations` describe, an expression of `length` bytes.

    Raises `MalformedDwarf` through `context`.
    """
    if not operations:
        return OPTIMISED_OUT
    machine = _Machine(operations, length, values, context, address_size)
    try:
        return machine.run()
    except _Stop as stop:
        return Unavailable(stop.reason)
    except CannotCompute as error:
        return Unavailable(f"its location: {error}")


@dataclass(frozen=True, slots=True)
class _Wasm:
    """What was pushed by `DW_OP_WASM_location`, as long as nothing was done with it."""

    space: WasmSpace
    index: int


class _Machine:
    """The stack machine of DWARF 5, 2.5.1."""

    def __init__(
        self,
        operations: list[DWARFExprOp],
        length: int,
        values: FrameValues,
        context: ExpressionContext,
        address_size: int,
    ) -> None:
        self._operations = operations
        self._at_offset = {operation.offset: index for index, operation in enumerate(operations)}
        self._at_offset[length] = len(operations)
        self._values = values
        self._context = context
        self._address_size = address_size
        self._stack: list[Operand | _Wasm] = []
        self._pieces: list[Piece] = []
        self._location: Located | None = None
        """Set by the operations that end a location description."""

    def run(self) -> Located:
        index = 0
        for _ in range(MAX_STEPS):
            if index >= len(self._operations):
                return self._result()
            operation = self._operations[index]
            index += 1
            name = operation.op_name
            if name == "DW_OP_skip" or (name == "DW_OP_bra" and self._pop().unsigned != 0):
                index = self._target(operation)
            elif name != "DW_OP_bra":
                self._step(name.removeprefix("DW_OP_").removeprefix("GNU_"), operation.args)
        raise _Stop("its location takes too many steps to work out")

    def _target(self, operation: DWARFExprOp) -> int:
        """The index of the operation that a branch goes to; that behind the last ends the expression."""
        found = self._at_offset.get(operation.offset + 3 + operation.args[0])
        if found is None:
            raise _Stop("its location branches to where no operation is")
        return found

    def _result(self) -> Located:
        if self._pieces:
            if self._location is not None or self._stack:
                raise _Stop("its location has something behind its last piece")
            return Pieces(tuple(self._pieces))
        return self._take_location()

    def _take_location(self) -> InMemory | InWasm | Known | ImplicitPointer | Unavailable:
        """The simple location description that was just finished; nothing at all is a part that was optimised out."""
        location, self._location = self._location, None
        if location is not None:
            assert not isinstance(location, Pieces)
            return location
        if not self._stack:
            return OPTIMISED_OUT
        address = self._pop().to_int(self._address_size)
        if address >= (1 << 8 * self._address_size) - 2:
            return Unavailable("the linker dropped it")  # what it puts in place of an address
        return InMemory(address)

    def _step(self, name: str, arguments: list[int]) -> None:
        if self._location is not None and name not in ("piece", "bit_piece", "nop"):
            raise _Stop("its location goes on behind its end")
        if len(self._stack) > MAX_STACK:
            raise _Stop("its location needs too large a stack")
        if name in BINARY:
            second = self._pop()
            self._stack.append(BINARY[name](self._pop(), second))
        elif name in UNARY:
            self._stack.append(UNARY[name](self._pop()))
        elif name.startswith("lit"):
            self._push(int(name[3:]))
        elif name.startswith("const") and name != "const_type":
            self._push(arguments[0])
        elif handler := _HANDLERS.get(name):
            handler(self, arguments)
        elif name.startswith(("reg", "breg", "call_frame")):
            raise _Stop("its location is in a register, which WebAssembly has not")
        else:
            raise _Stop(f"its location needs {name}, which is not supported")

    def _push(self, value: int) -> None:
        size = self._address_size if -(1 << 31) <= value < 1 << 32 else 8
        self._stack.append(Operand(value, size))

    def _pop(self, depth: int = 1) -> Operand:
        """Takes the top operand."""
        operand = self._peek(depth)
        del self._stack[-depth]
        return operand

    def _peek(self, depth: int) -> Operand:
        if depth > len(self._stack):
            raise _Stop("its location takes more from the stack than there is")
        operand = self._stack[-depth]
        if not isinstance(operand, _Wasm):
            return operand
        number = self._values.number(operand.space, operand.index)
        if isinstance(number, Unavailable):
            raise _Stop(number.reason)
        found = Operand(number.bits, number.size, is_float=number.is_float)
        self._stack[-depth] = found
        return found

    def _addr(self, arguments: list[int]) -> None:
        self._stack.append(Operand(arguments[0], self._address_size))

    def _addrx(self, arguments: list[int]) -> None:
        self._stack.append(Operand(self._context.indexed_address(arguments[0]), self._address_size))

    def _wasm_location(self, arguments: list[int]) -> None:
        self._stack.append(_Wasm(_WASM_SPACES[arguments[0]], arguments[1]))

    def _fbreg(self, arguments: list[int]) -> None:
        base = self._context.frame_base(self._values)
        if isinstance(base, Unavailable):
            raise _Stop(base.reason)
        self._stack.append(Operand(base + arguments[0], self._address_size))

    def _plus_uconst(self, arguments: list[int]) -> None:
        operand = self._pop()
        self._stack.append(BINARY["plus"](operand, replace(operand, value=arguments[0])))

    def _deref(self, arguments: list[int]) -> None:
        self._stack.append(Operand(self._load(self._address_size), self._address_size))

    def _deref_size(self, arguments: list[int]) -> None:
        size = arguments[0]
        if not 1 <= size <= 8:
            raise _Stop(f"its location reads {size} bytes as one number")
        self._stack.append(Operand(self._load(size), max(size, self._address_size)))

    def _deref_type(self, arguments: list[int]) -> None:
        size, base_type = arguments
        found = self._base_type(base_type)
        if size != found.size or size > 16:
            raise _Stop("its location reads a number of another size than its type has")
        self._stack.append(reinterpret_bytes(self._load(size).to_bytes(size, "little"), found))

    def _load(self, size: int) -> int:
        content = self._values.read(self._pop().to_int(self._address_size), size)
        if isinstance(content, Unavailable):
            raise _Stop(content.reason)
        return int.from_bytes(content, "little")

    def _const_type(self, arguments: list[int]) -> None:
        base_type, content = arguments
        assert isinstance(content, list)
        self._stack.append(reinterpret_bytes(bytes(content), self._base_type(base_type)))

    def _convert(self, arguments: list[int]) -> None:
        target = self._base_type(arguments[0]) if arguments[0] else None
        self._stack.append(convert(self._pop(), target, self._address_size))

    def _base_type(self, offset: int) -> BaseType:
        found = self._context.base_type(offset)
        if found is None:
            raise _Stop("its location needs a type that there is not")
        return found

    def _pick(self, arguments: list[int]) -> None:
        self._stack.append(self._peek(arguments[0] + 1))

    def _dup(self, arguments: list[int]) -> None:
        self._stack.append(self._peek(1))

    def _over(self, arguments: list[int]) -> None:
        self._stack.append(self._peek(2))

    def _drop(self, arguments: list[int]) -> None:
        self._pop()

    def _swap(self, arguments: list[int]) -> None:
        self._stack.append(self._pop(2))

    def _rot(self, arguments: list[int]) -> None:
        first = self._pop()
        self._peek(2)
        self._stack.insert(-2, first)

    def _entry_value(self, arguments: list[int]) -> None:
        (nested,) = arguments
        assert isinstance(nested, list)
        match nested:
            case [DWARFExprOp(op_name="DW_OP_WASM_location", args=[0, int(index)])]:
                number = self._values.parameter_at_entry(index)
            case _:
                raise _Stop("its location is what something else than a parameter was when the function was entered")
        if isinstance(number, Unavailable):
            raise _Stop(number.reason)
        self._stack.append(Operand(number.bits, number.size, is_float=number.is_float))

    def _stack_value(self, arguments: list[int]) -> None:
        if self._stack and isinstance(top := self._stack[-1], _Wasm):
            self._stack.pop()
            self._location = InWasm(top.space, top.index)
        else:
            self._location = Known(self._pop().to_bytes())

    def _implicit_value(self, arguments: list[int]) -> None:
        (content,) = arguments
        assert isinstance(content, list)
        self._location = Known(bytes(content))

    def _implicit_pointer(self, arguments: list[int]) -> None:
        self._location = ImplicitPointer(self._context.variable(arguments[0]), arguments[1])

    def _piece(self, arguments: list[int]) -> None:
        self._add_piece(arguments[0] * 8, 0)

    def _bit_piece(self, arguments: list[int]) -> None:
        self._add_piece(arguments[0], arguments[1])

    def _add_piece(self, size: int, offset: int) -> None:
        if len(self._pieces) >= MAX_PIECES or size > MAX_PIECE_BITS or offset > MAX_PIECE_BITS:
            raise _Stop("it is scattered over too much")
        self._pieces.append(Piece(self._take_location(), size, offset))

    def _nop(self, arguments: list[int]) -> None:
        """Does nothing."""

    def _object_address(self, arguments: list[int]) -> None:
        raise _Stop("its location depends on the object it is in")

    def _thread_local(self, arguments: list[int]) -> None:
        raise _Stop("it is thread-local, and where threads keep theirs is not recorded")


_HANDLERS: dict[str, Callable[[_Machine, list[int]], None]] = {
    "addr": _Machine._addr,
    "addrx": _Machine._addrx,
    "addr_index": _Machine._addrx,
    "WASM_location": _Machine._wasm_location,
    "fbreg": _Machine._fbreg,
    "plus_uconst": _Machine._plus_uconst,
    "deref": _Machine._deref,
    "deref_size": _Machine._deref_size,
    "deref_type": _Machine._deref_type,
    "const_type": _Machine._const_type,
    "convert": _Machine._convert,
    "pick": _Machine._pick,
    "dup": _Machine._dup,
    "over": _Machine._over,
    "drop": _Machine._drop,
    "swap": _Machine._swap,
    "rot": _Machine._rot,
    "entry_value": _Machine._entry_value,
    "stack_value": _Machine._stack_value,
    "implicit_value": _Machine._implicit_value,
    "implicit_pointer": _Machine._implicit_pointer,
    "piece": _Machine._piece,
    "bit_piece": _Machine._bit_piece,
    "nop": _Machine._nop,
    "push_object_address": _Machine._object_address,
    "form_tls_address": _Machine._thread_local,
    "push_tls_address": _Machine._thread_local,
}
