"""`-W` and `-O`: every switch has something to switch, and none makes the engine abort."""

from __future__ import annotations

import click
import pytest

import wasmscope
from wasmscope.cli import switches
from wasmscope.cli.switches import parse_duration, parse_switches


def test_switches_mean_settings_and_limits() -> None:
    parsed = parse_switches(
        ["simd=y,gc=n", "fuel=0x10,timeout=2s", "max-memory-size=65536", "unknown-imports-trap"], ["opt-level=s"]
    )
    assert parsed.settings == {"wasm_simd": True, "wasm_gc": False, "cranelift_opt_level": "speed_and_size"}
    assert parsed.limits == {"memory_size": 65536}
    assert (parsed.fuel, parsed.timeout, parsed.unknown_imports_trap) == (16, 2.0, True)


def test_later_switches_win() -> None:
    assert parse_switches(["all-proposals=n", "tail-call"], []).settings["wasm_tail_call"] is True
    assert parse_switches(["tail-call", "tail-call=no"], []).settings["wasm_tail_call"] is False


@pytest.mark.parametrize("value", ["y", "n"])
@pytest.mark.parametrize("key", [*switches._SETTINGS, "all-proposals"])
def test_every_boolean_switch_is_taken_by_the_engine(key: str, value: str) -> None:
    try:
        parsed = parse_switches([f"{key}={value}"], [])
    except click.BadParameter:
        assert (key, value) in {("reference-types", "n"), ("simd", "n")}
        return
    config = wasmscope.Config()
    parsed.configure(config)
    wasmscope.Engine(config)


@pytest.mark.parametrize(
    "option", ["memory-guard-size=65536", "memory-may-move=n", "signals-based-traps=n", "opt-level=0"]
)
def test_every_kind_of_optimisation_is_taken_by_the_engine(option: str) -> None:
    config = wasmscope.Config()
    parse_switches([], [option]).configure(config)
    wasmscope.Engine(config)


@pytest.mark.parametrize(
    "option",
    [
        "",
        "simd=1",
        "fuel",
        "fuel=-1",
        "fuel=many",
        "timeout=1m",
        "max-wasm-stack=0",
        "max-wasm-stack=3000000",
        "simd=n",
    ],
)
def test_nonsense_is_refused(option: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_switches([option], [])


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("1s", 1), ("500ms", 0.5), ("20us", 20e-6), ("20μs", 20e-6), ("5ns", 5e-9)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1.5s", "-1s", "1m", "1 s", "1" * 5000 + "m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["99999999999999999999s", "9" * 400, "9" * 5000], ids=["20", "400", "5000"])
def test_duration_that_no_thread_can_wait_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is too long: at most") as error:
        parse_duration(text)
    assert len(str(error.value)) < 150
    with pytest.raises(click.BadParameter):
        parse_switches([f"timeout={text}"], [])
