"""Builds the programs of tests/source/programs anew: `python tests/source/build.py`, with `ziglang` installed.

What it builds is in the repository, so that the tests need no compiler. Paths in the debug information are made the
same everywhere; another version of the compiler makes other code, and the goldens of the tests have to be looked at.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"

C = ("cc", "-target", "wasm32-freestanding", "-nostdlib", "-fno-sanitize=undefined", "-Wl,--no-entry", "-g")
CPP = ("c++", *C[1:], "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")

BUILDS: dict[str, tuple[str, ...]] = {
    "types_O0.wasm": (*C, "-O0", "types.c"),
    "types_O2.wasm": (*C, "-O2", "types.c"),
    "types_v5.wasm": (*C, "-O0", "-gdwarf-5", "types.c"),
    "inlined_O0.wasm": (*C, "-O0", "inlined.c"),
    "inlined_O2.wasm": (*C, "-O2", "inlined.c"),
    "inlined_O2_v5.wasm": (*C, "-O2", "-gdwarf-5", "-gembed-source", "inlined.c"),
    "classes_O0.wasm": (*CPP, "-O0", "classes.cpp"),
    "classes_O2.wasm": (*CPP, "-O2", "classes.cpp"),
}


def main() -> None:
    """Build those named, or all."""
    for name in sys.argv[1:] or BUILDS:
        command = [sys.executable, "-m", "ziglang", *BUILDS[name], "-o", name, f"-ffile-prefix-map={FOLDER}=/programs"]
        subprocess.run(command, check=True, cwd=FOLDER)
        print(name, (FOLDER / name).stat().st_size)


if __name__ == "__main__":
    main()
