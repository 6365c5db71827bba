"""Stepping, proved: three machines run a program side by side, and show the same before every instruction.

`Stepper` (`step.py`) is a machine that can be watched: the reference interpreter, wasmscope, `wasmtime run -g` over its
wire. `lockstep.py` compares two of them, `mutation.py` changes the state of both on the way, `chaos.py` runs a program
while the debugger is made to do whatever it can at random moments.
"""
