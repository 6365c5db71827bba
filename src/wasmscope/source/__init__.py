"""What debug information says of a module's code: lines, functions, scopes, variables and types.

`model.py` has the values and the Protocol that every kind of debug information satisfies; `types.py` the types of
variables; `locations.py` where a variable is. Nothing here knows the engine: a frame's values come through a Protocol.
"""
