"""Source maps from JSON: version 3, plain and with sections, and those that are malformed or want to do harm."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from wasmscope.source.paths import PathMap
from wasmscope.source.source_map.decode import MOST_SECTIONS, decode_source_map
from wasmscope.source.source_map.model import NO_NAME, NO_SOURCE, NoSourceMap, SourceMap
from wasmscope.source.source_map.vlq import MalformedMappings, MappingsDecoder, decode_segment

SIZE = 1000


def encoded(*numbers: int) -> str:
    """A segment."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = ""
    for number in numbers:
        rest = abs(number) << 1 | (number < 0)
        while True:
            rest, low = rest >> 5, rest & 31
            text += digits[low | (32 if rest else 0)]
            if not rest:
                break
    return text


def decode(size: int = SIZE, **fields: Any) -> SourceMap:
    found = decode_source_map(json.dumps({"version": 3, **fields}).encode(), size)
    assert isinstance(found, SourceMap), found
    return found


def rows(source_map: SourceMap) -> list[tuple[int, ...]]:
    mappings = source_map.mappings
    return list(zip(mappings.pcs, mappings.sources, mappings.lines, mappings.columns, mappings.names, strict=True))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("A", (0,)),
        ("D", (-1,)),
        ("AAAA", (0, 0, 0, 0)),
        ("gBDCAA", (16, -1, 1, 0, 0)),
        ("+/////D", (0x7FFFFFFF,)),
    ],
)
def test_segments(text: str, numbers: tuple[int, ...]) -> None:
    assert decode_segment(text) == numbers
    assert encoded(*numbers) == text


@pytest.mark.parametrize("text", ["g", "AA", "AAA", "AAAAAA", "!", "A A", "gggggggggggA", "é"])
def test_malformed_segments(text: str) -> None:
    with pytest.raises(MalformedMappings):
        decode_segment(text)


def test_mappings_are_differences() -> None:
    source_map = decode(
        sources=["a.c", "b.c"],
        names=["x"],
        mappings=",".join([encoded(10, 0, 4, 2), encoded(5, 1, -1, 3, 0), encoded(2), encoded(1, -1, 0, 0)]),
    )
    assert rows(source_map) == [
        (10, 0, 4, 2, NO_NAME),
        (15, 1, 3, 5, 0),
        (17, NO_SOURCE, 0, 0, NO_NAME),
        (18, 0, 3, 5, NO_NAME),
    ]
    assert source_map.problems == ()
    assert source_map.names == ("x",)


def test_mappings_are_sorted_by_pc() -> None:
    source_map = decode(sources=["a"], mappings=",".join([encoded(30, 0, 1, 0), encoded(-20, 0, 1, 0)]))
    assert rows(source_map) == [(10, 0, 2, 0, NO_NAME), (30, 0, 1, 0, NO_NAME)]


def test_sections_begin_at_their_offsets() -> None:
    part = {"version": 3, "sources": ["a.c"], "names": ["n"], "mappings": encoded(1, 0, 0, 0, 0)}
    other = {"version": 3, "sources": ["b.c"], "names": ["m"], "mappings": encoded(2, 0, 7, 0, 0)}
    source_map = decode(
        sections=[
            {"offset": {"line": 0, "column": 0}, "map": part},
            {"offset": {"line": 0, "column": 100}, "map": other},
            {"offset": {"line": 1, "column": 0}, "map": part},
            {"offset": {"line": 0, "column": 200}, "url": "http://example.org/x.map"},
            {"offset": {"line": 0, "column": 300}, "map": {"version": 3, "sections": []}},
        ]
    )
    assert rows(source_map) == [(1, 0, 0, 0, 0), (102, 1, 7, 0, 1)]
    assert [file.name for file in source_map.files] == ["a.c", "b.c"]
    assert source_map.names == ("n", "m")
    assert source_map.problems == (
        "a section of code that does not exist",
        "a section is in another file: it is left out",
        "a section has sections itself: it is left out",
    )


