"""How large the parts of a module may be.

These are the engine's own limits, shared among engines (WebAssembly JavaScript Interface, "Implementation limits"):
what is beyond them is refused by the engine as well, so nothing is lost by refusing it before memory is spent on it.
"""

TYPES = 1_000_000
SUPERTYPES = 1
FUNCTION_PARAMS = 1_000
FUNCTION_RESULTS = 1_000
STRUCT_FIELDS = 10_000
IMPORTS = 1_000_000
FUNCTIONS = 1_000_000
TABLES = 100
MEMORIES = 100
TAGS = 1_000_000
GLOBALS = 1_000_000
EXPORTS = 1_000_000
ELEMENT_SEGMENTS = 100_000
ELEMENTS = 10_000_000
DATA_SEGMENTS = 100_000
STRING_BYTES = 100_000
FUNCTION_BYTES = 7_654_321
FUNCTION_LOCALS = 50_000
BR_TABLE_LABELS = FUNCTION_BYTES
CATCHES = 10_000
SELECT_TYPES = 10

SECTIONS = 100_000
"""The engine has no such limit; modules have some tens of sections."""

NAMES = 4_000_000
"""Not the engine's either: entries of the name section, which costs memory for each."""
