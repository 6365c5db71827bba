"""Values with their types, read lazily from where they are.

`value.py` has `TypedValue`; `reading.py` and `writing.py` get at the bits, wherever they lie; `scalars.py` and
`floats.py` make numbers of them; `children.py` takes structures and arrays apart; `assignment.py` changes values.
Everything is bounded: nothing is read before it is asked for, and never more than `target.MAX_READ` bytes at once.
"""

from wasmscope.source.values.assignment import assign, assign_number
from wasmscope.source.values.children import Child, dereference, element, element_count, elements, members
from wasmscope.source.values.scalars import Scalar, scalar
from wasmscope.source.values.value import TypedValue, of_number, of_variable, unavailable

__all__ = [
    "Child",
    "Scalar",
    "TypedValue",
    "assign",
    "assign_number",
    "dereference",
    "element",
    "element_count",
    "elements",
    "members",
    "of_number",
    "of_variable",
    "scalar",
    "unavailable",
]
