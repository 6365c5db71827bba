"""Modules: compiled, refused, validated, serialised and read from files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from runtime.sequences import attempt, plainly

TEXT = '(module $m (import "a" "b" (func)) (func (export "f") (result i32) i32.const 5) (memory (export "m") 1))'

BAD = (
    "",
    "(module",
    "(module (func (result i32)))",
    "(module (func (i32.add)))",
    "(module (func $f) (func $f))",
    '(module (export "a" (func 0)))',
    "(module (memory 100000))",
    "(module (table 1 i32))",
    "text",
    "(component)",
    b"",
    b"\0asm",
    b"\0asm\1\0\0\0",
    b"\0asm\2\0\0\0",
    b"\0asm\1\0\0\0\1",
    b"\0asm\1\0\0\0\x63\0",
    b"\0asm\1\0\0\0\1\1\0",
    b"\0asm\x0d\0\1\0",
    b"\0asm\1\0\0\0\3\2\1\0",
    b"\0asm\1\0\0\0\x0a\2\1\0",
    b"\0" * 20,
    b"\xff\xfe\0\0",
    bytearray(b"\0asm"),
    bytearray(b"\0asm\1\0\0\0"),
    bytearray(b"(module)"),
    "\0asm",
    memoryview(b"\0asm\1\0\0\0"),
    "(module (func unknown))",
    "(module (type (func)) (func (type 1)))",
    "(module (func (local.get 0) drop))",
    "(module (start 5))",
    '(module (func (export "a")) (func (export "a")))',
    '(module (data (i32.const 0) "x"))',
    "\N{SNOWMAN}",
)


def refused(api: Any) -> Any:
    engine = api.Engine()
    seen: list[Any] = []
    for bad in BAD:
        seen.append((bad, attempt(lambda bad=bad: api.Module(engine, bad))))
        seen.append(attempt(lambda bad=bad: api.Module.validate(engine, bad)))
        seen.append(attempt(lambda bad=bad: api.wat2wasm(bad)))
    return seen


FEATURES = {
    "wasm_multi_memory": "(module (memory 1) (memory 1))",
    "wasm_memory64": "(module (memory i64 1))",
    "wasm_bulk_memory": "(module (memory 1) (func i32.const 0 i32.const 0 i32.const 0 memory.fill))",
    "wasm_multi_value": "(module (func (result i32 i32) i32.const 1 i32.const 2))",
    "wasm_tail_call": "(module (func return_call 0))",
    "wasm_threads": "(module (memory 1 1 shared))",
    "wasm_exceptions": "(module (tag))",
    "wasm_relaxed_simd": "(module (func (param v128) (result v128) local.get 0 i32x4.relaxed_trunc_f32x4_s))",
    "wasm_function_references": "(module (type $t (func)) (func (param (ref null $t))))",
    "wasm_gc": "(module (type (struct)))",
    "wasm_wide_arithmetic": "(module (func (param i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 0))))",
    "wasm_custom_page_sizes": "(module (memory 1 (pagesize 1)))",
}


def features_switched_off_and_on(api: Any) -> Any:
    seen: list[Any] = []
    for feature, text in FEATURES.items():
        binary = bytes(api.wat2wasm(text))
        for enable in (False, True):
            config = api.Config()
            setattr(config, feature, enable)
            engine = api.Engine(config)
            seen.append((feature, enable, attempt(lambda engine=engine, binary=binary: api.Module(engine, binary))))
            seen.append(attempt(lambda engine=engine, binary=binary: api.Module.validate(engine, binary)))
    return seen


def shown(api: Any) -> Any:
    module = api.Module(api.Engine(), TEXT)
    imports = [(item.module, item.name, plainly(item.type)) for item in module.imports]
    return imports, [(item.name, plainly(item.type)) for item in module.exports]


def serialised(api: Any) -> Any:
    engine = api.Engine()
    data = api.Module(engine, TEXT).serialize()
    seen: list[Any] = [type(data).__name__]
    for encoded in (data, bytes(data)):
        module = api.Module.deserialize(engine, encoded)
        store = api.Store(engine)
        host = api.Func(store, api.FuncType([], []), lambda: None)
        seen.append(api.Instance(store, module, [host]).exports(store)["f"](store))
        seen.append([item.name for item in module.exports])
    seen += [
        attempt(lambda bad=bad: api.Module.deserialize(engine, bad)) for bad in (b"", b"\0asm\1\0\0\0", b"\x7fELF" * 9)
    ]
    return seen


def files(api: Any) -> Any:
    engine, seen = api.Engine(), []
    with tempfile.TemporaryDirectory() as folder:
        text, binary, stored = (Path(folder) / name for name in ("m.wat", "m.wasm", "m.cwasm"))
        text.write_text(TEXT)
        binary.write_bytes(api.wat2wasm(TEXT))
        stored.write_bytes(api.Module(engine, TEXT).serialize())
        for path in (text, binary, str(text), str(binary), str(binary).encode()):
            seen.append([item.name for item in api.Module.from_file(engine, path).exports])
        seen.append([item.name for item in api.Module.deserialize_file(engine, str(stored)).exports])
        for path in (stored, text, Path("/absent")):
            seen.append(attempt(lambda path=path: api.Module.from_file(engine, str(path)))[0])
        seen.append(attempt(lambda: api.Module.deserialize_file(engine, "/absent.cwasm")))
        seen.append(attempt(lambda: api.Module.deserialize_file(engine, "/")))
        text.write_bytes(b"")
        empty = attempt(lambda: api.Module.deserialize_file(engine, str(text)))
        seen.append([part.replace(folder, "") for part in empty])
    return seen


CASES = (refused, features_switched_off_and_on, shown, serialised, files)
