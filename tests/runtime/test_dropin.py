"""`import wasmscope as wasmtime`: what hosts find there is what they find in `wasmtime`."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import pickle
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

import wasmscope

NAMES = sorted(name for name in dir(wasmtime) if not name.startswith("_") and name != "component")
CLASSES = [name for name in NAMES if inspect.isclass(getattr(wasmtime, name))]
OURS = [name for name in CLASSES if getattr(wasmscope, name) is not getattr(wasmtime, name)]

DIFFERENT = {
    ("Config", "__setattr__"),  # notes what is set, so that it can be set of a second engine
    ("Val", "__repr__"),  # wasmtime's says nothing
}


def test_every_name_is_there() -> None:
    assert {name for name in NAMES if not hasattr(wasmscope, name)} == set()
    assert set(wasmtime.__all__) <= set(wasmscope.__all__)


def test_of_wasmtimes_modules_only_that_of_components_is_absent() -> None:
    # Only core modules can be looked into: better no name than one that does less.
    public = [module.name for module in pkgutil.iter_modules(wasmtime.__path__) if not module.name.startswith("_")]
    assert public == ["component"]
    assert importlib.util.find_spec("wasmscope.component") is None


def test_the_classes_that_carry_debugging_are_subclasses() -> None:
    assert OURS == [
        "Caller", "Config", "Engine", "Frame", "Func", "Instance", "InstancePre", "Linker", "Module", "Store", "Trap",
        "Val",
    ]  # fmt: skip
    assert all(issubclass(getattr(wasmscope, name), getattr(wasmtime, name)) for name in OURS)


def test_everything_else_is_wasmtimes_own() -> None:
    others = set(NAMES) - set(OURS)
    assert [name for name in others if getattr(wasmscope, name) is not getattr(wasmtime, name)] == []


def _members(name: str) -> list[str]:
    return [
        member
        for member in dir(getattr(wasmtime, name))
        if inspect.getattr_static(getattr(wasmtime, name), member, None)
        is not inspect.getattr_static(getattr(wasmscope, name), member, None)
        and member not in ("__doc__", "__module__", "__annotations__", "__dict__", "__weakref__", "__slots__")
        and (name, member) not in DIFFERENT
    ]


@pytest.mark.parametrize("name", OURS)
def test_a_class_has_every_member(name: str) -> None:
    plain, ours = getattr(wasmtime, name), getattr(wasmscope, name)
    assert set(dir(plain)) - set(dir(ours)) == set()


@pytest.mark.parametrize(("name", "member"), [(name, member) for name in OURS for member in _members(name)])
def test_a_member_is_used_alike(name: str, member: str) -> None:
    plain = inspect.getattr_static(getattr(wasmtime, name), member)
    ours = inspect.getattr_static(getattr(wasmscope, name), member)
    assert type(plain) is type(ours)
    if isinstance(plain, property):
        assert (plain.fget is None, plain.fset is None) == (ours.fget is None, ours.fset is None)
    elif callable(getattr(plain, "__func__", plain)):
        signatures = [inspect.signature(getattr(getattr(api, name), member)) for api in (wasmtime, wasmscope)]
        wanted, found = ([(p.name, p.kind, p.default) for p in s.parameters.values()] for s in signatures)
        assert found[: len(wanted)] == wanted
        assert all(default is not inspect.Parameter.empty for _, _, default in found[len(wanted) :])
    else:
        assert plain == ours


def _objects(api: Any) -> dict[str, Any]:
    engine = api.Engine()
    store, module = api.Store(engine), api.Module(engine, '(module (func (export "f")) (memory (export "m") 1))')
    instance, linker = api.Instance(store, module, []), api.Linker(engine)
    exports = instance.exports(store)
    return {
        "engine": engine, "store": store, "module": module, "instance": instance, "linker": linker,
        "pre": linker.instantiate_pre(module), "func": exports["f"], "memory": exports["m"], "exports": exports,
        "trap": api.Trap("t"), "error": api.WasmtimeError("e"), "val": api.Val.i32(1), "config": api.Config(),
        "type": api.ValType.i32(), "limits": api.Limits(1, 2), "code": api.TrapCode.UNREACHABLE,
    }  # fmt: skip


OBJECTS: dict[str, Callable[[Any], Any]] = {
    "hash": lambda item: hash(item) and None,
    "bool": bool,
    "equal to itself": lambda item: item == item,
    "equal to another": lambda item: item == 5,
    "len": len,
    "iter": lambda item: list(iter(item)),
    "copy": lambda item: type(copy.copy(item)).__name__,
    "deepcopy": lambda item: type(copy.deepcopy(item)).__name__,
    "pickle": lambda item: bool(pickle.dumps(item)),
    "with": lambda item: item.__enter__() is item,
}


@pytest.mark.parametrize("operation", [name for name in OBJECTS if "copy" not in name])
def test_objects_do_the_same(operation: str) -> None:
    def observe(item: Any) -> Any:
        try:
            return OBJECTS[operation](item)
        except Exception as error:
            return "refused" if operation == "pickle" else type(error).__name__

    plain, ours = _objects(wasmtime), _objects(wasmscope)
    assert {name: observe(item) for name, item in ours.items()} == {name: observe(item) for name, item in plain.items()}


@pytest.mark.parametrize("operation", ["copy", "deepcopy"])
def test_what_can_be_copied_is_copied_alike(operation: str) -> None:
    # Not what the engine owns an object of: its copies would free it twice.
    plain, ours = _objects(wasmtime), _objects(wasmscope)
    for name in ("limits", "code", "val"):
        assert OBJECTS[operation](ours[name]) == OBJECTS[operation](plain[name])


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("wasm_reference_types", False, "requires the wasm reference-types proposal"),
        ("wasm_simd", False, "cannot disable the simd proposal but enable the relaxed simd proposal"),
        ("max_wasm_stack", 0, "max_wasm_stack size cannot be zero"),
        ("max_wasm_stack", (2 << 20) + 1, "max_wasm_stack size cannot exceed the async_stack_size"),
    ],
)
def test_settings_that_end_the_process_in_wasmtime_raise(setting: str, value: Any, words: str) -> None:
    for guest_debug in (True, False):
        config = wasmscope.Config()
        config.guest_debug = guest_debug
        setattr(config, setting, value)
        with pytest.raises(wasmtime.WasmtimeError, match=words):
            wasmscope.Engine(config)


def test_settings_at_those_bounds_do_not() -> None:
    config = wasmscope.Config()
    config.wasm_simd = config.wasm_relaxed_simd = False
    config.max_wasm_stack = 2 << 20
    store = wasmscope.Store(wasmscope.Engine(config))
    module = wasmscope.Module(store.engine, '(module (func (export "f") (result i32) i32.const 1))')
    assert wasmscope.Instance(store, module, []).exports(store)["f"](store) == 1


def test_what_wasmtime_serialized_is_refused_with_its_error() -> None:
    artifact = wasmtime.Module(wasmtime.Engine(), "(module)").serialize()
    with pytest.raises(wasmtime.WasmtimeError, match=r"guest_debug off|version|configured|compiled"):
        wasmscope.Module.deserialize(wasmscope.Engine(), artifact)
