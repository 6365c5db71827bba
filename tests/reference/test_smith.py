"""What other tests count on in the random modules."""

from __future__ import annotations

import pytest

from reference.differential import run_reference
from reference.machine import Frame
from reference.module import Module
from reference.smith import PROFILES, host_result, random_module
from reference.values import I31, ArrayObject, ExnObject, StructObject, Value
from support.wasmtools import WASM_TOOLS_ABSENT, validate

pytestmark = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def test_a_seed_gives_the_same_module() -> None:
    assert random_module(5, "all") == random_module(5, "all")
    assert random_module(5, "all") != random_module(6, "all")


@pytest.mark.parametrize("profile", PROFILES)
def test_modules_are_valid_and_have_the_interface(profile: str) -> None:
    binary = random_module(3, profile)
    validate(binary)
    exports = {each.name for each in Module.decode(binary).exports}
    assert {"run0", "run1", "run2", "run3", "memory", "g0", "g1", "g2", "g3"} <= exports
    assert ("table" in exports) == ("reference-types" in PROFILES[profile].features)


def test_mvp_modules_are_mvp() -> None:
    for seed in range(5):
        validate(random_module(seed, "mvp"), features="mvp,mutable-global")


@pytest.mark.parametrize("profile", PROFILES)
def test_modules_run_and_call_the_host(profile: str) -> None:
    seen: set[int] = set()
    host_calls = 0

    def on_step(frame: Frame) -> None:
        seen.add(frame.pc)

    for seed in range(1, 12):
        module = Module.decode(random_module(seed, profile))
        for export in ("run0", "run1", "run2", "run3"):
            host_calls += len(run_reference(module, export, on_step).host_calls)
    assert len(seen) > 1000
    assert host_calls > 0


_PATTERNS = {"i32": 1 << 32, "i64": 1 << 64, "f32": 1 << 32, "f64": 1 << 64}
_OBJECTS = {"structref": StructObject, "arrayref": ArrayObject, "i31ref": I31, "exnref": ExnObject}


def _is_of(type: str, value: Value, *, unset: bool) -> bool:
    """Whether a value can be of the type that a frame says; a local without default may be unset."""
    if type in _PATTERNS:
        return isinstance(value, int) and 0 <= value < _PATTERNS[type]
    if type == "v128":
        return isinstance(value, bytes) and len(value) == 16
    if value is None:
        return unset or not type.startswith("(ref ") or type.startswith("(ref null ")
    return not type.startswith("null") and isinstance(value, _OBJECTS.get(type, object))


@pytest.mark.parametrize("profile", PROFILES)
def test_values_have_their_static_types_at_every_step(profile: str) -> None:
    kinds: set[str] = set()

    def on_step(frame: Frame) -> None:
        assert all(_is_of(type, value, unset=False) for type, value in frame.stack), frame
        assert all(_is_of(type, value, unset=True) for type, value in frame.locals), frame
        kinds.update(type for type, _ in frame.stack)

    for seed in range(20, 28):
        module = Module.decode(random_module(seed, profile))
        for export in ("run0", "run1", "run2", "run3"):
            run_reference(module, export, on_step)
    assert {"i32", "i64", "f32", "f64"} <= kinds


def test_host_results_depend_on_name_count_and_type() -> None:
    results = {host_result(name, count, "f64") for name in ("tick", "mix") for count in range(3)}
    assert len(results) == 6
