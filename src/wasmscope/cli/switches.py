"""`-W KEY[=VAL]` and `-O KEY[=VAL]`, as `wasmtime run` has them: separated by commas, `y` where no value is given."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from wasmscope.runtime.config import Config
from wasmscope.runtime.store import Store
from wasmscope.wasm.escape import escaped

_PROPOSALS = (
    "bulk-memory",
    "custom-page-sizes",
    "exceptions",
    "function-references",
    "gc",
    "memory64",
    "multi-memory",
    "multi-value",
    "reference-types",
    "relaxed-simd",
    "simd",
    "tail-call",
    "threads",
    "wide-arithmetic",
)
"""Each is switched by `Config.wasm_...`."""

_SETTINGS = {
    "gc-support": "gc_support",
    "nan-canonicalization": "cranelift_nan_canonicalization",
    "relaxed-simd-deterministic": "wasm_relaxed_simd_deterministic",
    "shared-memory": "shared_memory",
    "stack-switching": "wasm_stack_switching",
    **{proposal: f"wasm_{proposal.replace('-', '_')}" for proposal in _PROPOSALS},
}

_LIMITS = {
    "max-memory-size": "memory_size",
    "max-table-elements": "table_elements",
    "max-instances": "instances",
    "max-tables": "tables",
    "max-memories": "memories",
}
"""Switch -> parameter of `Store.set_limits`."""

_OPTIMISATIONS = {
    "memory-guard-size": "memory_guard_size",
    "memory-reservation": "memory_reservation",
    "memory-reservation-for-growth": "memory_reservation_for_growth",
}
_OPTIMISATION_FLAGS = {
    "memory-init-cow": "memory_init_cow",
    "memory-may-move": "memory_may_move",
    "signals-based-traps": "signals_based_traps",
}
_OPT_LEVELS = {"0": "none", "1": "speed", "2": "speed", "s": "speed_and_size"}

_LARGEST_STACK = 2 << 20
"""The engine takes no more, because stacks of asynchronous calls have that size."""

_SHOWN = 40
"""Characters of a wrong value that are repeated to the user."""

_DURATION = re.compile(r"(\d+)(s|ms|us|μs|ns)?")
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "μs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Switches:
    """What `-W` and `-O` ask for. `settings` are attributes of `Config`, `limits` arguments of `Store.set_limits`."""

    settings: Mapping[str, Any]
    limits: Mapping[str, int]
    fuel: int | None = None
    timeout: float | None = None
    unknown_imports_trap: bool = False
    unknown_imports_default: bool = False

    def configure(self, config: Config) -> None:
        """Make the settings; before the engine is made."""
        for name, value in self.settings.items():
            setattr(config, name, value)
        if self.fuel is not None:
            config.consume_fuel = True

    def limit(self, store: Store) -> None:
        """Set the limits; before anything is instantiated."""
        if self.limits:
            store.set_limits(**self.limits)
        if self.fuel is not None:
            store.set_fuel(self.fuel)


def parse_switches(wasm: Sequence[str], optimize: Sequence[str]) -> Switches:
    """Read the values of all `-W` and `-O` options; later ones win. Raises `click.BadParameter`."""
    settings: dict[str, Any] = {}
    limits: dict[str, int] = {}
    others: dict[str, Any] = {}
    for key, value in _pairs(wasm):
        if key == "all-proposals":
            enable = _boolean("-W", key, value)
            # Reference types cannot be switched off: see `_check_settings`.
            settings |= {_SETTINGS[name]: enable for name in _PROPOSALS if enable or name != "reference-types"}
        elif key in _SETTINGS:
            settings[_SETTINGS[key]] = _boolean("-W", key, value)
        elif key in _LIMITS:
            limits[_LIMITS[key]] = _integer("-W", key, value)
        elif key in _OTHERS:
            others[key.replace("-", "_")] = _OTHERS[key]("-W", key, value)
        elif key == "max-wasm-stack":
            settings["max_wasm_stack"] = _integer("-W", key, value)
        else:
            raise _unknown("-W", key, (*_SETTINGS, *_LIMITS, *_OTHERS, "max-wasm-stack", "all-proposals"))
    for key, value in _pairs(optimize):
        if key in _OPTIMISATIONS:
            settings[_OPTIMISATIONS[key]] = _integer("-O", key, value)
        elif key in _OPTIMISATION_FLAGS:
            settings[_OPTIMISATION_FLAGS[key]] = _boolean("-O", key, value)
        elif key == "opt-level":
            settings["cranelift_opt_level"] = _opt_level(value)
        else:
            raise _unknown("-O", key, (*_OPTIMISATIONS, *_OPTIMISATION_FLAGS, "opt-level"))
    _check_settings(settings)
    return Switches(settings, limits, **others)


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse what would make the engine abort the process, as it does when settings contradict each other."""
    if settings.get("wasm_reference_types") is False:
        raise click.BadParameter("reference-types cannot be switched off: the engine needs them", param_hint="-W")
    if settings.get("wasm_simd") is False and settings.get("wasm_relaxed_simd") is not False:
        raise click.BadParameter("simd=n needs relaxed-simd=n", param_hint="-W")
    if not 0 < settings.get("max_wasm_stack", _LARGEST_STACK) <= _LARGEST_STACK:
        raise click.BadParameter(f"max-wasm-stack has to be between 1 and {_LARGEST_STACK}", param_hint="-W")


