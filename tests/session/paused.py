"""Programs of tests/source/programs paused at a line, with what expressions need of them."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from contextlib import contextmanager

import wasmscope as wasmtime
from source.programs import FOLDER, line_of
from wasmscope import Debuggee
from wasmscope.analysis.unavailable import Unavailable
from wasmscope.session.names import PlaceNames
from wasmscope.session.target import GuestMachine, stack_pointer_of
from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.dwarf.sections import read_sections
from wasmscope.source.expressions import KeptValues, check, evaluate
from wasmscope.source.formatting import FormatOptions, format_value
from wasmscope.source.values import TypedValue, scalar
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.names import decode_names


class Paused:
    """A program that stands at a breakpoint."""

    def __init__(self, store: wasmtime.Store, debuggee: Debuggee, info: DwarfInfo | None, depth: int = 0) -> None:
        self.store = store
        self.debuggee = debuggee
        self.info = info
        self.kept = KeptValues()
        self.frame = debuggee.frames()[depth]
        module = self.frame.raw.table.module
        section = decode_names(module)
        self.machine = GuestMachine(
            store,
            self.frame,
            lambda index: section.functions.get(index, f"function {index}"),
            stack_pointer_of(module, section),
        )
        stack = [self.frame.stack_type(index) for index in range(self.frame.num_stacks())]
        self.names = PlaceNames(module, section, info, self.machine.pc, 0, stack)

    def value(self, text: str) -> TypedValue:
        return evaluate(check(text, self.names, self.kept), self.machine, self.kept)

    def number(self, text: str) -> object:
        return scalar(self.value(text))

    def reason(self, text: str) -> str:
        number = self.number(text)
        assert isinstance(number, Unavailable), number
        return number.reason

    def shown(self, text: str, letter: str | None = None) -> str:
        return format_value(self.value(text), FormatOptions(self.names.language, letter))


@contextmanager
def paused_at(name: str, source: str, text: str, argument: int = 4) -> Iterator[Paused]:
    """`run(argument)`, stopped at the line of `source` that has `text` in it."""
    path = FOLDER / name
    bytecode = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    info = DwarfInfo(read_sections(decode_module(bytecode)))
    places = info.places(source, line_of(source, text)).places
    assert places
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(wasmtime.WasiConfig())
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    linker.define_func("env", "emit", wasmtime.FuncType([wasmtime.ValType.i32()], []), lambda value: None)
    module = wasmtime.Module(engine, bytecode)
    exports = linker.instantiate(store, module).exports(store)
    if (initialize := exports.get("_initialize")) is not None:
        initialize(store)
    with Debuggee(store) as debuggee:
        with store.edit_breakpoints() as edit:
            for place in places:
                edit.add_breakpoint(module, place.pc)
        debuggee.launch(exports["run"], argument)
        debuggee.resume()
        yield Paused(store, debuggee, info)
