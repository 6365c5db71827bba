"""What an engine is asked to do, kept so that it can be asked of a second one."""

from __future__ import annotations

from typing import Any

import wasmtime

from wasmscope.runtime import capi

DEFAULT_WASM_STACK = 512 * 1024
"""Bytes of stack a guest has where nothing else is said (wasmtime `Config::max_wasm_stack`)."""

STACK_FACTOR = 5
"""Rewritten functions keep more values alive: so much more stack makes recursion get at least as deep as before."""

MOST_WASM_STACK = 5 * 1024 * 1024
"""Threads commonly have 8 MiB, of which the host needs some: no factor leads beyond this."""

ASYNC_STACK = 2 * 1024 * 1024
"""What wasmtime-py gives no word for, and bounds the stack (wasmtime `Config::async_stack_size`)."""

_COUNTED_BY_US = ("consume_fuel", "epoch_interruption")


class Config(wasmtime.Config):
    """wasmtime's `Config` with `guest_debug`, which is on unless switched off.

    The settings are those of the original guest: it is validated against them, and the rewritten one, which needs a
    second memory, is compiled by an engine of its own.
    """

    def __init__(self) -> None:
        self._settings: list[tuple[str, Any]] = []
        self._flags: list[tuple[str, tuple[str, ...]]] = []
        self._guest_debug = True
        super().__init__()

    @property
    def guest_debug(self) -> bool:
        """Whether guests can be looked into; False: plain wasmtime, nothing is rewritten."""
        return self._guest_debug

    @guest_debug.setter
    def guest_debug(self, enable: bool) -> None:
        if not isinstance(enable, bool):
            raise TypeError("expected a bool")
        self._guest_debug = enable

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(getattr(wasmtime.Config, name, None), property):
            self._settings.append((name, value))

    def cranelift_flag_enable(self, flag: str) -> None:
        """As wasmtime's."""
        super().cranelift_flag_enable(flag)
        self._flags.append(("cranelift_flag_enable", (flag,)))

    def cranelift_flag_set(self, key: str, value: str) -> None:
        """As wasmtime's."""
        super().cranelift_flag_set(key, value)
        self._flags.append(("cranelift_flag_set", (key, value)))

    def setting(self, name: str, default: Any = None) -> Any:
        """What a setting was last set to."""
        return dict(self._settings).get(name, default)

    @property
    def rewritten_wasm_stack(self) -> int:
        """Bytes of stack that a rewritten guest has."""
        asked: int = self.setting("max_wasm_stack", DEFAULT_WASM_STACK)
        return max(asked, min(STACK_FACTOR * asked, MOST_WASM_STACK))

    def check(self) -> None:
        """Raise `WasmtimeError` for what the engine refuses by ending the process, in its words."""
        if not self.setting("wasm_reference_types", True):
            refused = "the component-model-async feature requires the wasm reference-types proposal"
        elif not self.setting("wasm_simd", True) and self.setting("wasm_relaxed_simd", True):
            refused = "cannot disable the simd proposal but enable the relaxed simd proposal"
        elif self.setting("max_wasm_stack", DEFAULT_WASM_STACK) == 0:
            refused = "max_wasm_stack size cannot be zero"
        elif self.setting("max_wasm_stack", DEFAULT_WASM_STACK) > ASYNC_STACK:
            refused = "max_wasm_stack size cannot exceed the async_stack_size"
        else:
            return
        raise wasmtime.WasmtimeError(refused)

    def for_rewritten(self) -> wasmtime.Config:
        """The same settings for an engine that compiles rewritten guests."""
        config = wasmtime.Config()
        for name, value in self._settings:
            if name not in _COUNTED_BY_US:
                setattr(config, name, value)
        for method, arguments in self._flags:
            getattr(config, method)(*arguments)
        config.wasm_multi_memory = True
        config.wasm_tail_call = True  # entry functions make them
        capi.enable_branch_hinting(config)
        capi.set_max_wasm_stack(config, self.rewritten_wasm_stack)
        return config
