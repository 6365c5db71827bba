"""DWARF 4 and 5 (https://dwarfstd.org/doc/DWARF5.pdf) as `wasmscope.source.model.DebugInfo`: `info.py`, `DwarfInfo`.

pyelftools decodes the debugging entries that are shown and their expressions. What finds those among very many, without
decoding them all, is here: unit headers, the tree of a unit's entries, line programs, lists of ranges and of locations.
All of it bounded: a guest's debug information is as untrusted as its code.
"""
