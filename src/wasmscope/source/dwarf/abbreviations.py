"""Abbreviation tables (DWARF 5, 7.5.3), made into plans for going over entries quickly.

A plan is the steps that go over the attributes of one kind of entry. Attributes of a fixed size that are not wanted are
one step together, so most entries take one step or two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from wasmscope.source.dwarf.constants import At, Form, Tag
from wasmscope.source.dwarf.leb128 import signed, unsigned
from wasmscope.source.dwarf.malformed import Budget, MalformedDwarf

MAX_ATTRIBUTES = 256
"""Of one entry. Compilers write some twenty; attributes may take no space, so nothing else bounds them."""


class Step(IntEnum):
    """How to go over an attribute; the number beside it is its argument."""

    SKIP = 0
    """As many bytes as the argument says."""
    LEB128 = 1
    BLOCK_LEB128 = 2
    BLOCK = 3
    """A block whose size is in as many bytes as the argument says."""
    STRING = 4
    INDIRECT = 5
    CONSTANT = 6
    """Wanted, and its value is the argument: it is in the abbreviation."""
    FIXED = 7
    """Wanted, as many bytes as the argument says."""
    UNSIGNED = 8
    SIGNED = 9
    OFFSET = 10
    """Wanted, and its value is where it is: a string."""


Plan = tuple[tuple[Step, int, int, int], ...]
"""Steps: how, its argument, and of wanted attributes the attribute and its form."""


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One kind of entry."""

    tag: int
    has_children: bool
    size: int
    """In bytes, if nothing of it is wanted and all are of one size; -1 otherwise."""
    plan: Plan


_NONE = Abbreviation(0, False, 0, ())


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes in bytes of what a unit's header decides (DWARF 5, 7.4)."""

    address: int
    offset: int
    version: int


_FIXED = {
    Form.DATA1: 1, Form.FLAG: 1, Form.REF1: 1, Form.STRX1: 1, Form.ADDRX1: 1,
    Form.DATA2: 2, Form.REF2: 2, Form.STRX2: 2, Form.ADDRX2: 2,
    Form.STRX3: 3, Form.ADDRX3: 3,
    Form.DATA4: 4, Form.REF4: 4, Form.STRX4: 4, Form.ADDRX4: 4, Form.REF_SUP4: 4,
    Form.DATA8: 8, Form.REF8: 8, Form.REF_SIG8: 8, Form.REF_SUP8: 8,
    Form.DATA16: 16, Form.FLAG_PRESENT: 0,
}  # fmt: skip
_OFFSETS = (Form.STRP, Form.SEC_OFFSET, Form.STRP_SUP, Form.LINE_STRP)
_UNSIGNED = (Form.UDATA, Form.REF_UDATA, Form.STRX, Form.ADDRX, Form.LOCLISTX, Form.RNGLISTX)
_BLOCKS = {Form.BLOCK1: 1, Form.BLOCK2: 2, Form.BLOCK4: 4}


def fixed_size(form: int, sizes: Sizes) -> int | None:
    """How many bytes an attribute of this form has; None: its content says."""
    if form in _OFFSETS:
        return sizes.offset
    if form == Form.ADDR:
        return sizes.address
    if form == Form.REF_ADDR:
        return sizes.address if sizes.version == 2 else sizes.offset
    return _FIXED.get(form)  # type: ignore[call-overload, no-any-return]  # an `int` stands for the `Form`


