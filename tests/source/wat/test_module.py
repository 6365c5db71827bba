"""The text of whole modules: word for word what `wasm-tools print` writes, and the same module when parsed again."""

from __future__ import annotations

import os
import random
import re

import pytest

from support.guests import GuestAbsent, guest
from support.wasmtools import SPEC_ABSENT, WASM_TOOLS_ABSENT, print_wat, wasm_tools
from wasm.modules import supported_spec_modules
from wasmscope.source.names import ModuleNames
from wasmscope.source.wat.function import FunctionText
from wasmscope.source.wat.module import module_lines
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module
from wasmscope.wasm.names import decode_names

PARTS = 4

ALL = bool(os.environ.get("WASMSCOPE_ALL_WAT"))
"""Whether all official modules and large guests are compared, which takes some minutes, or a sample."""

needs_suite = pytest.mark.skipif(bool(SPEC_ABSENT), reason=SPEC_ABSENT)
needs_wasm_tools = pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)


def words(text: str) -> list[str]:
    """The tokens of a text, without comments, and in the one form of several that say the same."""
    text = re.sub(r"""("(?:[^"\\]|\\.)*")|;;.*|\(;.*?;\)""", lambda match: match[1] or " ", text)
    # A rec group of one type is that type; these pages are of the usual size; tags are exported by index there.
    text = re.sub(r"\(rec\s+(\(type [^\n]*\))\s*\n\s*\)", r"\1", text).replace("(pagesize 0x10000)", "")
    text = re.sub(r"(\(export .* \(tag ).*\)\)", r"\1", text)
    # There, a type's parameters have the names of the locals of the function with the type's index.
    text = re.sub(r"^ *\(type .*", _without_names_of_parameters, text, flags=re.MULTILINE)
    # How locals are grouped is a matter of layout.
    text = re.sub(r"\(local ((?!\$)[^\n]*?)\)(?=\s*(\(local|$))", _one_by_one, text, flags=re.MULTILINE)
    # Some spell out what is printable.
    text = re.sub(r"\\u\{([0-9a-f]+)\}", _character, text)
    return re.findall(r"""\$?"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+""", text)


def _without_names_of_parameters(match: re.Match[str]) -> str:
    one_by_one = re.sub(r"\(param \$\S+ ([^()]+|\([^()]*\))\)", r"(param \1)", match[0])
    return one_by_one.replace(") (param ", " ")


def _character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character.isprintable() and character not in '"\\' else match[0]


def _one_by_one(match: re.Match[str]) -> str:
    types = re.findall(r"\([^()]*\)|\S+", match[1])
    return " ".join(f"(local {each})" for each in types)


def text_of(module: Module, *, named: bool) -> str:
    section = decode_names(module)
    return "\n".join(module_lines(module, ModuleNames(module, section).as_section() if named else section)) + "\n"


def official_modules(part: int) -> list[tuple[str, Module]]:
    """The supported ones, or a sample of them."""
    every = 1 if ALL else 10
    return list(supported_spec_modules())[part :: PARTS * every]


@needs_suite
@pytest.mark.parametrize("part", range(PARTS))
def test_official_modules_are_printed_as_wasm_tools_does(part: int) -> None:
    compared = left_out = 0
    for name, module in official_modules(part):
        theirs = print_wat(module.bytecode)
        if re.search(r'"#|\$#|\(@(custom|metadata)', theirs):
            left_out += 1  # equal names are made different, by `ModuleNames` here; annotations are not printed here
            continue
        ours = words(text_of(module, named=False))
        assert ours == words(theirs), name
        compared += len(ours)
    assert compared > 2_000
    assert left_out < 10


@needs_suite
@pytest.mark.parametrize("part", range(PARTS))
def test_official_modules_come_back_from_their_text_with_made_up_names(part: int) -> None:
    compared = 0
    for name, module in official_modules(part)[:: 1 if ALL else 5]:
        again = wasm_tools("parse", "-", input=text_of(module, named=True).encode())
        assert words(stripped(again)) == words(stripped(module.bytecode)), name
        compared += 1
    assert compared > 8


def stripped(bytecode: bytes) -> str:
    """The text without names. What is in table or memory 0 need not say so."""
    return re.sub(r"\((table|memory) 0\) (?=\()", "", print_wat(wasm_tools("strip", "--all", "-", input=bytecode)))


GUESTS = ("micropython", "graphviz", "quickjs", "resvg", *(("ruby", "cpython-3.12", "cc1plus") if ALL else ()))


@needs_wasm_tools
@pytest.mark.parametrize("name", GUESTS)
def test_functions_of_real_guests(name: str) -> None:
    try:
        path = guest(name)
    except GuestAbsent as absent:
        pytest.skip(str(absent))
    bytecode = wasm_tools("strip", "--all", str(path))
    printed = re.split(r"\n(?=  \(func )", print_wat(bytecode))[1:]
    module = decode_module(bytecode)
    names = decode_names(module)
    sample = random.Random(1).sample(range(len(module.codes)), 60)
    for index in sample:
        text = FunctionText(module, names, module.num_imported_functions + index)
        theirs = printed[index]
        if index == len(module.codes) - 1:
            theirs = theirs.partition("\n  )\n")[0] + "\n  )"
        assert words("\n".join(text.lines())) == words(theirs), index
