"""The compiler's settings, and what all stores of an engine share."""

from __future__ import annotations

from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import wasmtime

from wasmscope.instrument.layout import SHADOW_PAGES
from wasmscope.instrument.mirror.support import SUPPORT
from wasmscope.runtime.config import MOST_WASM_STACK, Config

if TYPE_CHECKING:
    from wasmscope.runtime.store import Store


class Engine(wasmtime.Engine):
    """wasmtime's `Engine`; with `guest_debug` on it compiles rewritten guests and has a plain one for the originals."""

    def __init__(self, config: wasmtime.Config | None = None) -> None:
        if config is None:
            config = Config()
        if isinstance(config, Config):
            config.check()
        self.guest_debug = isinstance(config, Config) and config.guest_debug
        self.stores: WeakValueDictionary[int, Store] = WeakValueDictionary()
        """By the address of their context: how a host function finds the store it was called from."""
        self.epoch_interruption = False
        self.consume_fuel = False
        self.epoch = 0
        self._epochs = count(1)
        self.wasm_stack = config.rewritten_wasm_stack if isinstance(config, Config) else MOST_WASM_STACK
        """Bytes of stack that a guest may use; wasmtime's own `Config` does not say: it is taken to ask for no more."""
        self._shadow_tables: dict[str, wasmtime.Module] = {}
        if isinstance(config, Config) and config.guest_debug:
            rewritten = config.for_rewritten()
            self.epoch_interruption = config.setting("epoch_interruption", False)
            self.consume_fuel = config.setting("consume_fuel", False)
            self.plain = wasmtime.Engine(config)
            super().__init__(rewritten)
        else:
            super().__init__(config)
            self.plain = self

    def increment_epoch(self) -> None:
        """As wasmtime's; safe to call from any thread and from signal handlers."""
        super().increment_epoch()
        self.epoch = next(self._epochs)
        for reference in self.stores.valuerefs():  # unlike `values`, all at once: other threads make stores
            store = reference()
            if store is not None:
                store.check_epoch()

    @cached_property
    def shadow_memory_module(self) -> wasmtime.Module:
        """A module that has nothing but the memory for shadow frames."""
        return self._exporting(f'(memory (export "") {SHADOW_PAGES} {SHADOW_PAGES})')

    @cached_property
    def mirror_support_module(self) -> wasmtime.Module:
        """What all mirrors of a store share."""
        return wasmtime.Module(self, SUPPORT)

    @cached_property
    def mirror_table_module(self) -> wasmtime.Module:
        """A module that has nothing but the table of mirrors, without a limit."""
        return self._exporting('(table (export "") 1 funcref)')

    def shadow_table_module(self, kind: str) -> wasmtime.Module:
        """A module that has nothing but a table for references of `kind`, and what clears, copies and grows it.

        Made when first asked for.
        """
        if kind not in self._shadow_tables:
            self._shadow_tables[kind] = self._exporting(f"""
              (table (export "table") 256 {kind}ref)
              (func (export "clear") (param i32 i32)
                (table.fill 0 (local.get 0) (ref.null {kind}) (local.get 1)))
              (func (export "copy") (param i32 i32)
                (table.copy 0 0 (local.get 0) (local.get 1) (i32.const 1)))
              (func (export "grow") (param i32) (drop (table.grow 0 (ref.null {kind}) (local.get 0))))""")
        return self._shadow_tables[kind]

    def _exporting(self, fields: str) -> wasmtime.Module:
        return wasmtime.Module(self, f"(module {fields})")
