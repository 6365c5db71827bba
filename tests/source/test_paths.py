"""Paths of source files, as they are recorded on any system."""

from __future__ import annotations

import pytest

from wasmscope.source.paths import PathMap, is_meant, join


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("/src", "main.c"), "/src/main.c"),
        (("/src", "", "lib", "main.c"), "/src/lib/main.c"),
        (("/src", "/usr/include", "stdio.h"), "/usr/include/stdio.h"),
        (("/src", "../lib/./a.c"), "/lib/a.c"),
        (("/src", "../../../a.c"), "/a.c"),
        ((".", "main.c"), "main.c"),
        (("", "main.c"), "main.c"),
        (("../x", "main.c"), "../x/main.c"),
        (("C:\\work", "src\\main.c"), "C:/work/src/main.c"),
        (("/src", "C:\\work\\main.c"), "C:/work/main.c"),
        (("/src//a/", "main.c"), "/src/a/main.c"),
    ],
)
def test_paths_are_joined(parts: tuple[str, ...], expected: str) -> None:
    assert join(*parts) == expected


@pytest.mark.parametrize(
    ("path", "wanted", "expected"),
    [
        ("/src/main.c", "main.c", True),
        ("/src/main.c", "src/main.c", True),
        ("/src/main.c", "/src/main.c", True),
        ("/src/main.c", "./main.c", True),
        ("/src/main.c", "ain.c", False),
        ("/src/main.c", "/main.c", False),
        ("/src/main.c", "", False),
        ("C:/Work/Main.c", "main.c", True),
        ("/src/Main.c", "main.c", False),
    ],
)
def test_a_path_is_meant_by_its_last_parts(path: str, wanted: str, expected: bool) -> None:
    assert is_meant(path, wanted) is expected


def test_the_longest_rule_that_fits_maps_a_path() -> None:
    mapped = PathMap((("/build", "/here"), ("/build/lib", "/lib/"), ("C:/w", "/w")))
    assert mapped.apply("/build/main.c") == "/here/main.c"
    assert mapped.apply("/build/lib/a.c") == "/lib/a.c"
    assert mapped.apply("/builder/main.c") == "/builder/main.c"
    assert mapped.apply("/build") == "/here"
    assert mapped.apply("C:/w/a.c") == "/w/a.c"
