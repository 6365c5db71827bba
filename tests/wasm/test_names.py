"""The name section: what is in it, and what is left of a malformed one."""

from __future__ import annotations

import pytest

from support.wasmtools import wat
from wasm.modules import custom, leb, module_of, section
from wasmscope.wasm import limits
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.encode.names import encode_names
from wasmscope.wasm.names import NameSection, decode_names


def names_of(*payloads: bytes) -> NameSection:
    return decode_names(decode_module(module_of(*(custom("name", payload) for payload in payloads))))


def name_map(*entries: tuple[int, bytes]) -> bytes:
    return leb(len(entries)) + b"".join(leb(index) + leb(len(name)) + name for index, name in entries)


@pytest.mark.wasm_tools
def test_names_of_a_text_module() -> None:
    names = decode_names(
        decode_module(
            wat(
                """(module $m (type $s (struct (field $x i32)))
                  (func $f (param $p i32) (local $l i64) (block $b)) (func) (func $"odd name")
                  (table $t 1 funcref) (memory $mem 1) (global $g i32 (i32.const 0)) (tag $tag)
                  (elem $e func) (data $d "x"))"""
            )
        )
    )
    assert names == NameSection(
        module="m",
        functions={0: "f", 2: "odd name"},
        locals={0: {0: "p", 1: "l"}},
        labels={0: {0: "b"}},
        types={0: "s"},
        tables={0: "t"},
        memories={0: "mem"},
        globals={0: "g"},
        elements={0: "e"},
        data={0: "d"},
        fields={0: {0: "x"}},
        tags={0: "tag"},
    )
    again = decode_names(decode_module(module_of(custom("name", encode_names(names)))))
    assert again == names


def test_no_name_section() -> None:
    assert decode_names(decode_module(module_of(custom("other", b"\x01\x01\x01")))) == NameSection()


def test_malformed_utf8_is_replaced() -> None:
    assert names_of(section(1, name_map((0, b"a\xff\xfeb")))).functions == {0: "a\ufffd\ufffdb"}


def test_what_could_be_read_is_kept() -> None:
    cut = b"\x03" + name_map((0, b"a"), (1, b"b"))[1:] + b"\x02\x7f"
    names = names_of(section(1, cut) + section(7, name_map((4, b"g"))))
    assert names.functions == {0: "a", 1: "b"}
    assert names.globals == {4: "g"}
    (note,) = names.notes
    assert note.startswith("name subsection 1: unexpected end")


def test_a_subsection_that_runs_over_the_section_ends_the_reading() -> None:
    names = names_of(section(1, name_map((0, b"a"))) + b"\x02\x7f")
    assert names.functions == {0: "a"}
    assert len(names.notes) == 1


def test_unknown_subsections_are_passed_over() -> None:
    names = names_of(section(77, b"whatever") + section(1, name_map((0, b"a"))))
    assert (names.functions, names.notes) == ({0: "a"}, ())


def test_two_name_sections() -> None:
    assert names_of(section(1, name_map((0, b"a"), (1, b"b"))), section(1, name_map((1, b"c")))).functions == {
        0: "a",
        1: "c",
    }


def test_the_number_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NAMES", 3)
    nested = b"\x02\x00" + name_map((0, b"a"), (1, b"b")) + b"\x01" + name_map((0, b"c"))
    names = names_of(section(2, nested))
    assert names.locals[0] == {} or len(names.locals[0]) <= 2
    assert "too many names" in names.notes[0]
