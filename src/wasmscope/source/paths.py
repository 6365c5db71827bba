"""Paths of source files: as compilers record them, on any system, and as they are here."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True, slots=True)
class PathMap:
    """Which folders of the machine that compiled are where on this one: pairs of from and to; the longest from wins."""

    rules: tuple[tuple[str, str], ...] = ()

    def apply(self, path: str) -> str:
        """`path` with its beginning replaced, if a rule is about it."""
        best: tuple[str, str] | None = None
        for source, target in self.rules:
            source = source.rstrip("/\\")
            is_inside = path == source or (path.startswith(source) and path[len(source)] in "/\\")
            if is_inside and (best is None or len(source) > len(best[0])):
                best = source, target
        if best is None:
            return path
        rest = path[len(best[0]) :].replace("\\", "/").strip("/")
        return f"{best[1].rstrip('/')}/{rest}" if rest else best[1]


def is_absolute(path: str) -> bool:
    """Whether a path needs no folder to start from, on the system it comes from."""
    return path.startswith("/") or _DRIVE.match(path) is not None


def join(*parts: str) -> str:
    """One path of a folder, one inside it, and so on; an absolute one starts anew. `.` and `..` are worked out."""
    path = ""
    for part in parts:
        if not part:
            continue
        if not path or is_absolute(part):
            path = part
        else:
            path = f"{path.rstrip('/')}/{part}" if not path.endswith("\\") else path + part
    return _normal(path)


def _normal(path: str) -> str:
    if _DRIVE.match(path):
        path = path.replace("\\", "/")
    if "/." not in path and "//" not in path and not path.startswith("./"):
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept == [""]:
            continue  # above the root is the root
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif part not in (".", "") or not kept:
            kept.append(part)
    return "/".join(kept if len(kept) == 1 or kept[0] != "." else kept[1:])


def is_meant(path: str, wanted: str) -> bool:
    """Whether `wanted` means `path`: all of it, or its last parts. Windows' paths are compared without case."""
    path, wanted = path.replace("\\", "/"), _normal(wanted.replace("\\", "/"))
    if _DRIVE.match(path):
        path, wanted = path.lower(), wanted.lower()
    return bool(wanted) and (path == wanted or (path.endswith("/" + wanted.lstrip("/")) and not is_absolute(wanted)))