def test_files_have_their_paths_and_texts() -> None:
    content = json.dumps(
        {
            "version": 3,
            "sourceRoot": "src/",
            "sources": ["a.c", "../b.c", "/abs/c.c", None, "webpack:///d.ts", "file:///e%20f.c"],
            "sourcesContent": ["int a;", None],
            "mappings": "",
        }
    ).encode()
    found = decode_source_map(content, SIZE, "/build", PathMap((("/abs", "/here"),)))
    assert isinstance(found, SourceMap)
    assert [file.path for file in found.files] == [
        "/build/src/a.c",
        "/build/b.c",
        "/here/c.c",
        "/build/src/",
        "webpack:///d.ts",
        "/e f.c",
    ]
    assert [file.text for file in found.files] == ["int a;", None, None, None, None, None]
    assert found.problems == ("the texts of sources are more or fewer than the sources",)


def test_a_guard_in_front_is_passed_over() -> None:
    assert isinstance(decode_source_map(b')]}\'\n{"version": 3, "sources": [], "mappings": ""}', SIZE), SourceMap)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2, "mappings": ""}',
        b'{"mappings": ""}',
        b'{"version": 3, "sources": "a.c", "mappings": ""}',
        b'{"version": 3, "sources": [1], "mappings": ""}',
        b'{"version": 3, "mappings": 7}',
        b'{"version": 3, "sections": [{"map": {}}]}',
        b'{"version": 3, "x": ' + b"[" * 1_000_000,
        b'{"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": ' * 50_000,
    ],
    ids=range(12),
)
def test_what_is_no_source_map(content: bytes) -> None:
    assert isinstance(decode_source_map(content, SIZE), NoSourceMap)


def test_mappings_of_what_does_not_exist_are_left_out() -> None:
    source_map = decode(
        sources=["a"],
        names=["n"],
        mappings=",".join(
            [
                encoded(1, 5, 0, 0),
                encoded(1, -5, -1, 0),
                encoded(1, 0, 1, 0, 9),
                encoded(SIZE),
                encoded(-SIZE - 10),
            ]
        ),
    )
    assert rows(source_map) == [
        (1, NO_SOURCE, 0, 0, NO_NAME),
        (2, NO_SOURCE, 0, 0, NO_NAME),
        (3, 0, 0, 0, NO_NAME),
    ]
    assert source_map.problems == ("4 mappings of code or sources that do not exist",)


def test_what_is_before_a_malformed_segment_is_kept() -> None:
    source_map = decode(sources=["a"], mappings=f"{encoded(1, 0, 0, 0)},!!,{encoded(1, 0, 0, 0)};AAAA")
    assert len(source_map.mappings.pcs) == 1
    assert len(source_map.problems) == 2


def test_many_sections_are_bounded() -> None:
    part = {"offset": {"line": 0, "column": 0}, "map": {"version": 3, "mappings": "A"}}
    source_map = decode(sections=[part] * (MOST_SECTIONS + 1))
    assert len(source_map.mappings.pcs) == MOST_SECTIONS
    assert "sections" in source_map.problems[0]


def test_many_mappings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmscope.source.source_map.vlq.MOST_SEGMENTS", 100)
    assert len(decode(sources=["a"], mappings="AAAA," * 500).mappings.pcs) == 100


def test_a_large_map_takes_little_time() -> None:
    segments = [encoded(1, 0, i % 3 - 1, i % 5) for i in range(300_000)]
    decoder = MappingsDecoder(1 << 20)
    start = time.process_time()
    decoder.section(",".join(segments), 0, 0, 1, 0, 0)
    assert len(decoder.result().pcs) == 300_000
    assert time.process_time() - start < 10


def test_mutated_maps_give_a_map_or_a_reason() -> None:
    rng = random.Random(3)
    segments = ",".join(encoded(2, 0, 1, 1, 0) for _ in range(40))
    content = json.dumps({"version": 3, "sources": ["a", "b"], "names": ["n"], "mappings": segments}).encode()
    results = set()
    for _ in range(3000):
        mutated = bytearray(content)
        for _ in range(rng.randrange(1, 6)):
            mutated[rng.randrange(len(mutated))] = rng.choice(b'{}[]",:;AAgD0+/\xff n')
        if rng.random() < 0.1:
            del mutated[rng.randrange(len(mutated)) :]
        found = decode_source_map(bytes(mutated), SIZE)
        results.add(type(found))
        if isinstance(found, SourceMap):
            assert all(0 <= pc < SIZE for pc in found.mappings.pcs)
            assert all(NO_SOURCE <= source < len(found.files) for source in found.mappings.sources)
            assert all(NO_NAME <= name < len(found.names) for name in found.mappings.names)
    assert results == {SourceMap, NoSourceMap}
