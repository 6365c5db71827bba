"""Where a module's source map is: in the module itself, or in a file that the caller allows to be read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote_to_bytes

from wasmscope.errors import DecodeError
from wasmscope.source.paths import PathMap
from wasmscope.source.source_map.decode import LARGEST, decode_source_map
from wasmscope.source.source_map.model import NoSourceMap, SourceMap
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import Module
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.sections import SectionId

SECTION = "sourceMappingURL"
"""The custom section with the map's address (ECMA-426, 11.1.3)."""


def source_mapping_url(module: Module) -> str | NoSourceMap | None:
    """The address that the module has for its source map; None: it has none."""
    section = next((each for each in module.sections if each.id == SectionId.CUSTOM and each.name == SECTION), None)
    if section is None:
        return None
    reader = Reader(module.bytecode, section.payload_start, section.end)
    try:
        # An inlined map is in the address, which so is longer than any name.
        return reader.bytes(reader.u32()).decode()
    except (DecodeError, UnicodeDecodeError) as error:
        return NoSourceMap(f"{SECTION} section: {error}")


def find_source_map(
    module: Module, folders: Sequence[Path] = (), path_map: PathMap | None = None
) -> SourceMap | NoSourceMap | None:
    """The module's source map; None: it says nothing of one.

    A file is read only if it is in one of `folders`, whatever its address says; only the last part of the address
    counts. Nothing is ever fetched from a network.
    """
    url = source_mapping_url(module)
    if url is None or isinstance(url, NoSourceMap):
        return url
    if url.startswith("data:"):
        content = _inlined(url)
        return content if isinstance(content, NoSourceMap) else _decoded(content, module, "", path_map)
    path = _file(url, folders)
    if path is None:
        if url.startswith(("http:", "https:")):
            return NoSourceMap(f"the source map is at {escaped(url)}: it is not fetched; name its folder if it is here")
        return NoSourceMap(f"the source map {escaped(url)} is not in a folder that may be read")
    try:
        if path.stat().st_size > LARGEST:
            return NoSourceMap(f"the source map {escaped(str(path))} is larger than {LARGEST >> 20} MiB")
        content = path.read_bytes()
    except OSError as error:
        return NoSourceMap(f"the source map {escaped(str(path))} cannot be read: {error.strerror}")
    return _decoded(content, module, path.parent.as_posix(), path_map)


def _decoded(content: bytes, module: Module, folder: str, path_map: PathMap | None) -> SourceMap | NoSourceMap:
    return decode_source_map(content, len(module.bytecode), folder, path_map)


def _inlined(url: str) -> bytes | NoSourceMap:
    """The content of a `data:` address (RFC 2397)."""
    head, comma, content = url.partition(",")
    if not comma:
        return NoSourceMap("the inlined source map is malformed: there is no comma")
    if len(content) > 2 * LARGEST:
        return NoSourceMap(f"the inlined source map is larger than {LARGEST >> 20} MiB")
    plain = unquote_to_bytes(content)
    if not head.endswith(";base64"):
        return plain
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        return NoSourceMap(f"the inlined source map is malformed: {error}")


def _file(url: str, folders: Sequence[Path]) -> Path | None:
    """The file of that name in one of the folders. Neither `..` nor a link leads out of them."""
    name = PurePosixPath(url.partition("?")[0].partition("#")[0].replace("\\", "/")).name
    if name in ("", ".", "..") or "\0" in name:
        return None
    for folder in folders:
        try:
            path = (folder / name).resolve(strict=True)
            if path.is_relative_to(folder.resolve(strict=True)) and path.is_file():
                return path
        except (OSError, RuntimeError):
            continue
    return None
