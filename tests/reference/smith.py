"""Random modules that run: `wasm-tools smith` with a fixed interface and one set of features a profile.

The interface is the same for all modules of a profile, so that a driver needs no more than this file: the exported
functions of `EXPORTS` (those with references or several results only where the profile has them), a memory "memory", a
table "table" where the profile has references, and mutable globals "g0" to "g3" of the four number types. A module
imports some of the functions and globals of "host"; `host_result` says what those functions give.

A global counts loops and calls down and ends a module in `unreachable`: every export deserves a new instance.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reference.values import Value
from support.wasmtools import WasmToolsError, wasm_tools, wat

# Loop iterations and calls that an instance may make.
FUEL = 150
_SEED_BYTES = 24_000

_SCALAR_EXPORTS = """
 (func (export "run0") (param i32 i64 f32 f64) (result i32) unreachable)
 (func (export "run1") (result i64) unreachable)
 (func (export "run2") (param f64) (result f64) unreachable)
 (func (export "run3") (param i32 i32) unreachable)
 (memory (export "memory") 1)
 (global (export "g0") (mut i32) (i32.const 0))
 (global (export "g1") (mut i64) (i64.const 0))
 (global (export "g2") (mut f32) (f32.const 0))
 (global (export "g3") (mut f64) (f64.const 0))
"""
_SCALAR_IMPORTS = """
 (import "host" "tick" (func (result i32)))
 (import "host" "mix" (func (param i32 i64 f32 f64) (result i64)))
 (import "host" "number" (func (param i32) (result f64)))
 (import "host" "single" (func (param f64) (result f32)))
 (import "host" "sink" (func (param i64 i32)))
 (import "host" "base" (global i32))
"""
_MULTI_EXPORTS = '(func (export "run4") (param i64) (result i64 f32 i32) unreachable)'
_MULTI_IMPORTS = '(import "host" "pair" (func (param i32) (result i32 f64)))'
_REF_EXPORTS = """
 (func (export "run5") (param externref i32) (result externref) unreachable)
 (func (export "run6") (param i32) (result funcref i32) unreachable)
 (table (export "table") 10 funcref)
"""
_REF_IMPORTS = """
 (import "host" "external" (func (param externref) (result externref)))
 (import "host" "function" (func (param funcref i32) (result funcref)))
"""

# Arguments (bit patterns, or a host object for an externref) for each exported function.
EXPORTS: MappingProxyType[str, tuple[Value, ...]] = MappingProxyType(
    {
        "run0": (7, 1 << 40, 0x40490FDB, 0xBFF8000000000000),
        "run1": (),
        "run2": (0x4059000000000000,),
        "run3": (0xFFFFFFFF, 12),
        "run4": (0xFFFFFFFFFFFFFF00,),
        "run5": ("an object", 3),
        "run6": (2,),
    }
)
IMPORTED_GLOBALS: MappingProxyType[str, int] = MappingProxyType({"base": 16})

# Every feature that can be switched; a profile names those it has.
_FEATURES = (
    *("bulk-memory", "reference-types", "multi-value", "sign-extension-ops", "saturating-float-to-int", "simd"),
    *("relaxed-simd", "tail-call", "exceptions", "gc", "memory64", "extended-const", "wide-arithmetic", "threads"),
    *("custom-page-sizes", "custom-descriptors", "compact-imports", "shared-everything-threads"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The features of the modules of a profile, and how many memories they have beside the exported one."""

    features: frozenset[str]
    more_memories: int = 0

    @property
    def interface(self) -> tuple[str, str]:
        """The imports to choose from and the exports, as modules in the text format."""
        imports, exports = _SCALAR_IMPORTS, _SCALAR_EXPORTS
        if "multi-value" in self.features:
            imports, exports = imports + _MULTI_IMPORTS, exports + _MULTI_EXPORTS
        if "reference-types" in self.features:
            imports, exports = imports + _REF_IMPORTS, exports + _REF_EXPORTS
        return f"(module {imports})", f"(module {exports})"


