"""Builds the programs of tests/source/programs anew: `python tests/source/build.py`, with `ziglang` installed.

What it builds is in the repository, so that the tests need no compiler. Paths in the debug information are made the
same everywhere; another version of the compiler makes other code, and the goldens of the tests have to be looked at.
"""

from __future__ import annotations

import lzma
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"

C = ("cc", "-target", "wasm32-freestanding", "-nostdlib", "-fno-sanitize=undefined", "-Wl,--no-entry", "-g")
CPP = ("c++", *C[1:], "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")

WASI = ("c++", "-target", "wasm32-wasi", "-mexec-model=reactor", "-std=c++20", "-fno-exceptions", "-fno-rtti",
        "-fno-sanitize=undefined", "-g")  # fmt: skip
ZIG = ("build-exe", "-target", "wasm32-freestanding", "-fno-entry", "-rdynamic", "-O", "Debug",
       "-fno-compiler-rt", "-fno-ubsan-rt")  # fmt: skip

BUILDS: dict[str, tuple[str, ...]] = {
    "types_O0.wasm": (*C, "-O0", "types.c"),
    "types_O2.wasm": (*C, "-O2", "types.c"),
    "types_v5.wasm": (*C, "-O0", "-gdwarf-5", "types.c"),
    "inlined_O0.wasm": (*C, "-O0", "inlined.c"),
    "inlined_O2.wasm": (*C, "-O2", "inlined.c"),
    "inlined_O2_v5.wasm": (*C, "-O2", "-gdwarf-5", "-gembed-source", "inlined.c"),
    "classes_O0.wasm": (*CPP, "-O0", "classes.cpp"),
    "classes_O2.wasm": (*CPP, "-O2", "classes.cpp"),
    "values_zig.wasm": (*ZIG, "values.zig"),
    "library_O0.wasm": (*WASI, "-O0", "library.cpp"),
}

COMPRESSED = ("values_zig.wasm", "library_O0.wasm")
"""They have the debug information of a library too: what no test needs is dropped, the rest kept as .xz."""


def main() -> None:
    """Build those named, or all."""
    for name in sys.argv[1:] or BUILDS:
        is_zig = BUILDS[name] == (*ZIG, "values.zig")
        output = (f"-femit-bin={name}",) if is_zig else ("-o", name, f"-ffile-prefix-map={FOLDER}=/programs")
        subprocess.run([sys.executable, "-m", "ziglang", *BUILDS[name], *output], check=True, cwd=FOLDER)
        if name in COMPRESSED:
            compress(FOLDER / name)
        else:
            print(name, (FOLDER / name).stat().st_size)


def compress(path: Path) -> None:
    """Leave `path` with `.xz` behind it, without what no test needs."""
    unneeded = ("^\\.debug_loc$", "^\\.debug_pub", "^name$", "^producers$")
    options = [option for section in unneeded for option in ("-d", section)]
    subprocess.run(["wasm-tools", "strip", *options, path, "-o", path], check=True)
    compressed = path.with_name(f"{path.name}.xz")
    compressed.write_bytes(lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    path.unlink()
    print(compressed.name, compressed.stat().st_size)


if __name__ == "__main__":
    main()
