"""Names in a condition to indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice

from wasmscope.errors import ConditionError
from wasmscope.instrument.condition.literals import spelled
from wasmscope.instrument.condition.scope import Scope
from wasmscope.instrument.condition.syntax import Place, Space

_COMPARED = 1000
"""So many names are looked at for one that was meant, none of them longer than the next number."""
_LONGEST = 80


class Names:
    """The names in scope, turned round when one is first looked up."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._names = {
            "local": (scope.local_names, len(scope.locals)),
            "global": (scope.global_names, len(scope.globals)),
            "memory": (scope.memory_names, len(scope.memories)),
        }
        self._indices: dict[str, Mapping[str, list[int]]] = {}

    def place(self, place: Place) -> tuple[Space, int]:
        """Where a place is: local, operand or global, and its index, checked to exist."""
        if place.space is None:
            return self._anywhere(str(place.key), place.column)
        if place.space == "stack":
            assert isinstance(place.key, int)
            return "stack", _operand(place.key, len(self._scope.operands), place.column)
        return place.space, self._index(place.space, place.key, place.column)

    def memory(self, key: int | str, column: int) -> int:
        """The index of a memory, checked to exist."""
        return self._index("memory", key, column)

    def _index(self, space: str, key: int | str, column: int) -> int:
        if isinstance(key, int):
            count = self._names[space][1]
            if key >= count:
                raise ConditionError(f"there is no {space} {key}: {_count(count, space)}", column)
            return key
        found = self._by_name(space).get(key, [])
        if len(found) > 1:
            several = " and ".join(f"{space}[{index}]" for index in found[:2])
            raise ConditionError(f"{space}.{spelled(key)} is ambiguous: {several} have that name", column)
        if not found:
            meant = self._meant(key, (space,))
            hint = f"; did you mean {space}.{spelled(meant)}?" if meant else ""
            raise ConditionError(f"no {space} has the name {spelled(key)}{hint}", column)
        return found[0]

    def _anywhere(self, name: str, column: int) -> tuple[Space, int]:
        local, global_ = name in self._by_name("local"), name in self._by_name("global")
        if local and global_:
            written = f"local.{spelled(name)} or global.{spelled(name)}"
            raise ConditionError(f"${spelled(name)} is ambiguous: write {written}", column)
        if not local and not global_:
            meant = self._meant(name, ("local", "global"))
            hint = f"; did you mean ${spelled(meant)}?" if meant else ""
            raise ConditionError(f"no local or global has the name {spelled(name)}{hint}", column)
        space: Space = "local" if local else "global"
        return space, self._index(space, name, column)

    def _by_name(self, space: str) -> Mapping[str, list[int]]:
        if space not in self._indices:
            indices: dict[str, list[int]] = {}
            names, count = self._names[space]
            for index, name in sorted(names.items()):
                if index < count:  # the name section is not validated
                    indices.setdefault(name, []).append(index)
            self._indices[space] = indices
        return self._indices[space]

    def _meant(self, name: str, spaces: tuple[str, ...]) -> str | None:
        if len(name) > _LONGEST:
            return None
        candidates = (known for space in spaces for known in self._by_name(space) if len(known) <= _LONGEST)
        return next(_closest(name, candidates), None)


def _closest(name: str, candidates: Iterator[str]) -> Iterator[str]:
    yield from get_close_matches(name, list(islice(candidates, _COMPARED)), n=1)


def _operand(index: int, count: int, column: int) -> int:
    position = index + count if index < 0 else index
    if not 0 <= position < count:
        raise ConditionError(f"there is no stack[{index}]: {_count(count, 'operand')} here", column)
    return position


def _count(count: int, noun: str) -> str:
    if count == 0:
        return f"there is no {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return "there is one" if count == 1 else f"there are {count} {plural}"