_WASM2 = frozenset({"bulk-memory", "multi-value", "sign-extension-ops", "saturating-float-to-int"})
_REFS = _WASM2 | {"reference-types", "tail-call", "memory64", "extended-const"}
_SIMD = _WASM2 | {"simd", "relaxed-simd"}
_GC = _REFS | {"gc"}
PROFILES: MappingProxyType[str, Profile] = MappingProxyType(
    {
        "mvp": Profile(frozenset()),
        "refs": Profile(_REFS, more_memories=2),
        "simd": Profile(_SIMD),
        "exceptions": Profile(_REFS | {"exceptions"}, more_memories=1),
        "gc": Profile(_GC),
        "all": Profile(_GC | _SIMD | {"exceptions", "wide-arithmetic", "custom-page-sizes"}, more_memories=2),
    }
)


def random_module(seed: int, profile: str) -> bytes:
    """The module of a seed; the same bytes for the same seed, profile and version of wasm-tools.

    Three of four modules do not trap but where their fuel ends: the others seldom get beyond the first memory access.
    """
    chosen = PROFILES[profile]
    imports, exports = (wat(text) for text in chosen.interface)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "imports.wasm").write_bytes(imports)
        (folder / "exports.wasm").write_bytes(exports)
        (folder / "config.json").write_text(json.dumps(_config(chosen, disallow_traps=seed % 4 != 0)))
        attempt = 0
        while True:
            content = random.Random(f"{profile} {seed} {attempt}").randbytes(_SEED_BYTES)
            (folder / "seed").write_bytes(content)
            try:
                return _smith(folder)
            except WasmToolsError:
                # Now and then smith cannot make a module of a seed.
                attempt += 1
                if attempt == 5:
                    raise


def _smith(folder: Path) -> bytes:
    return wasm_tools(
        *("smith", str(folder / "seed"), "-c", str(folder / "config.json")),
        *("--ensure-termination", "--fuel", str(FUEL)),
        *("--available-imports", str(folder / "imports.wasm"), "--exports", str(folder / "exports.wasm")),
    )


def _config(profile: Profile, *, disallow_traps: bool) -> dict[str, Any]:
    config: dict[str, Any] = {f"{feature}-enabled": feature in profile.features for feature in _FEATURES}
    return config | {
        "disallow-traps": disallow_traps,
        "allow-start-export": False,
        "generate-custom-sections": False,
        "limit-arrays-in-const-exprs": True,
        "memory-max-size-required": True,
        "table-max-size-required": True,
        # Offsets inside the memory's minimum only.
        "memory-offset-choices": [100, 0, 0],
        "max-memory32-bytes": 1 << 18,
        "max-memory64-bytes": 1 << 18,
        "max-table-elements": 50,
        "min-imports": 3,
        "max-imports": 8,
        "min-funcs": 8,
        "max-funcs": 24,
        "max-instructions": 300,
        "min-types": 6,
        "max-types": 20,
        "min-memories": profile.more_memories,
        "max-memories": profile.more_memories,
        "max-tables": 3 if "reference-types" in profile.features else 1,
        "max-globals": 12,
        "max-tags": 4,
        "max-data-segments": 4,
        "max-element-segments": 4,
        "max-elements": 10,
    }


def host_result(name: str, count: int, type: str) -> Value:
    """What the host function `name` gives for a result of a type, the `count`-th time that it is called."""
    digest = hashlib.sha256(f"{name} {count} {type}".encode()).digest()
    number = int.from_bytes(digest[:2], "little")
    match type:
        case "i32" | "i64":
            # Mostly small: a number that can be an index or a size.
            return number % 50 if digest[2] < 200 else int.from_bytes(digest[4:8], "little")
        case "f32" | "f64":
            code = "<f" if type == "f32" else "<d"
            return int.from_bytes(struct.pack(code, (number - 30000) / 16), "little")
        case "externref":
            return f"object {number}" if digest[2] < 200 else None
        case "funcref":
            return None
    raise AssertionError(type)
