"""All mirrors of a store: which there are, how they come to be, and which functions go to theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import wasmtime

from wasmscope.instrument.layout import NO_WORDS, VARIANT
from wasmscope.instrument.mirror.companion import Need, Source
from wasmscope.instrument.mirror.entrance import ENTRANCE
from wasmscope.instrument.mirror.layout import PAGE_LOG2
from wasmscope.instrument.mirror.page import PAGE_EXPORT
from wasmscope.instrument.mirror.runner import ENTER, RESUME
from wasmscope.instrument.mirror.variant import VARIANT_EXPORT
from wasmscope.instrument.mirror.watched import Watched
from wasmscope.runtime import capi
from wasmscope.runtime.engine import Engine
from wasmscope.runtime.mirrors.compiled import Compiled
from wasmscope.runtime.mirrors.control import ControlMemory
from wasmscope.runtime.mirrors.mirror import Mirror, page_count
from wasmscope.runtime.mirrors.routes import Routes
from wasmscope.runtime.mirrors.variant import Variant, VariantCode
from wasmscope.wasm.module import ExternKind

if TYPE_CHECKING:
    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.store import Store

Stop = Callable[[Mirror, int, int, int], int]
"""Called when a mirror stops: with the mirror, the address of the frame, the number of the instruction, and why, as
`STOP_...` bits."""


class Mirrors:
    """The mirrors of one store.

    `stop` is called where one stops: it returns what its page is to go on with. `made` is called with every new one.
    `entered` is called for a function that goes to its mirror before that is made: whether it goes elsewhere now.
    `accessed` is called where a variant accesses what is watched, with the address of its frame and why
    (`instrument/watch_tests.py`).
    """

    def __init__(
        self,
        store: Store,
        stop: Stop,
        made: Callable[[Mirror], None],
        entered: Callable[[Instance, int], bool],
        accessed: Callable[[int, int], None],
    ) -> None:
        self._store = store
        self._shadow = store.shadow
        self._stop = stop
        self._made = made
        self._entered = entered
        self._by_number: list[Mirror] = []
        self._by_function: dict[tuple[int, int], Mirror] = {}
        self.variants: list[Variant] = []
        """By the numbers that their frames have."""
        self._variants: dict[tuple[int, int, int | None, Watched], Variant] = {}
        """By the instance, the function, the number of the loop's first instruction, and what they test."""
        self._reached: dict[tuple[int, str], int] = {}
        """By instance and export: where in the mirrors table the functions are that lead to others, or are called."""
        self._stubs: dict[int, dict[int, int]] = {}
        """By instance and type: where they are in the mirrors table."""
        i32 = wasmtime.ValType.i32
        self._make_function = _host(store, [i32()], [], self._make_wanted)
        self._missing_function = _host(store, [i32(), i32(), i32()], [i32()], self._make_page)
        engine = store.engine
        assert isinstance(engine, Engine), "it has guest_debug on"
        stop_function = capi.new_hook(store, self._stopped)
        self._accessed_function = _host(store, [i32(), i32()], [], accessed)
        self.control = ControlMemory(store, engine.mirror_support_module, stop_function, self._accessed_function)
        self.routes = Routes(store.shadow, self._entry_or_stub, self._entries_or_stubs)

    def __getitem__(self, number: int) -> Mirror:
        """The mirror whose number a frame has."""
        return self._by_number[number]

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Any:
        return iter(self._by_number)

    def find(self, instance: Instance, function: int) -> Mirror | None:
        """The mirror of a defined function, if it was made."""
        return self._by_function.get((instance.id, function))

    def of(self, instance: Instance, function: int) -> Mirror:
        """The mirror of a defined function. Raises `WasmscopeError` where the engine takes no more code."""
        found = self.find(instance, function)
        return self._make(instance, function) if found is None else found

    # -- making ---------------------------------------------------------------------------------------------------

    def _make(self, instance: Instance, function: int) -> Mirror:
        store = self._store
        code = instance.module.mirror_code.mirror(function)
        table = store.shadow.mirrors
        first_page = table.add_all([self._missing_function] * page_count(code))
        mirror = Mirror(self.control, len(self._by_number), instance, code, first_page)
        runner = self._instantiate(code.runner, instance, mirror)
        mirror.entry = table.add(capi.function_named(store, runner, ENTER))
        mirror.resume = capi.function_named(store, runner, RESUME)
        self._by_number.append(mirror)
        self._by_function[instance.id, function] = mirror
        self.routes.made(instance, function, mirror.entry)
        self._made(mirror)
        return mirror

    def _make_page(self, base: int, references: int, index: int) -> int:
        """A page is run for the first time: it is made, and the runner comes back for it."""
        mirror = self._by_number[self._store.shadow.instance_id(base)]
        number = index >> PAGE_LOG2
        page = self._instantiate(mirror.code.page(number), mirror.instance, mirror)
        function = capi.function_named(self._store, page, PAGE_EXPORT)
        self._store.shadow.mirrors.replace(mirror.first_page + number, function)
        return index

    def _make_wanted(self, instance_id: int) -> None:
        """A stub was called."""
        instance, function = self._store.instances[instance_id], self._store.shadow.redirected
        if not self._entered(instance, function):
            self.of(instance, function)

    def _entry_or_stub(self, instance: Instance, function: int) -> int:
        mirror = self.find(instance, function)
        if mirror is not None:
            return mirror.entry
        type_index = instance.module.original.functions[function]
        stubs = self._stubs.setdefault(instance.id, {})
        if type_index not in stubs:
            self._make_stubs(instance, (type_index,))
        return stubs[type_index]

    def _entries_or_stubs(self, instance: Instance) -> list[int]:
        functions = instance.module.original.functions
        made = self._stubs.setdefault(instance.id, {})
        missing = tuple(each for each in dict.fromkeys(functions) if each not in made)
        if missing:
            self._make_stubs(instance, missing)
        return [self._entry_or_stub(instance, function) for function in range(len(functions))]

    def _make_stubs(self, instance: Instance, types: tuple[int, ...]) -> None:
        """Stubs in the mirrors table: for one type quickly, for all together."""
        stubs = self._instantiate(instance.module.mirror_code.stubs(types), instance, None)
        functions = [capi.function_named(self._store, stubs, str(type_index)) for type_index in types]
        first = self._store.shadow.mirrors.add_all(functions)
        self._stubs[instance.id] |= {type_index: first + position for position, type_index in enumerate(types)}

    # -- variants ------------------------------------------------------------------------------------------------

    def variant(self, instance: Instance, function: int, header: int | None, watched: Watched) -> Variant | None:
        """What a frame of a function can go on in at a loop header, or the whole function, with tests of accesses.

        None where there can be none.
        """
        key = (instance.id, function, header, watched)
        if key not in self._variants:
            code = instance.module.mirror_code.mirror(function).variant(header, watched)
            if code is None:
                return None
            self._variants[key] = self._make_variant(instance, code)
        return self._variants[key]

    def whole_variants(self, instance: Instance) -> Iterator[tuple[int, Variant]]:
        """The variants of whole functions of an instance, with the functions' indices."""
        for (number, function, header, _), variant in self._variants.items():
            if header is None and number == instance.id:
                yield function, variant

    def _make_variant(self, instance: Instance, code: VariantCode) -> Variant:
        store, number = self._store, len(self.variants)
        shadow, plan = store.shadow, code.table.plan
        for callee in code.callees:
            self.routes.reach(instance, callee, self._reach(instance, callee))
        appended = shadow.appended(tuple(plan.reference_tables), VARIANT | number, NO_WORDS)
        made = self._instantiate(code.compiled, instance, None, appended)
        function = capi.function_named(store, made, VARIANT_EXPORT)
        if code.entrance is not None:
            entrance = self._instantiate(code.entrance, instance, None, variant=function)
            function = capi.function_named(store, entrance, ENTRANCE)
        variant = Variant(number, instance, code, shadow.mirrors.add(function))
        self.variants.append(variant)
        store.instances.add_table(code.table)
        return variant

    def _reach(self, instance: Instance, function: int) -> int:
        """Where in the mirrors table a defined function is, or the entry function that leads to it."""
        original, private = instance.module.original, instance.module.frame_table.plan.private
        index = original.num_imported_functions + function
        entry = private.entries.get(index)
        key = (instance.id, private.name(ExternKind.FUNC, index) if entry is None else entry.export)
        if key not in self._reached:
            self._reached[key] = self._store.shadow.mirrors.add(capi.function_named(self._store, instance, key[1]))
        return self._reached[key]

    def instantiate(self, compiled: Compiled, mirror: Mirror) -> wasmtime.Instance:
        """An instance of code that is made for a mirror."""
        return self._instantiate(compiled, mirror.instance, mirror)

    def _instantiate(
        self,
        compiled: Compiled,
        instance: Instance,
        mirror: Mirror | None,
        appended: Sequence[Any] = (),
        variant: wasmtime.Func | None = None,
    ) -> wasmtime.Instance:
        imports = [*(self._provide(need, instance, mirror, variant) for need in compiled.needs), *appended]
        self._store.shadow.companions += 1
        with self._store.without_limits():
            made = capi.instantiate(self._store, compiled.module, imports)
        if not isinstance(made, wasmtime.Instance):
            capi.raise_failure(made)
            raise AssertionError
        return made

    def _provide(self, need: Need, instance: Instance, mirror: Mirror | None, variant: wasmtime.Func | None) -> Any:
        shadow = self._store.shadow
        match need.source:
            case Source.EXPORT:
                return capi.export_named(self._store, instance, need.name)
            case Source.SHADOW:
                return shadow.memory
            case Source.CONTROL:
                return self.control.memory
            case Source.MIRRORS:
                return shadow.mirrors.table
            case Source.REFERENCES:
                return shadow.references.table(need.name)
            case Source.ATTENTION:
                return shadow.attention_function
            case Source.THROW:
                return shadow.throw_function
            case Source.STOP:
                return self.control.stop
            case Source.MAKE:
                return self._make_function
            case Source.BLOCK:
                assert mirror is not None
                return shadow.constant(mirror.block)
            case Source.FUNCTIONS:
                return shadow.constant(shadow.word_address(instance.id, 0))
            case Source.IDENTITY:
                return shadow.constant(instance.id)
            case Source.VARIANT:
                return variant
            case Source.TARGETS:
                return shadow.constant(self.routes.targets(instance))
            case Source.TOUCHED:
                return self.control.touched
            case Source.ACCESSED:
                return self._accessed_function

    def _stopped(self) -> None:
        control = self.control
        base, index, kind = control.stopped()
        mirror = self._by_number[self._shadow.instance_id(base)]
        control.answer(self._stop(mirror, base, index, kind))


def _host(
    store: Store,
    params: list[wasmtime.ValType],
    results: list[wasmtime.ValType],
    method: Callable[..., Any],
) -> wasmtime.Func:
    """A host function that calls a method; weakly, as the engine keeps its host functions as long as the store."""
    weak_method = WeakMethod(method)

    def call(*arguments: int) -> Any:
        alive = weak_method()
        return None if alive is None else alive(*[argument & 0xFFFF_FFFF for argument in arguments])

    return wasmtime.Func._from_raw(capi.new_func(store, wasmtime.FuncType(params, results), call, False, None))
