"""Lines and inlined calls against other readers of DWARF: wasm-tools' (gimli), LLVM's and pyelftools'."""

from __future__ import annotations

PROGRAM = pytest.mark.parametrize("name", NAMES)


def pcs_of(module: Module) -> list[int]:
    """Every instruction of a module."""
    found: list[int] = []
    for code in module.codes:
        pc = code.code_start
        for token in tokenize(module.bytecode, code.code_start, code.end):
            found.append(pc)
            pc += len(token)
    return found


def shown(info: DwarfInfo, pc: int) -> list[tuple[str, str, int, int]]:
    """The frames at `pc`: function, path, line and column."""
    return [
        (frame.function.name, frame.location.file.path, frame.location.line, frame.location.column)
        if frame.location is not None
        else (frame.function.name, "", 0, 0)
        for frame in info.frames_at(pc)
    ]


def by_wasm_tools(path: Path, pcs: list[int]) -> list[list[tuple[str, str, int, int]]]:
    """The same by `wasm-tools addr2line`; it shows demangled names, of which the last part without arguments is kept."""
    text = wasm_tools("addr2line", str(path), *(hex(pc) for pc in pcs)).decode()
    answers: list[list[tuple[str, str, int, int]]] = []
    for line in text.splitlines():
        if line.startswith("0x"):
            answers.append([])
        found = re.fullmatch(r"(?:0x[0-9a-f]+:|\t) ?(.*?) (\S*?)(?::(\d+))?(?::(\d+))?", line)
        if found:
            name = found[1].partition("(")[0].rpartition("::")[2]
            path_ = found[2] if found[3] else ""
            answers[-1].append((name, path_, int(found[3] or 0), int(found[4] or 0)))
    return answers


@pytest.mark.skipif(bool(WASM_TOOLS_ABSENT), reason=WASM_TOOLS_ABSENT)
@PROGRAM
def test_frames_are_those_of_wasm_tools(name: str) -> None:
    module, info = module_of(name), info_of(name)
    pcs = pcs_of(module)
    theirs = by_wasm_tools(FOLDER / name, pcs)
    ours = [[(each[0].partition("<")[0], *each[1:]) for each in shown(info, pc)] for pc in pcs]
    assert len(theirs) == len(pcs) > 20
    assert dict(zip(pcs, ours, strict=True)) == dict(zip(pcs, theirs, strict=True))
