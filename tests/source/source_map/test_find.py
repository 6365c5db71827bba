"""Where source maps are taken from, and from where not."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from wasm.modules import custom, leb, module_of, section
from wasmscope.source.source_map.find import find_source_map
from wasmscope.source.source_map.model import NoSourceMap, SourceMap
from wasmscope.wasm.decode.module import decode_module

MAP = '{"version": 3, "sources": ["a.c"], "mappings": "AAAA"}'


def found(url: str | bytes, *folders: Path) -> SourceMap | NoSourceMap | None:
    content = url.encode() if isinstance(url, str) else url
    return find_source_map(decode_module(module_of(custom("sourceMappingURL", leb(len(content)) + content))), folders)


def reason(url: str | bytes, *folders: Path) -> str:
    answer = found(url, *folders)
    assert isinstance(answer, NoSourceMap)
    return answer.reason


def test_most_modules_have_none() -> None:
    assert find_source_map(decode_module(module_of(section(1, b"\0")))) is None


@pytest.mark.parametrize(
    "url",
    [
        "data:application/json;base64," + base64.b64encode(MAP.encode()).decode(),
        "data:application/json;charset=utf-8;base64," + base64.b64encode(MAP.encode()).decode().rstrip("="),
        "data:application/json," + quote(MAP),
    ],
)
def test_inlined_maps(url: str) -> None:
    source_map = found(url)
    assert isinstance(source_map, SourceMap)
    assert source_map.files[0].path == "a.c"


@pytest.mark.parametrize("url", ["data:", "data:;base64,!!!", "data:application/json;base64,AAAA", "data:,{"])
def test_malformed_inlined_maps(url: str) -> None:
    assert "malformed" in reason(url)


def test_a_map_beside_the_module_is_read_if_its_folder_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "x.wasm.map").write_text(MAP)
    for url in ("x.wasm.map", "./x.wasm.map", "http://localhost:8000/x.wasm.map?v=1", "/build/x.wasm.map"):
        source_map = found(url, tmp_path)
        assert isinstance(source_map, SourceMap)
        assert source_map.files[0].path == f"{tmp_path.resolve().as_posix()}/a.c"
    assert "not in a folder that may be read" in reason("x.wasm.map")


def test_nothing_is_fetched() -> None:
    assert "it is not fetched" in reason("https://example.org/x.map")


def test_no_file_outside_of_the_folders_is_read(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.map").write_text(MAP)
    (inside / "link.map").symlink_to(tmp_path / "secret.map")
    (inside / "loop.map").symlink_to(inside / "loop.map")
    urls = ("../secret.map", f"{tmp_path}/secret.map", f"file://{tmp_path}/secret.map", "link.map", "loop.map")
    for url in (*urls, "..", ".", "", "/", "a\0b", "nothing.map", "x" * 5000):
        assert "not in a folder that may be read" in reason(url, inside)


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.map")
    (tmp_path / "folder.map").mkdir()
    for name in ("pipe.map", "folder.map"):
        assert "not in a folder that may be read" in reason(name, tmp_path)


def test_a_malformed_section_is_said() -> None:
    assert "sourceMappingURL section" in reason(b"\xff\xfe")
    malformed = decode_module(module_of(custom("sourceMappingURL", b"\x7f")))
    assert isinstance(find_source_map(malformed), NoSourceMap)


def test_an_address_is_safe_to_print() -> None:
    assert reason("\x1b[2J.map").isprintable()
