"""Which tag an exception was thrown with, among those of the guest's instances."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING

from wasmscope.report.entities import Names

if TYPE_CHECKING:
    import wasmtime

    from wasmscope.runtime.instance import Instance
    from wasmscope.runtime.module import Module
    from wasmscope.runtime.store import Store


def find_tag(
    store: Store, tag: wasmtime.Tag, innermost: Instance | None, names_of: Callable[[Module | None], Names | None]
) -> tuple[int | None, str | None]:
    """Index and name of `tag`, as far as there are any.

    The index is one of the module of `innermost`, the instance of the innermost frame; None where `tag` is not known
    there. The name may be one that another instance's module has for it.
    """
    index = _index(store, tag, innermost)
    instances = chain([innermost] if innermost is not None else [], store.debug_all_instances())
    for instance in instances:
        known = index if instance is innermost else _index(store, tag, instance)
        names = names_of(instance.module)
        name = names.tag(known) if known is not None and names is not None else None
        if name is not None:
            return index, name
    return index, None


def _index(store: Store, tag: wasmtime.Tag, instance: Instance | None) -> int | None:
    if instance is None:
        return None
    for index in range(len(instance.module.original.all_tags)):
        own = instance.debug_tag(store, index)
        if own is not None and own.eq(store, tag):
            return index
    return None