class Abbreviations:
    """The table at `offset` of .debug_abbrev, read as far as it is asked for.

    `wanted` says of which tags which attributes are. A unit's top entry is of the first kind of most tables, and to
    find units no more is needed.
    """

    def __init__(
        self, section: bytes, offset: int, sizes: Sizes, wanted: Mapping[int, frozenset[int]], budget: Budget
    ) -> None:
        self._section = section
        self._position = offset
        self._sizes = sizes
        self._wanted = wanted
        self._budget = budget
        self._found: dict[int, Abbreviation] = {}

    def get(self, code: int) -> Abbreviation:
        """The kind of entry with that code. Raises `MalformedDwarf` if there is none."""
        while (found := self._found.get(code)) is None:
            if not self._read_one():
                raise MalformedDwarf(f"there is no kind {code} of entry")
        return found

    def read_all(self) -> None:
        """Reads to the end of the table. Raises `MalformedDwarf`."""
        while self._read_one():
            pass

    def has_form(self, form: Form) -> bool:
        """Whether any attribute that is wanted has that form. Raises `MalformedDwarf`."""
        self.read_all()
        return any(step[3] == form for kind in self._found.values() for step in kind.plan)

    def _read_one(self) -> bool:
        """Reads one more; false at the end."""
        start = self._position
        try:
            code, kind = self._next()
        except IndexError:
            raise MalformedDwarf(f"the kinds of entries go on beyond .debug_abbrev (at {start:#x})") from None
        self._budget.spend(self._position - start)
        if code:
            # Of two with one code the first counts, as for LLVM.
            self._found.setdefault(code, kind)
        return code != 0

    def _next(self) -> tuple[int, Abbreviation]:
        data = self._section
        code, position = unsigned(data, self._position)
        if code == 0:
            return 0, _NONE
        tag, position = unsigned(data, position)
        has_children = data[position] != 0
        specs, self._position = self._specs(position + 1)
        wanted = self._wanted.get(tag, frozenset())
        # Of members only a class's variables are looked for, which are declared in it: there are very many others.
        if tag == Tag.MEMBER and all(attribute != At.DECLARATION for attribute, _, _ in specs):
            wanted = frozenset()
        plan = self._plan(specs, wanted)
        size = -1
        if not plan or (len(plan) == 1 and plan[0][0] is Step.SKIP):
            size = plan[0][1] if plan else 0
        return code, Abbreviation(min(tag, 0xFFFF), has_children, size, plan)

    def _specs(self, position: int) -> tuple[list[tuple[int, int, int]], int]:
        """The attributes of a kind: what, in which form, and its value if that is here."""
        data = self._section
        specs: list[tuple[int, int, int]] = []
        while True:
            attribute, position = unsigned(data, position)
            form, position = unsigned(data, position)
            constant = 0
            if form == Form.IMPLICIT_CONST:
                constant, position = signed(data, position)
            if attribute == form == 0:
                return specs, position
            if len(specs) == MAX_ATTRIBUTES:
                raise MalformedDwarf("an entry has too many attributes")
            specs.append((attribute, form, constant))

    def _plan(self, specs: list[tuple[int, int, int]], wanted: frozenset[int]) -> Plan:
        steps: list[tuple[Step, int, int, int]] = []
        skipped = 0
        for attribute, form, constant in specs:
            step, argument = step_of(form, self._sizes, attribute in wanted, constant)
            if step is Step.SKIP:
                skipped += argument
                continue
            if skipped:
                steps.append((Step.SKIP, skipped, 0, 0))
                skipped = 0
            steps.append((step, argument, attribute, form))
        if skipped:
            steps.append((Step.SKIP, skipped, 0, 0))
        return tuple(steps)


def step_of(form: int, sizes: Sizes, is_wanted: bool, constant: int = 0) -> tuple[Step, int]:
    """How to go over an attribute of this form. Raises `MalformedDwarf` if there is no such form."""
    if form == Form.IMPLICIT_CONST:
        return (Step.CONSTANT, constant) if is_wanted else (Step.SKIP, 0)
    if (size := fixed_size(form, sizes)) is not None:
        if form == Form.FLAG_PRESENT and is_wanted:
            return Step.CONSTANT, 1
        return (Step.FIXED if is_wanted else Step.SKIP), size
    if form == Form.INDIRECT:
        return Step.INDIRECT, 0
    if form == Form.STRING:
        return (Step.OFFSET if is_wanted else Step.STRING), 0
    if form in (Form.EXPRLOC, Form.BLOCK):
        return Step.BLOCK_LEB128, 0
    if form in _BLOCKS:
        return Step.BLOCK, _BLOCKS[form]  # type: ignore[index]  # likewise
    if form in _UNSIGNED:
        return (Step.UNSIGNED if is_wanted else Step.LEB128), 0
    if form == Form.SDATA:
        return (Step.SIGNED if is_wanted else Step.LEB128), 0
    raise MalformedDwarf(f"unknown attribute form {form:#x}")
