"""C++ and Rust names, and those that want to exhaust whoever reads them."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from wasmscope.source.demangle import LONGEST, demangled, is_called, without_arguments

NAMES = Path(__file__).with_name("mangled_names.txt").read_text().splitlines()
"""Each a mangled name, a tab, and what `llvm-cxxfilt` says it is (of legacy Rust names: without their hash)."""


@pytest.mark.parametrize(
    ("mangled", "readable"),
    [
        ("_ZN3foo3barEv", "foo::bar()"),
        ("__ZN3foo3barEv", "foo::bar()"),
        ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int>>::push_back(int const&)"),
        ("_ZN12_GLOBAL__N_14mainEPKc", "(anonymous namespace)::main(char const*)"),
        ("_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"),
        (
            "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
            "<Test + 'static as foo::Bar<Test>>::bar",
        ),
        ("_RNvC6_123foo3bar", "123foo::bar"),
        ("_RNvMs_CsbmNqQUJIY6D_4core3strj", "_RNvMs_CsbmNqQUJIY6D_4core3strj"),
        ("main", "main"),
        ("", ""),
        ("_Z", "_Z"),
        ("_R", "_R"),
        ("_Znope", "_Znope"),
        ("_ZN3foo", "_ZN3foo"),
        ("std::vector<int>::size()", "std::vector<int>::size()"),
    ],
)
def test_names(mangled: str, readable: str) -> None:
    assert demangled(mangled) == readable


def test_names_of_real_libraries_are_as_llvm_has_them() -> None:
    assert len(NAMES) > 500
    for line in NAMES:
        mangled, _, readable = line.partition("\t")
        assert demangled(mangled) == readable


@pytest.mark.skipif(shutil.which("llvm-cxxfilt") is None, reason="llvm-cxxfilt is not installed")
def test_the_recorded_answers_are_those_of_llvm() -> None:
    mangled = [line.partition("\t")[0] for line in NAMES if "17h" not in line]
    process = subprocess.run(["llvm-cxxfilt"], input="\n".join(mangled), capture_output=True, text=True, check=True)
    # Older versions put a space between closing brackets.
    assert [line.replace("> >", ">>").replace("> >", ">>") for line in process.stdout.splitlines()] == [
        demangled(name) for name in mangled
    ]


def base36(number: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return digits[number] if number < 36 else base36(number // 36) + digits[number % 36]


HOSTILE = {
    "pointers": "_Z1f" + "P" * 4000 + "i",
    "more pointers": "_Z1f" + "P" * 1_000_000 + "i",
    "names": "_ZN" + "1a" * 2000 + "E",
    "templates": "_ZN" + "1aI" * 1300 + "i" + "E" * 1300,
    "template names": "_ZN" + "1aIiE" * 800 + "E",
    "expressions": "_Z1fIX" + "pl" * 2000,
    "conversions": "_Z1fcv" * 600,
    "doubling substitutions": "_Z1f1aIiiE" + "".join(f"1bIS{base36(i)}_S{base36(i)}_E" for i in range(300)),
    "Rust generics": "_R" + "I" * 4000 + "C1a",
    "Rust back-references": "_RINvC1a1b" + "TB_B_E" * 600 + "E",
    "a Rust name in itself": "_RB_",
    "digits": "_Z" + "9" * 4000 + "a",
    "surrogates": "_ZN1\udc80E",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_take_bounded_time_and_space(name: str) -> None:
    start = time.process_time()
    readable = demangled(name)
    assert time.process_time() - start < 1
    assert len(readable) <= max(len(name), 4 * LONGEST)


def test_mutated_names_raise_nothing() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        name = list(rng.choice(NAMES).partition("\t")[0])
        for _ in range(rng.randrange(1, 4)):
            name[rng.randrange(2, len(name))] = rng.choice("0123456789_ENISPRKTLXAZCBFGDtlabcd")
        assert len(demangled("".join(name))) <= 4 * LONGEST


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("foo::bar()", "foo::bar"),
        ("std::vector<int, std::allocator<int>>::push_back(int const&)", "std::vector::push_back"),
        ("void f<int>(int)", "f"),
        ("core::ptr::drop_in_place::<alloc::string::String>", "core::ptr::drop_in_place"),
        ("operator<(a, b)", "operator<(a, b)"),
        ("(anonymous namespace)::main()", "(anonymous namespace)::main()"),
        ("main", "main"),
        ("a<b", "a<b"),
        ("", ""),
    ],
)
def test_names_without_arguments(name: str, plain: str) -> None:
    assert without_arguments(name) == plain


def test_a_name_is_known_by_its_last_parts() -> None:
    name = "std::vector<int>::push_back(int const&)"
    assert is_called(name, name)
    assert is_called(name, "push_back")
    assert is_called(name, "vector::push_back")
    assert not is_called(name, "back")
    assert not is_called(name, "")
