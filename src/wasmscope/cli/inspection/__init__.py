"""What is in a module, found without running it.

- `model`      an inspection as plain values; their JSON form is that of `inspect --json`
- `proposals`  which proposals the module needs
- `tools`      the custom sections that toolchains leave: producers, target features, build id, URLs
- `dwarf`      whether there is DWARF, and whether its addresses still mean anything
- `survey`     all of it put together -> `Inspection`
- `text`       an inspection as lines
"""