def parse_duration(text: str) -> float:
    """Seconds: `10`, `1s`, `500ms`, `20us`. Raises `ValueError`, also for more than a thread can wait."""
    match = _DURATION.fullmatch(text)
    if match is None:
        expected = "expected a whole number with s, ms, us or ns, such as 1s or 500ms"
        raise ValueError(f"{escaped(text, _SHOWN)!r} is no duration: {expected}")
    seconds = float(match[1]) * _SECONDS[match[2] or ""]
    if seconds > threading.TIMEOUT_MAX:
        raise ValueError(f"{escaped(text, _SHOWN)!r} is too long: at most {threading.TIMEOUT_MAX:.0f} s can be waited")
    return seconds


def _pairs(options: Iterable[str]) -> Iterable[tuple[str, str | None]]:
    for option in options:
        for part in option.split(","):
            key, equals, value = part.partition("=")
            yield key, value if equals else None


def _boolean(option: str, key: str, value: str | None) -> bool:
    if value in (None, "y", "yes", "true"):
        return True
    if value in ("n", "no", "false"):
        return False
    raise click.BadParameter(f"{key}={escaped(value or '', _SHOWN)}: expected y or n", param_hint=option)


def _integer(option: str, key: str, value: str | None) -> int:
    try:
        number = int(value or "", 0)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 63:
        raise click.BadParameter(f"{key} needs a number, {key}=N", param_hint=option)
    return number


def _duration(option: str, key: str, value: str | None) -> float:
    try:
        return parse_duration(value or "")
    except ValueError as error:
        raise click.BadParameter(f"{key}: {error}", param_hint=option) from None


def _opt_level(value: str | None) -> str:
    if value not in _OPT_LEVELS:
        raise click.BadParameter(f"opt-level is one of {', '.join(_OPT_LEVELS)}", param_hint="-O")
    return _OPT_LEVELS[value]


_OTHERS: Mapping[str, Callable[[str, str, str | None], Any]] = {
    "fuel": _integer,
    "timeout": _duration,
    "unknown-imports-default": _boolean,
    "unknown-imports-trap": _boolean,
}


def _unknown(option: str, key: str, known: Iterable[str]) -> click.BadParameter:
    return click.BadParameter(
        f"there is no switch {escaped(key, _SHOWN)!r}; there are: {', '.join(sorted(known))}", param_hint=option
    )
