"""Where debug information is found: in the module, or in a file that was given or allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from source.programs import FOLDER, module_of
from wasmscope.errors import DecodeError
from wasmscope.source.dwarf.info import DwarfInfo
from wasmscope.source.dwarf.sections import LONGEST_STRING, external_name, find_external, read_sections
from wasmscope.source.paths import PathMap
from wasmscope.wasm.decode.module import decode_module
from wasmscope.wasm.module import Module


def custom(name: str, content: bytes) -> bytes:
    """A custom section; sizes up to 2^14."""
    body = bytes([len(name)]) + name.encode() + content
    return b"\0" + bytes([0x80 | len(body) & 0x7F, len(body) >> 7]) + body


def stripped_of_dwarf(module: Module, *more: bytes) -> Module:
    kept = b"".join(
        module.bytecode[each.start : each.end] for each in module.sections if not each.name.startswith(".debug_")
    )
    return decode_module(module.bytecode[:8] + kept + b"".join(more))


def test_a_separate_file_is_read_when_it_is_given() -> None:
    whole = module_of("types_O0.wasm")
    module = stripped_of_dwarf(whole, custom("external_debug_info", b"\x0atypes.wasm"))
    assert external_name(module) == "types.wasm"
    without = DwarfInfo(read_sections(module))
    assert without.functions_named("run") == ()
    assert without.problems() == ("the debug information is in a separate file, which was not given: types.wasm",)
    info = DwarfInfo(read_sections(module, whole.bytecode))
    (run,) = info.functions_named("run")
    assert run.entry is not None
    assert module.bytecode[run.entry :][:20] == whole.bytecode[run.ranges[0].start :][:20]
    assert info.problems() == ()


def test_a_separate_file_of_another_build_is_noticed() -> None:
    module = stripped_of_dwarf(module_of("types_O0.wasm"))
    info = DwarfInfo(read_sections(module, module_of("types_O2.wasm").bytecode))
    assert "another build" in info.problems()[0]


def test_a_separate_file_that_is_no_module_is_an_error() -> None:
    with pytest.raises(DecodeError):
        read_sections(module_of("types_O0.wasm"), b"no module")


def test_only_files_in_allowed_folders_are_found(tmp_path: Path) -> None:
    allowed, secret = tmp_path / "allowed", tmp_path / "secret"
    allowed.mkdir()
    secret.mkdir()
    (allowed / "types.wasm").write_bytes(b"debug")
    (secret / "key").write_bytes(b"secret")
    (allowed / "link").symlink_to(secret / "key")

    def find(name: str) -> Path | None:
        encoded = name.encode()
        module = stripped_of_dwarf(
            module_of("types_O0.wasm"), custom("external_debug_info", bytes([len(encoded)]) + encoded)
        )
        return find_external(module, (allowed,))

    assert find("types.wasm") == allowed / "types.wasm"
    assert find("https://example.org/build/types.wasm") == allowed / "types.wasm"
    for name in ("../secret/key", str(secret / "key"), "link", "..", "", "a\0b", "absent.wasm"):
        assert find(name) is None


def test_strings_that_are_absurdly_long_are_cut() -> None:
    sections = read_sections(decode_module(b"\0asm\1\0\0\0" + custom(".debug_str", b"a\0" + b"b" * 16_300)))
    assert sections.get(".debug_str") == b"a\0" + b"b" * 16_300
    long = b"x\0" + b"y" * (3 * LONGEST_STRING) + b"\0z\0"
    size = len(long) + 11
    section = b"\0" + bytes([0x80 | size & 0x7F, 0x80 | size >> 7 & 0x7F, size >> 14]) + b"\x0a.debug_str" + long
    content = read_sections(decode_module(b"\0asm\1\0\0\0" + section)).get(".debug_str")
    assert len(content) == len(long)
    assert max(map(len, content.split(b"\0"))) <= LONGEST_STRING
    assert content.endswith(b"\0z\0")


def test_paths_are_remapped() -> None:
    sections = read_sections(module_of("types_O0.wasm"))
    info = DwarfInfo(sections, PathMap((("/programs", str(FOLDER)),)))
    (file,) = info.files()
    assert Path(file.path).read_text() == (FOLDER / "types.c").read_text()
    assert file.name == "types.c"
    assert info.places(file.path, 74).places == info.places("types.c", 74).places != ()
