"""Ruby 3.4: 11.7 MB of code, a reactor with a component-style interface over a core module."""

from __future__ import annotations

from typing import Any

from guests import wasi
from guests.wasi import Api, Outcome
from support.guests import guest

from . import PROGRAMS


def run(api: Api) -> Outcome:
    """Evaluate `programs/script.rb`; the exit code is Ruby's error state, 0 when nothing was raised."""
    engine = wasi.new_engine(api)
    module = api.Module.from_file(engine, str(guest("ruby")))
    with wasi.Guest(api, engine, module, ["ruby"], define=lambda linker: _define_imports(linker, module)) as ruby:
        ruby.call("_initialize")
        # Exports are named by their whole interface: "ruby-init: func(args: list<string>) -> ()".
        exports = {name.partition(":")[0]: name for name in ruby.export_names()}
        arguments = [_string(ruby, argument + "\0") for argument in ("ruby", "-EUTF-8", "-e_=0")]
        ruby.call(exports["ruby-init"], *_list(ruby, arguments))
        source = (PROGRAMS / "script.rb").read_text()
        result = ruby.call(exports["rb-eval-string-protect"], *_string(ruby, source + "\n$stdout.flush"))
        return ruby.outcome(int.from_bytes(ruby.read(result + 4, 4), "little"))


def _define_imports(linker: Any, module: Any) -> None:
    """Handles of Ruby objects are the objects' own addresses; of JavaScript there is nothing."""
    for item in module.imports:
        if item.module == "canonical_abi" and item.name.startswith("resource_") and item.type.results:
            linker.define_func(item.module, item.name, item.type, lambda handle: handle)
        elif item.module in ("canonical_abi", "rb-js-abi-host"):
            answer = 0 if item.type.results else None
            linker.define_func(item.module, item.name, item.type, lambda *arguments, answer=answer: answer)


def _allocate(ruby: wasi.Guest, data: bytes) -> int:
    address: int = ruby.call("cabi_realloc", 0, 0, 4, len(data))
    ruby.write_at(address, data)
    return address


def _string(ruby: wasi.Guest, text: str) -> tuple[int, int]:
    """A `string` of the canonical ABI: its address and length."""
    data = text.encode()
    return _allocate(ruby, data), len(data)


def _list(ruby: wasi.Guest, strings: list[tuple[int, int]]) -> tuple[int, int]:
    """A `list<string>` of the canonical ABI."""
    data = b"".join(number.to_bytes(4, "little") for string in strings for number in string)
    return _allocate(ruby, data), len(strings)
