"""Source maps (ECMA-426, "Source map format specification"): where code that is not described by DWARF comes from."""
