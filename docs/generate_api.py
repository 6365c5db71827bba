"""Writes docs/api.md from the docstrings: `python docs/generate_api.py`; `--check` only says whether that is due."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wasmtime

import wasmscope

TARGET = Path(__file__).with_name("api.md")

INTRODUCTION = """\
# API

Generated from the docstrings by `python docs/generate_api.py`. Every name of the `wasmtime` package exists in
`wasmscope` with the same meaning; described here is what wasmscope has of its own. Sections are those of the
WebAssembly specification; functions said to be Wasmtime's are those of its Rust crate.
"""

#: what Wasmtime's `crates/wasmtime/src/runtime/debug.rs` has, since which version, the name here, and what differs
DEBUG_RS = (
    ("`StoreContextMut::debug_frames`", "40", "Store.debug_frames", ""),
    ("`Caller::debug_frames`", "40", "Caller.debug_frames", ""),
    (
        "`DebugFrameCursor::move_to_parent`",
        "40",
        "DebugFrameCursor.move_to_parent",
        "`activation()` tells where the host was passed",
    ),
    ("`DebugFrameCursor::done`", "40", "DebugFrameCursor.done", ""),
    ("`DebugFrameCursor::instance`", "40", "DebugFrameCursor.instance", ""),
    ("`DebugFrameCursor::module`", "40", "DebugFrameCursor.module", ""),
    (
        "`DebugFrameCursor::wasm_function_index_and_pc`",
        "40",
        "DebugFrameCursor.wasm_function_index_and_pc",
        "the pc is an offset in the binary; `code_offset` counts from the code section",
    ),
    ("`DebugFrameCursor::num_locals`", "40", "DebugFrameCursor.num_locals", ""),
    ("`DebugFrameCursor::local`", "40", "DebugFrameCursor.local", "`IndexError` instead of a panic"),
    ("`DebugFrameCursor::num_stacks`", "40", "DebugFrameCursor.num_stacks", ""),
    ("`DebugFrameCursor::stack`", "40", "DebugFrameCursor.stack", "`IndexError` instead of a panic"),
    ("`DebugFrameCursor: AsContext`", "40", "", "the store stays usable while a cursor exists"),
    ("`DebugEvent::HostcallError`", "40", "DebugEvent.HostcallError", ""),
    ("`DebugEvent::CaughtExceptionThrown`", "40", "DebugEvent.CaughtExceptionThrown", ""),
    ("`DebugEvent::UncaughtExceptionThrown`", "40", "DebugEvent.UncaughtExceptionThrown", ""),
    (
        "`DebugEvent::Exception`",
        "46",
        "DebugEvent.CaughtExceptionThrown",
        "both events together; caught or not is still told apart here",
    ),
    ("`DebugEvent::Trap`", "40", "DebugEvent.Trap", ""),
    ("`DebugEvent::Breakpoint`", "41", "", "not yet"),
    (
        "`DebugEvent::EpochYield`",
        "41",
        "DebugEvent.Interrupted",
        "`Store.interrupt()` asks for it; epochs end a guest as they do in wasmtime-py",
    ),
    ("`DebugHandler::handle`", "40", "Handler.handle", "sync or async"),
    ("`Store::set_debug_handler`", "40", "Store.set_debug_handler", ""),
    ("`Store::clear_debug_handler`", "40", "Store.clear_debug_handler", ""),
    ("`Store::debug_exit_frames`", "43", "Store.debug_exit_frames", "a list"),
    ("`Caller::debug_exit_frames`", "43", "Caller.debug_exit_frames", "a list"),
    ("`FrameHandle::is_valid`", "43", "FrameHandle.is_valid", ""),
    ("`FrameHandle::parent`", "43", "FrameHandle.parent", "`StaleFrame` instead of an `Err`, here and below"),
    ("`FrameHandle::instance`", "43", "FrameHandle.instance", ""),
    ("`FrameHandle::module`", "43", "FrameHandle.module", ""),
    ("`FrameHandle::wasm_function_index_and_pc`", "43", "FrameHandle.wasm_function_index_and_pc", ""),
    ("`FrameHandle::num_locals`, `local`", "43", "FrameHandle.local", ""),
    ("`FrameHandle::num_stacks`, `stack`", "43", "FrameHandle.stack", ""),
    ("`Store::debug_all_instances`", "43", "Store.debug_all_instances", ""),
    ("`Store::debug_all_modules`", "43", "Store.debug_all_modules", ""),
    ("`Instance::debug_global`", "42", "Instance.debug_global", ""),
    ("`Instance::debug_memory`", "42", "Instance.debug_memory", ""),
    ("`Instance::debug_shared_memory`", "42", "Instance.debug_shared_memory", ""),
    ("`Instance::debug_table`", "42", "Instance.debug_table", ""),
    ("`Instance::debug_function`", "42", "Instance.debug_function", ""),
    ("`Instance::debug_tag`", "42", "Instance.debug_tag", ""),
    ("`Module::debug_bytecode`", "43", "Module.bytecode", ""),
    ("`edit_breakpoints`, `BreakpointEdit`", "41", "Store.edit_breakpoints", ""),
    ("`breakpoints`, `Breakpoint`", "41", "Store.breakpoints", ""),
    ("`is_single_step`", "41", "Store.is_single_step", ""),
)

#: what is described, in this order
SECTIONS = (
    ("Guests", ("Config", "Engine", "Module", "Store", "Linker", "InstancePre", "Instance", "Func", "Caller")),
    ("Frames", ("DebugFrameCursor", "FrameHandle", "FrameWriter", "Unavailable")),
    ("Events", ("DebugEvent", "Handler")),
    ("Breakpoints and traces", ("BreakpointEdit", "Breakpoint", "Trace", "TraceEntry")),
    ("Watchpoints", ("Watchpoint",)),
    (
        "Driving a guest",
        ("Debuggee", "Continue", "InjectCall", "EarlyReturn", "ThrowException", "JumpTo"),
    ),
    ("Values", ("Val", "AnyRef", "I31Ref", "StructRef", "ArrayRef", "ExnRef")),
    ("Traps", ("Trap", "Frame")),
    (
        "Errors",
        (
            "WasmscopeError",
            "DecodeError",
            "UnsupportedFeature",
            "StaleFrame",
            "NotPaused",
            "BreakpointError",
            "ConditionError",
        ),
    ),
)

#: what the parts of the package use of each other's classes, and no host needs
INTERNAL = {
    "Config": ("setting", "check", "for_rewritten", "rewritten_wasm_stack"),
    "Engine": ("shadow_table_module",),
    "Module": ("instrumented", "frame_table", "original", "imports_only"),
    "Store": (
        "shadow",
        "frames",
        "has_tail_calls",
        "tell",
        "told_to",
        "withdraw_interrupt",
        "wake",
        "check_epoch",
        "host_called",
        "host_done",
        "stops_made",
    ),
    "InstancePre": ("of",),
    "Instance": ("is_made", "memory_size", "standing_for"),
    "Func": ("signature",),
    "FrameHandle": ("raw",),
    "BreakpointEdit": ("apply",),
    "Breakpoint": ("concerns",),
    "Watchpoint": ("space", "range", "mode"),
    "Trace": ("note", "end"),
    "Frame": ("of",),
    "Trap": ("of", "engine_frames"),
    "ExnRef": ("of",),
}

#: the whole docstring of a method that only stands for wasmtime's
UNCHANGED = "As wasmtime's."


def resolve(name: str) -> Any:
    """What a dotted name of the package stands for; AttributeError where there is none."""
    found: Any = wasmscope
    for part in name.split("."):
        found = getattr(found, part)
    return found


def render() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *_table(), *_sections(), *_same_as_wasmtime()]).rstrip() + "\n"


def _table() -> Iterator[str]:
    yield "## Wasmtime's debugging API and where it is here\n"
    yield "| Wasmtime | since | wasmscope | |\n|---|---|---|---|"
    for item, since, ours, note in DEBUG_RS:
        if ours:
            resolve(ours)
        yield f"| {item} | {since} | {f'[`{ours}`](#{_anchor(ours)})' if ours else ''} | {note} |"
    yield ""


def _anchor(name: str) -> str:
    return name.split(".")[0].lower()


def _sections() -> Iterator[str]:
    for title, names in SECTIONS:
        yield f"## {title}\n"
        for name in names:
            yield from _class(name, resolve(name))


def _class(name: str, described: type) -> Iterator[str]:
    yield f"### {name}\n"
    parameters = _parameters(described.__init__) if "__init__" in vars(described) else ""
    bases = [base.__name__ for base in described.__bases__ if base is not object and base.__module__ != "typing"]
    yield f"`class {name}{parameters}`{f', a `{bases[0]}`' if bases and bases[0] != name else ''}\n"
    yield f"{_doc(described)}\n"
    for member, value in vars(described).items():
        if member.startswith("_") or member in INTERNAL.get(name, ()) or _doc(value) == UNCHANGED:
            continue
        yield from _member(name, member, value)


def _member(owner: str, name: str, value: Any) -> Iterator[str]:
    if isinstance(value, type):
        fields = ", ".join(vars(value).get("__annotations__", {}))
        yield f"- **`{owner}.{name}({fields})`**: {_doc(value, indent=True)}"
    elif isinstance(value, property):
        yield f"- **`{name}`**: {_doc(value, indent=True)}"
    elif callable(value) or isinstance(value, classmethod | staticmethod):
        function = getattr(value, "__func__", value)
        if not inspect.getdoc(function):
            return
        made_async = "async " if inspect.iscoroutinefunction(function) else ""
        yield f"- **`{made_async}{name}{_parameters(function)}`**: {_doc(function, indent=True)}"
    yield ""


def _parameters(function: Any) -> str:
    signature = inspect.signature(function)
    shown = []
    star = False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        prefix = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        text = prefix + parameter.name
        if parameter.annotation is not inspect.Parameter.empty:
            text += f": {parameter.annotation}"
        if parameter.default is not inspect.Parameter.empty:
            text += f" = {parameter.default!r}"
        shown.append(text)
    result = signature.return_annotation
    returned = "" if result in (inspect.Signature.empty, "None", None) else f" -> {result}"
    return f"({', '.join(shown)}){returned}"


def _doc(described: Any, *, indent: bool = False) -> str:
    text = inspect.getdoc(described) or ""
    return text.replace("\n", "\n  ").replace("\n  \n", "\n\n") if indent else text


def _same_as_wasmtime() -> Iterator[str]:
    same = [name for name in wasmscope.__all__ if getattr(wasmtime, name, None) is getattr(wasmscope, name)]
    yield "## wasmtime's own\n"
    yield f"These are the very objects of the `wasmtime` package: {', '.join(f'`{name}`' for name in sorted(same))}."


def main() -> int:
    """Write the document, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the document is not up to date")
    options = parser.parse_args()
    text = render()
    if options.check:
        return int(not TARGET.exists() or TARGET.read_text() != text)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
